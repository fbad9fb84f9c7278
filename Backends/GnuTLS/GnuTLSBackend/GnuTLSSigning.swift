#if GnuTLS
internal import CSslGnuTLS
internal import SslBackend
internal import SslValues

extension GnuTLSKey {
    func sign(_ octets: [UInt8], _ algorithm: X509SignatureAlgorithm) throws(SslSocketError) -> [UInt8] {
        guard let native = algorithm.gnutls else {
            throw .gnutls(.invalidUserData, "The library cannot sign by \(algorithm)")
        }
        var out = unsafe gnutls_datum_t()
        let result = unsafe octets.withUnsafeBytes { bytes in
            var data = unsafe gnutls_datum_t(borrowing: bytes)
            return unsafe gnutls_privkey_sign_data2(handle, native, 0, &data, &out)
        }
        try gnutlsCheck(result, .invalidUserData, "The key cannot sign by \(algorithm)")
        defer { unsafe sslgnutls_free(out.data) }
        return unsafe out.octets
    }
}
#endif
