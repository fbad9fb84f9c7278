internal import SslBackend
public import SslValues

/// Accepts TCP connections and makes them TLS servers (`QSslServer` over `QTcpServer`).
///
/// It is `Sendable`: close, pause and reconfigure it from any task while another waits in ``accept()`` or ``run(_:)``.
/// Each connection's handshake runs by itself and is limited in time, so that a silent or slow client delays nobody. Until a client has sent its
/// first octet, its connection costs little more than a descriptor.
///
/// Connections are taken in one of three ways: ``run(_:)`` serves each in a task, ``accept()`` and ``nextPendingConnection()`` hand them out when
/// they are encrypted, and ``waitForNewConnection(timeout:)`` gives a thread a connection whose handshake it then waits for. The first two exclude each other.
///
/// A server that is let go of is closed.
public final class SslServer: Sendable {
    let settings: Lock<ServerSettings>
    private let current = Lock<Listening?>(nil)

    /// Makes a server that does not listen yet (`QSslServer()`).
    ///
    /// - Parameter configuration: of its connections; ``SslConfiguration/default`` when left out. It needs a certificate and a key.
    public init(configuration: SslConfiguration = .default) { settings = Lock(ServerSettings(configuration: configuration)) }

    deinit { current.withLock { $0 }?.close() }

    var reception: Reception { Reception(settings: settings) }
    /// The present time of listening, which may be coming to its end.
    var listening: Listening? { current.withLock { $0 } }

    // MARK: Settings

    /// The settings of connections accepted from now on (`sslConfiguration`); running ones keep theirs, so certificates can be swapped at any time.
    public var sslConfiguration: SslConfiguration {
        get { settings.withLock { $0.configuration } }
        set { settings.withLock { $0.configuration = newValue } }
    }

    /// How long a client may be silent before its first octet, and how long its handshake may take from then on (`handshakeTimeout`).
    /// Default: 5 s; nil for no limit. It holds for connections accepted from now on; a thread that uses ``waitForNewConnection(timeout:)`` sets its own limit when it
    /// waits for the handshake.
    public var handshakeTimeout: Duration? {
        get { settings.withLock { $0.handshakeTimeout } }
        set { settings.withLock { $0.handshakeTimeout = newValue } }
    }

    /// How many connections the system keeps before they are accepted (`listenBacklogSize`). Default: 128, where Qt has 50; takes effect when listening
    /// begins. The system has a limit of its own (`net.core.somaxconn`).
    public var listenBacklogSize: Int {
        get { settings.withLock { $0.backlog } }
        set { settings.withLock { $0.backlog = max(newValue, 1) } }
    }

    /// How many connections may be silent, shaking hands or waiting to be handed out (`maxPendingConnections`); beyond it they wait in the system.
    ///
    /// Default: 4096, where Qt has 30: silent clients count, and thirty of them must not keep all others out until their time is over. It
    /// takes effect at once.
    public var maxPendingConnections: Int {
        get { settings.withLock { $0.maxPending } }
        set { limit { $0.maxPending = max(newValue, 1) } }
    }

    /// How many connections ``run(_:)`` may have at once, those that shake hands included; beyond it they wait in the system. Default: nil, no
    /// limit. It takes effect at once; running connections are not touched. Qt has no such thing.
    public var maxConnections: Int? {
        get { settings.withLock { $0.maxConnections } }
        set { limit { $0.maxConnections = newValue.map { max($0, 1) } } }
    }

    private func limit(_ body: (inout ServerSettings) -> Void) {
        let (pending, connections) = settings.withLock { settings in
            body(&settings)
            return (settings.maxPending, settings.maxConnections)
        }
        listening?.ledger.setLimits(maxPending: pending, maxConnections: connections)
    }

    // MARK: Listening

    /// Listens (`listen`). The configuration is checked first, so that a server without a certificate fails here and not at its clients.
    ///
    /// - Parameters:
    ///   - host: the IP address to listen at. `any`, the default, stands for all addresses, IPv6 and IPv4 (IPv4 alone where there is no IPv6), and
    ///     `localhost` for 127.0.0.1. `::` takes IPv4 too; `0.0.0.0` is IPv4 alone. Names are not looked up.
    ///   - port: 0 for any free one: see ``serverPort``.
    /// - Throws: ``SslSocketError/Code/addressInUse``, ``SslSocketError/Code/addressNotAvailable``, ``SslSocketError/Code/socketAccess`` for a port
    ///   that needs rights, ``SslSocketError/Code/operation`` when it listens already, and what the configuration is unfit for.
    public func listen(host: String = "any", port: UInt16 = 0) throws(SslSocketError) {
        try begin { backlog throws(SslSocketError) in
            switch host.lowercased() {
            case "any": return try SocketDescriptor.listenerAnywhere(port: port, backlog: backlog)
            case "localhost":
                return try SocketDescriptor.listener(at: SocketAddress(.loopbackIPv4, port: port), backlog: backlog)
            default:
                guard let ip = IpAddress(host) else {
                    throw SslSocketError(.addressNotAvailable, "\"\(host)\" is not an IP address to listen at")
                }
                return try SocketDescriptor.listener(at: SocketAddress(ip, port: port), backlog: backlog)
            }
        }
    }

    /// Listens at an address (`listen`): see ``listen(host:port:)``.
    public func listen(at address: SocketAddress) throws(SslSocketError) {
        try begin { backlog throws(SslSocketError) in try SocketDescriptor.listener(at: address, backlog: backlog) }
    }

