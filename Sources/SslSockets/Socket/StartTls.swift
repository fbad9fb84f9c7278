internal import SslBackend
public import SslValues

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

extension SslSocket {
    /// Connects, speaks the plain dialogue of `startTls` and encrypts as a client (`connectToHostEncrypted` with what Qt leaves to the application).
    ///
    /// It only begins: wait with `waitForEncrypted(timeout:)`, which counts the dialogue in. What is written meanwhile is queued and
    /// leaves encrypted. ``connected`` is emitted before the dialogue.
    public func connectToHostEncrypted(
        _ host: String, port: UInt16, startTls: SslStartTls, peerVerifyName: String? = nil,
        protocol family: SslNetworkProtocol = .any
    ) {
        if let peerVerifyName { self.peerVerifyName = peerVerifyName }
        beginConnecting(host, port, family, encrypting: true, startTls: startTls)
    }

    /// Speaks the plain dialogue of `startTls` on a connected, plain socket, then begins a client handshake.
    ///
    /// What was received and not read yet is taken as the beginning of the dialogue. What was written before leaves before it, in plain text; what is
    /// written afterwards is encrypted.
    public func startClientEncryption(after startTls: SslStartTls) {
        guard canStartEncryption(), case .open(let descriptor) = stage else { return }
        do throws(SslSocketError) {
            connection = try TlsConnection(clientTo: peerVerifyName ?? peerName, configuration: sslConfiguration)
        } catch {
            return fail(error)
        }
        accountForPlainOutput()
        beginDialogue(startTls, over: descriptor, early: incoming.take(.max))
    }

    /// Begins the dialogue; the connection it leads to is made already, so that nothing written from now on leaves in plain text.
    func beginDialogue(_ startTls: SslStartTls, over descriptor: SocketDescriptor, early: [UInt8]) {
        let dialogue = startTls.dialogue(with: peerVerifyName ?? peerName, from: descriptor.localAddress?.ip)
        opening = DialogueRun(dialogue, over: descriptor, received: early)
        speakBeforeTls()
    }

    /// Goes on with the dialogue before TLS as far as it is possible now.
    func speakBeforeTls() {
        guard let opening else { return }
        output.drain()
        accountForPlainOutput()
        if output.failure != 0 { return fail(IOErrors.sending(output.failure, to: peerName)) }
        // What was written before in plain text leaves first.
        guard output.count == 0 else { return mayReceive = false }
        switch opening.progress() {
        case .waiting, .needsCredentials: mayReceive = false
        case .done: finishDialogue(leftover: opening.takeLeftover())
        case .ended: fail(SslSocketError(.remoteHostClosed, "The server ended the connection before it answered STARTTLS"))
        case .broken(let code): fail(IOErrors.receiving(code, from: peerName))
        case .failed(let error): fail(error)
        }
    }

    private func finishDialogue(leftover: [UInt8]) {
        opening = nil
        guard leftover.isEmpty else {
            return fail(
                SslSocketError(
                    .unexpectedPlaintext,
                    "The server sent \(leftover.count) octets beyond its answer to STARTTLS; they may have been slipped in by an attacker"
                ))
        }
        let epoch = epoch
        if beginEncryption(.sslClient), epoch == self.epoch { pushOut() }
    }

    /// Connects, speaks the plain dialogue of `startTls` and encrypts as a client.
    ///
    /// - Parameters:
    ///   - host: a name or an address; the peer's certificate must prove it.
    ///   - port: the TCP port.
    ///   - startTls: what the server speaks before TLS.
    ///   - proxy: the way there; ``SslProxy/default`` when left out.
    ///   - configuration: the settings; ``SslConfiguration/default`` when left out.
    ///   - timeout: for everything up to the end of the handshake; nil for no limit.
    /// - Throws: ``SslSocketError``; ``SslSocketError/Code/handshakeFailed`` when the server does not offer encryption,
    ///   ``SslSocketError/Code/peerVerificationFailed`` when its certificate is refused.
    public static func connect(
        to host: String, port: UInt16, startTls: SslStartTls, proxy: SslProxy = .default,
        configuration: SslConfiguration = .default,
        timeout: Duration? = .seconds(30)
    ) async throws(SslSocketError) -> sending SslSocket {
        let socket = SslSocket(configuration: configuration)
        socket.proxy = proxy
        socket.connectToHostEncrypted(host, port: port, startTls: startTls)
        try await socket.becomeEncrypted(timeout)
        return socket
    }

    /// Connects through a proxy and encrypts as a client: see ``connect(to:port:configuration:timeout:)``.
    ///
    /// - Throws: also ``SslSocketError/Code/proxyAuthenticationRequired`` and its neighbours when the proxy is to blame.
    public static func connect(
        to host: String, port: UInt16, proxy: SslProxy, configuration: SslConfiguration = .default,
        timeout: Duration? = .seconds(30)
    ) async throws(SslSocketError) -> sending SslSocket {
        let socket = SslSocket(configuration: configuration)
        socket.proxy = proxy
        socket.connectToHostEncrypted(host, port: port)
        try await socket.becomeEncrypted(timeout)
        return socket
    }

    /// Waits until the connection is encrypted, and gives it up when it does not become so.
    private func becomeEncrypted(_ timeout: Duration?) async throws(SslSocketError) {
        guard !(await suspend(until: .encrypted, timeout: timeout)) else { return }
        let error = error
        abort()
        throw error ?? SslSocketError(.remoteHostClosed, "The connection ended before it was encrypted")
    }
}
