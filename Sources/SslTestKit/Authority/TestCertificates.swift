public import SslBackend
internal import SslSockets
public import SslValues

/// Makes the identities of ``TestCertificate``, each once, below one root.
public final class TestCertificates: Sendable {
    /// Who signs.
    public let backend: any TlsBackend
    /// The trusted root.
    public let root: TestAuthority
    /// The intermediate below it that signs most leaves.
    public let intermediate: TestAuthority
    private let made = Lock<[TestCertificate: TestIdentity]>([:])

    /// Makes the root and the intermediate.
    public init(backend: any TlsBackend) throws(SslSocketError) {
        self.backend = backend
        root = try TestAuthority.makeRoot("Test Root", backend: backend)
        intermediate = try root.makeIntermediate("Test Intermediate")
    }

    private static let sets = Lock<[String: TestCertificates]>([:])

    /// The set of the process, signed by the backend of that name, or by the first that can for nil.
    public static func shared(issuedBy backend: String? = nil) throws(SslSocketError) -> TestCertificates {
        let issuer = if let backend { try SslBackends.named(backend) } else { try TestAuthority.issuingBackend() }
        return try sets.withLock { sets throws(SslSocketError) -> TestCertificates in
            if let known = sets[issuer.name] { return known }
            let fresh = try TestCertificates(backend: issuer)
            sets[issuer.name] = fresh
            return fresh
        }
    }

    /// The identity of that kind.
    public func identity(_ kind: TestCertificate) throws(SslSocketError) -> TestIdentity {
        if let known = made.withLock({ $0[kind] }) { return known }
        // Not made under the lock, for one kind may need another. Two threads may make the same; the first one counts.
        let fresh = try make(kind)
        return made.withLock { made in
            if let known = made[kind] { return known }
            made[kind] = fresh
            return fresh
        }
    }

    private func make(_ kind: TestCertificate) throws(SslSocketError) -> TestIdentity {
        switch kind {
        case .valid, .rsa, .ed25519, .p384UnderRsa, .client: try makeGood(kind)
        case .expired, .notYetValid, .expiredIntermediate, .expiredWrongNameUntrusted, .expiredClient: try makeUntimely(kind)
        case .wrongName, .wildcard, .partialWildcard, .topLevelWildcard, .ipAddress, .ipv6Address, .ipInDnsName, .commonNameOnly,
            .emailOnly, .internationalName, .upperCaseName:
            try makeNamed(kind)
        case .missingIntermediate, .untrusted, .untrustedWithRoot, .untrustedClient, .selfSigned, .nothingTrusted,
            .intermediateAnchor, .leafAnchor, .outOfOrder, .duplicateLeaf, .unrelatedExtra, .redundantRoot:
            try makeChained(kind)
        case .crossSigned, .crossSignedOldRoot, .cycle, .longChain, .tooLongChain: try makeWinding(kind)
        case .clientOnly, .serverOnlyClient, .anyUsage, .mustStaple, .certificateSigningOnly, .issuerNotAuthority,
            .issuerCannotSign,
            .pathLength, .nameConstraint, .sha1, .weakKey:
            try makeConstrained(kind)
        }
    }

    // MARK: Families

    static let clientUsage = [SslPurpose.clientAuthentication.objectIdentifier]
    static let past = SslInstant.now.adding(days: -60)...SslInstant.now.adding(days: -30)
    static let future = SslInstant.now.adding(days: 1)...SslInstant.now.adding(days: 30)

    private func makeGood(_ kind: TestCertificate) throws(SslSocketError) -> TestIdentity {
        switch kind {
        case .rsa: try intermediate.issue(TestAuthority.Leaf(keyKind: .rsa(bits: 2048)))
        case .ed25519: try intermediate.issue(TestAuthority.Leaf(keyKind: .ed25519))
        case .p384UnderRsa:
            try TestAuthority.makeRoot("Test RSA Root", key: .rsa(bits: 2048), backend: backend)
                .issue(TestAuthority.Leaf(keyKind: .ec(.secp384r1)))
        case .client: try intermediate.issue(TestAuthority.Leaf(commonName: "Test Client", names: [], usages: Self.clientUsage))
        default: try intermediate.issue()
        }
    }

