import Glibc
import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

/// Reading what is there, in the plain and in the encrypted phase of all pairs.
@Suite("Device: reading")
struct DeviceTests {
    @Test("It is open from connecting until close, whatever becomes of the connection", arguments: DeviceCell.all)
    func openMode(cell: DeviceCell) async throws {
        let fresh = SslSocket()
        #expect(fresh.openMode == [] && !fresh.isOpen && !fresh.isReadable && !fresh.isWritable && fresh.isSequential)
        let pair = try await SocketPair(cell)
        #expect(pair.client.openMode == .readWrite && pair.client.isOpen && pair.client.isReadable && pair.client.isWritable)
        try await pair.deliver(octets(10), from: pair.server, to: pair.client)
        pair.client.disconnectFromHost()
        try await pair.pump { pair.client.state == .unconnected && pair.server.state == .unconnected }
        #expect(pair.client.isOpen && pair.client.bytesAvailable == 10)
        #expect(pair.server.isOpen)
        #expect(pair.client.write("late") == -1)
        #expect(pair.client.readAll() == octets(10))
        pair.client.close()
        #expect(pair.client.openMode == [])
        pair.server.abort()
        #expect(!pair.server.isOpen)
    }

    @Test("Reading in all forms: into memory, a span, an array, octet by octet", arguments: DeviceCell.all)
    func reads(cell: DeviceCell) async throws {
        let pair = try await SocketPair(cell)
        let client = pair.client
        #expect(client.atEnd && client.read(5) == [] && client.getChar() == nil)
        #expect(client.inMemory(5, .read).answer == 0)
        try await pair.deliver(octets(30), from: pair.server, to: client)
        #expect(!client.atEnd)
        let memory = client.inMemory(7, .read)
        #expect(memory.answer == 7 && memory.bytes == octets(7))
        let span = inSpan(5) { client.read(into: &$0) }
        #expect(span.answer == 5 && span.bytes == octets(5, from: 7))
        #expect(client.read(4) == octets(4, from: 12))
        #expect(client.getChar() == octets(1, from: 16)[0])
        #expect(client.bytesAvailable == 13)
        #expect(client.read(0) == [] && client.read(-3) == [])
        let rest = client.inMemory(100, .read)
        #expect(rest.answer == 13 && rest.bytes == octets(13, from: 17))
        #expect(client.atEnd && client.bytesAvailable == 0)
        try await pair.deliver(octets(3000), from: pair.server, to: client)
        #expect(client.readAll() == octets(3000) && client.readAll() == [])
    }

    @Test("Reading takes what the system has, straight into memory too", arguments: DeviceCell.all)
    func readsFromSystem(cell: DeviceCell) async throws {
        let pair = try await SocketPair(cell)
        let client = pair.client
        pair.server.write(octets(40_000))
        pair.server.flush()
        var got: [UInt8] = []
        var arrivals = 0
        client.readyRead.connect { _ in arrivals += 1 }
        client.mayReceive = true
        while got.count < 40_000 {
            let (answer, bytes) = client.inMemory(20_000, .read)
            try #require(answer >= 0)
            got += bytes
            client.mayReceive = true
            await Task.yield()
        }
        #expect(got == octets(40_000))
        // What its caller sees is not announced.
        #expect(arrivals == 0)
    }

    @Test("Peeking takes nothing, in all forms, and gives at most what is there", arguments: DeviceCell.all)
    func peekTakesNothing(cell: DeviceCell) async throws {
        let pair = try await SocketPair(cell)
        let client = pair.client
        #expect(client.peek(10) == [] && client.inMemory(3, .peek).answer == 0)
        try await pair.deliver(octets(100), from: pair.server, to: client)
        #expect(client.peek(10) == octets(10) && client.peek(1000) == octets(100) && client.peek(-1) == [])
        let memory = client.inMemory(60, .peek)
        #expect(memory.answer == 60 && memory.bytes == octets(60))
        let span = inSpan(200) { client.peek(into: &$0) }
        #expect(span.answer == 100 && span.bytes == octets(100))
        #expect(client.bytesAvailable == 100 && client.readAll() == octets(100))
    }

