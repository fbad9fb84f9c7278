package import SslBackend
public import SslValues

/// A private or public key (`QSslKey`). A private key's secret is wiped when the last copy of the value goes, and never printed.
///
/// The kind of key is found out, not asked for: RSA, RSA-PSS, DSA, EC on the NIST curves, Ed25519, Ed448, X25519 and DH can be read, where
/// the backend's library has them. The key is read by the backend that needs it; one value serves every backend.
public struct SslKey: Sendable {
    private final class Storage: Sendable {
        /// Unencrypted PKCS#8, DER: the form every backend reads.
        let pkcs8: SecretBytes
        let first: any TlsKey
        let others: Lock<[String: any TlsKey]>
        init(_ key: any TlsKey, pkcs8: SecretBytes) {
            self.pkcs8 = pkcs8
            first = key
            others = Lock([:])
        }
    }
    private enum Half {
        case secret(Storage)
        case open(TlsPublicKey)
    }
    private let half: Half

    package init(_ key: any TlsKey) throws(SslSocketError) { half = .secret(Storage(key, pkcs8: try key.pkcs8())) }

    package init(_ key: TlsPublicKey) { half = .open(key) }

    // MARK: Reading

    /// Reads the first private key of the data (`QSslKey(encoded, algorithm, format, type, passPhrase)`).
    ///
    /// DER and PEM hold PKCS#8, PKCS#1, SEC 1 or the old form of DSA; PKCS#8 may be encrypted, and PEM also in the old way of OpenSSL with
    /// DES, 3DES, RC2 or AES. Never prompts. An encrypted key that names a cipher the library does not have fails with
    /// ``SslSocketError/Code/unsupportedOperation``; DES and RC2 need the legacy module of OpenSSL.
    /// - Parameters:
    ///   - bytes: the data.
    ///   - format: PEM or DER.
    ///   - passphrase: opens an encrypted key; not looked at for others.
    ///   - backend: the name of the backend that reads it; nil for the active one.
    /// - Throws: ``SslSocketError/Code/wrongPassphrase`` when the passphrase is missing or wrong, ``SslSocketError/Code/invalidUserData``
    ///   when the key is damaged or of a kind the backend does not have.
    public init(
        _ bytes: SecretBytes, format: SslEncodingFormat = .pem, passphrase: SecretBytes? = nil, backend: String? = nil
    ) throws(SslSocketError) {
        let engine = try SslBackends.resolve(backend)
        try self.init(KeyFile.privateKey(bytes, format: format, passphrase: passphrase, backend: engine))
    }

    /// Reads a private key from octets that are not wiped by this library: see ``init(_:format:passphrase:backend:)-(SecretBytes,_,_,_)``.
    public init(
        _ bytes: [UInt8], format: SslEncodingFormat = .pem, passphrase: String? = nil, backend: String? = nil
    ) throws(SslSocketError) {
        try self.init(
            SecretBytes(bytes), format: format, passphrase: passphrase.map { SecretBytes(Array($0.utf8)) }, backend: backend)
    }

    /// Reads a private key from a file: see ``init(_:format:passphrase:backend:)-(SecretBytes,_,_,_)``.
    ///
    /// - Throws: ``SslSocketError/Code/unreadableFile`` besides.
    public init(
        fromFile path: String, format: SslEncodingFormat = .pem, passphrase: String? = nil, backend: String? = nil
    ) throws(SslSocketError) {
        var bytes = try FileReader.read(path)
        try self.init(
            SecretBytes(wiping: &bytes), format: format, passphrase: passphrase.map { SecretBytes(Array($0.utf8)) },
            backend: backend)
    }

    /// Reads a private key and asks for its passphrase only if there is need of one.
    ///
    /// - Parameter askPassphrase: called at most once, when the key turns out to be encrypted; nil stands for "not known".
    public init(
        _ bytes: SecretBytes, format: SslEncodingFormat = .pem, backend: String? = nil,
        askPassphrase: () throws(SslSocketError) -> SecretBytes?
    ) throws(SslSocketError) {
        do throws(SslSocketError) {
            try self.init(bytes, format: format, passphrase: nil, backend: backend)
        } catch {
            guard error.code == .wrongPassphrase, let passphrase = try askPassphrase() else { throw error }
            try self.init(bytes, format: format, passphrase: passphrase, backend: backend)
        }
    }

    /// Reads the first public key of the data: SubjectPublicKeyInfo, or PKCS#1 in PEM.
    ///
    /// - Throws: ``SslSocketError/Code/invalidUserData`` when there is none or it is malformed.
    public init(
        publicKey bytes: [UInt8], format: SslEncodingFormat = .pem, backend: String? = nil
    ) throws(SslSocketError) {
        self.init(try KeyFile.publicKey(bytes, format: format, backend: SslBackends.resolve(backend)))
    }

    /// Makes a new key pair.
    public static func generate(_ kind: SslKeyKind, backend: String? = nil) throws(SslSocketError) -> SslKey {
        try SslKey(SslBackends.resolve(backend).generateKey(kind))
    }

    // MARK: Facts

    /// The kind (`algorithm`).
    public var algorithm: SslKeyAlgorithm {
        switch half {
        case .secret(let storage): storage.first.algorithm
        case .open(let key): key.algorithm
        }
    }
    /// The size in bits (`length`); 0 for an opaque key, where Qt says -1.
    public var length: Int {
        switch half {
        case .secret(let storage): storage.first.bits
        case .open(let key): key.bits
        }
    }
    /// Which half it is (`type`). A private key holds the public half too.
    public var type: SslKeyType {
        switch half {
        case .secret: .privateKey
        case .open: .publicKey
        }
    }
    /// The public half as SubjectPublicKeyInfo, DER.
    public var publicKeyInfo: [UInt8] {
        switch half {
        case .secret(let storage): storage.first.publicKeyInfo
        case .open(let key): key.publicKeyInfo
        }
    }
    /// The public half as a key of its own.
    public var publicKey: SslKey { SslKey(TlsPublicKey(publicKeyInfo: publicKeyInfo, algorithm: algorithm, bits: length)) }

