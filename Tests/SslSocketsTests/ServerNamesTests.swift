import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

@Suite("Servers: names and configurations")
struct ServerNamesTests {
    /// A server with its own certificate, and others for names.
    private func server(_ cell: ServerCell) throws -> SslServer {
        let server = try cell.server(.wildcard)
        try server.setConfiguration(configuration(.valid, cell), forServerName: "Server.Example.Test")
        try server.setConfiguration(configuration(.rsa, cell), forServerName: "*.example.test")
        return server
    }

    private func configuration(_ identity: TestCertificate, _ cell: ServerCell) throws -> SslConfiguration {
        var configuration = try TestCertificates.shared().identity(identity).configuration(backend: cell.pair.server)
        configuration.peerVerifyMode = .verifyNone
        return configuration
    }

    /// The certificate a client of that name gets; nil when it is refused.
    private func certificate(for name: String?, of server: SslServer, _ cell: ServerCell) async throws -> SslCertificate? {
        let client = try cell.client(to: server, name: name ?? "other.test") {
            // What counts is which certificate comes, not whether it is right.
            $0.peerVerifyMode = .verifyNone
            if name == nil { $0.options.insert(.disableServerNameIndication) }
        }
        guard await client.waitForEncrypted() else {
            #expect(client.error?.code == .alertReceived)
            #expect(client.error?.alert == .unrecognizedName)
            return nil
        }
        return client.peerCertificate
    }

    @Test("Each name gets its configuration: exact, wildcard, default", arguments: ServerCell.all)
    func table(cell: ServerCell) async throws {
        let server = try server(cell)
        let log = EventLog()
        server.onHandshakeFailure { _, error in log.note("\(error.code.rawValue)") }
        try server.listen(host: "127.0.0.1")
        let run = Task { try await server.run { await $0.finish() } }
        let own = try configuration(.wildcard, cell).localCertificate
        let exact = try configuration(.valid, cell).localCertificate
        let wild = try configuration(.rsa, cell).localCertificate
        #expect(try await certificate(for: "server.example.test", of: server, cell) == exact)
        #expect(try await certificate(for: "SERVER.example.TEST", of: server, cell) == exact)
        #expect(try await certificate(for: "mail.example.test", of: server, cell) == wild)
        // The star stands for one label.
        #expect(try await certificate(for: "a.mail.example.test", of: server, cell) == own)
        #expect(try await certificate(for: "example.test", of: server, cell) == own)
        #expect(try await certificate(for: nil, of: server, cell) == own)

        server.serverNamePolicy = .refuseUnknown
        #expect(try await certificate(for: "a.mail.example.test", of: server, cell) == nil)
        #expect(try await certificate(for: "mail.example.test", of: server, cell) == wild)
        #expect(try await certificate(for: nil, of: server, cell) == own)
        server.serverNamePolicy = .requireKnown
        #expect(try await certificate(for: nil, of: server, cell) == nil)
        #expect(try await certificate(for: "server.example.test", of: server, cell) == exact)
        #expect(await log.wait(for: "handshakeFailed", times: 2))

        server.serverNamePolicy = .useDefault
        try server.setConfiguration(nil, forServerName: "server.example.test")
        #expect(try await certificate(for: "server.example.test", of: server, cell) == wild)
        try server.setConfiguration(nil, forServerName: "*.example.test")
        #expect(try await certificate(for: "server.example.test", of: server, cell) == own)
        server.close()
        try await run.value
    }