    private func makeUntimely(_ kind: TestCertificate) throws(SslSocketError) -> TestIdentity {
        switch kind {
        case .notYetValid: return try intermediate.issue(TestAuthority.Leaf(validity: Self.future))
        case .expiredIntermediate:
            return try root.makeIntermediate("Test Expired Intermediate", validity: Self.past).issue()
        case .expiredWrongNameUntrusted:
            var identity = try foreign().issue(
                TestAuthority.Leaf(names: [.dns(Array("other.example.test".utf8))], validity: Self.past))
            identity.anchors = [root.certificate]
            return identity
        case .expiredClient:
            return try intermediate.issue(
                TestAuthority.Leaf(commonName: "Test Client", names: [], usages: Self.clientUsage, validity: Self.past))
        default: return try intermediate.issue(TestAuthority.Leaf(validity: Self.past))
        }
    }

    private func makeNamed(_ kind: TestCertificate) throws(SslSocketError) -> TestIdentity {
        func dns(_ name: String) -> [SslAlternativeName] { [.dns(Array(name.utf8))] }
        let host = TestIdentity.defaultHost
        switch kind {
        case .wildcard: return try intermediate.issue(TestAuthority.Leaf(names: dns("*.example.test")))
        case .partialWildcard: return try intermediate.issue(TestAuthority.Leaf(names: dns("serv*.example.test")))
        case .topLevelWildcard: return try intermediate.issue(TestAuthority.Leaf(names: dns("*.test")), host: "example.test")
        case .ipAddress:
            return try intermediate.issue(TestAuthority.Leaf(names: [.ipAddress([192, 0, 2, 1])]), host: "192.0.2.1")
        case .ipv6Address:
            let octets: [UInt8] = [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [1]
            return try intermediate.issue(TestAuthority.Leaf(names: [.ipAddress(octets)]), host: "2001:db8::1")
        case .ipInDnsName:
            return try intermediate.issue(TestAuthority.Leaf(commonName: "192.0.2.1", names: dns("192.0.2.1")), host: "192.0.2.1")
        case .commonNameOnly: return try intermediate.issue(TestAuthority.Leaf(commonName: host, names: []))
        case .emailOnly:
            return try intermediate.issue(
                TestAuthority.Leaf(commonName: host, names: [.email(Array("postmaster@example.test".utf8))]))
        case .internationalName:
            return try intermediate.issue(
                TestAuthority.Leaf(names: dns("xn--bcher-kva.example.test")), host: "xn--bcher-kva.example.test")
        case .upperCaseName: return try intermediate.issue(TestAuthority.Leaf(names: dns("SERVER.Example.TEST")))
        default: return try intermediate.issue(TestAuthority.Leaf(names: dns("other.example.test")))
        }
    }

    /// An authority that nobody trusts.
    func foreign() throws(SslSocketError) -> TestAuthority {
        try TestAuthority.makeRoot("Foreign Root", backend: backend).makeIntermediate("Foreign Intermediate")
    }

    private func makeChained(_ kind: TestCertificate) throws(SslSocketError) -> TestIdentity {
        var identity = try intermediate.issue()
        switch kind {
        case .missingIntermediate: identity.chain = [identity.chain[0]]
        case .untrusted, .untrustedWithRoot:
            identity = try foreign().issue()
            if kind == .untrustedWithRoot { identity.chain += identity.anchors }
            identity.anchors = [root.certificate]
        case .untrustedClient:
            identity = try foreign().issue(TestAuthority.Leaf(commonName: "Test Client", names: [], usages: Self.clientUsage))
            identity.anchors = [root.certificate]
        case .selfSigned: identity = try selfSigned()
        case .nothingTrusted: identity.anchors = []
        case .intermediateAnchor: identity.anchors = [intermediate.certificate]
        case .leafAnchor: identity.anchors = [identity.chain[0]]
        case .outOfOrder: identity.chain = [identity.chain[0], root.certificate, intermediate.certificate]
        case .duplicateLeaf: identity.chain.insert(identity.chain[0], at: 1)
        case .unrelatedExtra: identity.chain.insert(try foreign().certificate, at: 1)
        default: identity.chain.append(root.certificate)
        }
        return identity
    }

    private func selfSigned() throws(SslSocketError) -> TestIdentity {
        let key = try TestKeys.key(.ec(.secp256r1), "leaf", backend: backend)
        let validity = root.validity
        var template = SslCertificateTemplate(
            subject: TestAuthority.name("Test Server"), serialNumber: TestAuthority.nextSerial(), notBefore: validity.lowerBound,
            notAfter: validity.upperBound)
        template.alternativeNames = [.dns(Array(TestIdentity.defaultHost.utf8))]
        template.keyUsage = .digitalSignature
        let certificate = try CertificateWriter.issue(template, key: key, issuer: nil)
        return TestIdentity(
            chain: [certificate], key: try SslKey(key.pkcs8(), format: .der, backend: backend.name), anchors: [root.certificate])
    }

    private func makeWinding(_ kind: TestCertificate) throws(SslSocketError) -> TestIdentity {
        switch kind {
        case .longChain, .tooLongChain:
            var authority = root
            for level in 1...(kind == .longChain ? 8 : 18) { authority = try authority.makeIntermediate("Test Level \(level)") }
            return try authority.issue()
        case .cycle:
            // First issued Second and Second issued First: nobody above them.
            let first = try TestAuthority.makeRoot("Test Cycle First", backend: backend)
            let second = try TestAuthority.makeRoot("Test Cycle Second", backend: backend)
            let firstBySecond = try second.makeIntermediate("Test Cycle First")
            let secondByFirst = try first.makeIntermediate("Test Cycle Second")
            var identity = try first.issue()
            identity.chain = [identity.chain[0], firstBySecond.certificate, secondByFirst.certificate]
            identity.anchors = [root.certificate]
            return identity
        default:
            let old = try TestAuthority.makeRoot("Test Old Root", backend: backend, validity: Self.past)
            let new = try TestAuthority.makeRoot("Test New Root", backend: backend)
            let cross = try old.makeIntermediate("Test New Root")
            var identity = try new.makeIntermediate("Test Lower Authority").issue()
            identity.chain.append(cross.certificate)
            identity.anchors = kind == .crossSigned ? [old.certificate, new.certificate] : [old.certificate]
            return identity
        }
    }

    private func makeConstrained(_ kind: TestCertificate) throws(SslSocketError) -> TestIdentity {
        switch kind {
        case .clientOnly: return try intermediate.issue(TestAuthority.Leaf(usages: Self.clientUsage))
        case .serverOnlyClient: return try intermediate.issue(TestAuthority.Leaf(commonName: "Test Client"))
        case .anyUsage: return try intermediate.issue(TestAuthority.Leaf(usages: ["2.5.29.37.0"]))
        case .mustStaple:
            // TLSFeature with status_request, 5.
            return try intermediate.issue {
                $0.extensions = [
                    SslCertificateExtension(oid: "1.3.6.1.5.5.7.1.24", isCritical: false, value: [0x30, 3, 2, 1, 5])
                ]
            }
        case .certificateSigningOnly: return try intermediate.issue { $0.keyUsage = .certificateSigning }
        case .issuerNotAuthority:
            return try root.makeIntermediate("Test Not Authority") {
                $0.basicConstraints = SslBasicConstraints(isAuthority: false)
            }.issue()
        case .issuerCannotSign: return try root.makeIntermediate("Test Cannot Sign") { $0.keyUsage = .digitalSignature }.issue()
        case .pathLength:
            return try root.makeIntermediate("Test Last Authority", pathLength: 0).makeIntermediate("Test One Too Many").issue()
        case .nameConstraint:
            return try root.makeIntermediate("Test Constrained") {
                $0.extensions = [NameConstraints.permitting(domain: "example.org")]
            }.issue()
        case .sha1: return try intermediate.issue { $0.hash = .sha1 }
        default: return try intermediate.issue(TestAuthority.Leaf(), key: TestKeys.weakKey(backend: backend))
        }
    }
}
