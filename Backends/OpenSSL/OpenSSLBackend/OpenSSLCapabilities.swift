#if OpenSSL
internal import CSslOpenSSL
internal import SslBackend
internal import SslValues

/// What the loaded OpenSSL and this backend can do.
enum OpenSSLCapabilities {
    /// Asked from the library once.
    static let found = TlsCapabilities(
        versions: OpenSSLOptions.versions,
        cipherSuites: SslCipher.all.filter { OpenSSLOptions.cipherNames[$0.code] != nil },
        groups: OpenSSLOptions.groups,
        signatureSchemes: OpenSSLOptions.signatureSchemes,
        keyAlgorithms: [.rsa, .rsaPss, .ec, .ed25519, .ed448],
        classes: [.key, .certificate, .socket, .diffieHellman, .ellipticCurve, .dtls, .dtlsCookie],
        features: Set(SslFeature.allCases.filter { lacks[$0] == nil }),
        lacks: lacks, backendOptions: OpenSSLCommands.names)

    /// Why what is missing is missing.
    static let lacks: [SslFeature: String] = [
        .earlyData: "early data is not implemented in this backend yet",
        .pkcs11: "OpenSSL 3 reaches tokens through a provider that is not part of it",
    ]
}
#endif
