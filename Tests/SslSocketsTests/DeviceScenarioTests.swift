import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

/// What Qt's own tests do with data and buffers, with both ways of waiting.
@Suite("Device: scenarios")
struct DeviceScenarioTests {
    @Test("Both ends are quiet, then the server writes by itself", arguments: SocketFixture.all, Driver.allCases)
    func spontaneousWrite(fixture: SocketFixture, driver: Driver) async throws {
        try await fixture.meetEncrypted(driver) { server in
            #expect(!(await server.waitForReadyRead(timeout: .milliseconds(50))))
            #expect(server.socket.error?.code == .socketTimeout)
            await server.writeAll(octets(50))
            await server.waitForEnd()
        } client: { client in
            #expect(await client.readAll(50) == octets(50))
            #expect(client.socket.bytesAvailable == 0 && client.socket.state == .connected)
        }
    }

    @Test(
        "A receiver with a limit is saturated; without one the rest comes, with no new traffic", arguments: SocketFixture.all,
        Driver.allCases)
    func setReadBufferSize(fixture: SocketFixture, driver: Driver) async throws {
        let limit = 39 * 1024
        let total = 4_000_000
        try await fixture.meetEncrypted(driver) { server in
            await server.writeAll([UInt8](repeating: 1, count: total))
            await server.waitForEnd()
        } client: { client in
            let socket = client.socket
            socket.readBufferSize = limit
            while socket.bytesAvailable < limit { #expect(await client.waitForReadyRead()) }
            // A full buffer keeps everything out, and a wait says so at once.
            #expect(!(await client.waitForReadyRead()))
            #expect(socket.error?.code == .operation && socket.bytesAvailable == limit && socket.state == .connected)
            socket.readBufferSize = 0
            #expect(await client.waitForReadyRead())
            #expect(socket.bytesAvailable > limit)
            #expect(await client.readAll(total).count == total)
        }
    }

    @Test("A small limit does not block a download for ever", arguments: SocketFixture.all, Driver.allCases)
    func smallLimit(fixture: SocketFixture, driver: Driver) async throws {
        let total = 100_000
        try await fixture.meetEncrypted(driver) { server in
            await server.writeAll(octets(total))
            server.socket.disconnectFromHost()
            await server.waitForEnd()
        } client: { client in
            client.socket.readBufferSize = 200
            var got: [UInt8] = []
            while got.count < total {
                if client.socket.atEnd { guard await client.waitForReadyRead() else { break } }
                #expect(client.socket.bytesAvailable <= 200)
                got += client.socket.read(150)
            }
            #expect(got == octets(total))
            await client.waitForEnd()
            #expect(client.socket.error?.code == .remoteHostClosed)
        }
    }

    @Test(
        "A limit of ten octets is one of ten, and the rest arrives when it is lifted", arguments: SocketFixture.all,
        Driver.allCases)
    func readBufferMaxSize(fixture: SocketFixture, driver: Driver) async throws {
        try await fixture.meetEncrypted(driver) { server in
            await server.writeAll(octets(1000))
            await server.waitForEnd()
        } client: { client in
            client.socket.readBufferSize = 10
            #expect(await client.waitForReadyRead())
            #expect(client.socket.bytesAvailable <= 10)
            while client.socket.bytesAvailable < 10 { #expect(await client.waitForReadyRead()) }
            #expect(client.socket.peek(1000) == octets(10))
            client.socket.readBufferSize = 0
            #expect(await client.readAll(1000) == octets(1000))
        }
    }

    @Test("Ten megabytes in one write are taken whole and encrypted", arguments: SocketFixture.all, Driver.allCases)
    func writeBigChunk(fixture: SocketFixture, driver: Driver) async throws {
        let chunk = unsafe [UInt8](unsafeUninitializedCapacity: 10 << 20) { memory, count in
            var state: UInt64 = 88_172_645_463_325_252
            for index in 0..<(10 << 20) {
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                unsafe memory[index] = UInt8(truncatingIfNeeded: state)
            }
            count = 10 << 20
        }
        let log = EventLog()
        try await fixture.meetEncrypted(driver) { server in
            // However much the system takes from a client whose server does not read, it is not ten megabytes.
            #expect(await log.wait(for: "written"))
            #expect(await server.readAll(chunk.count) == chunk)
            server.socket.write("got it")
            server.socket.disconnectFromHost()
            await server.waitForEnd()
        } client: { client in
            #expect(client.socket.setSocketOption(.sendBufferSize, to: 65_536))
            #expect(client.socket.write(chunk) == chunk.count)
            #expect(client.socket.bytesToWrite > 0)
            log.note("written")
            while client.socket.bytesToWrite > 0 { #expect(await client.waitForBytesWritten()) }
            #expect(client.socket.error == nil)
            #expect(await client.readAll(6) == Array("got it".utf8))
        }
    }

    @Test("Closing with data waiting leaves nothing to read and nothing to write", arguments: SocketFixture.all, Driver.allCases)
    func readFromClosedSocket(fixture: SocketFixture, driver: Driver) async throws {
        try await fixture.meetEncrypted(driver) { server in
            await server.writeAll(octets(500))
            await server.waitForEnd()
        } client: { client in
            let socket = client.socket
            while socket.bytesAvailable < 500 { #expect(await client.waitForReadyRead()) }
            socket.close()
            #expect(socket.bytesAvailable == 0 && socket.readAll() == [] && socket.inMemory(5, .read).answer == -1)
            #expect(socket.write("x") == -1 && socket.bytesToWrite == 0)
            await client.waitForEnd()
            #expect(socket.bytesAvailable == 0 && socket.readAll() == [] && !socket.isOpen)
        }
    }

    @Test("Peeking in both forms agrees with reading", arguments: SocketFixture.all, Driver.allCases)
    func peek(fixture: SocketFixture, driver: Driver) async throws {
        try await fixture.meetEncrypted(driver) { server in
            await server.writeAll(Array("HELLO\n".utf8))
            await server.waitForEnd()
        } client: { client in
            let socket = client.socket
            while socket.bytesAvailable < 6 { #expect(await client.waitForReadyRead()) }
            let expected = Array("HELLO\n".utf8)
            #expect(socket.peek(6) == expected && socket.inMemory(6, .peek).bytes == expected)
            #expect(socket.bytesAvailable == 6 && socket.readAll() == expected && socket.bytesAvailable == 0)
        }
    }

    @Test(
        "Peeking and reading before and after the switch of STARTTLS, blocks greater than any buffer",
        arguments: SocketFixture.all, Driver.allCases)
    func peekAroundStartTls(fixture: SocketFixture, driver: Driver) async throws {
        let big = octets(40_000)
        try await fixture.meet(driver) { server in
            let socket = server.socket
            await server.writeAll(big)
            while !socket.canReadLine { #expect(await server.waitForReadyRead()) }
            #expect(socket.readLine() == Array("STARTTLS\n".utf8))
            await server.writeAll(Array("go\n".utf8))
            socket.startServerEncryption()
            #expect(await server.waitForEncrypted())
            await server.writeAll(big + Array("end".utf8))
            await server.waitForEnd()
        } client: { client in
            let socket = client.socket
            while socket.bytesAvailable < big.count { #expect(await client.waitForReadyRead()) }
            #expect(socket.peek(100_000) == big && socket.inMemory(100_000, .peek).bytes == big)
            #expect(socket.read(20_000) == Array(big.prefix(20_000)) && socket.peek(5) == Array(big[20_000..<20_005]))
            #expect(socket.read(20_000) == Array(big.suffix(20_000)))
            await client.writeAll(Array("STARTTLS\n".utf8))
            while !socket.canReadLine { #expect(await client.waitForReadyRead()) }
            #expect(socket.peek(10) == Array("go\n".utf8) && socket.readLine() == Array("go\n".utf8))
            socket.startClientEncryption()
            #expect(socket.peek(10) == [])
            #expect(await client.waitForEncrypted(), "\(socket.errorString)")
            while socket.bytesAvailable < big.count + 3 { #expect(await client.waitForReadyRead()) }
            #expect(socket.peek(100_000) == big + Array("end".utf8))
            #expect(socket.ungetChar(7) && socket.getChar() == 7)
            #expect(socket.inMemory(39_000, .read).bytes == Array(big.prefix(39_000)))
            #expect(socket.inMemory(5000, .peek).bytes == Array(big.suffix(1000)) + Array("end".utf8))
            #expect(socket.readAll() == Array(big.suffix(1000)) + Array("end".utf8))
        }
    }

    @Test("What is left over at the switch is refused, put back or only peeked at", arguments: SocketFixture.all, [0, 1, 2])
    func leftOver(fixture: SocketFixture, way: Int) async throws {
        let pair = try await SocketPair(DeviceCell(fixture: fixture, version: nil))
        try await pair.deliver(Array("go\n".utf8), from: pair.server, to: pair.client)
        switch way {
        case 0: #expect(pair.client.peek(3) == Array("go\n".utf8))
        case 1: #expect(pair.client.read(2) == Array("go".utf8))
        default:
            #expect(pair.client.readAll() == Array("go\n".utf8))
            pair.client.ungetChar(10)
        }
        pair.client.startClientEncryption()
        #expect(pair.client.error?.code == .unexpectedPlaintext && pair.client.state == .unconnected)
    }

    @Test("The end of reading reaches the user when the server closes", arguments: SocketFixture.all, Driver.allCases)
    func forwardReadChannelFinished(fixture: SocketFixture, driver: Driver) async throws {
        try await fixture.meetEncrypted(driver) { server in
            #expect(await server.readAll(3) == Array("bye".utf8))
            server.socket.close()
            await server.waitForEnd()
        } client: { client in
            var ends = 0
            client.socket.readChannelFinished.connect { _ in ends += 1 }
            await client.writeAll(Array("bye".utf8))
            #expect(ends == 0)
            await client.waitForEnd()
            #expect(ends == 1)
        }
    }

    @Test("ALPN: three names against two give the one in common, on both ends", arguments: SocketFixture.all, Driver.allCases)
    func allowedProtocolNegotiation(fixture: SocketFixture, driver: Driver) async throws {
        try await fixture.meet(driver) { server in
            server.socket.sslConfiguration.allowedNextProtocols = ["h2", "cool-protocol"]
            server.socket.startServerEncryption()
            #expect(await server.waitForEncrypted())
            #expect(server.socket.nextNegotiatedProtocol == "cool-protocol")
            #expect(server.socket.nextProtocolNegotiationStatus == .negotiated)
            await server.writeAll([1])
            await server.waitForEnd()
        } client: { client in
            client.socket.sslConfiguration.allowedNextProtocols = ["spdy/3", "http/1.1", "cool-protocol"]
            client.socket.startClientEncryption()
            #expect(await client.waitForEncrypted(), "\(client.socket.errorString)")
            #expect(client.socket.nextNegotiatedProtocol == "cool-protocol")
            #expect(client.socket.nextProtocolNegotiationStatus == .negotiated)
            #expect(await client.readAll(1) == [1])
        }
    }
}
