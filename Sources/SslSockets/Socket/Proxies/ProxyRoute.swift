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
