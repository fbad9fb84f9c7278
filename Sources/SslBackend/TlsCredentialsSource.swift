public import SslValues

/// Whom a client's session asks for credentials when the server has asked for a certificate, while its engine runs. It belongs to one session and one
/// thread at a time, like it, and must not call the session.
public protocol TlsCredentialsSource: AnyObject {
    /// What to show; nil for nothing.
    ///
    /// - Throws: why there is nothing to show: the handshake fails with it.
    func credentials(for request: TlsCertificateRequest) throws(SslSocketError) -> TlsCredentials?
}

/// What a server wants of a client's certificate.
public struct TlsCertificateRequest: Sendable {
    /// The distinguished names (DER) of the authorities it names; empty for any.
    public var authorities: [[UInt8]]
    /// The signature schemes it can verify, best first.
    public var signatureSchemes: [SslSignatureScheme]

    /// Puts one together.
    public init(authorities: [[UInt8]], signatureSchemes: [SslSignatureScheme]) {
        self.authorities = authorities
        self.signatureSchemes = signatureSchemes
    }
}
