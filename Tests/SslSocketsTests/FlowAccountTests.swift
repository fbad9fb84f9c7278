import Glibc
import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

/// Stands between two ends, passes on every octet as it is and counts them.
private final class Relay {
    let address: SocketAddress
    private let listener: SocketDescriptor
    private let target: SocketAddress
    private var near: SocketDescriptor?
    private var far: SocketDescriptor?
    private var toFar: [UInt8] = []
    private var toNear: [UInt8] = []
    /// Octets that came from the end that connected, and from the other.
    private(set) var fromNear = 0
    private(set) var fromFar = 0

    init(to target: SocketAddress) throws {
        (listener, address) = try listeningDescriptor()
        self.target = target
    }

    /// Passes on what there is.
    func turn() throws {
        if near == nil {
            guard case .accepted(let descriptor) = listener.accept() else { return }
            near = descriptor
            let other = try SocketDescriptor.stream(family: target.family)
            #expect([0, EINPROGRESS].contains(other.startConnect(to: target)))
            far = other
        }
        guard let near, let far else { return }
        fromNear += move(near, far, &toFar)
        fromFar += move(far, near, &toNear)
    }

    private func move(_ source: SocketDescriptor, _ sink: SocketDescriptor, _ kept: inout [UInt8]) -> Int {
        var memory = [UInt8](repeating: 0, count: 65_536)
        var count = 0
        if kept.isEmpty, case .bytes(let n) = unsafe memory.withUnsafeMutableBytes({ unsafe source.receive(into: $0) }) {
            count = n
            kept = Array(memory.prefix(n))
        }
        if !kept.isEmpty, case .bytes(let n) = unsafe kept.withUnsafeBytes({ unsafe sink.send($0) }) { kept.removeFirst(n) }
        return count
    }
}

/// What both signals have said.
private final class Account {
    var payload = 0
    var ciphertext = 0

    init(_ socket: SslSocket) {
        socket.bytesWritten.connect { [self] _, count in payload += count }
        socket.encryptedBytesWritten.connect { [self] _, count in ciphertext += count }
    }
}

/// The account of what was written: to the octet, and as somebody sees it who stands between the ends.
@Suite("Flow: the account")
struct FlowAccountTests {
    private struct Stand {
        let relay: Relay
        let pair: SocketPair
        let listener: SocketDescriptor
    }

