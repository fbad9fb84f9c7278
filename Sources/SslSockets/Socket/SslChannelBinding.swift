internal import SslBackend
public import SslValues

/// A way to bind what is said on a connection to that very connection (RFC 5056), for example the proof of a password (SCRAM-…-PLUS, RFC 5802): a
/// proof that somebody in between passes on is then worth nothing. The raw values are the registered names. Beyond Qt.
public enum SslChannelBinding: String, Sendable, Hashable, CaseIterable {
    /// The first Finished message (RFC 5929 section 3). TLS 1.2 only, and only with the extended master secret (RFC 7627).
    case tlsUnique = "tls-unique"
    /// A hash of the server's certificate (RFC 5929 section 4). Any version; the same for all connections to that server.
    case tlsServerEndPoint = "tls-server-end-point"
    /// Exported keying material (RFC 9266), the one to prefer. TLS 1.3, and TLS 1.2 with the extended master secret.
    case tlsExporter = "tls-exporter"
}

extension SslSocket {
    /// The octets that bind to this connection; the same at both ends. Beyond Qt.
    ///
    /// - Throws: ``SslSocketError/Code/operation`` while not encrypted, where the version has no such binding (see ``SslChannelBinding``), and for
    ///   ``SslChannelBinding/tlsServerEndPoint`` without a certificate of the server: with a pre-shared key, when its signature has no hash (EdDSA),
    ///   and on a server with several certificates when a session was resumed.
    public func channelBinding(_ kind: SslChannelBinding) throws(SslSocketError) -> [UInt8] {
        guard isEncrypted, let connection else {
            throw SslSocketError(.operation, "A connection can be bound to only while it is encrypted")
        }
        return try connection.channelBinding(kind)
    }
}
