internal import SslBackend
public import SslSockets
public import SslValues

/// One end of a ``MemoryPipe``: a TLS connection driven without a socket, and a record of what became of it.
///
/// It belongs to one thread at a time.
public final class PipeEndpoint {
    /// The connection it drives.
    package let connection: TlsConnection
    /// Where the connection puts its ciphertext.
    package let output = SocketOutput()
    private var inbox: [UInt8] = []
    private var inboxHasEnded = false
    /// The connection has to be called although no octets have come: to begin, or after an answer.
    private var isDue = true
    private var plaintext = ByteQueue()

    /// How it decides.
    public var policy = EndpointPolicy()
    /// The plaintext that arrived.
    public private(set) var received: [UInt8] = []
    /// The alerts that left, close_notify included.
    public private(set) var alertsSent: [SslAlert] = []
    /// The alerts that came.
    public private(set) var alertsReceived: [SslAlert] = []
    /// The session tickets a client got, in order.
    public private(set) var tickets: [SslSessionTicket] = []
    /// How often the peer changed its keys after the handshake.
    public private(set) var keyUpdates = 0
    /// How often a client was asked for its certificate after the handshake.
    public private(set) var certificateRequests = 0
    /// How often a client's certificate that was asked for after the handshake was accepted and proved.
    public private(set) var lateProofs = 0
    /// The lines for a key log file, where the configuration asks for one.
    public private(set) var keyLog: [String] = []
    /// The handshake was completed at some time.
    public private(set) var isEstablished = false
    /// The peer ended the connection properly.
    public private(set) var isClosedByPeer = false
    /// This end sent close_notify.
    public private(set) var isClosed = false
    /// What ended the connection; nil while nothing did.
    public private(set) var error: SslSocketError?
    /// How often a question about the peer's certificate was found open.
    public private(set) var openQuestions = 0

    /// Makes a client.
    ///
    /// - Parameter credentials: chooses what it shows to a server that asks.
    public init(
        clientTo host: String, configuration: SslConfiguration,
        credentials: (@Sendable (SslClientCertificateRequest) -> SslCredentials?)? = nil
    ) throws(SslSocketError) {
        connection = try TlsConnection(clientTo: host, configuration: configuration, credentials: credentials)
    }

    /// Makes a server.
    public init(
        server configuration: SslConfiguration, clientHello: (@Sendable (SslClientHello) -> SslClientHelloChoice)? = nil
    ) throws(SslSocketError) {
        connection = try TlsConnection(server: configuration, asksAboutClientHello: clientHello != nil)
        policy.clientHello = clientHello
    }

    // MARK: Driving it

    /// Hands over octets that arrived; they are worked in by ``work()``.
    public func take(_ octets: [UInt8], isEnd: Bool = false) {
        inbox += octets
        if isEnd { inboxHasEnded = true }
    }

    /// Goes on as far as possible with what is there. True when something happened.
    @discardableResult
    public func work() -> Bool {
        var hasMoved = false
        while advance() { hasMoved = true }
        return hasMoved
    }

    /// Ciphertext to be carried to the peer.
    public func takeOutput() -> [UInt8] {
        var octets = output.take()
        // Taking makes room for plaintext that was waiting for it.
        while connection.bytesToEncrypt > 0, connection.flush(output) > 0 { octets += output.take() }
        return octets
    }

    /// Encrypts plaintext, or queues it until the handshake is complete.
    public func write(_ octets: [UInt8]) {
        unsafe octets.withUnsafeBytes { _ = unsafe connection.write($0, output) }
        _ = connection.flush(output)
        collect()
    }

    /// Changes this end's keys, and asks the peer to change its own when `requestsPeer`.
    public func updateKeys(requestsPeer: Bool = true) throws(SslSocketError) {
        try connection.updateKeys(requestsPeer: requestsPeer, output)
    }

    /// Sends close_notify; nothing is sent before the handshake is complete.
    public func close() {
        guard isEstablished, !isClosed else { return }
        _ = connection.flush(output)
        connection.close(output)
        isClosed = true
        collect()
    }

    /// One step. True when it may be worth another.
    private func advance() -> Bool {
        defer { collect() }
        switch connection.phase {
        case .handshaking:
            guard let (octets, isEnd) = nextInput() else { return false }
            let turn = unsafe octets.withUnsafeBytes {
                unsafe connection.handshake(TlsInput($0, isEndOfStream: isEnd), output)
            }
            if case .progressed = turn {
                isEstablished = true
                isDue = true
                _ = connection.flush(output)
            }
            return true
        case .established:
            guard policy.reads, let (octets, isEnd) = nextInput() else { return false }
            let turn = unsafe octets.withUnsafeBytes {
                unsafe connection.receive(TlsInput($0, isEndOfStream: isEnd), into: &plaintext, limit: .max, output).turn
            }
            received += plaintext.take()
            if case .progressed = turn { isDue = true }
            return true
        case .awaitingVerdict(let errors): return decide(errors)
        case .awaitingClientHello: return choose()
        case .halfClosed:
            guard !isClosedByPeer else { return false }
            isClosedByPeer = true
            if policy.closesBack { close() }
            return true
        case .ended(let reason):
            guard error == nil else { return false }
            error = reason
            return true
        }
    }

    private func nextInput() -> (octets: [UInt8], isEnd: Bool)? {
        guard isDue || !inbox.isEmpty || inboxHasEnded else { return nil }
        defer {
            isDue = false
            inbox = []
            inboxHasEnded = false
        }
        return (inbox, inboxHasEnded)
    }

    private func decide(_ errors: [SslError]) -> Bool {
        openQuestions += 1
        if policy.undecidedRounds > 0 {
            if policy.undecidedRounds != .max { policy.undecidedRounds -= 1 }
            return false
        }
        let isLenient = connection.verifyMode != .verifyPeer
        connection.answerVerification(accept: isLenient || policy.isAccepting(errors))
        isDue = true
        return true
    }

    private func choose() -> Bool {
        if policy.undecidedHelloRounds > 0 {
            if policy.undecidedHelloRounds != .max { policy.undecidedHelloRounds -= 1 }
            return false
        }
        defer { isDue = true }
        guard let hook = policy.clientHello, let hello = connection.clientHello else {
            connection.answerClientHello(nil)
            return true
        }
        let names = hello.applicationProtocols.map { String(decoding: $0, as: UTF8.self) }
        switch hook(SslClientHello(serverName: hello.serverName, applicationProtocols: names)) {
        case .proceed: connection.answerClientHello(nil)
        case .use(let configuration): connection.answerClientHello(configuration)
        case .refuse:
            connection.refuseClientHello(
                .unrecognizedName,
                SslSocketError(.handshakeFailed, "The server name was refused", backend: connection.backendName))
        }
        return true
    }

    /// True while a question is open that the policy means to answer later.
    var isUndecided: Bool {
        switch connection.phase {
        case .awaitingVerdict, .awaitingClientHello: true
        default: false
        }
    }

    private func collect() {
        guard connection.hasEvents else { return }
        for event in connection.takeEvents() {
            switch event {
            case .alertSent(let alert): alertsSent.append(alert)
            case .alertReceived(let alert): alertsReceived.append(alert)
            case .sessionTicket(let secret, let lifetime):
                if connection.keepsSessions, let ticket = connection.ticket(secret, lifetime: lifetime) { tickets.append(ticket) }
            case .keysUpdated: keyUpdates += 1
            case .keyLog(let line): keyLog.append(line)
            case .clientCertificateRequested: certificateRequests += 1
            case .clientAuthenticated: lateProofs += 1
            }
        }
    }
}
