internal import Glibc
package import SslSockets

/// Plain TCP with blocking calls on threads of its own, for peers that have nothing in common with what is tested.
package enum PlainPeer {
    /// A listening socket of the loopback, and its port.
    package static func listen(ipv6: Bool = false) throws(SslSocketError) -> (fd: Int32, port: UInt16) {
        let listener = try SocketDescriptor.listener(
            at: SocketAddress(ipv6 ? .loopbackIPv6 : .loopbackIPv4, port: 0), backlog: 16)
        guard let fd = blockingCopy(listener), let port = listener.localAddress?.port else {
            throw SslSocketError(.socketResource, "no listener")
        }
        return (fd, port)
    }

    /// A connection to an address; nil when nobody listens there.
    package static func connect(_ address: SocketAddress) -> Int32? {
        let attempts = ConnectAttempts([address], host: "")
        while true {
            switch attempts.progress() {
            case .waiting:
                guard case .ready = Poller.wait(fd: attempts.waitDescriptor, events: .read, deadline: nil) else { return nil }
            case .connected(let descriptor, _): return blockingCopy(descriptor)
            case .failed: return nil
            }
        }
    }

    /// A copy that outlives the wrapper and blocks, as these threads want it.
    private static func blockingCopy(_ descriptor: SocketDescriptor) -> Int32? {
        let fd = dup(descriptor.fd)
        return fd >= 0 && fcntl(fd, F_SETFL, 0) == 0 ? fd : nil
    }

    /// Runs `serve` with each accepted connection, in order, until the listener is shut down.
    package static func acceptAll(_ listener: Int32, _ serve: @escaping @Sendable (Int32, Int) -> Void) {
        Task {
            await PlainThread.run {
                var count = 0
                while true {
                    let fd = accept(listener, nil, nil)
                    guard fd >= 0 else { break }
                    serve(fd, count)
                    count += 1
                }
                close(listener)
            }
        }
    }

    /// Runs `body` on a thread of its own, nobody waiting for it.
    package static func detach(_ body: @escaping @Sendable () -> Void) { Task { await PlainThread.run(body) } }

    /// Sends everything; false when the other end is gone.
    @discardableResult
    package static func send(_ fd: Int32, _ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.send(fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// Receives up to so many octets; empty at the end.
    package static func receive(_ fd: Int32, _ limit: Int) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: limit)
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe recv(fd, $0.baseAddress, $0.count, 0) }
        return Array(buffer.prefix(max(count, 0)))
    }

    /// Receives exactly so many octets; fewer at the end.
    package static func receive(_ fd: Int32, exactly count: Int) -> [UInt8] {
        var all: [UInt8] = []
        while all.count < count {
            let piece = receive(fd, count - all.count)
            if piece.isEmpty { break }
            all += piece
        }
        return all
    }

    /// Receives octet by octet up to and with `end`.
    package static func receive(_ fd: Int32, through end: String) -> [UInt8] {
        let wanted = Array(end.utf8)
        var all: [UInt8] = []
        while all.suffix(wanted.count) != wanted[...] {
            let piece = receive(fd, 1)
            if piece.isEmpty { break }
            all += piece
        }
        return all
    }

    /// Moves octets both ways until both have ended.
    package static func splice(_ a: Int32, _ b: Int32) {
        let isBackDone = Lock(false)
        detach {
            relay(from: b, to: a)
            isBackDone.withLock { $0 = true }
        }
        relay(from: a, to: b)
        // Nobody closes a descriptor that the other thread still uses.
        while !isBackDone.withLock({ $0 }) { usleep(1000) }
    }

    /// Moves octets one way until their end, and hands the end on.
    private static func relay(from: Int32, to: Int32) {
        while case let piece = receive(from, 65_536), !piece.isEmpty { guard send(to, piece) else { break } }
        shutdown(to, Int32(SHUT_WR))
        shutdown(from, Int32(SHUT_RD))
    }
}

/// A port of 127.0.0.1 that is taken and where nobody listens: connections are refused.
package final class DeadPort: Sendable {
    private let fd: Int32
    /// The port.
    package let number: UInt16

    /// Takes a free port.
    package init() throws(SslSocketError) {
        fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr = in_addr(s_addr: UInt32(0x7F00_0001).bigEndian)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let fd = fd
        let isReady = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(fd, $0, length) == 0 && getsockname(fd, $0, &length) == 0
            }
        }
        number = UInt16(bigEndian: address.sin_port)
        guard isReady else { throw SslSocketError(.socketResource, "no port") }
    }

    deinit { close(fd) }
}
