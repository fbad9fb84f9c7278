#if OpenSSL
internal import CSslOpenSSL
internal import SslBackend
internal import SslValues

/// An `SSL_CTX`, with everything in it set explicitly.
@safe
final class OpenSSLContext: TlsContext {
    /// 112 bits: no RSA key under 2048 bits, no SHA-1.
    static let securityLevel: Int32 = 2

    let settings: TlsSettings
    var backend: any TlsBackend { OpenSSLBackend.shared }
    // Never changed once made, and OpenSSL counts its references atomically.
    nonisolated(unsafe) let handle: OpaquePointer
    /// The ALPN protocols in the form of the wire (RFC 7301 section 3.1).
    let protocolList: [UInt8]
    /// For the cookies of datagram clients.
    let cookieKey: SecretBytes
    /// Where the keys of a server's tickets come from.
    let ticketKeys: any TlsTicketKeySource

    init(_ settings: TlsSettings) throws(SslSocketError) {
        self.settings = settings
        try Self.refuseWhatIsLacking(settings)
        protocolList = try Self.protocolList(settings.applicationProtocols)
        cookieKey = try Self.randomKey(32)
        if let shared = settings.tickets.keys {
            ticketKeys = shared
        } else {
            ticketKeys = TlsFixedTicketKeys(try Self.randomKey(80))
        }
        ERR_clear_error()
        let method = unsafe settings.transport == .datagram ? DTLS_method() : TLS_method()
        guard let made = unsafe SSL_CTX_new(method) else { throw .openssl(.sslInternal, "No TLS context could be made") }
        unsafe handle = unsafe made
        try setProtocol()
        if let keys = settings.preSharedKey { try unsafe OpenSSLPreSharedKeys.allow(handle, keys, role: settings.role) }
        if settings.staplesStatus { unsafe OpenSSLStapling.allow(handle, role: settings.role) }
        try setCredentials()
        setVerification()
        try unsafe OpenSSLTickets.set(settings, on: handle)
        try setNames()
        try unsafe OpenSSLCommands.apply(settings.backendOptions, to: handle, role: settings.role)
    }

    deinit { unsafe SSL_CTX_free(handle) }

    func makeSession(_ parameters: TlsSessionParameters) throws(SslSocketError) -> any TlsSession {
        guard settings.transport == .stream else { throw Self.wrongTransport }
        return try OpenSSLSession(context: self, parameters: parameters)
    }

    func makeDatagramSession(_ parameters: TlsSessionParameters) throws(SslSocketError) -> any TlsDatagramSession {
        guard settings.transport == .datagram else { throw Self.wrongTransport }
        return try OpenSSLDatagramSession(context: self, parameters: parameters)
    }

    private static var wrongTransport: SslSocketError {
        SslSocketError(
            .operation, "The context was made for the other kind of transport", backend: OpenSSLBackend.backendName)
    }

    // MARK: What cannot be honoured

    private static func refuseWhatIsLacking(_ settings: TlsSettings) throws(SslSocketError) {
        func lacks(_ feature: SslFeature) -> SslSocketError {
            .lacking(
                feature, backend: OpenSSLBackend.backendName, reason: OpenSSLCapabilities.lacks[feature] ?? "it is missing")
        }
        for cipher in settings.cipherSuites where cipher.needsPreSharedKey && settings.preSharedKey == nil {
            throw OpenSSLOptions.refusal("cipherSuites", "\(cipher.name) needs a pre-shared key")
        }
        if settings.maximumEarlyData > 0 { throw lacks(.earlyData) }
        if settings.pausesAtClientHello && settings.transport == .datagram {
            throw OpenSSLOptions.refusal("pausesAtClientHello", "a datagram server does not pause at the ClientHello")
        }
        if settings.transport == .datagram && !(256...65_535).contains(settings.datagram.mtu) {
            throw OpenSSLOptions.refusal("datagram.mtu", "\(settings.datagram.mtu) is not between 256 and 65535 octets")
        }
        if settings.role == .server && settings.credentials.isEmpty && settings.preSharedKey == nil {
            throw SslSocketError(
                .invalidUserData, "A server needs a certificate and its key", backend: OpenSSLBackend.backendName)
        }
    }

    // MARK: Protocol

