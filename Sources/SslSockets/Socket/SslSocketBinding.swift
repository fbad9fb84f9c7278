internal import SslBackend
internal import SslValues

/// How an address is shared with others (`QAbstractSocket::BindMode`).
///
/// The empty set, the default, asks for nothing special: the address must be free, and may not be in the state that a connection leaves
/// behind for some minutes.
public struct SslBindMode: OptionSet, Sendable, Hashable {
    /// Qt's numbers.
    public let rawValue: Int
    /// Makes a set from Qt's numbers.
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// Others may have the same address and port, if they allow it too (`ShareAddress`, SO_REUSEADDR).
    public static let shareAddress = SslBindMode(rawValue: 1)
    /// Nobody else may have the address and port (`DontShareAddress`). That is so anyway unless one of the others is asked for; it cannot be
    /// combined with ``shareAddress``.
    public static let dontShareAddress = SslBindMode(rawValue: 2)
    /// An address that a connection has left behind may be taken at once (`ReuseAddressHint`, SO_REUSEADDR). On Linux, sockets that all ask for
    /// it can also share an address.
    public static let reuseAddressHint = SslBindMode(rawValue: 4)
}

extension SslSocket {
    /// Chooses the local end of the next connection (`bind`): ``state`` is ``SslSocketState/bound``, and ``localAddress`` is known, until the
    /// socket connects from there. ``close()`` and ``abort()`` give it up.
    ///
    /// A bound socket tries the addresses of the host one after the other, not several at once.
    /// - Parameters:
    ///   - address: one of this host; nil, the default, for any, of IPv4 and IPv6 alike. ``IpAddress/anyIPv4`` and ``IpAddress/anyIPv6`` keep to
    ///     theirs.
    ///   - port: 0, the default, for one that is free.
    ///   - mode: how it is shared.
    /// - Returns: false, with ``error`` set, when the address is taken (``SslSocketError/Code/addressInUse``), is not of this host
    ///   (``SslSocketError/Code/addressNotAvailable``), needs more rights (``SslSocketError/Code/socketAccess``), or the socket is in use.
    @discardableResult
    public func bind(to address: IpAddress? = nil, port: UInt16 = 0, mode: SslBindMode = []) -> Bool {
        guard state == .unconnected || state == .bound else {
            return refuse("The socket is already connecting or connected: bind it before")
        }
        do throws(SslSocketError) {
            guard !mode.isSuperset(of: [.shareAddress, .dontShareAddress]) else {
                throw SslSocketError(.invalidUserData, "An address cannot be shared and not be shared")
            }
            let isReusable = !mode.isDisjoint(with: [.shareAddress, .reuseAddressHint])
            let fresh = try BoundSocket(to: address, port: port, isReusable: isReusable)
            for (option, value) in socketOptions { try fresh.descriptor.set(option, to: value) }
            reset()
            bound?.descriptor.close()
            bound = fresh
        } catch {
            report(error)
            return false
        }
        setState(.bound)
        return state == .bound
    }
}
