#if OpenSSL
internal import CSslOpenSSL
internal import SslBackend
internal import SslValues

/// An `X509`. What the layers above ask for often is read when it is parsed, which also finds malformed extensions.
@safe
final class OpenSSLCertificate: X509Certificate {
    // OpenSSL locks what it caches inside.
    nonisolated(unsafe) let handle: OpaquePointer
    /// The extensions this package looks into.
    let decoded: OpenSSLDecodedExtensions

    /// Takes the reference over.
    private init(owning handle: OpaquePointer) throws(SslSocketError) {
        unsafe self.handle = unsafe handle
        do {
            decoded = try unsafe OpenSSLDecodedExtensions(Self.extensions(of: unsafe handle))
        } catch {
            unsafe X509_free(handle)
            throw error
        }
    }

    /// Parses one certificate and nothing behind it.
    convenience init(der: [UInt8]) throws(SslSocketError) {
        ERR_clear_error()
        let parsed = unsafe der.withUnsafeBufferPointer { buffer -> OpaquePointer? in
            var cursor = buffer.baseAddress
            guard let certificate = unsafe d2i_X509(nil, &cursor, buffer.count) else { return nil }
            if unsafe cursor == buffer.baseAddress.map({ unsafe $0 + buffer.count }) { return unsafe certificate }
            unsafe X509_free(certificate)
            return nil
        }
        guard let parsed = unsafe parsed else { throw .openssl(.invalidUserData, "The certificate is malformed") }
        // Written again it must be the same, or two engines would take different octets for the same certificate.
        guard unsafe Self.encode(parsed) == der else {
            unsafe X509_free(parsed)
            throw SslSocketError(.invalidUserData, "The certificate is not in DER", backend: OpenSSLBackend.backendName)
        }
        try unsafe self.init(owning: parsed)
    }

    /// Shares a certificate of a list.
    convenience init(sharing handle: OpaquePointer) throws(SslSocketError) {
        guard unsafe X509_up_ref(handle) == 1 else { throw .openssl(.sslInternal, "A certificate could not be shared") }
        try unsafe self.init(owning: handle)
    }

    deinit { unsafe X509_free(handle) }

    /// Parses a chain.
    static func parse(_ chain: [[UInt8]]) throws(SslSocketError) -> [OpenSSLCertificate] {
        var parsed: [OpenSSLCertificate] = []
        for der in chain { parsed.append(try OpenSSLCertificate(der: der)) }
        return parsed
    }

    /// A list for OpenSSL, to be freed with `sslopenssl_certificates_free`.
    static func list(_ certificates: some Sequence<OpenSSLCertificate>) throws(SslSocketError) -> OpaquePointer {
        guard let list = unsafe sslopenssl_certificates_new() else { throw .openssl(.sslInternal, "No list could be made") }
        for certificate in certificates {
            guard unsafe sslopenssl_certificates_push(list, certificate.handle) == 1 else {
                unsafe sslopenssl_certificates_free(list)
                throw .openssl(.sslInternal, "A list could not be filled")
            }
        }
        return unsafe list
    }

    /// A certificate in DER; empty when it cannot be written.
    static func encode(_ certificate: OpaquePointer?) -> [UInt8] {
        unsafe octets { unsafe i2d_X509(certificate, $0) }
    }

