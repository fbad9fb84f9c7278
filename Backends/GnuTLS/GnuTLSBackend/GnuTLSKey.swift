#if GnuTLS
internal import CSslGnuTLS
internal import Glibc
internal import SslBackend
internal import SslValues

/// A private key in the library's hands.
///
/// `@unchecked`: both handles are only read after the initializer, and reading them from several threads is safe.
@safe
final class GnuTLSKey: TlsKey, @unchecked Sendable {
    /// The key as a file has it, for exports; nil for one that lives elsewhere.
    private let file: gnutls_x509_privkey_t?
    /// The same as the TLS engine wants it. It refers to `file`, if there is one.
    let handle: gnutls_privkey_t
    let algorithm: SslKeyAlgorithm
    let bits: Int
    let publicKeyInfo: [UInt8]
    /// What the library's object refers to, alive as long as it.
    private let keeper: AnyObject?

    var backend: any TlsBackend { GnuTLSBackend.shared }

    /// Reads a key.
    convenience init(der bytes: SecretBytes, passphrase: SecretBytes?) throws(SslSocketError) {
        var made: gnutls_x509_privkey_t?
        try gnutlsCheck(unsafe gnutls_x509_privkey_init(&made), .sslInternal, "No private key object can be made")
        guard let file = unsafe made else { throw .gnutls(.sslInternal, "No private key object can be made") }
        do throws(SslSocketError) {
            try unsafe Self.read(bytes, passphrase, into: file)
        } catch {
            unsafe gnutls_x509_privkey_deinit(file)
            throw error
        }
        try unsafe self.init(owning: file)
    }

    /// Makes a new key.
    convenience init(generating kind: SslKeyKind) throws(SslSocketError) {
        let (algorithm, size) = try Self.parameters(of: kind)
        var made: gnutls_x509_privkey_t?
        try gnutlsCheck(unsafe gnutls_x509_privkey_init(&made), .sslInternal, "No private key object can be made")
        guard let file = unsafe made else { throw .gnutls(.sslInternal, "No private key object can be made") }
        let native = unsafe gnutls_x509_privkey_generate(file, algorithm, size, 0)
        guard native == 0 else {
            unsafe gnutls_x509_privkey_deinit(file)
            throw .gnutls(.sslInternal, "No key could be generated", native)
        }
        try unsafe self.init(owning: file)
    }

    /// Takes `file` over, also when it fails.
    private init(owning file: gnutls_x509_privkey_t) throws(SslSocketError) {
        var made: gnutls_privkey_t?
        var native = unsafe gnutls_privkey_init(&made)
        guard native == 0, let handle = unsafe made else {
            unsafe gnutls_x509_privkey_deinit(file)
            throw .gnutls(.sslInternal, "No private key object can be made", native)
        }
        native = unsafe gnutls_privkey_import_x509(handle, file, 0)
        var size: UInt32 = 0
        let type = unsafe gnutls_x509_privkey_get_pk_algorithm2(file, &size)
        let info = unsafe Self.publicKeyInfo(of: handle)
        guard native == 0, let info else {
            unsafe gnutls_privkey_deinit(handle)
            unsafe gnutls_x509_privkey_deinit(file)
            throw .gnutls(.invalidUserData, "The private key cannot be used", native)
        }
        unsafe self.file = file
        unsafe self.handle = handle
        algorithm = SslKeyAlgorithm(gnutls: UInt32(bitPattern: type))
        bits = algorithm.bits(reported: Int(size))
        publicKeyInfo = info
        keeper = nil
    }

    /// Takes over a key that lives elsewhere.
    init(external handle: gnutls_privkey_t, _ key: TlsPublicKey, keeping keeper: AnyObject? = nil) {
        unsafe file = nil
        unsafe self.handle = handle
        algorithm = key.algorithm
        bits = key.bits
        publicKeyInfo = key.publicKeyInfo
        self.keeper = keeper
    }

    deinit {
        unsafe gnutls_privkey_deinit(handle)
        if let file = unsafe file { unsafe gnutls_x509_privkey_deinit(file) }
    }

    /// The key as a file has it, for an export.
    private func exportable() throws(SslSocketError) -> gnutls_x509_privkey_t {
        guard let file = unsafe file else { throw .gnutls(.unsupportedOperation, "This private key cannot leave its place") }
        return unsafe file
    }

    func pkcs8() throws(SslSocketError) -> SecretBytes {
        var out = unsafe gnutls_datum_t()
        let native = unsafe gnutls_x509_privkey_export2_pkcs8(
            try exportable(), GNUTLS_X509_FMT_DER, nil, GNUTLS_PKCS_PLAIN.rawValue, &out)
        defer { unsafe sslgnutls_wipe_and_free(&out) }
        try gnutlsCheck(native, .unsupportedOperation, "The private key cannot be exported")
        return unsafe SecretBytes(UnsafeRawBufferPointer(start: out.data, count: Int(out.size)))
    }

