internal import SslBackend
internal import SslValues

extension SslConfiguration {
    /// A client asks the server to staple the status of its certificate, and insists on it (`ocspStaplingEnabled`). Default: false.
    ///
    /// With ``SslPeerVerifyMode/verifyPeer`` a missing, malformed, outdated or untrusted response, one about another certificate, and one that says
    /// anything but good are errors like others: they are reported by ``SslSocket/sslErrors``, first in the list, and refused with an alert unless they
    /// are ignored. In Qt a response that cannot be read ends the handshake whatever is ignored. With ``SslPeerVerifyMode/queryPeer`` they are
    /// reported only, and with ``SslPeerVerifyMode/verifyNone`` nothing is asked for.
    ///
    /// Asking is insisting: whether the certificate itself demands a staple (RFC 7633) makes no difference. A client that does not ask is not
    /// protected by such a demand. A client that asks does not resume sessions, for these bring no status.
    ///
    /// On a server it is an error, as in Qt: there, give ``SslCredentials`` a ``SslOcspStapler``.
    public var ocspStaplingEnabled: Bool {
        get { values.ocspStaplingEnabled }
        set { change { $0.ocspStaplingEnabled = newValue } }
    }
}

extension SslConfiguration.Values {
    /// Whether the status of certificates is stapled.
    func staplesStatus(_ role: SslRole, backend: any TlsBackend) throws(SslSocketError) -> Bool {
        switch role {
        case .server:
            if ocspStaplingEnabled {
                throw SslSocketError(
                    .invalidUserData,
                    "ocspStaplingEnabled is a setting of clients; a server staples what the stapler of its credentials has")
            }
            guard credentials.contains(where: { $0.stapler != nil }) else { return false }
        case .client:
            guard ocspStaplingEnabled, peerVerifyMode.effective(for: .client) != .verifyNone else { return false }
        }
        if let reason = backend.capabilities.lacks[.ocsp] { throw .lacking(.ocsp, backend: backend.name, reason: reason) }
        return true
    }
}

/// Answers an engine's question for what to staple.
final class CertificateStatusDesk: TlsCertificateStatusSource {
    /// The credentials in force.
    var credentials: [SslCredentials]

    init(_ credentials: [SslCredentials]) { self.credentials = credentials }

    func status(of leaf: [UInt8]) -> [UInt8]? {
        credentials.first { $0.chain.first?.der == leaf }?.stapler?.response
    }
}
