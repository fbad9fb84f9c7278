public import SslValues

/// One TLS library behind the contract. A new engine is one folder that implements this protocol and the ones it hands out;
/// nothing else in the package changes but the line that lists it.
///
/// Rules for every implementation:
/// - All factories may be called from any thread at any time. What they return and declare `Sendable` is immutable.
/// - **Nothing is ignored silently.** A setting that cannot be honoured fails when the context is made, with
///   ``SslSocketError/setting(_:backend:reason:)`` or ``SslSocketError/lacking(_:backend:reason:)``.
/// - No type, constant or error number of the library leaves the backend, but as text or in
///   ``SslSocketError/nativeCode`` and ``SslSocketError/nativeMessage``.
/// - No policy: which names, times, purposes and revocation rules are acceptable is decided above (see ``TlsTrustStore``).
/// - Malformed input from outside (certificates, keys, names, ciphertext) is an error or nil, never a crash.
public protocol TlsBackend: AnyObject, Sendable {
    /// The name by which users select the backend, in lower case: letters, digits, `-` and `_`.
    var name: String { get }
    /// The version of the library that is loaded now, as it prints itself.
    var libraryVersion: String { get }
    /// The same as the library's own number, for example 0x030709.
    var libraryVersionNumber: Int { get }
    /// The version of the headers this backend was compiled with.
    var libraryBuildVersion: String { get }
    /// The same as the library's own number.
    var libraryBuildVersionNumber: Int { get }
    /// What this backend can do with the library version that is loaded.
    var capabilities: TlsCapabilities { get }

    /// Prepares everything that connections with these settings share.
    ///
    /// Expensive (milliseconds): made once per configuration and role, then shared by every session.
    /// Fails if any setting cannot be honoured or any credential does not fit (a key that does not belong to its certificate:
    /// ``SslSocketError/Code/keyMismatch``).
    func makeContext(_ settings: TlsSettings) throws(SslSocketError) -> any TlsContext

    /// The certificates (DER) the system trusts, as the library finds them; empty when there are none. Certificates may be odd:
    /// whoever loads them skips what cannot be read.
    func systemAnchors() throws(SslSocketError) -> [[UInt8]]

    /// Checks one signature. False also for a key that cannot be read, does not fit the algorithm, or an algorithm the library does not have.
    func isValid(_ signature: X509Signature) -> Bool

    /// What the library itself finds wrong with a path: leaf first, the last certificate being the only one trusted.
    ///
    /// It is asked about paths that are acceptable by the rules above, as the last word: an empty list accepts. Time, purpose and names
    /// are not its business. A trusted intermediate ends a path like a root (libraries differ by default).
    func problems(ofPath path: [any X509Certificate]) -> [TlsPathProblem]

    /// Parses one certificate. Trailing octets are refused.
    func makeCertificate(der: [UInt8]) throws(SslSocketError) -> any X509Certificate

    /// Reads a private key in DER: PKCS#8, encrypted or not, PKCS#1, SEC 1, or the old form of DSA. What stands around it in a PEM text is dealt with
    /// above.
    ///
    /// Never asks on a terminal. An encrypted key without or with a wrong passphrase fails with
    /// ``SslSocketError/Code/wrongPassphrase``, a damaged one with ``SslSocketError/Code/invalidUserData``.
    func makePrivateKey(der: SecretBytes, passphrase: SecretBytes?) throws(SslSocketError) -> any TlsKey

    /// Reads a SubjectPublicKeyInfo in DER; a kind the library does not know is opaque, with a size of 0.
    ///
    /// - Throws: ``SslSocketError/Code/invalidUserData`` when it is malformed.
    func makePublicKey(der: [UInt8]) throws(SslSocketError) -> TlsPublicKey

    /// Makes a private key that lives elsewhere, for use in contexts: `signer` makes its signatures.
    ///
    /// - Throws: ``SslSocketError/Code/unsupportedFeature`` where the library cannot have such keys, ``SslSocketError/Code/invalidUserData`` for a kind that
    ///   signs nothing.
    func makeExternalKey(_ key: TlsPublicKey, signer: TlsSigner) throws(SslSocketError) -> any TlsKey

    /// Opens a private key in a token by its PKCS#11 URI (RFC 7512). The key never leaves the token.
    ///
    /// - Parameter pin: asked at most once for each login; what it answers is never tried twice, for tokens lock themselves.
    /// - Throws: ``SslSocketError/Code/unsupportedFeature`` where the library reaches no tokens, ``SslSocketError/Code/wrongPassphrase`` for a missing or
    ///   wrong PIN, ``SslSocketError/Code/unreadableFile`` when there is no such key, ``SslSocketError/Code/invalidUserData`` for what is no such URI.
    func makeTokenKey(uri: String, pin: @escaping TlsTokenPin) throws(SslSocketError) -> any TlsKey

