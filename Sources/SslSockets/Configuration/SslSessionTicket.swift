internal import SslValues

/// A session that can be resumed, with the verdict that was reached when it was made.
///
/// Resumption skips the certificates, so the ticket remembers for whom and under which settings they were judged: it is offered
/// only where the same judgement would be made. It holds secrets; keep it as carefully as a private key.
public struct SslSessionTicket: Sendable, Hashable {
    /// Under what the peer was judged.
    struct Terms: Sendable, Hashable {
        var backend: String
        var libraryVersion: String
        var name: PeerName?
        var verifyMode: SslPeerVerifyMode
        var verifyDepth: Int
        var verification: VerificationSettings
        var caCertificates: [SslCertificate]
        var usesSystemCaCertificates: Bool
        var caCertificateDirectories: [String]
        var credentials: [SslCredentials]
    }
    let terms: Terms
    /// The engine's own form.
    let secret: SecretBytes
    /// The chain the peer showed, DER.
    let peerChain: [[UInt8]]
    /// When the verified path is valid; nil when it was not verified, or with errors.
    let validity: ClosedRange<SslInstant>?
    /// When the ticket was received.
    let received: SslInstant

    /// How many seconds the server means to keep it (`sessionTicketLifeTimeHint`).
    public let lifetimeHint: Int

    /// True when a connection under these terms may offer the ticket at this time.
    func isUsable(under terms: Terms, at time: SslInstant) -> Bool {
        guard self.terms == terms, time <= received.adding(seconds: Int64(min(lifetimeHint, 7 * 86_400))), time >= received else {
            return false
        }
        // Only a peer that was verified without any error may come back unverified.
        guard terms.verifyMode != .verifyNone else { return true }
        return validity.map { $0.contains(time) } ?? false
    }
}

extension SslSessionTicket: CustomStringConvertible, CustomReflectable {
    /// The peer and the lifetime; nothing secret.
    public var description: String { "session ticket (\(lifetimeHint) s)" }
    /// Nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
