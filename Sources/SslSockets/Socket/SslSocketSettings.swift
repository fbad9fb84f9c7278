internal import SslBackend
public import SslValues

// The members of QSslSocket that are settings. All of them are kept in `sslConfiguration`, and count for the next handshake.
extension SslSocket {
    // MARK: Versions and verification

    /// The range of versions to negotiate (`protocol`, `setProtocol`); see ``SslConfiguration/protocol``. What was negotiated is
    /// ``sessionProtocol``.
    public var `protocol`: SslProtocol {
        get { sslConfiguration.protocol }
        set { sslConfiguration.protocol = newValue }
    }

    /// Whether and how the peer must prove who it is (`peerVerifyMode`); see ``SslConfiguration/peerVerifyMode``.
    public var peerVerifyMode: SslPeerVerifyMode {
        get { sslConfiguration.peerVerifyMode }
        set { sslConfiguration.peerVerifyMode = newValue }
    }

    /// How many certificates above the leaf a chain may have (`peerVerifyDepth`), 0 for no limit; see ``SslConfiguration/peerVerifyDepth``.
    public var peerVerifyDepth: Int {
        get { sslConfiguration.peerVerifyDepth }
        set { sslConfiguration.peerVerifyDepth = newValue }
    }

    // MARK: Credentials

    /// This end's certificate (`localCertificate`): the first of ``localCertificateChain``. Setting it replaces the whole chain.
    public var localCertificate: SslCertificate? {
        get { sslConfiguration.localCertificate }
        set { sslConfiguration.localCertificate = newValue }
    }

    /// The chain shown to the peer, leaf first (`localCertificateChain`).
    public var localCertificateChain: [SslCertificate] {
        get { sslConfiguration.localCertificateChain }
        set { sslConfiguration.localCertificateChain = newValue }
    }

    /// Takes the first certificate of a file as this end's, and replaces the whole chain by it (`setLocalCertificate(fileName, format)`).
    ///
    /// - Throws: ``SslSocketError/Code/unreadableFile``, ``SslSocketError/Code/invalidUserData``; nothing is changed then. Qt says nothing.
    public func setLocalCertificate(fromFile path: String, format: SslEncodingFormat = .pem) throws(SslSocketError) {
        let list = try SslCertificate.certificates(fromFile: path, format: format, backend: sslConfiguration.backend)
        localCertificate = list.first
    }

    /// The private key of ``localCertificate`` (`privateKey`).
    public var privateKey: SslKey? {
        get { sslConfiguration.privateKey }
        set { sslConfiguration.privateKey = newValue }
    }

    /// Takes the private key of a file (`setPrivateKey(fileName, algorithm, format, passPhrase)`). The kind of key is found out, not asked for.
    ///
    /// - Throws: ``SslSocketError/Code/unreadableFile``, ``SslSocketError/Code/wrongPassphrase``, ``SslSocketError/Code/invalidUserData``;
    ///   nothing is changed then. Qt logs a warning.
    public func setPrivateKey(
        fromFile path: String, format: SslEncodingFormat = .pem, passphrase: String? = nil
    ) throws(SslSocketError) {
        privateKey = try SslKey(fromFile: path, format: format, passphrase: passphrase, backend: sslConfiguration.backend)
    }

    // MARK: CA certificates and ciphers

    /// CA certificates trusted besides the system's (`caCertificates`); see ``SslConfiguration/caCertificates``.
    public var caCertificates: [SslCertificate] {
        get { sslConfiguration.caCertificates }
        set { sslConfiguration.caCertificates = newValue }
    }

    /// Trusts these certificates and no others (`setCaCertificates`).
    public func setCaCertificates(_ certificates: [SslCertificate]) { sslConfiguration.setCaCertificates(certificates) }

    /// Trusts one more CA certificate (`addCaCertificate`).
    public func addCaCertificate(_ certificate: SslCertificate) { sslConfiguration.addCaCertificate(certificate) }

    /// Trusts more CA certificates (`addCaCertificates`).
    public func addCaCertificates(_ certificates: [SslCertificate]) { sslConfiguration.addCaCertificates(certificates) }

    /// Trusts every certificate of a file, or of every file that matches a pattern (`addCaCertificates(path, format, syntax)`).
    ///
    /// - Returns: false when nothing was found.
    /// - Throws: as ``SslCertificate/fromPath(_:format:syntax:backend:)``.
    @discardableResult
    public func addCaCertificates(
        fromPath path: String, format: SslEncodingFormat = .pem, syntax: SslPatternSyntax = .fixedString
    ) throws(SslSocketError) -> Bool {
        try sslConfiguration.addCaCertificates(fromPath: path, format: format, syntax: syntax)
    }