    /// What one of OpenSSL's `i2d` functions writes; empty when it fails.
    static func octets(_ write: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32) -> [UInt8] {
        let size = Int(write(nil))
        guard size > 0 else { return [] }
        return unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            var cursor = buffer.baseAddress
            count = unsafe max(Int(write(&cursor)), 0)
        }
    }

    // MARK: Values

    var der: [UInt8] { unsafe Self.encode(handle) }
    var version: Int { unsafe X509_get_version(handle) + 1 }
    var subjectDer: [UInt8] { unsafe Self.octets { unsafe i2d_X509_NAME(X509_get_subject_name(handle), $0) } }
    var issuerDer: [UInt8] { unsafe Self.octets { unsafe i2d_X509_NAME(X509_get_issuer_name(handle), $0) } }
    var subject: [SslNameAttribute] { unsafe OpenSSLNames.attributes(X509_get_subject_name(handle)) }
    var issuer: [SslNameAttribute] { unsafe OpenSSLNames.attributes(X509_get_issuer_name(handle)) }
    var notBefore: SslInstant? { unsafe OpenSSLNames.instant(X509_get0_notBefore(handle)) }
    var notAfter: SslInstant? { unsafe OpenSSLNames.instant(X509_get0_notAfter(handle)) }
    var publicKeyInfo: [UInt8] { unsafe Self.octets { unsafe i2d_X509_PUBKEY(X509_get_X509_PUBKEY(handle), $0) } }
    var keyAlgorithm: SslKeyAlgorithm { unsafe OpenSSLKey.algorithm(X509_get0_pubkey(handle)) }
    var keyBits: Int { unsafe OpenSSLKey.bits(X509_get0_pubkey(handle)) }
    var extensions: [SslCertificateExtension] { unsafe Self.extensions(of: handle) }

    var alternativeNames: [SslAlternativeName]? { decoded.alternativeNames }
    var extendedKeyUsage: [String]? { decoded.extendedKeyUsage }
    var keyUsage: UInt16? { decoded.keyUsage }
    var basicConstraints: SslBasicConstraints? { decoded.basicConstraints }
    var subjectKeyIdentifier: [UInt8]? { decoded.subjectKeyIdentifier }
    var authorityKeyIdentifier: [UInt8]? { decoded.authorityKeyIdentifier }

    var serialNumber: [UInt8] {
        let tlv = unsafe Self.octets { unsafe i2d_ASN1_INTEGER(X509_get0_serialNumber(handle), $0) }
        var reader = DerReader(tlv[...])
        return reader.next().map { Array($0.content) } ?? []
    }

    var signatureAlgorithm: String {
        var algorithm: UnsafePointer<X509_ALGOR>?
        unsafe X509_get0_signature(nil, &algorithm, handle)
        var identifier: OpaquePointer?
        unsafe X509_ALGOR_get0(&identifier, nil, nil, algorithm)
        return unsafe OpenSSLNames.dotted(identifier)
    }

    func digest(_ hash: SslHash) -> [UInt8]? {
        unsafe [UInt8](unsafeUninitializedCapacity: Int(EVP_MAX_MD_SIZE)) { buffer, count in
            var length: UInt32 = 0
            ERR_clear_error()
            count = unsafe X509_digest(handle, hash.openssl, buffer.baseAddress, &length) == 1 ? Int(length) : 0
        }.nilIfEmpty
    }

    func text() -> String {
        guard let bio = unsafe BIO_new(BIO_s_mem()) else { return "" }
        defer { unsafe BIO_free(bio) }
        ERR_clear_error()
        unsafe X509_print(bio, handle)
        var start: UnsafePointer<UInt8>?
        let length = unsafe sslopenssl_memory(bio, &start)
        return unsafe String(decoding: UnsafeBufferPointer(start: start, count: length), as: UTF8.self)
    }

    private static func extensions(of certificate: OpaquePointer) -> [SslCertificateExtension] {
        unsafe (0..<X509_get_ext_count(certificate)).compactMap { i in
            guard let one = unsafe X509_get_ext(certificate, i) else { return nil }
            let data = unsafe X509_EXTENSION_get_data(one)
            return unsafe SslCertificateExtension(
                oid: OpenSSLNames.dotted(X509_EXTENSION_get_object(one)), isCritical: X509_EXTENSION_get_critical(one) == 1,
                value: OpenSSLNames.octets(data))
        }
    }
}

extension Array {
    /// nil for an empty array.
    var nilIfEmpty: [Element]? { isEmpty ? nil : self }
}

extension SslHash {
    /// The hash in OpenSSL's terms.
    var openssl: OpaquePointer? {
        switch self {
        case .md5: unsafe EVP_md5()
        case .sha1: unsafe EVP_sha1()
        case .sha224: unsafe EVP_sha224()
        case .sha256: unsafe EVP_sha256()
        case .sha384: unsafe EVP_sha384()
        case .sha512: unsafe EVP_sha512()
        }
    }
}
#endif
