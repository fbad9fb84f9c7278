internal import SslSockets
public import SslTestKit

/// Certificates of the test kit as files, for other programs.
public struct CertificateFiles: Sendable {
    private let folder: ScratchFolder
    /// The chain, leaf first.
    public let chain: String
    /// The leaf alone.
    public let leaf: String
    /// The private key.
    public let key: String
    /// What the peer trusts.
    public let anchors: String
    /// What the files hold.
    public let identity: TestIdentity

    /// Writes an identity of that kind.
    public init(_ kind: TestCertificate) throws { try self.init(TestCertificates.shared().identity(kind)) }

    /// Writes an identity.
    public init(_ identity: TestIdentity) throws {
        self.identity = identity
        folder = try ScratchFolder()
        chain = try folder.write(Self.pem(identity.chain), to: "chain.pem")
        leaf = try folder.write(Self.pem(Array(identity.chain.prefix(1))), to: "leaf.pem")
        key = try folder.write(identity.key.pem, to: "key.pem")
        anchors = try folder.write(Self.pem(identity.anchors), to: "anchors.pem")
    }

    private static func pem(_ list: [[UInt8]]) throws -> String {
        try list.map { try SslCertificate(der: $0).pem }.joined()
    }
}
