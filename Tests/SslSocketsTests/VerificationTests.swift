internal import SslBackend
internal import SslSockets
internal import SslTestKit
internal import Testing

/// `SslCertificate.verify`, on every backend.
@Suite("Static verification")
struct VerificationTests {
    static let backends = SslBackends.available
    private static let host = TestIdentity.defaultHost

    private static func configuration(_ identity: TestIdentity, _ backend: String) throws -> SslConfiguration {
        try identity.trustingConfiguration(backend: backend)
    }

    private static func chain(_ identity: TestIdentity, _ backend: String) throws -> [SslCertificate] {
        try identity.chain.map { try SslCertificate(der: $0, backend: backend) }
    }

    private static func verify(
        _ kind: TestCertificate, _ backend: String, host: String? = nil, purpose: SslPurpose? = .serverAuthentication,
        time: SslInstant = .now, change: (inout SslConfiguration) throws -> Void = { _ in }
    ) throws -> [SslError] {
        let identity = try TestCertificates.shared().identity(kind)
        var configuration = try configuration(identity, backend)
        try change(&configuration)
        return try SslCertificate.verify(
            chain(identity, backend), hostName: host ?? identity.host, purpose: purpose, time: time, configuration: configuration)
    }

    @Test("A good chain has no errors", arguments: backends)
    func good(backend: String) throws {
        #expect(try Self.verify(.valid, backend).isEmpty)
        // Without a name none is proven and none is missed.
        #expect(try Self.verify(.wrongName, backend, host: "").isEmpty)
        #expect(try Self.verify(.valid, backend) { $0.usesSystemCaCertificates = false }.isEmpty)
    }

    @Test("Every problem is listed with its certificate and depth, the name first", arguments: backends)
    func problems(backend: String) throws {
        let identity = try TestCertificates.shared().identity(.expiredWrongNameUntrusted)
        let errors = try Self.verify(.expiredWrongNameUntrusted, backend)
        #expect(errors.map(\.code) == [.hostNameMismatch, .certificateExpired, .unableToGetLocalIssuerCertificate])
        #expect(errors.map(\.depth) == [0, 0, 1])
        #expect(errors.map { $0.certificate?.der } == [identity.chain[0], identity.chain[0], identity.chain[1]])
    }

    @Test("Names are checked when one is given", arguments: backends)
    func names(backend: String) throws {
        #expect(try Self.verify(.valid, backend, host: "other.example.test").map(\.code) == [.hostNameMismatch])
        #expect(try Self.verify(.wildcard, backend, host: "SERVER.example.test").isEmpty)
        #expect(try Self.verify(.ipAddress, backend, host: "192.0.2.1").isEmpty)
        #expect(try Self.verify(.ipv6Address, backend, host: "2001:db8:0::1").isEmpty)
        #expect(try Self.verify(.ipInDnsName, backend, host: "192.0.2.1").map(\.code) == [.hostNameMismatch])
        #expect(throws: SslSocketError.self) { try Self.verify(.valid, backend, host: "no host") }
    }

    @Test("The time is the one that is asked about", arguments: backends)
    func time(backend: String) throws {
        let late = SslInstant.now.adding(days: 4000)
        #expect(try Self.verify(.valid, backend, time: late).map(\.code).contains(.certificateExpired))
        #expect(try Self.verify(.expired, backend, time: SslInstant.now.adding(days: -45)).first?.code == .certificateNotYetValid)
    }

    @Test("The purpose is the one that is asked about", arguments: backends)
    func purpose(backend: String) throws {
        #expect(try Self.verify(.client, backend, host: "").map(\.code) == [.invalidPurpose])
        #expect(try Self.verify(.client, backend, host: "", purpose: .clientAuthentication).isEmpty)
        #expect(try Self.verify(.clientOnly, backend, host: "", purpose: nil).isEmpty)
    }

    @Test("The depth counts what is above the leaf", arguments: backends)
    func depth(backend: String) throws {
        #expect(try Self.verify(.valid, backend) { $0.peerVerifyDepth = 2 }.isEmpty)
        let errors = try Self.verify(.valid, backend) { $0.peerVerifyDepth = 1 }
        #expect(errors.map(\.code) == [.pathLengthExceeded])
        #expect(errors.map(\.depth) == [2])
    }

    @Test("An intermediate that is no CA is named", arguments: backends)
    func issuer(backend: String) throws {
        let errors = try Self.verify(.issuerNotAuthority, backend)
        #expect(errors.map(\.code) == [.invalidCaCertificate])
        #expect(errors.map(\.depth) == [1])
    }

