internal import SslBackend
public import SslValues

// New keys within an encrypted connection of TLS 1.3.
extension SslSocket {
    /// Encrypts with new keys from here on (RFC 8446 section 4.6.3). Beyond Qt.
    ///
    /// It is done by itself long before a key has encrypted as much as it should (RFC 8446 section 5.5), so that nobody has to call this; it serves
    /// programs that want new keys at times of their own. What was written and is not encrypted yet goes under the new keys.
    ///
    /// - Parameter requestsPeer: asks the peer to change its keys too, which ``keysUpdated`` tells.
    /// - Throws: ``SslSocketError/Code/operation`` while not encrypted and once this end has ended writing;
    ///   ``SslSocketError/Code/unsupportedFeature`` in TLS 1.2, which has no such thing: a connection that moves very much must be made anew there
    ///   (RFC 9325 section 4.4).
    public func updateKeys(requestsPeer: Bool = true) throws(SslSocketError) {
        guard isEncrypted, let connection, !connection.isClosed else {
            throw SslSocketError(.operation, "Keys can be changed only while the connection is encrypted and open for writing")
        }
        try connection.updateKeys(requestsPeer: requestsPeer, output)
        pushOut()
    }

    /// The peer has changed the keys it encrypts with, by itself or because ``updateKeys(requestsPeer:)`` asked it to.
    public var keysUpdated: Signal<SslSocket, Void> { signal(.keysUpdated) }
}
