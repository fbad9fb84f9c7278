import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

@Suite("Sockets")
struct SocketTests {
    @Test("STARTTLS: the order of signals of a good connection", arguments: SocketFixture.all)
    func startTls(pair: SocketFixture) async throws {
        try await pair.withPlainPair { socket in
            let command = try await socket.receiveLine()
            #expect(command == Array("STARTTLS\n".utf8))
            socket.write("go ahead\n")
            try await socket.drain()
            socket.startServerEncryption()
            #expect(await socket.waitForEncrypted())
            let secret = try await socket.receive()
            #expect(secret == Array("secret".utf8))
            await socket.finish()
        } _: { socket in
            let trace = Trace(socket)
            #expect(await socket.waitForConnected())
            try await socket.send("STARTTLS\n")
            let line = try await socket.receiveLine()
            #expect(line == Array("go ahead\n".utf8))
            socket.startClientEncryption()
            socket.write("secret")
            #expect(socket.bytesToWrite == 6)
            #expect(await socket.waitForEncrypted())
            try await socket.drain()
            let end = try await socket.receive()
            #expect(end.isEmpty)
            #expect(
                trace.entries == [
                    "hostFound", "state connecting", "state connected", "connected", "mode sslClient", "encrypted",
                    "readChannelFinished",
                    "error remoteHostClosed", "state closing", "state unconnected", "disconnected",
                ])
        }
    }

    @Test("Plain text left over at the switch to TLS is refused", arguments: SocketFixture.all)
    func leftover(pair: SocketFixture) async throws {
        try await pair.withPlainPair { (socket: sending SslSocket) async throws in
            socket.write("go ahead\ninjected command\n")
            try await socket.drain()
            _ = try? await socket.receive()
        } _: { socket in
            #expect(await socket.waitForConnected())
            let line = try await socket.receiveLine()
            #expect(line == Array("go ahead\n".utf8))
            socket.startClientEncryption()
            #expect(socket.error?.code == .unexpectedPlaintext)
            #expect(socket.state == .unconnected)
        }
    }

    @Test("A peer that cannot be verified is refused, with the signals in order", arguments: SocketFixture.all)
    func refused(pair: SocketFixture) async throws {
        try await pair.withPlainPair { socket in
            socket.startServerEncryption()
            if await socket.waitForEncrypted() { _ = try? await socket.receive() }
            #expect(
                socket.error?.code == .alertReceived || socket.error?.code == .handshakeFailed || socket.error?.code == .truncated
            )
        } _: { socket in
            let trace = Trace(socket)
            #expect(await socket.waitForConnected())
            socket.peerVerifyName = "another.example.test"
            socket.startClientEncryption()
            #expect(!(await socket.waitForEncrypted()))
            #expect(socket.error?.code == .peerVerificationFailed)
            #expect(socket.sslHandshakeErrors.map(\.code) == [.hostNameMismatch])
            #expect(
                trace.entries.suffix(7) == [
                    "peerVerifyError hostNameMismatch", "sslErrors 1", "error peerVerificationFailed", "state closing",
                    "state unconnected", "readChannelFinished", "disconnected",
                ])
        }
    }

    @Test(
        "Errors can be ignored: exactly the listed ones, in the slot or in advance", arguments: SocketFixture.all, [0, 1, 2, 3])
    func ignoring(pair: SocketFixture, way: Int) async throws {
        try await pair.withPlainPair { socket in
            socket.startServerEncryption()
            _ = await socket.waitForEncrypted()
            _ = try? await socket.receive()
        } _: { socket in
            #expect(await socket.waitForConnected())
            socket.peerVerifyName = "another.example.test"
            switch way {
            case 0: socket.sslErrors.connect { socket, _ in socket.ignoreSslErrors() }
            case 1: socket.sslErrors.connect { socket, errors in socket.ignoreSslErrors(errors) }
            case 2: socket.ignoreSslErrors()
            default:
                socket.sslErrors.connect { socket, errors in
                    socket.ignoreSslErrors([SslError(.certificateExpired, certificate: errors.first?.certificate)])
                }
            }
            socket.startClientEncryption()
            #expect(await socket.waitForEncrypted() == (way != 3))
        }
    }

    @Test("PauseOnSslErrors waits for resume", arguments: SocketFixture.all, [true, false])
    func pausing(pair: SocketFixture, ignores: Bool) async throws {
        try await pair.withPlainPair { socket in
            socket.startServerEncryption()
            _ = await socket.waitForEncrypted()
            _ = try? await socket.receive()
        } _: { socket in
            #expect(await socket.waitForConnected())
            socket.peerVerifyName = "another.example.test"
            socket.pauseMode = .onSslErrors
            var emissions = 0
            socket.sslErrors.connect { _, _ in emissions += 1 }
            socket.startClientEncryption()
            #expect(!(await socket.waitForEncrypted()))
            #expect(emissions == 1 && socket.isPaused && socket.state == .connected)
            #expect(socket.error == nil)
            // Nothing can happen meanwhile, so a wait does not wait.
            #expect(!(await socket.waitForEncrypted(timeout: nil)))
            #expect(!(await socket.waitForDisconnected(timeout: nil)))
            #expect(emissions == 1 && socket.isPaused && socket.error == nil)
            if ignores { socket.ignoreSslErrors() }
            socket.resume()
            if ignores {
                if !socket.isEncrypted { _ = await socket.waitForEncrypted() }
                #expect(socket.isEncrypted)
            } else {
                #expect(socket.error?.code == .peerVerificationFailed)
                #expect(socket.state == .unconnected)
            }
        }
    }

    @Test("Ending the connection in any slot is safe", arguments: SocketFixture.all, 0..<12)
    func endingInSlots(pair: SocketFixture, variant: Int) async throws {
        try await pair.withPlainPair { socket in
            socket.startServerEncryption()
            _ = await socket.waitForEncrypted()
            socket.write("data")
            _ = try? await socket.drain()
            _ = try? await socket.receive()
            await socket.finish()
        } _: { socket in
            let ends: [(SslSocket) -> Void] = [{ $0.abort() }, { $0.close() }]
            let end = ends[variant % 2]
            switch variant / 2 {
            case 0: socket.connected.connect { socket in end(socket) }
            case 1: socket.stateChanged.connect { socket, _ in end(socket) }
            case 2: socket.encrypted.connect { socket in end(socket) }
            case 3: socket.readyRead.connect { socket in end(socket) }
            case 4: socket.peerVerifyError.connect { socket, _ in end(socket) }
            default: socket.modeChanged.connect { socket, _ in end(socket) }
            }
            if variant / 2 == 4 { socket.peerVerifyName = "another.example.test" }
            guard await socket.waitForConnected() else {
                return #expect(socket.state == .unconnected || socket.state == .closing)
            }
            socket.startClientEncryption()
            if await socket.waitForEncrypted() { _ = await socket.waitForReadyRead() }
            if socket.state != .unconnected { _ = await socket.waitForDisconnected(timeout: .seconds(5)) }
            #expect(socket.state == .unconnected)
        }
    }

    @Test("The receive buffer is a hard limit and nothing is lost", arguments: SocketFixture.all)
    func readLimit(pair: SocketFixture) async throws {
        let total = 1_000_000
        try await pair.withPlainPair { socket in
            socket.startServerEncryption()
            #expect(await socket.waitForEncrypted())
            try await socket.send([UInt8](repeating: 7, count: total))
            await socket.finish()
        } _: { socket in
            #expect(await socket.waitForConnected())
            socket.readBufferSize = 5000
            socket.startClientEncryption()
            #expect(await socket.waitForEncrypted())
            var received = 0
            while true {
                #expect(socket.bytesAvailable <= 5000)
                let bytes = try await socket.receive(upTo: 777)
                if bytes.isEmpty { break }
                received += bytes.count
            }
            #expect(received == total)
        }
    }

    @Test("A connection that is cut is told from one that was ended", arguments: SocketFixture.all)
    func truncated(pair: SocketFixture) async throws {
        try await pair.withPlainPair { socket in
            socket.startServerEncryption()
            #expect(await socket.waitForEncrypted())
            try await socket.send("half of it")
            socket.abort()
        } _: { socket in
            #expect(await socket.waitForConnected())
            socket.startClientEncryption()
            #expect(await socket.waitForEncrypted())
            var failure: SslSocketError?
            do {
                while !(try await socket.receive()).isEmpty {}
            } catch {
                failure = error as? SslSocketError
            }
            #expect(failure != nil)
            #expect(socket.error?.code == .truncated || socket.error?.code == .network)
        }
    }

    @Test("A wait of a cancelled task ends at once and leaves the connection as it is", arguments: SocketFixture.all)
    func cancellation(pair: SocketFixture) async throws {
        try await pair.withPlainPair { socket in
            socket.startServerEncryption()
            #expect(await socket.waitForEncrypted())
            _ = try? await socket.receive()
        } _: { socket in
            #expect(await socket.waitForConnected())
            socket.startClientEncryption()
            #expect(await socket.waitForEncrypted())
            #expect(!(await socket.waitForReadyRead(timeout: .milliseconds(20))))
            #expect(socket.error?.code == .socketTimeout)
            unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
            #expect(!(await socket.waitForReadyRead(timeout: nil)))
            #expect(socket.error?.code == .cancelled)
            #expect(socket.isEncrypted)
        }
    }

    @Test("Refused, unknown and unreachable hosts have errors of their own")
    func connecting() async throws {
        // A port that was free a moment ago may be another test's by now.
        let nobody = try DeadPort()
        for backend in SslBackends.available {
            var configuration = SslConfiguration()
            configuration.backend = backend
            await #expect(throws: SslSocketError(.connectionRefused, "")) {
                _ = try await SslSocket.connect(to: "127.0.0.1", port: nobody.number, configuration: configuration)
            }
            await #expect(throws: SslSocketError(.hostNotFound, "")) {
                _ = try await SslSocket.connect(to: "no-such-host.invalid", port: nobody.number, configuration: configuration)
            }
        }
    }

    @Test("What a program supplies wrongly is said before anything is sent")
    func misuse() async throws {
        let socket = SslSocket()
        socket.startClientEncryption()
        #expect(socket.error?.code == .operation)
        #expect(socket.write("x") == -1)
        for version in [SslProtocol.dtlsV1_2, .dtlsV1_2OrLater, .unknownProtocol] {
            let other = SslSocket()
            other.sslConfiguration.protocol = version
            other.connectToHostEncrypted("127.0.0.1", port: 1)
            #expect(other.error?.code == .invalidUserData)
            #expect(other.state == .unconnected)
        }
        var named = SslConfiguration()
        named.backend = "made-up"
        #expect(throws: SslSocketError(.noBackend, "")) { try named.validate(for: .client) }
        #expect(throws: SslSocketError(.invalidUserData, "")) { try SslConfiguration().validate(for: .server) }
        #expect(throws: SslSocketError(.noBackend, "")) { try SslBackends.setActive("made-up") }
    }
}
