import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

/// What two configurations come to when they meet.
@Suite("Negotiation")
struct NegotiationTests {
    /// A pipe between a client that trusts the server and the server, both changed as told.
    private func pipe(
        _ pair: SocketFixture, _ kind: TestCertificate = .rsa, client: (inout SslConfiguration) throws -> Void = { _ in },
        server: (inout SslConfiguration) throws -> Void = { _ in }
    ) throws -> MemoryPipe {
        let identity = try TestCertificates.shared().identity(kind)
        var clientConfiguration = try identity.trustingConfiguration(backend: pair.client)
        var serverConfiguration = try identity.configuration(backend: pair.server)
        try client(&clientConfiguration)
        try server(&serverConfiguration)
        return try MemoryPipe(client: clientConfiguration, host: identity.host, server: serverConfiguration)
    }

    // MARK: Versions

    /// Server's range, client's range, and what is agreed; nil for nothing.
    static let ranges: [(SslProtocol, SslProtocol, SslVersion?)] = [
        (.tlsV1_2, .tlsV1_2, .tls1_2), (.tlsV1_3, .tlsV1_3, .tls1_3), (.tlsV1_2, .tlsV1_3, nil), (.tlsV1_3, .tlsV1_2, nil),
        (.anyProtocol, .anyProtocol, .tls1_3), (.secureProtocols, .secureProtocols, .tls1_3), (.anyProtocol, .tlsV1_2, .tls1_2),
        (.tlsV1_2, .anyProtocol, .tls1_2), (.secureProtocols, .tlsV1_2, .tls1_2), (.tlsV1_2, .secureProtocols, .tls1_2),
        (.secureProtocols, .tlsV1_3, .tls1_3), (.tlsV1_3, .secureProtocols, .tls1_3), (.tlsV1_2OrLater, .tlsV1_2, .tls1_2),
        (.tlsV1_2OrLater, .tlsV1_3, .tls1_3), (.tlsV1_2, .tlsV1_2OrLater, .tls1_2), (.tlsV1_3OrLater, .tlsV1_2, nil),
        (.tlsV1_2, .tlsV1_3OrLater, nil), (.tlsV1_3OrLater, .tlsV1_2OrLater, .tls1_3),
        (.tlsV1_0OrLater, .tlsV1_1OrLater, .tls1_3),
        (.tlsV1_0OrLater, .tlsV1_2, .tls1_2),
    ]

    @Test("The newest version of both ranges is agreed on", arguments: SocketFixture.all)
    func protocolServerSide(pair: SocketFixture) throws {
        for (server, client, version) in Self.ranges {
            let pipe = try pipe(pair, client: { $0.protocol = client }, server: { $0.protocol = server })
            let isEchoed = pipe.converse(Array("hello".utf8))
            #expect(isEchoed == (version != nil), "server \(server), client \(client)")
            #expect(pipe.client.connection.facts.version == version || version == nil)
            #expect(pipe.server.connection.facts.version == version || version == nil)
            if version == nil {
                #expect(pipe.server.error?.code == .handshakeFailed && pipe.server.error?.alert == .protocolVersion)
                #expect(pipe.client.error?.alert == .protocolVersion)
            }
        }
    }

    /// A client or server of an old version, as far as its library goes: OpenSSL has to be told in its own words.
    private static func makeOld(_ configuration: inout SslConfiguration, _ version: SslVersion) {
        if configuration.backend == "openssl" {
            let name = version == .tls1_0 ? "TLSv1" : "TLSv1.1"
            configuration.backendConfiguration = [
                "CipherString": "ECDHE-RSA-AES128-SHA@SECLEVEL=0", "MinProtocol": name, "MaxProtocol": name,
            ]
        } else {
            configuration.protocol = SslProtocol(exactly: version)
            configuration.ciphers = [SslCipher(code: 0xC013)]
        }
    }

