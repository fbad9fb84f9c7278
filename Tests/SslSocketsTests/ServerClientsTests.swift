import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

/// Good and bad clients of a server.
@Suite("Servers: clients")
struct ServerClientsTests {
    @Test("A good client: one handshake begins, one connection is pending, and nothing else is said", arguments: ServerCell.all)
    func oneGoodClient(cell: ServerCell) async throws {
        let server = try cell.server()
        let log = EventLog()
        server.observe(log)
        try server.listen(host: "127.0.0.1")
        let client = try cell.client(to: server)
        #expect(await client.waitForEncrypted())
        #expect(await log.wait(for: "pending"))
        #expect(log.entries == ["incoming", "started", "encrypted", "pending"])
        let socket = try #require(server.nextPendingConnection())
        #expect(socket.sessionProtocol == cell.version)
        async let sent: Void = client.send("ping")
        #expect(try await socket.receive() == Array("ping".utf8))
        try await sent
    }

    @Test("A client whose certificate nobody vouches for is refused with an alert", arguments: ServerCell.all)
    func refusedByServer(cell: ServerCell) async throws {
        let server = try cell.server()
        let certificates = try TestCertificates.shared()
        server.sslConfiguration.peerVerifyMode = .verifyPeer
        server.sslConfiguration.caCertificates = try certificates.identity(.client).anchorCertificates(backend: cell.pair.server)
        let log = EventLog()
        server.observe(log)
        try server.listen(host: "127.0.0.1")
        let client = try cell.client(to: server) {
            $0.credentials = [try certificates.identity(.selfSigned).credentials(backend: cell.pair.client)]
        }
        let received = Received(client)
        // A client of TLS 1.3 is done before the server has looked.
        if await client.waitForEncrypted() { _ = await client.waitForDisconnected() }
        #expect(client.state == .unconnected)
        #expect(client.error?.code == .alertReceived)
        #expect(received.alerts.count == 1)
        #expect(await log.wait { $0.contains { $0.hasPrefix("failed") } })
        #expect(log.entries.first == "incoming")
        #expect(log.entries.count { $0.hasPrefix("sslErrors") } == 1)
        #expect(log.entries.count { $0.hasPrefix("sent") } == 1)
        #expect(log.entries.contains("peerVerifyError selfSignedCertificate"))
        #expect(log.count("error peerVerificationFailed") == 1)
        #expect(log.entries.last == "failed 127.0.0.1 peerVerificationFailed")
        #expect(log.count("pending") == 0 && !server.hasPendingConnections)
    }

    @Test("A slot of the server's hook lets a bad certificate pass", arguments: ServerCell.all)
    func ignoredByServer(cell: ServerCell) async throws {
        let server = try cell.server()
        let certificates = try TestCertificates.shared()
        server.sslConfiguration.peerVerifyMode = .verifyPeer
        server.sslConfiguration.caCertificates = try certificates.identity(.client).anchorCertificates(backend: cell.pair.server)
        server.onConnection { socket in
            socket.sslErrors.connect { socket, errors in socket.ignoreSslErrors(errors) }
        }
        try server.listen(host: "127.0.0.1")
        let identity = try certificates.identity(.selfSigned)
        let client = try cell.client(to: server) { $0.credentials = [try identity.credentials(backend: cell.pair.client)] }
        async let shown: [UInt8]? = {
            let socket = try await server.accept()
            #expect(socket.sslHandshakeErrors.contains { $0.code == .selfSignedCertificate })
            return socket.peerCertificate?.der
        }()
        #expect(await client.waitForEncrypted())
        #expect(try await shown == identity.chain[0])
    }

    @Test("A client that does not trust the server tells it so", arguments: ServerCell.all)
    func refusedByClient(cell: ServerCell) async throws {
        let server = try cell.server(.selfSigned)
        let log = EventLog()
        server.observe(log)
        try server.listen(host: "127.0.0.1")
        let client = try cell.client(to: server)
        #expect(!(await client.waitForEncrypted()))
        #expect(client.error?.code == .peerVerificationFailed)
        #expect(await log.wait { $0.contains { $0.hasPrefix("failed") } })
        if cell.version == .tlsV1_3, cell.pair.client == "openssl", cell.pair.server == "gnutls" {
            // OpenSSL sends this alert in the clear, which GnuTLS takes for a broken record.
            #expect(log.entries.last == "failed 127.0.0.1 handshakeFailed")
        } else {
            #expect(log.entries.count { $0.hasPrefix("received") } == 1)
            #expect(log.entries.last == "failed 127.0.0.1 alertReceived")
        }
        #expect(!server.hasPendingConnections && log.count("pending") == 0)
    }

