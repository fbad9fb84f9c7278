/// The plain dialogue that comes before TLS where a protocol begins unencrypted and switches over (STARTTLS).
///
/// ```swift
/// let socket = try await SslSocket.connect(to: "mail.example.org", port: 587, startTls: .smtp)
/// ```
/// In a plain thread, or step by step:
///
/// ```swift
/// socket.connectToHostEncrypted("mail.example.org", port: 587, startTls: .smtp)
/// guard socket.waitForEncrypted() else { … }
/// ```
/// Nothing that the server said before the encryption counts afterwards: an attacker may have said it, so ask again what it can do. Octets beyond
/// its last answer are refused with ``SslSocketError/Code/unexpectedPlaintext`` (RFC 3207 section 6, CVE-2021-23222), and a server that does not
/// offer encryption, refuses it or answers out of turn ends the connection with ``SslSocketError/Code/handshakeFailed``: it never goes on in plain text.
public enum SslStartTls: String, Sendable, Hashable, CaseIterable {
    /// Mail submission and transfer (RFC 3207).
    case smtp
    /// Mail access (RFC 9051 section 6.2.1).
    case imap
    /// Mail retrieval (RFC 2595 section 4).
    case pop3
    /// Instant messages, client to server (RFC 6120 section 5). The service asked for is ``SslSocket/peerVerifyName``, or the host.
    case xmpp
    /// File transfer: the control connection (RFC 4217). The protection of the data connections is asked for afterwards.
    case ftp
    /// PostgreSQL.
    case postgres
    /// Directories (RFC 4511 section 4.14).
    case ldap

    /// The dialogue up to the point where the server waits for a ClientHello.
    ///
    /// - Parameters:
    ///   - service: the name that the server has to prove.
    ///   - address: of this end.
    func dialogue(with service: String, from address: IpAddress?) -> any Dialogue {
        switch self {
        case .smtp: SmtpDialogue(from: address)
        case .imap: ImapDialogue()
        case .pop3: Pop3Dialogue()
        case .xmpp: XmppDialogue(to: service)
        case .ftp: FtpDialogue()
        case .postgres: PostgresDialogue()
        case .ldap: LdapDialogue()
        }
    }
}
