#if GnuTLS
internal import CSslGnuTLS
internal import SslBackend
internal import SslValues

/// One parsed certificate.
///
/// `@unchecked`: the handle is only read after the initializer, and reading it from several threads is safe.
@safe
final class GnuTLSCertificate: X509Certificate, @unchecked Sendable {
    let handle: gnutls_x509_crt_t
    let fields: CertificateFields

    /// Parses exactly one certificate.
    init(der: [UInt8]) throws(SslSocketError) {
        fields = try CertificateFields(der)
        var made: gnutls_x509_crt_t?
        try gnutlsCheck(unsafe gnutls_x509_crt_init(&made), .sslInternal, "No certificate object can be made")
        guard let handle = unsafe made else { throw .gnutls(.sslInternal, "No certificate object can be made") }
        let native = unsafe der.withUnsafeBytes { octets in
            var datum = unsafe gnutls_datum_t(borrowing: octets)
            return unsafe gnutls_x509_crt_import(handle, &datum, GNUTLS_X509_FMT_DER)
        }
        guard native == 0 else {
            unsafe gnutls_x509_crt_deinit(handle)
            throw .gnutls(.invalidUserData, "The certificate cannot be read", native)
        }
        unsafe self.handle = unsafe handle
    }

    deinit { unsafe gnutls_x509_crt_deinit(handle) }

    /// What a handle holds, in DER.
    static func der(of handle: gnutls_x509_crt_t) -> [UInt8]? {
        var out = unsafe gnutls_datum_t()
        guard unsafe gnutls_x509_crt_export2(handle, GNUTLS_X509_FMT_DER, &out) == 0 else { return nil }
        defer { unsafe sslgnutls_free(out.data) }
        return unsafe out.octets
    }

    // MARK: Derived

    func digest(_ hash: SslHash) -> [UInt8]? {
        let native = hash.gnutls
        var out = [UInt8](repeating: 0, count: Int(gnutls_hash_get_len(native)))
        guard !out.isEmpty, unsafe gnutls_hash_fast(native, fields.der, fields.der.count, &out) == 0 else { return nil }
        return out
    }

    func text() -> String {
        var out = unsafe gnutls_datum_t()
        guard unsafe gnutls_x509_crt_print(handle, GNUTLS_CRT_PRINT_FULL, &out) == 0 else { return "" }
        defer { unsafe sslgnutls_free(out.data) }
        return unsafe String(decoding: out.octets, as: UTF8.self)
    }
}

extension SslHash {
    /// The library's word.
    var gnutls: gnutls_digest_algorithm_t {
        switch self {
        case .md5: GNUTLS_DIG_MD5
        case .sha1: GNUTLS_DIG_SHA1
        case .sha224: GNUTLS_DIG_SHA224
        case .sha256: GNUTLS_DIG_SHA256
        case .sha384: GNUTLS_DIG_SHA384
        case .sha512: GNUTLS_DIG_SHA512
        }
    }
}
#endif
