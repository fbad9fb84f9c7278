package import SslBackend
package import SslValues

/// The one place that judges a peer's certificates: the paused handshake, ``SslCertificate/verify(_:hostName:purpose:time:configuration:)``
/// and the tool all come here.
///
/// Which paths are tried and what makes one acceptable is decided here, so that every engine gives the same list; signatures are the
/// engine's, and no path is accepted that it refuses.
package struct PeerVerification: Sendable {
    /// What the certificate must be good for; nil for anything.
    package var purpose: SslPurpose?
    /// The names to prove, every one of them.
    package var names: [PeerName]
    /// Without a name nothing is proven, which only a server may accept.
    package var requiresName: Bool
    /// The time to judge validity at.
    package var time: SslInstant
    /// The most certificates between the leaf and the trusted one, plus that one; 0 for no limit of our own.
    package var depth = 0
    /// What the peer stapled to its certificate, if that counts.
    package var staple = Staple.notAsked

    /// Whether the status of the leaf must be stapled, and what is.
    package enum Staple: Sendable {
        case notAsked
        case asked([UInt8]?)
    }

    /// Revocation, pins and strictness.
    package var settings = VerificationSettings()

    /// What to verify.
    package init(purpose: SslPurpose?, name: PeerName?, time: SslInstant, depth: Int = 0) {
        self.purpose = purpose
        names = name.map { [$0] } ?? []
        requiresName = purpose == .serverAuthentication
        self.time = time
        self.depth = depth
    }

    /// What verification found: problems in a stable order, and the span of time in which the path is valid.
    package struct Result: Sendable {
        package var errors: [SslError]
        package var validity: ClosedRange<SslInstant>?
        package var ocspResponses: [OcspResponse] = []
    }

    /// Judges a chain, leaf first. What is wrong with the stapled status comes first in the list, then the name, the pins, and the path from the
    /// leaf upwards.
    package func judge(_ chain: [[UInt8]], store: any TlsTrustStore) -> Result {
        guard let first = chain.first else { return Result(errors: [SslError(.noPeerCertificate)], validity: nil) }
        guard let leaf = try? CertificateFields(first) else {
            return Result(errors: [SslError(.malformedCertificate)], validity: nil)
        }
        // A malformed extra certificate cannot be part of a path.
        let others = chain.dropFirst().compactMap { der in (try? CertificateFields(der)).map { LazyCertificate($0) } }
        return judge(LazyCertificate(leaf), others, store: store)
    }

    private func judge(_ leaf: LazyCertificate, _ offered: [LazyCertificate], store: any TlsTrustStore) -> Result {
        let backend = store.backend
        guard let parsedLeaf = try? leaf.certificate(backend) else {
            return Result(errors: [SslError(.malformedCertificate)], validity: nil)
        }
        let check = PathCheck(verification: self, store: store, offered: offered)
        let found = check.search(from: leaf)
        let handles = found.path.map { try? $0.certificate(backend) }
        func error(_ code: SslErrorCode, _ depth: Int) -> SslError {
            let certificate = handles.indices.contains(depth) ? handles[depth] : nil
            return SslError(code, certificate: certificate.map { SslCertificate($0) }, depth: depth)
        }
        var errors = found.problems.sorted { ($0.depth, $0.code.rawValue) < ($1.depth, $1.code.rawValue) }.map {
            error($0.code, $0.depth)
        }
        if !isPinned(found.path, backend) { errors.insert(error(.publicKeyPinMismatch, 0), at: 0) }
        let identity = PeerIdentity(leaf.fields, usesCommonName: settings.usesCommonName)
        if names.isEmpty ? requiresName : !names.allSatisfy({ $0.isProven(by: identity) }) {
            errors.insert(SslError(.hostNameMismatch, certificate: SslCertificate(parsedLeaf)), at: 0)
        }
        guard case .asked(let octets) = staple else {
            return Result(errors: errors, validity: errors.isEmpty ? validity(of: found.path) : nil)
        }
        // The issuer on the path speaks for the leaf; where no path was found, whoever was sent along.
        let others = found.path.dropFirst().prefix(1) + offered.prefix(PathSearch.longest) + [leaf]
        let issuers = others.map(\.fields).filter { $0.canonicalSubject == leaf.fields.canonicalIssuer }
        let status = OcspJudgement(time: time, backend: backend, leaf: leaf.fields, issuers: issuers).judge(octets)
        errors.insert(contentsOf: status.problems.map { error($0, 0) }, at: 0)
        return Result(
            errors: errors, validity: errors.isEmpty ? validity(of: found.path) : nil, ocspResponses: status.responses)
    }

    /// What is reported although nobody asked for verification: certificates of a server that are known to be fraudulent.
    package static func fraud(in chain: [[UInt8]], backend: any TlsBackend) -> [SslError] {
        chain.enumerated().compactMap { depth, der in
            guard let certificate = try? backend.makeCertificate(der: der), FraudulentCertificates.contains(certificate.fields)
            else {
                return nil
            }
            return SslError(.certificateBlacklisted, certificate: SslCertificate(certificate), depth: depth)
        }
    }

    /// One of the pinned keys is on the path (RFC 7469 section 2.6).
    private func isPinned(_ path: [LazyCertificate], _ backend: any TlsBackend) -> Bool {
        settings.pins.isEmpty
            || path.contains { one in
                backend.digest(one.fields.publicKeyInfo, .sha256).map { settings.pins.contains($0) } ?? false
            }
    }

    private func validity(of path: [LazyCertificate]) -> ClosedRange<SslInstant>? {
        guard let start = path.map(\.fields.notBefore).max(), let end = path.map(\.fields.notAfter).min(),
            start <= end
        else {
            return nil
        }
        return start...end
    }
}

