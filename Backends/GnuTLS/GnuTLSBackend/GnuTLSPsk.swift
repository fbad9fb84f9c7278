#if GnuTLS
internal import CSslGnuTLS
internal import SslBackend
internal import SslValues

/// The library's credentials for pre-shared keys, whose callbacks ask the session's source.
///
/// The library binds external keys of TLS 1.3 to SHA-256 and knows no other way.
@safe
final class GnuTLSPreSharedKeys {
    private let client: gnutls_psk_client_credentials_t?
    private let server: gnutls_psk_server_credentials_t?
    /// Kept because the server's credentials refer to them.
    private let diffieHellman: GnuTLSDiffieHellman?

    /// Makes the credentials of a client, or with the parameters for DHE of a server.
    init(_ settings: TlsPreSharedKeySettings, _ diffieHellman: GnuTLSDiffieHellman?) throws(SslSocketError) {
        var client: gnutls_psk_client_credentials_t?
        var server: gnutls_psk_server_credentials_t?
        let native =
            unsafe diffieHellman == nil
            ? gnutls_psk_allocate_client_credentials(&client) : gnutls_psk_allocate_server_credentials(&server)
        self.diffieHellman = diffieHellman
        unsafe self.client = unsafe client
        unsafe self.server = unsafe server
        try gnutlsCheck(native, .sslInternal, "No credentials object for pre-shared keys can be made")
        if let client = unsafe client { unsafe gnutls_psk_set_client_credentials_function2(client, gnutlsClientKey) }
        guard let server = unsafe server else { return }
        unsafe gnutls_psk_set_server_credentials_function2(server, gnutlsServerKey)
        if let diffieHellman { unsafe diffieHellman.set(onPreSharedKeys: server) }
        guard !settings.identityHint.isEmpty else { return }
        let hint = settings.identityHint.map { CChar(bitPattern: $0) } + [0]
        try gnutlsCheck(
            unsafe gnutls_psk_set_server_credentials_hint(server, hint), .invalidUserData,
            "The hint for pre-shared keys cannot be set")
    }

    deinit {
        if let client = unsafe client { unsafe gnutls_psk_free_client_credentials(client) }
        if let server = unsafe server { unsafe gnutls_psk_free_server_credentials(server) }
    }

    /// Gives them to a session, which only borrows them.
    func attach(to session: gnutls_session_t) -> Int32 {
        let credentials =
            unsafe client.map { unsafe UnsafeMutableRawPointer($0) } ?? server.map { unsafe UnsafeMutableRawPointer($0) }
        return unsafe gnutls_credentials_set(session, GNUTLS_CRD_PSK, credentials)
    }

    /// True for a key exchange that a pre-shared key takes part in.
    static func isUsed(_ keyExchange: gnutls_kx_algorithm_t) -> Bool {
        switch keyExchange {
        case GNUTLS_KX_PSK, GNUTLS_KX_DHE_PSK, GNUTLS_KX_ECDHE_PSK, GNUTLS_KX_RSA_PSK: true
        default: false
        }
    }
}

// MARK: - Callbacks

/// Names a client's identity and key. The library wipes and frees both.
private func gnutlsClientKey(
    _ session: gnutls_session_t?, _ identity: UnsafeMutablePointer<gnutls_datum_t>?, _ key: UnsafeMutablePointer<gnutls_datum_t>?
) -> Int32 {
    guard let session = unsafe session, let source = unsafe gnutlsOwner(session)?.preSharedKeySource else {
        return GNUTLS_E_INSUFFICIENT_CREDENTIALS
    }
    var hint: [UInt8] = []
    if let text = unsafe gnutls_psk_client_get_hint(session) {
        while unsafe text[hint.count] != 0 { hint.append(unsafe UInt8(bitPattern: text[hint.count])) }
    }
    guard let answer = source.clientKey(hint: hint) else { return GNUTLS_E_INSUFFICIENT_CREDENTIALS }
    let native = unsafe answer.identity.withUnsafeBytes { unsafe sslgnutls_copy(identity, $0.baseAddress, $0.count) }
    if native < 0 { return native }
    return unsafe answer.key.withBytes { unsafe sslgnutls_copy(key, $0.baseAddress, $0.count) }
}

/// Finds the key of an identity. 1 makes the library go on with a random key.
private func gnutlsServerKey(
    _ session: gnutls_session_t?, _ identity: UnsafePointer<gnutls_datum_t>?, _ key: UnsafeMutablePointer<gnutls_datum_t>?
) -> Int32 {
    guard let source = unsafe gnutlsOwner(session)?.preSharedKeySource, let identity = unsafe identity,
        let answer = source.serverKey(identity: unsafe identity.pointee.octets)
    else { return 1 }
    return unsafe answer.key.withBytes { unsafe sslgnutls_copy(key, $0.baseAddress, $0.count) }
}
#endif
