public import SslValues

/// A proxy to make connections through (`QNetworkProxy`).
///
/// ```swift
/// socket.proxy = SslProxy(.socks5, host: "proxy.example.org", port: 1080, user: "alice", password: "secret")
/// socket.connectToHostEncrypted("example.org", port: 443)
/// ```
/// Both kinds are given the **name** of the host and resolve it themselves; whoever wants to resolve it here connects to the address and sets
/// ``SslSocket/peerVerifyName``. What goes to the proxy itself, user and password included, is not encrypted; TLS runs through it from end to end.
///
/// The environment (`http_proxy` and its kin) is not consulted: a program that wants to obey it says `try SslProxy(url:)`.
public struct SslProxy: Sendable, Hashable {
    /// How a proxy is spoken to (`QNetworkProxy::ProxyType`).
    public enum Kind: Sendable, Hashable, CaseIterable {
        /// What ``SslProxy/applicationProxy`` says.
        case `default`
        /// No proxy: connections are made directly.
        case none
        /// SOCKS version 5 (RFC 1928), with user and password if there are any (RFC 1929).
        case socks5
        /// An HTTP proxy that makes tunnels by CONNECT (RFC 9110 section 9.3.6), with Basic authentication (RFC 7617) if there are user and password.
        case httpConnect
    }

    /// How it is spoken to (`type`).
    public var kind: Kind
    /// The name or address of the proxy (`hostName`); empty without one.
    public var host: String
    /// Its TCP port (`port`).
    public var port: UInt16
    /// Whom to be known as (`user`); empty for nobody. It is sent at once when the proxy may want it.
    public var user: String
    /// The password (`password`); nil for none. It is never printed.
    public var password: SecretBytes?

    /// Describes a proxy. What cannot be is said when a connection is made through it.
    public init(_ kind: Kind, host: String, port: UInt16, user: String = "", password: String = "") {
        self.kind = kind
        self.host = host
        self.port = port
        self.user = user
        self.password = password.isEmpty ? nil : SecretBytes(Array(password.utf8))
    }

    private init(_ kind: Kind) { self.init(kind, host: "", port: 0) }

    /// What ``applicationProxy`` says (`QNetworkProxy::DefaultProxy`): how each socket begins.
    public static let `default` = SslProxy(.default)
    /// No proxy (`QNetworkProxy::NoProxy`).
    public static let none = SslProxy(.none)

    private static let ofApplication = Lock(SslProxy.none)

    /// The proxy of all sockets of the process whose own is ``default`` (`QNetworkProxy::setApplicationProxy`), asked when they connect.
    /// Default: ``none``; ``default`` means that here too.
    public static var applicationProxy: SslProxy {
        get { ofApplication.withLock { $0 } }
        set { ofApplication.withLock { $0 = newValue } }
    }

    /// The proxy itself, with the default replaced by what it stands for; nil for none.
    var inForce: SslProxy? {
        let proxy = kind == .default ? Self.applicationProxy : self
        switch proxy.kind {
        case .default, .none: return nil
        case .socks5, .httpConnect: return proxy
        }
    }
}

extension SslProxy: CustomStringConvertible, CustomReflectable {
    /// The kind and the place, for example `socks5://proxy.example.org:1080`; neither user nor password.
    public var description: String {
        switch kind {
        case .default: "default proxy"
        case .none: "no proxy"
        case .socks5: "socks5://\(place)"
        case .httpConnect: "http://\(place)"
        }
    }

    private var place: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// What ``description`` says.
    public var customMirror: Mirror { Mirror(self, children: ["proxy": description]) }
}
