internal import SslBackend
internal import SslSockets
internal import SslTestKit
internal import Testing

/// Contexts and sessions as the contract wants them, on every backend.
@Suite("Contexts and sessions of a backend")
struct ContextContractTests {
    @Test("Capabilities cover every feature, each lack with its reason", arguments: BackendUnderTest.all)
    func capabilities(_ one: BackendUnderTest) {
        let capabilities = one.backend.capabilities
        for feature in SslFeature.allCases {
            let reason = capabilities.lacks[feature]
            #expect(capabilities.features.contains(feature) != (reason != nil), "\(feature.rawValue)")
            if let reason { #expect(reason.count > 10, "\(feature.rawValue)") }
        }
        #expect(capabilities.versions.isSuperset(of: [.tls1_2, .tls1_3]))
        #expect(Set(capabilities.cipherSuites).isSuperset(of: SslCipher.defaults))
        #expect(Set(capabilities.groups).isSuperset(of: SslGroup.defaults))
        #expect(Set(capabilities.cipherSuites).count == capabilities.cipherSuites.count)
        #expect(capabilities.keyAlgorithms.contains(.rsa) && capabilities.keyAlgorithms.contains(.ec))
    }

    @Test("Names and versions", arguments: BackendUnderTest.all)
    func identity(_ one: BackendUnderTest) {
        #expect(one.backend.name.wholeMatch(of: /[a-z0-9_-]+/) != nil)
        #expect(!one.backend.libraryVersion.isEmpty && one.backend.libraryVersionNumber > 0)
        #expect(!one.backend.libraryBuildVersion.isEmpty && one.backend.libraryBuildVersionNumber > 0)
    }

    @Test("A key of another backend is refused", arguments: BackendUnderTest.all)
    func foreignKey(_ one: BackendUnderTest) throws {
        for other in BackendUnderTest.all where other.backend !== one.backend {
            var settings = try one.serverSettings()
            settings.credentials[0].key = try one.certificates().identity(.valid).key.handle(for: other.backend)
            #expect(errorOf { () throws(SslSocketError) in _ = try one.backend.makeContext(settings) } != nil)
        }
    }

    @Test("A key that does not belong to its certificate is refused as such", arguments: BackendUnderTest.all)
    func mismatch(_ one: BackendUnderTest) throws {
        var settings = try one.serverSettings()
        settings.credentials[0].key = try one.backend.generateKey(.ec(.secp256r1))
        #expect(errorOf { () throws(SslSocketError) in _ = try one.backend.makeContext(settings) }?.code == .keyMismatch)
    }

    /// Settings that no backend can honour: each must be refused, by the name of the setting.
    @Test("What cannot be honoured is refused, never ignored", arguments: BackendUnderTest.all)
    func refusals(_ one: BackendUnderTest) throws {
        func refusal(_ change: (inout TlsSettings) -> Void) throws -> SslSocketError.Code? {
            var settings = try one.serverSettings()
            change(&settings)
            return errorOf { () throws(SslSocketError) in _ = try one.backend.makeContext(settings) }?.code
        }
        #expect(try refusal { _ in } == nil)
        let takesOptions = one.backend.capabilities.features.contains(.backendOptions)
        #expect(
            try refusal { $0.backendOptions = ["no such option": "x"] }
                == (takesOptions ? .unsupportedSetting : .unsupportedFeature))
        #expect(try refusal { $0.cipherSuites = [] } != nil)
        #expect(try refusal { $0.cipherSuites = [SslCipher(code: 0xFFFE)] } != nil)
        #expect(try refusal { $0.groups = [SslGroup(code: 0xFFFE)] } != nil)
        #expect(try refusal { $0.signatureSchemes = [SslSignatureScheme(code: 0xFFFE)] } != nil)
        #expect(try refusal { $0.applicationProtocols = [[]] } != nil)
        #expect(try refusal { $0.applicationProtocols = [[UInt8](repeating: 65, count: 256)] } != nil)
        #expect(try refusal { $0.credentials[0].chain = [[1, 2, 3]] } != nil)
        #expect(try refusal { $0.versions = .dtls1_2 ... .dtls1_2 } != nil)
    }

    @Test("Before the handshake nothing can be read, written or exported", arguments: BackendUnderTest.all)
    func early(_ one: BackendUnderTest) throws {
        let session = try one.backend.makeContext(one.clientSettings()).makeSession(
            TlsSessionParameters(serverName: "server.example.test"))
        let sink = CollectingSink()
        var memory = [UInt8](repeating: 0, count: 10)
        let step = unsafe memory.withUnsafeMutableBytes { unsafe session.read(into: $0, .empty, sink) }
        guard case .failed(let error) = step else {
            Issue.record("reading came to \(step)")
            return
        }
        #expect(error.code == .operation)
        #expect(!session.isEstablished)
        #expect(session.peerCertificates.isEmpty)
        #expect(session.clientHello == nil)
        let exported = errorOf { () throws(SslSocketError) in
            _ = try session.exportKeyingMaterial(label: "EXPORTER-test", context: nil, length: 32)
        }
        #expect(exported != nil)
        #expect(sink.octets.isEmpty)
        // Misuse is not fatal: the handshake can still begin.
        guard case .wantsInput = unsafe session.handshake(.empty, sink) else {
            Issue.record("the handshake did not begin")
            return
        }
        #expect(sink.octets.first == 22)
    }

    @Test("A session that is resumed from garbage is refused or begins anew, and does not crash", arguments: BackendUnderTest.all)
    func garbageSession(_ one: BackendUnderTest) throws {
        let context = try one.backend.makeContext(one.clientSettings())
        for octets: [UInt8] in [
            [], [0], [UInt8](repeating: 0x30, count: 300), (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 7) },
        ] {
            let parameters = TlsSessionParameters(serverName: "server.example.test", resumption: octets)
            guard let session = try? context.makeSession(parameters) else { continue }
            let sink = CollectingSink()
            guard case .wantsInput = unsafe session.handshake(.empty, sink) else {
                Issue.record("a session from \(octets.count) octets of garbage did not begin")
                continue
            }
            #expect(!sink.octets.isEmpty)
        }
    }

    @Test("Random octets never crash a session", arguments: BackendUnderTest.all, [SslRole.client, .server])
    func noise(_ one: BackendUnderTest, _ role: SslRole) throws {
        let context = try one.backend.makeContext(role == .client ? one.clientSettings() : one.serverSettings())
        // Always the same octets, so that a failure can be found again.
        var seed: UInt64 = 0x9E37_79B9_7F4A_7C15
        func next() -> UInt8 {
            seed ^= seed << 13
            seed ^= seed >> 7
            seed ^= seed << 17
            return UInt8(truncatingIfNeeded: seed >> 32)
        }
        for round in 0..<200 {
            let session = try context.makeSession(TlsSessionParameters())
            let sink = CollectingSink()
            if role == .client { _ = unsafe session.handshake(.empty, sink) }
            // Half of them look like a record, to come further.
            let noise = (0..<60).map { _ in next() }
            let octets = round % 2 == 0 ? noise : [22, 3, 3, 0, 55] + noise
            for _ in 0..<3 {
                let step = unsafe octets.withUnsafeBytes { unsafe session.handshake(TlsInput($0), sink) }
                if case .progressed = step { Issue.record("noise completed a handshake") }
            }
        }
    }
}
