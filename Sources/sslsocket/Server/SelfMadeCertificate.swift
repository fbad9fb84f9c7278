internal import SslSockets
internal import SslTestKit

/// A certificate for this host and the authority that signed it, made when it is needed and kept nowhere.
struct SelfMadeCertificate {
    let credentials: SslCredentials
    let authority: SslCertificate

    /// - Parameter backend: the name of the backend that will show the certificate.
    init(backend: String?) throws(SslSocketError) {
        let root = try TestAuthority.makeRoot("sslsocket serve")
        let loopback = [IpAddress.loopbackIPv4, .loopbackIPv6].map { SslAlternativeName.ipAddress($0.octets) }
        let leaf = TestAuthority.Leaf(commonName: "localhost", names: [.dns(Array("localhost".utf8))] + loopback)
        let identity = try root.issue(leaf, host: "localhost")
        credentials = try identity.credentials(backend: backend)
        authority = try SslCertificate(der: root.certificate, backend: backend)
    }
}
