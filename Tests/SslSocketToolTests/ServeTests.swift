internal import Glibc
internal import SslSockets
internal import TestProcesses
internal import Testing

/// A server as a process of its own: how it is stopped, and what it does when the system gives it no more.
@Suite struct ServeTests {
    private func client(_ backend: String, _ server: ToolServer) throws -> SslSocket {
        var configuration = SslConfiguration()
        configuration.backend = backend
        configuration.usesSystemCaCertificates = false
        #expect(try configuration.addCaCertificates(fromPath: server.folder.file("ca.pem")))
        let socket = SslSocket(configuration: configuration)
        socket.connectToHostEncrypted("localhost", port: server.port)
        return socket
    }

    private func echo(_ text: String, _ socket: SslSocket) async throws {
        try await socket.send(text)
        #expect(try await socket.receive() == Array(text.utf8))
    }

    @Test(arguments: Tool.pairs, [SIGTERM, SIGINT])
    func aSignalLetsConnectionsFinish(_ pair: Pair, _ signal: Int32) async throws {
        let server = try await ToolServer(backend: pair.server)
        let socket = try client(pair.client, server)
        #expect(await socket.waitForEncrypted())
        try await echo("before", socket)
        server.process.signal(signal)
        try await server.process.output(containing: "stopping")
        let late = SslSocket()
        late.connectToHost("localhost", port: server.port)
        #expect(!(await late.waitForConnected()))
        try await echo("after", socket)
        await socket.finish()
        let result = try await server.process.result()
        #expect(result.status == 0, "\(result)")
        #expect(result.errorText.contains("stopped: 1 connections finished, 0 cut"))
    }

    @Test(arguments: Tool.backends)
    func whatIsLeftAfterTheGraceIsCut(_ backend: String) async throws {
        let server = try await ToolServer(["--grace", "0.05"], backend: backend)
        let socket = try client(backend, server)
        #expect(await socket.waitForEncrypted())
        try await echo("before", socket)
        server.process.signal(SIGTERM)
        let result = try await server.process.result()
        #expect(result.status == 0, "\(result)")
        #expect(result.errorText.contains("stopped: 0 connections finished, 1 cut"))
        await #expect(throws: SslSocketError.self) { while try await !socket.receive().isEmpty {} }
    }

    @Test(arguments: Tool.backends)
    func aSecondSignalEndsAtOnce(_ backend: String) async throws {
        let server = try await ToolServer(backend: backend)
        let socket = try client(backend, server)
        #expect(await socket.waitForEncrypted())
        try await echo("before", socket)
        server.process.signal(SIGTERM)
        try await server.process.output(containing: "stopping")
        server.process.signal(SIGTERM)
        #expect(try await server.process.result().status == 128 + SIGTERM)
    }

    @Test(arguments: Tool.backends)
    func theHandshakeTimeoutIsKept(_ backend: String) async throws {
        let server = try await ToolServer(["--handshake-timeout", "0.05"], backend: backend)
        let silent = SslSocket()
        silent.connectToHost("localhost", port: server.port)
        #expect(await silent.waitForConnected())
        _ = await silent.waitForDisconnected()
        #expect(silent.state == .unconnected)
        try await server.process.output(containing: "The client said nothing for 0.05 seconds")
    }

    @Test(arguments: Tool.backends)
    func noMoreClientsAtOnceThanAllowed(_ backend: String) async throws {
        let server = try await ToolServer(["--max-clients", "1"], backend: backend)
        let first = try client(backend, server)
        #expect(await first.waitForEncrypted())
        let second = try client(backend, server)
        #expect(!(await second.waitForEncrypted(timeout: .milliseconds(200))))
        await first.finish()
        #expect(await second.waitForEncrypted())
    }

    /// A server that has no descriptors left says so, waits, and goes on when there are some again.
    @Test(arguments: Tool.backends)
    func outOfDescriptors(_ backend: String) async throws {
        let server = try await ToolServer(["--handshake-timeout", "600"], backend: backend, descriptorLimit: 40)
        var silent: [SslSocket] = []
        for _ in 0..<60 {
            let socket = SslSocket()
            socket.connectToHost("localhost", port: server.port)
            #expect(await socket.waitForConnected())
            silent.append(socket)
        }
        try await server.process.output(containing: "accepting failed")
        let good = try client(backend, server)
        #expect(!(await good.waitForEncrypted(timeout: .milliseconds(200))))
        for socket in silent { socket.abort() }
        #expect(await good.waitForEncrypted())
        try await echo("still here", good)
        await good.finish()
    }

    /// Nothing is left of a connection: not a descriptor, and in the long run no memory.
    @Test(arguments: Tool.backends)
    func nothingGrows(_ backend: String) async throws {
        let server = try await ToolServer(backend: backend)
        func connect(_ count: Int) async throws {
            for _ in 0..<count {
                let socket = try client(backend, server)
                #expect(await socket.waitForEncrypted())
                await socket.finish()
            }
        }
        try await connect(50)
        let descriptors = try await server.process.settledDescriptors(atMost: .max)
        let memory = server.process.residentKilobytes
        try await connect(300)
        // The last connections may still be ending.
        #expect(try await server.process.settledDescriptors(atMost: descriptors) <= descriptors)
        // A leak of one TLS session each would be 300 times 20 KiB and more.
        #expect(server.process.residentKilobytes - memory < 3000)
    }
}