    /// Takes over a socket that listens already (`setSocketDescriptor`), for example one that systemd passes on (`sd_listen_fds`). The server
    /// owns the descriptor from now on; on failure it stays the caller's.
    ///
    /// Another process that holds the same socket goes on listening after ``close()``.
    /// - Throws: ``SslSocketError/Code/unsupportedOperation`` for a descriptor that is no listening stream socket, and what
    ///   ``listen(host:port:)`` throws.
    public func setSocketDescriptor(_ descriptor: Int32) throws(SslSocketError) {
        try begin(isShared: true) { _ throws(SslSocketError) in try SocketDescriptor.adoptListener(fd: descriptor) }
    }

    private func begin(
        isShared: Bool = false, _ open: (_ backlog: Int) throws(SslSocketError) -> SocketDescriptor
    ) throws(SslSocketError) {
        let settings = settings.withLock { $0 }
        do throws(SslSocketError) {
            _ = try settings.configuration.context(role: .server, asksForPreSharedKeys: settings.preSharedKeyLookup != nil)
            try current.withLock { current throws(SslSocketError) in
                guard current == nil else { throw SslSocketError(.operation, "The server is listening already") }
                current = try Listening(open(settings.backlog), isShared: isShared, settings)
            }
        } catch {
            self.settings.withLock { $0.lastError = error }
            throw error
        }
        if settings.pendingConnection != nil { acceptByItself() }
    }

    /// The server is listening (`isListening`). False from ``close()`` and the beginning of ``shutdown(timeout:)`` on.
    public var isListening: Bool { listening.map { !$0.isStopped } ?? false }
    /// ``shutdown(timeout:)`` waits for the last connections: whoever serves one may hurry.
    public var isShuttingDown: Bool { listening?.isStopped ?? false }
    /// Where it listens (`serverAddress`); nil while it does not, or at a socket that is neither IPv4 nor IPv6.
    public var serverAddress: SocketAddress? { isListening ? listening?.descriptor.localAddress : nil }
    /// The port it listens at; 0 while it does not (`serverPort`).
    public var serverPort: UInt16 { serverAddress?.port ?? 0 }
    /// The listening descriptor (`socketDescriptor`); -1 while there is none. It stays the server's own.
    public var socketDescriptor: Int32 { isListening ? listening?.descriptor.fd ?? -1 : -1 }

    /// The last failure to listen or to accept (`serverError`); nil before any. What fails with a client is no failure of the server.
    public var serverError: SslSocketError? { settings.withLock { $0.lastError } }
    /// The sentence of ``serverError``; empty when there was none (`errorString`).
    public var errorString: String { serverError?.description ?? "" }

    /// Accepts no more until ``resumeAccepting()`` (`pauseAccepting`): new connections wait in the system, running ones and handshakes go on.
    ///
    /// It holds until the server is closed. A thread in ``waitForNewConnection(timeout:)`` asks for a connection itself and is not held up.
    public func pauseAccepting() { listening?.ledger.setPaused(true) }

    /// Accepts again (`resumeAccepting`).
    public func resumeAccepting() { listening?.ledger.setPaused(false) }

    // MARK: The end

    /// Stops listening (`close`); whoever waits in ``accept()`` or ``waitForNewConnection(timeout:)`` gets an error, and ``run(_:)`` returns when the connections it serves have
    /// ended. Clients that have said nothing yet and connections nobody has taken are dropped; those that were handed out go on.
    public func close() {
        let listening = current.withLock { current in
            defer { current = nil }
            return current
        }
        listening?.close()
    }

    /// Stops listening at once and waits until the connections have ended by themselves; what is left at the end of the time is cut.
    ///
    /// It may be called from any task while ``run(_:)`` or ``accept()`` is active in others. Connections of ``run(_:)`` that are served or shake hands
    /// count until their body returns; those of ``accept()`` until they are handed out, for then they are their owner's. Cutting a connection
    /// cancels its task and ends both directions, so that its body finds the end of the stream and its client a truncation. A client that has said nothing yet is let go at once and not counted.
    ///
    /// - Parameter timeout: how long to wait; nil for no limit. Default: 30 s. When the calling task is cancelled, the time is over.
    /// - Returns: how many connections ended by themselves and how many were cut; zeros when the server was not listening.
    @discardableResult
    public func shutdown(timeout: Duration? = .seconds(30)) async -> SslServerShutdown {
        guard let listening else { return SslServerShutdown(finished: 0, aborted: 0) }
        listening.stop()
        let ledger = listening.ledger
        let timer = timeout.map { timeout in
            Task {
                do { try await Task.sleep(for: timeout) } catch { return }
                ledger.abort()
            }
        }
        _ = await withTaskCancellationHandler {
            await ledger.settled()
        } onCancel: {
            ledger.abort()
        }
        timer?.cancel()
        listening.runningQueue?.close()
        current.withLock { current in if current === listening { current = nil } }
        let (finished, aborted) = ledger.outcome
        return SslServerShutdown(finished: finished, aborted: aborted)
    }
}

/// What came of the connections of a server that was shut down.
public struct SslServerShutdown: Sendable, Hashable {
    /// How many ended by themselves in time.
    public var finished: Int
    /// How many were cut.
    public var aborted: Int
}
