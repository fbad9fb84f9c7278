internal import SslBackend
internal import SslValues

/// Judges what a server stapled to its certificate (RFC 6960 section 3.2), the same on every backend.
///
/// In force: exactly one SingleResponse, as in Qt, about the leaf and its issuer; signed by that issuer, or by a certificate of his with
/// id-kp-OCSPSigning that is valid and strong; not before thisUpdate and not after nextUpdate, give or take ``slack``.
struct OcspJudgement {
    /// Clocks may differ by so many seconds, as in Qt.
    static let slack: Int64 = 60
    /// A response that does not say when there will be a newer one counts for so many days. Qt takes one of any age.
    static let longestAge: Int64 = 7

    let time: SslInstant
    let backend: any TlsBackend
    let leaf: CertificateFields
    /// The certificates that may have issued the leaf.
    let issuers: [CertificateFields]

    /// What was found.
    struct Found {
        var problems: [SslErrorCode] = []
        var responses: [OcspResponse] = []
    }

    /// Judges what was stapled; nil for nothing.
    func judge(_ staple: [UInt8]?) -> Found {
        guard let staple, !staple.isEmpty else { return Found(problems: [.ocspNoResponseFound]) }
        guard let message = OcspMessage(staple) else { return Found(problems: [.ocspMalformedResponse]) }
        guard let basic = message.basic else { return Found(problems: [Self.problem(status: message.status)]) }
        guard basic.responses.count == 1, let single = basic.responses.first else {
            return Found(problems: [.ocspMalformedResponse])
        }
        var found = Found()
        var response = OcspResponse()
        response.certificateStatus = single.status
        response.revocationReason = single.reason
        response.revocationTime = single.revocationTime
        response.thisUpdate = single.thisUpdate
        response.nextUpdate = single.nextUpdate

        // Only whoever has really signed the leaf can speak for it.
        let issuer = issuers.first { isSigned(leaf, by: $0) }
        let responder = issuer.flatMap { signer(of: basic, issuer: $0) }
        if responder == nil { found.problems.append(.ocspResponseCannotBeTrusted) }
        response.responder = responder.flatMap { certificate($0) }
        if issuer.map({ isAbout(single, issuer: $0) }) ?? false {
            response.subject = certificate(leaf)
        } else {
            found.problems.append(.ocspResponseCertIdUnknown)
        }
        if !isCurrent(single) { found.problems.append(.ocspResponseExpired) }
        switch single.status {
        case .good: break
        case .revoked: found.problems.append(.certificateRevoked)
        case .unknown: found.problems.append(.ocspStatusUnknown)
        }
        found.responses = [response]
        return found
    }

    private static func problem(status: Int) -> SslErrorCode {
        switch status {
        case 1: .ocspMalformedRequest
        case 2: .ocspInternalError
        case 3: .ocspTryLater
        case 5: .ocspSigRequired
        case 6: .ocspUnauthorized
        default: .ocspMalformedResponse
        }
    }

    private func certificate(_ fields: CertificateFields) -> SslCertificate? {
        (try? backend.makeCertificate(der: fields.der)).map { SslCertificate($0) }
    }

    // MARK: Who says so

    private func signer(of basic: OcspMessage.Basic, issuer: CertificateFields) -> CertificateFields? {
        guard let algorithm = basic.algorithm, KeyStrength.isStrong(algorithm) else { return nil }
        // A list without end would be work without end.
        let empowered = basic.certificates.prefix(8).compactMap { try? CertificateFields($0) }.filter {
            isEmpowered($0, by: issuer)
        }
        return ([issuer] + empowered).first { candidate in
            isNamed(candidate, by: basic.responder) && KeyStrength.isStrong(candidate.publicKey)
                && backend.isValid(
                    X509Signature(
                        signedOctets: basic.signedOctets, algorithm: algorithm, signature: basic.signature,
                        publicKeyInfo: candidate.publicKeyInfo))
        }
    }

    private func isNamed(_ candidate: CertificateFields, by responder: OcspMessage.Responder) -> Bool {
        switch responder {
        case .name(let name): candidate.canonicalSubject == name
        case .keyHash(let hash): keyBits(candidate).flatMap { backend.digest($0, .sha1) } == hash
        }
    }

    /// RFC 6960 section 4.2.2.2: the issuer of the leaf, and nobody else, has made it a responder.
    private func isEmpowered(_ candidate: CertificateFields, by issuer: CertificateFields) -> Bool {
        guard candidate.extendedKeyUsage?.contains("1.3.6.1.5.5.7.3.9") ?? false,
            candidate.canonicalIssuer == issuer.canonicalSubject,
            candidate.keyUsage?.contains(.digitalSignature) ?? true,
            candidate.notBefore <= time, time <= candidate.notAfter
        else { return false }
        return isSigned(candidate, by: issuer)
    }

    private func isSigned(_ certificate: CertificateFields, by issuer: CertificateFields) -> Bool {
        guard certificate.canonicalIssuer == issuer.canonicalSubject,
            let algorithm = X509SignatureAlgorithm(der: certificate.signatureAlgorithmDer), KeyStrength.isStrong(algorithm)
        else { return false }
        return backend.isValid(
            X509Signature(
                signedOctets: certificate.signedOctets, algorithm: algorithm, signature: certificate.signature,
                publicKeyInfo: issuer.publicKeyInfo))
    }

    // MARK: About what, and when

    private func isAbout(_ single: OcspMessage.Single, issuer: CertificateFields) -> Bool {
        guard let hash = single.hash, let key = keyBits(issuer) else { return false }
        return single.serialNumber == leaf.serialNumber && backend.digest(leaf.issuerDer, hash) == single.issuerNameHash
            && backend.digest(key, hash) == single.issuerKeyHash
    }

    /// The content of the BIT STRING of a SubjectPublicKeyInfo: what OCSP hashes.
    private func keyBits(_ fields: CertificateFields) -> [UInt8]? {
        guard let content = DerReader.only(DerTag.sequence, fields.publicKeyInfo[...]) else { return nil }
        var reader = DerReader(content)
        guard reader.next(DerTag.sequence) != nil, let bits = reader.next(DerTag.bitString), bits.content.first == 0 else {
            return nil
        }
        return Array(bits.content.dropFirst())
    }

    private func isCurrent(_ single: OcspMessage.Single) -> Bool {
        guard single.thisUpdate.adding(seconds: -Self.slack) <= time else { return false }
        guard let next = single.nextUpdate else { return time <= single.thisUpdate.adding(days: Self.longestAge) }
        return single.thisUpdate <= next && time <= next.adding(seconds: Self.slack)
    }
}
