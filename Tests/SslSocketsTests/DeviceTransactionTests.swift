import Testing

@testable import SslSockets

/// Reading that can be undone.
@Suite("Device: transactions")
struct DeviceTransactionTests {
    /// A length and then as many octets, as a program would read it.
    private func readMessage(_ socket: SslSocket) -> [UInt8]? {
        socket.startTransaction()
        if let length = socket.getChar(), case let body = socket.read(Int(length)), body.count == Int(length) {
            socket.commitTransaction()
            return body
        }
        socket.rollbackTransaction()
        return nil
    }

    @Test("A message that comes in many arrivals is read once it is whole", arguments: DeviceCell.all)
    func manyArrivals(cell: DeviceCell) async throws {
        let pair = try await SocketPair(cell)
        let message = [200] + octets(200)
        for octet in message {
            #expect(readMessage(pair.client) == nil)
            try await pair.deliver([octet], from: pair.server, to: pair.client)
        }
        #expect(pair.client.bytesAvailable == 201 && !pair.client.isTransactionStarted)
        #expect(readMessage(pair.client) == octets(200))
        #expect(pair.client.atEnd)
    }

    @Test("Everything read in a transaction comes back: numbers, lines, skips, arrivals in between", arguments: DeviceCell.all)
    func rollback(cell: DeviceCell) async throws {
        let pair = try await SocketPair(cell)
        let client = pair.client
        try await pair.deliver(Array("one\ntwo\nthree".utf8), from: pair.server, to: client)
        #expect(client.startTransaction() && client.isTransactionStarted)
        #expect(client.readLine() == Array("one\n".utf8) && client.skip(2) == 2 && client.read(1) == Array("o".utf8))
        #expect(client.peek(3) == Array("\nth".utf8) && client.bytesAvailable == 6)
        #expect(client.readAll() == Array("\nthree".utf8) && client.atEnd)
        // Skips and reads beyond the buffer stay in it, too.
        pair.server.write(Array("four\n".utf8))
        pair.server.flush()
        try await pair.pump { client.bytesAvailable == 5 }
        #expect(client.skip(4) == 4)
        #expect(client.inMemory(20_000, .read).bytes == [10])
        #expect(client.rollbackTransaction() && !client.isTransactionStarted)
        #expect(client.readAll() == Array("one\ntwo\nthreefour\n".utf8))
    }

    @Test("A commit keeps what was read from coming back", arguments: DeviceCell.all)
    func commit(cell: DeviceCell) async throws {
        let pair = try await SocketPair(cell)
        try await pair.deliver(octets(10), from: pair.server, to: pair.client)
        pair.client.startTransaction()
        #expect(pair.client.read(4) == octets(4))
        #expect(pair.client.commitTransaction() && !pair.client.isTransactionStarted)
        #expect(pair.client.readAll() == octets(6, from: 4))
    }

    @Test("What makes no sense is refused with an error, and changes nothing", arguments: DeviceCell.all)
    func misuse(cell: DeviceCell) async throws {
        let pair = try await SocketPair(cell)
        let client = pair.client
        func expectRefusal(_ body: () -> Bool) {
            client.error = nil
            #expect(!body())
            #expect(client.error?.code == .operation)
        }
        try await pair.deliver(octets(10), from: pair.server, to: client)
        expectRefusal { client.commitTransaction() }
        expectRefusal { client.rollbackTransaction() }
        #expect(client.startTransaction())
        #expect(client.read(3) == octets(3))
        expectRefusal { client.startTransaction() }
        expectRefusal { client.ungetChar(1) }
        #expect(client.isTransactionStarted && client.bytesAvailable == 7)
        client.rollbackTransaction()
        #expect(client.readAll() == octets(10))
        expectRefusal { SslSocket().startTransaction() ? true : client.rollbackTransaction() }
    }

    @Test("The end of the connection leaves it, close and connecting end it", arguments: DeviceCell.all)
    func ends(cell: DeviceCell) async throws {
        let pair = try await SocketPair(cell)
        let client = pair.client
        try await pair.deliver(octets(10), from: pair.server, to: client)
        client.startTransaction()
        #expect(client.read(10) == octets(10))
        pair.server.disconnectFromHost()
        try await pair.pump { client.state == .unconnected }
        #expect(client.isTransactionStarted && client.rollbackTransaction())
        #expect(client.read(5) == octets(5))
        client.startTransaction()
        #expect(client.read(1) == octets(1, from: 5))
        client.close()
        #expect(!client.isTransactionStarted && client.bytesAvailable == 0)
    }

    @Test("Encryption does not begin inside a transaction: its octets would come back as if they had been encrypted")
    func startTls() async throws {
        let pair = try await SocketPair(DeviceCell.all[0])
        try await pair.deliver(Array("go ahead\n".utf8), from: pair.server, to: pair.client)
        pair.client.startTransaction()
        #expect(pair.client.readLine() == Array("go ahead\n".utf8))
        pair.client.startClientEncryption()
        #expect(pair.client.error?.code == .operation && pair.client.mode == .unencrypted && pair.client.state == .connected)
        pair.client.commitTransaction()
        try await pair.encrypt()
    }

    @Test(
        "A transaction counts for the read buffer, and one that cannot succeed is told so instead of waiting",
        arguments: DeviceCell.all)
    func limit(cell: DeviceCell) async throws {
        let pair = try await SocketPair(cell)
        let client = pair.client
        client.readBufferSize = 100
        pair.server.write(octets(1000))
        pair.server.flush()
        try await pair.pump { client.bytesAvailable == 100 }
        client.startTransaction()
        #expect(client.readAll() == octets(100))
        try await pair.settle()
        #expect(client.bytesAvailable == 0)
        await #expect(throws: SslSocketError(.operation, "")) { try await client.receive(upTo: 10) }
        #expect(!(await client.waitForReadyRead(timeout: nil)))
        #expect(client.error?.code == .operation && client.state == .connected)
        client.rollbackTransaction()
        var all: [UInt8] = []
        while all.count < 1000 {
            all += try await client.receive(upTo: 64)
            #expect(client.bytesAvailable <= 100)
        }
        #expect(all == octets(1000))
    }
}