/// What a path is judged by besides names: the settings of a configuration that are about verification alone.
package struct VerificationSettings: Sendable, Hashable {
    package var profile = SslCertificateProfile.path
    package var revocationLists: [SslRevocationList] = []
    package var revocationPolicy = SslRevocationPolicy.automatic
    /// SHA-256 of SubjectPublicKeyInfos; empty for no pinning.
    package var pins: Set<[UInt8]> = []
    /// Texts that were given as pins and are none.
    package var malformedPins: [String] = []
    package var usesCommonName = false

    package init() {}

    /// Throws for what was written wrongly, so that nobody believes it is in force.
    package func validate() throws(SslSocketError) {
        guard let first = malformedPins.first else { return }
        throw SslSocketError(.invalidUserData, "\"\(first)\" is not a public key pin: it must be 32 octets of SHA-256 in Base64")
    }
}

/// Judges the paths that a search comes upon.
private struct PathCheck {
    let verification: PeerVerification
    let store: any TlsTrustStore
    let offered: [LazyCertificate]
    let signatures = SignatureCache()

    func search(from leaf: LazyCertificate) -> PathSearch.Found {
        let rules = PathRules(
            purpose: verification.purpose, time: verification.time, depth: verification.depth,
            profile: verification.settings.profile,
            work: signatures, usesCommonName: verification.settings.usesCommonName)
        return search(from: leaf, rules) { path in revocationProblems(path) }
    }

    private func search(
        from leaf: LazyCertificate, _ rules: PathRules, alsoJudge: @escaping ([LazyCertificate]) -> Set<TlsPathProblem>
    ) -> PathSearch.Found {
        var search = PathSearch(store: store, offered: offered, time: verification.time, signatures: signatures) {
            path, isAnchored in
            let found = rules.problems(path.map(\.fields), isAnchored: isAnchored).union(isAnchored ? alsoJudge(path) : [])
            guard found.isEmpty && isAnchored else { return found.union(signatureProblems(path)) }
            return engineProblems(path)
        }
        return search.find(from: leaf)
    }

