internal import SslBackend
public import SslValues

// Whose certificates are trusted.
extension SslConfiguration {
    /// CA certificates trusted *besides* the system's (`caCertificates`). Default: none.
    ///
    /// Unlike Qt, adding one never removes the system's, and neither does changing this list: see ``usesSystemCaCertificates`` and
    /// ``setCaCertificates(_:)``. Any certificate may stand here, also an intermediate or a server's own: it is trusted as it is. One that has
    /// expired proves nothing.
    public var caCertificates: [SslCertificate] {
        get { values.caCertificates }
        set { change { $0.caCertificates = newValue } }
    }

    /// Trusts the certificates of the system's store, which is loaded when first needed. Default: true. Set it to false to trust
    /// ``caCertificates`` alone.
    public var usesSystemCaCertificates: Bool {
        get { values.usesSystemCaCertificates }
        set { change { $0.usesSystemCaCertificates = newValue } }
    }

    /// Directories of CA certificates that are trusted besides, in PEM files named by hash as `openssl rehash` makes them. Default: none.
    ///
    /// Nothing is read before a certificate has to be verified, and then only the files of the issuer in question: what Qt calls loading root
    /// certificates on demand. A certificate that is put in later is found; one that was used and is taken out is trusted until no
    /// configuration uses the directory any more. A directory that is not there trusts nobody. Beyond Qt.
    public var caCertificateDirectories: [String] {
        get { values.caCertificateDirectories }
        set { change { $0.caCertificateDirectories = newValue } }
    }

    /// Trusts these certificates and no others (`setCaCertificates`): as in Qt, the system's are not trusted any more, not even when the
    /// list is empty, and neither are those of ``caCertificateDirectories``.
    public mutating func setCaCertificates(_ certificates: [SslCertificate]) {
        change {
            $0.caCertificates = certificates
            $0.usesSystemCaCertificates = false
            $0.caCertificateDirectories = []
        }
    }

    /// Trusts one more CA certificate (`addCaCertificate`).
    public mutating func addCaCertificate(_ certificate: SslCertificate) { addCaCertificates([certificate]) }

    /// Trusts more CA certificates (`addCaCertificates`).
    public mutating func addCaCertificates(_ certificates: [SslCertificate]) { change { $0.caCertificates += certificates } }

    /// Trusts every certificate of a file, or of every file that matches a pattern (`addCaCertificates(path, format, syntax)`).
    ///
    /// - Returns: false when nothing was found, and nothing is changed then.
    /// - Throws: as ``SslCertificate/fromPath(_:format:syntax:backend:)``; nothing is changed then.
    @discardableResult
    public mutating func addCaCertificates(
        fromPath path: String, format: SslEncodingFormat = .pem, syntax: SslPatternSyntax = .fixedString
    ) throws(SslSocketError) -> Bool {
        let list = try SslCertificate.fromPath(path, format: format, syntax: syntax, backend: values.backend)
        if !list.isEmpty { addCaCertificates(list) }
        return !list.isEmpty
    }

    /// The certificates of the system's trust store (`systemCaCertificates`). The first call loads it; later ones only copy it.
    ///
    /// - Parameter backend: the name of the backend that reads them, each where its library looks for them; nil for the active one.
    /// - Throws: ``SslSocketError/Code/noBackend``, ``SslSocketError/Code/unreadableFile`` when the system has none.
    public static func systemCaCertificates(backend: String? = nil) throws(SslSocketError) -> [SslCertificate] {
        let engine = try SslBackends.resolve(backend)
        let store = try TrustStores.store(TlsTrustSources(includesSystem: true), backend: engine)
        // One odd certificate in the system's bundle must not hide the others.
        return store.certificates.compactMap { der in (try? engine.makeCertificate(der: der)).map { SslCertificate($0) } }
    }
}
