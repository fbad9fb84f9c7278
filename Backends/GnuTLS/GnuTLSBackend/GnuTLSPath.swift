#if GnuTLS
internal import CSslGnuTLS
internal import SslBackend
internal import SslValues

/// Looks for a path from a leaf to a trusted certificate.
///
/// The library verifies a list that is already in order and tells one set of flags for all of it. So the order and the
/// alternatives are found here, the library's verdict on a finished path is what makes it acceptable, and only when that
/// verdict is bad each certificate is looked at again, to say which of them is to blame for what.
struct GnuTLSPathFinder {
    /// At most so many certificates make a path.
    static let longest = 16
    /// At most so many finished paths are verified: signatures cost, and a peer chooses the certificates.
    static let mostPaths = 32
    /// At most so many steps are tried in all.
    static let mostSteps = 512

    private let store: GnuTLSTrustStore
    private let offered: [GnuTLSCertificate]
    private var best: TlsPath?
    private var longestLoose: [GnuTLSCertificate] = []
    private var paths = 0
    private var steps = 0

    /// A finder over the trusted certificates and those the peer sent besides its own.
    init(store: GnuTLSTrustStore, offered: [GnuTLSCertificate]) {
        self.store = store
        var seen: Set<[UInt8]> = []
        self.offered = offered.filter { seen.insert($0.der).inserted }
    }

    /// The best path: the first without a problem, else the trusted one with the fewest, else the longest that is not trusted.
    mutating func find(from leaf: GnuTLSCertificate) -> TlsPath {
        if extend([leaf]), let best { return best }
        if let best { return best }
        let loose = longestLoose.isEmpty ? [leaf] : longestLoose
        let depth = loose.count - 1
        let missing: SslErrorCode =
            switch (loose[depth].isSelfIssued, depth) {
            case (true, 0): .selfSignedCertificate
            case (true, _): .selfSignedCertificateInChain
            // The issuer may be there, but the path would be too long with it.
            case (false, Self.longest - 1): .pathLengthExceeded
            case (false, _): .unableToGetLocalIssuerCertificate
            }
        var problems = GnuTLSPathCheck(loose, isAnchored: false).problems
        problems.append(TlsPathProblem(missing, depth: depth))
        return TlsPath(certificates: loose, isAnchored: false, problems: problems)
    }

    /// Goes on from the end of `path`; true when a path without a problem was found.
    private mutating func extend(_ path: [GnuTLSCertificate]) -> Bool {
        steps += 1
        guard let last = path.last, steps <= Self.mostSteps, paths < Self.mostPaths else { return false }
        if store.anchors(named: last.subjectDer).contains(where: { $0.der == last.der }) { return finish(path) }
        if path.count > longestLoose.count { longestLoose = path }
        guard path.count < Self.longest else { return false }

        let issuer = last.issuerDer
        let anchors = store.anchors(named: issuer).filter { Self.mayIssue($0, last, path) }
        // The same name and key once more leads nowhere that the first did not (RFC 4158 section 2.4.2).
        let others = offered.filter { candidate in
            candidate.subjectDer == issuer && Self.mayIssue(candidate, last, path)
                && !path.contains { $0.publicKeyInfo == candidate.publicKeyInfo && $0.subjectDer == issuer }
        }
        for anchor in anchors where extend(path + [anchor]) { return true }
        for other in others where extend(path + [other]) { return true }
        return false
    }

    /// Names and key identifiers fit, and the certificate is not on the path yet: a cycle would never end.
    private static func mayIssue(
        _ candidate: GnuTLSCertificate, _ subject: GnuTLSCertificate, _ path: [GnuTLSCertificate]
    ) -> Bool {
        guard !path.contains(where: { $0.der == candidate.der }) else { return false }
        return unsafe gnutls_x509_crt_check_issuer(subject.handle, candidate.handle) == 1
    }

    private mutating func finish(_ path: [GnuTLSCertificate]) -> Bool {
        paths += 1
        let problems = GnuTLSPathCheck(path, isAnchored: true).problems
        if best == nil || problems.count < (best?.problems.count ?? 0) {
            best = TlsPath(certificates: path, isAnchored: true, problems: problems)
        }
        return problems.isEmpty
    }
}

/// What is wrong with a path whose names fit.
struct GnuTLSPathCheck {
    private let path: [GnuTLSCertificate]
    private let isAnchored: Bool
    /// Every problem, once per code and depth, in the order of depth for each rule.
    private(set) var problems: [TlsPathProblem] = []

    /// Checks a path, leaf first.
    init(_ path: [GnuTLSCertificate], isAnchored: Bool) {
        self.path = path
        self.isAnchored = isAnchored
        let verdict = isAnchored ? engineVerdict() : nil
        // A trusted leaf passes the library unseen, whatever its key.
        if verdict == 0 && path.count > 1 { return }
        checkSignatures()
        checkAuthorities()
        checkNameConstraints()
        checkStrength()
        if isAnchored && verdict != 0 && problems.isEmpty {
            // Refused for a reason none of our rules names: an unknown critical extension, for example.
            add(.unspecifiedError, 0)
        }
    }

