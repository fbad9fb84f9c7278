package import SslBackend
public import SslValues

/// A private key (`QSslKey`). Its secret is wiped when the last copy of the value goes, and never printed.
///
/// The key is read by the backend that needs it; one value serves every backend.
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
    private let storage: Storage

    package init(_ key: any TlsKey) throws(SslSocketError) { storage = Storage(key, pkcs8: try key.pkcs8()) }

    /// Reads a private key: PKCS#8, PKCS#1 or SEC 1, encrypted or not (`QSslKey(encoded, algorithm, format, type, passPhrase)`).
    ///
    /// The kind of key is found out, not asked for. Never prompts.
    /// - Throws: ``SslSocketError/Code/wrongPassphrase`` when the passphrase is missing or wrong, ``SslSocketError/Code/invalidUserData``
    ///   when the key is damaged or of a kind the backend does not have.
    public init(
        _ bytes: SecretBytes, format: SslEncodingFormat = .pem, passphrase: SecretBytes? = nil, backend: String? = nil
    ) throws(SslSocketError) {
        try self.init(SslBackends.resolve(backend).makePrivateKey(bytes, format: format, passphrase: passphrase))
    }

    /// Reads a private key from octets that are not wiped by this library.
    public init(
        _ bytes: [UInt8], format: SslEncodingFormat = .pem, passphrase: String? = nil, backend: String? = nil
    ) throws(SslSocketError) {
        try self.init(
            SecretBytes(bytes), format: format, passphrase: passphrase.map { SecretBytes(Array($0.utf8)) }, backend: backend)
    }

    /// Reads a private key from a file.
    public init(
        fromFile path: String, format: SslEncodingFormat = .pem, passphrase: String? = nil, backend: String? = nil
    ) throws(SslSocketError) {
        try self.init(FileReader.read(path), format: format, passphrase: passphrase, backend: backend)
    }

    /// Makes a new key pair.
    public static func generate(_ kind: SslKeyKind, backend: String? = nil) throws(SslSocketError) -> SslKey {
        try SslKey(SslBackends.resolve(backend).generateKey(kind))
    }

    /// The kind (`algorithm`).
    public var algorithm: SslKeyAlgorithm { storage.first.algorithm }
    /// The size in bits (`length`).
    public var length: Int { storage.first.bits }
    /// Always the private half: public keys are read from certificates (`type`).
    public var type: SslKeyType { .privateKey }
    /// The public half as SubjectPublicKeyInfo, DER.
    public var publicKeyInfo: [UInt8] { storage.first.publicKeyInfo }
    /// Unencrypted PKCS#8, DER (`toDer`).
    public var der: SecretBytes { storage.pkcs8 }
    /// Unencrypted PKCS#8, PEM (`toPem`).
    public var pem: String { unsafe storage.pkcs8.withBytes { unsafe Pem.encode([UInt8]($0), label: "PRIVATE KEY") } }

    /// The key in the hands of `backend`.
    package func handle(for backend: any TlsBackend) throws(SslSocketError) -> any TlsKey {
        if storage.first.backend === backend { return storage.first }
        return try storage.others.withLock { others throws(SslSocketError) -> any TlsKey in
            if let known = others[backend.name] { return known }
            let key = try backend.makePrivateKey(storage.pkcs8, format: .der, passphrase: nil)
            others[backend.name] = key
            return key
        }
    }
}

extension SslKey: Hashable, CustomStringConvertible, CustomReflectable {
    public static func == (a: SslKey, b: SslKey) -> Bool { a.storage === b.storage || a.storage.pkcs8 == b.storage.pkcs8 }
    public func hash(into hasher: inout Hasher) { hasher.combine(publicKeyInfo) }
    /// Kind and size; nothing secret.
    public var description: String { "\(algorithm) private key, \(length) bits" }
    /// Nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
