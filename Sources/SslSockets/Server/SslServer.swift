internal import CSslLinux
internal import SslBackend
public import SslValues

/// Accepts TCP connections and makes them TLS servers (`QSslServer` over `QTcpServer`).
///
/// It is `Sendable`: close, pause and reconfigure it from any task while another waits in ``accept()`` or ``run(_:)``.
/// Each connection's handshake runs by itself and is limited in time, so that a silent or slow client delays nobody.
public final class SslServer: Sendable {
    private struct State {
        var configuration: SslConfiguration
        var handshakeTimeout: Duration? = .seconds(5)
        var backlog = 128
        var maxPending = 1024
        var selection: (@Sendable (SslClientHello) -> SslClientHelloChoice)?
        var preSharedKeyLookup: (@Sendable (_ identity: [UInt8]) -> SslPreSharedKey?)?
        var failureHook: (@Sendable (SslSocketError) -> Void)?
        var listener: SocketDescriptor?
        var registration: Registration?
        var isClosed = false
        var acceptor: AcceptQueue?
    }
    private let state: Lock<State>

    /// Makes a server that does not listen yet.
    public init(configuration: SslConfiguration) { state = Lock(State(configuration: configuration)) }

    /// The settings of connections accepted from now on (`sslConfiguration`); running ones keep theirs, so certificates can be swapped at any time.
    public var sslConfiguration: SslConfiguration {
        get { state.withLock { $0.configuration } }
        set { state.withLock { $0.configuration = newValue } }
    }

    /// How long a handshake may take (`handshakeTimeout`). Default: 5 s; nil for no limit.
    public var handshakeTimeout: Duration? {
        get { state.withLock { $0.handshakeTimeout } }
        set { state.withLock { $0.handshakeTimeout = newValue } }
    }

    /// How many connections the system keeps before they are accepted (`listenBacklogSize`). Default: 128; takes effect with ``listen(host:port:)``.
    public var listenBacklogSize: Int {
        get { state.withLock { $0.backlog } }
        set { state.withLock { $0.backlog = max(newValue, 1) } }
    }

    /// How many connections may be shaking hands or waiting for ``accept()`` (`maxPendingConnections`). Default: 1024.
    public var maxPendingConnections: Int {
        get { state.withLock { $0.maxPending } }
        set { state.withLock { $0.maxPending = max(newValue, 1) } }
    }

    /// Chooses the configuration by the ClientHello, for example by the server name. Called for each connection, on any thread.
    public func selectConfiguration(_ choose: (@Sendable (SslClientHello) -> SslClientHelloChoice)?) {
        state.withLock { $0.selection = choose }
    }

    /// Sets how the keys of identities are found that are not among ``SslConfiguration/preSharedKeys``
    /// (`preSharedKeyAuthenticationRequired`); nil, the default, for not at all. Called for each connection whose client names one, on any thread: see
    /// ``SslSocket/selectPreSharedKey(_:)``. With a lookup the server needs no certificate.
    public func selectPreSharedKey(_ lookup: (@Sendable (_ identity: [UInt8]) -> SslPreSharedKey?)?) {
        state.withLock { $0.preSharedKeyLookup = lookup }
    }

    /// Is told of each connection whose handshake failed (`errorOccurred`). Called on any thread. The server keeps the hook: one that refers to its
    /// server keeps both alive for good.
    public func onHandshakeFailure(_ hook: (@Sendable (SslSocketError) -> Void)?) { state.withLock { $0.failureHook = hook } }

    // MARK: Listening

