/// Whom a server's session asks for the status of its certificate, to be stapled to it (RFC 6066 section 8), while its engine runs.
public protocol TlsCertificateStatusSource: AnyObject {
    /// The OCSP response (DER) for one of the leaf certificates of the settings; nil for none.
    func status(of leaf: [UInt8]) -> [UInt8]?
}
