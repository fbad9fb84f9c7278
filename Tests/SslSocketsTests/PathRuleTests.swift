internal import SslBackend
internal import SslSockets
internal import SslTestKit
internal import Testing

/// The rules for paths (RFC 5280 section 6.1 and 4.2), each on every backend with certificates made for it.
@Suite("Rules for paths")
struct PathRuleTests {
    static let backends = SslBackends.available

    /// Root, intermediate and leaf, each changed as a test wants it, and how they are judged.
    struct Case {
        var root: (inout SslCertificateTemplate) -> Void = { _ in }
        var intermediate: (inout SslCertificateTemplate) -> Void = { _ in }
        var leaf: (inout SslCertificateTemplate) -> Void = { _ in }
        var names: [SslAlternativeName] = [.dns(Array(TestIdentity.defaultHost.utf8))]
        var usages = [SslPurpose.serverAuthentication.objectIdentifier]
        var purpose: SslPurpose? = .serverAuthentication
        var profile = SslCertificateProfile.path

        /// The problems, for example `expired@0`; the same on every backend.
        func problems() throws -> [String] {
            let authority = try TestAuthority.makeRoot("Rule Root", customize: root)
            let below = try authority.makeIntermediate("Rule Intermediate", customize: intermediate)
            let identity = try below.issue(TestAuthority.Leaf(names: names, usages: usages), customize: leaf)
            var first: [String]?
            for backend in PathRuleTests.backends {
                var configuration = try identity.trustingConfiguration(backend: backend)
                configuration.certificateProfile = profile
                let chain = try identity.chain.map { try SslCertificate(der: $0, backend: backend) }
                let errors = try SslCertificate.verify(chain, purpose: purpose, configuration: configuration).map {
                    "\($0.code)@\($0.depth)"
                }
                if let first { #expect(first == errors, "\(backend)") }
                first = first ?? errors
            }
            return first ?? []
        }
    }

    private static func ext(_ oid: String, _ value: [UInt8], isCritical: Bool = true) -> SslCertificateExtension {
        SslCertificateExtension(oid: oid, isCritical: isCritical, value: value)
    }

    // MARK: Name constraints

    private static func subtrees(permitted: [[UInt8]] = [], excluded: [[UInt8]] = []) -> [UInt8] {
        let allowed = permitted.isEmpty ? [] : Der.element(0xA0, permitted.flatMap { Der.sequence($0) })
        let refused = excluded.isEmpty ? [] : Der.element(0xA1, excluded.flatMap { Der.sequence($0) })
        return Der.sequence(allowed, refused)
    }

    private static func dns(_ text: String) -> [UInt8] { Der.element(0x82, Array(text.utf8)) }
    private static func mail(_ text: String) -> [UInt8] { Der.element(0x81, Array(text.utf8)) }
    private static func uri(_ text: String) -> [UInt8] { Der.element(0x86, Array(text.utf8)) }
    private static func address(_ octets: [UInt8]) -> [UInt8] { Der.element(0x87, octets) }
    private static func directory(_ commonName: String) -> [UInt8] {
        Der.element(
            0xA4, Der.sequence(Der.element(0x31, Der.sequence(Der.oid("2.5.4.3"), Der.element(0x0C, Array(commonName.utf8))))))
    }

    struct Constraint: CustomTestStringConvertible {
        let testDescription: String
        let value: [UInt8]
        let names: [SslAlternativeName]
        let isPermitted: Bool

        init(_ text: String, _ value: [UInt8], _ names: [SslAlternativeName], _ isPermitted: Bool) {
            testDescription = text
            self.value = value
            self.names = names
            self.isPermitted = isPermitted
        }
    }

    private static func name(_ text: String) -> SslAlternativeName { .dns(Array(text.utf8)) }

