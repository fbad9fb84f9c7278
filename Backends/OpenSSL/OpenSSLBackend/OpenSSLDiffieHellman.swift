#if OpenSSL
internal import CSslOpenSSL
internal import SslBackend
internal import SslValues

/// Finite-field Diffie-Hellman in TLS 1.2: the parameters of a server's DHE suites.
enum OpenSSLDiffieHellman {
    /// Both numbers are prime, as far as OpenSSL's 64 or more rounds of Miller-Rabin can tell.
    static func isSafePrime(_ number: [UInt8]) -> Bool {
        guard let last = number.last, last & 1 == 1, let room = unsafe BN_CTX_new() else { return false }
        defer {
            unsafe BN_CTX_free(room)
            ERR_clear_error()
        }
        guard let half = unsafe BN_bin2bn(number, Int32(number.count), nil) else { return false }
        defer { unsafe BN_free(half) }
        guard unsafe BN_check_prime(half, room, nil) == 1, unsafe BN_rshift1(half, half) == 1 else { return false }
        return unsafe BN_check_prime(half, room, nil) == 1
    }

    /// Gives a server its parameters, or leaves the choice to OpenSSL, which fits them to the strength of the certificate.
    static func set(_ parameters: [UInt8]?, on context: OpaquePointer) throws(SslSocketError) {
        guard let parameters else {
            unsafe sslopenssl_set_automatic_dh(context)
            return
        }
        ERR_clear_error()
        let key = unsafe parameters.withUnsafeBufferPointer { octets in
            var cursor = octets.baseAddress
            return unsafe d2i_KeyParams(EVP_PKEY_DH, nil, &cursor, octets.count)
        }
        guard let key = unsafe key else {
            throw .openssl(.invalidUserData, "The Diffie-Hellman parameters cannot be read")
        }
        // The context takes the key over only when it accepts it.
        guard unsafe SSL_CTX_set0_tmp_dh_pkey(context, key) == 1 else {
            unsafe EVP_PKEY_free(key)
            throw .openssl(.invalidUserData, "The Diffie-Hellman parameters cannot be used")
        }
    }
}
#endif
