#if OpenSSL
internal import CSslOpenSSL
internal import Glibc
internal import SslBackend
internal import SslValues

/// The certificates the system trusts: in the file the distribution compiled in, or else in the directory, which holds the same
/// certificates once more.
enum OpenSSLSystemTrust {
    /// Loads them; empty when there are none.
    static func load() -> [[UInt8]] {
        var certificates: [[UInt8]] = []
        if let path = unsafe text(X509_get_default_cert_file()) { certificates = load(file: path) }
        if certificates.isEmpty, let path = unsafe text(X509_get_default_cert_dir()) {
            for one in path.split(separator: ":") { certificates += load(directory: String(one)) }
        }
        return certificates
    }

    private static func text(_ string: UnsafePointer<CChar>?) -> String? { unsafe string.map { unsafe String(cString: $0) } }

    private static func load(file: String) -> [[UInt8]] {
        ERR_clear_error()
        defer { ERR_clear_error() }
        guard let bio = unsafe BIO_new_file(file, "r") else { return [] }
        defer { unsafe BIO_free(bio) }
        var certificates: [[UInt8]] = []
        while let certificate = unsafe PEM_read_bio_X509_AUX(bio, nil, nil, nil) {
            // OpenSSL's own "TRUSTED CERTIFICATE" may carry rules about purposes, which nobody else knows.
            let hasRules = unsafe X509_get0_reject_objects(certificate) != nil || X509_get0_trust_objects(certificate) != nil
            if !hasRules { certificates.append(unsafe OpenSSLCertificate.encode(certificate)) }
            unsafe X509_free(certificate)
        }
        return certificates
    }

    /// The files named by hash, as `openssl rehash` makes them; everything else in there is not meant to be trusted.
    private static func load(directory: String) -> [[UInt8]] {
        guard let stream = unsafe opendir(directory) else { return [] }
        defer { unsafe closedir(stream) }
        var certificates: [[UInt8]] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            let parts = name.split(separator: ".", omittingEmptySubsequences: false)
            guard parts.count == 2, parts[0].count == 8, parts[0].allSatisfy(\.isHexDigit), !parts[1].isEmpty,
                parts[1].allSatisfy(\.isNumber)
            else { continue }
            certificates += load(file: directory + "/" + name)
        }
        return certificates
    }
}
#endif
