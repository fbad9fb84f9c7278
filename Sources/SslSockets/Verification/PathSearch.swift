internal import SslBackend
internal import SslValues

/// Looks for a path from a leaf to a trusted certificate, and tries the alternatives until one is acceptable (RFC 4158).
///
/// A peer chooses the certificates, so the work is bounded: 16 certificates a path, 48 judged paths, 1024 steps and 256 signatures. Where there is
/// only one issuer to go on with, its signature is left to the library's verdict on the whole path.
struct PathSearch {
    /// At most so many certificates make a path.
    static let longest = 16
    static let mostPaths = 48
    static let mostSteps = 1024
    static let mostSignatures = 256

    /// What was found: the first path without a problem, else the trusted one with the fewest, else the longest that is not trusted.
    struct Found {
        /// Leaf first. Ends with the trusted certificate when ``isAnchored``, otherwise with the last that could be linked.
        var path: [LazyCertificate]
        var isAnchored: Bool
        var problems: Set<TlsPathProblem>
    }

    private let store: any TlsTrustStore
    private let offered: [[UInt8]: [LazyCertificate]]
    private let time: SslInstant
    /// What is wrong with a path that ends in a trusted certificate, or with one that does not.
    private let judge: (_ path: [LazyCertificate], _ isAnchored: Bool) -> Set<TlsPathProblem>
    private var signatures: SignatureCache
    private var best: Found?
    private var longestLoose: [LazyCertificate] = []
    private var paths = 0
    private var steps = 0

    /// A search over the trusted certificates and those the peer sent besides its own.
    init(
        store: any TlsTrustStore, offered: [LazyCertificate], time: SslInstant, signatures: SignatureCache,
        judge: @escaping (_ path: [LazyCertificate], _ isAnchored: Bool) -> Set<TlsPathProblem>
    ) {
        self.store = store
        self.time = time
        self.judge = judge
        self.signatures = signatures
        self.offered = TrustStore.Index(offered).places
    }

    /// Searches from a leaf.
    mutating func find(from leaf: LazyCertificate) -> Found {
        if extend([leaf]), let best { return best }
        if let best { return best }
        let loose = longestLoose.isEmpty ? [leaf] : longestLoose
        let depth = loose.count - 1
        let missing: SslErrorCode =
            switch (loose[depth].fields.isSelfIssued, depth) {
            case (true, 0): .selfSignedCertificate
            case (true, _): .selfSignedCertificateInChain
            // The issuer may be there, but the path would be too long with it.
            case (false, Self.longest - 1): .pathLengthExceeded
            case (false, _): .unableToGetLocalIssuerCertificate
            }
        var problems = judge(loose, false)
        problems.insert(TlsPathProblem(missing, depth: depth))
        return Found(path: loose, isAnchored: false, problems: problems)
    }

    /// Goes on from the end of `path`; true when a path without a problem was found.
    private mutating func extend(_ path: [LazyCertificate]) -> Bool {
        steps += 1
        guard let last = path.last, steps <= Self.mostSteps, paths < Self.mostPaths else { return false }
        let same = store.anchors(named: last.fields.canonicalSubject, encoded: last.fields.subjectDer)
        if same.contains(where: { $0.fields.der == last.fields.der }) { return finish(path) }
        if path.count > longestLoose.count { longestLoose = path }
        guard path.count < Self.longest else { return false }
        for issuer in issuers(of: last, path) where extend(path + [issuer]) { return true }
        return false
    }

