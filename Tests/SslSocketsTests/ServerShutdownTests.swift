import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

@Suite("Servers: the end")
struct ServerShutdownTests {
    /// Serves by echo until the client ends.
    private static func echo(_ server: SslServer, _ log: EventLog) -> Task<Void, any Error> {
        Task {
            try await server.run { socket in
                log.note("begins")
                while let bytes = try? await socket.receive(), !bytes.isEmpty { try? await socket.send(bytes) }
                log.note(Task.isCancelled ? "cancelled" : "ends")
                await socket.finish()
            }
            log.note("returned")
        }
    }

    @Test("Shutting down lets the running connections finish", arguments: SocketFixture.all)
    func graceful(pair: SocketFixture) async throws {
        let cell = ServerCell(pair: pair, version: .tlsV1_3)
        let server = try cell.server()
        try server.listen(host: "127.0.0.1")
        let log = EventLog()
        server.onIncomingConnection { _ in
            log.note("incoming")
            return true
        }
        let run = Self.echo(server, log)
        let clients = try (0..<3).map { _ in try cell.client(to: server) }
        for client in clients { #expect(await client.waitForEncrypted()) }
        // Nothing was promised to one that has said nothing.
        let silent = await plainClient(to: server)
        #expect(await log.wait(for: "incoming", times: 4))
        #expect(await log.wait(for: "begins", times: 3))
        let port = server.serverPort
        async let end = server.shutdown(timeout: nil)
        #expect(try await silent.receive().isEmpty)
        #expect(!server.isListening && server.isShuttingDown)
        let late = SslSocket()
        late.connectToHost("127.0.0.1", port: port)
        #expect(!(await late.waitForConnected()))
        for client in clients {
            try await client.send("still here")
            #expect(try await client.receive() == Array("still here".utf8))
            await client.finish()
        }
        #expect(await end == SslServerShutdown(finished: 3, aborted: 0))
        try await run.value
        #expect(!server.isShuttingDown)
        #expect(log.count("ends") == 3 && log.entries.last == "returned")
        // It can begin anew.
        try server.listen(host: "127.0.0.1")
        let again = Self.echo(server, log)
        let client = try cell.client(to: server)
        #expect(await client.waitForEncrypted())
        await client.finish()
        #expect(await server.shutdown().aborted == 0)
        try await again.value
    }

    @Test(
        "A connection that is accepted while the server is being closed is let go", .timeLimit(.minutes(1)),
        arguments: SslBackends.available)
    func acceptedWhileClosing(backend: String) async throws {
        let server = try ServerCell(pair: SocketFixture(client: backend, server: backend), version: .tlsV1_3).server()
        server.handshakeTimeout = nil
        // The hook runs between accepting and everything else.
        server.onIncomingConnection { [weak server] _ in
            server?.close()
            return true
        }
        try server.listen(host: "127.0.0.1")
        let run = Self.echo(server, EventLog())
        let client = await plainClient(to: server)
        #expect(try await client.receive().isEmpty)
        try await run.value
    }

    @Test("What is left at the deadline is cut, and its client sees a truncation", arguments: SocketFixture.all)
    func deadline(pair: SocketFixture) async throws {
        let cell = ServerCell(pair: pair, version: .tlsV1_3)
        let server = try cell.server()
        try server.listen(host: "127.0.0.1")
        let log = EventLog()
        let run = Task {
            try await server.run { socket in
                log.note("begins")
                // A body finds the end of its connection, and whatever else it waits for is cancelled.
                while let bytes = try? await socket.receive(), !bytes.isEmpty {}
                try? await Task.sleep(for: .seconds(3600))
                log.note(Task.isCancelled ? "cancelled" : "ends")
            }
        }
        let clients = try (0..<2).map { _ in try cell.client(to: server) }
        for client in clients { #expect(await client.waitForEncrypted()) }
        #expect(await log.wait(for: "begins", times: 2))
        #expect(await server.shutdown(timeout: .milliseconds(20)) == SslServerShutdown(finished: 0, aborted: 2))
        try await run.value
        #expect(log.count("cancelled") == 2)
        for client in clients {
            await #expect(throws: SslSocketError.self) { while try await !client.receive().isEmpty {} }
            #expect(client.error?.code == .truncated || client.error?.code == .network)
        }
    }

    @Test("A cancelled shutdown has no more time")
    func cancelledShutdown() async throws {
        let cell = ServerCell(pair: SocketFixture.all[0], version: .tlsV1_3)
        let server = try cell.server()
        try server.listen(host: "127.0.0.1")
        let log = EventLog()
        let run = Self.echo(server, log)
        let client = try cell.client(to: server)
        #expect(await client.waitForEncrypted())
        #expect(await log.wait(for: "begins"))
        let end = Task { await server.shutdown(timeout: nil) }
        end.cancel()
        #expect(await end.value == SslServerShutdown(finished: 0, aborted: 1))
        try await run.value
    }

    @Test("A handshake that has begun may come to its end, and its connection is served", arguments: SocketFixture.all)
    func duringHandshake(pair: SocketFixture) async throws {
        let cell = ServerCell(pair: pair, version: .tlsV1_3)
        let server = try cell.server()
        server.sslConfiguration.caCertificates = try pair.clientConfiguration().caCertificates
        let log = EventLog()
        server.onConnection { _ in log.note("started") }
        try server.listen(host: "127.0.0.1")
        let run = Self.echo(server, log)
        // A client that stops in the middle, at the server's certificate.
        let client = try cell.client(to: server, name: "another.example.test")
        client.pauseMode = .onSslErrors
        var hasPaused = false
        client.sslErrors.connect { _, _ in hasPaused = true }
        while !hasPaused, client.state != .unconnected { _ = await client.waitForEncrypted(timeout: .milliseconds(50)) }
        async let end = server.shutdown()
        while server.isListening { await Task.yield() }
        client.ignoreSslErrors()
        client.resume()
        if !client.isEncrypted { #expect(await client.waitForEncrypted()) }
        try await client.send("hello")
        #expect(try await client.receive() == Array("hello".utf8))
        await client.finish()
        #expect(await end == SslServerShutdown(finished: 1, aborted: 0))
        try await run.value
    }

    @Test("Connections that wait to be taken are handed out until the deadline")
    func pending() async throws {
        let cell = ServerCell(pair: SocketFixture.all[0], version: .tlsV1_3)
        let server = try cell.server()
        let log = EventLog()
        server.onPendingConnection { log.note("pending") }
        try server.listen(host: "127.0.0.1")
        let clients = try (0..<2).map { _ in try cell.client(to: server) }
        for client in clients { #expect(await client.waitForEncrypted()) }
        #expect(await log.wait(for: "pending", times: 2))
        async let end = server.shutdown(timeout: .milliseconds(300))
        while server.isListening { await Task.yield() }
        let taken = try await server.accept()
        #expect(taken.isEncrypted)
        #expect(await end == SslServerShutdown(finished: 1, aborted: 1))
        await #expect(throws: SslSocketError(.operation, "")) { _ = try await server.accept() }
        // The one that was handed out goes on.
        try await taken.send("mine")
        await taken.finish()
        var greetings: [String] = []
        for client in clients {
            if let bytes = try? await client.receive() { greetings.append(String(decoding: bytes, as: UTF8.self)) }
        }
        #expect(greetings.contains("mine"))
    }

    @Test("A server that does not listen has nothing to shut down")
    func nothing() async throws {
        #expect(await SslServer().shutdown() == SslServerShutdown(finished: 0, aborted: 0))
    }

    @Test("Cancelling run ends its connections, and the server still listens", arguments: SslBackends.available)
    func cancelledRun(backend: String) async throws {
        let cell = ServerCell(pair: SocketFixture(client: backend, server: backend), version: .tlsV1_3)
        let server = try cell.server()
        try server.listen(host: "127.0.0.1")
        let log = EventLog()
        let run = Self.echo(server, log)
        let client = try cell.client(to: server)
        #expect(await client.waitForEncrypted())
        #expect(await log.wait(for: "begins"))
        run.cancel()
        try await run.value
        #expect(log.entries == ["begins", "cancelled", "returned"])
        #expect(server.isListening)
        server.pauseAccepting()
        // Even while nothing may be accepted.
        let paused = Self.echo(server, log)
        paused.cancel()
        try await paused.value
    }

    @Test("Closing lets the connections that run go on", arguments: SslBackends.available)
    func closing(backend: String) async throws {
        let cell = ServerCell(pair: SocketFixture(client: backend, server: backend), version: .tlsV1_3)
        let server = try cell.server()
        try server.listen(host: "127.0.0.1")
        let log = EventLog()
        let run = Self.echo(server, log)
        let client = try cell.client(to: server)
        #expect(await client.waitForEncrypted())
        #expect(await log.wait(for: "begins"))
        server.close()
        try await client.send("still here")
        #expect(try await client.receive() == Array("still here".utf8))
        #expect(log.entries == ["begins"])
        await client.finish()
        try await run.value
        #expect(log.entries == ["begins", "ends", "returned"])
    }
}
