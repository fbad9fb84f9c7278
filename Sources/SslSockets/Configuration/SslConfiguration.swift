package import SslBackend
public import SslValues

/// What a connection should be like (`QSslConfiguration`): a value, copied on write.
///
/// What is expensive to prepare from it (credentials, trust store, cipher lists) is prepared once and shared by every socket that
/// was given a copy of the same configuration: configure once, not per connection. A changed copy starts anew.
///
/// It holds settings only. What a connection negotiated is asked of the socket.
public struct SslConfiguration: Sendable {
    /// The settings themselves.
    struct Values: Sendable, Hashable {
        var backend: String?
        var protocolRange = SslProtocol.secureProtocols
        var peerVerifyMode = SslPeerVerifyMode.autoVerifyPeer
        var peerVerifyDepth = 0
        var handshakeMustInterruptOnError = false
        var missingCertificateIsFatal = false
        var credentials: [SslCredentials] = []
        var caCertificates: [SslCertificate] = []
        var usesSystemCaCertificates = true
        var caCertificateDirectories: [String] = []
        var ciphers: [SslCipher] = []
        var groups: [SslGroup] = []
        var signatureSchemes: [SslSignatureScheme] = []
        var allowedNextProtocols: [String] = []
        var options = SslOptions.default
        var diffieHellmanParameters: SslDiffieHellmanParameters?
        var requestedAuthorities: [SslCertificate] = []
        var sessionTicket: SslSessionTicket?
        var sessionCache: SslSessionCache?
        var ticketKeys: SslTicketKeys?
        var sessionTicketCount = 1
        var preSharedKeys: [SslPreSharedKey] = []
        var preSharedKeyIdentityHint: [UInt8] = []
        var ocspStaplingEnabled = false
        var maximumRecordSize = 16_384
        var recordPadding = 0
        var backendConfiguration: [String: String] = [:]
        var keyLogPath: String?
        var nextProtocolPolicy = SslNextProtocolPolicy.optional
        var allowsPostHandshakeAuthentication = false
        var verification = VerificationSettings()
    }
    private var storage: ConfigurationStorage

    /// The defaults: TLS 1.2 and newer, a client verifies its server, the system's CA certificates.
    public init() { storage = ConfigurationStorage(Values()) }

    var values: Values { storage.values }

    mutating func change(_ body: (inout Values) -> Void) {
        var values = storage.values
        body(&values)
        storage = ConfigurationStorage(values, changing: storage)
    }

    // MARK: Backend and versions

    /// The name of the backend; nil (the default) for the active one.
    public var backend: String? {
        get { values.backend }
        set { change { $0.backend = newValue } }
    }

    /// The range of versions to negotiate (`protocol`). Default: ``SslProtocol/secureProtocols``.
    public var `protocol`: SslProtocol {
        get { values.protocolRange }
        set { change { $0.protocolRange = newValue } }
    }

    // MARK: Verification

    /// Whether and how the peer must prove who it is (`peerVerifyMode`). Default: ``SslPeerVerifyMode/autoVerifyPeer``.
    public var peerVerifyMode: SslPeerVerifyMode {
        get { values.peerVerifyMode }
        set { change { $0.peerVerifyMode = newValue } }
    }

    /// How many certificates above the leaf a chain may have (`peerVerifyDepth`); 0, the default, for no limit but the engine's 16.
    ///
    /// A negative value has no meaning: whatever it is used for fails with ``SslSocketError/Code/invalidUserData``. (Qt keeps the old value and
    /// logs a warning.)
    public var peerVerifyDepth: Int {
        get { values.peerVerifyDepth }
        set { change { $0.peerVerifyDepth = newValue } }
    }

    /// Tells each problem with the peer's chain by ``SslSocket/handshakeInterruptedOnError``, and ends the handshake at the first one that no
    /// slot wants to continue with (`handshakeMustInterruptOnError`). Default: false.
    ///
    /// In Qt it is the only way to have a refusal sent as an alert; here every refusal is.
    public var handshakeMustInterruptOnError: Bool {
        get { values.handshakeMustInterruptOnError }
        set { change { $0.handshakeMustInterruptOnError = newValue } }
    }

    /// A server refuses a client without a certificate whatever its slots say, unless it asks for none (`missingCertificateIsFatal`): with the
    /// alert `certificate_required` (TLS 1.3) or `handshake_failure` (TLS 1.2), and without ``SslSocket/sslErrors``. Default: false; then
    /// ``SslPeerVerifyMode/verifyPeer`` reports ``SslErrorCode/noPeerCertificate``, which can be ignored.
    public var missingCertificateIsFatal: Bool {
        get { values.missingCertificateIsFatal }
        set { change { $0.missingCertificateIsFatal = newValue } }
    }

    // MARK: Credentials

    /// The chain shown to the peer, leaf first (`localCertificateChain`); the first of ``credentials``.
    public var localCertificateChain: [SslCertificate] {
        get { values.credentials.first?.chain ?? [] }
        set {
            change { values in
                let key = values.credentials.first?.key
                values.credentials = newValue.isEmpty && key == nil ? [] : [SslCredentials(chain: newValue, key: key)]
            }
        }
    }

    /// The first certificate of the chain (`localCertificate`); setting it replaces the whole chain.
    public var localCertificate: SslCertificate? {
        get { localCertificateChain.first }
        set { localCertificateChain = newValue.map { [$0] } ?? [] }
    }

