#if OpenSSL
internal import CSslOpenSSL
public import SslBackend
public import SslValues

// The bare ciphers and key derivation that encrypted key files need.
extension OpenSSLBackend {
    public func runCipher(
        _ cipher: TlsBlockCipher, _ direction: TlsCipherDirection, _ bytes: SecretBytes, key: SecretBytes, vector: [UInt8]
    ) throws(SslSocketError) -> SecretBytes {
        guard key.count == cipher.keyLength, vector.count == cipher.blockLength, bytes.count % cipher.blockLength == 0,
            let length = Int32(exactly: bytes.count)
        else {
            throw SslSocketError(
                .invalidUserData, "The lengths of key, vector and text do not fit the cipher", backend: Self.backendName)
        }
        ERR_clear_error()
        guard let native = unsafe EVP_CIPHER_fetch(OpenSSLLegacy.library, cipher.openssl, nil) else {
            throw .openssl(.unsupportedOperation, "OpenSSL does not offer the cipher \(cipher.openssl) here")
        }
        defer { unsafe EVP_CIPHER_free(native) }
        guard let context = unsafe EVP_CIPHER_CTX_new() else { throw .openssl(.socketResource, "Out of memory") }
        defer { unsafe EVP_CIPHER_CTX_free(context) }
        var text = bytes.copy
        defer { text.wipe() }
        var done: Int32 = 0
        var rest: Int32 = 0
        let worked = unsafe key.withBytes { key in
            let start = unsafe key.baseAddress?.assumingMemoryBound(to: UInt8.self)
            return unsafe EVP_CipherInit_ex2(context, native, start, vector, direction == .encrypt ? 1 : 0, nil) == 1
                && EVP_CIPHER_CTX_set_padding(context, 0) == 1
                && text.withUnsafeMutableBufferPointer { octets in
                    unsafe EVP_CipherUpdate(context, octets.baseAddress, &done, octets.baseAddress, length) == 1
                        && EVP_CipherFinal_ex(context, octets.baseAddress.map { unsafe $0 + Int(done) }, &rest) == 1
                }
        }
        guard worked, done + rest == length else { throw .openssl(.sslInternal, "The cipher failed") }
        return SecretBytes(text)
    }

    public func deriveKey(
        _ hash: SslHash, passphrase: SecretBytes, salt: [UInt8], iterations: Int, length: Int
    ) throws(SslSocketError) -> SecretBytes {
        guard let rounds = Int32(exactly: iterations), rounds > 0, (1...1 << 20).contains(length) else {
            throw SslSocketError(
                .invalidUserData, "A key is derived with at least one round, and has 1 to 1048576 octets",
                backend: Self.backendName)
        }
        ERR_clear_error()
        var out = [UInt8](repeating: 0, count: length)
        defer { out.wipe() }
        let worked = unsafe passphrase.withBytes { passphrase in
            unsafe PKCS5_PBKDF2_HMAC(
                passphrase.assumingMemoryBound(to: CChar.self).baseAddress, Int32(passphrase.count), salt, Int32(salt.count),
                rounds, hash.openssl, Int32(length), &out)
        }
        guard worked == 1 else {
            throw .openssl(.unsupportedOperation, "OpenSSL cannot derive a key with this hash")
        }
        return SecretBytes(out)
    }
}

/// The library a second time, with the ciphers that it keeps apart because they are broken, so that old files can be read without making them available to
/// anything else in the process. A system without the module that holds them still has the others.
enum OpenSSLLegacy {
    // Made once, and never changed.
    nonisolated(unsafe) static let library: OpaquePointer? = {
        guard let library = unsafe OSSL_LIB_CTX_new() else { return nil }
        guard unsafe OSSL_PROVIDER_load(library, "default") != nil else {
            unsafe OSSL_LIB_CTX_free(library)
            return nil
        }
        _ = unsafe OSSL_PROVIDER_load(library, "legacy")
        ERR_clear_error()
        return unsafe library
    }()
}

extension TlsBlockCipher {
    fileprivate var openssl: String {
        switch self {
        case .des: "DES-CBC"
        case .tripleDes: "DES-EDE3-CBC"
        case .rc2: "RC2-CBC"
        case .rc2With64Bits: "RC2-64-CBC"
        case .rc2With40Bits: "RC2-40-CBC"
        case .aes128: "AES-128-CBC"
        case .aes192: "AES-192-CBC"
        case .aes256: "AES-256-CBC"
        }
    }
}
#endif
