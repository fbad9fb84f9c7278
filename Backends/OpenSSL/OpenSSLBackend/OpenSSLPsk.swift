#if OpenSSL
internal import CSslOpenSSL
internal import SslBackend
internal import SslValues

/// Pre-shared keys: callbacks that ask the session's source, and what OpenSSL needs to be told before it runs.
enum OpenSSLPreSharedKeys {
    /// Where a session object of OpenSSL's says that it stands for an external key and not for a ticket: copies of it say so too.
    private static let mark = sslopenssl_session_mark()

    /// Lets connections of a context negotiate pre-shared keys.
    static func allow(_ context: OpaquePointer, _ settings: TlsPreSharedKeySettings, role: SslRole) throws(SslSocketError) {
        switch role {
        case .client:
            unsafe SSL_CTX_set_psk_client_callback(context, clientKey)
            unsafe SSL_CTX_set_psk_use_session_callback(context, clientSession)
        case .server:
            unsafe SSL_CTX_set_psk_server_callback(context, serverKey)
            unsafe SSL_CTX_set_psk_find_session_callback(context, serverSession)
            guard !settings.identityHint.isEmpty else { return }
            let hint = settings.identityHint.map { CChar(bitPattern: $0) } + [0]
            guard unsafe SSL_CTX_use_psk_identity_hint(context, hint) == 1 else {
                throw .openssl(.invalidUserData, "The hint for pre-shared keys cannot be set")
            }
        }
    }

    /// Makes the suites that need a pre-shared key visible in a context that is only asked what the library has.
    static func allowSuites(_ context: OpaquePointer) {
        unsafe SSL_CTX_set_psk_client_callback(context) { _, _, _, _, _, _ in 0 }
    }

    /// True when the handshake rests on an external key.
    static func isUsed(_ ssl: OpaquePointer, isTls13: Bool) -> Bool {
        if isTls13 { return unsafe SSL_session_reused(ssl) == 1 && sslopenssl_session_has_mark(ssl, mark) == 1 }
        guard unsafe SSL_session_reused(ssl) == 0, let cipher = unsafe SSL_get_current_cipher(ssl) else { return false }
        return SslCipher(code: unsafe SSL_CIPHER_get_protocol_id(cipher)).needsPreSharedKey
    }

    /// The session object OpenSSL wants for an external key of TLS 1.3; nil when the library has no suite with its hash.
    fileprivate static func session(_ ssl: OpaquePointer, _ key: SslPreSharedKey) -> OpaquePointer? {
        unsafe key.key.withBytes { octets in
            unsafe sslopenssl_psk_session(ssl, octets.baseAddress, octets.count, key.hash == .sha384 ? 1 : 0, mark)
        }
    }

    /// The suites of TLS 1.3 that use the hash a key is bound to.
    private static func suites(_ list: [SslCipher], for hash: SslHash) -> [SslCipher] {
        list.filter { $0.isTls13 && ($0.name.hasSuffix("_SHA384") ? .sha384 : .sha256) == hash }
    }

    // MARK: TLS 1.3 servers

    /// OpenSSL chooses the suite before it looks for the key, and drops a key whose hash is another: the certificate would be shown instead.
    /// So the key is looked for in the ClientHello, and only suites of its hash are left to choose from, if the client has any.
    static func prepare(_ ssl: OpaquePointer, _ transport: OpenSSLTransport) throws(SslSocketError) {
        let settings = transport.context.settings
        guard settings.preSharedKey != nil, settings.versions.contains(.tls1_3), let hello = transport.state.clientHello,
            let source = transport.preSharedKeySource
        else { return }
        // An external key goes by an age of zero, a ticket does not: it is no identity to ask anybody for.
        let named = zip(hello.preSharedKeyIdentities, hello.preSharedKeyAges).first { identity, age in
            age == 0 && SslPreSharedKey.isIdentity(identity)
        }
        guard let identity = named?.0 else { return }
        let key: SslPreSharedKey
        if let found = source.serverKey(identity: identity) { key = found } else { key = try decoy(identity) }
        transport.offeredKey = key
        let offered = Set(hello.cipherSuites)
        let usable = suites(settings.cipherSuites, for: key.hash)
        guard usable.contains(where: { offered.contains($0.code) }) else { return }
        let names = usable.compactMap { OpenSSLOptions.cipherNames[$0.code] }.joined(separator: ":")
        guard unsafe SSL_set_ciphersuites(ssl, names) == 1 else {
            throw .openssl(.sslInternal, "The cipher suites for a pre-shared key could not be set")
        }
    }

    /// A key nobody knows, for an identity nobody knows.
    private static func decoy(_ identity: [UInt8]) throws(SslSocketError) -> SslPreSharedKey {
        var octets = [UInt8](repeating: 0, count: 32)
        defer { unsafe OPENSSL_cleanse(&octets, octets.count) }
        guard unsafe RAND_bytes(&octets, 32) == 1 else { throw .openssl(.sslInternal, "No random octets could be had") }
        return try SslPreSharedKey(identity: identity, key: SecretBytes(octets))
    }

