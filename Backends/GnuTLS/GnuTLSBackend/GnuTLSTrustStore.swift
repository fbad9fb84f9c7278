#if GnuTLS
internal import CSslGnuTLS
internal import SslBackend
internal import SslValues

/// Trusted certificates, parsed once and found by their subject.
final class GnuTLSTrustStore: TlsTrustStore {
    private let anchors: [GnuTLSCertificate]
    private let places: [[UInt8]: [Int]]

    var backend: any TlsBackend { GnuTLSBackend.shared }
    var count: Int { anchors.count }
    var certificates: [[UInt8]] { anchors.map(\.der) }

    /// Loads the sources.
    init(_ sources: TlsTrustSources) throws(SslSocketError) {
        var anchors = sources.includesSystem ? try Self.system.get() : []
        for der in sources.anchors { anchors.append(try GnuTLSCertificate(der: der)) }
        var places: [[UInt8]: [Int]] = [:]
        for (index, anchor) in anchors.enumerated() { places[anchor.subjectDer, default: []].append(index) }
        self.anchors = anchors
        self.places = places
    }

    /// The trusted certificates with this subject.
    func anchors(named subject: [UInt8]) -> [GnuTLSCertificate] { (places[subject] ?? []).map { anchors[$0] } }

    func findPath(_ chain: [any X509Certificate]) -> TlsPath {
        guard let first = chain.first else {
            return TlsPath(certificates: [], isAnchored: false, problems: [TlsPathProblem(.noPeerCertificate, depth: 0)])
        }
        guard let leaf = Self.own(first) else {
            return TlsPath(certificates: [first], isAnchored: false, problems: [TlsPathProblem(.malformedCertificate, depth: 0)])
        }
        var finder = GnuTLSPathFinder(store: self, offered: chain.dropFirst().compactMap(Self.own))
        return finder.find(from: leaf)
    }

    /// The certificate as this backend's own: others are parsed from their octets.
    private static func own(_ certificate: any X509Certificate) -> GnuTLSCertificate? {
        (certificate as? GnuTLSCertificate) ?? (try? GnuTLSCertificate(der: certificate.der))
    }

    // MARK: The system's store

    /// Parsed once a process: it takes milliseconds and megabytes.
    private static let system: Result<[GnuTLSCertificate], SslSocketError> = {
        do throws(SslSocketError) {
            return .success(try loadSystem())
        } catch {
            return .failure(error)
        }
    }()

    private static func loadSystem() throws(SslSocketError) -> [GnuTLSCertificate] {
        var made: gnutls_x509_trust_list_t?
        try gnutlsCheck(unsafe gnutls_x509_trust_list_init(&made, 0), .sslInternal, "No trust list can be made")
        guard let list = unsafe made else { throw .gnutls(.sslInternal, "No trust list can be made") }
        defer { unsafe gnutls_x509_trust_list_deinit(list, 1) }
        let native = unsafe gnutls_x509_trust_list_add_system_trust(list, 0, 0)
        // The library answers with the number of certificates, and an empty store is nothing to trust.
        guard native > 0 else {
            throw .gnutls(.unreadableFile, "The system's trust store cannot be loaded or is empty", min(native, 0))
        }
        var certificates: [GnuTLSCertificate] = []
        var iterator: gnutls_x509_trust_list_iter_t?
        defer { unsafe gnutls_x509_trust_list_iter_deinit(iterator) }
        while true {
            var copy: gnutls_x509_crt_t?
            guard unsafe gnutls_x509_trust_list_iter_get_ca(list, &iterator, &copy) == 0, let handle = unsafe copy else { break }
            guard let der = unsafe GnuTLSCertificate.der(of: handle) else {
                unsafe gnutls_x509_crt_deinit(handle)
                continue
            }
            // One odd certificate in the system's bundle must not make the others unusable.
            if let certificate = try? unsafe GnuTLSCertificate(owning: handle, der: der) { certificates.append(certificate) }
        }
        return certificates
    }
}
#endif
