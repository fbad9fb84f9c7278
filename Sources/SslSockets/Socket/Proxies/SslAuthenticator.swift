public import SslValues

/// Asks the application for user and password (`QAuthenticator`): what ``SslSocket/proxyAuthenticationRequired`` hands to its slots, which fill it in
/// before they return.
public final class SslAuthenticator {
    /// The proxy that asks.
    public let proxy: SslProxy
    /// What the credentials are for, in the proxy's words (`realm`); empty with SOCKS, which has no such thing.
    public let realm: String
    /// Whom to be known as (`user`). It begins as what the proxy has refused; empty for nobody.
    public private(set) var user: String
    /// The password (`password`).
    public private(set) var password: SecretBytes?
    /// A slot has filled it in (`isNull` says the contrary).
    public private(set) var isFilledIn = false

    init(proxy: SslProxy, realm: String) {
        self.proxy = proxy
        self.realm = realm
        user = proxy.user
    }

    /// Gives user and password (`setUser`, `setPassword`). Without a call, or with an empty user, the connection fails with
    /// ``SslSocketError/Code/proxyAuthenticationRequired``.
    public func fillIn(user: String, password: String) { fillIn(user: user, password: SecretBytes(Array(password.utf8))) }

    /// Gives user and password.
    public func fillIn(user: String, password: SecretBytes) {
        self.user = user
        self.password = password
        isFilledIn = !user.isEmpty
    }
}