    private func setProtocol() throws(SslSocketError) {
        var flags = 0
        if settings.serverCipherPreference { flags |= sslopenssl_server_preference }
        if !settings.tickets.isEnabled { flags |= sslopenssl_no_tickets }
        if settings.transport == .datagram { flags |= sslopenssl_datagram }
        unsafe sslopenssl_set_options(handle, Int32(flags))
        // No certificate that was not asked for is added to our chain; and a post-handshake message does not end a read.
        unsafe sslopenssl_set_mode(handle, Int(SSL_MODE_NO_AUTO_CHAIN | SSL_MODE_AUTO_RETRY))
        // One call of the BIO brings a record's header and body, and often the next ones.
        unsafe sslopenssl_set_read_ahead(handle, settings.transport == .stream ? 1 : 0)
        unsafe SSL_CTX_set_quiet_shutdown(handle, 0)
        unsafe SSL_CTX_set_security_level(handle, Self.securityLevel)

        let versions = try OpenSSLOptions.versions(settings)
        let low = Int32(versions.lowerBound.rawValue)
        let high = Int32(versions.upperBound.rawValue)
        guard unsafe sslopenssl_set_versions(handle, low, high) == 1 else {
            throw OpenSSLOptions.refusal("versions", OpenSSLError.take().text)
        }
        let ciphers = try OpenSSLOptions.cipherLists(settings)
        guard unsafe SSL_CTX_set_ciphersuites(handle, ciphers.tls13) == 1,
            // An empty list is an error to OpenSSL; without suites of TLS 1.2 the versions already rule it out.
            unsafe ciphers.tls12.isEmpty || SSL_CTX_set_cipher_list(handle, ciphers.tls12) == 1
        else { throw OpenSSLOptions.refusal("cipherSuites", OpenSSLError.take().text) }
        let groups = try OpenSSLOptions.groupList(settings)
        guard unsafe sslopenssl_set_groups(handle, groups) == 1 else {
            throw OpenSSLOptions.refusal("groups", OpenSSLError.take().text)
        }
        let schemes = try OpenSSLOptions.signatureSchemeList(settings)
        guard unsafe sslopenssl_set_signature_schemes(handle, schemes) == 1 else {
            throw OpenSSLOptions.refusal("signatureSchemes", OpenSSLError.take().text)
        }
        try unsafe OpenSSLDiffieHellman.set(settings.diffieHellmanParameters, on: handle)
        if settings.transport == .stream {
            guard unsafe SSL_CTX_ctrl(handle, SSL_CTRL_SET_MAX_SEND_FRAGMENT, settings.maximumRecordSize, nil) == 1 else {
                throw OpenSSLOptions.refusal("maximumRecordSize", OpenSSLError.take().text)
            }
            guard unsafe SSL_CTX_set_block_padding(handle, settings.recordPadding) == 1 else {
                throw OpenSSLOptions.refusal("recordPadding", OpenSSLError.take().text)
            }
        }
        unsafe SSL_CTX_set_max_early_data(handle, 0)
        unsafe SSL_CTX_set_recv_max_early_data(handle, 0)
        unsafe SSL_CTX_set_post_handshake_auth(handle, settings.allowsPostHandshakeAuthentication ? 1 : 0)
    }

    // MARK: Credentials

    private func setCredentials() throws(SslSocketError) {
        var kinds: Set<SslKeyAlgorithm> = []
        for credentials in settings.credentials {
            guard let key = credentials.key as? OpenSSLKey else {
                throw SslSocketError(
                    .invalidUserData, "A private key was made by the backend \(credentials.key.backend.name)",
                    backend: OpenSSLBackend.backendName)
            }
            guard kinds.insert(key.algorithm).inserted else {
                throw OpenSSLOptions.refusal(
                    "credentials", "OpenSSL has room for one chain per kind of key, here two are \(key.algorithm)")
            }
            if settings.transport == .datagram, settings.role == .server, key.algorithm == .ed25519 || key.algorithm == .ed448 {
                throw OpenSSLOptions.refusal(
                    "credentials", "OpenSSL's DTLS 1.2 offers no suite to a server with an EdDSA key")
            }
            let chain = try OpenSSLCertificate.parse(credentials.chain)
            guard let leaf = chain.first else {
                throw SslSocketError(
                    .invalidUserData, "Credentials without a certificate", backend: OpenSSLBackend.backendName)
            }
            guard unsafe X509_check_private_key(leaf.handle, key.handle) == 1 else {
                throw .openssl(.keyMismatch, "The private key does not belong to the certificate")
            }
            let others = try unsafe OpenSSLCertificate.list(chain.dropFirst())
            defer { unsafe sslopenssl_certificates_free(others) }
            guard unsafe SSL_CTX_use_cert_and_key(handle, leaf.handle, key.handle, others, 1) == 1 else {
                throw .openssl(.invalidUserData, "The certificate cannot be used at security level \(Self.securityLevel)")
            }
        }
    }

    private func setVerification() {
        unsafe sslopenssl_set_verify(handle, OpenSSLTransport.ask)
        let mode =
            switch (settings.role, settings.clientCertificate) {
            case (.client, _), (.server, .request), (.server, .demand): SSL_VERIFY_PEER
            case (.server, .require): SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
            case (.server, .none): SSL_VERIFY_NONE
            }
        unsafe SSL_CTX_set_verify(handle, mode, nil)
        unsafe SSL_CTX_set_info_callback(handle, OpenSSLTransport.onInfo)
        unsafe sslopenssl_listen(handle, OpenSSLTransport.onMessage)
        if settings.logsKeys { unsafe SSL_CTX_set_keylog_callback(handle, OpenSSLTransport.onKeyLog) }
        if settings.transport == .datagram {
            unsafe SSL_CTX_set_cookie_generate_cb(handle, OpenSSLTransport.makeCookie)
            unsafe SSL_CTX_set_cookie_verify_cb(handle, OpenSSLTransport.checkCookie)
        }
    }

