import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

/// The members of a socket that are settings, and what was made of them.
@Suite("Settings of a socket")
struct SocketSettingsTests {
    @Test("What is set on a socket is set in its configuration, and the other way round", arguments: SslBackends.available)
    func forwarding(backend: String) throws {
        let identity = try TestCertificates.shared().identity(.valid)
        let chain = try identity.credentials(backend: backend).chain
        let root = try identity.anchorCertificates(backend: backend)
        let socket = SslSocket(configuration: SslConfiguration())
        socket.sslConfiguration.backend = backend
        socket.protocol = .tlsV1_3
        #expect(socket.sslConfiguration.protocol == .tlsV1_3)
        socket.peerVerifyMode = .queryPeer
        #expect(socket.sslConfiguration.peerVerifyMode == .queryPeer)
        socket.peerVerifyDepth = 2
        #expect(socket.sslConfiguration.peerVerifyDepth == 2)
        socket.localCertificateChain = chain
        #expect(socket.sslConfiguration.localCertificateChain == chain && socket.localCertificate == chain[0])
        socket.localCertificate = chain[1]
        #expect(socket.sslConfiguration.localCertificateChain == [chain[1]])
        socket.privateKey = identity.key
        #expect(socket.sslConfiguration.privateKey == identity.key)
        socket.caCertificates = root
        #expect(socket.sslConfiguration.caCertificates == root && socket.sslConfiguration.usesSystemCaCertificates)
        socket.addCaCertificate(chain[0])
        socket.addCaCertificates([chain[1]])
        #expect(socket.sslConfiguration.caCertificates == root + chain)
        socket.setCaCertificates(root)
        #expect(socket.caCertificates == root && !socket.sslConfiguration.usesSystemCaCertificates)
        socket.ciphers = [SslCipher.defaults[1]]
        #expect(socket.sslConfiguration.ciphers == [SslCipher.defaults[1]])
        try socket.setCiphers("ECDHE-RSA-AES128-GCM-SHA256:TLS_AES_128_GCM_SHA256")
        #expect(socket.ciphers.map(\.code) == [0xC02F, 0x1301])
        #expect(throws: SslSocketError(.invalidUserData, "")) { try socket.setCiphers("NONSENSE") }
        #expect(socket.ciphers.count == 2)

        var other = SslConfiguration()
        other.protocol = .tlsV1_2
        other.peerVerifyDepth = 7
        other.localCertificate = chain[0]
        socket.sslConfiguration = other
        #expect(socket.protocol == .tlsV1_2)
        #expect(socket.peerVerifyMode == .autoVerifyPeer)
        #expect(socket.peerVerifyDepth == 7)
        #expect(socket.localCertificateChain == [chain[0]])
        #expect(socket.privateKey == nil && socket.ciphers.isEmpty && socket.caCertificates.isEmpty)
    }

    @Test("Certificate and key come from files, and what is wrong with a file is said at once", arguments: SslBackends.available)
    func files(backend: String) throws {
        let identity = try TestCertificates.shared().identity(.valid)
        let chain = try identity.credentials(backend: backend).chain
        let files = try ScratchFiles()
        let certificates = try files.write("chain.pem", chain.map(\.pem).joined())
        let der = try files.write("leaf.der", chain[0].der)
        let key = try files.write("key.pem", identity.key.pem)
        let socket = SslSocket(configuration: SslConfiguration())
        socket.sslConfiguration.backend = backend
        try socket.setLocalCertificate(fromFile: certificates)
        // The first of the file, as in Qt.
        #expect(socket.localCertificateChain == [chain[0]])
        #expect(socket.localCertificate == chain[0])
        socket.localCertificate = nil
        try socket.setLocalCertificate(fromFile: der, format: .der)
        #expect(socket.localCertificate == chain[0])
        try socket.setPrivateKey(fromFile: key)
        #expect(socket.privateKey?.publicKeyInfo == identity.key.publicKeyInfo)
        let before = socket.sslConfiguration
        #expect(throws: SslSocketError(.unreadableFile, "")) { try socket.setLocalCertificate(fromFile: files.path + "/none") }
        #expect(throws: SslSocketError(.invalidUserData, "")) { try socket.setLocalCertificate(fromFile: key) }
        #expect(throws: SslSocketError(.unreadableFile, "")) { try socket.setPrivateKey(fromFile: files.path + "/none") }
        #expect(throws: SslSocketError(.invalidUserData, "")) { try socket.setPrivateKey(fromFile: certificates) }
        #expect(socket.sslConfiguration == before)
        #expect(try socket.addCaCertificates(fromPath: files.path + "/*.pem", syntax: .wildcard))
        #expect(socket.caCertificates == chain)
        #expect(try !socket.addCaCertificates(fromPath: files.path + "/none.*", syntax: .regularExpression))
        #expect(throws: SslSocketError(.unreadableFile, "")) { try socket.addCaCertificates(fromPath: files.path + "/none") }
    }

