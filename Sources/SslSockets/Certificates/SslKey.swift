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
    /// A key that lives elsewhere, in the hands of each backend that was asked to use it.
    private final class Remote: Sendable {
        let open: TlsPublicKey
        let make: @Sendable (any TlsBackend) throws(SslSocketError) -> any TlsKey
        let handles: Lock<[String: any TlsKey]>
        init(
            _ open: TlsPublicKey, made: [String: any TlsKey] = [:],
            _ make: @escaping @Sendable (any TlsBackend) throws(SslSocketError) -> any TlsKey
        ) {
            self.open = open
            self.make = make
            handles = Lock(made)
        }
    }
    private enum Half {
        case secret(Storage)
        case remote(Remote)
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

    /// A private key that lives elsewhere, in a module, an agent or a service: a function makes its signatures.
    ///
    /// The function is called inside the handshake, on whichever thread drives it, on several at once, and the handshake waits for it. When it throws, the
    /// handshake fails with an error that says so. The key itself cannot be exported.
    /// - Parameters:
    ///   - publicKey: the public half, for example of the certificate.
    ///   - schemes: what the function can sign with, best first; nil for all that fit the kind of key.
    ///   - sign: returns the signature as TLS has it on the wire (RFC 8446 section 4.2.3), ECDSA in DER. The input is the hash that
    ///     ``SslSignatureScheme/hash`` names of the message, and the message itself for Ed25519 and Ed448.
    /// - Throws: ``SslSocketError/Code/invalidUserData`` for a kind of key that signs nothing in TLS.
    public init(
        signingFor publicKey: SslKey, schemes: [SslSignatureScheme]? = nil,
        sign: @escaping @Sendable (_ input: [UInt8], _ scheme: SslSignatureScheme) throws -> [UInt8]
    ) throws(SslSocketError) {
        let fitting = SslSignatureScheme.schemes(for: publicKey.algorithm)
        guard !fitting.isEmpty else {
            throw SslSocketError(.invalidUserData, "A key of the kind \(publicKey.algorithm) signs nothing in TLS")
        }
        if let odd = schemes?.first(where: { !fitting.contains($0) }) {
            throw SslSocketError(
                .invalidUserData, "A key of the kind \(publicKey.algorithm) does not sign with \(odd.name)")
        }
        let open = publicKey.publicHalf
        let signer = TlsSigner(schemes: schemes ?? fitting, sign)
        half = .remote(
            Remote(open) { backend throws(SslSocketError) in try backend.makeExternalKey(open, signer: signer) })
    }

    /// A private key in a PKCS#11 token, by its URI (RFC 7512): for example `pkcs11:token=server;object=www;type=private`. It never leaves the token,
    /// and only the backend that has opened it can use it. Lacking on OpenSSL.
    ///
    /// - Parameters:
    ///   - uri: names the key. The tokens are those that p11-kit's configuration lists.
    ///   - backend: the name of the backend; nil for the active one.
    ///   - pin: asked for the PIN, if the token wants one, now and whenever it has forgotten it, on whichever thread drives a handshake; once for each
    ///     login, for a token locks itself after some wrong answers. nil for "not known". A PIN that stands in the URI is not asked for.
    /// - Throws: ``SslSocketError/Code/unsupportedFeature`` where the library reaches no tokens, ``SslSocketError/Code/wrongPassphrase`` for a missing or
    ///   wrong PIN, ``SslSocketError/Code/unreadableFile`` when there is no such key, ``SslSocketError/Code/invalidUserData`` for what is no such URI.
    ///   No error ever shows a PIN.
    public init(
        pkcs11 uri: String, backend: String? = nil, pin: @escaping @Sendable (SslTokenPinQuestion) -> SecretBytes? = { _ in nil }
    ) throws(SslSocketError) {
        let engine = try SslBackends.resolve(backend)
        let key = try engine.makeTokenKey(uri: uri, pin: pin)
        let open = TlsPublicKey(publicKeyInfo: key.publicKeyInfo, algorithm: key.algorithm, bits: key.bits)
        half = .remote(
            Remote(open, made: [engine.name: key]) { backend throws(SslSocketError) in
                try backend.makeTokenKey(uri: uri, pin: pin)
            })
    }

    /// Makes a new key pair.
    public static func generate(_ kind: SslKeyKind, backend: String? = nil) throws(SslSocketError) -> SslKey {
        try SslKey(SslBackends.resolve(backend).generateKey(kind))
    }

    // MARK: Facts

    private var publicHalf: TlsPublicKey {
        switch half {
        case .secret(let storage):
            TlsPublicKey(
                publicKeyInfo: storage.first.publicKeyInfo, algorithm: storage.first.algorithm, bits: storage.first.bits)
        case .remote(let remote): remote.open
        case .open(let key): key
        }
    }

    /// The kind (`algorithm`).
    public var algorithm: SslKeyAlgorithm { publicHalf.algorithm }
    /// The size in bits (`length`); 0 for an opaque key, where Qt says -1.
    public var length: Int { publicHalf.bits }
    /// Which half it is (`type`). A private key holds the public half too.
    public var type: SslKeyType {
        switch half {
        case .secret, .remote: .privateKey
        case .open: .publicKey
        }
    }
    /// The key lives elsewhere and is used through a function; it cannot be exported. Where Qt has opaque keys with a native handle.
    public var isExternal: Bool {
        if case .remote = half { return true }
        return false
    }
    /// The public half as SubjectPublicKeyInfo, DER.
    public var publicKeyInfo: [UInt8] { publicHalf.publicKeyInfo }
    /// The public half as a key of its own.
    public var publicKey: SslKey { SslKey(publicHalf) }

    /// A private key's signature over a message, which is hashed first as the scheme says, in the form TLS has it on the wire.
    ///
    /// - Parameter backend: the name of the backend that signs; nil for the active one.
    /// - Throws: ``SslSocketError/Code/invalidUserData`` for a public key, ``SslSocketError/Code/unsupportedOperation`` for a scheme that does not fit
    ///   the kind of key, ``SslSocketError/Code/handshakeFailed`` when the function of an external key throws.
    public func sign(
        _ message: [UInt8], with scheme: SslSignatureScheme, backend: String? = nil
    ) throws(SslSocketError) -> [UInt8] {
        let engine = try SslBackends.resolve(backend)
        guard let hash = scheme.hash else { return try handle(for: engine).sign(message, scheme) }
        guard let digest = engine.digest(message, hash) else {
            throw SslSocketError(.unsupportedOperation, "The library does not offer \(hash) here", backend: engine.name)
        }
        return try handle(for: engine).sign(digest, scheme)
    }

    /// A private key's signature over a hash: see ``sign(_:with:backend:)``.
    ///
    /// - Parameter digest: what ``SslSignatureScheme/hash`` made of the message; for Ed25519 and Ed448 the message itself.
    /// - Throws: ``SslSocketError/Code/invalidUserData`` also for a hash of a wrong length.
    public func sign(
        digest: [UInt8], with scheme: SslSignatureScheme, backend: String? = nil
    ) throws(SslSocketError) -> [UInt8] {
        try handle(for: SslBackends.resolve(backend)).sign(digest, scheme)
    }

    // MARK: Writing

    /// A private key as unencrypted PKCS#8, a public one as SubjectPublicKeyInfo, DER (`toDer`); empty for a key that lives elsewhere.
    public var der: SecretBytes {
        switch half {
        case .secret(let storage): storage.pkcs8
        case .remote: SecretBytes([])
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
        case .remote: return ""
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
            throw SslSocketError(
                .operation, isExternal ? "This private key cannot leave its place" : "A public key has nothing to encrypt")
        }
        guard passphrase.count > 0 else {
            throw SslSocketError(.invalidUserData, "An empty passphrase protects nothing")
        }
        return storage
    }

    /// The private key in the hands of `backend`.
    package func handle(for backend: any TlsBackend) throws(SslSocketError) -> any TlsKey {
        switch half {
        case .open: throw SslSocketError(.invalidUserData, "A private key is needed, and this is a public one")
        case .remote(let remote):
            return try remote.handles.withLock { handles throws(SslSocketError) -> any TlsKey in
                if let known = handles[backend.name] { return known }
                let key = try remote.make(backend)
                handles[backend.name] = key
                return key
            }
        case .secret(let storage):
            if storage.first.backend === backend { return storage.first }
            return try storage.others.withLock { others throws(SslSocketError) -> any TlsKey in
                if let known = others[backend.name] { return known }
                let key = try backend.makePrivateKey(der: storage.pkcs8, passphrase: nil)
                others[backend.name] = key
                return key
            }
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
    /// The same half of the same key, whatever form it was read from and wherever it lives: the public half tells private keys apart too.
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

extension SslSignatureScheme {
    /// What a key of that kind signs with in TLS, best first.
    static func schemes(for algorithm: SslKeyAlgorithm) -> [SslSignatureScheme] {
        let names: [String] =
            switch algorithm {
            case .rsa:
                [
                    "rsa_pss_rsae_sha256", "rsa_pss_rsae_sha384", "rsa_pss_rsae_sha512", "rsa_pkcs1_sha256", "rsa_pkcs1_sha384",
                    "rsa_pkcs1_sha512",
                ]
            case .rsaPss: ["rsa_pss_pss_sha256", "rsa_pss_pss_sha384", "rsa_pss_pss_sha512"]
            case .ec: ["ecdsa_secp256r1_sha256", "ecdsa_secp384r1_sha384", "ecdsa_secp521r1_sha512"]
            case .ed25519: ["ed25519"]
            case .ed448: ["ed448"]
            case .opaque, .dsa, .dh, .x25519: []
            }
        return names.compactMap { SslSignatureScheme(name: $0) }
    }
}
