internal import SslBackend
internal import SslValues

extension SslCertificate {
    /// The SHA-256 of ``publicKeyInfo`` in Base64: what `curl --pinnedpubkey sha256//…` and others compare (RFC 7469 section 2.4).
    /// nil when no backend can compute it.
    public var publicKeyPin: String? {
        for backend in SslBackends.all {
            if let digest = backend.digest(publicKeyInfo, .sha256) {
                return String(decoding: Pem.encodeBase64(digest), as: UTF8.self)
            }
        }
        return nil
    }
}