    // Made anew by each call: the leak detector does not find what only a constant with tagged pointers refers to.
    static var constraints: [Constraint] {
        [
            .init("the domain itself", subtrees(permitted: [dns("example.com")]), [name("example.com")], true),
            .init("a name below it, in any case", subtrees(permitted: [dns("Example.com")]), [name("a.b.EXAMPLE.com")], true),
            .init("a name that only ends alike", subtrees(permitted: [dns("example.com")]), [name("badexample.com")], false),
            .init(
                "one of two is outside", subtrees(permitted: [dns("example.com")]), [name("example.com"), name("example.org")],
                false),
            .init("excluded", subtrees(excluded: [dns("example.com")]), [name("www.example.com")], false),
            .init("not excluded", subtrees(excluded: [dns("example.com")]), [name("www.example.org")], true),
            .init(
                "excluded counts more", subtrees(permitted: [dns("example.com")], excluded: [dns("a.example.com")]),
                [name("a.example.com")], false),
            .init(
                "a wildcard reaches into what is excluded", subtrees(excluded: [dns("a.example.com")]), [name("*.example.com")],
                false
            ),
            .init(
                "a wildcard beside what is excluded", subtrees(excluded: [dns("a.b.example.com")]), [name("*.example.com")], true),
            .init(
                "a wildcard inside what is permitted", subtrees(permitted: [dns("example.com")]), [name("*.example.com")], true),
            .init("a leading dot means below only", subtrees(permitted: [dns(".example.com")]), [name("example.com")], false),
            .init("an empty name is every name", subtrees(excluded: [dns("")]), [name("example.com")], false),
            .init(
                "names of another kind are free", subtrees(permitted: [dns("example.com")]), [.ipAddress([192, 0, 2, 1])], true),
            .init(
                "an address inside", subtrees(permitted: [address([192, 0, 2, 0, 255, 255, 255, 0])]),
                [.ipAddress([192, 0, 2, 77])],
                true),
            .init(
                "an address outside", subtrees(permitted: [address([192, 0, 2, 0, 255, 255, 255, 0])]),
                [.ipAddress([192, 0, 3, 77])], false),
            .init(
                "the other family is not permitted with it", subtrees(permitted: [address([192, 0, 2, 0, 255, 255, 255, 0])]),
                [.ipAddress([UInt8](repeating: 1, count: 16))], false),
            .init(
                "the other family is not excluded with it", subtrees(excluded: [address([0, 0, 0, 0, 0, 0, 0, 0])]),
                [.ipAddress([UInt8](repeating: 1, count: 16))], true),
            .init("a mailbox", subtrees(permitted: [mail("a@example.com")]), [.email(Array("a@EXAMPLE.com".utf8))], true),
            .init("another mailbox", subtrees(permitted: [mail("a@example.com")]), [.email(Array("A@example.com".utf8))], false),
            .init(
                "mail of a host, not of those below it", subtrees(permitted: [mail("example.com")]),
                [.email(Array("a@mail.example.com".utf8))], false),
            .init(
                "mail of a domain", subtrees(permitted: [mail(".example.com")]), [.email(Array("a@mail.example.com".utf8))], true),
            .init(
                "an asterisk in a mailbox is an asterisk", subtrees(permitted: [mail("*@example.com")]),
                [.email(Array("a@example.com".utf8))], false),
            .init(
                "a URI's host", subtrees(permitted: [uri("example.com")]), [.uri(Array("https://example.com:8443/x".utf8))], true),
            .init(
                "a URI with a user's name cannot be permitted", subtrees(permitted: [uri("example.com")]),
                [.uri(Array("https://me@example.com/".utf8))], false),
            .init(
                "a URI of a domain", subtrees(permitted: [uri(".example.com")]), [.uri(Array("https://www.example.com/".utf8))],
                true),
            .init(
                "a URI of another host", subtrees(permitted: [uri("example.com")]),
                [.uri(Array("https://www.example.com/".utf8))],
                false),
            .init(
                "a URI without a host cannot be permitted", subtrees(permitted: [uri("example.com")]),
                [.uri(Array("urn:example".utf8))], false),
            .init(
                "a URI of an address cannot be kept out", subtrees(excluded: [uri("example.com")]),
                [.uri(Array("https://192.0.2.1/".utf8))], false),
            .init("the subject is a directory name", subtrees(permitted: [directory("Somebody")]), [name("example.com")], false),
            .init("the subject's own", subtrees(permitted: [directory("test  SERVER ")]), [name("example.com")], true),
            .init("the subject excluded", subtrees(excluded: [directory("Test Server")]), [name("example.com")], false),
            .init(
                "a kind that nobody looks into", subtrees(excluded: [Der.element(0x88, [0x2A, 0x03])]),
                [.other(tag: 8, [0x2A, 0x04])], false),
            .init(
                "the same without such a name", subtrees(excluded: [Der.element(0x88, [0x2A, 0x03])]), [name("example.com")], true
            ),
        ]
    }

    @Test("Name constraints", arguments: constraints)
    func nameConstraints(_ one: Constraint) throws {
        var rule = Case()
        rule.intermediate = { $0.extensions.append(Self.ext(ExtensionOid.nameConstraints, one.value)) }
        rule.names = one.names
        #expect(try rule.problems() == (one.isPermitted ? [] : ["nameConstraintViolation@0"]))
    }

