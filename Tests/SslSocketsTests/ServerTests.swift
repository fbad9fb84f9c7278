import Glibc
import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

@Suite("Servers: listening and accepting")
struct ServerTests {
    private static let cell = ServerCell(pair: SocketFixture.all[0], version: .tlsV1_3)

    // MARK: Listening

    @Test("A server listens where it is told, says so, and stops")
    func listening() throws {
        let server = try Self.cell.server()
        #expect(!server.isListening && server.serverAddress == nil && server.serverPort == 0 && server.socketDescriptor == -1)
        for (host, ip) in [
            ("localhost", IpAddress.loopbackIPv4), ("127.0.0.1", .loopbackIPv4), ("::1", .loopbackIPv6), ("0.0.0.0", .anyIPv4),
            ("::", .anyIPv6), ("any", .anyIPv6),
        ] {
            try server.listen(host: host)
            #expect(server.isListening)
            #expect(server.serverAddress?.ip == ip, "\(host)")
            #expect(server.serverPort != 0 && server.serverPort == server.serverAddress?.port)
            #expect(server.socketDescriptor >= 0)
            #expect(throws: SslSocketError(.operation, "")) { try server.listen() }
            #expect(server.isListening)
            server.close()
            #expect(!server.isListening && server.serverAddress == nil && server.serverPort == 0 && server.socketDescriptor == -1)
        }
        try server.listen(at: SocketAddress(.loopbackIPv4, port: 0))
        #expect(server.serverAddress?.ip == .loopbackIPv4)
    }

    @Test("What cannot be listened at is told, and kept as the server's error")
    func listeningFails() throws {
        let first = try Self.cell.server()
        try first.listen(host: "127.0.0.1")
        let second = try Self.cell.server()
        #expect(second.serverError == nil && second.errorString == "")
        #expect(throws: SslSocketError(.addressInUse, "")) { try second.listen(host: "127.0.0.1", port: first.serverPort) }
        #expect(second.serverError?.code == .addressInUse)
        #expect(second.errorString.contains("\(first.serverPort)"))
        #expect(throws: SslSocketError(.addressNotAvailable, "")) { try second.listen(host: "192.0.2.1") }
        #expect(throws: SslSocketError(.addressNotAvailable, "")) { try second.listen(host: "www.example.test") }
        #expect(!second.isListening)
        // What its clients would fail with.
        #expect(throws: SslSocketError(.invalidUserData, "")) { try SslServer().listen() }
    }

    @Test("All addresses means IPv4 where there is no IPv6")
    func noIPv6() throws {
        // An address that is not of this host fails as :: does when IPv6 is switched off.
        let foreign = try #require(IpAddress("2001:db8::1"))
        let descriptor = try SocketDescriptor.listenerAnywhere(port: 0, backlog: 1, all: foreign)
        #expect(descriptor.localAddress?.ip == .anyIPv4)
        // Any other failure is one.
        let port = try #require(descriptor.localAddress?.port)
        #expect(throws: SslSocketError(.addressInUse, "")) { try SocketDescriptor.listenerAnywhere(port: port, backlog: 1) }
    }

    @Test("All addresses means IPv6 and IPv4", arguments: ["127.0.0.1", "::1"])
    func bothFamilies(host: String) async throws {
        let server = try Self.cell.server()
        try server.listen()
        let client = SslSocket(configuration: try Self.cell.pair.clientConfiguration())
        client.connectToHostEncrypted(host, port: server.serverPort, peerVerifyName: TestIdentity.defaultHost)
        async let accepted: Void = { _ = try await server.accept() }()
        #expect(await client.waitForEncrypted())
        try await accepted
    }

    @Test("The backlog is the system's")
    func backlog() async throws {
        let server = try Self.cell.server()
        #expect(server.listenBacklogSize == 128)
        server.listenBacklogSize = 0
        #expect(server.listenBacklogSize == 1)
        try server.listen(host: "127.0.0.1")
        // With one place, of which Linux makes two, not all of these get in.
        let clients = (0..<8).map { _ in SslSocket() }
        for client in clients { client.connectToHost("127.0.0.1", port: server.serverPort) }
        for client in clients { _ = await client.waitForConnected(timeout: .milliseconds(50)) }
        #expect((1...3).contains(clients.count { $0.state == .connected }))
    }

    // MARK: Adopting

