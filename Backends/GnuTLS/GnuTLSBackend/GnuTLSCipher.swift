#if GnuTLS
internal import CSslGnuTLS
internal import CSslNettle
public import SslBackend
public import SslValues

// The bare ciphers and key derivation that encrypted key files need.
extension GnuTLSBackend {
    public func runCipher(
        _ cipher: TlsBlockCipher, _ direction: TlsCipherDirection, _ bytes: SecretBytes, key: SecretBytes, vector: [UInt8]
    ) throws(SslSocketError) -> SecretBytes {
        guard key.count == cipher.keyLength, vector.count == cipher.blockLength, bytes.count % cipher.blockLength == 0 else {
            throw .gnutls(.invalidUserData, "The lengths of key, vector and text do not fit the cipher")
        }
        var text = bytes.copy
        defer { text.wipe() }
        if let bits = cipher.rc2Bits {
            runRc2(bits, direction, &text, key: key, vector: vector)
        } else {
            try run(cipher.gnutls, direction, &text, key: key, vector: vector)
        }
        return SecretBytes(text)
    }

    private func run(
        _ cipher: gnutls_cipher_algorithm_t, _ direction: TlsCipherDirection, _ text: inout [UInt8], key: SecretBytes,
        vector: [UInt8]
    ) throws(SslSocketError) {
        var made: gnutls_cipher_hd_t?
        let native = unsafe key.withBytes { key in
            unsafe vector.withUnsafeBytes { vector in
                var key = unsafe gnutls_datum_t(borrowing: key)
                var vector = unsafe gnutls_datum_t(borrowing: vector)
                return unsafe gnutls_cipher_init(&made, cipher, &key, &vector)
            }
        }
        guard native == 0, let handle = unsafe made else {
            throw .gnutls(.unsupportedOperation, "GnuTLS does not offer this cipher here", native)
        }
        defer { unsafe gnutls_cipher_deinit(handle) }
        let done = unsafe text.withUnsafeMutableBytes { octets in
            unsafe direction == .encrypt
                ? gnutls_cipher_encrypt(handle, octets.baseAddress, octets.count)
                : gnutls_cipher_decrypt(handle, octets.baseAddress, octets.count)
        }
        try gnutlsCheck(done, .sslInternal, "The cipher failed")
    }

    /// The library has RC2 only inside PKCS#12.
    private func runRc2(
        _ bits: UInt32, _ direction: TlsCipherDirection, _ text: inout [UInt8], key: SecretBytes, vector: [UInt8]
    ) {
        unsafe key.withBytes { key in
            unsafe vector.withUnsafeBytes { vector in
                unsafe text.withUnsafeMutableBytes { octets in
                    unsafe sslnettle_rc2_cbc(
                        direction == .encrypt ? 1 : 0, key.baseAddress, key.count, bits, vector.baseAddress, octets.baseAddress,
                        octets.count)
                }
            }
        }
    }

    public func deriveKey(
        _ hash: SslHash, passphrase: SecretBytes, salt: [UInt8], iterations: Int, length: Int
    ) throws(SslSocketError) -> SecretBytes {
        guard let rounds = UInt32(exactly: iterations), rounds > 0, (1...1 << 20).contains(length) else {
            throw .gnutls(.invalidUserData, "A key is derived with at least one round, and has 1 to 1048576 octets")
        }
        var out = [UInt8](repeating: 0, count: length)
        defer { out.wipe() }
        let native = unsafe passphrase.withBytes { passphrase in
            unsafe salt.withUnsafeBytes { salt in
                var passphrase = unsafe gnutls_datum_t(borrowing: passphrase)
                var salt = unsafe gnutls_datum_t(borrowing: salt)
                return unsafe gnutls_pbkdf2(hash.gnutlsMac, &passphrase, &salt, rounds, &out, length)
            }
        }
        try gnutlsCheck(native, .unsupportedOperation, "GnuTLS cannot derive a key with this hash")
        return SecretBytes(out)
    }
}

extension TlsBlockCipher {
    /// The effective bits of RC2; nil for every other cipher.
    fileprivate var rc2Bits: UInt32? {
        switch self {
        case .rc2: 128
        case .rc2With64Bits: 64
        case .rc2With40Bits: 40
        default: nil
        }
    }

    fileprivate var gnutls: gnutls_cipher_algorithm_t {
        switch self {
        case .des: GNUTLS_CIPHER_DES_CBC
        case .tripleDes: GNUTLS_CIPHER_3DES_CBC
        case .aes128: GNUTLS_CIPHER_AES_128_CBC
        case .aes192: GNUTLS_CIPHER_AES_192_CBC
        case .aes256: GNUTLS_CIPHER_AES_256_CBC
        case .rc2, .rc2With64Bits, .rc2With40Bits: GNUTLS_CIPHER_UNKNOWN
        }
    }
}

extension SslHash {
    fileprivate var gnutlsMac: gnutls_mac_algorithm_t {
        switch self {
        case .md5: GNUTLS_MAC_MD5
        case .sha1: GNUTLS_MAC_SHA1
        case .sha224: GNUTLS_MAC_SHA224
        case .sha256: GNUTLS_MAC_SHA256
        case .sha384: GNUTLS_MAC_SHA384
        case .sha512: GNUTLS_MAC_SHA512
        }
    }
}
#endif