    /// The library's flags for the whole path with its last certificate as the only trusted one; nil when it could not tell.
    private func engineVerdict() -> UInt32? {
        guard let anchor = path.last else { return nil }
        let rest = path.count > 1 ? path.dropLast() : path[...]
        return unsafe Self.verify(rest.map { unsafe $0.handle }, anchor.handle, sslgnutls_path_flags())
    }

    private static func verify(_ list: [gnutls_x509_crt_t?], _ anchor: gnutls_x509_crt_t, _ flags: UInt32) -> UInt32? {
        var trusted: gnutls_x509_crt_t? = unsafe anchor
        var status: UInt32 = 0
        let native = unsafe gnutls_x509_crt_list_verify(list, UInt32(list.count), &trusted, 1, nil, 0, flags, &status)
        return native < 0 ? nil : status
    }

    private mutating func add(_ code: SslErrorCode, _ depth: Int) {
        let problem = TlsPathProblem(code, depth: depth)
        if !problems.contains(problem) { problems.append(problem) }
    }

    private mutating func checkSignatures() {
        for depth in 0..<(path.count - 1) {
            let status = unsafe Self.verify([path[depth].handle], path[depth + 1].handle, sslgnutls_signature_flags())
            let isBad = status.map { $0 & GNUTLS_CERT_SIGNATURE_FAILURE.rawValue != 0 } ?? true
            if isBad { add(.certificateSignatureFailed, depth) }
        }
    }

    /// RFC 5280 section 6.1.4 (k) to (n): CA bit, path length, and the key usage of whoever signs certificates.
    private mutating func checkAuthorities() {
        var following = 0
        for depth in 1..<max(path.count, 1) {
            let issuer = path[depth]
            let constraints = issuer.basicConstraints
            // A trusted root of version 1 cannot say that it is a CA.
            let isOldRoot = issuer.version == 1 && isAnchored && depth == path.count - 1 && issuer.isSelfIssued
            let maySign = issuer.keyUsage.map { $0 & 1 << 5 != 0 } ?? true
            if !(constraints?.isAuthority ?? isOldRoot) || !maySign { add(.invalidCaCertificate, depth) }
            if let limit = constraints?.pathLength, constraints?.isAuthority == true, following > limit {
                add(.pathLengthExceeded, depth)
            }
            if !issuer.isSelfIssued { following += 1 }
        }
    }

    /// RFC 5280 section 6.1.3 (b) and (c): names of every certificate below, but not of self-issued intermediates.
    private mutating func checkNameConstraints() {
        for depth in 1..<max(path.count, 1) {
            var made: gnutls_x509_name_constraints_t?
            guard unsafe gnutls_x509_name_constraints_init(&made) == 0, let constraints = unsafe made else { continue }
            defer { unsafe gnutls_x509_name_constraints_deinit(constraints) }
            let native = unsafe gnutls_x509_crt_get_name_constraints(path[depth].handle, constraints, 0, nil)
            if native == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE { continue }
            for below in 0..<depth where below == 0 || !path[below].isSelfIssued {
                let fits =
                    native >= 0
                    && Self.constrainedNames.allSatisfy {
                        unsafe gnutls_x509_name_constraints_check_crt(constraints, $0, path[below].handle) != 0
                    }
                if !fits { add(.nameConstraintViolation, below) }
            }
        }
    }

    private static let constrainedNames = [
        GNUTLS_SAN_DNSNAME, GNUTLS_SAN_RFC822NAME, GNUTLS_SAN_DN, GNUTLS_SAN_URI, GNUTLS_SAN_IPADDRESS,
    ]

    /// Keys of all, and signatures of all but the last, whose own signature nobody relies on.
    private mutating func checkStrength() {
        for (depth, certificate) in path.enumerated() {
            var bits: UInt32 = 0
            let type = unsafe gnutls_x509_crt_get_pk_algorithm(certificate.handle, &bits)
            let level =
                type < 0
                ? GNUTLS_SEC_PARAM_INSECURE
                : gnutls_pk_bits_to_sec_param(gnutls_pk_algorithm_t(rawValue: UInt32(type)), bits)
            var isWeak = level.rawValue < GNUTLS_SEC_PARAM_MEDIUM.rawValue
            if depth < path.count - 1 {
                let signature = unsafe gnutls_x509_crt_get_signature_algorithm(certificate.handle)
                let isSecure =
                    signature > 0
                    && gnutls_sign_is_secure2(
                        gnutls_sign_algorithm_t(rawValue: UInt32(signature)), UInt32(GNUTLS_SIGN_FLAG_SECURE_FOR_CERTS)) != 0
                if !isSecure { isWeak = true }
            }
            if isWeak { add(.weakAlgorithm, depth) }
        }
    }
}
#endif
