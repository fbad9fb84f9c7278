#if OpenSSL
internal import CSslOpenSSL
internal import SslBackend
internal import SslValues

/// An `EVP_PKEY` with both halves of a key pair.
@safe
final class OpenSSLKey: TlsKey {
    // Never changed once made, and OpenSSL counts its references atomically.
    nonisolated(unsafe) let handle: OpaquePointer
    var backend: any TlsBackend { OpenSSLBackend.shared }

    var algorithm: SslKeyAlgorithm { unsafe Self.algorithm(handle) }
    var bits: Int { unsafe Self.bits(handle) }
    var publicKeyInfo: [UInt8] { unsafe OpenSSLCertificate.octets { unsafe i2d_PUBKEY(handle, $0) } }

    deinit { unsafe EVP_PKEY_free(handle) }

    func pkcs8() throws(SslSocketError) -> SecretBytes {
        ERR_clear_error()
        guard let info = unsafe EVP_PKEY2PKCS8(handle) else {
            throw .openssl(.unsupportedOperation, "This private key cannot leave its place")
        }
        defer { unsafe PKCS8_PRIV_KEY_INFO_free(info) }
        var octets: UnsafeMutablePointer<UInt8>?
        let length = unsafe Int(i2d_PKCS8_PRIV_KEY_INFO(info, &octets))
        guard length > 0, let start = unsafe octets else { throw .openssl(.sslInternal, "The private key cannot be written") }
        defer { unsafe sslopenssl_clear_free(start, length) }
        return unsafe SecretBytes(UnsafeRawBufferPointer(start: start, count: length))
    }

    // MARK: Kinds

    /// The kind of a key; opaque for one the library cannot read, which nil stands for.
    static func algorithm(_ key: OpaquePointer?) -> SslKeyAlgorithm {
        guard let key = unsafe key else { return .opaque }
        switch unsafe EVP_PKEY_get_id(key) {
        case EVP_PKEY_RSA: return .rsa
        case EVP_PKEY_RSA_PSS: return .rsaPss
        case EVP_PKEY_DSA: return .dsa
        case EVP_PKEY_EC: return .ec
        case EVP_PKEY_DH, EVP_PKEY_DHX: return .dh
        case EVP_PKEY_ED25519: return .ed25519
        case EVP_PKEY_ED448: return .ed448
        case EVP_PKEY_X25519: return .x25519
        default: return .opaque
        }
    }

    /// The size in bits; 0 when the library cannot tell.
    static func bits(_ key: OpaquePointer?) -> Int {
        guard let key = unsafe key else { return 0 }
        return unsafe algorithm(key).bits(reported: Int(EVP_PKEY_get_bits(key)))
    }

    // MARK: Reading

    /// What the callback for a passphrase has, and whether it was called.
    private final class Question {
        let passphrase: SecretBytes?
        var wasAsked = false

        init(_ passphrase: SecretBytes?) { self.passphrase = passphrase }
    }

    /// Stands in for the library's own callback, which would ask on the terminal.
    private static let answer: @convention(c) (UnsafeMutablePointer<CChar>?, Int32, Int32, UnsafeMutableRawPointer?) -> Int32 = {
        target, size, _, user in
        guard let target = unsafe target, let user = unsafe user else { return -1 }
        let question = unsafe Unmanaged<Question>.fromOpaque(user).takeUnretainedValue()
        question.wasAsked = true
        guard let passphrase = question.passphrase, passphrase.count <= Int(size) else { return -1 }
        let room = unsafe UnsafeMutableRawBufferPointer(start: target, count: Int(size))
        unsafe passphrase.withBytes { unsafe room.copyMemory(from: $0) }
        return Int32(passphrase.count)
    }

    convenience init(der bytes: SecretBytes, passphrase: SecretBytes?) throws(SslSocketError) {
        let question = Question(passphrase)
        ERR_clear_error()
        let read = unsafe bytes.withBytes { octets -> OpaquePointer? in
            guard let size = Int32(exactly: octets.count), let bio = unsafe BIO_new_mem_buf(octets.baseAddress, size) else {
                return nil
            }
            defer { unsafe BIO_free(bio) }
            if let plain = unsafe Self.readPlain(octets) { return unsafe plain }
            return unsafe withExtendedLifetime(question) {
                let user = unsafe Unmanaged.passUnretained(question).toOpaque()
                return unsafe d2i_PKCS8PrivateKey_bio(bio, nil, Self.answer, user)
            }
        }
        guard let read = unsafe read else {
            guard question.wasAsked else {
                throw .openssl(.invalidUserData, "The private key is damaged or of an unknown form")
            }
            throw .openssl(
                .wrongPassphrase,
                passphrase == nil
                    ? "The private key is encrypted and no passphrase was given"
                    : "The passphrase of the private key is wrong")
        }
        try unsafe self.init(owning: read)
    }

    /// Takes a key over, also when it fails.
    init(owning key: OpaquePointer) throws(SslSocketError) {
        unsafe handle = unsafe key
        guard unsafe Self.isPrivate(key) else {
            throw SslSocketError(.invalidUserData, "The key has no private half", backend: OpenSSLBackend.backendName)
        }
    }

    /// Takes over a key that lives elsewhere.
    init(external key: OpaquePointer) { unsafe handle = unsafe key }

