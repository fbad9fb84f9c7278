#if GnuTLS
internal import CSslGnuTLS
internal import SslBackend
internal import SslValues

/// What the loaded library can do, asked of the library once.
enum GnuTLSCapabilities {
    /// The versions the library was built with.
    static let versions: Set<SslVersion> = {
        let present = unsafe list(gnutls_protocol_list()) { $0.rawValue }
        return Set(GnuTLSNames.versions.filter { present.contains($0.native.rawValue) }.map(\.version))
    }()

    /// The groups the library was built with.
    static let groups: [SslGroup] = {
        let present = unsafe list(gnutls_group_list()) { $0.rawValue }
        return GnuTLSNames.groups.filter { present.contains($0.native.rawValue) }.map(\.group)
    }()

    /// All of it.
    static let all: TlsCapabilities = {
        let features = Set(SslFeature.allCases).subtracting(lacks.keys)
        return TlsCapabilities(
            versions: versions, cipherSuites: GnuTLSNames.suites.map(\.cipher), groups: groups,
            signatureSchemes: GnuTLSNames.schemes.map { SslSignatureScheme(code: $0.code) },
            keyAlgorithms: [.rsa, .rsaPss, .ec, .ed25519, .ed448],
            classes: [.key, .certificate, .socket, .diffieHellman, .ellipticCurve, .dtls, .dtlsCookie], features: features,
            lacks: lacks,
            backendOptions: [GnuTLSPriority.option])
    }()

    /// What does not work, and why.
    static let lacks: [SslFeature: String] = [
        .pskSha384: "GnuTLS binds the pre-shared keys of TLS 1.3 to SHA-256 only",
        .interchangeableTickets:
            "tickets and the keys that seal them have a form of the library's own",
        .earlyData: "the library's early data is not connected in this version",
        .exactCipherOrder: "a priority string orders key exchanges and ciphers separately, so it can only name a set of suites",
    ]

    /// Reads one of the library's lists, which end with a zero.
    private static func list<T>(_ start: UnsafePointer<T>?, _ number: (T) -> UInt32) -> Set<UInt32> {
        var found: Set<UInt32> = []
        guard var next = unsafe start else { return found }
        while unsafe number(next.pointee) != 0 {
            found.insert(unsafe number(next.pointee))
            unsafe next += 1
        }
        return found
    }
}
#endif
