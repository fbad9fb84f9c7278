internal import SslBackend
internal import SslSockets
internal import SslTestKit
internal import Testing

/// A backend as an argument of a test.
struct BackendUnderTest: Sendable, CustomTestStringConvertible {
    let backend: any TlsBackend
    var testDescription: String { backend.name }

    /// Every backend that is linked in.
    static let all: [BackendUnderTest] = SslBackends.all.map(BackendUnderTest.init)

    /// The backend signs and reads its own certificates.
    func certificates() throws -> TestCertificates { try TestCertificates.shared(issuedBy: backend.name) }

    /// Settings of a server with a good certificate.
    func serverSettings() throws -> TlsSettings {
        let identity = try certificates().identity(.valid)
        let trust = try backend.makeTrustStore(TlsTrustSources(includesSystem: false, anchors: identity.anchors))
        var settings = TlsSettings(role: .server, trust: trust)
        settings.credentials = [TlsCredentials(chain: identity.chain, key: try identity.key.handle(for: backend))]
        return settings
    }

    /// Settings of a client that trusts it.
    func clientSettings() throws -> TlsSettings {
        let identity = try certificates().identity(.valid)
        return TlsSettings(
            role: .client, trust: try backend.makeTrustStore(TlsTrustSources(includesSystem: false, anchors: identity.anchors)))
    }
}

/// Keeps what it is given.
final class CollectingSink: TlsSink {
    var octets: [UInt8] = []
    func put(_ bytes: UnsafeRawBufferPointer) { octets += unsafe [UInt8](bytes) }
}

/// The error that `body` throws; nil when it throws none.
func errorOf(_ body: () throws(SslSocketError) -> Void) -> SslSocketError? {
    do throws(SslSocketError) {
        try body()
        return nil
    } catch {
        return error
    }
}
