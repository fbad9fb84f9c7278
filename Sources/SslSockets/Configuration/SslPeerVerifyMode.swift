package import SslValues

/// How a peer must prove who it is (`QSslSocket::PeerVerifyMode`).
public enum SslPeerVerifyMode: Sendable, Hashable {
    /// A server asks for no certificate; a client takes any. **Whoever stands in the middle can read everything.**
    case verifyNone
    /// A certificate is asked for and judged; what is wrong is reported and the connection goes on. **No protection from an active attacker.**
    case queryPeer
    /// A certificate is required, and each error must be ignored explicitly or the handshake is refused.
    case verifyPeer
    /// ``verifyPeer`` for a client, ``queryPeer`` for a server. The default.
    case autoVerifyPeer

    /// What the mode comes to for a role.
    package func effective(for role: SslRole) -> SslPeerVerifyMode {
        guard self == .autoVerifyPeer else { return self }
        return role == .client ? .verifyPeer : .queryPeer
    }
}