    @Test("Skipping drops what is buffered and goes on with what the system has", arguments: DeviceCell.all)
    func skips(cell: DeviceCell) async throws {
        let pair = try await SocketPair(cell)
        let client = pair.client
        #expect(client.skip(10) == 0 && client.skip(0) == 0 && client.skip(-1) == 0)
        try await pair.deliver(octets(100), from: pair.server, to: client)
        #expect(client.skip(40) == 40)
        #expect(client.read(10) == octets(10, from: 40))
        #expect(client.skip(1000) == 50)
        // Beyond the buffer: nothing of it is ever kept.
        let total = 300_000
        pair.server.write(octets(total))
        var skipped = 0
        while skipped < total - 100 {
            pair.server.flush()
            client.mayReceive = true
            let count = client.skip(total - 100 - skipped)
            try #require(count >= 0)
            skipped += count
            #expect(client.bytesAvailable <= 131_072)
            await Task.yield()
        }
        try await pair.pump { client.bytesAvailable == 100 }
        #expect(client.readAll() == octets(100, from: total - 100))
    }

    @Test("An octet that is put back comes first", arguments: DeviceCell.all)
    func ungets(cell: DeviceCell) async throws {
        let pair = try await SocketPair(cell)
        let client = pair.client
        try await pair.deliver([1, 2, 3], from: pair.server, to: client)
        #expect(client.getChar() == 1)
        #expect(client.ungetChar(9) && client.ungetChar(10))
        #expect(client.bytesAvailable == 4 && client.canReadLine)
        #expect(client.readLine() == [10])
        #expect(client.readAll() == [9, 2, 3])
        #expect(client.ungetChar(7) && client.peek(5) == [7] && client.getChar() == 7)
        #expect(pair.server.putChar(42) && pair.server.putChar(10))
        pair.server.flush()
        try await pair.pump { client.canReadLine }
        #expect(client.readAll() == [42, 10])
        client.close()
        client.error = nil
        #expect(!client.ungetChar(1) && client.error?.code == .operation && client.bytesAvailable == 0)
    }

    @Test("Lines in all forms, whole, cut by the maximum, and unfinished", arguments: DeviceCell.all)
    func lines(cell: DeviceCell) async throws {
        let pair = try await SocketPair(cell)
        let client = pair.client
        #expect(!client.canReadLine && client.readLine() == [])
        try await pair.deliver(Array("first\r\n\nthird line\nfo".utf8), from: pair.server, to: client)
        #expect(client.canReadLine)
        #expect(client.readLine() == Array("first\r\n".utf8))
        let empty = client.inMemory(50, .readLine)
        #expect(empty.answer == 1 && empty.bytes == [10])
        #expect(client.readLine(6) == Array("third ".utf8))
        let span = inSpan(50) { client.readLine(into: &$0) }
        #expect(span.bytes == Array("line\n".utf8) && span.answer == 5)
        #expect(!client.canReadLine)
        #expect(client.peek(9) == Array("fo".utf8))
        try await pair.deliver(Array("urth\n".utf8), from: pair.server, to: client)
        let cut = client.inMemory(3, .readLine)
        #expect(cut.answer == 3 && cut.bytes == Array("fou".utf8))
        #expect(client.readLine() == Array("rth\n".utf8))
        try await pair.deliver(Array("open".utf8), from: pair.server, to: client)
        #expect(!client.canReadLine && client.readLine() == Array("open".utf8))
    }

    @Test(
        "Pieces up to an octet or a sequence, which is waited for and not searched beyond the maximum", arguments: DeviceCell.all)
    func pieces(cell: DeviceCell) async throws {
        let pair = try await SocketPair(cell)
        let client = pair.client
        #expect(client.readUntil(0) == nil)
        try await pair.deliver(Array("a;bc;de--f-".utf8), from: pair.server, to: client)
        #expect(client.readUntil(UInt8(ascii: ";")) == Array("a;".utf8))
        #expect(client.readUntil(UInt8(ascii: ";"), maximum: 2) == nil)
        #expect(client.readUntil(UInt8(ascii: ";"), maximum: 3) == Array("bc;".utf8))
        #expect(client.readUntil(Array("--".utf8)) == Array("de--".utf8))
        #expect(client.readUntil(Array("--".utf8)) == nil && client.bytesAvailable == 2)
        try await pair.deliver(Array("-g".utf8), from: pair.server, to: client)
        #expect(client.readUntil(Array("--".utf8)) == Array("f--".utf8))
        #expect(client.readUntil([]) == nil)
        #expect(client.readAll() == Array("g".utf8))
    }