    // MARK: TLS 1.2 servers

    /// With RSA and a key OpenSSL would ask for the client's certificate, which RFC 4279 section 4 leaves no place for: the key is its proof.
    static func serverStepped(_ ssl: OpaquePointer?) {
        guard let ssl = unsafe ssl, let transport = unsafe OpenSSLTransport.of(ssl), transport.preSharedKeySource != nil,
            let cipher = unsafe SSL_get_pending_cipher(ssl), unsafe SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE,
            SslCipher(code: unsafe SSL_CIPHER_get_protocol_id(cipher)).needsPreSharedKey
        else { return }
        unsafe SSL_set_verify(ssl, SSL_VERIFY_NONE, nil)
    }

    // MARK: Callbacks

    /// What stands before the zero, be it text or not.
    private static func octets(of string: UnsafePointer<CChar>) -> [UInt8] {
        var octets: [UInt8] = []
        while unsafe string[octets.count] != 0 { octets.append(unsafe UInt8(bitPattern: string[octets.count])) }
        return octets
    }

    private static func copy(_ key: SecretBytes, to target: UnsafeMutablePointer<UInt8>) -> UInt32 {
        unsafe key.withBytes { octets in
            for i in octets.indices { unsafe target[i] = unsafe octets[i] }
        }
        return UInt32(key.count)
    }

    /// TLS 1.2, client: the key for a server's hint.
    private static let clientKey: SSL_psk_client_cb_func = { ssl, hint, identity, identityLimit, key, keyLimit in
        // OpenSSL asks here for TLS 1.3 too when the other callback had nothing.
        guard unsafe SSL_version(ssl) != TLS1_3_VERSION, let source = unsafe OpenSSLTransport.of(ssl)?.preSharedKeySource else {
            return 0
        }
        let said = unsafe hint.map { unsafe octets(of: $0) } ?? []
        guard let answer = source.clientKey(hint: said), let identity = unsafe identity, let key = unsafe key,
            answer.identity.count < Int(identityLimit), answer.key.count <= Int(keyLimit)
        else { return 0 }
        for (i, octet) in answer.identity.enumerated() { unsafe identity[i] = CChar(bitPattern: octet) }
        unsafe identity[answer.identity.count] = 0
        return unsafe copy(answer.key, to: key)
    }

    /// TLS 1.2, server: the key of an identity. An unknown one gets a key nobody knows.
    private static let serverKey: SSL_psk_server_cb_func = { ssl, identity, key, keyLimit in
        // Of TLS 1.3 the other callback knows all there is to know.
        guard unsafe SSL_version(ssl) != TLS1_3_VERSION, let identity = unsafe identity, let key = unsafe key, keyLimit >= 32
        else { return 0 }
        let named = unsafe octets(of: identity)
        guard let answer = unsafe OpenSSLTransport.of(ssl)?.preSharedKeySource?.serverKey(identity: named),
            answer.key.count <= Int(keyLimit)
        else { return unsafe RAND_bytes(key, 32) == 1 ? 32 : 0 }
        return unsafe copy(answer.key, to: key)
    }

    /// TLS 1.3, client: the key to offer. `hash` is the one the server has settled on, in a second ClientHello.
    private static let clientSession: SSL_psk_use_session_cb_func = { ssl, hash, identity, length, session in
        unsafe session?.pointee = nil
        guard let ssl = unsafe ssl, let transport = unsafe OpenSSLTransport.of(ssl),
            let answer = transport.preSharedKeySource?.clientKey(hint: [])
        else { return 1 }
        if let hash = unsafe hash, unsafe EVP_MD_get_type(hash) != (answer.hash == .sha384 ? NID_sha384 : NID_sha256) { return 1 }
        guard let made = unsafe OpenSSLPreSharedKeys.session(ssl, answer) else { return 0 }
        // OpenSSL copies the identity after this call has returned.
        let octets = unsafe transport.keep(identity: answer.identity)
        unsafe identity?.pointee = unsafe octets
        unsafe length?.pointee = answer.identity.count
        unsafe session?.pointee = unsafe made
        return 1
    }

    /// TLS 1.3, server: the key that was found in the ClientHello. Everything else is a ticket, which is OpenSSL's business.
    private static let serverSession: SSL_psk_find_session_cb_func = { ssl, identity, length, session in
        unsafe session?.pointee = nil
        guard let ssl = unsafe ssl, let key = unsafe OpenSSLTransport.of(ssl)?.offeredKey,
            unsafe UnsafeBufferPointer(start: identity, count: length).elementsEqual(key.identity)
        else { return 1 }
        guard let made = unsafe OpenSSLPreSharedKeys.session(ssl, key) else { return 0 }
        unsafe session?.pointee = unsafe made
        return 1
    }
}
#endif