    private func signatureProblems(_ path: [LazyCertificate]) -> Set<TlsPathProblem> {
        Set(
            path.indices.dropLast().filter {
                !signatures.isSigned(path[$0].fields, by: path[$0 + 1].fields, backend: store.backend)
            }.map {
                TlsPathProblem(.certificateSignatureFailed, depth: $0)
            })
    }

    /// The library has the last word. When it refuses for signatures, the blame is found as on every library.
    private func engineProblems(_ path: [LazyCertificate]) -> Set<TlsPathProblem> {
        var handles: [any X509Certificate] = []
        for (depth, one) in path.enumerated() {
            guard let handle = try? one.certificate(store.backend) else {
                return [TlsPathProblem(.malformedCertificate, depth: depth)]
            }
            handles.append(handle)
        }
        let problems = store.backend.problems(ofPath: handles)
        if problems.isEmpty { return [] }
        let signatures = signatureProblems(path)
        return signatures.isEmpty ? Set(problems) : signatures
    }

    private func revocationProblems(_ path: [LazyCertificate]) -> Set<TlsPathProblem> {
        let settings = verification.settings
        let policy =
            settings.revocationPolicy == .automatic
            ? (settings.revocationLists.isEmpty ? .off : .chain) : settings.revocationPolicy
        guard policy != .off, path.count > 1 else { return [] }
        let revocation = revocation { signer, anchor in isValidSigner(signer, anchor, isAskedForSigner: false) }
        var found: Set<TlsPathProblem> = []
        for depth in 0..<(policy == .leaf ? 1 : path.count - 1) {
            switch revocation.status(path, depth: depth) {
            case .good: break
            case .revoked: found.insert(TlsPathProblem(.certificateRevoked, depth: depth))
            case .unknown:
                // A list whose signature there was no time to check may name the certificate.
                if policy != .listed || signatures.isExhausted {
                    found.insert(TlsPathProblem(.certificateStatusUnknown, depth: depth))
                }
            }
        }
        return found
    }

    private func revocation(_ isValidSigner: @escaping (LazyCertificate, _ anchor: LazyCertificate) -> Bool) -> Revocation {
        Revocation(
            lists: verification.settings.revocationLists.map(\.parsed), time: verification.time,
            profile: verification.settings.profile,
            backend: store.backend, offered: offered, signatures: signatures, isValidSigner: isValidSigner)
    }

    /// Whoever signs a list without being on the path needs a path of its own to the same trusted certificate (RFC 5280 section 6.3.3 (f)),
    /// and no list may name it as revoked. That a list covers it cannot be asked for: often the one it has signed is the only one.
    private func isValidSigner(_ signer: LazyCertificate, _ anchor: LazyCertificate, isAskedForSigner: Bool) -> Bool {
        let rules = PathRules(
            purpose: nil, time: verification.time, depth: 0, profile: verification.settings.profile, work: signatures)
        let found = search(from: signer, rules) { path in
            guard path.last?.fields.der == anchor.fields.der else {
                return [TlsPathProblem(.certificateUntrusted, depth: path.count - 1)]
            }
            // Those who sign lists about signers of lists are judged by their path alone, so that this ends.
            let lists = revocation { other, anchor in
                !isAskedForSigner && other.fields.der != signer.fields.der && isValidSigner(other, anchor, isAskedForSigner: true)
            }
            let revoked = path.indices.dropLast().filter { lists.status(path, depth: $0) == .revoked }
            return Set(revoked.map { TlsPathProblem(.certificateRevoked, depth: $0) })
        }
        return found.isAnchored && found.problems.isEmpty && !signatures.isExhausted
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
        case .ocspNoResponseFound, .ocspMalformedRequest, .ocspMalformedResponse, .ocspInternalError, .ocspTryLater,
            .ocspSigRequired, .ocspUnauthorized, .ocspResponseCannotBeTrusted, .ocspResponseCertIdUnknown, .ocspResponseExpired,
            .ocspStatusUnknown:
            .badCertificateStatusResponse
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
