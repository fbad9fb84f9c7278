internal import SslBackend
public import SslSockets
public import SslValues

/// A certificate chain with its key, and what a peer has to trust and to ask for in order to accept it.
public struct TestIdentity: Sendable {
    /// What is sent: DER, leaf first.
    public var chain: [[UInt8]]
    /// The private key of the leaf.
    public var key: SslKey
    /// The certificates (DER) a peer trusts.
    public var anchors: [[UInt8]]
    /// The name a client connects to.
    public var host: String

    /// Puts an identity together.
    public init(chain: [[UInt8]], key: SslKey, anchors: [[UInt8]], host: String = TestIdentity.defaultHost) {
        self.chain = chain
        self.key = key
        self.anchors = anchors
        self.host = host
    }

    /// The name of servers in tests; RFC 6761 keeps `.test` free for them.
    public static let defaultHost = "server.example.test"

    /// The chain and key as a configuration takes them.
    ///
    /// - Parameter backend: the name of the backend that reads the certificates; nil for the active one.
    public func credentials(backend: String? = nil) throws(SslSocketError) -> SslCredentials {
        SslCredentials(chain: try Self.certificates(chain, backend), key: key)
    }

    /// What a peer trusts, as a configuration takes it.
    public func anchorCertificates(backend: String? = nil) throws(SslSocketError) -> [SslCertificate] {
        try Self.certificates(anchors, backend)
    }

    /// A configuration that shows this identity: the server of a test, or a client with a certificate.
    public func configuration(backend: String? = nil) throws(SslSocketError) -> SslConfiguration {
        var configuration = SslConfiguration()
        configuration.backend = backend
        configuration.usesSystemCaCertificates = false
        configuration.credentials = [try credentials(backend: backend)]
        return configuration
    }

    /// A configuration that trusts the anchors of this identity and nothing else: its peer in a test.
    public func trustingConfiguration(backend: String? = nil) throws(SslSocketError) -> SslConfiguration {
        var configuration = SslConfiguration()
        configuration.backend = backend
        configuration.usesSystemCaCertificates = false
        configuration.caCertificates = try anchorCertificates(backend: backend)
        return configuration
    }

    private static func certificates(_ list: [[UInt8]], _ backend: String?) throws(SslSocketError) -> [SslCertificate] {
        var result: [SslCertificate] = []
        for der in list { result.append(try SslCertificate(der: der, backend: backend)) }
        return result
    }
}
