package import SslBackend
public import SslValues

extension SslCertificate {
    /// Judges a chain as a handshake would (`QSslCertificate::verify`): the same function, so the same answer, on every backend.
    ///
    /// - Parameters:
    ///   - chain: the certificates, leaf first; the order of the others does not matter, and extra ones do no harm.
    ///   - hostName: the host name or IP address to prove; empty (Qt's default): none.
    ///   - purpose: what the leaf must be good for. Default: a server's certificate. nil: anything. Qt always takes a server's.
    ///   - time: when. Default: now.
    ///   - configuration: the trusted certificates, the depth, revocation lists and policy, pins, profile, and the backend. Default:
    ///     ``SslConfiguration/default``. Its ``SslConfiguration/peerVerifyMode`` does not matter here.
    /// - Returns: every problem: first the name's, then the pins', then those of the path from the leaf upwards; in the order of their codes for one
    ///   certificate. Empty when all is well. Of several possible paths, those of the one with the fewest.
    /// - Throws: ``SslSocketError/Code/noBackend``, ``SslSocketError/Code/unreadableFile`` when the system's trusted certificates cannot be
    ///   loaded, ``SslSocketError/Code/invalidUserData`` when `hostName` cannot be one.
    public static func verify(
        _ chain: [SslCertificate], hostName: String = "", purpose: SslPurpose? = .serverAuthentication, time: SslInstant = .now,
        configuration: SslConfiguration = .default
    ) throws(SslSocketError) -> [SslError] {
        try configuration.values.verification.validate()
        let name = hostName.isEmpty ? nil : try PeerName(hostName)
        var verification = PeerVerification(purpose: purpose, name: name, time: time, depth: configuration.peerVerifyDepth)
        verification.requiresName = false
        verification.settings = configuration.values.verification
        return verification.judge(chain.map(\.der), store: try configuration.trustStore()).errors
    }
}

extension SslConfiguration {
    /// What is trusted, in the hands of the backend.
    package func trustStore() throws(SslSocketError) -> any TlsTrustStore {
        let backend = try SslBackends.resolve(values.backend)
        return try TrustStores.store(values.trustSources, backend: backend)
    }
}

extension SslConfiguration.Values {
    /// Where trusted certificates come from.
    var trustSources: TlsTrustSources {
        TlsTrustSources(
            includesSystem: usesSystemCaCertificates, anchors: caCertificates.map(\.der), directories: caCertificateDirectories)
    }
}