    @Test("TLS 1.0 and 1.1 are there for who insists, and for nobody else", arguments: SocketFixture.all)
    func oldVersions(pair: SocketFixture) throws {
        for version in [SslVersion.tls1_0, .tls1_1] {
            let insisting = try pipe(
                pair, client: { Self.makeOld(&$0, version) }, server: { Self.makeOld(&$0, version) })
            #expect(insisting.converse(Array("hello".utf8)), "\(version) \(String(describing: insisting.server.error))")
            #expect(insisting.client.connection.facts.version == version)
            let lone = try pipe(pair, client: { Self.makeOld(&$0, version) })
            #expect(!lone.converse(Array("hello".utf8)))
            #expect(lone.server.error?.alert == .protocolVersion)
        }
    }

    // MARK: Suites, groups, signatures

    @Test("The server's order of suites counts, or the client's when the server says so", arguments: SocketFixture.all)
    func serverCipherPreferences(pair: SocketFixture) throws {
        let one = "TLS_AES_128_GCM_SHA256"
        let other = "TLS_AES_256_GCM_SHA384"
        for leavesChoice in [false, true] {
            let pipe = try pipe(
                pair, client: { try $0.setCiphers("\(other):\(one)") },
                server: {
                    try $0.setCiphers("\(one):\(other)")
                    $0.setSslOption(.disableServerCipherPreference, leavesChoice)
                })
            #expect(pipe.converse(Array("hello".utf8)))
            #expect(pipe.client.connection.facts.cipher?.name == (leavesChoice ? other : one))
        }
    }

    @Test("A list of suites of one version only restricts the connection to it", arguments: SocketFixture.all)
    func oneFamily(pair: SocketFixture) throws {
        let old = try pipe(pair, server: { try $0.setCiphers("ECDHE-RSA-AES256-GCM-SHA384") })
        #expect(old.converse(Array("hello".utf8)))
        #expect(old.client.connection.facts.version == .tls1_2)
        #expect(old.client.connection.facts.cipher?.opensslName == "ECDHE-RSA-AES256-GCM-SHA384")
        let new = try pipe(
            pair, client: { try $0.setCiphers("TLS_AES_256_GCM_SHA384") }, server: { $0.protocol = .tlsV1_2 })
        #expect(!new.converse(Array("hello".utf8)))
    }

    @Test("The group is the first of the client's that both have", arguments: SocketFixture.all)
    func groups(pair: SocketFixture) throws {
        for version in [SslProtocol.tlsV1_2, .tlsV1_3] {
            for group in [SslGroup.secp256r1, .secp384r1, .x25519] {
                let pipe = try pipe(
                    pair,
                    client: {
                        $0.groups = [group]
                        $0.protocol = version
                    })
                #expect(pipe.converse(Array("hello".utf8)))
                #expect(pipe.client.connection.facts.group == group)
                #expect(pipe.server.connection.facts.group == group)
            }
        }
        let nothing = try pipe(pair, client: { $0.groups = [.secp384r1] }, server: { $0.groups = [.secp256r1] })
        #expect(!nothing.converse(Array("hello".utf8)))
        #expect(nothing.server.error?.code == .handshakeFailed)
    }

    /// The option of each library that leaves only RSA with this hash.
    private static func sign(_ configuration: inout SslConfiguration, _ hash: String?) {
        guard let hash else { return }
        if configuration.backend == "openssl" {
            configuration.setBackendConfigurationOption("SignatureAlgorithms", "RSA+\(hash)")
        } else {
            configuration.setBackendConfigurationOption("priority", "-SIGN-ALL:+SIGN-RSA-\(hash)")
        }
    }