    /// PKCS#8 as PKCS#12 files hold it.
    func pkcs8(encryptedUnder password: SecretBytes) throws(SslSocketError) -> SecretBytes {
        let file = unsafe try exportable()
        var out = unsafe gnutls_datum_t()
        let native = unsafe password.withBytes { text in
            unsafe gnutls_x509_privkey_export2_pkcs8(
                file, GNUTLS_X509_FMT_DER, text.assumingMemoryBound(to: CChar.self).baseAddress,
                GNUTLS_PKCS_PBES2_AES_256.rawValue, &out)
        }
        defer { unsafe sslgnutls_wipe_and_free(&out) }
        try gnutlsCheck(native, .unsupportedOperation, "The private key cannot be exported")
        return unsafe SecretBytes(UnsafeRawBufferPointer(start: out.data, count: Int(out.size)))
    }

    func traditional() throws(SslSocketError) -> SecretBytes {
        switch algorithm {
        case .rsa, .ec, .dsa: break
        default:
            throw .gnutls(.unsupportedOperation, "A key of the kind \(algorithm) has no form but PKCS#8")
        }
        var out = unsafe gnutls_datum_t()
        let native = unsafe gnutls_x509_privkey_export2(try exportable(), GNUTLS_X509_FMT_DER, &out)
        defer { unsafe sslgnutls_wipe_and_free(&out) }
        try gnutlsCheck(native, .unsupportedOperation, "The private key cannot be exported")
        return unsafe SecretBytes(UnsafeRawBufferPointer(start: out.data, count: Int(out.size)))
    }

    /// Reads the public half alone.
    static func publicKey(der: [UInt8]) throws(SslSocketError) -> TlsPublicKey {
        var made: gnutls_pubkey_t?
        try gnutlsCheck(unsafe gnutls_pubkey_init(&made), .sslInternal, "No public key object can be made")
        guard let key = unsafe made else { throw .gnutls(.sslInternal, "No public key object can be made") }
        defer { unsafe gnutls_pubkey_deinit(key) }
        let native = unsafe der.withUnsafeBytes { octets in
            var datum = unsafe gnutls_datum_t(borrowing: octets)
            return unsafe gnutls_pubkey_import(key, &datum, GNUTLS_X509_FMT_DER)
        }
        if native == GNUTLS_E_UNIMPLEMENTED_FEATURE || native == GNUTLS_E_UNKNOWN_PK_ALGORITHM {
            // It has no public keys of Diffie-Hellman, but what they are can be told.
            let fields = PublicKeyFields(der)
            return TlsPublicKey(publicKeyInfo: der, algorithm: fields.algorithm, bits: fields.bits)
        }
        try gnutlsCheck(native, .invalidUserData, "The public key cannot be read")
        var size: UInt32 = 0
        let type = unsafe gnutls_pubkey_get_pk_algorithm(key, &size)
        let algorithm = SslKeyAlgorithm(gnutls: UInt32(bitPattern: type))
        guard let info = unsafe publicKeyInfo(exporting: key) else {
            throw .gnutls(.invalidUserData, "The public key cannot be read")
        }
        return TlsPublicKey(publicKeyInfo: info, algorithm: algorithm, bits: algorithm.bits(reported: Int(size)))
    }

    static func publicKeyInfo(of handle: gnutls_privkey_t) -> [UInt8]? {
        var made: gnutls_pubkey_t?
        guard unsafe gnutls_pubkey_init(&made) == 0, let key = unsafe made else { return nil }
        defer { unsafe gnutls_pubkey_deinit(key) }
        guard unsafe gnutls_pubkey_import_privkey(key, handle, 0, 0) == 0 else { return nil }
        return unsafe publicKeyInfo(exporting: key)
    }

    /// A public key as SubjectPublicKeyInfo, in the library's spelling.
    static func publicKeyInfo(exporting key: gnutls_pubkey_t) -> [UInt8]? {
        var out = unsafe gnutls_datum_t()
        guard unsafe gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, &out) == 0 else { return nil }
        defer { unsafe sslgnutls_free(out.data) }
        return unsafe out.octets
    }

    private static func parameters(of kind: SslKeyKind) throws(SslSocketError) -> (gnutls_pk_algorithm_t, UInt32) {
        switch kind {
        case .rsa(let bits):
            guard (2048...16_384).contains(bits) else {
                throw .gnutls(.invalidUserData, "An RSA key must have 2048 to 16384 bits, not \(bits)")
            }
            return (GNUTLS_PK_RSA, UInt32(bits))
        case .ec(.secp256r1): return (GNUTLS_PK_ECDSA, sslgnutls_curve_bits(GNUTLS_ECC_CURVE_SECP256R1))
        case .ec(.secp384r1): return (GNUTLS_PK_ECDSA, sslgnutls_curve_bits(GNUTLS_ECC_CURVE_SECP384R1))
        case .ec(.secp521r1): return (GNUTLS_PK_ECDSA, sslgnutls_curve_bits(GNUTLS_ECC_CURVE_SECP521R1))
        case .ec(let group): throw .gnutls(.invalidUserData, "No EC key can be made on the group \(group.name)")
        case .ed25519: return (GNUTLS_PK_EDDSA_ED25519, sslgnutls_curve_bits(GNUTLS_ECC_CURVE_ED25519))
        case .ed448: return (GNUTLS_PK_EDDSA_ED448, sslgnutls_curve_bits(GNUTLS_ECC_CURVE_ED448))
        }
    }
}

