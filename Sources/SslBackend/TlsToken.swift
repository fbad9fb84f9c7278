public import SslValues

/// Answers a token that wants its PIN; nil: it is not known, or shall not be tried.
public typealias TlsTokenPin = @Sendable (SslTokenPinQuestion) -> SecretBytes?

extension TlsBackend {
    /// A backend that does not say otherwise reaches no tokens.
    public func makeTokenKey(uri: String, pin: @escaping TlsTokenPin) throws(SslSocketError) -> any TlsKey {
        throw .lacking(.pkcs11, backend: name, reason: capabilities.lacks[.pkcs11] ?? "it reaches no tokens")
    }

    /// The same for certificates.
    public func makeTokenCertificate(uri: String, pin: @escaping TlsTokenPin) throws(SslSocketError) -> [UInt8] {
        throw .lacking(.pkcs11, backend: name, reason: capabilities.lacks[.pkcs11] ?? "it reaches no tokens")
    }
}