    @Test("A listening socket of another is taken over, and stays the other's too", arguments: SocketFixture.all)
    func adoption(pair: SocketFixture) async throws {
        let cell = ServerCell(pair: pair, version: .tlsV1_3)
        // Another process, by its copy of the descriptor.
        let foreign = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { Glibc.close(foreign) }
        #expect(listen(foreign, 8) == 0)
        let server = try cell.server()
        let copy = dup(foreign)
        try server.setSocketDescriptor(copy)
        #expect(server.isListening && server.socketDescriptor == copy && server.serverPort != 0)
        let client = try cell.client(to: server)
        async let accepted: Void = { _ = try await server.accept() }()
        #expect(await client.waitForEncrypted())
        try await accepted
        // Closing does not stop the other.
        let port = server.serverPort
        server.close()
        #expect(!server.isListening)
        let plain = SslSocket()
        plain.connectToHost("127.0.0.1", port: port)
        #expect(await plain.waitForConnected())
        let taken = accept(foreign, nil, nil)
        #expect(taken >= 0)
        Glibc.close(taken)
    }

    @Test("A thread that waits at a socket of another is woken by close")
    func adoptedWait() async throws {
        let foreign = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { Glibc.close(foreign) }
        #expect(listen(foreign, 8) == 0)
        let server = try Self.cell.server()
        try server.setSocketDescriptor(dup(foreign))
        let log = EventLog()
        async let code = PlainThread.run { () -> SslSocketError.Code? in
            log.note("waits")
            do throws(SslSocketError) {
                return try server.waitForNewConnection() == nil ? .socketTimeout : nil
            } catch {
                return error.code
            }
        }
        #expect(await log.wait(for: "waits"))
        server.close()
        #expect(await code == .operation)
    }

    @Test("What does not listen is not taken over")
    func wrongDescriptors() throws {
        let server = try Self.cell.server()
        let idle = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { Glibc.close(idle) }
        #expect(throws: SslSocketError(.unsupportedOperation, "")) { try server.setSocketDescriptor(idle) }
        #expect(fcntl(idle, F_GETFD) >= 0)
        #expect(throws: SslSocketError(.unsupportedOperation, "")) { try server.setSocketDescriptor(STDIN_FILENO) }
        #expect(throws: SslSocketError(.operation, "")) { try server.setSocketDescriptor(-1) }
        #expect(!server.isListening)
    }

    // MARK: Blocking

    @Test("A thread waits for a connection: one, none in time, and the end", arguments: SocketFixture.all)
    func blockingWaits(pair: SocketFixture) async throws {
        let cell = ServerCell(pair: pair, version: .tlsV1_2)
        let server = try cell.server()
        await #expect(throws: SslSocketError(.operation, "")) { try await Self.blockingWait(server, .zero) }
        try server.listen(host: "127.0.0.1")
        #expect(try await Self.blockingWait(server, .zero) == false)
        #expect(try await Self.blockingWait(server, .milliseconds(10)) == false)
        let client = try cell.client(to: server)
        async let isAccepted = Self.blockingWait(server, nil)
        #expect(await client.waitForEncrypted())
        #expect(try await isAccepted)
        let log = EventLog()
        let closed = Task { try await Self.blockingWait(server, nil) { log.note("waits") } }
        #expect(await log.wait(for: "waits"))
        server.close()
        await #expect(throws: SslSocketError(.operation, "")) { try await closed.value }
    }

    /// True when a connection came and was encrypted, false at the timeout.
    private static func blockingWait(
        _ server: SslServer, _ timeout: Duration?, _ begin: @escaping @Sendable () -> Void = {}
    ) async throws(SslSocketError) -> Bool {
        try await PlainThread.run { () -> Result<Bool, SslSocketError> in
            begin()
            do throws(SslSocketError) {
                guard let socket = try server.waitForNewConnection(timeout: timeout) else { return .success(false) }
                return .success(socket.waitForEncrypted())
            } catch {
                return .failure(error)
            }
        }.get()
    }

    // MARK: Pending connections

