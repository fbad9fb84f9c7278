internal import SslBackend
internal import SslValues

/// The rules for a path (RFC 5280 section 6.1), the same on every backend.
struct PathRules {
    /// What the leaf must be good for; nil for anything.
    let purpose: SslPurpose?
    /// When.
    let time: SslInstant
    /// The most certificates above the leaf, self-issued intermediates not counted (as in section 6.1.4 (l)); 0 for no limit.
    let depth: Int
    /// What is required besides.
    let profile: SslCertificateProfile
    /// What may still be spent on name constraints.
    let work: SignatureCache
    /// The common name may be taken for a host name.
    var usesCommonName = false

    /// Every problem of a path, leaf first, but for signatures and revocation. The last certificate is trusted when `isAnchored`.
    func problems(_ path: [CertificateFields], isAnchored: Bool) -> Set<TlsPathProblem> {
        var found: Set<TlsPathProblem> = []
        for (depth, fields) in path.enumerated() {
            func add(_ code: SslErrorCode?) { if let code { found.insert(TlsPathProblem(code, depth: depth)) } }
            add(timeProblem(fields))
            if FraudulentCertificates.contains(fields) { add(.certificateBlacklisted) }
            if !permitsPurpose(fields, isLeaf: depth == 0) { add(.invalidPurpose) }
            // Section 4.2.1.3: at least one bit is set.
            if let usage = fields.keyUsage, usage.isEmpty { add(.malformedCertificate) }
            if fields.criticalExtensions.contains(where: { !Self.understood.contains($0) }) { add(.unhandledCriticalExtension) }
            // The signature of a trusted certificate is relied on by nobody.
            let isAnchor = isAnchored && depth == path.count - 1
            let isWeak =
                !KeyStrength.isStrong(fields.publicKey)
                || !isAnchor && !KeyStrength.isStrong(X509SignatureAlgorithm(der: fields.signatureAlgorithmDer))
            if isWeak { add(.weakAlgorithm) }
            let place = CertificateConformance.Place(
                isLeaf: depth == 0, isAnchor: isAnchor, isServer: purpose == .serverAuthentication)
            add(CertificateConformance(fields, place).problem(profile))
        }
        found.formUnion(authorityProblems(path, isAnchored: isAnchored))
        found.formUnion(nameProblems(path))
        if isAnchored, let problem = CertificatePolicies.problem(path) { found.insert(problem) }
        return found
    }

    /// The extensions that are acted upon and may be critical. Key identifiers and the pointer to deltas may not (sections 4.2.1.1, 4.2.1.2, 4.2.1.15): where
    /// they are, libraries differ, and the stricter one is followed.
    private static let understood: Set<String> = [
        ExtensionOid.keyUsage, ExtensionOid.subjectAlternativeName, ExtensionOid.basicConstraints, ExtensionOid.nameConstraints,
        ExtensionOid.crlDistributionPoints, ExtensionOid.certificatePolicies, ExtensionOid.policyMappings,
        ExtensionOid.policyConstraints, ExtensionOid.extendedKeyUsage, ExtensionOid.inhibitAnyPolicy,
    ]

    private func timeProblem(_ fields: CertificateFields) -> SslErrorCode? {
        if time < fields.notBefore { return .certificateNotYetValid }
        return time > fields.notAfter ? .certificateExpired : nil
    }

    /// Sections 4.2.1.3 and 4.2.1.12: without the extension everything is permitted; anyExtendedKeyUsage permits all. A CA that has extended
    /// key usages can only hand on those.
    private func permitsPurpose(_ fields: CertificateFields, isLeaf: Bool) -> Bool {
        guard let purpose else { return true }
        if let usages = fields.extendedKeyUsage {
            guard usages.contains(purpose.objectIdentifier) || usages.contains("2.5.29.37.0") else { return false }
        }
        // A leaf must be able to sign the handshake or to take part in the key exchange: bits 0, 2 and 4.
        if isLeaf, let usage = fields.keyUsage {
            return !usage.isDisjoint(with: [.digitalSignature, .keyEncipherment, .keyAgreement])
        }
        return true
    }

    /// Section 6.1.4 (k) to (n): CA bit, path length, and the key usage of whoever signs certificates.
    private func authorityProblems(_ path: [CertificateFields], isAnchored: Bool) -> Set<TlsPathProblem> {
        var found: Set<TlsPathProblem> = []
        var following = 0
        for (depth, issuer) in path.enumerated().dropFirst() {
            let constraints = issuer.basicConstraints
            // A trusted root of version 1 cannot say that it is a CA.
            let isOldRoot = issuer.version == 1 && isAnchored && depth == path.count - 1 && issuer.isSelfIssued
            let maySign = issuer.keyUsage?.contains(.certificateSigning) ?? true
            if !(constraints?.isAuthority ?? isOldRoot) || !maySign {
                found.insert(TlsPathProblem(.invalidCaCertificate, depth: depth))
            }
            if let limit = constraints?.pathLength, constraints?.isAuthority == true, following > limit {
                found.insert(TlsPathProblem(.pathLengthExceeded, depth: depth))
            }
            let isLast = depth == path.count - 1
            if self.depth > 0, isLast || !issuer.isSelfIssued, following + 1 > self.depth {
                found.insert(TlsPathProblem(.pathLengthExceeded, depth: depth))
            }
            if !issuer.isSelfIssued { following += 1 }
        }
        return found
    }

    /// Section 6.1.3 (b) and (c): names of every certificate below, but not of self-issued intermediates.
    private func nameProblems(_ path: [CertificateFields]) -> Set<TlsPathProblem> {
        var found: Set<TlsPathProblem> = []
        var names: [Int: NameConstraints.Names] = [:]
        for (depth, issuer) in path.enumerated().dropFirst() {
            guard let value = issuer.extensionValue(ExtensionOid.nameConstraints) else { continue }
            guard let constraints = NameConstraints(value), profile == .path || !constraints.hasLeadingDot else {
                found.insert(TlsPathProblem(.malformedCertificate, depth: depth))
                continue
            }
            for below in 0..<depth where below == 0 || !path[below].isSelfIssued {
                let list = names[below] ?? NameConstraints.Names(path[below], usesCommonName: below == 0 && usesCommonName)
                names[below] = list
                work.comparisons -= constraints.cost(list)
                if work.comparisons < 0 || !constraints.permits(list) {
                    found.insert(TlsPathProblem(.nameConstraintViolation, depth: below))
                }
            }
        }
        return found
    }
}
