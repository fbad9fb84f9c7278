#if OpenSSL
internal import CSslOpenSSL
public import SslValues

extension OpenSSLBackend {
    /// A digest of `bytes`; nil for a hash the library does not have.
    public func digest(_ bytes: [UInt8], _ hash: SslHash) -> [UInt8]? {
        ERR_clear_error()
        var length: UInt32 = 0
        var out = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        guard unsafe EVP_Digest(bytes, bytes.count, &out, &length, hash.openssl, nil) == 1 else { return nil }
        return Array(out.prefix(Int(length)))
    }
}
#endif