    @Test(
        "Configurations with the same sources share one store, and every store shares the system's certificates",
        arguments: backends)
    func sharing(backend: String) throws {
        let identity = try TestCertificates.shared().identity(.valid)
        let one = try Self.configuration(identity, backend).trustStore()
        let two = try Self.configuration(identity, backend).trustStore()
        #expect(one === two)
        #expect(one.count == 1 && one.certificates == identity.anchors)
        let name = try CertificateFields(identity.anchors[0]).canonicalSubject
        #expect(one.anchors(named: name, encoded: []).map(\.fields.der) == identity.anchors)
        #expect(one.anchors(named: [], encoded: []).isEmpty)
    }

    @Test("An empty chain is no certificate", arguments: backends)
    func nothing(backend: String) throws {
        var configuration = SslConfiguration()
        configuration.backend = backend
        configuration.usesSystemCaCertificates = false
        #expect(try SslCertificate.verify([], configuration: configuration).map(\.code) == [.noPeerCertificate])
    }

    @Test("Verifying does not change the default configuration", arguments: backends)
    func defaultConfiguration(backend: String) throws {
        let before = SslConfiguration.default
        _ = try Self.verify(.valid, backend)
        #expect(SslConfiguration.default == before)
    }

    @Test("The common name counts by the user's wish, and only without other host names", arguments: backends)
    func commonName(backend: String) throws {
        #expect(try Self.verify(.commonNameOnly, backend).map(\.code) == [.hostNameMismatch])
        #expect(try Self.verify(.commonNameOnly, backend) { $0.usesCommonNameFallback = true }.isEmpty)
        var wish = SslConfiguration()
        #expect(!wish.usesCommonNameFallback)
        wish.usesCommonNameFallback = true
        #expect(wish.usesCommonNameFallback)
        #expect(
            try Self.verify(.commonNameOnly, backend, host: "other.example.test") { $0.usesCommonNameFallback = true }.map(\.code)
                == [.hostNameMismatch])
        // A mail address is no host name, so the common name still counts; a DNS name is, and it does not.
        #expect(try Self.verify(.emailOnly, backend) { $0.usesCommonNameFallback = true }.isEmpty)
        let both = try TestCertificates.shared().intermediate.issue(
            TestAuthority.Leaf(commonName: Self.host, names: [.dns(Array("other.example.test".utf8))]))
        var configuration = try Self.configuration(both, backend)
        configuration.usesCommonNameFallback = true
        #expect(
            try SslCertificate.verify(Self.chain(both, backend), hostName: Self.host, configuration: configuration).map(\.code)
                == [.hostNameMismatch])
    }

    @Test("A pinned key must be on the path, and a pin that is none is refused", arguments: backends)
    func pins(backend: String) throws {
        let identity = try TestCertificates.shared().identity(.valid)
        for der in identity.chain + identity.anchors {
            let pin = try #require(try SslCertificate(der: der, backend: backend).publicKeyPin)
            #expect(try Self.verify(.valid, backend) { $0.publicKeyPins = ["sha256//" + pin] }.isEmpty)
        }
        let other = try #require(
            try SslCertificate(der: TestCertificates.shared().identity(.selfSigned).chain[0], backend: backend).digest())
        let errors = try Self.verify(.wrongName, backend) { configuration in
            configuration.publicKeyPins = [SslCertificatePin.base64(other)]
        }
        #expect(errors.map(\.code) == [.hostNameMismatch, .publicKeyPinMismatch])
        #expect(throws: SslSocketError.self) { try Self.verify(.valid, backend) { $0.publicKeyPins = ["short"] } }
    }

    @Test("Every backend gives the same list for every identity of the test kit", arguments: TestCertificate.allCases)
    func agreement(kind: TestCertificate) throws {
        var first: [String]?
        for backend in Self.backends {
            let errors = try Self.verify(kind, backend, purpose: nil).map { "\($0.code)@\($0.depth)" }
            #expect(first == nil || first == errors, "\(kind) on \(backend)")
            first = first ?? errors
        }
    }
}

/// Base64 for tests.
enum SslCertificatePin {
    static func base64(_ octets: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var text = ""
        for start in stride(from: 0, to: octets.count, by: 3) {
            let part = octets[start..<min(start + 3, octets.count)]
            let group = (part + [UInt8](repeating: 0, count: 3 - part.count)).reduce(0) { $0 << 8 | Int($1) }
            let characters = [18, 12, 6, 0].map { alphabet[group >> $0 & 63] }
            text += String(characters.prefix(part.count + 1)) + String(repeating: "=", count: 3 - part.count)
        }
        return text
    }
}