    /// Listens (`listen`). The configuration is checked first, so that a server without a certificate fails here and not at its clients.
    ///
    /// - Parameters:
    ///   - host: the address to listen at; `::` for all, IPv4 included where the system allows.
    ///   - port: 0 for any free one: see ``serverPort``.
    public func listen(host: String = "::", port: UInt16 = 0) throws(SslSocketError) {
        let (configuration, backlog, isListening, hasLookup) = state.withLock {
            ($0.configuration, $0.backlog, $0.listener != nil, $0.preSharedKeyLookup != nil)
        }
        guard !isListening else { throw SslSocketError(.operation, "The server is listening already") }
        _ = try configuration.context(role: .server, asksForPreSharedKeys: hasLookup)
        guard let ip = IpAddress(host) else {
            throw SslSocketError(.addressNotAvailable, "\"\(host)\" is not an IP address to listen at")
        }
        let descriptor = try SocketDescriptor.listener(at: SocketAddress(ip, port: port), backlog: backlog)
        state.withLock {
            $0.listener = descriptor
            $0.isClosed = false
        }
    }

    /// The server is listening (`isListening`).
    public var isListening: Bool { state.withLock { $0.listener != nil } }
    /// Where it listens; nil while it does not.
    public var serverAddress: SocketAddress? { state.withLock { $0.listener }?.localAddress }
    /// The port it listens at; 0 while it does not (`serverPort`).
    public var serverPort: UInt16 { serverAddress?.port ?? 0 }

    /// Stops listening (`close`); whoever waits in ``accept()`` or ``run(_:)`` returns. Connections that were handed out go on.
    public func close() {
        let (listener, registration, acceptor) = state.withLock { state in
            defer {
                state.listener = nil
                state.registration = nil
                state.acceptor = nil
                state.isClosed = true
            }
            return (state.listener, state.registration, state.acceptor)
        }
        registration?.deregister()
        acceptor?.close()
        listener?.close()
    }

    // MARK: Accepting, blocking

    /// Waits for a connection (`waitForNewConnection` and `nextPendingConnection`) and returns its socket with the server handshake begun: the
    /// thread that serves it waits with `waitForEncrypted`.
    ///
    /// - Returns: nil at the timeout or when the server was closed.
    @available(*, noasync, message: "blocks the thread; in async code use accept() or run")
    public func waitForNewConnection(timeout: Duration? = nil) throws(SslSocketError) -> sending SslSocket? {
        let deadline = Deadline(after: timeout)
        while true {
            guard let listener = state.withLock({ $0.listener }) else { return nil }
            switch listener.accept() {
            case .accepted(let descriptor): return makeSocket(descriptor)
            case .wouldBlock: break
            case .failed(let code): throw IOErrors.accepting(code)
            }
            switch Poller.wait(fd: listener.fd, events: .read, deadline: deadline) {
            case .ready: continue
            case .timedOut, .cancelled, .closed, .busy: return nil
            }
        }
    }

    /// Wraps an accepted descriptor and begins the handshake.
    private func makeSocket(_ descriptor: SocketDescriptor) -> sending SslSocket {
        let (configuration, selection, lookup) = state.withLock { ($0.configuration, $0.selection, $0.preSharedKeyLookup) }
        let socket = SslSocket(configuration: configuration)
        socket.selectPreSharedKey(lookup)
        socket.opened(descriptor)
        if let selection {
            socket.startServerEncryption { _, hello in selection(hello) }
        } else {
            socket.startServerEncryption()
        }
        return socket
    }

    // MARK: Accepting, async

    /// Waits for the next connection whose handshake succeeded (`pendingConnectionAvailable` and `nextPendingConnection`).
    ///
    /// - Throws: ``SslSocketError/Code/cancelled``, ``SslSocketError/Code/operation`` when the server was closed, and failures of accepting itself.
    ///   A client's failed handshake is no failure of the server: see ``onHandshakeFailure(_:)``.
    public func accept() async throws(SslSocketError) -> sending SslSocket {
        let queue = try state.withLock { state throws(SslSocketError) -> AcceptQueue in
            guard state.listener != nil else { throw SslSocketError(.operation, "The server is not listening") }
            if let queue = state.acceptor { return queue }
            let queue = AcceptQueue(limit: state.maxPending)
            state.acceptor = queue
            Task(executorPreference: SslReactor.shared) { await self.fill(queue) }
            return queue
        }
        return try await queue.next()
    }