    /// The certificates that may have issued the last of a path: trusted ones first, then those valid now.
    private mutating func issuers(of last: LazyCertificate, _ path: [LazyCertificate]) -> [LazyCertificate] {
        let name = last.fields.canonicalIssuer
        let anchors = store.anchors(named: name, encoded: last.fields.issuerDer).filter {
            Self.mayIssue($0.fields, last.fields, path)
        }
        // The same name and key once more leads nowhere that the first did not (RFC 4158 section 2.4.2).
        let others = (offered[name] ?? []).filter { candidate in
            Self.mayIssue(candidate.fields, last.fields, path)
                && !path.contains {
                    $0.fields.canonicalSubject == name && $0.fields.publicKeyInfo == candidate.fields.publicKeyInfo
                }
                && !anchors.contains { $0.fields.der == candidate.fields.der }
        }
        let all = validFirst(anchors) + validFirst(others)
        guard all.count > 1 else { return all }
        let signers = all.filter { signatures.isSigned(last.fields, by: $0.fields, backend: store.backend) }
        // None has signed it: the first is to blame for a bad signature.
        return signers.isEmpty ? Array(all.prefix(1)) : signers
    }

    private func validFirst(_ list: [LazyCertificate]) -> [LazyCertificate] {
        guard list.count > 1 else { return list }
        func isValid(_ one: LazyCertificate) -> Bool { one.fields.notBefore <= time && time <= one.fields.notAfter }
        return list.filter(isValid) + list.filter { !isValid($0) }
    }

    /// Key identifiers fit where both sides have them, and the certificate is not on the path yet: a cycle would never end.
    private static func mayIssue(_ issuer: CertificateFields, _ subject: CertificateFields, _ path: [LazyCertificate]) -> Bool {
        guard !path.contains(where: { $0.fields.der == issuer.der }) else { return false }
        guard let authority = subject.authority else { return true }
        if let wanted = authority.keyIdentifier, let there = issuer.subjectKeyIdentifier, wanted != there { return false }
        if let serial = authority.serialNumber, let names = authority.canonicalIssuers {
            return serial == issuer.serialNumber && names.contains(issuer.canonicalIssuer)
        }
        return true
    }

    private mutating func finish(_ path: [LazyCertificate]) -> Bool {
        paths += 1
        let problems = judge(path, true)
        if best == nil || problems.count < (best?.problems.count ?? 0) {
            best = Found(path: path, isAnchored: true, problems: problems)
        }
        return problems.isEmpty
    }
}

/// Which certificates have signed which certificates and lists, asked of the library once for each pair; and how much has been spent. A peer
/// chooses what is looked at, so nothing here is without limit, whatever the number of paths.
final class SignatureCache {
    private struct Pair: Hashable {
        let subject: ObjectIdentifier
        let issuer: ObjectIdentifier
    }
    private var known: [Pair: Bool] = [:]
    /// A signature was not checked because too many had been: whatever seems unsigned since then may be signed.
    private(set) var isExhausted = false
    /// How many comparisons of names with constraints are left.
    var comparisons = NameConstraints.mostComparisons

    /// Whether `issuer` has signed `subject`; false as well when too many signatures have been checked.
    func isSigned(_ subject: CertificateFields, by issuer: CertificateFields, backend: any TlsBackend) -> Bool {
        ask(subject, issuer, backend) {
            X509SignatureAlgorithm(der: subject.signatureAlgorithmDer).map {
                X509Signature(
                    signedOctets: subject.signedOctets, algorithm: $0, signature: subject.signature,
                    publicKeyInfo: issuer.publicKeyInfo)
            }
        }
    }

    /// Whether `issuer` has signed `list`; false as well when too many signatures have been checked.
    func isSigned(_ list: RevocationList, by issuer: CertificateFields, backend: any TlsBackend) -> Bool {
        ask(list, issuer, backend) {
            list.algorithm.map {
                X509Signature(
                    signedOctets: list.signedOctets, algorithm: $0, signature: list.signature, publicKeyInfo: issuer.publicKeyInfo
                )
            }
        }
    }

    private func ask(
        _ subject: AnyObject, _ issuer: CertificateFields, _ backend: any TlsBackend, _ question: () -> X509Signature?
    ) -> Bool {
        let pair = Pair(subject: ObjectIdentifier(subject), issuer: ObjectIdentifier(issuer))
        if let answer = known[pair] { return answer }
        guard known.count < PathSearch.mostSignatures else {
            isExhausted = true
            return false
        }
        guard let question = question() else { return false }
        let answer = backend.isValid(question)
        known[pair] = answer
        return answer
    }
}