    @Test("A connection made by the members of the socket alone", arguments: SocketFixture.all)
    func byMembers(pair: SocketFixture) async throws {
        let identity = try TestCertificates.shared().identity(.valid)
        let shown = try identity.credentials(backend: pair.server)
        let roots = try identity.anchorCertificates(backend: pair.client)
        try await pair.withPlainPair { socket in
            socket.sslConfiguration = SslConfiguration()
            socket.sslConfiguration.backend = pair.server
            socket.localCertificateChain = shown.chain
            socket.privateKey = shown.key
            socket.peerVerifyMode = .verifyNone
            socket.startServerEncryption()
            #expect(await socket.waitForEncrypted())
            #expect(socket.ephemeralServerKey == nil)
            _ = try? await socket.receive()
        } _: { socket in
            #expect(await socket.waitForConnected())
            socket.sslConfiguration = SslConfiguration()
            socket.sslConfiguration.backend = pair.client
            socket.setCaCertificates(roots)
            socket.protocol = .tlsV1_2
            try socket.setCiphers("ECDHE-ECDSA-AES256-GCM-SHA384")
            #expect(socket.ephemeralServerKey == nil)
            socket.startClientEncryption()
            #expect(await socket.waitForEncrypted())
            #expect(socket.sessionProtocol == .tlsV1_2)
            #expect(socket.sessionCipher?.opensslName == "ECDHE-ECDSA-AES256-GCM-SHA384")
            #expect(try SslConfiguration.supportedCiphers(backend: pair.client).contains { $0 == socket.sessionCipher })
            // Leaf and intermediate arrive in the order they were given.
            #expect(socket.peerCertificateChain.map(\.der) == shown.chain.map(\.der))
            #expect(socket.peerCertificate?.der == shown.chain[0].der)
        }
    }

    @Test("The range of versions outlives connecting, and both ways of starting obey it", arguments: SocketFixture.all)
    func protocolSurvives(pair: SocketFixture) async throws {
        let rows: [(SslProtocol, SslProtocol)] = [
            (.tlsV1_2, .tlsV1_2), (.tlsV1_3, .tlsV1_3), (.anyProtocol, .tlsV1_3), (.secureProtocols, .tlsV1_3),
        ]
        for (range, agreed) in rows {
            try await pair.withPlainPair { socket in
                socket.startServerEncryption()
                _ = await socket.waitForEncrypted()
                _ = try? await socket.receive()
            } _: { socket in
                socket.protocol = range
                #expect(await socket.waitForConnected())
                #expect(socket.protocol == range && socket.sessionProtocol == .unknownProtocol)
                socket.startClientEncryption()
                #expect(await socket.waitForEncrypted())
                #expect(socket.sessionProtocol == agreed)
                socket.abort()
                #expect(socket.protocol == range && socket.sessionProtocol == .unknownProtocol)
            }
            let server = SslServer(configuration: try pair.serverConfiguration())
            try server.listen(host: "127.0.0.1")
            let port = server.serverPort
            async let accepted: Void = Self.serve(server)
            let socket = SslSocket(configuration: try pair.clientConfiguration())
            socket.protocol = range
            socket.connectToHostEncrypted("127.0.0.1", port: port, peerVerifyName: TestIdentity.defaultHost)
            #expect(await socket.waitForEncrypted())
            #expect(socket.sessionProtocol == agreed && socket.protocol == range)
            await socket.finish()
            await accepted
            server.close()
        }
    }

    private static func serve(_ server: SslServer) async {
        guard let socket = try? await server.accept() else { return }
        _ = try? await socket.receive()
        await socket.finish()
    }

