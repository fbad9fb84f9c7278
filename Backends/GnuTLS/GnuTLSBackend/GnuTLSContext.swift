#if GnuTLS
internal import CSslGnuTLS
internal import SslBackend
internal import SslValues

/// What connections with the same settings share: priorities, credentials, ticket and cookie keys.
///
/// `@unchecked`: all of it is only read after the initializer; the library's objects are safe to read from several threads.
@safe
final class GnuTLSContext: TlsContext, @unchecked Sendable {
    let settings: TlsSettings
    /// The certificate chains of this end, in the order of the settings.
    let identities: [GnuTLSIdentity]
    private let priority: gnutls_priority_t
    private let credentials: gnutls_certificate_credentials_t
    private let initFlags: UInt32
    private let protocols: GnuTLSDatumList
    /// Where the keys of a server's tickets come from; nil without tickets.
    private let ticketKeys: (any TlsTicketKeySource)?
    /// Kept because the credentials refer to them.
    private let diffieHellman: GnuTLSDiffieHellman?
    private let preSharedKeys: GnuTLSPreSharedKeys?
    /// The key of the cookies of datagram servers.
    let cookieKey: SecretBytes
    /// The versions that can be negotiated.
    let versions: [SslVersion]

    var backend: any TlsBackend { GnuTLSBackend.shared }

    /// Prepares the settings; fails with the first that cannot be honoured.
    init(_ settings: TlsSettings) throws(SslSocketError) {
        try Self.refuseLacking(settings)
        var identities: [GnuTLSIdentity] = []
        for credentials in settings.credentials { identities.append(try GnuTLSIdentity(credentials)) }
        let translated = try GnuTLSPriority(settings)
        var ticketKeys = settings.tickets.keys
        if ticketKeys == nil, settings.role == .server, settings.tickets.isEnabled {
            ticketKeys = TlsFixedTicketKeys(try Self.randomKey(80))
        }
        let cookieKey = try Self.randomKey(Int(GNUTLS_COOKIE_KEY_SIZE))
        let protocols = try Self.protocols(settings.applicationProtocols)
        let diffieHellman =
            settings.role == .server ? try GnuTLSDiffieHellman(settings.diffieHellmanParameters, for: identities) : nil
        var preSharedKeys: GnuTLSPreSharedKeys?
        if let wanted = settings.preSharedKey { preSharedKeys = try GnuTLSPreSharedKeys(wanted, diffieHellman) }

        let priority = try unsafe translated.make()
        var made: gnutls_certificate_credentials_t?
        let native = unsafe gnutls_certificate_allocate_credentials(&made)
        guard native == 0, let credentials = unsafe made else {
            unsafe gnutls_priority_deinit(priority)
            throw .gnutls(.sslInternal, "No credentials object can be made", native)
        }
        unsafe self.priority = priority
        unsafe self.credentials = credentials
        self.settings = settings
        self.identities = identities
        self.ticketKeys = ticketKeys
        self.preSharedKeys = preSharedKeys
        self.cookieKey = cookieKey
        self.protocols = protocols
        self.diffieHellman = diffieHellman
        versions = translated.versions
        initFlags = Self.initFlags(settings)

        if !identities.isEmpty || settings.role == .client {
            unsafe gnutls_certificate_set_retrieve_function3(credentials, gnutlsRetrieveCredentials)
        }
        if let diffieHellman { unsafe diffieHellman.set(on: credentials) }
        if settings.role == .server && settings.clientCertificate != .none {
            try addAuthorityNames(settings.certificateAuthorities)
        }
        // What the library would refuse with each session, it refuses here: a long ALPN name, for example.
        var failure: Int32 = 0
        let trial = unsafe makeHandle(&failure, nil)
        if let trial = unsafe trial { unsafe gnutls_deinit(trial) }
        try gnutlsCheck(failure, .unsupportedSetting, "GnuTLS takes these settings apart but not together")
    }

    deinit {
        unsafe gnutls_certificate_free_credentials(credentials)
        unsafe gnutls_priority_deinit(priority)
    }

    func makeSession(_ parameters: TlsSessionParameters) throws(SslSocketError) -> any TlsSession {
        guard settings.transport == .stream else {
            throw .gnutls(.invalidUserData, "These settings are for datagrams; a stream session cannot be made from them")
        }
        return try GnuTLSSession(self, parameters)
    }

    func makeDatagramSession(_ parameters: TlsSessionParameters) throws(SslSocketError) -> any TlsDatagramSession {
        guard settings.transport == .datagram else {
            throw .gnutls(.invalidUserData, "These settings are for a stream; a datagram session cannot be made from them")
        }
        return try GnuTLSDatagramSession(self, parameters)
    }

    // MARK: Making the library's sessions

