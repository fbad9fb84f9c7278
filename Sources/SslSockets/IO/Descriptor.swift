internal import CSslLinux
internal import Glibc
package import SslValues

/// What a non-blocking system call came to.
package enum IOResult {
    /// So many octets moved.
    case bytes(Int)
    /// Not now.
    case wouldBlock
    /// The peer has finished sending.
    case endOfStream
    /// It failed with this errno.
    case failed(Int32)
}

/// What accepting came to.
package enum AcceptResult {
    case accepted(SocketDescriptor)
    case wouldBlock
    case failed(Int32)
}

/// What a look at the next octet found.
enum PeekResult {
    case octet(UInt8)
    case wouldBlock
    case endOfStream
    case failed(Int32)
}

/// A non-blocking stream socket, closed once.
package final class SocketDescriptor: Sendable {
    /// What ``close()`` does.
    private enum Closing {
        /// Closes the descriptor.
        case atOnce
        /// Stops listening; the last user closes the descriptor.
        case stopsListening
        /// Nothing; the last user closes the descriptor. Another process may listen at the same socket: shutting it down would stop that one too.
        case byLastUser
    }
    private let number: Lock<Int32>
    /// The number as long as it is open, for the hot path; the owner does not use it after ``close()``.
    package let fd: Int32
    private let closing: Closing

    private init(_ fd: Int32, closing: Closing = .atOnce) {
        self.fd = fd
        self.closing = closing
        number = Lock(fd)
    }

    deinit { release() }

    /// Closes the descriptor; a second time does nothing.
    ///
    /// A listening one may be in use on another thread, between looking it up and accept(2). It only stops listening, which also wakes whoever
    /// polls it; the number stays taken until the last user lets go, so that nobody accepts from a descriptor that has become another's.
    package func close() {
        switch closing {
        case .atOnce: release()
        case .stopsListening: _ = shutdown(fd, Int32(SHUT_RDWR))
        case .byLastUser: break
        }
    }

    /// Ends both directions from another thread, without closing: whoever uses the descriptor finds the end of the stream.
    func shutDown() { number.withLock { number in if number >= 0 { _ = shutdown(number, Int32(SHUT_RDWR)) } } }

    private func release() {
        let open = number.withLock { number in
            defer { number = -1 }
            return number
        }
        if open >= 0 { _ = Glibc.close(open) }
    }

    // MARK: Making

    /// A new TCP socket.
    static func stream(family: Int32) throws(SslSocketError) -> SocketDescriptor { try stream(family: family, closing: .atOnce) }

    private static func stream(family: Int32, closing: Closing) throws(SslSocketError) -> SocketDescriptor {
        let fd = socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard fd >= 0 else { throw IOErrors.calling("socket", errno) }
        return SocketDescriptor(fd, closing: closing)
    }

    /// Takes over a connected socket, which becomes non-blocking. When that fails, it stays the caller's.
    package static func adopt(fd: Int32) throws(SslSocketError) -> SocketDescriptor {
        try requireStream(fd)
        guard hasPeer(fd) else {
            throw SslSocketError(.operation, "The descriptor \(fd) cannot be taken over: it is not connected")
        }
        try prepare(fd)
        return SocketDescriptor(fd)
    }

    /// Takes over a listening socket, which becomes non-blocking, for example one that the system's service manager passes on. When that
    /// fails, it stays the caller's. Other processes that hold it go on listening after it is closed here.
    static func adoptListener(fd: Int32) throws(SslSocketError) -> SocketDescriptor {
        guard try intOption(fd, SO_ACCEPTCONN) != 0 else {
            throw SslSocketError(.unsupportedOperation, "The descriptor \(fd) does not listen")
        }
        try requireStream(fd)
        try prepare(fd)
        return SocketDescriptor(fd, closing: .byLastUser)
    }

    private static func requireStream(_ fd: Int32) throws(SslSocketError) {
        guard try intOption(fd, SO_TYPE) == Int32(SOCK_STREAM.rawValue) else {
            throw SslSocketError(.unsupportedOperation, "The descriptor \(fd) is no stream socket")
        }
    }

    private static func prepare(_ fd: Int32) throws(SslSocketError) {
        let flags = fcntl(fd, F_GETFL)
        guard flags >= 0, fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 else { throw IOErrors.calling("fcntl", errno) }
        guard fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 else { throw IOErrors.calling("fcntl", errno) }
    }

    private static func intOption(_ fd: Int32, _ name: Int32) throws(SslSocketError) -> Int32 {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard unsafe getsockopt(fd, SOL_SOCKET, name, &value, &length) == 0 else { throw IOErrors.calling("getsockopt", errno) }
        return value
    }

    /// A listening socket for all addresses of this host: IPv6 and IPv4 at once, or IPv4 alone where there is no IPv6.
    ///
    /// - Parameter all: the address that stands for everything.
    static func listenerAnywhere(
        port: UInt16, backlog: Int, all: IpAddress = .anyIPv6
    ) throws(SslSocketError) -> SocketDescriptor {
        do throws(SslSocketError) {
            return try listener(at: SocketAddress(all, port: port), backlog: backlog)
        } catch {
            // The kernel may know no IPv6 at all, or have it switched off (net.ipv6.conf.all.disable_ipv6).
            guard error.systemError == EAFNOSUPPORT || error.systemError == EADDRNOTAVAIL else { throw error }
            return try listener(at: SocketAddress(.anyIPv4, port: port), backlog: backlog)
        }
    }

    /// The descriptor is connected, or was: a connection that the peer has already reset is one.
    private static func hasPeer(_ fd: Int32) -> Bool {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe getpeername(fd, $0, &length) }
        }
        if status == 0 { return true }
        // The stream of a connection that is gone has ended; that of one that never was has not.
        var entry = pollfd(fd: fd, events: ssllinux_pollrdhup(), revents: 0)
        return unsafe poll(&entry, 1, 0) > 0 && entry.revents & ssllinux_pollrdhup() != 0
    }

    /// A listening socket. An IPv6 wildcard takes IPv4 too.
    package static func listener(at address: SocketAddress, backlog: Int) throws(SslSocketError) -> SocketDescriptor {
        let descriptor = try stream(family: address.family, closing: .stopsListening)
        descriptor.setOption(SOL_SOCKET, SO_REUSEADDR, 1)
        if address.ip.isIPv6 { descriptor.setOption(Int32(IPPROTO_IPV6), IPV6_V6ONLY, 0) }
        guard unsafe address.withSockaddr({ unsafe bind(descriptor.fd, $0, $1) }) == 0 else {
            throw IOErrors.error(errno, "Cannot listen at \(address)")
        }
        guard listen(descriptor.fd, Int32(clamping: backlog)) == 0 else {
            throw IOErrors.error(errno, "Cannot listen at \(address)")
        }
        return descriptor
    }

    // MARK: Connecting and accepting

    /// Begins to connect. 0 when connected at once, EINPROGRESS while it goes on, any other errno when it failed.
    func startConnect(to address: SocketAddress) -> Int32 {
        if unsafe address.withSockaddr({ unsafe connect(fd, $0, $1) }) == 0 { return 0 }
        // An interrupted connect goes on by itself; a second call would only say EALREADY.
        return errno == EINTR ? EINPROGRESS : errno
    }

    /// How connecting ended: 0 or an errno.
    var connectError: Int32 { option(SOL_SOCKET, SO_ERROR) ?? EINVAL }

    /// Accepts one connection. One that failed before it was accepted is passed over: accept(2) reports the network errors of the new
    /// connection as its own.
    package func accept() -> AcceptResult {
        while true {
            let fresh = ssllinux_accept4(fd, nil, nil, Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue))
            if fresh >= 0 { return .accepted(SocketDescriptor(fresh)) }
            switch errno {
            case EINTR, ECONNABORTED, EPROTO, ENETDOWN, ENETUNREACH, EHOSTDOWN, EHOSTUNREACH, ENONET, ENOPROTOOPT: continue
            case EAGAIN: return .wouldBlock
            default: return .failed(errno)
            }
        }
    }

    // MARK: Moving octets

    /// Receives what is there.
    ///
    /// - Parameter discarding: drops it instead. The system may leave `buffer` as it is (TCP) or use it (other streams).
    package func receive(into buffer: UnsafeMutableRawBufferPointer, discarding: Bool = false) -> IOResult {
        // recv(2) would answer 0 as it does at the end of the stream.
        if buffer.count == 0 { return .bytes(0) }
        while true {
            let count = unsafe recv(fd, buffer.baseAddress, buffer.count, discarding ? Int32(MSG_TRUNC) : 0)
            if count > 0 { return .bytes(count) }
            if count == 0 { return .endOfStream }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .wouldBlock
            default: return .failed(errno)
            }
        }
    }

    /// Looks at the next octet and leaves it where it is.
    func peek() -> PeekResult {
        var octet: UInt8 = 0
        while true {
            let count = unsafe recv(fd, &octet, 1, Int32(MSG_PEEK))
            if count > 0 { return .octet(octet) }
            if count == 0 { return .endOfStream }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .wouldBlock
            default: return .failed(errno)
            }
        }
    }

    /// Sends as much as the system takes.
    package func send(_ bytes: UnsafeRawBufferPointer) -> IOResult {
        while true {
            let count = unsafe Glibc.send(fd, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            if count >= 0 { return .bytes(count) }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .wouldBlock
            default: return .failed(errno)
            }
        }
    }

    /// Drops what was received and not read, at most 1 MiB, so that closing does not reset the connection.
    package func discardReceived() {
        var left = 1 << 20
        let scratch = unsafe BufferPool.take(.small)
        defer { unsafe BufferPool.give(scratch) }
        while left > 0, case .bytes(let count) = unsafe receive(into: scratch) { left -= count }
    }

    // MARK: Options

    /// Small pieces leave at once (`LowDelayOption`).
    package func setNoDelay(_ on: Bool) { setOption(Int32(IPPROTO_TCP), TCP_NODELAY, on ? 1 : 0) }

    /// Closing resets the connection instead of ending it.
    package func resetOnClose() {
        var value = linger(l_onoff: 1, l_linger: 0)
        _ = unsafe setsockopt(fd, SOL_SOCKET, SO_LINGER, &value, socklen_t(MemoryLayout<linger>.size))
    }

    @discardableResult
    func setOption(_ level: Int32, _ name: Int32, _ value: Int32) -> Bool {
        var value = value
        return unsafe setsockopt(fd, level, name, &value, socklen_t(MemoryLayout<Int32>.size)) == 0
    }

    func option(_ level: Int32, _ name: Int32) -> Int32? {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return unsafe getsockopt(fd, level, name, &value, &length) == 0 ? value : nil
    }

    /// This end; nil when it has none. One that an IPv6 socket has in IPv4 is given as such.
    package var localAddress: SocketAddress? { unsafe SocketAddress.filled { unsafe getsockname(fd, $0, $1) }?.unmapped }
    /// The other end; nil when it has none. One that an IPv6 socket has in IPv4 is given as such.
    package var peerAddress: SocketAddress? { unsafe SocketAddress.filled { unsafe getpeername(fd, $0, $1) }?.unmapped }
}
