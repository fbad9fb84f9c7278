internal import SslValues

/// The way to a host through a proxy.
struct ProxyRoute {
    /// The proxy, with the credentials in use.
    private(set) var proxy: SslProxy
    /// Where the tunnel ends.
    let target: ProxyTarget
    private var credentials: ProxyCredentials?
    /// The application was asked for credentials, which happens once for each connection.
    private(set) var hasAsked = false

    /// - Throws: ``SslSocketError/Code/invalidUserData`` and others for what neither kind of proxy can be asked.
    init(_ proxy: SslProxy, to host: String, port: UInt16, protocol family: SslNetworkProtocol) throws(SslSocketError) {
        guard !proxy.host.isEmpty, proxy.port > 0 else {
            throw SslSocketError(.invalidUserData, "The proxy has no host or no port")
        }
        self.proxy = proxy
        target = try ProxyTarget(host, port: port, protocol: family)
        credentials = try ProxyCredentials(user: proxy.user, password: proxy.password, for: proxy.kind)
    }

    /// Takes what the application has filled in.
    mutating func take(_ authenticator: SslAuthenticator) throws(SslSocketError) {
        proxy.user = authenticator.user
        proxy.password = authenticator.password
        credentials = try ProxyCredentials(user: proxy.user, password: proxy.password, for: proxy.kind)
    }

    /// Remembers that the application was asked.
    mutating func noteAsked() { hasAsked = true }

    /// The dialogue that makes the tunnel.
    var dialogue: any Dialogue {
        proxy.kind == .socks5
            ? Socks5Dialogue(to: target, credentials: credentials) : HttpConnectDialogue(to: target, credentials: credentials)
    }

    /// What it means for the socket that the proxy cannot be reached.
    func unreachable(_ error: SslSocketError) -> SslSocketError {
        let code: SslSocketError.Code =
            switch error.code {
            case .hostNotFound: .proxyNotFound
            case .connectionRefused: .proxyConnectionRefused
            case .socketTimeout: .proxyConnectionTimeout
            case let other: other
            }
        return SslSocketError(
            code, "The proxy cannot be reached: \(error.message)", nativeCode: error.nativeCode, systemError: error.systemError)
    }
}

/// Where a tunnel ends, in a form that both kinds of proxy can be told.
struct ProxyTarget: Hashable, CustomStringConvertible {
    /// A name; for an address its text.
    let host: String
    let port: UInt16
    /// The address, when the host is none but that.
    let address: IpAddress?

    /// - Throws: ``SslSocketError/Code/hostNotFound`` for what is neither a name nor an address, and
    ///   ``SslSocketError/Code/unsupportedOperation`` for a version of the Internet protocol that only the proxy could choose.
    init(_ host: String, port: UInt16, protocol family: SslNetworkProtocol = .any) throws(SslSocketError) {
        guard port > 0 else { throw SslSocketError(.connectionRefused, "Nobody can listen at port 0 of \(host)") }
        address = IpAddress(host)
        if let address {
            guard family == .any || (family == .ipv6) == address.isIPv6 else {
                throw SslSocketError(.hostNotFound, "\(host) is not an address of the wanted protocol")
            }
            guard address.scope == 0 else {
                throw SslSocketError(.unsupportedOperation, "A proxy cannot be told an address with a zone, like \(host)")
            }
            self.host = address.description
        } else {
            // Anything else could end the line it is written in.
            guard HostNames.isName(host) else {
                throw SslSocketError(.hostNotFound, "\(DialogueWords.quoted(host)) is not a host name")
            }
            guard family == .any else {
                throw SslSocketError(
                    .unsupportedOperation,
                    "The proxy resolves the name \(host) itself: which version of the Internet protocol it uses cannot be chosen here"
                )
            }
            self.host = host
        }
        self.port = port
    }

    /// `example.org:443`, `[2001:db8::1]:443`.
    var description: String { address?.isIPv6 == true ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// User and password in a form that the proxy can be told.
struct ProxyCredentials {
    let user: String
    let password: SecretBytes

    /// Nil without a user.
    init?(user: String, password: SecretBytes?, for kind: SslProxy.Kind) throws(SslSocketError) {
        guard !user.isEmpty else { return nil }
        let password = password ?? SecretBytes([UInt8]())
        switch kind {
        case .socks5:
            // RFC 1929 section 2: one octet holds each length, and it is not 0.
            guard user.utf8.count <= 255, (1...255).contains(password.count) else {
                throw SslSocketError(.invalidUserData, "User and password of a SOCKS proxy have 1 to 255 octets each")
            }
        default:
            // RFC 7617 section 2.
            let hasControl = unsafe password.withBytes { unsafe $0.contains { $0 < 0x20 || $0 == 0x7F } }
            guard !user.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F || $0 == UInt8(ascii: ":") }), !hasControl else {
                throw SslSocketError(
                    .invalidUserData,
                    "The user of an HTTP proxy cannot have a colon in it, and neither user nor password a control character")
            }
            guard user.utf8.count + password.count <= 2048 else {
                throw SslSocketError(.invalidUserData, "User and password of an HTTP proxy are longer than 2048 octets together")
            }
        }
        self.user = user
        self.password = password
    }

    /// What stands after `Basic` (RFC 7617 section 2).
    var basic: String {
        let secret = unsafe password.withBytes { unsafe [UInt8]($0) }
        return String(decoding: Pem.encodeBase64(Array("\(user):".utf8) + secret), as: UTF8.self)
    }
}

/// What can be a host name.
enum HostNames {
    /// Labels of 1 to 63 letters, digits, hyphens and underscores, 253 together, and maybe the dot of the root (RFC 1035 section 2.3.4).
    static func isName(_ text: String) -> Bool {
        let octets = Array(text.utf8)
        let name = octets.last == UInt8(ascii: ".") ? octets.dropLast() : octets[...]
        guard name.count <= 253 else { return false }
        return name.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { label in
            (1...63).contains(label.count)
                && label.allSatisfy { octet in
                    switch octet {
                    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "_"): true
                    default: false
                    }
                }
        }
    }
}
