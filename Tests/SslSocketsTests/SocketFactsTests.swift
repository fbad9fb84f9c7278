import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

@Suite("What a socket says of itself")
struct SocketFactsTests {
    @Test("A fresh socket, and the defaults of what it starts with")
    func defaults() {
        let socket = SslSocket()
        #expect(socket.mode == .unencrypted && socket.state == .unconnected && !socket.isEncrypted && !socket.isValid)
        #expect(socket.error == nil && socket.errorString.isEmpty && socket.socketDescriptor == -1)
        #expect(socket.pauseMode == .never && !socket.isPaused && !socket.allowsHalfClosure)
        #expect(socket.sessionProtocol == .unknownProtocol && socket.sessionCipher == nil)
        #expect(socket.peerName.isEmpty && socket.peerVerifyName == nil)
        #expect(socket.localAddress == nil && socket.peerAddress == nil)
        #expect(socket.sslHandshakeErrors.isEmpty && socket.peerCertificate == nil && socket.peerCertificateChain.isEmpty)
        var configuration = SslConfiguration()
        #expect(configuration.peerVerifyMode == .autoVerifyPeer && configuration.peerVerifyDepth == 0)
        #expect(!configuration.handshakeMustInterruptOnError && !configuration.missingCertificateIsFatal)
        configuration.peerVerifyDepth = 1
        #expect(configuration.peerVerifyDepth == 1)
        #expect(SslPeerVerifyMode.autoVerifyPeer.effective(for: .client) == .verifyPeer)
        #expect(SslPeerVerifyMode.autoVerifyPeer.effective(for: .server) == .queryPeer)
    }

    @Test("Addresses, names and what was negotiated, before, while and after", arguments: SocketFixture.all)
    func facts(pair: SocketFixture) async throws {
        try await pair.withPlainPair { socket in
            socket.startServerEncryption()
            #expect(await socket.waitForEncrypted())
            #expect(socket.mode == .sslServer && socket.isValid && socket.peerName.isEmpty)
            let isMirrored = socket.localAddress != nil && socket.peerAddress != nil && socket.localAddress != socket.peerAddress
            #expect(isMirrored)
            try await socket.send("hi")
            _ = try? await socket.receive()
        } _: { socket in
            #expect(await socket.waitForConnected())
            #expect(socket.isValid && socket.socketDescriptor >= 0 && socket.peerName == "127.0.0.1")
            #expect(socket.peerAddress?.ip == .loopbackIPv4 && socket.localAddress?.ip == .loopbackIPv4)
            #expect(socket.sessionProtocol == .unknownProtocol && socket.sessionCipher == nil)
            socket.startClientEncryption()
            #expect(await socket.waitForEncrypted())
            #expect(socket.sessionProtocol == .tlsV1_3 && socket.sessionCipher != nil && socket.mode == .sslClient)
            #expect(socket.peerCertificateChain.count == 2 && socket.peerCertificate == socket.peerCertificateChain.first)
            let greeting = try await socket.receive()
            #expect(greeting == Array("hi".utf8))
            // Settings of a handshake that is over can be changed; they are those of the next.
            socket.sslConfiguration.protocol = .tlsV1_2
            #expect(socket.sessionProtocol == .tlsV1_3)
            socket.disconnectFromHost()
            _ = await socket.waitForDisconnected()
            #expect(!socket.isValid && socket.socketDescriptor == -1 && socket.peerAddress == nil)
            #expect(socket.mode == .sslClient && socket.sessionProtocol == .unknownProtocol && socket.peerCertificate != nil)
        }
    }

    @Test("An error stays until the next connect, and no longer", arguments: SslBackends.available)
    func errorStays(backend: String) async throws {
        let listener = try SocketDescriptor.listener(at: SocketAddress(.loopbackIPv4, port: 0), backlog: 1)
        let port = try #require(listener.localAddress?.port)
        listener.close()
        var configuration = SslConfiguration()
        configuration.backend = backend
        configuration.usesSystemCaCertificates = false
        let socket = SslSocket(configuration: configuration)
        socket.connectToHostEncrypted(.loopbackIPv4, port: port, peerVerifyName: "server.example.test")
        #expect(!(await socket.waitForEncrypted()))
        #expect(socket.error?.code == .connectionRefused && socket.error?.systemError == 111)
        #expect(!socket.errorString.isEmpty && socket.peerVerifyName == "server.example.test")
        socket.connectToHost(.loopbackIPv4, port: port)
        #expect(socket.error == nil && socket.state == .hostLookup && socket.mode == .unencrypted)
        // The name to verify outlives the connection it was given for.
        #expect(socket.peerVerifyName == "server.example.test")
        socket.abort()
        #expect(socket.state == .unconnected)
    }

    @Test("Waits without a limit, one after the other, in a thread that blocks", arguments: SocketFixture.all)
    func waitsInSequence(pair: SocketFixture) async throws {
        let scene = try EchoScene(pair.serverConfiguration(), .loopbackIPv4)
        let configuration = try pair.clientConfiguration()
        let port = scene.port
        let report = await PlainThread.run { Self.sequence(configuration, port) }
        #expect(report == [true, true, true, true, true, true, true])
        await scene.end()
    }

