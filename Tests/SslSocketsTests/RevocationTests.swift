internal import SslBackend
internal import SslSockets
internal import SslTestKit
internal import Testing

/// Revocation lists beyond what the scenarios of the comparison show, on every backend.
@Suite("Revocation lists")
struct RevocationTests {
    /// Judges a leaf below a root by lists; the same on every backend.
    private static func problems(
        _ identity: TestIdentity, _ lists: [[UInt8]], extra: [[UInt8]] = [], change: (inout SslConfiguration) -> Void = { _ in }
    ) throws -> [String] {
        var first: [String]?
        for backend in SslBackends.available {
            var configuration = try identity.trustingConfiguration(backend: backend)
            configuration.certificateRevocationLists = try lists.map { try SslRevocationList(der: $0) }
            change(&configuration)
            let chain = try (identity.chain + extra).map { try SslCertificate(der: $0, backend: backend) }
            let errors = try SslCertificate.verify(chain, configuration: configuration).map { "\($0.code)@\($0.depth)" }
            if let first { #expect(first == errors, "\(backend)") }
            first = first ?? errors
        }
        return first ?? []
    }

    private static func serial(_ der: [UInt8]) throws -> [UInt8] { try CertificateFields(der).serialNumber }

    /// An issuing distribution point of these fields.
    private static func scope(_ fields: [UInt8]...) -> SslCertificateExtension {
        SslCertificateExtension(
            oid: ExtensionOid.issuingDistributionPoint, isCritical: true, value: Der.element(0x30, fields.flatMap { $0 }))
    }

    @Test("A list says what stands in it")
    func values() throws {
        let root = try TestAuthority.makeRoot("List Root")
        var template = TestRevocationList([[1], [2]])
        template.baseNumber = 1
        let der = try root.revocationList(template)
        let list = try SslRevocationList(der: der)
        #expect(list.der == der && list.count == 2 && list.isDelta)
        #expect(list.issuer == TestAuthority.name("List Root"))
        #expect(list.thisUpdate == template.thisUpdate && list.nextUpdate == template.nextUpdate)
        #expect(try SslRevocationList(pem: list.pem) == list)
        #expect(try SslRevocationList.revocationLists(Array((list.pem + list.pem).utf8)).count == 2)
        #expect(throws: SslSocketError.self) { try SslRevocationList(pem: "nothing") }
        #expect(throws: SslSocketError.self) { try SslRevocationList(der: der + [0]) }
    }

    @Test("Whoever wears the verifier out does not get a revoked certificate past a list")
    func wornOut() throws {
        let root = try TestAuthority.makeRoot("Worn Root")
        let identity = try root.issue()
        let list = try root.revocationList(TestRevocationList([Self.serial(identity.chain[0])]))
        // Each may have issued the leaf, as far as names tell.
        let others = try (0..<300).map { number in
            try TestAuthority.makeRoot("Worn Root", key: .ec(.secp384r1)) { template in
                template.hasKeyIdentifiers = false
                template.serialNumber = [1, UInt8(number >> 8), UInt8(number & 255)]
            }.certificate
        }
        #expect(try Self.problems(identity, [list]) { $0.revocationPolicy = .listed } == ["certificateRevoked@0"])
        let worn = try Self.problems(identity, [list], extra: others) { $0.revocationPolicy = .listed }
        #expect(worn == ["certificateRevoked@0"] || worn == ["certificateStatusUnknown@0"], "\(worn)")
    }

    @Test("A delta adds to its list and takes back, and is nothing without it")
    func deltas() throws {
        let root = try TestAuthority.makeRoot("Delta Root")
        let identity = try root.issue()
        let serial = try Self.serial(identity.chain[0])
        var base = TestRevocationList()
        base.number = 5
        var delta = TestRevocationList([serial])
        delta.number = 6
        delta.baseNumber = 5
        let plain = try root.revocationList(base)
        #expect(try Self.problems(identity, [plain, root.revocationList(delta)]) == ["certificateRevoked@0"])
        #expect(try Self.problems(identity, [root.revocationList(delta)]) == ["certificateStatusUnknown@0"])
        // A delta for a later list completes no earlier one.
        delta.baseNumber = 6
        #expect(try Self.problems(identity, [plain, root.revocationList(delta)]) == [])
        // Taken back: removeFromCRL.
        base.serialNumbers = [serial]
        base.reason = 6
        delta.baseNumber = 5
        delta.reason = 8
        #expect(try Self.problems(identity, [root.revocationList(base)]) == ["certificateRevoked@0"])
        #expect(try Self.problems(identity, [root.revocationList(base), root.revocationList(delta)]) == [])
    }

    @Test("Lists for some reasons prove a certificate good only together")
    func reasons() throws {
        let root = try TestAuthority.makeRoot("Reason Root")
        let identity = try root.issue()
        var some = TestRevocationList()
        // onlySomeReasons [3]: keyCompromise and cACompromise; then all others.
        some.extensions = [Self.scope([0x83, 2, 5, 0x60])]
        var others = TestRevocationList()
        others.extensions = [Self.scope([0x83, 3, 7, 0x1F, 0x80])]
        let lists = try [root.revocationList(some), root.revocationList(others)]
        #expect(try Self.problems(identity, [lists[0]]) == ["certificateStatusUnknown@0"])
        #expect(try Self.problems(identity, lists) == [])
    }

    @Test("A list may be signed with a key of its own, if its certificate is good")
    func separateSigner() throws {
        let root = try TestAuthority.makeRoot("Signer Root")
        let authority = try root.makeIntermediate("Signer Authority") { $0.keyUsage = .certificateSigning }
        let key = try root.backend.generateKey(.ec(.secp256r1))
        func signer(_ usage: SslKeyUsage) throws -> [UInt8] {
            var template = SslCertificateTemplate(
                subject: TestAuthority.name("Signer Authority"), serialNumber: [7, 7], notBefore: root.validity.lowerBound,
                notAfter: root.validity.upperBound)
            template.keyUsage = usage
            return try CertificateWriter.issue(template, key: key, issuer: (root.certificate, root.key))
        }
        let identity = try authority.issue()
        let good = try signer(.crlSigning)
        var template = TestRevocationList()
        template.extensions = []
        let list = try authority.revocationList(template, signer: key)
        let rootList = try root.revocationList()
        #expect(try Self.problems(identity, [rootList, list], extra: [good]) == [])
        // Without its certificate, without the right to sign lists, or when it is itself revoked, it proves nothing.
        #expect(try Self.problems(identity, [rootList, list]) == ["certificateStatusUnknown@0"])
        #expect(
            try Self.problems(identity, [rootList, list], extra: [signer(.digitalSignature)]) == ["certificateStatusUnknown@0"])
        let revoking = try root.revocationList(TestRevocationList([[7, 7]]))
        #expect(try Self.problems(identity, [revoking, list], extra: [good]) == ["certificateStatusUnknown@0"])
    }

