internal import SslBackend
public import SslValues

extension SslSocket {
    /// Sends everything and says that no more will come, while reading goes on: close_notify ends one direction (RFC 8446 section 6.1).
    ///
    /// The peer may still answer; whether it does is up to it. One that speaks TLS 1.2 by the letter ends the connection at once (RFC 5246
    /// section 7.2.1). Read until the end, then call ``close()`` or ``finish(timeout:)``.
    /// - Throws: ``SslSocketError/Code/operation`` while not encrypted, and every failure of sending.
    public func finishWriting(timeout: Duration? = nil) async throws(SslSocketError) {
        guard isEncrypted, let connection else {
            throw error ?? SslSocketError(.operation, "Writing can be finished only while the connection is encrypted")
        }
        try await drain(timeout: timeout)
        sendCloseNotify(connection)
        try await drain(timeout: timeout)
    }
}
