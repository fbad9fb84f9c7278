/// Where a socket stands (`QAbstractSocket::SocketState`).
public enum SslSocketState: Sendable, Hashable {
    /// Idle.
    case unconnected
    /// The local end has been chosen with ``SslSocket/bind(to:port:mode:)``.
    case bound
    /// The name is being looked up.
    case hostLookup
    /// A TCP connection is being made, and a tunnel where it goes through a proxy.
    case connecting
    /// TCP, or the tunnel, is up; TLS may not be.
    case connected
    /// About to close; what was written is still being sent.
    case closing
}

/// Which role a socket plays (`QSslSocket::SslMode`).
public enum SslMode: Sendable, Hashable {
    /// Plain TCP.
    case unencrypted
    /// The TLS client.
    case sslClient
    /// The TLS server.
    case sslServer
}

/// When a socket stops until ``SslSocket/resume()`` (`QAbstractSocket::PauseModes`).
public enum SslPauseMode: Sendable, Hashable {
    /// Never.
    case never
    /// After ``SslSocket/sslErrors`` was emitted for errors that are not ignored.
    case onSslErrors
}

/// What came of the ALPN negotiation (`QSslConfiguration::NextProtocolNegotiationStatus`).
public enum SslNextProtocolStatus: Sendable, Hashable {
    /// Nothing was offered.
    case none
    /// A protocol was agreed.
    case negotiated
    /// Something was offered and nothing is common. Unlike Qt, no protocol is made up then.
    case unsupported
}
