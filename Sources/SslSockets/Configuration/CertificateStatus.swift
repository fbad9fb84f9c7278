internal import SslBackend
public import SslValues

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

/// The status of a server's certificate, to be stapled to it for clients that ask (RFC 6066 section 8, RFC 8446 section 4.4.2.1). Beyond Qt.
///
/// It is shared by every connection of the credentials it belongs to, and can be renewed from any thread at any time, without a restart:
///
/// ```swift
/// let stapler = try SslOcspStapler(file: "server.ocsp")
/// configuration.credentials[0].stapler = stapler
/// // later, when the responder was asked again
/// try stapler.reload()
/// ```
///
/// A response that has expired is not stapled any more, so that a client complains about a missing one instead.
public final class SslOcspStapler: Sendable {
    private struct Staple {
        var octets: [UInt8]
        var end: SslInstant?
    }
    private let staple: Lock<Staple?>
    private let path: String?

    /// With nothing to staple yet.
    public init() {
        staple = Lock(nil)
        path = nil
    }

    /// With a response in DER.
    /// - Throws: ``SslSocketError/Code/invalidUserData``: see ``update(_:)``.
    public init(response: [UInt8]) throws(SslSocketError) {
        staple = Lock(try Self.read(response))
        path = nil
    }

    /// With the response (DER) of a file, as a responder gave it.
    /// - Throws: ``SslSocketError/Code/unreadableFile``, ``SslSocketError/Code/invalidUserData``.
    public init(file path: String) throws(SslSocketError) {
        staple = Lock(try Self.read(FileReader.read(path)))
        self.path = path
    }

    /// With octets that may be anything, for tests of clients.
    package init(unchecked octets: [UInt8]) {
        staple = Lock(Staple(octets: octets, end: nil))
        path = nil
    }

    /// Staples another response (DER) from now on.
    /// - Throws: ``SslSocketError/Code/invalidUserData`` when it is malformed, or the error message of a responder; the old one stays then.
    public func update(_ response: [UInt8]) throws(SslSocketError) {
        let fresh = try Self.read(response)
        staple.withLock { $0 = fresh }
    }

    /// Reads the file again that the stapler was made with.
    /// - Throws: as ``init(file:)``, and ``SslSocketError/Code/operation`` when there is no file; the old response stays then.
    public func reload() throws(SslSocketError) {
        guard let path else { throw SslSocketError(.operation, "The stapler was not made with a file") }
        try update(FileReader.read(path))
    }

    /// Staples nothing any more.
    public func clear() { staple.withLock { $0 = nil } }

    /// What is stapled now; nil for nothing, or when it has expired.
    public var response: [UInt8]? {
        guard let now = staple.withLock({ $0 }) else { return nil }
        if let end = now.end, TlsClock.now > end { return nil }
        return now.octets
    }

    private static func read(_ octets: [UInt8]) throws(SslSocketError) -> Staple {
        guard let message = OcspMessage(octets) else {
            throw SslSocketError(.invalidUserData, "The octets are not an OCSP response in DER")
        }
        guard let basic = message.basic, !basic.responses.isEmpty else {
            throw SslSocketError(
                .invalidUserData, "The OCSP response says nothing about a certificate: its status is \(message.status)")
        }
        return Staple(octets: octets, end: basic.responses.compactMap(\.nextUpdate).min())
    }
}

extension SslOcspStapler: Hashable {
    public static func == (a: SslOcspStapler, b: SslOcspStapler) -> Bool { a === b }
    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
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
