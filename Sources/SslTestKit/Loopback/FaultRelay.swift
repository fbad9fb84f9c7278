internal import Glibc
internal import SslSockets
package import SslValues

/// What a relay does to one direction of a connection. Octets and records are counted from 0.
package enum RelayFault: Sendable, Hashable {
    /// One octet a segment.
    case octetwise
    /// After so many octets both sides get the end of the stream.
    case cut(after: Int)
    /// After so many octets both sides get a reset.
    case reset(after: Int)
    /// After so many octets nothing moves any more in this direction, and nobody is told.
    case stall(after: Int)
    /// One bit of this octet is turned over.
    case flip(octet: Int, bit: Int)
    /// This record is left out.
    case dropRecord(Int)
    /// This record is sent twice.
    case repeatRecord(Int)
    /// This record and the next change places.
    case swapRecords(Int)
    /// The alert before the end of the stream is left out.
    case withoutCloseNotify
}

/// A wire between a client and a server on this host that does what it is told to the octets of one connection, and counts them.
package final class FaultRelay: Sendable {
    private let listener: SocketDescriptor
    /// Where the client connects.
    package let port: UInt16
    private let target: UInt16
    private let ways: (toServer: RelayFault?, toClient: RelayFault?)
    private let counts = Lock((toServer: 0, toClient: 0))

    /// Begins to listen.
    ///
    /// - Parameters:
    ///   - target: the port of the server.
    ///   - toServer: the fault in what the client sends.
    ///   - toClient: the fault in what the server sends.
    package init(
        to target: UInt16, toServer: RelayFault? = nil, toClient: RelayFault? = nil
    ) throws(SslSocketError) {
        listener = try SocketDescriptor.listener(at: SocketAddress(.loopbackIPv4, port: 0), backlog: 1)
        port = listener.localAddress?.port ?? 0
        self.target = target
        ways = (toServer, toClient)
    }

    /// How many octets came from each side; complete when ``run()`` has returned.
    package var received: (toServer: Int, toClient: Int) { counts.withLock { $0 } }

    /// Relays one connection on a thread of its own, until both directions have ended or the fault has.
    package func run() async { await PlainThread.run { self.relay() } }

    private func relay() {
        guard case .ready = Poller.wait(fd: listener.fd, events: .read, deadline: Deadline(after: .seconds(30))),
            case .accepted(let client) = listener.accept()
        else { return }
        guard let server = Self.connect(to: target) else { return client.close() }
        defer {
            client.close()
            server.close()
        }
        client.setNoDelay(true)
        server.setNoDelay(true)
        var up = RelayWay(from: client, to: server, ways.toServer)
        var down = RelayWay(from: server, to: client, ways.toClient)
        defer { counts.withLock { $0 = (up.received, down.received) } }
        while !(up.isOver && down.isOver) {
            var entries = [
                pollfd(fd: up.isOver ? -1 : client.fd, events: Int16(POLLIN), revents: 0),
                pollfd(fd: down.isOver ? -1 : server.fd, events: Int16(POLLIN), revents: 0),
            ]
            // Longer than any test waits: only a fault of the program under test gets here.
            guard unsafe poll(&entries, 2, 60_000) > 0 else { return }
            for (index, entry) in entries.enumerated() where entry.revents != 0 {
                switch index == 0 ? up.move() : down.move() {
                case .goesOn: break
                case .cut: return
                case .reset:
                    client.resetOnClose()
                    server.resetOnClose()
                    return
                }
            }
        }
    }

    private static func connect(to port: UInt16) -> SocketDescriptor? {
        let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard fd >= 0 else { return nil }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr = in_addr(s_addr: UInt32(0x7F00_0001).bigEndian)
        let status = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe Glibc.connect(fd, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0, let descriptor = try? SocketDescriptor.adopt(fd: fd) else {
            _ = Glibc.close(fd)
            return nil
        }
        return descriptor
    }
}

/// One direction.
private struct RelayWay {
    enum Step { case goesOn, cut, reset }

    private let source: SocketDescriptor
    private let sink: SocketDescriptor
    private let fault: RelayFault?
    private(set) var received = 0
    private(set) var isOver = false
    /// Octets of a record that is not complete, or may have to be left out.
    private var held: [UInt8] = []
    private var recordNumber = 0
    private var swapped: [UInt8] = []
    private var isStalled = false

    init(from source: SocketDescriptor, to sink: SocketDescriptor, _ fault: RelayFault?) {
        self.source = source
        self.sink = sink
        self.fault = fault
    }

    /// Takes what is there and passes on what the fault leaves of it.
    mutating func move() -> Step {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        switch unsafe buffer.withUnsafeMutableBytes({ unsafe source.receive(into: $0) }) {
        case .wouldBlock: return .goesOn
        case .bytes(let count):
            let start = received
            received += count
            return pass(Array(buffer.prefix(count)), from: start)
        case .endOfStream, .failed:
            isOver = true
            if isStalled { return .goesOn }
            // The alert that is still held is the one to leave out.
            if fault != .withoutCloseNotify { send(held + swapped) }
            _ = shutdown(sink.fd, Int32(SHUT_WR))
            return .goesOn
        }
    }

    private mutating func pass(_ bytes: [UInt8], from start: Int) -> Step {
        switch fault {
        case nil: send(bytes)
        case .octetwise: for octet in bytes { send([octet]) }
        case .cut(let limit):
            send(Array(bytes.prefix(max(limit - start, 0))))
            if received >= limit { return .cut }
        case .reset(let limit):
            send(Array(bytes.prefix(max(limit - start, 0))))
            if received >= limit { return .reset }
        case .stall(let limit):
            if !isStalled { send(Array(bytes.prefix(max(limit - start, 0)))) }
            isStalled = received >= limit
        case .flip(let octet, let bit):
            var changed = bytes
            if changed.indices.contains(octet - start) { changed[octet - start] ^= 1 << UInt8(bit) }
            send(changed)
        case .dropRecord, .repeatRecord, .swapRecords, .withoutCloseNotify:
            held += bytes
            while held.count >= 5, case let length = 5 + Int(held[3]) << 8 + Int(held[4]), held.count >= length {
                // Whether the last one is the alert, encrypted, shows when the stream ends.
                if fault == .withoutCloseNotify, held.count == length, held[0] == 21 || held[0] == 23, length <= 31 { break }
                let record = Array(held.prefix(length))
                held.removeFirst(length)
                relay(record)
                recordNumber += 1
            }
        }
        return .goesOn
    }

    private mutating func relay(_ record: [UInt8]) {
        switch fault {
        case .dropRecord(recordNumber): break
        case .repeatRecord(recordNumber): send(record + record)
        case .swapRecords(recordNumber): swapped = record
        default:
            send(record + swapped)
            swapped = []
        }
    }

    /// Sends everything; what a side no longer takes is lost, as on a wire.
    private func send(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            switch unsafe rest.withUnsafeBytes({ unsafe sink.send($0) }) {
            case .bytes(let count): rest = rest.dropFirst(count)
            case .wouldBlock:
                guard case .ready = Poller.wait(fd: sink.fd, events: .write, deadline: Deadline(after: .seconds(30))) else {
                    return
                }
            case .endOfStream, .failed: return
            }
        }
    }
}
