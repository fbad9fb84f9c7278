internal import SslBackend
internal import SslValues

// How application data is cut into records.
extension SslConfiguration {
    /// The most octets of application data in a record that this end sends over a stream: 512 to 16384, the default (RFC 8446 section 5.1). Smaller
    /// records can be read sooner by a peer behind a slow line, and cost more. Datagrams have sizes of their own. Beyond Qt.
    ///
    /// Nothing is negotiated: what the peer sends is not limited. OpenSSL cuts handshake messages too.
    public var maximumRecordSize: Int {
        get { values.maximumRecordSize }
        set { change { $0.maximumRecordSize = newValue } }
    }

    /// Records of TLS 1.3 are padded with zeros to a multiple of so many octets, within ``maximumRecordSize``, so that their length tells less
    /// about what is in them (RFC 8446 section 5.4): 0, the default, for none, to 16384. TLS 1.2 has no padding to choose. Beyond Qt.
    ///
    /// What counts is the data with the octet that tells its type. OpenSSL pads the records of the handshake too.
    public var recordPadding: Int {
        get { values.recordPadding }
        set { change { $0.recordPadding = newValue } }
    }
}

extension SslConfiguration.Values {
    /// Hands on what is in range.
    func addRecordSizes(to settings: inout TlsSettings) throws(SslSocketError) {
        guard (512...16_384).contains(maximumRecordSize) else {
            throw SslSocketError(
                .invalidUserData, "maximumRecordSize is \(maximumRecordSize); it must be from 512 to 16384 octets")
        }
        guard (0...16_384).contains(recordPadding) else {
            throw SslSocketError(.invalidUserData, "recordPadding is \(recordPadding); it must be from 0 to 16384 octets")
        }
        settings.maximumRecordSize = maximumRecordSize
        settings.recordPadding = recordPadding
    }
}
