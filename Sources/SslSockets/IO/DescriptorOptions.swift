internal import Glibc
internal import SslValues

// Socket options by their names of ours.
extension SocketDescriptor {
    /// Sets an option.
    ///
    /// - Throws: an error that names the option and the value, when the system refuses.
    func set(_ option: SslSocketOption, to value: Int) throws(SslSocketError) {
        let value = Int32(clamping: value)
        for (level, name) in places(of: option) where !setOption(level, name, value) {
            throw IOErrors.error(errno, "Cannot set the socket option \(option.rawValue) to \(value)")
        }
    }

    /// The value of an option; nil when the system has none for it.
    func value(of option: SslSocketOption) -> Int? {
        if option == .pathMtu {
            let isIPv6 = peerAddress?.ip.isIPv6 ?? false
            return (isIPv6 ? self.option(Int32(IPPROTO_IPV6), IPV6_MTU) : self.option(Int32(IPPROTO_IP), IP_MTU)).map(Int.init)
        }
        guard let (level, name) = places(of: option).first, let value = self.option(level, name) else { return nil }
        // Some systems answer a flag with any number but 0.
        return option.range == 0...1 ? (value == 0 ? 0 : 1) : Int(value)
    }

    /// Where the system keeps an option; the first place is the one to read.
    private func places(of option: SslSocketOption) -> [(level: Int32, name: Int32)] {
        let tcp = Int32(IPPROTO_TCP)
        switch option {
        case .lowDelay: return [(tcp, TCP_NODELAY)]
        case .keepAlive: return [(SOL_SOCKET, SO_KEEPALIVE)]
        case .keepAliveIdle: return [(tcp, TCP_KEEPIDLE)]
        case .keepAliveInterval: return [(tcp, TCP_KEEPINTVL)]
        case .keepAliveCount: return [(tcp, TCP_KEEPCNT)]
        case .sendBufferSize: return [(SOL_SOCKET, SO_SNDBUF)]
        case .receiveBufferSize: return [(SOL_SOCKET, SO_RCVBUF)]
        case .typeOfService:
            let v4 = (Int32(IPPROTO_IP), IP_TOS)
            // An IPv6 socket may speak IPv4, which goes by the other.
            return family == AF_INET6 ? [(Int32(IPPROTO_IPV6), IPV6_TCLASS), v4] : [v4]
        case .pathMtu, .multicastTtl, .multicastLoopback: return []
        }
    }

    /// AF_INET, AF_INET6, or that of another kind of stream.
    var family: Int32 { option(SOL_SOCKET, SO_DOMAIN) ?? AF_UNSPEC }
    /// A stream between processes of this host.
    var isLocal: Bool { family == AF_UNIX }
}
