import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

/// A phase of a connection in which the device has to be the same: plain, or encrypted with these backends and this version.
struct DeviceCell: Sendable, CustomTestStringConvertible {
    var fixture: SocketFixture
    /// nil for the plain phase.
    var version: SslProtocol?

    static let encrypted: [DeviceCell] = SocketFixture.all.flatMap { pair in
        [SslProtocol.tlsV1_2, .tlsV1_3].map { DeviceCell(fixture: pair, version: $0) }
    }
    static let all = [DeviceCell(fixture: SocketFixture.all[0], version: nil)] + encrypted

    var testDescription: String { version.map { "\(fixture.testDescription), \($0)" } ?? "plain" }
}

/// Both ends of a connection in one task, driven in turns and by hand, so that a test sees what each call does by itself.
final class SocketPair {
    let client: SslSocket
    let server: SslSocket

    /// Two sockets that a test has connected itself.
    init(_ client: SslSocket, _ server: SslSocket) {
        self.client = client
        self.server = server
    }

    /// Connected, and encrypted where the cell says so.
    init(_ cell: DeviceCell) async throws {
        let (listener, address) = try listeningDescriptor()
        defer { listener.close() }
        var configuration = try cell.fixture.clientConfiguration()
        if let version = cell.version { configuration.protocol = version }
        client = SslSocket(configuration: configuration)
        server = SslSocket(configuration: try cell.fixture.serverConfiguration())
        client.peerVerifyName = TestIdentity.defaultHost
        client.connectToHost(address.ip.description, port: address.port)
        var accepted: SocketDescriptor?
        try await pump {
            if accepted == nil, case .accepted(let descriptor) = listener.accept() { accepted = descriptor }
            return accepted != nil && client.state == .connected
        }
        server.opened(try #require(accepted))
        if cell.version != nil { try await encrypt() }
    }

    /// Encrypts a plain connection.
    func encrypt() async throws {
        server.startServerEncryption()
        client.startClientEncryption()
        try await pump { client.isEncrypted && server.isEncrypted }
        // Tickets come behind the handshake.
        try await settle()
    }

    /// Lets both ends do what they can do now.
    func turn() {
        for socket in [client, server] {
            if let wait = socket.nextWait(),
                case .ready(let events) = Poller.wait(fd: wait.descriptor, events: wait.events, deadline: .past)
            {
                socket.note(events)
            }
            socket.turn()
        }
    }

    /// Lets both ends go on until the condition holds; an error after a time in which an honest machine does it.
    func pump(_ sourceLocation: SourceLocation = #_sourceLocation, until condition: () -> Bool) async throws {
        let deadline = Deadline(at: MonotonicTime.now.adding(.seconds(60)))
        while !condition() {
            turn()
            await Task.yield()
            if deadline.isDue(at: .now) {
                Issue.record("the condition never came true", sourceLocation: sourceLocation)
                throw SslSocketError(.socketTimeout, "the condition never came true")
            }
        }
    }

    /// Lets both ends go on until nothing moves any more.
    func settle() async throws {
        for _ in 0..<20 {
            turn()
            await Task.yield()
        }
    }

    /// Writes on one end and lets it arrive as one whole at the other.
    func deliver(_ bytes: [UInt8], from sender: SslSocket, to receiver: SslSocket) async throws {
        let before = receiver.bytesAvailable
        #expect(sender.write(bytes) == bytes.count)
        try await pump { receiver.bytesAvailable == before + bytes.count }
    }
}

/// So many octets without a pattern that is soon repeated.
func octets(_ count: Int, from first: Int = 0) -> [UInt8] {
    (first..<(first + count)).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
}

/// The calls that read into memory.
enum MemoryCall {
    case read, peek, readLine
}

extension SslSocket {
    /// What a call puts into memory of `size` octets, and what it answers.
    func inMemory(_ size: Int, _ call: MemoryCall) -> (answer: Int, bytes: [UInt8]) {
        var memory = [UInt8](repeating: 0, count: size)
        let answer = unsafe memory.withUnsafeMutableBytes { target in
            switch call {
            case .read: unsafe read(into: target)
            case .peek: unsafe peek(into: target)
            case .readLine: unsafe readLine(into: target)
            }
        }
        return (answer, [UInt8](memory.prefix(max(answer, 0))))
    }
}

/// What a call appends to a span, and what it answers.
func inSpan(_ size: Int, _ body: (inout OutputSpan<UInt8>) -> Int) -> (answer: Int, bytes: [UInt8]) {
    var bytes: [UInt8] = []
    var answer = 0
    bytes.append(addingCapacity: size) { span in answer = body(&span) }
    return (answer, bytes)
}
