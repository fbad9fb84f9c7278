import Glibc
import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

/// How much may be kept, on the way in and on the way out.
@Suite("Flow: limits")
struct FlowTests {
    @Test("Without limits, as Qt has it: everything is taken, in both directions", arguments: DeviceCell.all)
    func unlimited(cell: DeviceCell) async throws {
        let pair = try await SocketPair(cell)
        #expect(pair.client.readBufferSize == 0 && pair.client.writeBufferSize == 0)
        let big = [UInt8](repeating: 5, count: 10_000_000)
        #expect(pair.server.write(big) == big.count)
        #expect(pair.server.bytesToWrite + pair.server.encryptedBytesToWrite > 1_000_000)
        try await pair.pump { pair.client.bytesAvailable == big.count }
        #expect(pair.server.bytesToWrite == 0 && pair.server.encryptedBytesToWrite == 0)
        #expect(pair.client.readAll() == big)
    }

    @Test(
        "The read buffer is never fuller than its limit, nor what is behind it; lifting it goes on without new octets",
        arguments: DeviceCell.all, [1, 10, 5000, 40_000])
    func readLimit(cell: DeviceCell, limit: Int) async throws {
        let pair = try await SocketPair(cell)
        let client = pair.client
        // The system keeps little, so that it is soon full.
        #expect(
            pair.server.setSocketOption(.sendBufferSize, to: 50_000) && client.setSocketOption(.receiveBufferSize, to: 50_000))
        client.readBufferSize = limit
        #expect(client.readBufferSize == limit)
        let total = 1_500_000
        #expect(pair.server.write([UInt8](repeating: 3, count: total)) == total)
        var arrivals = 0
        client.readyRead.connect { _ in arrivals += 1 }
        for _ in 0..<200 {
            pair.turn()
            #expect(client.bytesAvailable <= limit)
            // One record that is not complete, and one window that was taken for the rest of the limit.
            #expect(client.encryptedBytesAvailable <= limit + 2 * TlsConnection.longestRecord)
            #expect(client.incoming.queue.capacity <= 2 * limit + 2 * TlsConnection.longestRecord)
        }
        #expect(client.bytesAvailable == limit && arrivals > 0)
        // The peer has to wait.
        #expect(pair.server.bytesToWrite > 0)
        let before = arrivals
        try await pair.settle()
        #expect(arrivals == before)
        client.readBufferSize = limit + 100
        try await pair.pump { client.bytesAvailable == limit + 100 }
        #expect(arrivals > before)
        client.readBufferSize = -1
        #expect(client.readBufferSize == 0)
        try await pair.pump { client.bytesAvailable == total }
    }

    @Test(
        "What the session holds back comes when the limit is lifted, although the peer sends nothing more",
        arguments: DeviceCell.all)
    func withheld(cell: DeviceCell) async throws {
        let pair = try await SocketPair(cell)
        let client = pair.client
        client.readBufferSize = 10
        pair.server.write(octets(1000))
        pair.server.disconnectFromHost()
        try await pair.pump { client.bytesAvailable == 10 }
        try await pair.settle()
        #expect(client.bytesAvailable == 10 && client.state == .connected)
        #expect(cell.version == nil ? client.encryptedBytesAvailable == 0 : (1...1100).contains(client.encryptedBytesAvailable))
        #expect(client.read(4) == octets(4))
        try await pair.pump { client.bytesAvailable == 10 }
        client.readBufferSize = 500
        try await pair.pump { client.bytesAvailable == 500 }
        // The end is told after the octets, not with them.
        #expect(client.state == .connected)
        client.readBufferSize = 0
        try await pair.pump { client.state == .unconnected }
        #expect(client.readAll() == octets(996, from: 4) && client.error?.code == .remoteHostClosed)
    }

    @Test(
        "A limit loses nothing when the peer is cut off, and the end is still told from a proper one",
        arguments: DeviceCell.encrypted)
    func truncatedBehindLimit(cell: DeviceCell) async throws {
        let pair = try await SocketPair(cell)
        pair.client.readBufferSize = 10
        pair.server.write(octets(1000))
        pair.server.flush()
        try await pair.pump { pair.client.bytesAvailable == 10 }
        // The end of the stream without close_notify.
        #expect(shutdown(pair.server.socketDescriptor, Int32(SHUT_WR)) == 0)
        var got: [UInt8] = []
        var failure: SslSocketError?
        do throws(SslSocketError) {
            while case let some = try await pair.client.receive(upTo: 7), !some.isEmpty { got += some }
        } catch {
            failure = error
        }
        #expect(got == octets(1000) && failure?.code == .truncated)
    }

    @Test("Nothing stays unencrypted while the system takes more", arguments: DeviceCell.encrypted)
    func encryptsOn(cell: DeviceCell) async throws {
        let pair = try await SocketPair(cell)
        let server = pair.server
        let total = 12_000_000
        server.write([UInt8](repeating: 1, count: total))
        var skipped = 0
        try await pair.pump {
            #expect(server.bytesToWrite == 0 || server.output.isBlocked)
            skipped += max(pair.client.skip(.max), 0)
            return skipped == total
        }
    }

    @Test("The write buffer takes what fits and says how much that was", arguments: DeviceCell.all)
    func writeLimit(cell: DeviceCell) async throws {
        let pair = try await SocketPair(cell)
        let server = pair.server
        let limit = 100_000
        server.writeBufferSize = limit
        #expect(server.writeBufferSize == limit)
        pair.client.readBufferSize = 1
        // What the system takes counts no more; then it takes no more.
        let piece = [UInt8](repeating: 8, count: 30_000)
        while server.write(piece) > 0 {}
        #expect((limit...(limit + 8 * 30)).contains(server.bytesToWrite + server.encryptedBytesToWrite))
        #expect(server.write(piece) == 0 && server.write("x") == 0 && !server.putChar(1))
        #expect(server.error == nil && server.state == .connected)
        #expect(server.write([]) == 0)
        // There is room again as the peer reads.
        pair.client.readBufferSize = 0
        try await pair.pump { server.bytesToWrite + server.encryptedBytesToWrite == 0 }
        #expect(server.write(piece) == piece.count)
        server.writeBufferSize = -5
        #expect(server.writeBufferSize == 0)
        let big = [UInt8](repeating: 8, count: 9_000_000)
        #expect(server.write(big) == big.count)
    }

    @Test("The write buffer bounds what is written before there is a connection, too")
    func writeLimitWhileConnecting() async throws {
        let (listener, address) = try listeningDescriptor()
        for encrypts in [false, true] {
            let client = SslSocket(configuration: try SocketFixture.all[0].clientConfiguration())
            client.writeBufferSize = 10
            if encrypts {
                client.connectToHostEncrypted("127.0.0.1", port: address.port)
            } else {
                client.connectToHost("127.0.0.1", port: address.port)
            }
            #expect(client.write("1234567") == 7 && client.write("89abc") == 3 && client.write("d") == 0)
            #expect(client.bytesToWrite == 10 && client.encryptedBytesToWrite == 0)
            #expect(client.putChar(1) == false)
            client.abort()
            #expect(client.bytesToWrite == 0)
        }
        listener.close()
    }

    @Test("Everything arrives through narrow buffers on both sides", arguments: DeviceCell.all)
    func narrow(cell: DeviceCell) async throws {
        let pair = try await SocketPair(cell)
        pair.client.readBufferSize = 1000
        pair.server.writeBufferSize = 3000
        let payload = octets(200_000)
        var sent = 0
        var got: [UInt8] = []
        try await pair.pump {
            if sent < payload.count { sent += pair.server.write(payload[sent...]) }
            #expect(pair.client.bytesAvailable <= 1000)
            #expect(pair.server.bytesToWrite + pair.server.encryptedBytesToWrite <= 3000 + 200)
            got += pair.client.read(333)
            return got.count == payload.count
        }
        #expect(got == payload)
    }
}