    @Test("The table is asked by name, and refuses what is no name or unfit")
    func tableItself() throws {
        let cell = ServerCell.all[0]
        let server = try server(cell)
        #expect(server.serverNamePolicy == .useDefault)
        #expect(server.configuration(forServerName: "SERVER.example.test") == (try configuration(.valid, cell)))
        #expect(server.configuration(forServerName: "www.example.test") == (try configuration(.rsa, cell)))
        #expect(server.configuration(forServerName: "example.test") == nil)
        #expect(server.configuration(forServerName: "not a name") == nil)
        let good = try configuration(.valid, cell)
        for name in ["", "127.0.0.1", "*", "*.", "a b", "w*.example.test", "*.*.test"] {
            #expect(throws: SslSocketError(.invalidUserData, "")) { try server.setConfiguration(good, forServerName: name) }
        }
        // An international name goes by the form that clients send.
        try server.setConfiguration(good, forServerName: "münchen.example")
        #expect(server.configuration(forServerName: "xn--mnchen-3ya.example") == good)
        // Without a certificate nobody can be served.
        #expect(throws: SslSocketError(.invalidUserData, "")) {
            try server.setConfiguration(SslConfiguration(), forServerName: "www.example.test")
        }
        #expect(server.configuration(forServerName: "www.example.test") == (try configuration(.rsa, cell)))
    }

    @Test("A closure comes first, and the table decides when it says proceed", arguments: ServerCell.all)
    func closureFirst(cell: ServerCell) async throws {
        let server = try server(cell)
        let special = try configuration(.p384UnderRsa, cell)
        server.selectConfiguration { socket, hello in
            #expect(socket.peerAddress?.ip == .loopbackIPv4)
            switch hello.serverName {
            case "special.test": return .use(special)
            case "refused.test": return .refuse
            default: return .proceed
            }
        }
        try server.listen(host: "127.0.0.1")
        let run = Task { try await server.run { await $0.finish() } }
        #expect(try await certificate(for: "special.test", of: server, cell) == special.localCertificate)
        #expect(try await certificate(for: "refused.test", of: server, cell) == nil)
        #expect(
            try await certificate(for: "www.example.test", of: server, cell) == configuration(.rsa, cell).localCertificate)
        server.close()
        try await run.value
    }

    @Test("A name may ask for a client certificate, and the certificate is judged by its rules", arguments: ServerCell.all)
    func clientCertificateByName(cell: ServerCell) async throws {
        let server = try cell.server(.wildcard)
        let certificates = try TestCertificates.shared()
        var strict = try certificates.identity(.wildcard).configuration(backend: cell.pair.server)
        strict.peerVerifyMode = .verifyPeer
        strict.caCertificates = try certificates.identity(.client).anchorCertificates(backend: cell.pair.server)
        try server.setConfiguration(strict, forServerName: "members.example.test")
        // The server's own rules would let everybody in.
        server.sslConfiguration.peerVerifyMode = .queryPeer
        try server.listen(host: "127.0.0.1")
        let run = Task {
            try await server.run { socket in
                try? await socket.send(socket.peerCertificate == nil ? "stranger" : "member")
                await socket.finish()
            }
        }
        func greeting(_ name: String, _ identity: TestCertificate?) async throws -> String? {
            let client = try cell.client(to: server, name: name) { configuration in
                if let identity {
                    configuration.credentials = [try certificates.identity(identity).credentials(backend: cell.pair.client)]
                }
            }
            guard await client.waitForEncrypted() else { return nil }
            // A client of TLS 1.3 learns by the next octets that it was refused.
            return (try? await client.receive()).map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(try await greeting("members.example.test", .client) == "member")
        #expect(try await greeting("members.example.test", nil) == nil)
        #expect(try await greeting("members.example.test", .untrustedClient) == nil)
        #expect(try await greeting("public.example.test", nil) == "stranger")
        #expect(try await greeting("public.example.test", .untrustedClient) == "member")
        server.close()
        try await run.value
    }

    @Test("The certificate can be swapped under load, and no client notices", arguments: SocketFixture.all)
    func swap(pair: SocketFixture) async throws {
        let cell = ServerCell(pair: pair, version: .tlsV1_3)
        let server = try cell.server(.valid)
        let (first, second) = (server.sslConfiguration, try configuration(.rsa, cell))
        try server.listen(host: "127.0.0.1")
        let run = Task { try await server.run { await $0.finish() } }
        let seen = Lock<[SslCertificate]>([])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<10 {
                        let client = try cell.client(to: server)
                        #expect(await client.waitForEncrypted(), "\(client.errorString)")
                        let certificate = try #require(client.peerCertificate)
                        let count = seen.withLock { seen in
                            seen.append(certificate)
                            return seen.count
                        }
                        // In the middle of it all.
                        if count % 10 == 0 { server.sslConfiguration = count % 20 == 0 ? first : second }
                        await client.finish()
                    }
                }
            }
            try await group.waitForAll()
        }
        let all = seen.withLock { $0 }
        #expect(all.count == 40)
        #expect(all.contains { $0 == first.localCertificate } && all.contains { $0 == second.localCertificate })
        server.sslConfiguration = second
        #expect(server.sslConfiguration == second)
        #expect(try await certificate(for: TestIdentity.defaultHost, of: server, cell) == second.localCertificate)
        server.close()
        try await run.value
    }
}
