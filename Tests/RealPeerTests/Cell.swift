internal import SslSockets
internal import SslTestKit
internal import TestProcesses

/// How our end is driven.
enum Drive: String, Sendable, CaseIterable {
    /// A thread that blocks.
    case blocking
    /// A task that suspends.
    case async
}

/// Our backend, and the only version both ends allow.
struct Cell: Sendable, CustomStringConvertible {
    let backend: String
    let version: SslVersion
    var description: String { "\(backend) \(version)" }

    static let all = SslBackends.available.flatMap { backend in
        [SslVersion.tls1_2, .tls1_3].map { Cell(backend: backend, version: $0) }
    }

    /// The option of openssl's programs for the version.
    var opensslOption: String { version == .tls1_3 ? "-tls1_3" : "-tls1_2" }
    /// The priority string of GnuTLS's programs for the version.
    var gnutlsPriority: String { "NORMAL:-VERS-ALL:+VERS-TLS1.\(version == .tls1_3 ? 3 : 2)" }

    /// A client that trusts `identity`, and shows `certificate` if there is one.
    func client(trusting identity: TestIdentity, showing certificate: TestIdentity? = nil, alpn: [String] = []) throws
        -> SslConfiguration
    {
        var configuration = try identity.trustingConfiguration(backend: backend)
        configuration.protocol = SslProtocol(exactly: version)
        configuration.allowedNextProtocols = alpn
        if let certificate { configuration.credentials = [try certificate.credentials(backend: backend)] }
        return configuration
    }

    /// A server that shows `identity`, and requires what `clients` vouches for if there is one.
    func server(showing identity: TestIdentity, clients: TestIdentity? = nil, alpn: [String] = []) throws -> SslConfiguration {
        var configuration = try identity.configuration(backend: backend)
        configuration.protocol = SslProtocol(exactly: version)
        configuration.allowedNextProtocols = alpn
        configuration.peerVerifyMode = .verifyNone
        if let clients {
            configuration.peerVerifyMode = .verifyPeer
            configuration.caCertificates = try clients.anchorCertificates(backend: backend)
        }
        return configuration
    }
}
