/// Switches of a configuration (`QSsl::SslOptions`), with Qt's raw values.
///
/// Each forbids something. Leaving one out permits it, and does not demand it: what a switch of Qt's forbids and no backend does in any case stays
/// undone. ``default`` differs from Qt's by ``disableSessionPersistence``: tickets are kept unless that is switched on.
public struct SslOptions: OptionSet, Sendable, Hashable {
    /// The bits.
    public let rawValue: Int
    /// Makes a set of these bits.
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// What a configuration starts with: ``disableEmptyFragments``, ``disableCompression`` and ``disableLegacyRenegotiation``.
    public static let `default`: SslOptions = [.disableEmptyFragments, .disableCompression, .disableLegacyRenegotiation]

    /// No empty records before others (`SslOptionDisableEmptyFragments`). They concern CBC suites of TLS 1.0 alone; there is nothing to switch,
    /// for GnuTLS makes none, and OpenSSL has no TLS 1.0 at the security level used here.
    public static let disableEmptyFragments = SslOptions(rawValue: 0x01)
    /// No session tickets, neither made nor accepted (`SslOptionDisableSessionTickets`).
    public static let disableSessionTickets = SslOptions(rawValue: 0x02)
    /// No compression (`SslOptionDisableCompression`). Never done, for it betrays secrets (RFC 9325 section 3.3).
    public static let disableCompression = SslOptions(rawValue: 0x04)
    /// A client sends no server name (`SslOptionDisableServerNameIndication`).
    public static let disableServerNameIndication = SslOptions(rawValue: 0x08)
    /// No renegotiation in the old, unsafe way (`SslOptionDisableLegacyRenegotiation`). No renegotiation at all is ever done (RFC 9325 section 3.5).
    public static let disableLegacyRenegotiation = SslOptions(rawValue: 0x10)
    /// A client neither keeps its sessions nor offers one (`SslOptionDisableSessionSharing`). Here it means the same as
    /// ``disableSessionPersistence``, for sessions are shared between connections by tickets alone, never by session ids.
    public static let disableSessionSharing = SslOptions(rawValue: 0x20)
    /// A client neither keeps its sessions nor offers one (`SslOptionDisableSessionPersistence`): ``SslSocket/sessionTicket`` stays nil,
    /// ``SslSocket/newSessionTicketReceived`` is silent, and ``SslConfiguration/sessionTicket`` is not used.
    public static let disableSessionPersistence = SslOptions(rawValue: 0x40)
    /// The client's order of cipher suites counts on a server, not the server's own (`SslOptionDisableServerCipherPreference`).
    public static let disableServerCipherPreference = SslOptions(rawValue: 0x80)

    /// A client may keep and resume sessions.
    package var allowsResumption: Bool { isDisjoint(with: [.disableSessionSharing, .disableSessionPersistence]) }
}