    /// The cipher suites, best first (`ciphers`); empty for ``SslCipher/defaults``. What was negotiated is ``sessionCipher``.
    public var ciphers: [SslCipher] {
        get { sslConfiguration.ciphers }
        set { sslConfiguration.ciphers = newValue }
    }

    /// Sets the cipher suites by their names (`setCiphers`); see ``SslConfiguration/setCiphers(_:)``.
    public func setCiphers(_ names: String) throws(SslSocketError) { try sslConfiguration.setCiphers(names) }

    // MARK: Facts

    /// The public key the server made for this connection alone (`ephemeralServerKey`).
    ///
    /// nil on a server, while not encrypted, and when the keys were agreed without one: by RSA, by a pre-shared key alone, or by resuming in TLS 1.2.
    public var ephemeralServerKey: SslEphemeralKey? {
        guard isEncrypted, mode == .sslClient, let facts = connection?.facts else { return nil }
        if let bits = facts.diffieHellmanBits { return SslEphemeralKey(diffieHellmanBits: bits) }
        return facts.group.map { SslEphemeralKey(group: $0) }
    }
}

// MARK: - Defaults

// Members of QSslSocket up to Qt 5. They work on `SslConfiguration.default`, which new sockets start with.
extension SslSocket {
    /// The CA certificates new sockets trust besides the system's (`defaultCaCertificates`).
    public static var defaultCaCertificates: [SslCertificate] { SslConfiguration.default.caCertificates }

    /// Makes new sockets trust these certificates and no others (`setDefaultCaCertificates`).
    public static func setDefaultCaCertificates(_ certificates: [SslCertificate]) {
        SslConfiguration.changeDefault { $0.setCaCertificates(certificates) }
    }

    /// Makes new sockets trust one more CA certificate (`addDefaultCaCertificate`).
    public static func addDefaultCaCertificate(_ certificate: SslCertificate) { addDefaultCaCertificates([certificate]) }

    /// Makes new sockets trust more CA certificates (`addDefaultCaCertificates`).
    public static func addDefaultCaCertificates(_ certificates: [SslCertificate]) {
        SslConfiguration.changeDefault { $0.addCaCertificates(certificates) }
    }

    /// Makes new sockets trust every certificate of a file, or of every file that matches a pattern
    /// (`addDefaultCaCertificates(path, format, syntax)`).
    ///
    /// - Returns: false when nothing was found.
    /// - Throws: as ``SslCertificate/fromPath(_:format:syntax:backend:)``.
    @discardableResult
    public static func addDefaultCaCertificates(
        fromPath path: String, format: SslEncodingFormat = .pem, syntax: SslPatternSyntax = .fixedString
    ) throws(SslSocketError) -> Bool {
        let backend = SslConfiguration.default.backend
        let list = try SslCertificate.fromPath(path, format: format, syntax: syntax, backend: backend)
        addDefaultCaCertificates(list)
        return !list.isEmpty
    }

    /// The cipher suites new sockets offer (`defaultCiphers`).
    public static var defaultCiphers: [SslCipher] {
        let list = SslConfiguration.default.ciphers
        return list.isEmpty ? SslCipher.defaults : list
    }

    /// Makes new sockets offer these cipher suites (`setDefaultCiphers`); empty for ``SslCipher/defaults``.
    public static func setDefaultCiphers(_ ciphers: [SslCipher]) { SslConfiguration.changeDefault { $0.ciphers = ciphers } }

    /// Every cipher suite the default configuration's backend can be asked for (`supportedCiphers`); empty without a backend.
    public static var supportedCiphers: [SslCipher] {
        (try? SslConfiguration.supportedCiphers(backend: SslConfiguration.default.backend)) ?? []
    }

    /// The certificates of the system's trust store (`systemCaCertificates`); empty when there is none, which
    /// ``SslConfiguration/systemCaCertificates(backend:)`` explains.
    public static var systemCaCertificates: [SslCertificate] {
        (try? SslConfiguration.systemCaCertificates(backend: SslConfiguration.default.backend)) ?? []
    }

    /// The elliptic curves the default configuration's backend can be asked for (`supportedEllipticCurves`); empty without a backend.
    public static var supportedEllipticCurves: [SslEllipticCurve] {
        (try? SslConfiguration.supportedEllipticCurves(backend: SslConfiguration.default.backend)) ?? []
    }
}
