import Glibc

@testable import SslSockets

/// The TCP sockets of this process that have to do with a port.
enum OpenSockets {
    /// How many descriptors stand for an end of a connection with this port, the listener left out.
    static func count(port: UInt16, besides listener: Int32) -> Int {
        var limit = rlimit()
        _ = unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return (0..<Int32(clamping: min(limit.rlim_cur, 4096))).count { fd in
            if fd == listener { return false }
            var listens: Int32 = 0
            var length = socklen_t(MemoryLayout<Int32>.size)
            guard unsafe getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) == 0, listens == 0 else { return false }
            let local = unsafe SocketAddress.filled { unsafe getsockname(fd, $0, $1) }
            let peer = unsafe SocketAddress.filled { unsafe getpeername(fd, $0, $1) }
            return local?.port == port || peer?.port == port
        }
    }
}