    @Test(
        "Name constraints that cannot be understood refuse everything",
        arguments: [
            subtrees(permitted: [dns("*.example.com")]), subtrees(permitted: [address([1, 2, 3, 4])]),
            subtrees(permitted: [address([1, 2, 3, 4, 255, 0, 255, 0])]), subtrees(permitted: [mail("a@b@example.com")]),
            subtrees(permitted: [dns("example.com") + Der.element(0x80, [1])]),
            subtrees(permitted: [dns("example.com") + Der.element(0x81, [9])]),
            Der.sequence(), Der.sequence(Der.element(0xA0, [])), [0x30, 0x05, 0x01],
        ])
    func malformedConstraints(_ value: [UInt8]) throws {
        var rule = Case()
        rule.intermediate = { $0.extensions.append(Self.ext(ExtensionOid.nameConstraints, value)) }
        #expect(try rule.problems() == ["malformedCertificate@1"])
    }

    // MARK: Purpose and authority

    @Test("A CA's extended key usage limits what is below it")
    func usageChaining() throws {
        var rule = Case()
        rule.intermediate = { $0.extendedKeyUsage = [SslPurpose.clientAuthentication.objectIdentifier] }
        #expect(try rule.problems() == ["invalidPurpose@1"])
        rule.purpose = nil
        #expect(try rule.problems() == [])
        rule.purpose = .serverAuthentication
        rule.intermediate = { $0.extendedKeyUsage = ["2.5.29.37.0"] }
        #expect(try rule.problems() == [])
    }

    @Test("Critical extensions that nobody knows are refused wherever they stand")
    func criticalExtensions() throws {
        let unknown = Self.ext("1.3.6.1.4.1.55738.666.1", [5, 0])
        for depth in 0...2 {
            var rule = Case()
            switch depth {
            case 0: rule.leaf = { $0.extensions.append(unknown) }
            case 1: rule.intermediate = { $0.extensions.append(unknown) }
            default: rule.root = { $0.extensions.append(unknown) }
            }
            #expect(try rule.problems() == ["unhandledCriticalExtension@\(depth)"])
        }
        var harmless = Case()
        harmless.leaf = { $0.extensions.append(Self.ext("1.3.6.1.4.1.55738.666.1", [5, 0], isCritical: false)) }
        #expect(try harmless.problems() == [])
    }

    @Test("A trusted root that has expired is of no use")
    func expiredRoot() throws {
        let old = SslInstant.now.adding(days: -60)...SslInstant.now.adding(days: -30)
        var rule = Case()
        rule.root = {
            $0.notBefore = old.lowerBound
            $0.notAfter = old.upperBound
        }
        #expect(try rule.problems() == ["certificateExpired@2"])
    }

    // MARK: Policies

    private static func policies(_ oids: String...) -> SslCertificateExtension {
        ext(ExtensionOid.certificatePolicies, Der.sequence(oids.flatMap { Der.sequence(Der.oid($0)) }), isCritical: false)
    }
    private static let requireExplicit = ext(ExtensionOid.policyConstraints, Der.sequence(Der.element(0x80, [0])))
    private static let first = "2.16.840.1.101.3.2.1.48.1"
    private static let second = "2.16.840.1.101.3.2.1.48.2"

    @Test("A policy that a CA requires must be there, and the same all the way")
    func policyTree() throws {
        var rule = Case()
        rule.intermediate = { $0.extensions += [Self.policies(Self.first), Self.requireExplicit] }
        #expect(try rule.problems() == ["policyViolation@0"])
        rule.leaf = { $0.extensions.append(Self.policies(Self.second)) }
        #expect(try rule.problems() == ["policyViolation@0"])
        rule.leaf = { $0.extensions.append(Self.policies(Self.second, Self.first)) }
        #expect(try rule.problems() == [])
        // Without the requirement nobody asks.
        rule.intermediate = { $0.extensions.append(Self.policies(Self.second)) }
        rule.leaf = { $0.extensions.append(Self.policies(Self.first)) }
        #expect(try rule.problems() == [])
    }

