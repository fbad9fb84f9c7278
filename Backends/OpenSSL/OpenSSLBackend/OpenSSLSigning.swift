#if OpenSSL
internal import CSslOpenSSL
internal import SslBackend
internal import SslValues

extension OpenSSLKey {
    func sign(hashed input: [UInt8], by algorithm: X509SignatureAlgorithm) throws(SslSocketError) -> [UInt8] {
        try algorithm.check(input, for: self)
        ERR_clear_error()
        defer { ERR_clear_error() }
        var length = unsafe Int(EVP_PKEY_get_size(handle))
        var signature = [UInt8](repeating: 0, count: max(length, 1))
        let isPss = if case .rsaPss = algorithm { true } else { false }
        let digest = unsafe algorithm.hash?.openssl ?? nil
        guard unsafe sslopenssl_sign(handle, digest, isPss ? 1 : 0, input, input.count, &signature, &length) == 1 else {
            if let reason = TlsSigner.takeFailure() { throw reason }
            throw .openssl(.unsupportedOperation, "The private key cannot sign by \(algorithm)")
        }
        return Array(signature.prefix(length))
    }
}
#endif
