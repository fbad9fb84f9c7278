internal import SslBackend
public import SslValues

// What is agreed with the peer: cipher suites, groups, signatures, application protocols.
extension SslConfiguration {
    // MARK: Cipher suites

    /// The cipher suites, best first (`ciphers`); empty, the default, for ``SslCipher/defaults``.
    ///
    /// A list that names suites of TLS 1.2 only, or of TLS 1.3 only, restricts the connection to that version. In Qt the other version keeps
    /// the library's own suites.
    /// Suites that need a pre-shared key count only while there may be one: see ``preSharedKeys``.
    public var ciphers: [SslCipher] {
        get { values.ciphers }
        set { change { $0.ciphers = newValue } }
    }

    /// Sets the cipher suites by their names, separated by colons, commas or blanks (`setCiphers`). Names of IANA and OpenSSL are understood, see
    /// ``SslCipher/init(name:)``; OpenSSL's keywords and operators (`HIGH`, `!MD5`) are not, for what they mean changes with the library.
    ///
    /// - Throws: ``SslSocketError/Code/invalidUserData`` for a name that is none; nothing is changed then. Qt drops such names silently.
    public mutating func setCiphers(_ names: String) throws(SslSocketError) {
        var list: [SslCipher] = []
        for name in names.split(whereSeparator: { $0 == ":" || $0 == "," || $0 == " " }) {
            guard let cipher = SslCipher(name: String(name)) else {
                throw SslSocketError(
                    .invalidUserData,
                    "\"\(name)\" is not the name of a cipher suite that is known here, in IANA's spelling or the short one")
            }
            if !list.contains(cipher) { list.append(cipher) }
        }
        change { $0.ciphers = list }
    }

    /// Every cipher suite a backend can be asked for, in its own order (`supportedCiphers`).
    ///
    /// - Parameter backend: the name of a backend; nil for the active one.
    /// - Throws: ``SslSocketError/Code/noBackend``.
    public static func supportedCiphers(backend: String? = nil) throws(SslSocketError) -> [SslCipher] {
        try SslBackends.resolve(backend).capabilities.cipherSuites
    }

    // MARK: Keys and signatures

    /// The key agreement groups, best first (`ellipticCurves`); empty, the default, for ``SslGroup/defaults``. One that the backend does not have
    /// is refused.
    public var groups: [SslGroup] {
        get { values.groups }
        set { change { $0.groups = newValue } }
    }

    /// The elliptic curves a backend can be asked for (`supportedEllipticCurves`): those of TLS, where Qt lists all the library knows.
    ///
    /// - Parameter backend: the name of a backend; nil for the active one.
    /// - Throws: ``SslSocketError/Code/noBackend``.
    public static func supportedEllipticCurves(backend: String? = nil) throws(SslSocketError) -> [SslEllipticCurve] {
        try SslBackends.resolve(backend).capabilities.groups.filter(\.isTlsNamedCurve)
    }

    /// The Diffie-Hellman parameters of a server's DHE suites in TLS 1.2 (`diffieHellmanParameters`); nil, the default, for the backend's choice,
    /// 2048 bits or more. Clients do not look at it. No DHE suite is among ``SslCipher/defaults``: name one in ``ciphers``.
    public var diffieHellmanParameters: SslDiffieHellmanParameters? {
        get { values.diffieHellmanParameters }
        set { change { $0.diffieHellmanParameters = newValue } }
    }

    /// The signature schemes, best first; empty, the default, for the backend's own at security level 2. Beyond Qt.
    public var signatureSchemes: [SslSignatureScheme] {
        get { values.signatureSchemes }
        set { change { $0.signatureSchemes = newValue } }
    }

    // MARK: Application protocols

    /// The ALPN name of HTTP/2 over TLS (`ALPNProtocolHTTP2`).
    public static let alpnProtocolHttp2 = "h2"
    /// The ALPN name of HTTP/1.1 (`NextProtocolHttp1_1`).
    public static let nextProtocolHttp1_1 = "http/1.1"

    /// The ALPN protocols, best first (`allowedNextProtocols`), for example `["h2", "http/1.1"]`. Default: none are offered. A name without octets or
    /// of more than 255 is refused when it is used; Qt skips it.
    public var allowedNextProtocols: [String] {
        get { values.allowedNextProtocols }
        set { change { $0.allowedNextProtocols = newValue } }
    }

    /// What happens when no ALPN protocol is agreed on. Default: ``SslNextProtocolPolicy/optional``. Qt has no such thing.
    public var nextProtocolPolicy: SslNextProtocolPolicy {
        get { values.nextProtocolPolicy }
        set { change { $0.nextProtocolPolicy = newValue } }
    }

    // MARK: Switches

    /// Switches (`sslOptions`). Default: ``SslOptions/default``.
    public var options: SslOptions {
        get { values.options }
        set { change { $0.options = newValue } }
    }

    /// Turns a switch on or off (`setSslOption`).
    public mutating func setSslOption(_ option: SslOptions, _ isOn: Bool) {
        if isOn { options.formUnion(option) } else { options.subtract(option) }
    }

    /// True when a switch is on (`testSslOption`).
    public func testSslOption(_ option: SslOptions) -> Bool { options.isSuperset(of: option) }

    // MARK: The library's own words

    /// Options in the library's own words (`backendConfiguration`, `setBackendConfiguration`). Default: none.
    ///
    /// - GnuTLS takes `priority`, a part of a priority string (`gnutls_priority_init`) that is appended to the one made from the other settings.
    /// - OpenSSL takes commands of its configuration language (`SSL_CONF_cmd`), for example `SignatureAlgorithms`, `MinProtocol`,
    ///   `CipherString`; they override the other settings.
    ///
    /// An option or a value the backend does not take fails when the configuration is used, with ``SslSocketError/Code/unsupportedSetting`` and the
    /// name of the option.
    public var backendConfiguration: [String: String] {
        get { values.backendConfiguration }
        set { change { $0.backendConfiguration = newValue } }
    }

    /// Sets one option in the library's own words (`setBackendConfigurationOption`).
    public mutating func setBackendConfigurationOption(_ name: String, _ value: String) { backendConfiguration[name] = value }
}

/// What happens to a connection without an ALPN protocol (RFC 7301 section 3.2).
public enum SslNextProtocolPolicy: Sendable, Hashable, CaseIterable {
    /// It goes on without one, as in Qt: ``SslSocket/nextProtocolNegotiationStatus`` tells.
    case optional
    /// It is refused with the alert `no_application_protocol` and ``SslSocketError/Code/noApplicationProtocol``, also when the peer does not speak of
    /// protocols at all. A client of OpenSSL that resumes a session has no way to send the alert then, and only ends the connection.
    case required
}