    @Test("Policies can be mapped, any policy stands for all, and can be inhibited")
    func policyMapping() throws {
        let mapping = Self.ext(
            ExtensionOid.policyMappings, Der.sequence(Der.sequence(Der.oid(Self.first), Der.oid(Self.second))))
        var rule = Case()
        rule.intermediate = { $0.extensions += [Self.policies(Self.first), Self.requireExplicit, mapping] }
        rule.leaf = { $0.extensions.append(Self.policies(Self.second)) }
        #expect(try rule.problems() == [])
        rule.leaf = { $0.extensions.append(Self.policies(Self.first)) }
        #expect(try rule.problems() == ["policyViolation@0"])
        rule.leaf = { $0.extensions.append(Self.policies("2.5.29.32.0")) }
        #expect(try rule.problems() == [])
        let inhibited = Self.ext(ExtensionOid.inhibitAnyPolicy, [0x02, 0x01, 0x00])
        rule.intermediate = { $0.extensions += [Self.policies(Self.first), Self.requireExplicit, inhibited] }
        #expect(try rule.problems() == ["policyViolation@0"])
    }

    @Test("Policies twice, or none, are malformed")
    func malformedPolicies() throws {
        var rule = Case()
        rule.leaf = { $0.extensions.append(Self.policies(Self.first, Self.first)) }
        #expect(try rule.problems() == ["malformedCertificate@0"])
        rule.leaf = { $0.extensions.append(Self.ext(ExtensionOid.certificatePolicies, Der.sequence(), isCritical: false)) }
        #expect(try rule.problems() == ["malformedCertificate@0"])
    }

    // MARK: Profiles

    struct Oddity: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let change: @Sendable (inout SslCertificateTemplate) -> Void
        let depth: Int
        /// The least strict profile that refuses it.
        let refusedBy: SslCertificateProfile

        init(
            _ text: String, depth: Int, _ refusedBy: SslCertificateProfile,
            _ change: @escaping @Sendable (inout SslCertificateTemplate) -> Void
        ) {
            testDescription = text
            self.change = change
            self.depth = depth
            self.refusedBy = refusedBy
        }
    }

    static let oddities: [Oddity] = [
        Oddity("no key identifiers in a leaf", depth: 0, .rfc5280) { $0.hasKeyIdentifiers = false },
        Oddity("no key identifiers in a CA", depth: 1, .rfc5280) { $0.hasKeyIdentifiers = false },
        Oddity("constraints that are not critical", depth: 1, .rfc5280) {
            $0.extensions.append(
                PathRuleTests.ext(
                    ExtensionOid.nameConstraints, PathRuleTests.subtrees(permitted: [PathRuleTests.dns("test")]),
                    isCritical: false))
        },
        Oddity("a leaf that may sign certificates", depth: 0, .rfc5280) {
            $0.keyUsage = [.digitalSignature, .certificateSigning]
        },
        Oddity("a leaf without extended key usage", depth: 0, .webPki) { $0.extendedKeyUsage = [] },
        Oddity("a leaf for any use", depth: 0, .webPki) { $0.extendedKeyUsage.append("2.5.29.37.0") },
        Oddity("a leaf that is a CA", depth: 0, .webPki) {
            $0.basicConstraints = SslBasicConstraints(isAuthority: true)
            $0.keyUsage = [.digitalSignature, .certificateSigning]
        },
        Oddity("access information without a description", depth: 0, .webPki) {
            $0.extensions.append(PathRuleTests.ext(ExtensionOid.authorityInformationAccess, Der.sequence(), isCritical: false))
        },
    ]

    @Test("What only a stricter profile refuses", arguments: oddities)
    func profiles(_ one: Oddity) throws {
        for profile in SslCertificateProfile.allCases {
            var rule = Case()
            // A common name that is no alternative name is refused by the last profile.
            rule.leaf = { $0.subject = TestAuthority.name(TestIdentity.defaultHost) }
            if one.depth == 0 {
                rule.leaf = {
                    $0.subject = TestAuthority.name(TestIdentity.defaultHost)
                    one.change(&$0)
                }
            } else {
                rule.intermediate = one.change
            }
            rule.profile = profile
            let order: [SslCertificateProfile] = [.path, .rfc5280, .webPki]
            let isRefused = (order.firstIndex(of: profile) ?? 0) >= (order.firstIndex(of: one.refusedBy) ?? 0)
            let problems = try rule.problems()
            // The Forum allows constraints that are not critical.
            if one.testDescription == "constraints that are not critical", profile == .webPki {
                #expect(problems == [])
            } else {
                #expect(problems == (isRefused ? ["malformedCertificate@\(one.depth)"] : []), "\(profile)")
            }
        }
    }

    @Test("The common name must be an alternative name where the Forum's rules are kept")
    func commonName() throws {
        var rule = Case()
        #expect(try rule.problems() == [])
        rule.profile = .webPki
        #expect(try rule.problems() == ["hostNameMismatch@0"])
        rule.leaf = { $0.subject = TestAuthority.name(TestIdentity.defaultHost) }
        #expect(try rule.problems() == [])
    }
}