    @available(*, noasync)
    private static func sequence(_ configuration: SslConfiguration, _ port: UInt16) -> [Bool] {
        let socket = SslSocket(configuration: configuration)
        socket.connectToHostEncrypted("127.0.0.1", port: port, peerVerifyName: TestIdentity.defaultHost)
        var report = [socket.waitForConnected(timeout: nil), socket.waitForEncrypted(timeout: nil)]
        socket.write("one")
        report.append(socket.waitForBytesWritten(timeout: nil))
        report.append(socket.waitForReadyRead(timeout: nil))
        _ = socket.readAll()
        // Waiting for data also sends what was not sent yet.
        socket.write("two")
        report.append(socket.waitForReadyRead(timeout: nil))
        let echo = socket.readAll()
        socket.disconnectFromHost()
        report.append(socket.state == .unconnected || socket.waitForDisconnected(timeout: nil))
        report.append(echo == Array("two".utf8) && socket.readAll().isEmpty)
        return report
    }

    @Test("Over IPv6", arguments: SocketFixture.all)
    func ipv6(pair: SocketFixture) async throws {
        let scene = try EchoScene(pair.serverConfiguration(), .loopbackIPv6)
        let socket = SslSocket(configuration: try pair.clientConfiguration())
        socket.connectToHostEncrypted(.loopbackIPv6, port: scene.port, peerVerifyName: TestIdentity.defaultHost)
        #expect(await socket.waitForEncrypted())
        #expect(socket.peerAddress == SocketAddress(.loopbackIPv6, port: scene.port))
        try await socket.send("hello")
        let echo = try await socket.receive()
        #expect(echo == Array("hello".utf8))
        await socket.finish()
        // One that is not of the wanted protocol is not found.
        socket.connectToHost("::1", port: scene.port, protocol: .ipv4)
        #expect(!(await socket.waitForConnected()))
        #expect(socket.error?.code == .hostNotFound)
        await scene.end()
    }

    @Test("Forty clients at once", arguments: SocketFixture.all)
    func crowd(pair: SocketFixture) async throws {
        let scene = try EchoScene(pair.serverConfiguration(), .loopbackIPv4)
        let configuration = try pair.clientConfiguration()
        let port = scene.port
        let echoed = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<40 {
                group.addTask {
                    let socket = SslSocket(configuration: configuration)
                    socket.connectToHostEncrypted(.loopbackIPv4, port: port, peerVerifyName: TestIdentity.defaultHost)
                    guard await socket.waitForEncrypted() else { return false }
                    let text = Array("client \(number)".utf8)
                    _ = try? await socket.send(text)
                    let echo = try? await socket.receive()
                    await socket.finish()
                    return echo == text
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(echoed == 40)
        await scene.end()
    }

    @Test("A certificate is good up to the last second of its validity", arguments: SslBackends.available)
    func lastSecond(backend: String) throws {
        let identity = try TestCertificates.shared().identity(.valid)
        let leaf = try SslCertificate(der: identity.chain[0], backend: backend).parsed
        let first = leaf.notBefore
        let last = leaf.notAfter
        let times: [(SslInstant, SslErrorCode?)] = [
            (first, nil), (last, nil), (first.adding(seconds: -1), .certificateNotYetValid),
            (last.adding(seconds: 1), .certificateExpired),
        ]
        for (time, problem) in times {
            let found = try TlsClock.$fixed.withValue(time) {
                let pipe = try MemoryPipe(
                    client: identity.trustingConfiguration(backend: backend), host: identity.host,
                    server: identity.configuration(backend: backend))
                pipe.run()
                return pipe.client.connection.peerErrors.filter { $0.depth == 0 }.map(\.code)
            }
            #expect(found == (problem.map { [$0] } ?? []))
        }
    }
}

/// A server that echoes whatever comes, for any number of clients.
final class EchoScene: Sendable {
    let port: UInt16
    private let listener: SocketDescriptor
    private let registration: Registration
    private let server: Task<Void, Never>

    init(_ configuration: SslConfiguration, _ ip: IpAddress) throws {
        let listener = try SocketDescriptor.listener(at: SocketAddress(ip, port: 0), backlog: 64)
        let registration = try SslReactor.shared.register(listener.fd)
        port = try #require(listener.localAddress?.port)
        self.listener = listener
        self.registration = registration
        server = Task {
            await withDiscardingTaskGroup { group in
                while true {
                    switch listener.accept() {
                    case .accepted(let descriptor): group.addTask { await Self.echo(descriptor, configuration) }
                    case .wouldBlock:
                        guard case .ready = await registration.wait(.read, deadline: nil, isolation: nil) else { return }
                    case .failed: return
                    }
                }
            }
        }
    }

    private static func echo(_ descriptor: SocketDescriptor, _ configuration: SslConfiguration) async {
        let socket = SslSocket(configuration: configuration)
        socket.opened(descriptor)
        socket.startServerEncryption()
        if await socket.waitForEncrypted(timeout: .seconds(20)) {
            while let piece = try? await socket.receive(timeout: .seconds(20)), !piece.isEmpty {
                _ = try? await socket.send(piece, timeout: .seconds(20))
            }
        }
        await socket.finish(timeout: .seconds(20))
    }

    func end() async {
        registration.deregister()
        listener.close()
        await server.value
    }
}
