internal import Glibc
internal import SslValues

/// A socket with a local end that has been chosen, to be connected from there.
final class BoundSocket {
    /// The socket; another one after ``renew()``.
    private(set) var descriptor: SocketDescriptor
    private let isReusable: Bool
    /// It takes IPv4 as well as IPv6.
    private let isDual: Bool

    /// Binds. Without an address it takes any, for IPv4 and IPv6 where the host has both.
    init(to address: IpAddress?, port: UInt16, isReusable: Bool) throws(SslSocketError) {
        self.isReusable = isReusable
        if let address {
            isDual = false
            descriptor = try Self.bind(to: SocketAddress(address, port: port), isReusable: isReusable, isDual: false)
            return
        }
        do throws(SslSocketError) {
            descriptor = try Self.bind(to: SocketAddress(.anyIPv6, port: port), isReusable: isReusable, isDual: true)
            isDual = true
        } catch {
            guard [EAFNOSUPPORT, EADDRNOTAVAIL].contains(error.systemError) else { throw error }
            descriptor = try Self.bind(to: SocketAddress(.anyIPv4, port: port), isReusable: isReusable, isDual: false)
            isDual = false
        }
    }

    private static func bind(
        to address: SocketAddress, isReusable: Bool, isDual: Bool
    ) throws(SslSocketError) -> SocketDescriptor {
        let descriptor = try SocketDescriptor.stream(family: address.family)
        if isReusable { descriptor.setOption(SOL_SOCKET, SO_REUSEADDR, 1) }
        if address.ip.isIPv6 { descriptor.setOption(Int32(IPPROTO_IPV6), IPV6_V6ONLY, isDual ? 0 : 1) }
        guard unsafe address.withSockaddr({ unsafe Glibc.bind(descriptor.fd, $0, $1) }) == 0 else {
            throw IOErrors.error(errno, "Cannot bind to \(address)")
        }
        return descriptor
    }

    /// After an attempt to connect has failed: a fresh socket with the same local end. The system lets go of a port that it has chosen itself,
    /// so the old one cannot be used again.
    func renew() throws(SslSocketError) {
        guard let local = unsafe SocketAddress.filled(by: { unsafe getsockname(descriptor.fd, $0, $1) }) else {
            throw IOErrors.calling("getsockname", errno)
        }
        descriptor.close()
        descriptor = try Self.bind(to: local, isReusable: isReusable, isDual: isDual)
    }

    /// The address as this socket can connect to it; nil when it is of the other family.
    func reachable(_ address: SocketAddress) -> SocketAddress? {
        if address.family == descriptor.family { return address }
        return isDual ? SocketAddress(address.ip.mappedToIPv6, port: address.port) : nil
    }
}