    @Test("A list without a number is for private authorities only")
    func number() throws {
        let root = try TestAuthority.makeRoot("Number Root")
        let identity = try root.issue()
        var template = TestRevocationList()
        template.number = nil
        let list = try root.revocationList(template)
        #expect(try Self.problems(identity, [list]) == [])
        #expect(try Self.problems(identity, [list]) { $0.certificateProfile = .rfc5280 } == ["certificateStatusUnknown@0"])
    }

    @Test("The policy says who needs a list")
    func policies() throws {
        let root = try TestAuthority.makeRoot("Policy Root")
        let identity = try root.makeIntermediate("Policy Authority").issue()
        func ask(_ policy: SslRevocationPolicy) throws -> [String] {
            try Self.problems(identity, []) {
                #expect($0.revocationPolicy == .automatic)
                $0.revocationPolicy = policy
                #expect($0.revocationPolicy == policy)
            }
        }
        #expect(try ask(.automatic) == [])
        #expect(try ask(.off) == [])
        #expect(try ask(.listed) == [])
        #expect(try ask(.leaf) == ["certificateStatusUnknown@0"])
        #expect(try ask(.chain) == ["certificateStatusUnknown@0", "certificateStatusUnknown@1"])
    }

    @Test("A list of an issuer of another name says nothing, whatever serial numbers it has")
    func otherIssuer() throws {
        let root = try TestAuthority.makeRoot("Own Root")
        let identity = try root.issue()
        let other = try TestAuthority.makeRoot("Other Root")
        let foreign = try other.revocationList(TestRevocationList([Self.serial(identity.chain[0])]))
        #expect(try Self.problems(identity, [foreign]) == ["certificateStatusUnknown@0"])
        #expect(try Self.problems(identity, [foreign, root.revocationList()]) == [])
    }
}