    /// Reads the public half alone.
    static func publicKey(der: [UInt8]) throws(SslSocketError) -> TlsPublicKey {
        ERR_clear_error()
        var cursor: UnsafePointer<UInt8>?
        let (box, consumed) = unsafe der.withUnsafeBufferPointer { octets -> (OpaquePointer?, Int) in
            unsafe cursor = octets.baseAddress
            let box = unsafe d2i_X509_PUBKEY(nil, &cursor, octets.count)
            return unsafe (box, octets.baseAddress.flatMap { start in unsafe cursor.map { unsafe $0 - start } } ?? 0)
        }
        guard let box = unsafe box else { throw .openssl(.invalidUserData, "The public key cannot be read") }
        defer { unsafe X509_PUBKEY_free(box) }
        guard consumed == der.count else { throw .openssl(.invalidUserData, "There is something behind the public key") }
        guard let key = unsafe X509_PUBKEY_get0(box) else {
            let error = OpenSSLError.take()
            guard error.isUnknownAlgorithm else {
                throw SslSocketError(.invalidUserData, "The public key cannot be read", openssl: error)
            }
            return TlsPublicKey(publicKeyInfo: der, algorithm: .opaque, bits: 0)
        }
        return unsafe TlsPublicKey(
            publicKeyInfo: OpenSSLCertificate.octets { unsafe i2d_PUBKEY(key, $0) }, algorithm: algorithm(key), bits: bits(key))
    }

    func traditional() throws(SslSocketError) -> SecretBytes {
        switch algorithm {
        case .rsa, .ec, .dsa: break
        default:
            throw SslSocketError(
                .unsupportedOperation, "A key of the kind \(algorithm) has no form but PKCS#8",
                backend: OpenSSLBackend.backendName)
        }
        ERR_clear_error()
        var octets: UnsafeMutablePointer<UInt8>?
        let length = unsafe Int(i2d_PrivateKey(handle, &octets))
        guard length > 0, let start = unsafe octets else {
            throw .openssl(.unsupportedOperation, "This private key cannot leave its place")
        }
        defer { unsafe sslopenssl_clear_free(start, length) }
        return unsafe SecretBytes(UnsafeRawBufferPointer(start: start, count: length))
    }

    /// A passphrase as some calls take it: ended by a zero octet.
    static func cString(_ secret: SecretBytes) throws(SslSocketError) -> SecretBytes {
        let holdsZero = unsafe secret.withBytes { unsafe $0.contains(0) }
        if holdsZero {
            throw SslSocketError(
                .invalidUserData, "OpenSSL takes no passphrase with a zero octet in it", backend: OpenSSLBackend.backendName)
        }
        var octets = [UInt8](repeating: 0, count: secret.count + 1)
        defer { octets.wipe() }
        unsafe secret.withBytes { source in
            unsafe octets.withUnsafeMutableBytes { unsafe $0.copyMemory(from: source) }
        }
        return SecretBytes(octets)
    }

    /// PKCS#8, PKCS#1 or SEC 1 without encryption, and nothing behind it.
    private static func readPlain(_ octets: UnsafeRawBufferPointer) -> OpaquePointer? {
        let bytes = unsafe octets.assumingMemoryBound(to: UInt8.self)
        var cursor = bytes.baseAddress
        guard let key = unsafe d2i_AutoPrivateKey(nil, &cursor, bytes.count) else { return nil }
        if unsafe cursor == bytes.baseAddress.map({ unsafe $0 + bytes.count }) { return unsafe key }
        unsafe EVP_PKEY_free(key)
        return nil
    }

    private static func isPrivate(_ key: OpaquePointer) -> Bool {
        guard let info = unsafe EVP_PKEY2PKCS8(key) else {
            ERR_clear_error()
            return false
        }
        unsafe PKCS8_PRIV_KEY_INFO_free(info)
        return true
    }

    // MARK: Making

    init(generating kind: SslKeyKind) throws(SslSocketError) {
        ERR_clear_error()
        let type: Int32 =
            switch kind {
            case .rsa: EVP_PKEY_RSA
            case .ec: EVP_PKEY_EC
            case .ed25519: EVP_PKEY_ED25519
            case .ed448: EVP_PKEY_ED448
            }
        guard let maker = unsafe EVP_PKEY_CTX_new_id(type, nil), unsafe EVP_PKEY_keygen_init(maker) == 1 else {
            throw .openssl(.sslInternal, "No key pair could be made")
        }
        defer { unsafe EVP_PKEY_CTX_free(maker) }
        switch kind {
        case .rsa(let bits):
            guard (2048...16_384).contains(bits), unsafe EVP_PKEY_CTX_set_rsa_keygen_bits(maker, Int32(bits)) == 1 else {
                throw SslSocketError(
                    .invalidUserData, "An RSA key has 2048 to 16384 bits, not \(bits)", backend: OpenSSLBackend.backendName)
            }
        case .ec(let group):
            let curves: [SslGroup: Int32] = [
                .secp256r1: NID_X9_62_prime256v1, .secp384r1: NID_secp384r1, .secp521r1: NID_secp521r1,
            ]
            guard let curve = curves[group], unsafe EVP_PKEY_CTX_set_ec_paramgen_curve_nid(maker, curve) == 1 else {
                throw SslSocketError(
                    .invalidUserData, "No key can be made on \(group)", backend: OpenSSLBackend.backendName)
            }
        case .ed25519, .ed448: break
        }
        var made: OpaquePointer?
        guard unsafe EVP_PKEY_keygen(maker, &made) == 1, let made = unsafe made else {
            throw .openssl(.sslInternal, "No key pair could be made")
        }
        unsafe handle = unsafe made
    }
}
#endif