    /// The private key of the leaf (`privateKey`).
    public var privateKey: SslKey? {
        get { values.credentials.first?.key }
        set {
            change { values in
                let chain = values.credentials.first?.chain ?? []
                values.credentials = chain.isEmpty && newValue == nil ? [] : [SslCredentials(chain: chain, key: newValue)]
            }
        }
    }

    /// Several chains with their keys, for example an ECDSA and an RSA certificate of the same server: the first that the peer
    /// can verify is shown. Beyond Qt.
    ///
    /// Engines do not take chains of any size. OpenSSL refuses a peer's of more than 102400 octets, GnuTLS a handshake of more than 131072 in all, both
    /// with an alert and ``SslSocketError/Code/handshakeFailed``. A client's chain of more than 32 KiB gets no session ticket in TLS 1.3; in TLS 1.2 one of
    /// more than 64 KiB is refused, unless the server makes no tickets (``SslOptions/disableSessionTickets``).
    public var credentials: [SslCredentials] {
        get { values.credentials }
        set { change { $0.credentials = newValue } }
    }

    /// Loads a chain (PEM, leaf first) and its key from files.
    ///
    /// - Throws: ``SslSocketError/Code/unreadableFile``, ``SslSocketError/Code/wrongPassphrase``, ``SslSocketError/Code/invalidUserData``; nothing
    ///   is changed then. That the key belongs to the certificate is found out by ``validate(for:)`` or the first connection.
    public mutating func setCredentials(certificateFile: String, keyFile: String, passphrase: String? = nil)
        throws(SslSocketError)
    {
        let chain = try SslCertificate.certificates(fromFile: certificateFile, backend: values.backend)
        let key = try SslKey(fromFile: keyFile, passphrase: passphrase, backend: values.backend)
        change { $0.credentials = [SslCredentials(chain: chain, key: key)] }
    }

    /// The CAs a server names when it asks for a client's certificate. Default: none are named. Beyond Qt.
    public var requestedAuthorities: [SslCertificate] {
        get { values.requestedAuthorities }
        set { change { $0.requestedAuthorities = newValue } }
    }

    /// TLS 1.3 post-handshake authentication: a client lets itself be asked for its certificate after the handshake, a server may ask by
    /// ``SslSocket/requestClientCertificate(_:)``. Default: false. Beyond Qt. It costs some memory a connection.
    public var allowsPostHandshakeAuthentication: Bool {
        get { values.allowsPostHandshakeAuthentication }
        set { change { $0.allowsPostHandshakeAuthentication = newValue } }
    }

    // MARK: Comparing

    /// True while every setting is as ``init()`` made it (`isNull`).
    public var isUnchanged: Bool { values == Values() }

    // MARK: The process-wide default

    private static let defaultStorage = Lock(SslConfiguration())

    /// What a new socket starts with (`defaultConfiguration`, `setDefaultConfiguration`). It is copied whole, where Qt leaves out some settings;
    /// sockets that exist keep theirs. Safe to use from any thread.
    public static var `default`: SslConfiguration {
        get { defaultStorage.withLock { $0 } }
        set { defaultStorage.withLock { $0 = newValue } }
    }

    /// Changes the default without anybody else changing it meanwhile.
    static func changeDefault(_ body: (inout SslConfiguration) -> Void) { defaultStorage.withLock { body(&$0) } }

    /// The same settings with another ticket; what was prepared from them is kept.
    mutating func resume(_ ticket: SslSessionTicket?) { storage = ConfigurationStorage(storage, sessionTicket: ticket) }

    // MARK: Prepared

    /// Under what a client's sessions may be resumed; nil when that cannot be said.
    func sessionTerms(_ name: PeerName?, _ context: any TlsContext) -> SessionTerms? { storage.sessionTerms(name, context) }

    /// The context of this configuration for a role, prepared once.
    package func context(
        role: SslRole, transport: TlsTransport = .stream, pausesAtClientHello: Bool = false, asksForPreSharedKeys: Bool = false
    ) throws(SslSocketError) -> any TlsContext {
        try storage.context(
            role: role, transport: transport, pausesAtClientHello: pausesAtClientHello, asksForPreSharedKeys: asksForPreSharedKeys
        )
    }

    /// Prepares what a role needs and reports what is wrong with the settings, without a connection.
    ///
    /// - Throws: what the first connection would fail with: an unsuitable key, an unsupported setting, no backend.
    public func validate(for role: SslRole) throws(SslSocketError) { _ = try context(role: role) }
}

extension SslConfiguration: Hashable {
    public static func == (a: SslConfiguration, b: SslConfiguration) -> Bool { a.storage === b.storage || a.values == b.values }
    public func hash(into hasher: inout Hasher) { hasher.combine(values) }
}

/// A certificate chain and its key.
public struct SslCredentials: Sendable, Hashable {
    /// Leaf first, then intermediates.
    public var chain: [SslCertificate]
    /// The key of the leaf; nil only while a configuration is being put together.
    public var key: SslKey?
    /// What a server staples about its leaf; nil, the default, for nothing.
    public var stapler: SslOcspStapler?

    /// Makes credentials.
    public init(chain: [SslCertificate], key: SslKey?) {
        self.chain = chain
        self.key = key
    }
}