    /// Makes the library's session object with everything but the transport; nil when the library refuses.
    ///
    /// - Parameter hello: what a server's client said, by which the key of its ticket is found.
    func makeHandle(_ failure: inout Int32, _ hello: TlsClientHello?) -> gnutls_session_t? {
        var made: gnutls_session_t?
        failure = unsafe gnutls_init(&made, initFlags)
        guard failure == 0, let session = unsafe made else { return nil }
        failure = unsafe configure(session, hello)
        guard failure >= 0 else {
            unsafe gnutls_deinit(session)
            return nil
        }
        return unsafe session
    }

    private func configure(_ session: gnutls_session_t, _ hello: TlsClientHello?) -> Int32 {
        var native = unsafe gnutls_priority_set(session, priority)
        if native < 0 { return native }
        native = unsafe gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, UnsafeMutableRawPointer(credentials))
        if native < 0 { return native }
        if let preSharedKeys {
            native = unsafe preSharedKeys.attach(to: session)
            if native < 0 { return native }
        }
        if settings.role == .server {
            switch settings.clientCertificate {
            case .none: break
            case .request, .demand: unsafe gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUEST)
            case .require: unsafe gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUIRE)
            }
        }
        native = unsafe GnuTLSTickets.set(settings, settings.tickets.isEnabled ? ticketKeys?.keys : nil, hello, on: session)
        if native < 0 { return native }
        guard protocols.count > 0 else { return 0 }
        let flags = settings.role == .server ? GNUTLS_ALPN_SERVER_PRECEDENCE.rawValue : 0
        return unsafe gnutls_alpn_set_protocols(session, protocols.start, UInt32(protocols.count), flags)
    }

    private static func initFlags(_ settings: TlsSettings) -> UInt32 {
        var flags = sslgnutls_common()
        flags |= settings.role == .server ? sslgnutls_server() : sslgnutls_client()
        if settings.transport == .datagram { flags |= sslgnutls_datagram() }
        if !settings.tickets.isEnabled { flags |= sslgnutls_no_tickets() }
        // At either end: the library then keeps the handshake's transcript, about 2 KiB a connection.
        if settings.allowsPostHandshakeAuthentication { flags |= sslgnutls_post_handshake_auth() }
        return flags
    }

    // MARK: Reading the settings

    private static func refuseLacking(_ settings: TlsSettings) throws(SslSocketError) {
        let asked: [(SslFeature, Bool)] = [
            (.earlyData, settings.maximumEarlyData > 0)
        ]
        for (feature, isAsked) in asked where isAsked {
            throw .lacking(feature, backend: gnutlsName, reason: GnuTLSCapabilities.lacks[feature] ?? "")
        }
        for cipher in settings.cipherSuites where cipher.needsPreSharedKey && settings.preSharedKey == nil {
            throw .setting("cipherSuites", backend: gnutlsName, reason: "\(cipher.name) needs a pre-shared key")
        }
        for name in settings.backendOptions.keys.sorted() where name != GnuTLSPriority.option {
            throw .setting("backendOptions[\(name)]", backend: gnutlsName, reason: "there is no such option")
        }
        if settings.pausesAtClientHello && settings.transport == .datagram {
            throw .setting("pausesAtClientHello", backend: gnutlsName, reason: "a datagram server cannot pause there")
        }
        if settings.role == .server, settings.tickets.isEnabled, settings.tickets.keys?.isInterchangeable == true {
            throw .lacking(
                .interchangeableTickets, backend: gnutlsName, reason: GnuTLSCapabilities.lacks[.interchangeableTickets] ?? "")
        }
        guard (0...16).contains(settings.tickets.count) else {
            throw .setting("tickets.count", backend: gnutlsName, reason: "0 to 16 tickets can be sent")
        }
        guard settings.transport == .stream || (256...65_535).contains(settings.datagram.mtu) else {
            throw .setting("datagram.mtu", backend: gnutlsName, reason: "256 to 65535 octets are possible")
        }
    }

    private static func protocols(_ names: [[UInt8]]) throws(SslSocketError) -> GnuTLSDatumList {
        for name in names where !(1...255).contains(name.count) {
            throw .gnutls(.invalidUserData, "An ALPN protocol must have 1 to 255 octets (RFC 7301 section 3.1)")
        }
        guard names.count <= 8 else {
            throw .setting("applicationProtocols", backend: gnutlsName, reason: "GnuTLS takes at most 8")
        }
        return GnuTLSDatumList(names)
    }

    private static func randomKey(_ count: Int) throws(SslSocketError) -> SecretBytes {
        var out = [UInt8](repeating: 0, count: count)
        defer { out.wipe() }
        try gnutlsCheck(unsafe gnutls_rnd(GNUTLS_RND_KEY, &out, count), .sslInternal, "No random octets can be had")
        return SecretBytes(out)
    }

    /// The library names the subjects of the certificates its credentials trust, and takes no names by themselves. Nothing is
    /// ever verified against the credentials' own trust here, so a carrier certificate for each name does no harm.
    private func addAuthorityNames(_ names: [[UInt8]]) throws(SslSocketError) {
        for name in names {
            let carrier = try GnuTLSCertificate(der: Self.carrier(of: name))
            var handle: gnutls_x509_crt_t? = unsafe carrier.handle
            try gnutlsCheck(
                unsafe gnutls_certificate_set_x509_trust(credentials, &handle, 1), .invalidUserData,
                "A name of a certificate authority cannot be set")
        }
    }

    /// A certificate that says nothing but a subject: for lists of names that the library only takes as certificates.
    private static func carrier(of name: [UInt8]) -> [UInt8] {
        let algorithm = DerWriter.element(DerTag.sequence, DerWriter.element(DerTag.objectIdentifier, [0x2B, 0x65, 0x70]))
        let time = DerWriter.element(DerTag.utcTime, Array("700101000000Z".utf8))
        let key = DerWriter.element(DerTag.bitString, [UInt8](repeating: 0, count: 33))
        let signed = DerWriter.element(
            DerTag.sequence,
            DerWriter.element(0xA0, DerWriter.element(DerTag.integer, [2])) + DerWriter.element(DerTag.integer, [1]) + algorithm
                + name + DerWriter.element(DerTag.sequence, time + time) + name
                + DerWriter.element(DerTag.sequence, algorithm + key))
        let signature = DerWriter.element(DerTag.bitString, [UInt8](repeating: 0, count: 65))
        return DerWriter.element(DerTag.sequence, signed + algorithm + signature)
    }
}