    // MARK: Names

    private func setNames() throws(SslSocketError) {
        let authorities = try unsafe Self.names(settings.certificateAuthorities)
        unsafe sslopenssl_set_authorities(handle, authorities)
        guard !protocolList.isEmpty else { return }
        if settings.role == .client {
            // 0 is success here, unlike everywhere else.
            guard unsafe SSL_CTX_set_alpn_protos(handle, protocolList, UInt32(protocolList.count)) == 0 else {
                throw .openssl(.invalidUserData, "The ALPN protocols cannot be sent")
            }
        } else {
            unsafe SSL_CTX_set_alpn_select_cb(handle, Self.selectProtocol, nil)
        }
    }

    private static func names(_ encoded: [[UInt8]]) throws(SslSocketError) -> OpaquePointer? {
        let list = unsafe sslopenssl_names_new()
        for octets in encoded {
            let name = unsafe octets.withUnsafeBufferPointer { buffer in
                var cursor = buffer.baseAddress
                let name = unsafe d2i_X509_NAME(nil, &cursor, buffer.count)
                if unsafe name != nil && cursor != buffer.baseAddress.map({ unsafe $0 + buffer.count }) {
                    unsafe X509_NAME_free(name)
                    return unsafe OpaquePointer?.none
                }
                return unsafe name
            }
            guard let name = unsafe name, unsafe sslopenssl_names_push(list, name) == 1 else {
                unsafe sslopenssl_names_free(list)
                throw .openssl(.invalidUserData, "A name of a certification authority is malformed")
            }
        }
        return unsafe list
    }

    private static func protocolList(_ protocols: [[UInt8]]) throws(SslSocketError) -> [UInt8] {
        var list: [UInt8] = []
        for name in protocols {
            guard (1...255).contains(name.count) else {
                throw OpenSSLOptions.refusal(
                    "applicationProtocols", "a protocol has 1 to 255 octets, one here has \(name.count)")
            }
            list.append(UInt8(name.count))
            list += name
        }
        guard list.count <= 65_535 else { throw OpenSSLOptions.refusal("applicationProtocols", "the list is too long") }
        return list
    }

    /// Picks the first of our protocols that the client has; without one the handshake goes on and none is negotiated.
    private static let selectProtocol:
        @convention(c) (
            OpaquePointer?, UnsafeMutablePointer<UnsafePointer<UInt8>?>?, UnsafeMutablePointer<UInt8>?, UnsafePointer<UInt8>?,
            UInt32,
            UnsafeMutableRawPointer?
        ) -> Int32 = { ssl, chosen, chosenLength, offered, offeredLength, _ in
            guard let transport = unsafe OpenSSLTransport.of(ssl), let offered = unsafe offered else {
                return SSL_TLSEXT_ERR_NOACK
            }
            let offer = unsafe UnsafeBufferPointer(start: offered, count: Int(offeredLength))
            for wanted in transport.context.settings.applicationProtocols {
                var at = 0
                while at < offer.count {
                    let length = unsafe Int(offer[at])
                    let name = unsafe offer[(at + 1)..<min(at + 1 + length, offer.count)]
                    if unsafe name.elementsEqual(wanted) {
                        // The answer points into the client's own message, which lives long enough.
                        unsafe chosen?.pointee = unsafe offered + at + 1
                        unsafe chosenLength?.pointee = UInt8(length)
                        return SSL_TLSEXT_ERR_OK
                    }
                    at += 1 + length
                }
            }
            return SSL_TLSEXT_ERR_NOACK
        }

    // MARK: Secrets

    private static func randomKey(_ count: Int) throws(SslSocketError) -> SecretBytes {
        var octets = [UInt8](repeating: 0, count: count)
        defer { unsafe OPENSSL_cleanse(&octets, octets.count) }
        guard unsafe RAND_bytes(&octets, Int32(count)) == 1 else { throw .openssl(.sslInternal, "No random octets could be had") }
        return SecretBytes(octets)
    }

    /// HMAC-SHA-256; empty when the library fails.
    static func hmac(_ key: UnsafeRawBufferPointer, _ text: [UInt8]) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
            var length: UInt32 = 0
            let done = unsafe HMAC(
                EVP_sha256(), key.baseAddress, Int32(key.count), text, text.count, buffer.baseAddress, &length)
            count = unsafe done == nil ? 0 : Int(length)
        }
    }
}
#endif
