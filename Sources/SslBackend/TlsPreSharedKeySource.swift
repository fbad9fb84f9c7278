public import SslValues

/// Whom a session asks for pre-shared keys, while its engine runs. It belongs to one session and one thread at a time, like it.
///
/// It may be asked more than once in a handshake and gives the same answer each time. It must not call the session.
public protocol TlsPreSharedKeySource: AnyObject {
    /// A client's key. In TLS 1.3 it is asked for before the ClientHello, in TLS 1.2 after the ServerKeyExchange.
    ///
    /// - Parameter hint: what the server said (RFC 4279 section 5.2); empty without, and always in TLS 1.3.
    /// - Returns: nil for none: the handshake fails.
    func clientKey(hint: [UInt8]) -> SslPreSharedKey?

    /// A server's key for the identity a client named.
    ///
    /// - Returns: nil for an unknown identity. The engine then goes on with a key nobody can know, so that the handshake fails as with a
    ///   wrong key, and as late (RFC 4279 section 2).
    func serverKey(identity: [UInt8]) -> SslPreSharedKey?
}
