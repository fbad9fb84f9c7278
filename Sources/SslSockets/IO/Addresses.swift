internal import Glibc

/// Which version of the Internet protocol to use (`QAbstractSocket::NetworkLayerProtocol`).
public enum SslNetworkProtocol: Sendable, Hashable, CaseIterable {
    /// Whatever the name resolves to and works.
    case any
    /// IPv4 only.
    case ipv4
    /// IPv6 only.
    case ipv6
}

/// An IPv4 or IPv6 address.
///
/// The text form is read strictly: four decimal numbers without leading zeros, or RFC 4291 section 2.2 with an optional
/// zone (RFC 4007 section 11), `fe80::1%eth0` or `fe80::1%2`, that must be an interface of this host. Nothing is looked up.
public struct IpAddress: Sendable, Hashable, CustomStringConvertible, LosslessStringConvertible {
    /// The address in network byte order, the first byte on top; an IPv4 address is in the upper four bytes of `high`.
    private let high: UInt64
    private let low: UInt64
    /// True for IPv6.
    public let isIPv6: Bool
    /// The index of the interface that a link-local IPv6 address belongs to; 0 when none is given, and for IPv4.
    public let scope: UInt32

    private init(high: UInt64, low: UInt64, isIPv6: Bool, scope: UInt32 = 0) {
        self.high = high
        self.low = low
        self.isIPv6 = isIPv6
        self.scope = scope
    }

    /// 127.0.0.1
    public static let loopbackIPv4 = IpAddress(high: 0x7F00_0001 << 32, low: 0, isIPv6: false)
    /// ::1
    public static let loopbackIPv6 = IpAddress(high: 0, low: 1, isIPv6: true)
    /// 0.0.0.0, every IPv4 address of this host.
    public static let anyIPv4 = IpAddress(high: 0, low: 0, isIPv6: false)
    /// ::, every IPv6 address of this host.
    public static let anyIPv6 = IpAddress(high: 0, low: 0, isIPv6: true)

    /// Makes an address from 4 bytes (IPv4) or 16 bytes (IPv6) in network order; nil for any other number of bytes.
    public init?(octets: [UInt8], scope: UInt32 = 0) {
        func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
        switch octets.count {
        case 4: self.init(high: number(octets[...]) << 32, low: 0, isIPv6: false)
        case 16: self.init(high: number(octets[..<8]), low: number(octets[8...]), isIPv6: true, scope: scope)
        default: return nil
        }
    }

    /// Reads `1.2.3.4`, `::1` or `fe80::1%eth0`; nil for anything else, host names above all.
    public init?(_ text: String) {
        guard !text.utf8.contains(0) else { return nil }
        var v4 = in_addr()
        if unsafe inet_pton(AF_INET, text, &v4) == 1 {
            self.init(high: UInt64(UInt32(bigEndian: v4.s_addr)) << 32, low: 0, isIPv6: false)
            return
        }
        let parts = text.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
        var v6 = in6_addr()
        guard let address = parts.first, unsafe inet_pton(AF_INET6, String(address), &v6) == 1 else { return nil }
        var scope: UInt32 = 0
        if parts.count == 2 {
            guard let found = Self.interface(named: String(parts[1])) else { return nil }
            scope = found
        }
        self.init(v6, scope: scope)
    }

    init(_ address: in_addr) {
        self.init(high: UInt64(UInt32(bigEndian: address.s_addr)) << 32, low: 0, isIPv6: false)
    }