    /// A client and a server with a relay between them, connected and plain.
    private func stand(_ cell: DeviceCell) async throws -> Stand {
        let (listener, address) = try listeningDescriptor()
        let relay = try Relay(to: address)
        var configuration = try cell.fixture.clientConfiguration()
        if let version = cell.version { configuration.protocol = version }
        let client = SslSocket(configuration: configuration)
        client.peerVerifyName = TestIdentity.defaultHost
        let server = SslSocket(configuration: try cell.fixture.serverConfiguration())
        client.connectToHost(relay.address.ip, port: relay.address.port)
        let pair = SocketPair(client, server)
        var accepted: SocketDescriptor?
        try await pair.pump {
            try? relay.turn()
            if accepted == nil, case .accepted(let descriptor) = listener.accept() { accepted = descriptor }
            return accepted != nil && client.state == .connected
        }
        server.opened(try #require(accepted))
        return Stand(relay: relay, pair: pair, listener: listener)
    }

    private func pump(_ stand: Stand, until condition: () -> Bool) async throws {
        try await stand.pair.pump {
            try? stand.relay.turn()
            return condition()
        }
    }

    @Test(
        "Both sums are exact from the first octet of the handshake to close_notify", arguments: DeviceCell.encrypted,
        [1, 100, 70_000, 3_000_000])
    func exact(cell: DeviceCell, size: Int) async throws {
        let stand = try await stand(cell)
        let (client, server) = (stand.pair.client, stand.pair.server)
        let clientAccount = Account(client)
        let serverAccount = Account(server)
        server.startServerEncryption()
        client.startClientEncryption()
        let payload = [UInt8](repeating: 4, count: size)
        #expect(client.write(payload) == size)
        #expect(client.bytesToWrite == size && client.encryptedBytesToWrite < 5000)
        try await pump(stand) { client.isEncrypted && server.isEncrypted && server.bytesAvailable == size }
        #expect(client.bytesToWrite == 0 && client.encryptedBytesToWrite == 0)
        #expect(clientAccount.payload == size)
        #expect(server.write(octets(5000)) == 5000)
        try await pump(stand) { client.bytesAvailable == 5000 }
        client.disconnectFromHost()
        try await pump(stand) { client.state == .unconnected }
        try await pump(stand) { clientAccount.ciphertext == stand.relay.fromNear }
        #expect(clientAccount.payload == size && clientAccount.ciphertext > size)
        server.disconnectFromHost()
        try await pump(stand) { serverAccount.ciphertext == stand.relay.fromFar }
        #expect(serverAccount.payload == 5000 && serverAccount.ciphertext > 5000)
        #expect(client.readAll() == octets(5000))
    }

    @Test("Octets of the plain phase are payload, and what follows them is not", arguments: DeviceCell.encrypted)
    func startTls(cell: DeviceCell) async throws {
        let stand = try await stand(cell)
        let (client, server) = (stand.pair.client, stand.pair.server)
        let account = Account(client)
        client.write("STARTTLS\n")
        #expect(client.bytesToWrite == 9 && client.encryptedBytesToWrite == 0)
        client.flush()
        #expect(account.payload == 9 && account.ciphertext == 0)
        try await pump(stand) { server.canReadLine }
        #expect(server.readAll() == Array("STARTTLS\n".utf8))
        // Written just before the switch: it still leaves in plain text, and in order.
        client.write("now\n")
        client.startClientEncryption()
        client.write(octets(50))
        // The server must not read the ClientHello behind it.
        server.readBufferSize = 4
        try await pump(stand) { server.bytesAvailable == 4 }
        #expect(server.readLine() == Array("now\n".utf8))
        server.startServerEncryption()
        server.readBufferSize = 0
        try await pump(stand) { server.bytesAvailable == 50 }
        #expect(account.payload == 9 + 4 + 50)
        try await pump(stand) { account.ciphertext == stand.relay.fromNear - 13 }
    }

    @Test(
        "Plain octets that the system has not taken stay payload when encryption begins behind them",
        arguments: DeviceCell.encrypted)
    func startTlsBehindQueue(cell: DeviceCell) async throws {
        let stand = try await stand(cell)
        let (client, server) = (stand.pair.client, stand.pair.server)
        let account = Account(client)
        // More than the system takes while nobody reads.
        let size = 12_000_000
        #expect(client.write([UInt8](repeating: 1, count: size)) == size)
        #expect(client.bytesToWrite > 0)
        client.startClientEncryption()
        #expect(client.write("secret") == 6)
        #expect(client.bytesToWrite > 6 && client.encryptedBytesToWrite < 5000)
        try await pump(stand) {
            server.skip(size - stand.relay.fromNear > 0 ? .max : 0)
            return client.bytesToWrite == 6
        }
        #expect(account.payload == size && client.encryptedBytesToWrite == 0)
        try await pump(stand) { account.ciphertext == stand.relay.fromNear - size && account.ciphertext > 0 }
        client.abort()
    }

    @Test("Without encryption there is only payload")
    func plain() async throws {
        let stand = try await stand(DeviceCell.all[0])
        let account = Account(stand.pair.client)
        let size = 3_000_000
        #expect(stand.pair.client.write([UInt8](repeating: 1, count: size)) == size)
        #expect(stand.pair.client.encryptedBytesToWrite == 0)
        try await pump(stand) { stand.pair.server.bytesAvailable == size }
        #expect(account.payload == size && account.ciphertext == 0 && stand.relay.fromNear == size)
    }

    @Test("The alert of a failure is counted, too", arguments: SocketFixture.all)
    func alerts(fixture: SocketFixture) async throws {
        let stand = try await stand(DeviceCell(fixture: fixture, version: .tlsV1_3))
        let (client, server) = (stand.pair.client, stand.pair.server)
        client.peerVerifyName = "another.example.test"
        let account = Account(client)
        server.startServerEncryption()
        client.startClientEncryption()
        client.write("never sent")
        try await pump(stand) { client.state == .unconnected }
        #expect(client.error?.code == .peerVerificationFailed)
        try await pump(stand) { account.ciphertext == stand.relay.fromNear }
        #expect(account.payload == 0 && client.bytesToWrite == 0)
    }

    @Test("What was handed on before an abort is told", arguments: DeviceCell.all)
    func abort(cell: DeviceCell) async throws {
        let pair = try await SocketPair(cell)
        let account = Account(pair.client)
        // Large writes are sent at once as far as possible, without being told of yet.
        pair.client.write([UInt8](repeating: 1, count: 200_000))
        let left = pair.client.bytesToWrite
        #expect(account.payload == 0)
        pair.client.abort()
        #expect(account.payload == 200_000 - left)
    }

    @Test("bytesWritten is not emitted within itself, and nothing is forgotten by that", arguments: DeviceCell.all)
    func notWithinItself(cell: DeviceCell) async throws {
        let pair = try await SocketPair(cell)
        var depth = 0
        var sum = 0
        pair.client.bytesWritten.connect { socket, count in
            #expect(depth == 0)
            depth += 1
            sum += count
            if sum < 50 {
                socket.write(octets(10))
                socket.flush()
            }
            depth -= 1
        }
        pair.client.write(octets(10))
        #expect(pair.client.flush())
        try await pair.pump { sum == 50 && pair.server.bytesAvailable == 50 }
        #expect(pair.client.bytesToWrite == 0)
    }

    @Test("flush says whether something was handed on", arguments: DeviceCell.all)
    func flush(cell: DeviceCell) async throws {
        let pair = try await SocketPair(cell)
        let account = Account(pair.client)
        #expect(!pair.client.flush())
        pair.client.write(octets(100))
        #expect(pair.client.bytesToWrite == 100 && account.payload == 0)
        #expect(pair.client.flush())
        #expect(account.payload == 100 && pair.client.bytesToWrite == 0 && pair.client.encryptedBytesToWrite == 0)
        #expect(!pair.client.flush())
        #expect(!SslSocket().flush())
        try await pair.pump { pair.server.bytesAvailable == 100 }
    }
}