    @Test("Encrypted connections wait to be taken, and the hook says so", arguments: SocketFixture.all)
    func pending(pair: SocketFixture) async throws {
        let cell = ServerCell(pair: pair, version: .tlsV1_3)
        let server = try cell.server()
        let log = EventLog()
        server.onPendingConnection { log.note("pending") }
        #expect(!server.hasPendingConnections && server.nextPendingConnection() == nil)
        try server.listen(host: "127.0.0.1")
        let clients = [try cell.client(to: server), try cell.client(to: server)]
        for client in clients { #expect(await client.waitForEncrypted()) }
        #expect(await log.wait(for: "pending", times: 2))
        #expect(server.hasPendingConnections)
        let first = try #require(server.nextPendingConnection())
        let second = try #require(server.nextPendingConnection())
        #expect(first.isEncrypted && second.isEncrypted && first.mode == .sslServer)
        #expect(Set([first.peerAddress, second.peerAddress]) == Set(clients.map(\.localAddress)))
        #expect(!server.hasPendingConnections && server.nextPendingConnection() == nil)
        #expect(log.entries == ["pending", "pending"])
    }

    @Test("The connections are taken in one way at a time")
    func oneTaker() async throws {
        let server = try Self.cell.server()
        await #expect(throws: SslSocketError(.operation, "")) { try await server.run { _ in } }
        await #expect(throws: SslSocketError(.operation, "")) { _ = try await server.accept() }
        try server.listen(host: "127.0.0.1")
        #expect(!server.hasPendingConnections)
        await #expect(throws: SslSocketError(.operationInProgress, "")) { try await server.run { _ in } }
        server.close()
        try server.listen(host: "127.0.0.1")
        let log = EventLog()
        server.onIncomingConnection { _ in
            log.note("incoming")
            return true
        }
        let run = Task { try await server.run { await $0.finish() } }
        let client = try Self.cell.client(to: server)
        #expect(await client.waitForEncrypted())
        await #expect(throws: SslSocketError(.operationInProgress, "")) { _ = try await server.accept() }
        #expect(server.nextPendingConnection() == nil)
        // When it has been cancelled, the next may.
        run.cancel()
        try await run.value
        #expect(server.isListening)
        let second = Task { try await server.run { await $0.finish() } }
        let other = try Self.cell.client(to: server)
        #expect(await other.waitForEncrypted())
        server.close()
        try await second.value
    }

    @Test("A task that waits in accept ends by cancellation and by close")
    func acceptEnds() async throws {
        let server = try Self.cell.server()
        try server.listen(host: "127.0.0.1")
        let cancelled = Task { try await server.accept().isEncrypted }
        cancelled.cancel()
        await #expect(throws: SslSocketError(.cancelled, "")) { try await cancelled.value }
        let closed = (0..<3).map { _ in Task { try await server.accept().isEncrypted } }
        server.close()
        for task in closed { await #expect(throws: SslSocketError(.operation, "")) { try await task.value } }
    }

    @Test("A server that is let go of is closed, accepting or not", arguments: [false, true])
    func deinitCloses(accepts: Bool) async throws {
        var server: SslServer? = try Self.cell.server()
        try server?.listen(host: "127.0.0.1")
        let port = try #require(server?.serverPort)
        if accepts { #expect(server?.hasPendingConnections == false) }
        server = nil
        let client = SslSocket()
        client.connectToHost("127.0.0.1", port: port)
        #expect(!(await client.waitForConnected()))
        #expect(client.error?.code == .connectionRefused)
    }

    // MARK: Hooks

    @Test("A connection can be refused by its peer's address before anything is read", arguments: SocketFixture.all)
    func refusedByAddress(pair: SocketFixture) async throws {
        let cell = ServerCell(pair: pair, version: .tlsV1_3)
        let server = try cell.server()
        let log = EventLog()
        server.observe(log)
        server.onIncomingConnection { peer in
            log.note(peer?.ip == .loopbackIPv4 ? "refused" : "unknown")
            return false
        }
        try server.listen(host: "127.0.0.1")
        let client = try cell.client(to: server)
        #expect(!(await client.waitForEncrypted()))
        #expect(await log.wait(for: "refused"))
        #expect(log.entries == ["refused"])
        // It holds for threads too.
        server.onPendingConnection(nil)
        let other = try cell.client(to: server)
        #expect(!(await other.waitForEncrypted()))
    }

    @Test("The configuration of a connection can be chosen by its peer's address", arguments: ServerCell.all)
    func configuredByAddress(cell: ServerCell) async throws {
        let server = try cell.server()
        var special = try TestCertificates.shared().identity(.rsa).configuration(backend: cell.pair.server)
        special.peerVerifyMode = .verifyNone
        let chosen = special
        server.onConnection { socket in if socket.peerAddress?.ip == .loopbackIPv4 { socket.sslConfiguration = chosen } }
        try server.listen(host: "127.0.0.1")
        async let accepted: Void = { _ = try await server.accept() }()
        let client = try cell.client(to: server)
        #expect(await client.waitForEncrypted())
        try await accepted
        #expect(client.peerCertificate == special.localCertificate)
    }

    @Test("A hook that ends the connection has the last word", arguments: SslBackends.available)
    func abortedInHook(backend: String) async throws {
        let cell = ServerCell(pair: SocketFixture(client: backend, server: backend), version: .tlsV1_3)
        let server = try cell.server()
        let log = EventLog()
        server.observe(log)
        server.onConnection { $0.abort() }
        try server.listen(host: "127.0.0.1")
        let client = try cell.client(to: server)
        #expect(!(await client.waitForEncrypted()))
        #expect(log.entries == ["incoming"])
    }

    // MARK: Limits

    @Test("Nothing is accepted while accepting is paused")
    func pausing() async throws {
        let server = try Self.cell.server()
        let log = EventLog()
        server.observe(log)
        try server.listen(host: "127.0.0.1")
        server.pauseAccepting()
        let client = try Self.cell.client(to: server)
        // Long enough for a server that does not keep to it.
        #expect(!(await client.waitForEncrypted(timeout: .milliseconds(100))))
        #expect(client.state == .connected)
        log.note("resume")
        server.resumeAccepting()
        #expect(await client.waitForEncrypted())
        #expect(await log.wait(for: "pending"))
        #expect(log.entries == ["resume", "incoming", "started", "encrypted", "pending"])
    }

    @Test("No more connections are pending than allowed, and a higher limit lets the next one in")
    func pendingLimit() async throws {
        let server = try Self.cell.server()
        #expect(server.maxPendingConnections == 4096)
        server.maxPendingConnections = 0
        #expect(server.maxPendingConnections == 1)
        server.handshakeTimeout = nil
        let log = EventLog()
        server.observe(log)
        try server.listen(host: "127.0.0.1")
        let silent = await plainClient(to: server)
        #expect(await log.wait(for: "incoming"))
        let client = try Self.cell.client(to: server)
        #expect(!(await client.waitForEncrypted(timeout: .milliseconds(100))))
        #expect(log.entries == ["incoming"])
        log.note("raise")
        server.maxPendingConnections = 2
        #expect(await client.waitForEncrypted())
        #expect(await log.wait(for: "pending"))
        #expect(log.entries == ["incoming", "raise", "incoming", "started", "encrypted", "pending"])
        // One that waits to be taken counts as well.
        let third = try Self.cell.client(to: server)
        #expect(!(await third.waitForEncrypted(timeout: .milliseconds(100))))
        #expect(server.nextPendingConnection() != nil)
        #expect(await third.waitForEncrypted())
        silent.abort()
    }

    @Test("run serves no more connections at once than allowed")
    func connectionLimit() async throws {
        let server = try Self.cell.server()
        #expect(server.maxConnections == nil)
        server.maxConnections = 2
        try server.listen(host: "127.0.0.1")
        let log = EventLog()
        let run = Task {
            try await server.run { socket in
                log.note("begins")
                _ = try? await socket.receive()
                log.note("ends")
                await socket.finish()
            }
        }
        let clients = try (0..<3).map { _ in try Self.cell.client(to: server) }
        var waiting: SslSocket?
        var served: [SslSocket] = []
        for client in clients {
            if await client.waitForEncrypted(timeout: served.count == 2 ? .milliseconds(100) : .seconds(30)) {
                served.append(client)
            } else {
                waiting = client
            }
        }
        #expect(served.count == 2)
        let last = try #require(waiting)
        #expect(await log.wait(for: "begins", times: 2))
        #expect(log.entries == ["begins", "begins"])
        await served[0].finish()
        #expect(await last.waitForEncrypted())
        #expect(await log.wait(for: "begins", times: 3))
        #expect(log.entries == ["begins", "begins", "ends", "begins"])
        for client in [served[1], last] { await client.finish() }
        server.close()
        try await run.value
    }
}