// MARK: - Reading files

extension GnuTLSKey {
    private static func read(
        _ bytes: SecretBytes, _ passphrase: SecretBytes?, into file: gnutls_x509_privkey_t
    ) throws(SslSocketError) {
        var der = bytes.copy
        defer { der.wipe() }
        guard let envelope = GnuTLSKeyEnvelope(der) else {
            // Asking for the unencrypted form alone keeps the library from looking for a passphrase elsewhere.
            let native = unsafe bytes.withBytes { octets in
                var datum = unsafe gnutls_datum_t(borrowing: octets)
                return unsafe gnutls_x509_privkey_import2(file, &datum, GNUTLS_X509_FMT_DER, nil, GNUTLS_PKCS_PLAIN.rawValue)
            }
            try gnutlsCheck(native, .invalidUserData, "The private key cannot be read")
            return
        }
        guard envelope.isReadable else {
            throw .gnutls(.invalidUserData, "The encrypted private key is damaged, or encrypted in a way GnuTLS does not know")
        }
        guard let passphrase else {
            throw .gnutls(.wrongPassphrase, "The private key is encrypted and no passphrase is given")
        }
        let password = try cString(passphrase)
        let native: Int32 = unsafe bytes.withBytes { octets in
            var datum = unsafe gnutls_datum_t(borrowing: octets)
            return unsafe password.withBytes { text in
                unsafe gnutls_x509_privkey_import2(
                    file, &datum, GNUTLS_X509_FMT_DER, text.assumingMemoryBound(to: CChar.self).baseAddress, 0)
            }
        }
        try gnutlsCheck(native, .wrongPassphrase, "The passphrase does not open the private key")
    }

    /// The passphrase as the library takes it: ended by a zero octet.
    static func cString(_ secret: SecretBytes) throws(SslSocketError) -> SecretBytes {
        let holdsZero = unsafe secret.withBytes { unsafe $0.contains(0) }
        if holdsZero { throw .gnutls(.invalidUserData, "GnuTLS takes no passphrase with a zero octet in it") }
        let size = secret.count + 1
        guard let memory = unsafe calloc(size, 1) else { throw .gnutls(.socketResource, "Out of memory") }
        defer {
            unsafe explicit_bzero(memory, size)
            unsafe free(memory)
        }
        unsafe secret.withBytes { text in
            if let start = text.baseAddress { unsafe memcpy(memory, start, text.count) }
        }
        return unsafe SecretBytes(UnsafeRawBufferPointer(start: memory, count: size))
    }
}

// MARK: - What keys and certificates share

extension gnutls_datum_t {
    /// The library's view of memory that outlives the call it is made for. The library only reads it.
    init(borrowing octets: UnsafeRawBufferPointer) {
        let start = unsafe UnsafeMutableRawPointer(mutating: octets.baseAddress)
        unsafe self.init(data: start?.assumingMemoryBound(to: UInt8.self), size: UInt32(clamping: octets.count))
    }

    /// A copy of what it points to.
    var octets: [UInt8] { unsafe [UInt8](UnsafeRawBufferPointer(start: data, count: Int(size))) }
}

extension SslKeyAlgorithm {
    /// The library's number.
    var gnutls: gnutls_pk_algorithm_t {
        switch self {
        case .opaque: GNUTLS_PK_UNKNOWN
        case .rsa: GNUTLS_PK_RSA
        case .rsaPss: GNUTLS_PK_RSA_PSS
        case .dsa: GNUTLS_PK_DSA
        case .ec: GNUTLS_PK_ECDSA
        case .dh: GNUTLS_PK_DH
        case .ed25519: GNUTLS_PK_EDDSA_ED25519
        case .ed448: GNUTLS_PK_EDDSA_ED448
        case .x25519: GNUTLS_PK_ECDH_X25519
        }
    }

    /// Reads the library's number.
    init(gnutls native: UInt32) {
        switch gnutls_pk_algorithm_t(rawValue: native) {
        case GNUTLS_PK_RSA: self = .rsa
        case GNUTLS_PK_RSA_PSS: self = .rsaPss
        case GNUTLS_PK_DSA: self = .dsa
        case GNUTLS_PK_ECDSA: self = .ec
        case GNUTLS_PK_DH: self = .dh
        case GNUTLS_PK_EDDSA_ED25519: self = .ed25519
        case GNUTLS_PK_EDDSA_ED448: self = .ed448
        case GNUTLS_PK_ECDH_X25519: self = .x25519
        default: self = .opaque
        }
    }
}
#endif
