import SslSockets

/// The configuration of all connections: what a user writes, made once and shared.
func makeConfiguration(_ options: Options) -> SslConfiguration {
    var configuration = SslConfiguration()
    configuration.backend = options.extra["backend"]
    switch options.version {
    case "1.2": configuration.protocol = .tlsV1_2
    case "1.3": configuration.protocol = .tlsV1_3
    default: break
    }
    if let name = options.cipher { configuration.ciphers = ciphers(name) }
    if !options.hasTickets { configuration.options.insert(.disableSessionTickets) }
    do throws(SslSocketError) {
        switch options.role {
        case .server:
            try configuration.setCredentials(certificateFile: options.certificateFile, keyFile: options.keyFile)
            // A public server asks nobody for a certificate.
            configuration.peerVerifyMode = .verifyNone
        case .client:
            configuration.usesSystemCaCertificates = options.extra["trust"] == "system"
            try configuration.addCaCertificates(fromPath: options.authorityFile)
        }
    } catch {
        die("\(error)")
    }
    return configuration
}

/// The suites of both versions that use one cipher.
private func ciphers(_ name: String) -> [SslCipher] {
    let names =
        switch name {
        case "aes128":
            ["TLS_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]
        case "aes256":
            ["TLS_AES_256_GCM_SHA384", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"]
        case "chacha":
            [
                "TLS_CHACHA20_POLY1305_SHA256", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
                "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
            ]
        default: die("unknown cipher \(name)")
        }
    return names.compactMap { SslCipher(name: $0) }
}
