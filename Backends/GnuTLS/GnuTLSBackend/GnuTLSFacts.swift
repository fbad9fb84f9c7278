#if GnuTLS
internal import CSslGnuTLS
internal import SslBackend
internal import SslValues

/// Reads what a session negotiated.
enum GnuTLSFacts {
    /// The facts of a session; of one that has negotiated nothing yet only the server name.
    static func read(
        _ session: gnutls_session_t, isClient: Bool, isNegotiated: Bool, serverName: String?
    ) -> TlsSessionFacts {
        var facts = TlsSessionFacts()
        facts.serverName = unsafe serverName ?? requestedName(session)
        guard isNegotiated else { return facts }
        let native = unsafe gnutls_protocol_get_version(session)
        let version = GnuTLSNames.versions.first { $0.native == native }?.version
        let isTls13 = version == .tls1_3
        let keyExchange = unsafe gnutls_kx_get(session)
        let isResumed = unsafe gnutls_session_is_resumed(session) != 0
        facts.version = version
        facts.cipher = unsafe GnuTLSNames.cipher(
            keyExchange, gnutls_cipher_get(session), gnutls_mac_get(session), isTls13: isTls13)
        facts.isResumed = isResumed
        facts.usedPreSharedKey = !isResumed && GnuTLSPreSharedKeys.isUsed(keyExchange)
        if isTls13 || !(isResumed || keyExchange == GNUTLS_KX_RSA) {
            let group = unsafe gnutls_group_get(session)
            facts.group = GnuTLSNames.groups.first { $0.native == group }?.group
        }
        let isFiniteField = keyExchange == GNUTLS_KX_DHE_RSA || keyExchange == GNUTLS_KX_DHE_PSK
        if isClient, !isTls13, !isResumed, isFiniteField, case let bits = unsafe gnutls_dh_get_prime_bits(session), bits > 0 {
            facts.diffieHellmanBits = Int(bits)
        }
        if !isResumed {
            let scheme = unsafe gnutls_sign_algorithm_get(session)
            facts.signatureScheme = GnuTLSNames.schemes.first { row in
                row.native.contains { $0.rawValue == UInt32(bitPattern: scheme) }
            }.map { SslSignatureScheme(code: $0.code) }
        }
        var name = unsafe gnutls_datum_t()
        if unsafe gnutls_alpn_get_selected_protocol(session, &name) == 0, unsafe name.size > 0 {
            facts.applicationProtocol = unsafe name.octets
        }
        // TLS 1.3 has by its nature what the extension adds (RFC 7627), but the library says so on one side only.
        facts.hasExtendedMasterSecret = unsafe isTls13 || gnutls_session_ext_master_secret_status(session) != 0
        return facts
    }

    private static func requestedName(_ session: gnutls_session_t) -> String? {
        var buffer = [UInt8](repeating: 0, count: 256)
        var size = buffer.count
        var type: UInt32 = 0
        guard unsafe gnutls_server_name_get(session, &buffer, &size, &type, 0) == 0, type == GNUTLS_NAME_DNS.rawValue else {
            return nil
        }
        return String(decoding: buffer.prefix(size), as: UTF8.self)
    }
}
#endif