    /// Accepts connections into a queue, each after its handshake, until the server closes.
    private func fill(_ queue: AcceptQueue) async {
        await withDiscardingTaskGroup { group in
            while await queue.hasRoom(), let descriptor = await nextDescriptor(queue) {
                queue.begin()
                group.addTask { await self.shakeHands(descriptor, queue) }
            }
            group.cancelAll()
        }
    }

    private func nextDescriptor(_ queue: AcceptQueue) async -> SocketDescriptor? {
        do throws(SslSocketError) {
            return try await acceptDescriptor()
        } catch {
            queue.fail(error)
            return nil
        }
    }

    private func shakeHands(_ descriptor: SocketDescriptor, _ queue: AcceptQueue) async {
        let socket = makeSocket(descriptor)
        if await socket.suspend(until: .encrypted, timeout: handshakeTimeout) {
            queue.finish(socket)
        } else {
            giveUp(socket)
            queue.finish(nil)
        }
    }

    private func giveUp(_ socket: SslSocket) {
        let error = socket.error ?? SslSocketError(.remoteHostClosed, "The client went away during the handshake")
        socket.abort()
        state.withLock { $0.failureHook }?(error)
    }

    /// Serves every connection with `body`, each in a task of its own on the reactor's executor, until the server is closed or the task is cancelled.
    ///
    /// `body` ends its socket with ``SslSocket/finish(timeout:)``; one that is merely dropped looks cut off to the peer, on purpose: only the
    /// program knows whether everything was said.
    /// - Throws: when accepting itself fails; a client's failed handshake goes to ``onHandshakeFailure(_:)``.
    public func run(_ body: @escaping @Sendable (sending SslSocket) async -> Void) async throws(SslSocketError) {
        guard isListening else { throw SslSocketError(.operation, "The server is not listening") }
        let failure = Lock<SslSocketError?>(nil)
        await withTaskExecutorPreference(SslReactor.shared) {
            await withDiscardingTaskGroup { group in
                while !Task.isCancelled {
                    do throws(SslSocketError) {
                        guard let descriptor = try await self.acceptDescriptor() else { break }
                        group.addTask { await self.serve(descriptor, body) }
                    } catch {
                        failure.withLock { $0 = error }
                        break
                    }
                }
            }
        }
        if let error = failure.withLock({ $0 }) { throw error }
    }

    private func serve(_ descriptor: SocketDescriptor, _ body: @Sendable (sending SslSocket) async -> Void) async {
        let socket = makeSocket(descriptor)
        guard await socket.suspend(until: .encrypted, timeout: handshakeTimeout) else { return giveUp(socket) }
        await body(socket)
    }

    /// The next accepted descriptor; nil when the server was closed or the task cancelled.
    private func acceptDescriptor() async throws(SslSocketError) -> SocketDescriptor? {
        var retry: Deadline?
        while true {
            guard let listener = state.withLock({ $0.listener }) else { return nil }
            switch listener.accept() {
            case .accepted(let descriptor): return descriptor
            case .wouldBlock: retry = nil
            case .failed(let code):
                // Out of descriptors or memory: the server stays and tries again when some may have come free.
                let error = IOErrors.accepting(code)
                guard error.code == .socketResource else { throw error }
                state.withLock { $0.failureHook }?(error)
                retry = Deadline(after: .milliseconds(50))
            }
            let registration = try state.withLock { state throws(SslSocketError) -> Registration? in
                guard let listener = state.listener else { return nil }
                if let known = state.registration { return known }
                let fresh = try SslReactor.shared.register(listener.fd)
                state.registration = fresh
                return fresh
            }
            guard let registration else { return nil }
            switch await registration.wait(.read, deadline: retry, isolation: nil) {
            case .ready, .timedOut: continue
            case .cancelled, .closed, .busy: return nil
            }
        }
    }
}