/// One certificate chain with its key, in the library's form.
@safe
final class GnuTLSIdentity {
    /// The private key of the leaf.
    let key: GnuTLSKey
    /// The chain, leaf first; shared with every session, which only reads it.
    let certificates: UnsafeMutableBufferPointer<gnutls_pcert_st>
    /// The leaf, DER.
    let leaf: [UInt8]
    /// The issuers of the chain's certificates, DER.
    let issuers: [[UInt8]]

    /// Reads a chain and checks that the key belongs to its leaf.
    init(_ credentials: TlsCredentials) throws(SslSocketError) {
        guard let key = credentials.key as? GnuTLSKey else {
            throw .gnutls(.invalidUserData, "The private key was made by the backend \(credentials.key.backend.name)")
        }
        guard !credentials.chain.isEmpty else { throw .gnutls(.invalidUserData, "The certificate chain is empty") }
        var issuers: [[UInt8]] = []
        for der in credentials.chain { issuers.append(try GnuTLSCertificate(der: der).issuerDer) }
        let memory = UnsafeMutableBufferPointer<gnutls_pcert_st>.allocate(capacity: credentials.chain.count)
        unsafe memory.initialize(repeating: gnutls_pcert_st())
        self.key = key
        leaf = credentials.chain.first ?? []
        self.issuers = issuers
        unsafe certificates = unsafe memory
        for (index, der) in credentials.chain.enumerated() {
            let native = unsafe der.withUnsafeBytes { octets in
                var datum = unsafe gnutls_datum_t(borrowing: octets)
                return unsafe gnutls_pcert_import_x509_raw(&memory[index], &datum, GNUTLS_X509_FMT_DER, 0)
            }
            try gnutlsCheck(native, .invalidUserData, "A certificate of the chain cannot be used")
        }
        guard let leaf = unsafe memory[0].pubkey, unsafe GnuTLSKey.publicKeyInfo(exporting: leaf) == key.publicKeyInfo else {
            throw .gnutls(.keyMismatch, "The private key does not belong to the first certificate of the chain")
        }
    }

    deinit {
        for index in unsafe certificates.indices where unsafe certificates[index].pubkey != nil {
            unsafe gnutls_pcert_deinit(&certificates[index])
        }
        unsafe certificates.deallocate()
    }
}

/// Octet strings in the form the library takes lists of them, copied once.
@safe
final class GnuTLSDatumList {
    private let list: UnsafeMutableBufferPointer<gnutls_datum_t>

    /// The first; the library only reads them.
    var start: UnsafePointer<gnutls_datum_t>? { unsafe UnsafePointer(list.baseAddress) }
    /// How many.
    var count: Int { unsafe list.count }

    /// Copies `strings`.
    init(_ strings: [[UInt8]]) {
        unsafe list = UnsafeMutableBufferPointer.allocate(capacity: strings.count)
        unsafe list.initialize(repeating: gnutls_datum_t())
        for (index, string) in strings.enumerated() {
            let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: string.count)
            _ = unsafe copy.initialize(from: string)
            unsafe list[index] = unsafe gnutls_datum_t(data: copy.baseAddress, size: UInt32(string.count))
        }
    }

    deinit {
        for index in unsafe list.indices { unsafe list[index].data.deallocate() }
        unsafe list.deallocate()
    }
}
#endif
