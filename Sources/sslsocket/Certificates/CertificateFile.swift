internal import SslSockets

/// Reads certificates and revocation lists that the command line names.
enum CertificateFile {
    /// Every certificate of a PEM file, or the one of a DER file.
    static func certificates(_ path: String, backend: String?) throws(ToolFailure) -> [SslCertificate] {
        try reading { () throws(SslSocketError) in
            do throws(SslSocketError) {
                return try SslCertificate.certificates(fromFile: path, backend: backend)
            } catch {
                guard error.code == .invalidUserData else { throw error }
                return try SslCertificate.certificates(fromFile: path, format: .der, backend: backend)
            }
        }
    }

    /// Every revocation list of a PEM file, or the one of a DER file.
    static func revocationLists(_ path: String) throws(ToolFailure) -> [SslRevocationList] {
        try reading { () throws(SslSocketError) in
            do throws(SslSocketError) {
                return try SslRevocationList.revocationLists(fromFile: path)
            } catch {
                guard error.code == .invalidUserData else { throw error }
                return try SslRevocationList.revocationLists(fromFile: path, format: .der)
            }
        }
    }

    private static func reading<T>(_ body: () throws(SslSocketError) -> T) throws(ToolFailure) -> T {
        do {
            return try body()
        } catch {
            // A file that holds the wrong thing is no wrong usage.
            throw error.code == .invalidUserData ? ToolFailure(.unreadable, error.description) : ToolFailure(error)
        }
    }
}