    @Test("Where nothing will come any more, numbers are -1 and octets are none", arguments: DeviceCell.all)
    func closed(cell: DeviceCell) async throws {
        func expectOver(_ socket: SslSocket) {
            #expect(socket.inMemory(5, .read).answer == -1)
            #expect(inSpan(5) { socket.read(into: &$0) }.answer == -1)
            #expect(socket.inMemory(5, .peek).answer == -1)
            #expect(socket.inMemory(5, .readLine).answer == -1)
            #expect(inSpan(5) { socket.readLine(into: &$0) }.answer == -1)
            #expect(socket.skip(5) == -1)
            #expect(socket.read(5) == [] && socket.readAll() == [] && socket.readLine() == [] && socket.peek(5) == [])
            #expect(socket.getChar() == nil && socket.readUntil(0) == nil)
            #expect(socket.write([1]) == -1 && !socket.putChar(1))
            #expect(!socket.canReadLine && socket.atEnd && socket.bytesAvailable == 0 && socket.bytesToWrite == 0)
        }
        expectOver(SslSocket())
        let pair = try await SocketPair(cell)
        try await pair.deliver(octets(10), from: pair.server, to: pair.client)
        pair.client.close()
        expectOver(pair.client)
        try await pair.pump { pair.client.state == .unconnected && pair.server.state == .unconnected }
        expectOver(pair.client)
        expectOver(pair.server)
    }

    @Test("New data is announced once, not for what is old, and not within itself", arguments: DeviceCell.all)
    func announcesOnce(cell: DeviceCell) async throws {
        let pair = try await SocketPair(cell)
        let (client, server) = (pair.client, pair.server)
        var calls = 0
        var depth = 0
        client.readyRead.connect { socket in
            #expect(depth == 0)
            depth += 1
            calls += 1
            if calls == 1 {
                // What comes while the slot runs is told afterwards.
                server.write(octets(5))
                server.flush()
                #expect(socket.waitsForBytes(1005) && calls == 1)
            }
            depth -= 1
        }
        server.write(octets(1000))
        server.flush()
        try await pair.pump { calls == 2 }
        try await pair.settle()
        #expect(calls == 2 && client.bytesAvailable == 1005)
        // A part is read; the rest is no news.
        client.skip(400)
        try await pair.settle()
        #expect(calls == 2)
        try await pair.deliver(octets(10), from: server, to: client)
        #expect(calls == 3)
    }

    @Test("close drops what arrives later, and memory does not grow by it", arguments: DeviceCell.all)
    func closeDropsArrivals(cell: DeviceCell) async throws {
        let pair = try await SocketPair(cell)
        // The client cannot end while its own octets wait.
        pair.client.write([UInt8](repeating: 1, count: 8_000_000))
        pair.client.close()
        #expect(pair.client.state == .closing)
        pair.server.readBufferSize = 1
        let total = 2_000_000
        pair.server.write([UInt8](repeating: 2, count: total))
        for _ in 0..<200 {
            pair.turn()
            #expect(pair.client.bytesAvailable == 0)
            #expect(pair.client.incoming.queue.capacity <= 1 << 18)
        }
        pair.server.readBufferSize = 0
        try await pair.pump {
            _ = pair.server.readAll()
            return pair.client.state == .unconnected && pair.server.state == .unconnected
        }
        #expect(pair.client.readAll() == [])
    }

    @Test("A device for writing only gives nothing, one for reading only takes nothing")
    func oneWay() async throws {
        let (left, right) = try connectedDescriptors()
        let writer = SslSocket()
        let reader = SslSocket()
        // They become the sockets' own.
        #expect(writer.setSocketDescriptor(dup(left.fd), openMode: .writeOnly))
        #expect(reader.setSocketDescriptor(dup(right.fd), openMode: .readOnly))
        #expect(!writer.isReadable && writer.isWritable && reader.isReadable && !reader.isWritable)
        #expect(reader.write([1]) == -1 && writer.write([1, 2]) == 2)
        writer.flush()
        #expect(reader.waitsForBytes(2))
        #expect(reader.readAll() == [1, 2])
        #expect(writer.inMemory(5, .read).answer == -1)
        #expect(!writer.startTransaction() && writer.error?.code == .operation)
        let none = SslSocket()
        #expect(!none.setSocketDescriptor(left.fd, openMode: []) && none.error?.code == .invalidUserData)
        #expect(!none.isOpen && none.state == .unconnected)
        left.close()
        right.close()
    }
}

extension SslSocket {
    /// Goes on without waiting for the system until so much is there.
    func waitsForBytes(_ count: Int) -> Bool {
        for _ in 0..<1000 where bytesAvailable < count {
            mayReceive = true
            turn()
        }
        return bytesAvailable >= count
    }
}
