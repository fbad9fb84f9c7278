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
        var ciphers: [SslCipher] = []
        var groups: [SslGroup] = []
        var signatureSchemes: [SslSignatureScheme] = []
        var allowedNextProtocols: [String] = []
        var options: SslOptions = []
        var requestedAuthorities: [SslCertificate] = []
        var sessionTicket: SslSessionTicket?
        var backendConfiguration: [String: String] = [:]
    }
    private var storage: ConfigurationStorage

    /// The defaults: TLS 1.2 and newer, a client verifies its server, the system's CA certificates.
    public init() { storage = ConfigurationStorage(Values()) }

    var values: Values { storage.values }

    private mutating func change(_ body: (inout Values) -> Void) {
        var values = storage.values
        body(&values)
        storage = ConfigurationStorage(values)
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
    /// A negative value is taken as 0.
    public var peerVerifyDepth: Int {
        get { values.peerVerifyDepth }
        set { change { $0.peerVerifyDepth = max(newValue, 0) } }
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

    /// CA certificates trusted *besides* the system's (`caCertificates`). Unlike Qt, adding one never removes the system's: see
    /// ``usesSystemCaCertificates``. Any certificate may stand here, also an intermediate or a server's own: it is trusted as it is.
    public var caCertificates: [SslCertificate] {
        get { values.caCertificates }
        set { change { $0.caCertificates = newValue } }
    }

    /// Trusts the certificates of the system's store. Default: true. Set it to false to trust ``caCertificates`` alone.
    public var usesSystemCaCertificates: Bool {
        get { values.usesSystemCaCertificates }
        set { change { $0.usesSystemCaCertificates = newValue } }
    }

    /// Trusts one more CA certificate (`addCaCertificate`).
    public mutating func addCaCertificate(_ certificate: SslCertificate) { change { $0.caCertificates.append(certificate) } }

    /// Trusts every certificate of a PEM or DER file (`addCaCertificates`).
    public mutating func addCaCertificates(fromFile path: String, format: SslEncodingFormat = .pem) throws(SslSocketError) {
        let list = try SslCertificate.certificates(fromFile: path, format: format, backend: values.backend)
        change { $0.caCertificates += list }
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
    public var credentials: [SslCredentials] {
        get { values.credentials }
        set { change { $0.credentials = newValue } }
    }

    /// Loads a chain (PEM, leaf first) and its key from files.
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

    // MARK: Negotiation

    /// The cipher suites, best first (`ciphers`); empty, the default, for ``SslCipher/defaults``. A list that names suites of one version
    /// only restricts the connection to that version.
    public var ciphers: [SslCipher] {
        get { values.ciphers }
        set { change { $0.ciphers = newValue } }
    }

    /// Sets the cipher suites by IANA names separated by colons (`setCiphers`).
    /// - Throws: ``SslSocketError/Code/invalidUserData`` for a name that is none; Qt drops such names silently.
    public mutating func setCiphers(_ names: String) throws(SslSocketError) {
        var list: [SslCipher] = []
        for name in names.split(separator: ":") {
            guard let cipher = SslCipher(name: String(name)) else {
                throw SslSocketError(.invalidUserData, "\"\(name)\" is not the IANA name of a cipher suite this library has")
            }
            list.append(cipher)
        }
        change { $0.ciphers = list }
    }

    /// The key agreement groups, best first (`ellipticCurves`); empty, the default, for ``SslGroup/defaults``.
    public var groups: [SslGroup] {
        get { values.groups }
        set { change { $0.groups = newValue } }
    }

    /// The signature schemes, best first; empty, the default, for the backend's own at security level 2.
    public var signatureSchemes: [SslSignatureScheme] {
        get { values.signatureSchemes }
        set { change { $0.signatureSchemes = newValue } }
    }

    /// The ALPN protocols, best first (`allowedNextProtocols`), for example `["h2", "http/1.1"]`. Default: none are offered.
    public var allowedNextProtocols: [String] {
        get { values.allowedNextProtocols }
        set { change { $0.allowedNextProtocols = newValue } }
    }

    /// Switches (`setSslOption`). Default: none are set.
    public var options: SslOptions {
        get { values.options }
        set { change { $0.options = newValue } }
    }

    /// A session to resume (`sessionTicket`), as ``SslSocket/sessionTicket`` gave it. It is offered only to the peer it came from, under the
    /// same verification settings and while the verified certificates are valid; otherwise a full handshake is made.
    public var sessionTicket: SslSessionTicket? {
        get { values.sessionTicket }
        set { storage = ConfigurationStorage(storage, sessionTicket: newValue) }
    }

    /// Options in the library's own words (`setBackendConfigurationOption`); which ones there are stands in the backend's capabilities.
    public var backendConfiguration: [String: String] {
        get { values.backendConfiguration }
        set { change { $0.backendConfiguration = newValue } }
    }

    // MARK: The process-wide default

    private static let defaultStorage = Lock(SslConfiguration())

    /// What a new socket starts with (`defaultConfiguration`); copied whole.
    public static var `default`: SslConfiguration {
        get { defaultStorage.withLock { $0 } }
        set { defaultStorage.withLock { $0 = newValue } }
    }

    // MARK: Prepared

    /// The context of this configuration for a role, prepared once.
    package func context(
        role: SslRole, transport: TlsTransport = .stream, pausesAtClientHello: Bool = false
    ) throws(SslSocketError) -> any TlsContext {
        try storage.context(role: role, transport: transport, pausesAtClientHello: pausesAtClientHello)
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

    /// Makes credentials.
    public init(chain: [SslCertificate], key: SslKey?) {
        self.chain = chain
        self.key = key
    }
}

/// Switches of a configuration (`QSsl::SslOptions`).
///
/// Qt's other switches have no counterpart, for what they protect from is always off: compression, legacy renegotiation and
/// renegotiation altogether.
public struct SslOptions: OptionSet, Sendable, Hashable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// No session tickets, neither made nor accepted.
    public static let disableSessionTickets = SslOptions(rawValue: 0x02)
    /// A client sends no server name.
    public static let disableServerNameIndication = SslOptions(rawValue: 0x08)
    /// The client's order of cipher suites counts on a server, not the server's own.
    public static let disableServerCipherPreference = SslOptions(rawValue: 0x80)
}

/// How a peer must prove who it is (`QSslSocket::PeerVerifyMode`).
public enum SslPeerVerifyMode: Sendable, Hashable {
    /// A server asks for no certificate; a client takes any. **Whoever stands in the middle can read everything.**
    case verifyNone
    /// A certificate is asked for and judged; what is wrong is reported and the connection goes on. **No protection from an active attacker.**
    case queryPeer
    /// A certificate is required, and each error must be ignored explicitly or the handshake is refused.
    case verifyPeer
    /// ``verifyPeer`` for a client, ``queryPeer`` for a server. The default.
    case autoVerifyPeer

    /// What the mode comes to for a role.
    package func effective(for role: SslRole) -> SslPeerVerifyMode {
        guard self == .autoVerifyPeer else { return self }
        return role == .client ? .verifyPeer : .queryPeer
    }
}