    @Test("A client that speaks no TLS stays while it is silent and goes at its first octet", arguments: SslBackends.available)
    func plaintextClient(backend: String) async throws {
        let cell = ServerCell(pair: SocketFixture(client: backend, server: backend), version: .tlsV1_3)
        let server = try cell.server()
        server.handshakeTimeout = nil
        let log = EventLog()
        server.observe(log)
        try server.listen(host: "127.0.0.1")
        let client = await plainClient(to: server)
        #expect(await log.wait(for: "incoming"))
        #expect(!(await client.waitForReadyRead(timeout: .milliseconds(50))))
        #expect(client.state == .connected)
        #expect(log.entries == ["incoming"])
        try await client.send("GET / HTTP/1.0\r\n\r\n")
        // Not an octet comes back, no alert either, and the end is a proper one.
        #expect(try await client.receive().isEmpty)
        #expect(await log.wait(for: "failed 127.0.0.1 notTls"))
        #expect(log.entries == ["incoming", "failed 127.0.0.1 notTls"])
    }

    @Test("A thread finds out as well that its client speaks no TLS", arguments: SslBackends.available)
    func plaintextClientOfThread(backend: String) async throws {
        let cell = ServerCell(pair: SocketFixture(client: backend, server: backend), version: .tlsV1_3)
        let server = try cell.server()
        try server.listen(host: "127.0.0.1")
        async let code = PlainThread.run { () -> SslSocketError.Code? in
            guard let socket = try? server.waitForNewConnection() else { return nil }
            return socket.waitForEncrypted() ? nil : socket.error?.code
        }
        let client = await plainClient(to: server)
        try await client.send("GET / HTTP/1.0\r\n\r\n")
        #expect(await code == .notTls)
        #expect(await client.waitForDisconnected())
    }

    @Test(
        "A silent client goes at the end of its time, before and after its first octet", arguments: SslBackends.available,
        [0, 1, 5])
    func quietClient(backend: String, octets: Int) async throws {
        let cell = ServerCell(pair: SocketFixture(client: backend, server: backend), version: .tlsV1_3)
        let server = try cell.server()
        #expect(SslServer().handshakeTimeout == .seconds(5))
        server.handshakeTimeout = .milliseconds(40)
        let log = EventLog()
        server.observe(log)
        try server.listen(host: "127.0.0.1")
        server.pauseAccepting()
        let client = await plainClient(to: server)
        // What it says at all is there when it is accepted.
        if octets > 0 { try await client.send(Array([22, 3, 1, 0, 200].prefix(octets))) }
        server.resumeAccepting()
        _ = await client.waitForDisconnected()
        #expect(client.state == .unconnected)
        #expect(await log.wait(for: "failed 127.0.0.1 socketTimeout"))
        #expect(log.entries.last == "failed 127.0.0.1 socketTimeout" && log.count("pending") == 0)
        // Without an octet no handshake ever began.
        #expect(log.count("started") == (octets > 0 ? 1 : 0))
    }

    @Test("A client that goes away without a word is told of")
    func goneClient() async throws {
        let server = try ServerCell.all[0].server()
        let log = EventLog()
        server.observe(log)
        try server.listen(host: "127.0.0.1")
        let client = await plainClient(to: server)
        await client.finish()
        #expect(await log.wait(for: "failed 127.0.0.1 remoteHostClosed"))
        #expect(log.entries == ["incoming", "failed 127.0.0.1 remoteHostClosed"])
    }

