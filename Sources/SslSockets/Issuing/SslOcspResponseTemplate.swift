package import SslBackend
public import SslValues

/// What an OCSP response to be made says (RFC 6960 section 4.2.1): see ``SslCertificateAuthority/ocspResponse(_:responder:)``.
public struct SslOcspResponseTemplate: Sendable, Hashable {
    /// What it says of one certificate.
    public struct Answer: Sendable, Hashable {
        /// The certificate's serial number.
        public var serialNumber: [UInt8]
        /// What is said of it.
        public var status: OcspCertificateStatus
        /// Why it is revoked; ``OcspRevocationReason/none``: no reason is given.
        public var reason = OcspRevocationReason.none
        /// Since when it is revoked; nil: since `thisUpdate`. Not looked at for others.
        public var revocationTime: SslInstant?
        /// The time at which the status is known to be right.
        public var thisUpdate: SslInstant
        /// When there will be a newer one; nil: it does not say, and then clients ask again at once.
        public var nextUpdate: SslInstant?

        /// Says something of a certificate.
        public init(
            serialNumber: [UInt8], status: OcspCertificateStatus, thisUpdate: SslInstant, nextUpdate: SslInstant?
        ) {
            self.serialNumber = serialNumber
            self.status = status
            self.thisUpdate = thisUpdate
            self.nextUpdate = nextUpdate
        }
    }

    /// What is said of which certificates.
    public var answers: [Answer]
    /// When the response is made; nil: at the earliest `thisUpdate`.
    public var producedAt: SslInstant?
    /// The hash that identifies the certificates: SHA-1, which all clients know, or SHA-256. It protects nothing.
    public var identifierHash = SslHash.sha1
    /// Names the responder by its key instead of its name.
    public var namesResponderByKey = false
    /// The certificate of the responder goes along: needed when it is not the authority itself.
    public var includesCertificate = true
    /// The hash of the signature; Ed25519 and Ed448 keys ignore it.
    public var hash = SslHash.sha256
    /// Extensions of the response, for example the nonce of a question, as they are.
    public var extensions: [SslCertificateExtension] = []

    /// A response with its required part.
    public init(_ answers: [Answer]) { self.answers = answers }

    /// Says that a certificate is good.
    ///
    /// - Parameter hours: how long the answer holds from now.
    public static func good(_ certificate: SslCertificate, hours: Int64 = 24) -> SslOcspResponseTemplate {
        let now = TlsClock.now
        return SslOcspResponseTemplate([
            Answer(
                serialNumber: certificate.serialNumber, status: .good, thisUpdate: now.adding(seconds: -300),
                nextUpdate: now.adding(seconds: hours * 3600))
        ])
    }
}

/// Writes OCSP responses.
package struct OcspResponseWriter {
    /// Whose certificates the response is about.
    let issuer: CertificateFields
    /// The certificate of whoever signs.
    let responder: CertificateFields
    /// The key that signs.
    let key: any TlsKey

    /// A writer for the certificates of an issuer.
    package init(issuer: CertificateFields, responder: CertificateFields, key: any TlsKey) {
        self.issuer = issuer
        self.responder = responder
        self.key = key
    }

    /// A response in DER.
    package func write(_ template: SslOcspResponseTemplate) throws(SslSocketError) -> [UInt8] {
        let earliest = template.answers.map(\.thisUpdate).min()
        guard let produced = template.producedAt ?? earliest else {
            throw SslSocketError(.invalidUserData, "An OCSP response says something of at least one certificate")
        }
        let hash = template.identifierHash
        guard !X509SignatureAlgorithm.identifier(of: hash).isEmpty else {
            throw SslSocketError(.invalidUserData, "\(hash) identifies no certificates")
        }
        let algorithm = try SignedData.algorithm(key, template.hash)
        let names =
            DerWriter.sequence(X509SignatureAlgorithm.identifier(of: hash), DerWriter.null)
            + DerWriter.octetString(try digest(issuer.subjectDer, hash))
            + DerWriter.octetString(try digest(SignedData.keyBits(issuer.publicKeyInfo), hash))
        var answers: [UInt8] = []
        for answer in template.answers { answers += try self.answer(answer, names) }
        let name =
            template.namesResponderByKey
            ? DerWriter.element(
                0xA2, DerWriter.octetString(try digest(SignedData.keyBits(responder.publicKeyInfo), .sha1)))
            : DerWriter.element(0xA1, responder.subjectDer)
        let extensions = try SignedData.extensions(template.extensions)
        let data = DerWriter.sequence(
            name, try time(produced), DerWriter.sequence(answers),
            extensions.isEmpty ? [] : DerWriter.element(0xA1, extensions))
        let basic = try SignedData.write(
            data, algorithm, key: key, provenBy: responder.publicKeyInfo,
            following: template.includesCertificate ? DerWriter.element(0xA0, DerWriter.sequence(responder.der)) : [])
        let type = DerWriter.objectIdentifier("1.3.6.1.5.5.7.48.1.1") ?? []
        return DerWriter.sequence(
            DerWriter.enumerated(0),
            DerWriter.element(0xA0, DerWriter.sequence(type, DerWriter.octetString(basic))))
    }

    /// A SingleResponse.
    private func answer(
        _ answer: SslOcspResponseTemplate.Answer, _ issuer: [UInt8]
    ) throws(SslSocketError) -> [UInt8] {
        guard DerValue.isInteger(answer.serialNumber[...]) else {
            throw SslSocketError(.invalidUserData, "A serial number in an OCSP response is malformed")
        }
        let status: [UInt8]
        switch answer.status {
        case .good: status = [0x80, 0x00]
        case .unknown: status = [0x82, 0x00]
        case .revoked:
            let reason =
                answer.reason.rawValue < 0
                ? [] : DerWriter.element(0xA0, DerWriter.enumerated(UInt8(answer.reason.rawValue)))
            status = DerWriter.element(0xA1, try time(answer.revocationTime ?? answer.thisUpdate) + reason)
        }
        let next = try answer.nextUpdate.map { end throws(SslSocketError) in DerWriter.element(0xA0, try time(end)) } ?? []
        return DerWriter.sequence(
            DerWriter.sequence(issuer, DerWriter.integer(octets: answer.serialNumber)), status, try time(answer.thisUpdate), next)
    }

    private func digest(_ octets: [UInt8], _ hash: SslHash) throws(SslSocketError) -> [UInt8] {
        guard let digest = key.backend.digest(octets, hash) else {
            throw SslSocketError(
                .unsupportedOperation, "The library does not offer \(hash) here", backend: key.backend.name)
        }
        return digest
    }

    private func time(_ instant: SslInstant) throws(SslSocketError) -> [UInt8] {
        guard let der = DerWriter.generalizedTime(instant) else {
            throw SslSocketError(.invalidUserData, "\(instant) cannot stand in an OCSP response: its year has four digits")
        }
        return der
    }
}
