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
    let der: [UInt8]
    private let layout: CertificateLayout

    /// Parses exactly one certificate.
    convenience init(der: [UInt8]) throws(SslSocketError) {
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
        try unsafe self.init(owning: handle, der: der)
    }

    /// Takes a handle over, also when it fails.
    init(owning handle: gnutls_x509_crt_t, der: [UInt8]) throws(SslSocketError) {
        // The library tolerates octets behind the certificate; the layout does not.
        guard let layout = CertificateLayout(der) else {
            unsafe gnutls_x509_crt_deinit(handle)
            throw .gnutls(.invalidUserData, "The octets are not exactly one certificate")
        }
        unsafe self.handle = handle
        self.der = der
        self.layout = layout
        if let names = extensionValue("2.5.29.17"), CertificateText.alternativeNames(names[...]) == nil {
            throw .gnutls(.invalidUserData, "The alternative names of the certificate are malformed")
        }
    }

    deinit { unsafe gnutls_x509_crt_deinit(handle) }

    /// What a handle holds, in DER.
    static func der(of handle: gnutls_x509_crt_t) -> [UInt8]? {
        var out = unsafe gnutls_datum_t()
        guard unsafe gnutls_x509_crt_export2(handle, GNUTLS_X509_FMT_DER, &out) == 0 else { return nil }
        defer { unsafe sslgnutls_free(out.data) }
        return unsafe out.octets
    }

    // MARK: Fields

    var version: Int { Int(max(unsafe gnutls_x509_crt_get_version(handle), 1)) }
    var serialNumber: [UInt8] { Array(der[layout.serialNumber]) }
    var subjectDer: [UInt8] { Array(der[layout.subject]) }
    var issuerDer: [UInt8] { Array(der[layout.issuer]) }
    var subject: [SslNameAttribute] { CertificateText.attributes(ofName: der[layout.subject]) }
    var issuer: [SslNameAttribute] { CertificateText.attributes(ofName: der[layout.issuer]) }
    var notBefore: SslInstant? { layout.notBefore }
    var notAfter: SslInstant? { layout.notAfter }
    var publicKeyInfo: [UInt8] { Array(der[layout.publicKeyInfo]) }
    var isSelfIssued: Bool { der[layout.subject] == der[layout.issuer] }

    var keyAlgorithm: SslKeyAlgorithm { key.algorithm }
    var keyBits: Int { key.algorithm.bits(reported: key.bits) }

    private var key: (algorithm: SslKeyAlgorithm, bits: Int) {
        var bits: UInt32 = 0
        let type = unsafe gnutls_x509_crt_get_pk_algorithm(handle, &bits)
        return type < 0 ? (.opaque, 0) : (SslKeyAlgorithm(gnutls: UInt32(type)), Int(bits))
    }

    var signatureAlgorithm: String {
        unsafe text { buffer, size in unsafe gnutls_x509_crt_get_signature_oid(handle, buffer, size) } ?? ""
    }

    // MARK: Extensions

    var alternativeNames: [SslAlternativeName]? {
        extensionValue("2.5.29.17").flatMap { CertificateText.alternativeNames($0[...]) }
    }

    var extendedKeyUsage: [String]? {
        var list: [String] = []
        while let oid = unsafe text({ buffer, size in
            unsafe gnutls_x509_crt_get_key_purpose_oid(handle, UInt32(list.count), buffer, size, nil)
        }) {
            list.append(oid)
        }
        return list.isEmpty && extensionValue("2.5.29.37") == nil ? nil : list
    }

    var keyUsage: UInt16? {
        var native: UInt32 = 0
        guard unsafe gnutls_x509_crt_get_key_usage(handle, &native, nil) >= 0 else { return nil }
        return GnuTLSKeyUsage.bits(native: native)
    }

    var basicConstraints: SslBasicConstraints? {
        var isAuthority: UInt32 = 0
        var pathLength: Int32 = -1
        guard unsafe gnutls_x509_crt_get_basic_constraints(handle, nil, &isAuthority, &pathLength) >= 0 else { return nil }
        return SslBasicConstraints(isAuthority: isAuthority != 0, pathLength: pathLength < 0 ? nil : Int(pathLength))
    }

    var subjectKeyIdentifier: [UInt8]? {
        unsafe octets { buffer, size in unsafe gnutls_x509_crt_get_subject_key_id(handle, buffer, size, nil) }
    }

    var authorityKeyIdentifier: [UInt8]? {
        unsafe octets { buffer, size in unsafe gnutls_x509_crt_get_authority_key_id(handle, buffer, size, nil) }
    }

    var extensions: [SslCertificateExtension] {
        var list: [SslCertificateExtension] = []
        while true {
            let index = UInt32(list.count)
            var isCritical: UInt32 = 0
            guard
                let oid = unsafe text({ buffer, size in
                    unsafe gnutls_x509_crt_get_extension_info(handle, index, buffer, size, &isCritical)
                })
            else { return list }
            var out = unsafe gnutls_datum_t()
            guard unsafe gnutls_x509_crt_get_extension_data2(handle, index, &out) >= 0 else { return list }
            list.append(SslCertificateExtension(oid: oid, isCritical: isCritical != 0, value: unsafe out.octets))
            unsafe sslgnutls_free(out.data)
        }
    }

    /// The content of the first extension with this identifier.
    func extensionValue(_ oid: String) -> [UInt8]? {
        var out = unsafe gnutls_datum_t()
        guard unsafe gnutls_x509_crt_get_extension_by_oid2(handle, oid, 0, &out, nil) >= 0 else { return nil }
        defer { unsafe sslgnutls_free(out.data) }
        return unsafe out.octets
    }

    // MARK: Derived

    func digest(_ hash: SslHash) -> [UInt8]? {
        let native = hash.gnutls
        var out = [UInt8](repeating: 0, count: Int(gnutls_hash_get_len(native)))
        guard !out.isEmpty, unsafe gnutls_hash_fast(native, der, der.count, &out) == 0 else { return nil }
        return out
    }

    func text() -> String {
        var out = unsafe gnutls_datum_t()
        guard unsafe gnutls_x509_crt_print(handle, GNUTLS_CRT_PRINT_FULL, &out) == 0 else { return "" }
        defer { unsafe sslgnutls_free(out.data) }
        return unsafe String(decoding: out.octets, as: UTF8.self)
    }

    // MARK: Calling the library

    /// Calls a getter of the shape (buffer, inout size) with as much room as it asks for; nil when it has nothing.
    private func octets(_ getter: (UnsafeMutableRawPointer?, UnsafeMutablePointer<Int>) -> Int32) -> [UInt8]? {
        var size = 0
        let asked = unsafe getter(nil, &size)
        guard asked == GNUTLS_E_SHORT_MEMORY_BUFFER || (asked >= 0 && size == 0) else { return nil }
        var buffer = [UInt8](repeating: 0, count: size)
        let native = unsafe buffer.withUnsafeMutableBytes { unsafe getter($0.baseAddress, &size) }
        guard native >= 0 else { return nil }
        return Array(buffer.prefix(size))
    }

    /// The same for text, which some getters end with a zero octet.
    private func text(_ getter: (UnsafeMutablePointer<CChar>?, UnsafeMutablePointer<Int>) -> Int32) -> String? {
        let found = unsafe octets { buffer, size in unsafe getter(buffer?.assumingMemoryBound(to: CChar.self), size) }
        return found.map { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}

/// The library numbers the bits of key usage from the other end of each octet than RFC 5280 section 4.2.1.3.
enum GnuTLSKeyUsage {
    /// The library's bits as RFC 5280 counts them.
    static func bits(native: UInt32) -> UInt16 { map { native & $1 != 0 ? 1 << UInt16($0) : 0 } }

    /// RFC 5280's bits as the library has them.
    static func native(bits: UInt16) -> UInt32 { map { bits & 1 << UInt16($0) != 0 ? $1 : 0 } }

    private static func map<N: FixedWidthInteger>(_ value: (Int, UInt32) -> N) -> N {
        (0...8).reduce(0) { $0 | value($1, $1 == 8 ? 0x8000 : 0x80 >> UInt32($1)) }
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