    @Test("Signature algorithms set in the library's words decide what both ends can do", arguments: SocketFixture.all)
    func signatureAlgorithm(pair: SocketFixture) throws {
        let rows: [(String?, String?, String?)] = [
            ("SHA256", "SHA256", "rsa_pkcs1_sha256"), ("SHA512", "SHA512", "rsa_pkcs1_sha512"),
            ("SHA384", nil, "rsa_pkcs1_sha384"),
            ("SHA256", "SHA512", nil), ("SHA512", "SHA256", nil),
        ]
        for (client, server, scheme) in rows {
            // The certificate's own signature must fit too: a root with an RSA key signs the leaf with SHA-256.
            let identity = try TestCertificates.shared().identity(.rsa)
            var clientConfiguration = try identity.trustingConfiguration(backend: pair.client)
            var serverConfiguration = try identity.configuration(backend: pair.server)
            clientConfiguration.protocol = .tlsV1_2
            serverConfiguration.protocol = .tlsV1_2
            Self.sign(&clientConfiguration, client)
            Self.sign(&serverConfiguration, server)
            let pipe = try MemoryPipe(client: clientConfiguration, server: serverConfiguration)
            #expect(pipe.converse(Array("hello".utf8)) == (scheme != nil), "\(client ?? "any") \(server ?? "any")")
            if let scheme { #expect(pipe.client.connection.facts.signatureScheme?.name == scheme) }
        }
    }

    // MARK: Application protocols

    @Test(
        "The server's first protocol that the client has is agreed on; without one the handshake goes on",
        arguments: SocketFixture.all)
    func allowedProtocolNegotiation(pair: SocketFixture) throws {
        let rows: [([String], [String], String?)] = [
            (["bla", "second", "h2"], ["h2", "second"], "h2"), (["h2", "http/1.1"], ["http/1.1", "h2"], "http/1.1"),
            (["a", "b"], ["c"], nil), ([], ["h2"], nil), (["h2"], [], nil), ([], [], nil),
        ]
        for (client, server, agreed) in rows {
            let pipe = try pipe(
                pair, client: { $0.allowedNextProtocols = client }, server: { $0.allowedNextProtocols = server })
            #expect(pipe.converse(Array("hello".utf8)))
            #expect(pipe.client.connection.facts.applicationProtocol == agreed.map { Array($0.utf8) })
            #expect(pipe.server.connection.facts.applicationProtocol == agreed.map { Array($0.utf8) })
        }
    }

    @Test("The server name is sent unless a switch forbids it", arguments: SocketFixture.all)
    func serverName(pair: SocketFixture) throws {
        for isOff in [false, true] {
            let pipe = try pipe(pair, client: { $0.setSslOption(.disableServerNameIndication, isOff) })
            #expect(pipe.converse(Array("hello".utf8)))
            #expect(pipe.server.connection.clientHello?.serverName == (isOff ? nil : TestIdentity.defaultHost))
        }
    }

    // MARK: What no switch can turn on

    @Test("Compression is neither offered nor accepted, even when it is not forbidden", arguments: SocketFixture.all)
    func compression(pair: SocketFixture) throws {
        let pipe = try pipe(
            pair,
            client: {
                $0.protocol = .tlsV1_2
                $0.setSslOption(.disableCompression, false)
            },
            server: {
                $0.protocol = .tlsV1_2
                $0.setSslOption(.disableCompression, false)
            })
        #expect(pipe.converse(Array("hello".utf8)))
        // compression_methods of the ClientHello: one octet of length, and null.
        let hello = pipe.toServer.transcript
        let sessionId = 43
        var at = sessionId + 1 + Int(hello[sessionId])
        at += 2 + Int(hello[at]) << 8 + Int(hello[at + 1])
        #expect(Array(hello[at..<(at + 2)]) == [1, 0])
        // compression_method of the ServerHello stands behind the suite.
        let answer = pipe.toClient.transcript
        let place = sessionId + 1 + Int(answer[sessionId]) + 2
        #expect(answer[place] == 0)
    }

    @Test("A server answers no wish to renegotiate, even when the old way is not forbidden", arguments: SocketFixture.all)
    func renegotiation(pair: SocketFixture) throws {
        let pipe = try pipe(
            pair, client: { $0.protocol = .tlsV1_2 },
            server: {
                $0.protocol = .tlsV1_2
                $0.setSslOption(.disableLegacyRenegotiation, false)
            })
        #expect(pipe.converse(Array("hello".utf8)))
        // The server says in its hello that it would renegotiate in the safe way only (RFC 5746 section 3.6).
        let answer = pipe.toClient.transcript
        let extensionOctets: [UInt8] = [0xFF, 0x01, 0x00, 0x01, 0x00]
        #expect((0...(answer.count - 5)).contains { answer[$0..<($0 + 5)].elementsEqual(extensionOctets) })
    }
}
