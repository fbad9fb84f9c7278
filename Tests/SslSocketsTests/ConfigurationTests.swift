import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

@Suite("Configurations")
struct ConfigurationTests {
    /// What using a configuration fails with; nil when it does not.
    static func refusal(_ configuration: SslConfiguration, for role: SslRole = .client) -> SslSocketError? {
        do throws(SslSocketError) {
            try configuration.validate(for: role)
            return nil
        } catch {
            return error
        }
    }

    private func configuration(_ backend: String) -> SslConfiguration {
        var configuration = SslConfiguration()
        configuration.backend = backend
        return configuration
    }

    // MARK: The value

    @Test("What a fresh configuration says")
    func defaults() {
        let fresh = SslConfiguration()
        #expect(fresh.isUnchanged)
        #expect(fresh.backend == nil)
        #expect(fresh.protocol == .secureProtocols)
        #expect(fresh.peerVerifyMode == .autoVerifyPeer)
        #expect(fresh.peerVerifyDepth == 0)
        #expect(!fresh.handshakeMustInterruptOnError && !fresh.missingCertificateIsFatal)
        #expect(fresh.localCertificate == nil && fresh.localCertificateChain.isEmpty && fresh.privateKey == nil)
        #expect(fresh.caCertificates.isEmpty && fresh.usesSystemCaCertificates)
        #expect(fresh.ciphers.isEmpty && fresh.groups.isEmpty && fresh.signatureSchemes.isEmpty)
        #expect(fresh.diffieHellmanParameters == nil)
        #expect(fresh.options == SslOptions.default)
        for option in [SslOptions.disableEmptyFragments, .disableCompression, .disableLegacyRenegotiation] {
            #expect(fresh.testSslOption(option))
        }
        for option in [
            SslOptions.disableSessionTickets, .disableServerNameIndication, .disableSessionSharing, .disableSessionPersistence,
            .disableServerCipherPreference,
        ] { #expect(!fresh.testSslOption(option)) }
        #expect(fresh.sessionTicket == nil && fresh.sessionTicketLifetimeHint == nil)
        #expect(fresh.allowedNextProtocols.isEmpty && fresh.requestedAuthorities.isEmpty)
        #expect(fresh.backendConfiguration.isEmpty)
    }

    @Test("Copies are independent, and equal as long as their settings are")
    func valueSemantics() throws {
        let certificate = try SslCertificate(der: TestCertificates.shared().root.certificate)
        let changes: [(inout SslConfiguration) -> Void] = [
            { $0.backend = "gnutls" }, { $0.protocol = .tlsV1_3 }, { $0.peerVerifyMode = .queryPeer }, { $0.peerVerifyDepth = 3 },
            { $0.caCertificates = [certificate] }, { $0.usesSystemCaCertificates = false }, { $0.setCaCertificates([]) },
            { $0.localCertificate = certificate }, { $0.ciphers = [SslCipher.defaults[0]] }, { $0.groups = [.x25519] },
            { $0.diffieHellmanParameters = .default }, { $0.signatureSchemes = [SslSignatureScheme(code: 0x0804)] },
            { $0.allowedNextProtocols = ["h2"] }, { $0.options.insert(.disableSessionTickets) },
            { $0.requestedAuthorities = [certificate] },
            { $0.setBackendConfigurationOption("a", "b") }, { $0.handshakeMustInterruptOnError = true },
            { $0.missingCertificateIsFatal = true },
        ]
        let fresh = SslConfiguration()
        for (index, change) in changes.enumerated() {
            var changed = fresh
            change(&changed)
            #expect(changed != fresh, "change \(index)")
            #expect(!changed.isUnchanged, "change \(index)")
            var same = SslConfiguration()
            change(&same)
            #expect(same == changed, "change \(index)")
            #expect(same.hashValue == changed.hashValue)
        }
        #expect(fresh.isUnchanged)
        // Setting back is being unchanged.
        var back = fresh
        back.peerVerifyDepth = 3
        back.peerVerifyDepth = 0
        #expect(back == fresh && back.isUnchanged)
        var one = fresh
        var other = fresh
        one.peerVerifyDepth = 1
        swap(&one, &other)
        #expect(one.peerVerifyDepth == 0 && other.peerVerifyDepth == 1)
    }

    @Test("A negative verification depth is refused, not taken for no limit", arguments: SslBackends.available)
    func depth(backend: String) {
        var configuration = configuration(backend)
        configuration.peerVerifyDepth = 1
        #expect(Self.refusal(configuration) == nil)
        configuration.peerVerifyDepth = -1
        #expect(configuration.peerVerifyDepth == -1)
        #expect(Self.refusal(configuration)?.code == .invalidUserData)
        let socket = SslSocket(configuration: configuration)
        socket.connectToHostEncrypted("127.0.0.1", port: 1)
        #expect(socket.error?.code == .invalidUserData)
        #expect(socket.state == .unconnected)
    }

    // MARK: Credentials

    @Test("The local certificate is the first of the chain, and setting it replaces the chain", arguments: SslBackends.available)
    func localCertificates(backend: String) throws {
        let identity = try TestCertificates.shared().identity(.valid)
        let chain = try identity.credentials(backend: backend).chain
        #expect(chain.count == 2)
        var configuration = configuration(backend)
        configuration.localCertificateChain = chain
        #expect(configuration.localCertificate == chain[0])
        #expect(configuration.privateKey == nil)
        #expect(Self.refusal(configuration, for: .server)?.code == .invalidUserData)
        configuration.privateKey = identity.key
        #expect(configuration.localCertificateChain == chain)
        #expect(configuration.privateKey?.publicKeyInfo == identity.key.publicKeyInfo)
        #expect(Self.refusal(configuration, for: .server) == nil)
        configuration.localCertificate = chain[1]
        #expect(configuration.localCertificateChain == [chain[1]])
        #expect(configuration.privateKey?.publicKeyInfo == identity.key.publicKeyInfo)
        #expect(Self.refusal(configuration, for: .server)?.code == .keyMismatch)
        configuration.localCertificate = nil
        #expect(configuration.localCertificateChain.isEmpty)
        #expect(Self.refusal(configuration, for: .server)?.code == .invalidUserData)
        configuration.privateKey = nil
        #expect(configuration.credentials.isEmpty)
        #expect(Self.refusal(configuration, for: .server)?.code == .invalidUserData)
    }

    @Test("Credentials come from files, and what is wrong with a file is said", arguments: SslBackends.available)
    func credentialFiles(backend: String) throws {
        let identity = try TestCertificates.shared().identity(.valid)
        let chain = try identity.credentials(backend: backend).chain
        let files = try ScratchFiles()
        let chainFile = try files.write("chain.pem", chain.map(\.pem).joined())
        let keyFile = try files.write("key.pem", identity.key.pem)
        var configuration = configuration(backend)
        try configuration.setCredentials(certificateFile: chainFile, keyFile: keyFile)
        #expect(configuration.localCertificateChain == chain)
        #expect(configuration.privateKey?.publicKeyInfo == identity.key.publicKeyInfo)
        let before = configuration
        #expect(throws: SslSocketError(.unreadableFile, "")) {
            try configuration.setCredentials(certificateFile: files.path + "/none", keyFile: keyFile)
        }
        #expect(throws: SslSocketError(.invalidUserData, "")) {
            try configuration.setCredentials(certificateFile: chainFile, keyFile: chainFile)
        }
        #expect(configuration == before)
    }

    // MARK: CA certificates

    @Test("Adding a CA extends what is trusted, setting the list replaces it", arguments: SslBackends.available)
    func caCertificates(backend: String) throws {
        let certificates = try TestCertificates.shared()
        let root = try SslCertificate(der: certificates.root.certificate, backend: backend)
        let other = try SslCertificate(der: certificates.intermediate.certificate, backend: backend)
        var configuration = configuration(backend)
        configuration.addCaCertificate(root)
        configuration.addCaCertificates([other])
        #expect(configuration.caCertificates == [root, other])
        #expect(configuration.usesSystemCaCertificates)
        let engine = try SslBackends.named(backend)
        let system = try SslConfiguration.systemCaCertificates(backend: backend)
        let extended = try configuration.values.settings(role: .client, transport: .stream, backend: engine).trust
        #expect(Set(extended.certificates) == Set(system.map(\.der) + [root.der, other.der]))
        configuration.setCaCertificates([root])
        #expect(configuration.caCertificates == [root])
        #expect(!configuration.usesSystemCaCertificates)
        let replaced = try configuration.values.settings(role: .client, transport: .stream, backend: engine).trust
        #expect(replaced.certificates == [root.der])
        configuration.setCaCertificates([])
        let nothing = try configuration.values.settings(role: .client, transport: .stream, backend: engine).trust
        #expect(nothing.certificates.isEmpty && nothing.count == 0)
    }

    @Test("Only the right CA makes a private server acceptable", arguments: SocketFixture.all)
    func privateServer(pair: SocketFixture) throws {
        let certificates = try TestCertificates.shared()
        let identity = try certificates.identity(.valid)
        let server = try identity.configuration(backend: pair.server)
        let root = try SslCertificate(der: certificates.root.certificate, backend: pair.client)
        func outcome(_ change: (inout SslConfiguration) -> Void) throws -> SslSocketError.Code? {
            var client = configuration(pair.client)
            change(&client)
            let pipe = try MemoryPipe(client: client, server: server)
            pipe.run()
            #expect((pipe.client.error == nil) == pipe.client.isEstablished)
            return pipe.client.error?.code
        }
        #expect(try outcome { _ in } == .peerVerificationFailed)
        #expect(try outcome { $0 = configuration(pair.client) } == .peerVerificationFailed)
        #expect(try outcome { $0.addCaCertificate(root) } == nil)
        #expect(try outcome { $0.setCaCertificates([root]) } == nil)
        #expect(try outcome { $0.setCaCertificates([]) } == .peerVerificationFailed)
    }

    @Test("An expired CA certificate proves nothing", arguments: SocketFixture.all)
    func expiredCa(pair: SocketFixture) throws {
        let past = SslInstant.now.adding(days: -60)...SslInstant.now.adding(days: -30)
        let identity = try TestAuthority.makeRoot("Test Expired Root", validity: past).issue()
        let pipe = try MemoryPipe(
            client: identity.trustingConfiguration(backend: pair.client), server: identity.configuration(backend: pair.server))
        pipe.run()
        #expect(pipe.client.error?.code == .peerVerificationFailed)
        #expect(pipe.client.connection.peerErrors.map(\.code) == [.certificateExpired])
    }

    @Test("The system's certificates can be listed", arguments: SslBackends.available)
    func systemCaCertificates(backend: String) throws {
        let system = try SslConfiguration.systemCaCertificates(backend: backend)
        #expect(system.count > 1)
        #expect(Set(system).count == system.count)
        #expect(system.allSatisfy { !$0.subjectDisplayName.isEmpty })
        #expect(throws: SslSocketError(.noBackend, "")) { try SslConfiguration.systemCaCertificates(backend: "made-up") }
    }

    @Test("A server names no CA unless told to", arguments: SocketFixture.all)
    func requestedAuthorities(pair: SocketFixture) throws {
        let certificates = try TestCertificates.shared()
        let identity = try certificates.identity(.valid)
        let shown = try certificates.identity(.client)
        let root = try SslCertificate(der: certificates.root.certificate, backend: pair.server)
        for names in [[], [root]] {
            var client = try identity.trustingConfiguration(backend: pair.client)
            client.credentials = [try shown.credentials(backend: pair.client)]
            // In TLS 1.2 the request can be read on the wire.
            client.protocol = .tlsV1_2
            var server = try identity.configuration(backend: pair.server)
            server.protocol = .tlsV1_2
            server.peerVerifyMode = .verifyPeer
            server.setCaCertificates([root])
            server.requestedAuthorities = names
            let pipe = try MemoryPipe(client: client, server: server)
            #expect(pipe.converse(Array("hello".utf8)))
            let name = root.parsed.subjectDer
            let wire = pipe.toClient.transcript
            // Once as issuer of the server's intermediate, and once more in the request.
            let count = (0...(wire.count - name.count)).count { wire[$0..<($0 + name.count)].elementsEqual(name) }
            #expect(count == 1 + names.count)
        }
    }

    // MARK: Ciphers and groups

    @Test("Cipher suites are set by a list or by names", arguments: SslBackends.available)
    func ciphers(backend: String) throws {
        var configuration = configuration(backend)
        let supported = try SslConfiguration.supportedCiphers(backend: backend)
        let three = Array(supported.filter { SslCipher.defaults.contains($0) }.prefix(3))
        #expect(three.count == 3)
        configuration.ciphers = three
        let byList = configuration
        for separator in [":", ",", " ", ", "] {
            configuration.ciphers = []
            try configuration.setCiphers(three.map(\.name).joined(separator: separator))
            #expect(configuration == byList)
            try configuration.setCiphers(three.map(\.opensslName).joined(separator: separator))
            #expect(configuration == byList)
        }
        try configuration.setCiphers("\(three[0].name):\(three[0].opensslName):\(three[1].name)")
        #expect(configuration.ciphers == Array(three.prefix(2)))
        for bad in ["no such suite", "\(three[0].name):NOSUCH", "HIGH:!aNULL", "ALL", "NULL-SHA", "ADH-AES128-SHA"] {
            #expect(throws: SslSocketError(.invalidUserData, "")) { try configuration.setCiphers(bad) }
        }
        #expect(configuration.ciphers == Array(three.prefix(2)))
        try configuration.setCiphers("")
        #expect(configuration.ciphers.isEmpty)
    }

    @Test("A suite or group the backend does not have is refused by name", arguments: SslBackends.available)
    func unsupported(backend: String) throws {
        var configuration = configuration(backend)
        configuration.groups = [.x25519, SslGroup(code: 0xFFFE)]
        #expect(Self.refusal(configuration)?.code == .unsupportedSetting)
        configuration.groups = try SslConfiguration.supportedEllipticCurves(backend: backend)
        #expect(Self.refusal(configuration) == nil)
        configuration.ciphers = [SslCipher(code: 0xFFFE)]
        #expect(Self.refusal(configuration)?.code == .unsupportedSetting)
    }

    // MARK: Switches, protocols, options of the library

    @Test("Switches are turned on and off one by one")
    func options() {
        var configuration = SslConfiguration()
        for bit in 0..<8 {
            let option = SslOptions(rawValue: 1 << bit)
            configuration.setSslOption(option, true)
            #expect(configuration.testSslOption(option))
            #expect(configuration.options == SslOptions.default.union(option))
            configuration.setSslOption(option, false)
            #expect(!configuration.testSslOption(option))
            #expect(configuration.options == SslOptions.default.subtracting(option))
            configuration.options = .default
        }
        #expect(configuration.isUnchanged)
    }

    @Test("ALPN names have 1 to 255 octets", arguments: SslBackends.available)
    func applicationProtocols(backend: String) {
        var configuration = configuration(backend)
        configuration.allowedNextProtocols = [SslConfiguration.alpnProtocolHttp2, SslConfiguration.nextProtocolHttp1_1]
        #expect(configuration.allowedNextProtocols == ["h2", "http/1.1"])
        #expect(Self.refusal(configuration) == nil)
        for bad in ["", String(repeating: "x", count: 256)] {
            configuration.allowedNextProtocols = ["h2", bad]
            #expect(Self.refusal(configuration)?.code == .invalidUserData)
        }
    }

    @Test("Options in the library's words are kept, and a bad one is refused by its name", arguments: SslBackends.available)
    func backendOptions(backend: String) throws {
        var configuration = configuration(backend)
        let good: [String: String] =
            backend == "gnutls"
            ? ["priority": "-SIGN-ALL:+SIGN-RSA-PSS-RSAE-SHA256"]
            : ["SignatureAlgorithms": "RSA-PSS+SHA256", "MinProtocol": "TLSv1.3"]
        configuration.backendConfiguration = good
        #expect(configuration.backendConfiguration == good)
        #expect(Self.refusal(configuration) == nil)
        configuration.setBackendConfigurationOption("NoSuchOption", "x")
        #expect(configuration.backendConfiguration.count == good.count + 1)
        let unknown = try #require(Self.refusal(configuration))
        #expect(unknown.code == .unsupportedSetting)
        #expect(unknown.message.contains("NoSuchOption"))
        #expect(unknown.backend == backend)
        configuration.backendConfiguration = [:]
        #expect(Self.refusal(configuration) == nil)
        let name = try #require(good.keys.sorted().last)
        for value in ["no such value", ""] where !(backend == "gnutls" && value.isEmpty) {
            configuration.backendConfiguration = [name: value]
            let refused = try #require(Self.refusal(configuration), "\(name)=\(value)")
            #expect(refused.code == .unsupportedSetting)
            #expect(refused.message.contains(name))
        }
        #expect(try SslBackends.named(backend).capabilities.backendOptions.contains(name))
    }

    @Test("Versions a backend lacks are refused exactly, and left out of a range", arguments: SslBackends.available)
    func versions(backend: String) throws {
        let has = try SslBackends.named(backend).capabilities.versions
        var configuration = configuration(backend)
        for version in [
            SslProtocol.anyProtocol, .secureProtocols, .tlsV1_0OrLater, .tlsV1_1OrLater, .tlsV1_2OrLater, .tlsV1_3OrLater,
        ] {
            configuration.protocol = version
            #expect(Self.refusal(configuration) == nil, "\(version)")
        }
        for (version, exact) in [(SslVersion.tls1_0, SslProtocol.tlsV1_0), (.tls1_1, .tlsV1_1)] {
            configuration.protocol = exact
            // Without suites of its time it is refused in any case; with them, where the library has it not.
            #expect(Self.refusal(configuration)?.code == .unsupportedSetting)
            configuration.ciphers = [SslCipher(code: 0xC009), SslCipher(code: 0xC013)]
            #expect((Self.refusal(configuration) == nil) == has.contains(version), "\(version)")
            configuration.ciphers = []
        }
        configuration.protocol = .secureProtocols
        let engine = try SslBackends.named(backend)
        let datagrams = try configuration.values.settings(role: .client, transport: .datagram, backend: engine)
        #expect(datagrams.versions == .dtls1_2 ... .dtls1_2)
        for version in [SslProtocol.dtlsV1_0, .dtlsV1_2, .dtlsV1_0OrLater, .dtlsV1_2OrLater, .unknownProtocol] {
            configuration.protocol = version
            #expect(Self.refusal(configuration)?.code == .invalidUserData, "\(version)")
        }
    }
}
