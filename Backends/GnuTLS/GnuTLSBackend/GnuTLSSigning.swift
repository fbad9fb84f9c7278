#if GnuTLS
internal import CSslGnuTLS
internal import SslBackend
internal import SslValues

extension GnuTLSKey {
    func sign(hashed input: [UInt8], by algorithm: X509SignatureAlgorithm) throws(SslSocketError) -> [UInt8] {
        try algorithm.check(input, for: self)
        guard let native = algorithm.gnutls(for: self.algorithm) else {
            throw .gnutls(.unsupportedOperation, "The library does not sign by \(algorithm)")
        }
        var out = unsafe gnutls_datum_t()
        let done = unsafe input.withUnsafeBytes { octets in
            var datum = unsafe gnutls_datum_t(borrowing: octets)
            return unsafe algorithm.hash == nil
                ? gnutls_privkey_sign_data2(handle, native, 0, &datum, &out)
                : gnutls_privkey_sign_hash2(handle, native, 0, &datum, &out)
        }
        defer { unsafe sslgnutls_free(out.data) }
        if done < 0, let reason = TlsSigner.takeFailure() { throw reason }
        try gnutlsCheck(done, .unsupportedOperation, "The private key cannot sign by \(algorithm)")
        return unsafe out.octets
    }
}

extension X509SignatureAlgorithm {
    /// The library's number for making signatures, where it tells PSS with an ordinary RSA key from PSS with a key for nothing else.
    fileprivate func gnutls(for key: SslKeyAlgorithm) -> gnutls_sign_algorithm_t? {
        switch (self, key) {
        case (.rsaPss(.sha256), .rsa): GNUTLS_SIGN_RSA_PSS_RSAE_SHA256
        case (.rsaPss(.sha384), .rsa): GNUTLS_SIGN_RSA_PSS_RSAE_SHA384
        case (.rsaPss(.sha512), .rsa): GNUTLS_SIGN_RSA_PSS_RSAE_SHA512
        default: gnutls
        }
    }
}
#endif
