#if GnuTLS
internal import CSslGnuTLS
internal import CSslNettle
internal import SslBackend
internal import SslValues

/// Finite-field Diffie-Hellman in TLS 1.2: the parameters of a server's DHE suites.
///
/// `@unchecked`: the handle is only read after the initializer.
@safe
final class GnuTLSDiffieHellman: @unchecked Sendable {
    private let handle: gnutls_dh_params_t

    /// Reads a server's parameters, or for nil takes a group of RFC 7919 that is as strong as its certificates. The library's own choice
    /// (`gnutls_certificate_set_known_dh_params`) comes to nothing for a client that names no finite-field group.
    init(_ parameters: [UInt8]?, for identities: [GnuTLSIdentity]) throws(SslSocketError) {
        var made: gnutls_dh_params_t?
        try gnutlsCheck(unsafe gnutls_dh_params_init(&made), .sslInternal, "No parameters object can be made")
        guard let handle = unsafe made else { throw .gnutls(.sslInternal, "No parameters object can be made") }
        let native =
            unsafe parameters?.withUnsafeBytes { octets in
                var datum = unsafe gnutls_datum_t(borrowing: octets)
                return unsafe gnutls_dh_params_import_pkcs3(handle, &datum, GNUTLS_X509_FMT_DER)
            }
            ?? sslgnutls_named_dh(handle, Int32(identities.map(\.key.bits).max() ?? 0))
        guard native == 0 else {
            unsafe gnutls_dh_params_deinit(handle)
            throw .gnutls(.invalidUserData, "The Diffie-Hellman parameters cannot be read", native)
        }
        unsafe self.handle = unsafe handle
    }

    deinit { unsafe gnutls_dh_params_deinit(handle) }

    /// Gives a server's credentials these parameters, which must live as long.
    func set(on credentials: gnutls_certificate_credentials_t) {
        unsafe gnutls_certificate_set_dh_params(credentials, handle)
    }

    /// The same for pre-shared keys.
    func set(onPreSharedKeys credentials: gnutls_psk_server_credentials_t) {
        unsafe gnutls_psk_set_server_dh_params(credentials, handle)
    }

    /// GnuTLS has no call for it; the library below it has.
    static func isSafePrime(_ number: [UInt8]) -> Bool {
        guard let last = number.last, last & 1 == 1 else { return false }
        return unsafe sslnettle_is_safe_prime(number, number.count) == 1
    }
}
#endif
