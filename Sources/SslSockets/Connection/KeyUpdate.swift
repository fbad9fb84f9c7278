package import SslBackend
package import SslValues

// New keys within a connection (RFC 8446 section 4.6.3).
extension TlsConnection {
    /// So many records are encrypted with one key. RFC 8446 section 5.5 allows AES-GCM about 2^24.5; the engines' own limits, where they have any,
    /// are not below this one, so that it is the one that counts.
    package static let recordsPerKey = 1 << 23

    /// Starts a TLS 1.3 key update.
    package func updateKeys(requestsPeer: Bool, _ output: any TlsSink) throws(SslSocketError) {
        if case .failed(let error) = session.updateKeys(requestsPeer: requestsPeer, output) { throw error }
        recordsLeft = Self.recordsPerKey
    }

    /// Changes keys that have encrypted enough. TLS 1.2 has no way to do so; its connections go on with theirs.
    func replaceWornKeys(_ output: any TlsSink) {
        guard session.facts.version == .tls1_3 else {
            recordsLeft = .max
            return
        }
        recordsLeft = Self.recordsPerKey
        // A failure that matters stays with the session, which the write that follows reports.
        _ = session.updateKeys(requestsPeer: false, output)
    }
}