    init(_ address: in6_addr, scope: UInt32) {
        let words = unsafe withUnsafeBytes(of: address) { bytes in
            unsafe (
                bytes.loadUnaligned(as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
            )
        }
        self.init(high: UInt64(bigEndian: words.0), low: UInt64(bigEndian: words.1), isIPv6: true, scope: scope)
    }

    var asIn: in_addr { in_addr(s_addr: UInt32(truncatingIfNeeded: high >> 32).bigEndian) }

    var asIn6: in6_addr {
        var address = in6_addr()
        unsafe withUnsafeMutableBytes(of: &address) { bytes in
            unsafe bytes.storeBytes(of: high.bigEndian, as: UInt64.self)
            unsafe bytes.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
        }
        return address
    }

    /// The index of the interface of that name or number; nil when there is none.
    private static func interface(named name: String) -> UInt32? {
        let index = unsafe if_nametoindex(name)
        if index != 0 { return index }
        guard let number = UInt32(name), number != 0, name.utf8.first != UInt8(ascii: "+") else { return nil }
        return number
    }

    /// The 4 or 16 bytes in network order.
    public var octets: [UInt8] {
        func bytes(_ word: UInt64, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * UInt64($0))) }
        }
        return isIPv6 ? bytes(high, 8) + bytes(low, 8) : bytes(high, 4)
    }

    /// True for 127.0.0.0/8, ::1, and the former in an IPv4-mapped address.
    public var isLoopback: Bool {
        if !isIPv6 { return high >> 56 == 127 }
        return high == 0 && (low == 1 || low >> 24 == 0xFFFF_7F)
    }

    /// True for fe80::/10 and 169.254.0.0/16.
    public var isLinkLocal: Bool { isIPv6 ? high >> 54 == 0xFE80 >> 6 : high >> 48 == 0xA9FE }

    /// The IPv4 address that an IPv6 address stands for (RFC 4291 section 2.5.5.2), or the address itself.
    var unmapped: IpAddress {
        guard isIPv6, high == 0, low >> 32 == 0xFFFF else { return self }
        return IpAddress(high: low << 32, low: 0, isIPv6: false)
    }

    /// The IPv6 address that stands for an IPv4 address (RFC 4291 section 2.5.5.2), or the address itself.
    var mappedToIPv6: IpAddress {
        isIPv6 ? self : IpAddress(high: 0, low: 0xFFFF << 32 | high >> 32, isIPv6: true)
    }

    /// The address as text, IPv6 as RFC 5952 recommends, with `%` and the name of the interface if there is one.
    public var description: String {
        let text = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { buffer in
            let written: UnsafePointer<CChar>?
            if isIPv6 {
                var address = asIn6
                unsafe written = inet_ntop(AF_INET6, &address, buffer.baseAddress, socklen_t(buffer.count))
            } else {
                var address = asIn
                unsafe written = inet_ntop(AF_INET, &address, buffer.baseAddress, socklen_t(buffer.count))
            }
            return unsafe written.map { unsafe String(cString: $0) } ?? ""
        }
        return scope == 0 ? text : "\(text)%\(Self.nameOfInterface(scope))"
    }

    private static func nameOfInterface(_ index: UInt32) -> String {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(IF_NAMESIZE)) { buffer in
            guard let base = buffer.baseAddress, let name = unsafe if_indextoname(index, base) else { return "\(index)" }
            return unsafe String(cString: name)
        }
    }
}

/// An address and a port.
public struct SocketAddress: Sendable, Hashable, CustomStringConvertible {
    /// The address.
    public var ip: IpAddress
    /// The port, in the host's byte order.
    public var port: UInt16

    /// Makes a socket address.
    public init(_ ip: IpAddress, port: UInt16) {
        self.ip = ip
        self.port = port
    }

    /// The IPv4 address that an IPv6 address stands for, or the address itself.
    var unmapped: SocketAddress { SocketAddress(ip.unmapped, port: port) }

    /// `127.0.0.1:80` or `[::1]:80`.
    public var description: String { ip.isIPv6 ? "[\(ip)]:\(port)" : "\(ip):\(port)" }
}

extension SocketAddress {
    /// AF_INET or AF_INET6.
    package var family: Int32 { ip.isIPv6 ? AF_INET6 : AF_INET }

    /// The address that the kernel wrote into `storage`; nil when it is of neither family.
    init?(_ storage: sockaddr_storage) {
        let address: SocketAddress? = unsafe withUnsafeBytes(of: storage) { bytes in
            switch Int32(storage.ss_family) {
            case AF_INET:
                let v4 = unsafe bytes.loadUnaligned(as: sockaddr_in.self)
                return SocketAddress(IpAddress(v4.sin_addr), port: UInt16(bigEndian: v4.sin_port))
            case AF_INET6:
                let v6 = unsafe bytes.loadUnaligned(as: sockaddr_in6.self)
                let scope = v6.sin6_scope_id
                return SocketAddress(IpAddress(v6.sin6_addr, scope: scope), port: UInt16(bigEndian: v6.sin6_port))
            default: return nil
            }
        }
        guard let address else { return nil }
        self = address
    }

    /// The address as the kernel wants it, and how many bytes of it count.
    var storage: (sockaddr_storage, socklen_t) {
        var storage = sockaddr_storage()
        let length = unsafe withUnsafeMutableBytes(of: &storage) { bytes in
            if ip.isIPv6 {
                var v6 = sockaddr_in6()
                v6.sin6_family = sa_family_t(AF_INET6)
                v6.sin6_port = port.bigEndian
                v6.sin6_addr = ip.asIn6
                v6.sin6_scope_id = ip.scope
                unsafe bytes.storeBytes(of: v6, as: sockaddr_in6.self)
                return MemoryLayout<sockaddr_in6>.size
            }
            var v4 = sockaddr_in()
            v4.sin_family = sa_family_t(AF_INET)
            v4.sin_port = port.bigEndian
            v4.sin_addr = ip.asIn
            unsafe bytes.storeBytes(of: v4, as: sockaddr_in.self)
            return MemoryLayout<sockaddr_in>.size
        }
        return (storage, socklen_t(length))
    }

    /// Calls `body` with the address as system calls take it.
    func withSockaddr<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
        let (value, length) = storage
        return unsafe withUnsafePointer(to: value) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, length) }
        }
    }

    /// What `fill`, a call like getpeername(2), writes; nil when it fails or the address is of neither family.
    static func filled(by fill: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32) -> SocketAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe fill($0, &length) }
        }
        return status == 0 ? SocketAddress(storage) : nil
    }
}
