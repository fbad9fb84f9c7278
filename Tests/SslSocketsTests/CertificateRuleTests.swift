import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

/// A certificate taken apart, changed in ways that no library issues, and signed anew.
struct RemadeCertificate {
    var version: [UInt8]
    var serial: [UInt8]
    var algorithm: [UInt8]
    /// The one outside of what is signed.
    var outerAlgorithm: [UInt8]
    var issuer: [UInt8]
    var validity: [UInt8]
    var subject: [UInt8]
    var key: [UInt8]
    var extensions: [SslCertificateExtension]
    var isDamaged = false

    init(_ der: [UInt8]) throws {
        let fields = try CertificateFields(der)
        let content = DerReader.only(DerTag.sequence, fields.signedOctets)
        var reader = DerReader(try #require(content))
        func next() throws -> [UInt8] {
            let element = reader.next()
            return Array(try #require(element).whole)
        }
        version = try next()
        serial = try next()
        algorithm = try next()
        issuer = try next()
        validity = try next()
        subject = try next()
        key = try next()
        outerAlgorithm = algorithm
        extensions = fields.extensions
    }

    func signed(by signer: any TlsKey) throws -> [UInt8] {
        var content = version + serial + algorithm + issuer + validity + subject + key
        if !extensions.isEmpty {
            let list = extensions.flatMap { Der.extension($0.oid, isCritical: $0.isCritical, $0.value) }
            content += Der.element(0xA3, Der.sequence(list))
        }
        let signedOctets = Der.sequence(content)
        let digest = signer.backend.digest(signedOctets, .sha256)
        var signature = try signer.sign(hashed: try #require(digest), by: .ecdsa(.sha256))
        if isDamaged, let last = signature.indices.last { signature[last] ^= 1 }
        return Der.sequence(signedOctets, outerAlgorithm, Der.element(0x03, [0] + signature))
    }

    /// Puts another extension in the place of the one with its identifier.
    mutating func set(_ oid: String, isCritical: Bool, _ value: [UInt8]? = nil) {
        let old = extensions.firstIndex { $0.oid == oid }
        let octets = value ?? old.map { extensions[$0].value } ?? []
        let fresh = SslCertificateExtension(oid: oid, isCritical: isCritical, value: octets)
        if let old { extensions[old] = fresh } else { extensions.append(fresh) }
    }

    mutating func makeOld() {
        version = []
        extensions = []
    }
}

/// What each certificate of a path has to be like, tried with certificates that differ from a good one in one thing.
@Suite("Rules for certificates")
struct CertificateRuleTests {
    struct Oddity: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let depth: Int
        /// What each profile says, in the order path, rfc5280, webPki.
        let problems: [[String]]
        let change: @Sendable (inout RemadeCertificate) -> Void
        var purpose: SslPurpose? = .serverAuthentication

        init(
            _ text: String, depth: Int, _ problems: [[String]],
            _ change: @escaping @Sendable (inout RemadeCertificate) -> Void
        ) {
            testDescription = text
            self.depth = depth
            self.problems = problems
            self.change = change
        }

        func forAnything() -> Oddity {
            var copy = self
            copy.purpose = nil
            return copy
        }
    }

    private static func always(_ problem: String) -> [[String]] { [[problem], [problem], [problem]] }
    private static let never: [[String]] = [[], [], []]
    private static func malformed(_ depth: Int, from profile: SslCertificateProfile) -> [[String]] {
        let bad = ["malformedCertificate@\(depth)"]
        return switch profile {
        case .path: [bad, bad, bad]
        case .rfc5280: [[], bad, bad]
        case .webPki: [[], [], bad]
        }
    }
    /// By every profile, and malformed by the stricter ones.
    private static func unhandled(_ depth: Int) -> [[String]] {
        let both = ["malformedCertificate@\(depth)", "unhandledCriticalExtension@\(depth)"]
        return [["unhandledCriticalExtension@\(depth)"], both, both]
    }
    private static func names(_ list: [UInt8]...) -> [UInt8] { Der.sequence(list.flatMap { $0 }) }
    private static func dns(_ text: String) -> [UInt8] { Der.element(0x82, Array(text.utf8)) }
    private static func usages(_ oids: String...) -> [UInt8] { Der.sequence(oids.flatMap { Der.oid($0) }) }
    private static func commonName(_ text: String) -> [UInt8] {
        Der.element(0x31, Der.sequence(Der.oid("2.5.4.3"), Der.element(0x0C, Array(text.utf8))))
    }
    private static let point = Der.sequence(
        Der.element(0xA0, Der.element(0xA0, Der.element(0x86, Array("http://example.test/".utf8)))))
    private static let serial: [UInt8] = [0x55, 1]
    private static let server = SslPurpose.serverAuthentication.objectIdentifier

    static let oddities: [Oddity] = [
        Oddity("nothing odd", depth: 0, never) { _ in },
        // Signatures.
        Oddity("a leaf with a wrong signature", depth: 0, always("certificateSignatureFailed@0")) { $0.isDamaged = true },
        Oddity("an intermediate with a wrong signature", depth: 1, always("certificateSignatureFailed@1")) {
            $0.isDamaged = true
        },
        Oddity("a trusted certificate's own signature is not looked at", depth: 2, never) { $0.isDamaged = true },
        Oddity("another algorithm inside than outside", depth: 0, always("malformedCertificate@0")) {
            $0.algorithm = Der.sequence(Der.oid("1.2.840.10045.4.3.3"))
        },
        // Authorities of old.
        Oddity("a root of version 1", depth: 2, [[], [], ["malformedCertificate@2"]]) { $0.makeOld() },
        Oddity(
            "an intermediate of version 1", depth: 1,
            [
                ["invalidCaCertificate@1"], ["malformedCertificate@1", "invalidCaCertificate@1"],
                ["malformedCertificate@1", "invalidCaCertificate@1"],
            ]
        ) { $0.makeOld() },
        // Serial numbers.
        Oddity("serial number 0", depth: 0, malformed(0, from: .rfc5280)) { $0.serial = Der.integer([0]) },
        Oddity("a negative serial number", depth: 0, malformed(0, from: .rfc5280)) { $0.serial = Der.integer([0x80]) },
        Oddity("a serial number of 21 octets", depth: 0, malformed(0, from: .rfc5280)) {
            $0.serial = Der.integer([UInt8](repeating: 1, count: 21))
        },
        Oddity("serial number 0 of a trusted root", depth: 2, never) { $0.serial = Der.integer([0]) },
        // Names.
        Oddity("no subject, and alternative names that may be overlooked", depth: 0, malformed(0, from: .rfc5280)) {
            $0.subject = Der.sequence()
        },
        Oddity("no subject, and critical alternative names", depth: 0, never) {
            $0.subject = Der.sequence()
            $0.set(ExtensionOid.subjectAlternativeName, isCritical: true)
        },
        Oddity("an address of five octets", depth: 0, malformed(0, from: .rfc5280)) {
            $0.set(
                ExtensionOid.subjectAlternativeName, isCritical: false,
                names(dns(TestIdentity.defaultHost), Der.element(0x87, [1, 2, 3, 4, 5])))
        },
        Oddity("an empty DNS name", depth: 0, always("malformedCertificate@0")) {
            $0.set(ExtensionOid.subjectAlternativeName, isCritical: false, names(dns(TestIdentity.defaultHost), dns("")))
        },
        Oddity("a DNS name that ends with a dot", depth: 0, malformed(0, from: .rfc5280)) {
            $0.set(
                ExtensionOid.subjectAlternativeName, isCritical: false, names(dns(TestIdentity.defaultHost), dns("example.test."))
            )
        },
        Oddity("a wildcard inside a name", depth: 0, malformed(0, from: .rfc5280)) {
            $0.set(
                ExtensionOid.subjectAlternativeName, isCritical: false,
                names(dns(TestIdentity.defaultHost), dns("a.*.example.test")))
        },
        Oddity("a wildcard as the first label", depth: 0, never) {
            $0.set(
                ExtensionOid.subjectAlternativeName, isCritical: false,
                names(dns(TestIdentity.defaultHost), dns("*.example.test")))
        },
        // Times.
        Oddity("a year before 2050 with four digits, which systems must take", depth: 0, never) {
            $0.validity = Der.sequence(
                Der.element(0x18, Array("20200101000000Z".utf8)), Der.element(0x18, Array("20491231235959Z".utf8)))
        },
        Oddity("a year beyond 2049", depth: 0, never) {
            $0.validity = Der.sequence(
                Der.element(0x17, Array("200101000000Z".utf8)), Der.element(0x18, Array("20500101000000Z".utf8)))
        },
        // Criticality.
        Oddity("a critical subject key identifier", depth: 1, unhandled(1)) {
            $0.set(ExtensionOid.subjectKeyIdentifier, isCritical: true)
        },
        Oddity("a critical authority key identifier", depth: 0, unhandled(0)) {
            $0.set(ExtensionOid.authorityKeyIdentifier, isCritical: true)
        },
        Oddity("a critical pointer to deltas", depth: 0, unhandled(0)) {
            $0.set(ExtensionOid.freshestCrl, isCritical: true, Der.sequence(point))
        },
        Oddity("critical distribution points", depth: 0, never) {
            $0.set(ExtensionOid.crlDistributionPoints, isCritical: true, Der.sequence(point))
        },
        Oddity("critical policies and limits to them", depth: 1, never) {
            $0.set(ExtensionOid.certificatePolicies, isCritical: true, Der.sequence(Der.sequence(Der.oid("1.2.3.4"))))
            $0.set(
                ExtensionOid.policyMappings, isCritical: true, Der.sequence(Der.sequence(Der.oid("1.2.3.4"), Der.oid("1.2.3.5"))))
            $0.set(ExtensionOid.policyConstraints, isCritical: true, Der.sequence(Der.element(0x80, [9])))
            $0.set(ExtensionOid.inhibitAnyPolicy, isCritical: true, [2, 1, 9])
        },
        Oddity("critical access information", depth: 0, unhandled(0)) {
            $0.set(
                ExtensionOid.authorityInformationAccess, isCritical: true,
                Der.sequence(
                    Der.sequence(Der.oid("1.3.6.1.5.5.7.48.1"), Der.element(0x86, Array("http://example.test/".utf8)))))
        },
        Oddity("a critical demand for a staple", depth: 0, always("unhandledCriticalExtension@0")) {
            $0.set("1.3.6.1.5.5.7.1.24", isCritical: true, [0x30, 3, 2, 1, 5])
        },
        Oddity("basic constraints of an authority that are not critical", depth: 1, malformed(1, from: .rfc5280)) {
            $0.set(ExtensionOid.basicConstraints, isCritical: false)
        },
        Oddity("an inhibition of any policy that is not critical", depth: 1, malformed(1, from: .rfc5280)) {
            $0.set(ExtensionOid.inhibitAnyPolicy, isCritical: false, [2, 1, 0])
        },
        Oddity("policy constraints that are not critical are left to authorities", depth: 1, never) {
            $0.set(ExtensionOid.policyConstraints, isCritical: false, Der.sequence(Der.element(0x80, [9])))
        },
        // Usages and constraints that contradict themselves.
        Oddity("a leaf that may be used for nothing", depth: 0, always("malformedCertificate@0")) {
            $0.set(ExtensionOid.keyUsage, isCritical: true, [3, 1, 0])
        }.forAnything(),
        Oddity("a leaf whose key serves no handshake", depth: 0, always("invalidPurpose@0")) {
            $0.set(ExtensionOid.keyUsage, isCritical: true, [3, 2, 6, 0x40])
        },
        Oddity("a path length in a leaf", depth: 0, malformed(0, from: .rfc5280)) {
            $0.set(ExtensionOid.basicConstraints, isCritical: true, Der.sequence(Der.integer([1])))
        },
        Oddity("name constraints in a leaf", depth: 0, malformed(0, from: .rfc5280)) {
            $0.set(ExtensionOid.nameConstraints, isCritical: true, Der.sequence(Der.element(0xA0, Der.sequence(dns("test")))))
        },
        // Of the CA/Browser Forum.
        Oddity("an authority key identifier that names the issuer's certificate as well", depth: 0, malformed(0, from: .webPki)) {
            guard let old = $0.extensions.first(where: { $0.oid == ExtensionOid.authorityKeyIdentifier }),
                let content = DerReader.only(DerTag.sequence, old.value[...])
            else { return }
            let name = Der.element(0xA1, Der.element(0xA4, Der.sequence(commonName("Odd Root"))))
            $0.set(
                ExtensionOid.authorityKeyIdentifier, isCritical: false,
                Der.sequence(Array(content), name, Der.element(0x82, serial)))
        },
        Oddity("a root with extended key usage", depth: 2, malformed(2, from: .webPki)) {
            $0.set(ExtensionOid.extendedKeyUsage, isCritical: false, usages(server))
        },
        Oddity("critical alternative names beside a subject", depth: 0, malformed(0, from: .webPki)) {
            $0.set(ExtensionOid.subjectAlternativeName, isCritical: true)
        },
        Oddity("a critical extended key usage", depth: 0, malformed(0, from: .webPki)) {
            $0.set(ExtensionOid.extendedKeyUsage, isCritical: true)
        },
        Oddity("a server that may sign mail as well", depth: 0, malformed(0, from: .webPki)) {
            $0.set(ExtensionOid.extendedKeyUsage, isCritical: false, usages(server, "1.3.6.1.5.5.7.3.4"))
        },
        Oddity("a wildcard on a top-level domain", depth: 0, malformed(0, from: .webPki)) {
            $0.set(ExtensionOid.subjectAlternativeName, isCritical: false, names(dns(TestIdentity.defaultHost), dns("*.test")))
        },
        Oddity("an underscore", depth: 0, malformed(0, from: .rfc5280)) {
            $0.set(
                ExtensionOid.subjectAlternativeName, isCritical: false,
                names(dns(TestIdentity.defaultHost), dns("a_b.example.test")))
        },
        Oddity("no alternative names", depth: 0, malformed(0, from: .webPki)) {
            $0.extensions.removeAll { $0.oid == ExtensionOid.subjectAlternativeName }
        },
    ]

    /// What is wrong with a path of which one certificate was remade; the same on every backend.
    private static func problems(_ one: Oddity, _ profile: SslCertificateProfile) throws -> [String] {
        let root = try TestAuthority.makeRoot("Odd Root")
        let authority = try root.makeIntermediate("Odd Authority") { $0.serialNumber = serial }
        let identity = try authority.issue { $0.subject = TestAuthority.name(TestIdentity.defaultHost) }
        var path = [identity.chain[0], authority.certificate, root.certificate]
        var remade = try RemadeCertificate(path[one.depth])
        one.change(&remade)
        path[one.depth] = try remade.signed(by: one.depth == 0 ? authority.key : root.key)
        var first: [String]?
        for backend in SslBackends.all {
            let store = try backend.makeTrustStore(TlsTrustSources(includesSystem: false, anchors: [path[2]]))
            var verification = PeerVerification(purpose: one.purpose, name: nil, time: .now)
            verification.requiresName = false
            verification.settings.profile = profile
            let errors = verification.judge(Array(path.prefix(2)), store: store).errors.map { "\($0.code)@\($0.depth)" }
            if let first { #expect(first == errors, "\(backend.name)") }
            first = first ?? errors
        }
        return first ?? []
    }

    @Test("One oddity", arguments: oddities)
    func oddity(_ one: Oddity) throws {
        for (place, profile) in [SslCertificateProfile.path, .rfc5280, .webPki].enumerated() {
            #expect(Set(try Self.problems(one, profile)) == Set(one.problems[place]), "\(profile)")
        }
    }

    @Test("Keys and hashes of less than 112 bits are weak, on every backend by one table")
    func strength() {
        let strong: [PublicKeyFields] = [
            .rsa(bits: 2048), .rsaPss(bits: 2048), .dsa(bits: 2048), .ec(curve: "1.3.132.0.33"),
            .ec(curve: "1.2.840.10045.3.1.7"),
            .ec(curve: "1.3.132.0.34"), .ec(curve: "1.3.132.0.35"), .ed25519, .ed448,
        ]
        let weak: [PublicKeyFields] = [
            .rsa(bits: 2047), .rsa(bits: 0), .rsaPss(bits: 1024), .dsa(bits: 1024), .ec(curve: "1.2.840.10045.3.1.1"),
            .ec(curve: ""), .dh(bits: 4096), .x25519, .unknown,
        ]
        for key in strong { #expect(KeyStrength.isStrong(key), "\(key)") }
        for key in weak { #expect(!KeyStrength.isStrong(key), "\(key)") }
        for hash in [SslHash.md5, .sha1, .sha224, .sha256, .sha384, .sha512] {
            let isStrong = hash != .md5 && hash != .sha1
            #expect(KeyStrength.isStrong(.rsaPkcs1(hash)) == isStrong && KeyStrength.isStrong(.ecdsa(hash)) == isStrong)
            #expect(KeyStrength.isStrong(.rsaPss(hash)) == isStrong && KeyStrength.isStrong(.dsa(hash)) == isStrong)
        }
        #expect(KeyStrength.isStrong(.ed25519) && KeyStrength.isStrong(.ed448) && !KeyStrength.isStrong(nil))
    }

    @Test("Self-issued intermediates count neither for path lengths nor for the depth")
    func selfIssued() throws {
        // The authority changes its key: the new one is signed with the old one, under the same name.
        let root = try TestAuthority.makeRoot("Turning Root")
        let old = try root.makeIntermediate("Turning Authority", pathLength: 0)
        let new = try old.makeIntermediate("Turning Authority New Key") { $0.subject = TestAuthority.name("Turning Authority") }
        let other = try old.makeIntermediate("Another Authority")
        for backend in SslBackends.all {
            func problems(_ identity: TestIdentity, depth: Int) throws -> [String] {
                let store = try backend.makeTrustStore(TlsTrustSources(includesSystem: false, anchors: identity.anchors))
                let verification = PeerVerification(purpose: nil, name: nil, time: .now, depth: depth)
                return verification.judge(identity.chain, store: store).errors.map { "\($0.code)@\($0.depth)" }
            }
            #expect(try problems(new.issue(), depth: 2).isEmpty)
            #expect(try problems(new.issue(), depth: 1) == ["pathLengthExceeded@3"])
            #expect(try problems(other.issue(), depth: 0) == ["pathLengthExceeded@2"])
        }
    }

    // MARK: Bounds

    @Test("A maze of authorities is given up after a bounded number of paths")
    func maze() throws {
        let root = try TestAuthority.makeRoot("Maze Root")
        // At each level three keys of one name, each signed by each of the level above: 3^7 paths.
        var level = [root]
        var offered: [[UInt8]] = []
        for depth in 0..<7 {
            var next: [TestAuthority] = []
            for key in 0..<3 {
                for above in level {
                    let made = try above.makeIntermediate("Maze \(depth) \(key)") {
                        $0.subject = TestAuthority.name("Maze \(depth)")
                        $0.hasKeyIdentifiers = false
                    }
                    offered.append(made.certificate)
                    if above.certificate == level[0].certificate { next.append(made) }
                }
            }
            level = next
        }
        let leaf = try level[0].issue { $0.hasKeyIdentifiers = false }.chain[0]
        for backend in SslBackends.all {
            let store = try backend.makeTrustStore(TlsTrustSources(includesSystem: false, anchors: [root.certificate]))
            var judged = 0
            let others = try offered.map { LazyCertificate(try CertificateFields($0)) }
            var search = PathSearch(store: store, offered: others, time: .now, signatures: SignatureCache()) { _, isAnchored in
                judged += isAnchored ? 1 : 0
                return [TlsPathProblem(.policyViolation, depth: 0)]
            }
            let found = search.find(from: LazyCertificate(try CertificateFields(leaf)))
            #expect(found.isAnchored && !found.problems.isEmpty)
            #expect(judged > 1 && judged <= PathSearch.mostPaths)
        }
    }

    @Test("Thousands of names under thousands of constraints are refused, hundreds under hundreds are judged")
    func manyConstraints() throws {
        for (count, isJudged) in [(60, true), (600, false)] {
            let list = (0..<count).flatMap { Der.sequence(Self.dns("d\($0).test")) }
            let root = try TestAuthority.makeRoot("Busy Root")
            let authority = try root.makeIntermediate("Busy Authority") {
                $0.extensions.append(
                    SslCertificateExtension(
                        oid: ExtensionOid.nameConstraints, isCritical: true, value: Der.sequence(Der.element(0xA0, list))))
            }
            let identity = try authority.issue(
                TestAuthority.Leaf(names: (0..<count).map { .dns(Array("a.d\($0).test".utf8)) }))
            for backend in SslBackends.all {
                let store = try backend.makeTrustStore(TlsTrustSources(includesSystem: false, anchors: identity.anchors))
                let verification = PeerVerification(purpose: nil, name: nil, time: .now)
                #expect(
                    verification.judge(identity.chain, store: store).errors.map(\.code)
                        == (isJudged ? [] : [.nameConstraintViolation]))
            }
        }
    }

    @Test("A certificate with more distribution points than any needs is of unknown status")
    func manyPoints() throws {
        let root = try TestAuthority.makeRoot("Point Root")
        for (count, code) in [(32, nil), (33, SslErrorCode.certificateStatusUnknown)] {
            let identity = try root.issue {
                $0.extensions.append(
                    SslCertificateExtension(
                        oid: ExtensionOid.crlDistributionPoints, isCritical: false,
                        value: Der.sequence((0..<count).flatMap { _ in Self.point })))
            }
            for backend in SslBackends.all {
                let store = try backend.makeTrustStore(TlsTrustSources(includesSystem: false, anchors: identity.anchors))
                var verification = PeerVerification(purpose: nil, name: nil, time: .now)
                verification.settings.revocationLists = [try SslRevocationList(der: root.revocationList())]
                #expect(verification.judge(identity.chain, store: store).errors.map(\.code) == (code.map { [$0] } ?? []))
            }
        }
    }
}