    @Test(
        "Silent clients beyond the limit wait outside, and good ones get in when their time is over", arguments: SocketFixture.all
    )
    func twoGoodAndManyBadClients(pair: SocketFixture) async throws {
        let cell = ServerCell(pair: pair, version: .tlsV1_3)
        let server = try cell.server()
        server.maxPendingConnections = 5
        server.handshakeTimeout = .milliseconds(200)
        let log = EventLog()
        server.observe(log)
        server.onIncomingConnection { [weak server] _ in
            // This one is not counted yet.
            log.note((server?.listening?.ledger.count ?? 99) < 5 ? "incoming" : "too many")
            // The limit holds for connections accepted from then on: the good ones, who come last, may shake hands slowly.
            if log.entries.count(where: { $0 == "incoming" || $0 == "too many" }) > 10 { server?.handshakeTimeout = .seconds(60) }
            return true
        }
        try server.listen(host: "127.0.0.1")
        var bad: [SslSocket] = []
        for _ in 0..<10 { bad.append(await plainClient(to: server)) }
        let good = [try cell.client(to: server), try cell.client(to: server)]
        async let accepted: Void = {
            for _ in 0..<2 { _ = try await server.accept() }
        }()
        for client in good { #expect(await client.waitForEncrypted()) }
        try await accepted
        #expect(log.count("too many") == 0)
        // The good ones came behind the bad ones, whose time is over.
        #expect(await log.wait(for: "failed 127.0.0.1 socketTimeout", times: 10))
        for client in bad { client.abort() }
    }

    @Test("Silent clients delay nobody", arguments: SslBackends.available)
    func silentClients(backend: String) async throws {
        let cell = ServerCell(pair: SocketFixture(client: backend, server: backend), version: .tlsV1_3)
        let server = try cell.server()
        server.handshakeTimeout = nil
        let log = EventLog()
        server.observe(log)
        try server.listen(host: "127.0.0.1")
        let number = 100
        var silent: [SslSocket] = []
        for _ in 0..<number { silent.append(await plainClient(to: server)) }
        #expect(await log.wait(for: "incoming", times: number))
        let client = try cell.client(to: server)
        #expect(await client.waitForEncrypted())
        #expect(await log.wait(for: "pending"))
        // All of them are still there.
        #expect(server.listening?.ledger.count == number + 1)
        #expect(log.count("started") == 1 && !log.entries.contains { $0.hasPrefix("failed") })
        for client in silent { client.abort() }
    }

    @Test("Eight threads shake hands at once with one configuration", arguments: ServerCell.all)
    func concurrentHandshakes(cell: ServerCell) async throws {
        let server = try cell.server()
        try server.listen(host: "127.0.0.1")
        let port = server.serverPort
        var configuration = try cell.pair.clientConfiguration()
        configuration.protocol = cell.version
        let clientConfiguration = configuration
        let done = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    await PlainThread.run {
                        guard let socket = try? server.waitForNewConnection(), socket.waitForEncrypted() else { return false }
                        // It may have come together with the end of the handshake.
                        guard socket.bytesAvailable > 0 || socket.waitForReadyRead() else { return false }
                        socket.write(socket.readAll())
                        return socket.waitForDisconnected() && socket.error?.code == .remoteHostClosed
                    }
                }
                group.addTask {
                    await PlainThread.run {
                        let socket = SslSocket(configuration: clientConfiguration)
                        socket.connectToHostEncrypted("127.0.0.1", port: port, peerVerifyName: TestIdentity.defaultHost)
                        guard socket.waitForEncrypted() else { return false }
                        socket.write("echo")
                        guard socket.waitForReadyRead(), socket.readAll() == Array("echo".utf8) else { return false }
                        socket.disconnectFromHost()
                        return socket.state == .unconnected || socket.waitForDisconnected()
                    }
                }
            }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(done == 16)
    }

    @Test("Many clients at once are all served", arguments: SocketFixture.all)
    func manyClients(pair: SocketFixture) async throws {
        let cell = ServerCell(pair: pair, version: .tlsV1_3)
        let server = try cell.server()
        try server.listen(host: "127.0.0.1")
        let run = Task {
            try await server.run { socket in
                while let bytes = try? await socket.receive(), !bytes.isEmpty { try? await socket.send(bytes) }
                await socket.finish()
            }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<40 {
                group.addTask {
                    let client = try cell.client(to: server)
                    #expect(await client.waitForEncrypted())
                    let message = [UInt8](repeating: UInt8(number), count: 20_000 + number)
                    try await client.send(message)
                    var echo: [UInt8] = []
                    while echo.count < message.count {
                        let piece = try await client.receive()
                        if piece.isEmpty { break }
                        echo += piece
                    }
                    #expect(echo == message)
                    await client.finish()
                }
            }
            try await group.waitForAll()
        }
        // Whoever is left has only to see the end.
        #expect(await server.shutdown().aborted == 0)
        try await run.value
    }
}

/// The alerts a client got.
private final class Received {
    var alerts: [SslAlert] = []
    init(_ socket: SslSocket) { socket.alertReceived.connect { [self] _, alert in alerts.append(alert) } }
}
