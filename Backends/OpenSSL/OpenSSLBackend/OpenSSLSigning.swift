#if OpenSSL
internal import CSslOpenSSL
internal import SslBackend
internal import SslValues

extension OpenSSLKey {
    func sign(_ octets: [UInt8], _ algorithm: X509SignatureAlgorithm) throws(SslSocketError) -> [UInt8] {
        ERR_clear_error()
        defer { ERR_clear_error() }
        guard unsafe OpenSSLPath.fits(algorithm, handle), let context = unsafe EVP_MD_CTX_new() else {
            throw SslSocketError(
                .invalidUserData, "The key cannot sign by \(algorithm)", backend: OpenSSLBackend.backendName)
        }
        defer { unsafe EVP_MD_CTX_free(context) }
        var settings: OpaquePointer?
        guard unsafe EVP_DigestSignInit(context, &settings, algorithm.hash?.openssl ?? nil, nil, handle) == 1,
            unsafe OpenSSLPath.setPadding(algorithm, settings)
        else { throw .openssl(.invalidUserData, "The key cannot sign by \(algorithm)") }
        var size = 0
        guard unsafe EVP_DigestSign(context, nil, &size, octets, octets.count) == 1 else {
            throw .openssl(.invalidUserData, "The key cannot sign by \(algorithm)")
        }
        var signature = [UInt8](repeating: 0, count: size)
        guard unsafe EVP_DigestSign(context, &signature, &size, octets, octets.count) == 1 else {
            throw .openssl(.sslInternal, "The octets could not be signed")
        }
        return Array(signature.prefix(size))
    }
}
#endif
