import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

/// The calls that wait by themselves and throw.
@Suite("Device: receiving and sending")
struct DeviceAsyncTests {
    @Test("All forms of sending and receiving carry the same octets", arguments: DeviceCell.all)
    func forms(cell: DeviceCell) async throws {
        let payload = octets(500_000)
        let pair = try await SocketPair(cell)
        nonisolated(unsafe) let server = pair.server
        let sending = Task {
            try await unsafe server.send(payload)
            try await unsafe server.send(payload[1000..<2000])
            try await unsafe server.send(payload.span.extracting(7..<9))
            let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: 5, alignment: 1)
            defer { unsafe copy.deallocate() }
            unsafe copy.copyBytes(from: payload.prefix(5))
            try await unsafe server.send(UnsafeRawBufferPointer(copy))
            try await unsafe server.send("grüße")
            try await unsafe server.send([])
            try await unsafe server.send("")
            unsafe server.write("last")
            try await unsafe server.drain()
            #expect(unsafe server.bytesToWrite + server.encryptedBytesToWrite == 0)
        }
        let expected = payload + payload[1000..<2000] + payload[7..<9] + payload[..<5] + Array("grüßelast".utf8)
        var got: [UInt8] = []
        var turn = 0
        while got.count < expected.count {
            turn += 1
            switch turn % 3 {
            case 0: got += try await pair.client.receive(upTo: 10_000)
            case 1:
                var memory = [UInt8](repeating: 0, count: 20_000)
                let count = try await unsafe pair.client.receive(into: memory.withUnsafeMutableBytes { unsafe $0 })
                got += memory.prefix(count)
            default:
                let count = try await receiveIntoSpan(pair.client, &got)
                #expect(count > 0)
            }
        }
        #expect(got == expected)
        try await sending.value
        #expect(try await pair.client.receive(upTo: 0) == [])
    }

    private func receiveIntoSpan(_ socket: SslSocket, _ bytes: inout [UInt8]) async throws -> Int {
        let memory = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 30_000)
        defer { unsafe memory.deallocate() }
        var span = unsafe OutputSpan(buffer: memory, initializedCount: 0)
        let count = try await socket.receive(into: &span)
        unsafe bytes += memory.prefix(count)
        _ = unsafe span.finalize(for: memory)
        return count
    }

    @Test("Lines and pieces are waited for, bounded, and the end gives what is left", arguments: DeviceCell.all)
    func lines(cell: DeviceCell) async throws {
        let pair = try await SocketPair(cell)
        nonisolated(unsafe) let server = pair.server
        let sending = Task {
            for piece in ["on", "e\ntw", "o;three--fo", "ur-", "-0123456789\nrest"] {
                try await unsafe server.send(piece)
                await Task.yield()
            }
            await unsafe server.finish()
        }
        let client = pair.client
        #expect(try await client.receiveLine() == Array("one\n".utf8))
        #expect(try await client.receiveUntil(UInt8(ascii: ";")) == Array("two;".utf8))
        #expect(try await client.receiveUntil(Array("--".utf8)) == Array("three--".utf8))
        #expect(try await client.receiveUntil(Array("--".utf8)) == Array("four--".utf8))
        for maximum in [0, 5, 10] {
            await #expect(throws: SslSocketError(.invalidUserData, "")) { try await client.receiveLine(maximum) }
        }
        await #expect(throws: SslSocketError(.invalidUserData, "")) { try await client.receiveUntil(10, maximum: 10) }
        await #expect(throws: SslSocketError(.invalidUserData, "")) { try await client.receiveUntil([]) }
        #expect(try await client.receiveLine(11) == Array("0123456789\n".utf8))
        #expect(try await client.receiveLine() == Array("rest".utf8))
        #expect(try await client.receiveLine() == [])
        #expect(try await client.receiveUntil(0) == [])
        #expect(try await client.receive() == [])
        try await sending.value
    }

    @Test("A line that is longer than the read buffer is an error, not a wait for ever", arguments: DeviceCell.all)
    func lineBeyondLimit(cell: DeviceCell) async throws {
        let pair = try await SocketPair(cell)
        pair.client.readBufferSize = 100
        pair.server.write(octets(99) + [1, 1, 1, 1, 10])
        pair.server.flush()
        await #expect(throws: SslSocketError(.operation, "")) { try await pair.client.receiveUntil([250, 251, 252]) }
        #expect(pair.client.bytesAvailable == 100)
    }

    @Test("The timeout is for the whole call, however often something comes", arguments: DeviceCell.all)
    func timeout(cell: DeviceCell) async throws {
        let pair = try await SocketPair(cell)
        try await pair.deliver([1], from: pair.server, to: pair.client)
        nonisolated(unsafe) let server = pair.server
        let dripping = Task {
            while !Task.isCancelled {
                unsafe server.write([1])
                unsafe server.flush()
                _ = await unsafe server.waitForReadyRead(timeout: .milliseconds(10))
            }
        }
        await #expect(throws: SslSocketError(.socketTimeout, "")) {
            try await pair.client.receiveLine(1_000_000, timeout: .milliseconds(150))
        }
        #expect(pair.client.state == .connected && pair.client.bytesAvailable > 0)
        dripping.cancel()
        await dripping.value
        // An earlier error of a wait is none of a later call.
        try await pair.server.send([2])
        #expect(try await pair.client.receiveUntil(2).last == 2)
    }

    @Test("A send that nobody reads ends with its timeout, and has queued no more than its share", arguments: DeviceCell.all)
    func sendTimeout(cell: DeviceCell) async throws {
        let pair = try await SocketPair(cell)
        pair.client.readBufferSize = 1
        let big = [UInt8](repeating: 1, count: 30_000_000)
        await #expect(throws: SslSocketError(.socketTimeout, "")) {
            try await pair.server.send(big, timeout: .milliseconds(200))
        }
        #expect(pair.server.state == .connected)
        #expect(pair.server.bytesToWrite + pair.server.encryptedBytesToWrite <= SocketOutput.limit + TlsConnection.longestRecord)
        pair.server.writeBufferSize = 20_000
        await #expect(throws: SslSocketError(.socketTimeout, "")) {
            try await pair.server.send(big, timeout: .milliseconds(50))
        }
        unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
        await #expect(throws: SslSocketError(.cancelled, "")) { try await pair.server.send(big) }
    }

    @Test("A narrow write buffer slows a send and loses nothing", arguments: DeviceCell.all)
    func narrowSend(cell: DeviceCell) async throws {
        let pair = try await SocketPair(cell)
        let payload = octets(100_000)
        nonisolated(unsafe) let server = pair.server
        let sending = Task {
            unsafe server.writeBufferSize = 700
            try await unsafe server.send(payload)
        }
        var got: [UInt8] = []
        while got.count < payload.count { got += try await pair.client.receive() }
        #expect(got == payload)
        try await sending.value
    }

    @Test("Where nothing can come or go, it is said why", arguments: DeviceCell.all)
    func reasons(cell: DeviceCell) async throws {
        let fresh = SslSocket()
        await #expect(throws: SslSocketError(.operation, "")) { try await fresh.receive() }
        await #expect(throws: SslSocketError(.operation, "")) { try await fresh.receiveLine() }
        await #expect(throws: SslSocketError(.operation, "")) { try await fresh.send("x") }
        let pair = try await SocketPair(cell)
        // A proper end gives nothing, again and again.
        pair.server.write("bye")
        pair.server.disconnectFromHost()
        try await pair.pump { pair.client.state == .unconnected }
        #expect(try await pair.client.receive() == Array("bye".utf8))
        #expect(try await pair.client.receive() == [])
        #expect(try await pair.client.receive() == [])
        await #expect(throws: SslSocketError(.operation, "")) { try await pair.client.send("x") }
        pair.client.close()
        await #expect(throws: SslSocketError(.operation, "")) { try await pair.client.receive() }
        // Any other end has its reason, as often as it is asked for.
        let cut = try await SocketPair(cell)
        cut.client.abort()
        var reason: SslSocketError?
        for _ in 0..<2 {
            do throws(SslSocketError) {
                _ = try await cut.server.receive()
                Issue.record("an end by force is no proper one")
            } catch {
                #expect(reason == nil || reason == error)
                reason = error
            }
        }
        await #expect(throws: try #require(reason)) { try await cut.server.send("x") }
    }

    @Test("Connections that never come about say so", arguments: SocketFixture.all)
    func neverConnected(fixture: SocketFixture) async throws {
        let (listener, address) = try listeningDescriptor()
        listener.close()
        let socket = SslSocket(configuration: try fixture.clientConfiguration())
        socket.connectToHostEncrypted(address.ip, port: address.port)
        #expect(socket.isOpen)
        await #expect(throws: SslSocketError(.connectionRefused, "")) { try await socket.receive() }
        await #expect(throws: SslSocketError(.connectionRefused, "")) { try await socket.send("x") }
    }
}
