import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

/// RFC 5929 and RFC 9266.
@Suite("Channel bindings")
struct ChannelBindingTests {
    private func pipe(
        _ pair: SocketFixture, _ version: SslProtocol, _ kind: TestCertificate = .valid,
        client: (inout SslConfiguration) throws -> Void = { _ in }, server: (inout SslConfiguration) throws -> Void = { _ in }
    ) throws -> MemoryPipe {
        let identity = try TestCertificates.shared().identity(kind)
        var clientConfiguration = try identity.trustingConfiguration(backend: pair.client)
        clientConfiguration.protocol = version
        try client(&clientConfiguration)
        var serverConfiguration = try identity.configuration(backend: pair.server)
        try server(&serverConfiguration)
        let pipe = try MemoryPipe(client: clientConfiguration, host: identity.host, server: serverConfiguration)
        pipe.run()
        #expect(pipe.client.isEstablished && pipe.server.isEstablished)
        return pipe
    }

    /// What both ends have, which must be the same; nil when neither has it.
    private func common(_ pipe: MemoryPipe, _ kind: SslChannelBinding) throws -> [UInt8]? {
        let ours = Result { try pipe.client.connection.channelBinding(kind) }
        let theirs = Result { try pipe.server.connection.channelBinding(kind) }
        switch (ours, theirs) {
        case (.success(let one), .success(let other)):
            #expect(one == other, "\(kind)")
            return one
        case (.failure(let one), .failure(let other)):
            #expect((one as? SslSocketError)?.code == .operation && (other as? SslSocketError)?.code == .operation)
            return nil
        default:
            Issue.record("\(kind) at one end only: \(ours), \(theirs)")
            return nil
        }
    }

    @Test("Both ends have the same, and which there are depends on the version", arguments: SocketFixture.all)
    func versions(pair: SocketFixture) throws {
        let old = try pipe(pair, .tlsV1_2)
        let new = try pipe(pair, .tlsV1_3)
        #expect(try common(old, .tlsUnique)?.count == 12)
        #expect(try common(new, .tlsUnique) == nil)
        for pipe in [old, new] {
            #expect(try common(pipe, .tlsExporter)?.count == 32)
            // The certificate is signed with ECDSA and SHA-256.
            let leaf = try #require(pipe.client.connection.peerCertificates.first)
            #expect(try common(pipe, .tlsServerEndPoint) == SslBackends.active().digest(leaf.der, .sha256))
        }
        // What binds to one connection is another on the next; what binds to the server is not.
        let next = try pipe(pair, .tlsV1_2)
        #expect(try common(next, .tlsUnique) != common(old, .tlsUnique))
        #expect(try common(next, .tlsExporter) != common(old, .tlsExporter))
        #expect(try common(next, .tlsServerEndPoint) == common(old, .tlsServerEndPoint))
    }

    @Test("A resumed session has them too", arguments: SocketFixture.all, [SslProtocol.tlsV1_2, .tlsV1_3])
    func resumed(pair: SocketFixture, version: SslProtocol) throws {
        let identity = try TestCertificates.shared().identity(.valid)
        var client = try identity.trustingConfiguration(backend: pair.client)
        client.protocol = version
        let server = try identity.configuration(backend: pair.server)
        let first = try MemoryPipe(client: client, host: identity.host, server: server)
        #expect(first.converse([1]))
        client.sessionTicket = first.client.tickets.first
        let second = try MemoryPipe(client: client, host: identity.host, server: server)
        #expect(second.converse([1]))
        #expect(second.client.connection.facts.isResumed)
        #expect(try (common(second, .tlsUnique) == nil) == (version == .tlsV1_3))
        #expect(try common(second, .tlsUnique) != common(first, .tlsUnique) || version == .tlsV1_3)
        #expect(try common(second, .tlsExporter) != common(first, .tlsExporter))
        #expect(try common(second, .tlsServerEndPoint) == common(first, .tlsServerEndPoint))
    }

    @Test("Without the extended master secret nothing binds but the certificate", arguments: SocketFixture.all)
    func withoutExtendedMasterSecret(pair: SocketFixture) throws {
        let pipe = try pipe(
            pair, .tlsV1_2,
            client: {
                $0.backendConfiguration =
                    pair.client == "openssl" ? ["Options": "-ExtendedMasterSecret"] : ["priority": "%NO_SESSION_HASH"]
            })
        #expect(!pipe.client.connection.facts.hasExtendedMasterSecret && !pipe.server.connection.facts.hasExtendedMasterSecret)
        #expect(try common(pipe, .tlsUnique) == nil)
        #expect(try common(pipe, .tlsExporter) == nil)
        #expect(try common(pipe, .tlsServerEndPoint)?.count == 32)
    }

    @Test("The hash is the one of the certificate's signature, and there must be one", arguments: SocketFixture.all)
    func hashes(pair: SocketFixture) throws {
        let issuer = try TestAuthority.issuingBackend()
        for (kind, length) in [(SslKeyKind.ed25519, nil), (.ec(.secp384r1), 32), (.rsa(bits: 2048), 32)] as [(SslKeyKind, Int?)] {
            let identity = try TestAuthority.makeRoot("Root", key: kind, backend: issuer).issue()
            let pipe = try MemoryPipe(
                client: identity.trustingConfiguration(backend: pair.client), host: identity.host,
                server: identity.configuration(backend: pair.server))
            pipe.run()
            #expect(try common(pipe, .tlsServerEndPoint)?.count == length, "\(kind)")
        }
    }

    @Test("A server with several certificates binds to the one it showed", arguments: SocketFixture.all)
    func severalCertificates(pair: SocketFixture) throws {
        let other = try TestCertificates.shared().identity(.rsa)
        for isFirst in [false, true] {
            let pipe = try pipe(
                pair, .tlsV1_3,
                server: {
                    let shown = try other.credentials(backend: pair.server)
                    $0.credentials.insert(shown, at: isFirst ? 0 : 1)
                })
            let leaf = try #require(pipe.client.connection.peerCertificates.first)
            #expect(try common(pipe, .tlsServerEndPoint) == SslBackends.active().digest(leaf.der, .sha256))
        }
    }

    @Test("Sockets hand them out while they are encrypted", arguments: SocketFixture.all)
    func sockets(pair: SocketFixture) async throws {
        #expect(SslChannelBinding.allCases.map(\.rawValue) == ["tls-unique", "tls-server-end-point", "tls-exporter"])
        try await pair.withPlainPair { socket in
            socket.startServerEncryption()
            #expect(await socket.waitForEncrypted())
            try await socket.send(try socket.channelBinding(.tlsExporter) + socket.channelBinding(.tlsServerEndPoint))
            _ = try? await socket.receive()
        } _: { socket in
            #expect(await socket.waitForConnected())
            #expect(throws: SslSocketError(.operation, "")) { try socket.channelBinding(.tlsServerEndPoint) }
            socket.protocol = .tlsV1_3
            socket.startClientEncryption()
            #expect(await socket.waitForEncrypted())
            var theirs: [UInt8] = []
            while theirs.count < 64 { theirs += try await socket.receive() }
            #expect(theirs == (try socket.channelBinding(.tlsExporter) + socket.channelBinding(.tlsServerEndPoint)))
            #expect(throws: SslSocketError(.operation, "")) { try socket.channelBinding(.tlsUnique) }
        }
    }
}
