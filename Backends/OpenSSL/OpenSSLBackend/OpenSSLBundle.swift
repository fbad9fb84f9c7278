#if OpenSSL
internal import CSslOpenSSL
public import SslBackend
public import SslValues

// PKCS#12 files (RFC 7292).
extension OpenSSLBackend {
    public func readBundle(pkcs12: SecretBytes, passphrase: SecretBytes) throws(SslSocketError) -> TlsKeyBundle {
        ERR_clear_error()
        let read = unsafe pkcs12.withBytes { octets in
            unsafe sslopenssl_read_pkcs12(octets.baseAddress, octets.count, OpenSSLLegacy.library)
        }
        guard let file = unsafe read else { throw .openssl(.invalidUserData, "The PKCS#12 file cannot be read") }
        defer { unsafe PKCS12_free(file) }
        guard unsafe PKCS12_mac_present(file) == 1 else {
            throw SslSocketError(
                .invalidUserData, "The integrity of the PKCS#12 file cannot be checked", backend: Self.backendName)
        }
        let password = try OpenSSLKey.cString(passphrase)
        let isProven = unsafe password.withBytes { text in
            unsafe PKCS12_verify_mac(file, text.assumingMemoryBound(to: CChar.self).baseAddress, Int32(passphrase.count)) == 1
        }
        guard isProven else { throw .openssl(.wrongPassphrase, "The passphrase does not open the PKCS#12 file") }
        var key: OpaquePointer?
        var own: OpaquePointer?
        var others: OpaquePointer?
        let parsed = unsafe password.withBytes { text in
            unsafe PKCS12_parse(file, text.assumingMemoryBound(to: CChar.self).baseAddress, &key, &own, &others) == 1
        }
        defer {
            unsafe X509_free(own)
            unsafe sslopenssl_certificates_free(others)
        }
        guard parsed else { throw .openssl(.unsupportedOperation, "A part of the PKCS#12 file cannot be decrypted") }
        var bundle = unsafe TlsKeyBundle(
            key: try key.map { key throws(SslSocketError) in try unsafe OpenSSLKey(owning: key) }, certificates: [])
        if unsafe own != nil { bundle.certificates.append(unsafe OpenSSLCertificate.encode(own)) }
        for index in 0..<(unsafe sslopenssl_certificates_count(others)) {
            bundle.certificates.append(unsafe OpenSSLCertificate.encode(sslopenssl_certificates_at(others, index)))
        }
        return bundle
    }

    public func writeBundle(
        _ bundle: TlsKeyBundle, name: String, passphrase: SecretBytes
    ) throws(SslSocketError) -> SecretBytes {
        guard bundle.key == nil || bundle.key is OpenSSLKey else {
            throw SslSocketError(.invalidUserData, "The key is in the hands of another backend", backend: Self.backendName)
        }
        ERR_clear_error()
        let password = try OpenSSLKey.cString(passphrase)
        let certificates = try OpenSSLCertificate.parse(bundle.certificates)
        let own = bundle.key == nil ? nil : certificates.first
        let chain = unsafe try OpenSSLCertificate.list(certificates.dropFirst(own == nil ? 0 : 1))
        defer { unsafe sslopenssl_certificates_free(chain) }
        let made = unsafe password.withBytes { text in
            unsafe sslopenssl_make_pkcs12(
                text.assumingMemoryBound(to: CChar.self).baseAddress, name.isEmpty ? nil : name,
                (bundle.key as? OpenSSLKey)?.handle, own?.handle, chain)
        }
        guard let file = unsafe made else { throw .openssl(.sslInternal, "The PKCS#12 file could not be made") }
        defer { unsafe PKCS12_free(file) }
        var octets: UnsafeMutablePointer<UInt8>?
        let length = unsafe Int(i2d_PKCS12(file, &octets))
        guard length > 0, let start = unsafe octets else {
            throw .openssl(.sslInternal, "The PKCS#12 file could not be written")
        }
        defer { unsafe sslopenssl_clear_free(start, length) }
        return unsafe SecretBytes(UnsafeRawBufferPointer(start: start, count: length))
    }
}
#endif