    @Test("The key the server made for the connection", arguments: SocketFixture.all)
    func ephemeralServerKey(pair: SocketFixture) async throws {
        let identity = try TestCertificates.shared().identity(.rsa)
        let server = try identity.configuration(backend: pair.server)
        let rows: [(String, [SslGroup], SslEphemeralKey?)] = [
            ("ECDHE-RSA-AES256-GCM-SHA384", [.secp384r1], SslEphemeralKey(group: .secp384r1)),
            ("TLS_AES_128_GCM_SHA256", [.x25519], SslEphemeralKey(group: .x25519)),
            ("DHE-RSA-AES128-GCM-SHA256", [.x25519], SslEphemeralKey(diffieHellmanBits: 2048)),
            ("AES128-GCM-SHA256", [.x25519], nil),
        ]
        for (cipher, groups, key) in rows {
            var client = try identity.trustingConfiguration(backend: pair.client)
            try client.setCiphers(cipher)
            client.groups = groups
            let (serverConfiguration, clientConfiguration) = (server, client)
            try await pair.withPlainPair { socket in
                socket.sslConfiguration = serverConfiguration
                try socket.setCiphers(cipher)
                socket.startServerEncryption()
                // The client may be gone again before its last flight was read.
                _ = await socket.waitForEncrypted()
                #expect(socket.ephemeralServerKey == nil)
                _ = try? await socket.receive()
            } _: { socket in
                #expect(await socket.waitForConnected())
                socket.sslConfiguration = clientConfiguration
                socket.startClientEncryption()
                #expect(await socket.waitForEncrypted())
                #expect(socket.ephemeralServerKey == key, "\(cipher)")
                socket.abort()
                #expect(socket.ephemeralServerKey == nil)
            }
        }
        #expect(SslEphemeralKey(group: .secp384r1).algorithm == .ec && SslEphemeralKey(group: .secp384r1).bits == 384)
        #expect(SslEphemeralKey(group: .x25519).algorithm == .x25519)
        #expect(SslEphemeralKey(group: .ffdhe3072).algorithm == .dh && SslEphemeralKey(group: .ffdhe3072).bits == 3072)
        #expect(
            SslEphemeralKey(diffieHellmanBits: 2048).algorithm == .dh && SslEphemeralKey(diffieHellmanBits: 2048).group == nil)
    }

    @Test("A setting changed after the start counts for the next handshake only", arguments: SocketFixture.all)
    func timing(pair: SocketFixture) async throws {
        try await pair.withPlainPair { socket in
            socket.startServerEncryption()
            _ = await socket.waitForEncrypted()
            _ = try? await socket.receive()
        } _: { socket in
            #expect(await socket.waitForConnected())
            socket.protocol = .tlsV1_3
            let given = socket.sslConfiguration
            socket.startClientEncryption()
            socket.protocol = .tlsV1_2
            socket.setCaCertificates([])
            socket.peerVerifyDepth = -1
            #expect(await socket.waitForEncrypted())
            #expect(socket.sessionProtocol == .tlsV1_3)
            // The next connection of the same socket would take them.
            #expect(socket.protocol == .tlsV1_2 && socket.caCertificates.isEmpty)
            // What a connection negotiates is asked of the socket; the configuration stays what it was given.
            socket.sslConfiguration = given
            #expect(socket.sslConfiguration == given)
        }
    }

    @Test("What came of ALPN, and nothing made up", arguments: SocketFixture.all)
    func applicationProtocols(pair: SocketFixture) async throws {
        let rows: [([String], [String], String?, SslNextProtocolStatus)] = [
            (["h2", "http/1.1"], ["http/1.1"], "http/1.1", .negotiated), (["h2"], ["http/1.1"], nil, .unsupported),
            (["h2"], [], nil, .unsupported), ([], ["h2"], nil, .none),
        ]
        for (client, server, agreed, status) in rows {
            try await pair.withPlainPair { socket in
                socket.sslConfiguration.allowedNextProtocols = server
                socket.startServerEncryption()
                _ = await socket.waitForEncrypted()
                _ = try? await socket.receive()
            } _: { socket in
                #expect(await socket.waitForConnected())
                socket.sslConfiguration.allowedNextProtocols = client
                #expect(socket.nextNegotiatedProtocol == nil && socket.nextProtocolNegotiationStatus == .none)
                socket.startClientEncryption()
                #expect(await socket.waitForEncrypted())
                #expect(socket.nextNegotiatedProtocol == agreed)
                #expect(socket.nextProtocolNegotiationStatus == status)
            }
        }
    }

    @Test(
        "Both ends export the same keying material, another for another label, context or connection",
        arguments: SocketFixture.all)
    func keyingMaterial(pair: SocketFixture) async throws {
        for version in [SslProtocol.tlsV1_2, .tlsV1_3] {
            let label = "EXPORTER-test"
            try await pair.withPlainPair { socket in
                socket.startServerEncryption()
                #expect(await socket.waitForEncrypted())
                for context in [nil, [], [1, 2]] as [[UInt8]?] {
                    let secret = try socket.exportKeyingMaterial(label: label, context: context, length: 40)
                    try await socket.send(unsafe secret.withBytes { unsafe [UInt8]($0) })
                }
                _ = try? await socket.receive()
            } _: { socket in
                #expect(await socket.waitForConnected())
                socket.protocol = version
                socket.startClientEncryption()
                #expect(await socket.waitForEncrypted())
                var theirs: [UInt8] = []
                while theirs.count < 120 { theirs += try await socket.receive() }
                var own: [[UInt8]] = []
                for context in [nil, [], [1, 2]] as [[UInt8]?] {
                    let secret = try socket.exportKeyingMaterial(label: label, context: context, length: 40)
                    own.append(unsafe secret.withBytes { unsafe [UInt8]($0) })
                }
                #expect(own.flatMap { $0 } == theirs)
                // No context and an empty one differ in TLS 1.2 only (RFC 8446 section 7.5).
                #expect((own[0] == own[1]) == (version == .tlsV1_3))
                #expect(own[1] != own[2])
                let other = try socket.exportKeyingMaterial(label: "EXPORTER-other", length: 40)
                #expect(unsafe other.withBytes { unsafe [UInt8]($0) } != own[0])
                #expect(throws: SslSocketError.self) { try socket.exportKeyingMaterial(label: label, length: 0) }
            }
        }
    }

    @Test("Tickets are kept unless a switch forbids it", arguments: SocketFixture.all)
    func sessionPersistence(pair: SocketFixture) async throws {
        for option in [SslOptions(), .disableSessionPersistence, .disableSessionSharing, .disableSessionTickets] {
            try await pair.withPlainPair { socket in
                socket.startServerEncryption()
                #expect(await socket.waitForEncrypted())
                try await socket.send("data")
                _ = try? await socket.receive()
            } _: { socket in
                #expect(await socket.waitForConnected())
                socket.sslConfiguration.setSslOption(option, true)
                var tickets = 0
                socket.newSessionTicketReceived.connect { _ in tickets += 1 }
                socket.startClientEncryption()
                #expect(await socket.waitForEncrypted())
                // The ticket comes before the data.
                let data = try await socket.receive()
                #expect(data == Array("data".utf8))
                let isKept = option.isEmpty
                #expect((socket.sessionTicket != nil) == isKept)
                #expect(tickets == (isKept ? 1 : 0))
                var next = socket.sslConfiguration
                next.sessionTicket = socket.sessionTicket
                #expect((next.sessionTicketLifetimeHint ?? 0 > 0) == isKept)
            }
        }
    }

    @Test("A ticket is offered unless a switch forbids it", arguments: SocketFixture.all)
    func resumption(pair: SocketFixture) throws {
        let identity = try TestCertificates.shared().identity(.valid)
        let server = try identity.configuration(backend: pair.server)
        let client = try identity.trustingConfiguration(backend: pair.client)
        let first = try MemoryPipe(client: client, host: identity.host, server: server)
        #expect(first.converse(Array("hello".utf8)))
        let ticket = try #require(first.client.tickets.last)
        for option in [SslOptions(), .disableSessionPersistence, .disableSessionSharing] {
            var again = client
            again.setSslOption(option, true)
            again.sessionTicket = ticket
            let second = try MemoryPipe(client: again, host: identity.host, server: server)
            #expect(second.converse(Array("hello".utf8)))
            #expect(second.client.connection.facts.isResumed == option.isEmpty)
        }
    }
}
