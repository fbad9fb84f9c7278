internal import SslBackend
internal import SslValues

/// What a client answers a request for its certificate with.
package typealias SslCredentialsChoice = @Sendable (SslClientCertificateRequest) -> SslCredentials?

/// Puts an engine's question for a client's credentials to the application.
final class CredentialsDesk: TlsCredentialsSource {
    private let choose: SslCredentialsChoice
    private let backend: any TlsBackend

    init(_ choose: @escaping SslCredentialsChoice, backend: any TlsBackend) {
        self.choose = choose
        self.backend = backend
    }

    func credentials(for request: TlsCertificateRequest) throws(SslSocketError) -> TlsCredentials? {
        let told = SslClientCertificateRequest(authorities: request.authorities, signatureSchemes: request.signatureSchemes)
        guard let chosen = choose(told) else { return nil }
        guard let key = chosen.key, !chosen.chain.isEmpty else {
            throw SslSocketError(.invalidUserData, "The credentials chosen for a server have no certificate, or no key")
        }
        return TlsCredentials(chain: chosen.chain.map(\.der), key: try key.handle(for: backend))
    }
}