    /// Reads a certificate in a token by its PKCS#11 URI: DER.
    ///
    /// - Throws: as ``makeTokenKey(uri:pin:)``.
    func makeTokenCertificate(uri: String, pin: @escaping TlsTokenPin) throws(SslSocketError) -> [UInt8]

    /// Reads a PKCS#12 file (RFC 7292), whose passphrase protects its integrity too.
    ///
    /// - Throws: ``SslSocketError/Code/wrongPassphrase``, ``SslSocketError/Code/invalidUserData`` for a damaged file, and
    ///   ``SslSocketError/Code/unsupportedOperation`` for a cipher the library does not have.
    func readBundle(pkcs12: SecretBytes, passphrase: SecretBytes) throws(SslSocketError) -> TlsKeyBundle

    /// Writes a PKCS#12 file, encrypted with AES-256 under the passphrase.
    func writeBundle(_ bundle: TlsKeyBundle, name: String, passphrase: SecretBytes) throws(SslSocketError) -> SecretBytes

    /// Runs a block cipher in CBC mode over whole blocks, without padding.
    ///
    /// - Throws: ``SslSocketError/Code/unsupportedOperation`` for a cipher the library does not have, ``SslSocketError/Code/invalidUserData`` when
    ///   lengths do not fit.
    func runCipher(
        _ cipher: TlsBlockCipher, _ direction: TlsCipherDirection, _ bytes: SecretBytes, key: SecretBytes, vector: [UInt8]
    ) throws(SslSocketError) -> SecretBytes

    /// Derives a key from a passphrase with PBKDF2 and HMAC (RFC 8018 section 5.2).
    ///
    /// - Throws: ``SslSocketError/Code/unsupportedOperation`` for a hash the library does not have, ``SslSocketError/Code/invalidUserData`` when a
    ///   number is out of range.
    func deriveKey(
        _ hash: SslHash, passphrase: SecretBytes, salt: [UInt8], iterations: Int, length: Int
    ) throws(SslSocketError) -> SecretBytes

    /// Makes a new key pair.
    func generateKey(_ kind: SslKeyKind) throws(SslSocketError) -> any TlsKey

    /// True when an odd number and half of it, rounded down, are both prime: what the modulus of Diffie-Hellman parameters must be. The chance of
    /// error is below 2^-80.
    ///
    /// - Parameter number: big-endian, without leading zeros; at most 10000 bits.
    func isSafePrime(_ number: [UInt8]) -> Bool

    /// A digest of `bytes`; nil for a hash the library does not have.
    func digest(_ bytes: [UInt8], _ hash: SslHash) -> [UInt8]?
}

/// What a backend can do, as data: queries of the application, the comparison and the documentation all read this.
public struct TlsCapabilities: Sendable, Hashable {
    /// The versions that can be negotiated, for streams and datagrams.
    public var versions: Set<SslVersion>
    /// The cipher suites that can be asked for, in the library's own order.
    public var cipherSuites: [SslCipher]
    /// The groups that can be asked for.
    public var groups: [SslGroup]
    /// The signature schemes that can be asked for.
    public var signatureSchemes: [SslSignatureScheme]
    /// The key kinds whose certificates can be used for authentication.
    public var keyAlgorithms: [SslKeyAlgorithm]
    /// The class groups this backend serves (`QSslSocket::implementedClasses`).
    public var classes: Set<SslImplementedClass>
    /// Features that work.
    public var features: Set<SslFeature>
    /// Features that do not, each with the reason in words. Together with ``features`` it covers every case of `SslFeature`.
    public var lacks: [SslFeature: String]
    /// The names of options that ``TlsSettings/backendOptions`` takes.
    public var backendOptions: [String]

    /// Makes capabilities; ``lacks`` must name a reason for every feature that is not in `features`.
    public init(
        versions: Set<SslVersion>, cipherSuites: [SslCipher], groups: [SslGroup], signatureSchemes: [SslSignatureScheme],
        keyAlgorithms: [SslKeyAlgorithm], classes: Set<SslImplementedClass>, features: Set<SslFeature>,
        lacks: [SslFeature: String], backendOptions: [String] = []
    ) {
        self.versions = versions
        self.cipherSuites = cipherSuites
        self.groups = groups
        self.signatureSchemes = signatureSchemes
        self.keyAlgorithms = keyAlgorithms
        self.classes = classes
        self.features = features
        self.lacks = lacks
        self.backendOptions = backendOptions
    }
}
