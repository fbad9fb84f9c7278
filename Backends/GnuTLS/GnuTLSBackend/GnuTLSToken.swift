#if GnuTLS
internal import CSslGnuTLS
internal import Glibc
internal import SslBackend
internal import SslValues

/// Keys and certificates in PKCS#11 tokens, named by URIs (RFC 7512). The library finds the tokens by p11-kit's configuration.
enum GnuTLSToken {
    /// Who is asked for the PIN, and how that went. A key asks again when the token has forgotten who logged in.
    final class Desk: Sendable {
        let pin: TlsTokenPin

        init(_ pin: @escaping TlsTokenPin) { self.pin = pin }
    }

    private static let ask: gnutls_pin_callback_t = { user, attempt, _, label, flags, room, size in
        guard let user = unsafe user, let room = unsafe room else { return GNUTLS_E_PKCS11_PIN_ERROR }
        // A wrong PIN is never tried again: after some, a token locks itself.
        if attempt > 0 || flags & GNUTLS_PIN_WRONG.rawValue != 0 { return GNUTLS_E_PKCS11_PIN_ERROR }
        let desk = unsafe Unmanaged<Desk>.fromOpaque(user).takeUnretainedValue()
        let question = SslTokenPinQuestion(
            tokenLabel: unsafe label.map { unsafe String(cString: $0) } ?? "",
            isFinalTry: flags & GNUTLS_PIN_FINAL_TRY.rawValue != 0, isCountLow: flags & GNUTLS_PIN_COUNT_LOW.rawValue != 0)
        // The library wants a zero octet at the end, so none may stand inside.
        guard let answer = desk.pin(question), answer.count < size, unsafe !answer.withBytes({ unsafe $0.contains(0) }) else {
            return GNUTLS_E_PKCS11_PIN_ERROR
        }
        unsafe answer.withBytes { octets in
            if let start = octets.baseAddress { unsafe memcpy(room, start, octets.count) }
        }
        unsafe room[answer.count] = 0
        return 0
    }

    /// Opens a private key.
    static func key(_ uri: String, _ pin: @escaping TlsTokenPin) throws(SslSocketError) -> GnuTLSKey {
        try checkUri(uri)
        var made: gnutls_privkey_t?
        try gnutlsCheck(unsafe gnutls_privkey_init(&made), .sslInternal, "No private key object can be made")
        guard let handle = unsafe made else { throw .gnutls(.sslInternal, "No private key object can be made") }
        let desk = Desk(pin)
        defer { withExtendedLifetime(desk) {} }
        unsafe gnutls_privkey_set_pin_function(handle, ask, Unmanaged.passUnretained(desk).toOpaque())
        let native = unsafe gnutls_privkey_import_url(handle, uri, 0)
        let info = unsafe native == 0 ? GnuTLSKey.publicKeyInfo(of: handle) : nil
        guard native == 0, let info else {
            unsafe gnutls_privkey_deinit(handle)
            throw native == 0
                ? .gnutls(.invalidUserData, "The token does not hand out the public half of the key \(shown(uri))")
                : failure(native, uri, "private key")
        }
        // The library does not know the size of keys of curves in tokens.
        let fields = PublicKeyFields(info)
        let open = TlsPublicKey(publicKeyInfo: info, algorithm: fields.algorithm, bits: fields.bits)
        return unsafe GnuTLSKey(external: handle, open, keeping: desk)
    }

    /// Reads a certificate, DER.
    static func certificate(_ uri: String, _ pin: @escaping TlsTokenPin) throws(SslSocketError) -> [UInt8] {
        try checkUri(uri)
        var made: gnutls_x509_crt_t?
        try gnutlsCheck(unsafe gnutls_x509_crt_init(&made), .sslInternal, "No certificate object can be made")
        guard let handle = unsafe made else { throw .gnutls(.sslInternal, "No certificate object can be made") }
        defer { unsafe gnutls_x509_crt_deinit(handle) }
        let desk = Desk(pin)
        defer { withExtendedLifetime(desk) {} }
        unsafe gnutls_x509_crt_set_pin_function(handle, ask, Unmanaged.passUnretained(desk).toOpaque())
        let native = unsafe gnutls_x509_crt_import_url(handle, uri, 0)
        guard native == 0 else { throw failure(native, uri, "certificate") }
        guard let der = unsafe GnuTLSCertificate.der(of: handle) else {
            throw .gnutls(.sslInternal, "The certificate cannot be written")
        }
        return der
    }

    /// The library takes URIs of other kinds, too.
    private static func checkUri(_ uri: String) throws(SslSocketError) {
        guard uri.hasPrefix("pkcs11:"), !uri.utf8.contains(0) else {
            throw .gnutls(.invalidUserData, "\"\(shown(uri))\" is no PKCS#11 URI: it begins with pkcs11:")
        }
    }

    private static func failure(_ native: Int32, _ uri: String, _ what: String) -> SslSocketError {
        switch native {
        case GNUTLS_E_PKCS11_PIN_ERROR:
            .gnutls(.wrongPassphrase, "The PIN of the token with \(shown(uri)) is missing or wrong", native)
        case GNUTLS_E_PKCS11_PIN_LOCKED, GNUTLS_E_PKCS11_PIN_EXPIRED:
            .gnutls(.wrongPassphrase, "The token with \(shown(uri)) takes no PIN any more: it is locked or has expired", native)
        case GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE, GNUTLS_E_PKCS11_REQUESTED_OBJECT_NOT_AVAILBLE:
            .gnutls(.unreadableFile, "There is no \(what) \(shown(uri)) in any token that is there", native)
        default: .gnutls(.invalidUserData, "The \(what) \(shown(uri)) cannot be used", native)
        }
    }

    /// What of a URI tells which object is meant. All else may hold a PIN, where it belongs or by mistake.
    private static func shown(_ uri: String) -> String {
        let scheme = "pkcs11:"
        let attributes = uri.dropFirst(uri.hasPrefix(scheme) ? scheme.count : 0).prefix { $0 != "?" && $0 != "&" }
        let telling = ["token=", "object=", "id=", "type="]
        return scheme
            + attributes.split(separator: ";").filter { part in telling.contains { part.hasPrefix($0) } }.joined(separator: ";")
    }
}
#endif
