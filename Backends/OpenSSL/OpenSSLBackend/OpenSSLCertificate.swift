#if OpenSSL
internal import CSslOpenSSL
internal import SslBackend
internal import SslValues

/// An `X509`, with what stands in it.
@safe
final class OpenSSLCertificate: X509Certificate {
    // OpenSSL locks what it caches inside.
    nonisolated(unsafe) let handle: OpaquePointer
    let fields: CertificateFields

    /// Parses one certificate and nothing behind it.
    init(der: [UInt8]) throws(SslSocketError) {
        fields = try CertificateFields(der)
        ERR_clear_error()
        let parsed = unsafe der.withUnsafeBufferPointer { buffer -> OpaquePointer? in
            var cursor = buffer.baseAddress
            return unsafe d2i_X509(nil, &cursor, buffer.count)
        }
        guard let parsed = unsafe parsed else { throw .openssl(.invalidUserData, "The certificate cannot be read") }
        // Written again it must be the same, or two engines would take different octets for the same certificate.
        guard unsafe Self.encode(parsed) == der else {
            unsafe X509_free(parsed)
            throw SslSocketError(.invalidUserData, "The certificate is not in DER", backend: OpenSSLBackend.backendName)
        }
        unsafe handle = unsafe parsed
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

    // MARK: Derived

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
