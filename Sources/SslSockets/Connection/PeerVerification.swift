package import SslBackend
package import SslValues

/// The one place that judges a peer's certificates: the paused handshake, static verification and the tool all come here.
///
/// The engine finds the path and vouches for its signatures; time, purpose and names are judged here, over that path, so that every engine
/// gives the same list.
package struct PeerVerification: Sendable {
    /// What the certificate must be good for.
    package var purpose: SslPurpose
    /// The name to prove; nil for none, which only a server may ask for.
    package var name: PeerName?
    /// The time to judge validity at.
    package var time: SslInstant
    /// The most certificates between the leaf and the trusted one, plus that one; 0 for no limit of our own.
    package var depth = 0

    /// What to verify.
    package init(purpose: SslPurpose, name: PeerName?, time: SslInstant, depth: Int = 0) {
        self.purpose = purpose
        self.name = name
        self.time = time
        self.depth = depth
    }

    /// What verification found: problems in a stable order, and the span of time in which the path is valid.
    package struct Result: Sendable {
        package var errors: [SslError]
        package var validity: ClosedRange<SslInstant>?
    }

    /// Judges a chain, leaf first. The name comes first in the list, then the path from the leaf upwards.
    package func judge(_ chain: [[UInt8]], store: any TlsTrustStore) -> Result {
        guard !chain.isEmpty else { return Result(errors: [SslError(.noPeerCertificate)], validity: nil) }
        var parsed: [any X509Certificate] = []
        for (depth, der) in chain.enumerated() {
            do throws(SslSocketError) {
                parsed.append(try store.backend.makeCertificate(der: der))
            } catch {
                // A malformed extra certificate cannot be part of a path; a malformed leaf cannot be judged at all.
                if depth == 0 { return Result(errors: [SslError(.malformedCertificate)], validity: nil) }
            }
        }
        return judge(parsed, store: store)
    }

    /// Judges a chain that has been parsed by the store's backend.
    package func judge(_ chain: [any X509Certificate], store: any TlsTrustStore) -> Result {
        guard let leaf = chain.first else { return Result(errors: [SslError(.noPeerCertificate)], validity: nil) }
        let path = store.findPath(chain)
        var found = Set(path.problems)
        if !path.isAnchored && path.problems.isEmpty {
            found.insert(TlsPathProblem(.unableToGetLocalIssuerCertificate, depth: max(path.certificates.count - 1, 0)))
        }
        if depth > 0 && path.certificates.count - 1 > depth {
            found.insert(TlsPathProblem(.pathLengthExceeded, depth: path.certificates.count - 1))
        }
        let certificates = path.certificates.isEmpty ? [leaf] : path.certificates
        for (depth, certificate) in certificates.enumerated() {
            found.formUnion(timeProblems(certificate, depth))
            if FraudulentCertificates.contains(certificate) {
                found.insert(TlsPathProblem(.certificateBlacklisted, depth: depth))
            }
            let isAnchor = path.isAnchored && depth > 0 && depth == certificates.count - 1
            if !isAnchor, !permitsPurpose(certificate, depth) { found.insert(TlsPathProblem(.invalidPurpose, depth: depth)) }
        }
        var errors = found.sorted { ($0.depth, $0.code.rawValue) < ($1.depth, $1.code.rawValue) }.map { problem in
            let index = min(problem.depth, certificates.count - 1)
            return SslError(problem.code, certificate: SslCertificate(certificates[index]), depth: problem.depth)
        }
        if let name, !name.isProven(by: leaf.alternativeNames ?? []) {
            errors.insert(SslError(.hostNameMismatch, certificate: SslCertificate(leaf)), at: 0)
        } else if name == nil, purpose == .serverAuthentication {
            // No name to prove is no proof.
            errors.insert(SslError(.hostNameMismatch, certificate: SslCertificate(leaf)), at: 0)
        }
        return Result(errors: errors, validity: errors.isEmpty ? validity(of: certificates) : nil)
    }

    /// What is reported although nobody asked for verification: certificates of a server that are known to be fraudulent.
    package static func fraud(in chain: [[UInt8]], backend: any TlsBackend) -> [SslError] {
        chain.enumerated().compactMap { depth, der in
            guard let certificate = try? backend.makeCertificate(der: der), FraudulentCertificates.contains(certificate) else {
                return nil
            }
            return SslError(.certificateBlacklisted, certificate: SslCertificate(certificate), depth: depth)
        }
    }

    private func timeProblems(_ certificate: any X509Certificate, _ depth: Int) -> [TlsPathProblem] {
        guard let notBefore = certificate.notBefore else { return [TlsPathProblem(.invalidNotBeforeField, depth: depth)] }
        guard let notAfter = certificate.notAfter else { return [TlsPathProblem(.invalidNotAfterField, depth: depth)] }
        if time < notBefore { return [TlsPathProblem(.certificateNotYetValid, depth: depth)] }
        if time > notAfter { return [TlsPathProblem(.certificateExpired, depth: depth)] }
        return []
    }

    /// RFC 5280 sections 4.2.1.3 and 4.2.1.12: without the extension everything is permitted; anyExtendedKeyUsage permits all.
    private func permitsPurpose(_ certificate: any X509Certificate, _ depth: Int) -> Bool {
        if let usages = certificate.extendedKeyUsage {
            guard usages.contains(purpose.objectIdentifier) || usages.contains("2.5.29.37.0") else { return false }
        }
        // A leaf must be able to sign the handshake or to take part in the key exchange: bits 0, 2 and 4.
        if depth == 0, let usage = certificate.keyUsage { return usage & 0b10101 != 0 }
        return true
    }

    private func validity(of path: [any X509Certificate]) -> ClosedRange<SslInstant>? {
        guard let start = path.compactMap(\.notBefore).max(), let end = path.compactMap(\.notAfter).min(), start <= end else {
            return nil
        }
        return start...end
    }
}

extension SslErrorCode {
    /// The alert a refusal for this reason is sent with (RFC 8446 section 6.2). For a missing certificate TLS 1.2 has none of its own
    /// (RFC 5246 section 7.4.6).
    func alert(in version: SslVersion?) -> SslAlertType {
        switch self {
        case .noPeerCertificate: version == .tls1_3 ? .certificateRequired : .handshakeFailure
        case .certificateExpired, .certificateNotYetValid: .certificateExpired
        case .certificateRevoked: .certificateRevoked
        case .selfSignedCertificate, .selfSignedCertificateInChain, .unableToGetLocalIssuerCertificate,
            .unableToGetIssuerCertificate,
            .unableToVerifyFirstCertificate, .invalidCaCertificate, .pathLengthExceeded:
            .unknownCa
        case .invalidPurpose: .unsupportedCertificate
        case .certificateStatusUnknown, .unspecifiedError, .certificateBlacklisted: .certificateUnknown
        default: .badCertificate
        }
    }
}
