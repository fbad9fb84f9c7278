import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

/// Ends that insist on an application protocol (RFC 7301 section 3.2).
@Suite("Insisting on an application protocol")
struct NextProtocolPolicyTests {
    private func pipe(
        _ pair: SocketFixture, _ version: SslProtocol, client: ([String], SslNextProtocolPolicy),
        server: ([String], SslNextProtocolPolicy), ticket: SslSessionTicket? = nil
    ) throws -> MemoryPipe {
        var clientConfiguration = try pair.clientConfiguration()
        clientConfiguration.protocol = version
        (clientConfiguration.allowedNextProtocols, clientConfiguration.nextProtocolPolicy) = client
        clientConfiguration.sessionTicket = ticket
        var serverConfiguration = try pair.serverConfiguration()
        (serverConfiguration.allowedNextProtocols, serverConfiguration.nextProtocolPolicy) = server
        let pipe = try MemoryPipe(client: clientConfiguration, server: serverConfiguration)
        pipe.run()
        return pipe
    }

    @Test(
        "One that is common is enough for both", arguments: SocketFixture.all, [SslProtocol.tlsV1_2, .tlsV1_3])
    func common(pair: SocketFixture, version: SslProtocol) throws {
        #expect(SslConfiguration().nextProtocolPolicy == .optional)
        let pipe = try pipe(pair, version, client: (["a", "b"], .required), server: (["c", "b"], .required))
        #expect(pipe.converse([1]))
        #expect(pipe.client.connection.facts.applicationProtocol == Array("b".utf8))
    }

    @Test(
        "A server refuses who has none of its protocols, or speaks of none", arguments: SocketFixture.all,
        [SslProtocol.tlsV1_2, .tlsV1_3])
    func server(pair: SocketFixture, version: SslProtocol) throws {
        for offered in [["a"], []] {
            let pipe = try pipe(pair, version, client: (offered, .optional), server: (["c"], .required))
            #expect(!pipe.server.isEstablished && !pipe.client.isEstablished)
            #expect(pipe.server.error?.code == .noApplicationProtocol && pipe.server.error?.alert == .noApplicationProtocol)
            #expect(pipe.client.error?.code == .alertReceived && pipe.client.error?.alert == .noApplicationProtocol)
        }
    }

    @Test(
        "A client refuses a server that chose none", arguments: SocketFixture.all, [SslProtocol.tlsV1_2, .tlsV1_3])
    func client(pair: SocketFixture, version: SslProtocol) throws {
        for offered in [["c"], []] {
            let pipe = try pipe(pair, version, client: (["a"], .required), server: (offered, .optional))
            #expect(!pipe.server.isEstablished && !pipe.client.isEstablished)
            #expect(pipe.client.error?.code == .noApplicationProtocol)
            #expect(pipe.client.alertsSent == [SslAlert(.fatal, .noApplicationProtocol)])
            // An alert that a client of OpenSSL sends in the clear in TLS 1.3 is no alert to GnuTLS.
            let isLegible = !(version == .tlsV1_3 && pair.client == "openssl" && pair.server == "gnutls")
            #expect(pipe.server.error?.alert == (isLegible ? .noApplicationProtocol : .badRecordMac))
        }
    }

    @Test("A session that is resumed without one is refused too", arguments: SocketFixture.all, [SslProtocol.tlsV1_2, .tlsV1_3])
    func resumed(pair: SocketFixture, version: SslProtocol) throws {
        var server = try pair.serverConfiguration()
        server.allowedNextProtocols = ["a"]
        var client = try pair.clientConfiguration()
        client.protocol = version
        client.allowedNextProtocols = ["a"]
        client.nextProtocolPolicy = .required
        let first = try MemoryPipe(client: client, server: server)
        #expect(first.converse([1]))
        client.sessionTicket = first.client.tickets.first
        client.allowedNextProtocols = ["b"]
        let second = try MemoryPipe(client: client, server: server)
        second.run()
        #expect(second.client.error?.code == .noApplicationProtocol && !second.client.isEstablished)
    }

    @Test("The configuration chosen by name counts on a server", arguments: SocketFixture.all)
    func byName(pair: SocketFixture) throws {
        var strict = try pair.serverConfiguration()
        strict.allowedNextProtocols = ["c"]
        strict.nextProtocolPolicy = .required
        let chosen = strict
        for offered in ["c", "a"] {
            var client = try pair.clientConfiguration()
            client.allowedNextProtocols = [offered]
            let pipe = MemoryPipe(
                client: try PipeEndpoint(clientTo: TestIdentity.defaultHost, configuration: client),
                server: try PipeEndpoint(server: pair.serverConfiguration()) { _ in .use(chosen) })
            pipe.run()
            #expect(pipe.client.isEstablished == (offered == "c"))
            #expect((pipe.client.error?.alert == .noApplicationProtocol) == (offered == "a"))
        }
    }
}