    // MARK: Writing

    /// A private key as unencrypted PKCS#8, a public one as SubjectPublicKeyInfo, DER (`toDer`).
    public var der: SecretBytes {
        switch half {
        case .secret(let storage): storage.pkcs8
        case .open(let key): SecretBytes(key.publicKeyInfo)
        }
    }
    /// The same as ``der`` in PEM (`toPem`). **The text of a private key is not wiped**: better keep it encrypted, with ``pem(passphrase:encryption:)``.
    public var pem: String {
        switch half {
        case .secret(let storage):
            var octets = storage.pkcs8.copy
            defer { octets.wipe() }
            return Pem.encode(octets, label: "PRIVATE KEY")
        case .open(let key): return Pem.encode(key.publicKeyInfo, label: "PUBLIC KEY")
        }
    }

    /// A private key in PEM, encrypted (`toPem(passPhrase)`). Qt writes the old form with 3DES; the default here is PKCS#8 with AES-256, and the old one
    /// is there by request.
    ///
    /// - Throws: ``SslSocketError/Code/operation`` for a public key, ``SslSocketError/Code/invalidUserData`` for an empty passphrase,
    ///   ``SslSocketError/Code/unsupportedOperation`` when the kind of key never had the old form or the library lacks the cipher.
    public func pem(
        passphrase: SecretBytes, encryption: SslKeyEncryption = .pkcs8
    ) throws(SslSocketError) -> String {
        let cipher: TlsBlockCipher
        switch encryption {
        case .pkcs8: return Pem.encode(try der(passphrase: passphrase), label: "ENCRYPTED PRIVATE KEY")
        case .legacyTripleDes: cipher = .tripleDes
        case .legacyAes128: cipher = .aes128
        case .legacyAes256: cipher = .aes256
        }
        let storage = try secret(toBeSealedUnder: passphrase)
        let label =
            switch storage.first.algorithm {
            case .rsa: "RSA PRIVATE KEY"
            case .dsa: "DSA PRIVATE KEY"
            default: "EC PRIVATE KEY"
            }
        let sealed = try LegacyKeyEncryption(cipher)
        let text = try sealed.seal(storage.first.traditional(), passphrase: passphrase, backend: storage.first.backend)
        return Pem.encode(text, label: label, headers: sealed.headers)
    }

    /// A private key as encrypted PKCS#8, DER: AES-256, and a key derived in 600,000 rounds. Qt returns nothing here.
    ///
    /// - Throws: as ``pem(passphrase:encryption:)``.
    public func der(passphrase: SecretBytes) throws(SslSocketError) -> [UInt8] {
        let storage = try secret(toBeSealedUnder: passphrase)
        return try KeyEncryption.seal(pkcs8: storage.pkcs8, passphrase: passphrase, backend: storage.first.backend)
    }

    private func secret(toBeSealedUnder passphrase: SecretBytes) throws(SslSocketError) -> Storage {
        guard case .secret(let storage) = half else {
            throw SslSocketError(.operation, "A public key has nothing to encrypt")
        }
        guard passphrase.count > 0 else {
            throw SslSocketError(.invalidUserData, "An empty passphrase protects nothing")
        }
        return storage
    }

    /// The private key in the hands of `backend`.
    package func handle(for backend: any TlsBackend) throws(SslSocketError) -> any TlsKey {
        guard case .secret(let storage) = half else {
            throw SslSocketError(.invalidUserData, "A private key is needed, and this is a public one")
        }
        if storage.first.backend === backend { return storage.first }
        return try storage.others.withLock { others throws(SslSocketError) -> any TlsKey in
            if let known = others[backend.name] { return known }
            let key = try backend.makePrivateKey(der: storage.pkcs8, passphrase: nil)
            others[backend.name] = key
            return key
        }
    }
}

/// How a private key is encrypted in a PEM text.
public enum SslKeyEncryption: Sendable, Hashable, CaseIterable {
    /// PKCS#8 (RFC 5958) with AES-256 in CBC mode, the key derived by PBKDF2 with HMAC-SHA-256 in 600,000 rounds.
    case pkcs8
    /// The old form of OpenSSL with 3DES: what Qt writes. Guessing the passphrase is cheap. RSA, EC and DSA only.
    case legacyTripleDes
    /// The old form of OpenSSL with AES-128. Guessing the passphrase is cheap. RSA, EC and DSA only.
    case legacyAes128
    /// The old form of OpenSSL with AES-256. Guessing the passphrase is cheap. RSA, EC and DSA only.
    case legacyAes256
}

extension SslKey: Hashable, CustomStringConvertible, CustomReflectable {
    /// The same half of the same key, whatever form it was read from: the public half tells private keys apart too.
    public static func == (a: SslKey, b: SslKey) -> Bool { a.type == b.type && a.publicKeyInfo == b.publicKeyInfo }
    public func hash(into hasher: inout Hasher) { hasher.combine(publicKeyInfo) }
    /// Kind and size; nothing secret.
    public var description: String { "\(algorithm) \(type == .privateKey ? "private" : "public") key, \(length) bits" }
    /// Nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension SslCertificate {
    /// The public key (`publicKey`); opaque for a kind the backend does not know.
    public var publicKey: SslKey {
        SslKey(TlsPublicKey(publicKeyInfo: publicKeyInfo, algorithm: keyAlgorithm, bits: keyBits))
    }
}
