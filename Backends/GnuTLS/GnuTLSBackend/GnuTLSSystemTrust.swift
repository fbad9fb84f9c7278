#if GnuTLS
internal import CSslGnuTLS
internal import SslValues

/// The certificates the system trusts, as the library finds them: a file, a directory or a PKCS#11 module, as the distribution
/// compiled it.
enum GnuTLSSystemTrust {
    /// Loads them. An empty store is nothing to trust, and an error.
    static func load() throws(SslSocketError) -> [[UInt8]] {
        var made: gnutls_x509_trust_list_t?
        try gnutlsCheck(unsafe gnutls_x509_trust_list_init(&made, 0), .sslInternal, "No trust list can be made")
        guard let list = unsafe made else { throw .gnutls(.sslInternal, "No trust list can be made") }
        defer { unsafe gnutls_x509_trust_list_deinit(list, 1) }
        let native = unsafe gnutls_x509_trust_list_add_system_trust(list, 0, 0)
        // The library answers with the number of certificates.
        guard native > 0 else {
            throw .gnutls(.unreadableFile, "The system's trust store cannot be loaded or is empty", min(native, 0))
        }
        var certificates: [[UInt8]] = []
        var iterator: gnutls_x509_trust_list_iter_t?
        defer { unsafe gnutls_x509_trust_list_iter_deinit(iterator) }
        while true {
            var copy: gnutls_x509_crt_t?
            guard unsafe gnutls_x509_trust_list_iter_get_ca(list, &iterator, &copy) == 0, let handle = unsafe copy else { break }
            if let der = unsafe GnuTLSCertificate.der(of: handle) { certificates.append(der) }
            unsafe gnutls_x509_crt_deinit(handle)
        }
        return certificates
    }
}
#endif
