internal import SslBackend
public import SslValues

extension SslServer {
    // MARK: Blocking

    /// Waits for a connection (`waitForNewConnection` and `nextPendingConnection`) and returns its socket with the server handshake begun: the
    /// thread that serves it waits with `waitForEncrypted`. Several threads may wait at once.
    ///
    /// - Parameter timeout: nil for no limit, the default (Qt's is zero); zero to take what is there.
    /// - Returns: nil at the timeout.
    /// - Throws: ``SslSocketError/Code/operation`` when the server was closed, ``SslSocketError/Code/socketResource`` while there are too many open
    ///   files, and whatever else accepting fails with.
    @available(*, noasync, message: "blocks the thread; in async code use accept() or run")
    public func waitForNewConnection(timeout: Duration? = nil) throws(SslSocketError) -> sending SslSocket? {
        let deadline = Deadline(after: timeout)
        guard let listening else { throw Self.notListening }
        let reception = reception
        while true {
            if listening.isStopped { throw Listening.closed }
            switch listening.descriptor.accept() {
            case .accepted(let descriptor):
                if reception.admits(descriptor) { return reception.makeSocket(descriptor) }
            case .wouldBlock: if !listening.waitForConnection(deadline) { return nil }
            case .failed(let code):
                if listening.isStopped { throw Listening.closed }
                let error = IOErrors.accepting(code)
                reception.acceptFailed(error)
                throw error
            }
        }
    }

    // MARK: Async

    /// Waits for the next connection whose handshake succeeded (`pendingConnectionAvailable` and `nextPendingConnection`). Several tasks may wait at
    /// once.
    ///
    /// From the first call on the server accepts by itself, up to ``maxPendingConnections``.
    /// - Throws: ``SslSocketError/Code/cancelled``, ``SslSocketError/Code/operation`` when the server was closed, ``SslSocketError/Code/operationInProgress``
    ///   while ``run(_:)`` takes the connections, and failures of accepting itself. A client's failed handshake is no failure of the server: see
    ///   ``onHandshakeFailure(_:)``.
    public func accept() async throws(SslSocketError) -> sending SslSocket { try await queue().next() }

    /// An encrypted connection waits to be taken (`hasPendingConnections`). From the first call on the server accepts by itself.
    public var hasPendingConnections: Bool { (try? queue()).map { !$0.isEmpty } ?? false }

    /// Takes a connection whose handshake succeeded, without waiting (`nextPendingConnection`); nil when there is none. From the first call on the
    /// server accepts by itself.
    public func nextPendingConnection() -> sending SslSocket? {
        guard let queue = try? queue() else { return nil }
        return queue.takeReady()
    }

    /// Begins to accept if nobody does yet.
    func acceptByItself() { _ = try? queue() }

    private static var notListening: SslSocketError { SslSocketError(.operation, "The server is not listening") }

    private func queue() throws(SslSocketError) -> AcceptQueue {
        guard let listening else { throw Self.notListening }
        let reception = reception
        return try listening.queue { queue in
            // The task keeps the time of listening alive and not the server, which closes when it is let go of.
            Task(executorPreference: SslReactor.shared) { await Self.fill(queue, listening, reception) }
        }
    }

    /// Accepts connections into a queue, each after its handshake, until the end.
    private static func fill(_ queue: AcceptQueue, _ listening: Listening, _ reception: Reception) async {
        let ledger = listening.ledger
        await withDiscardingTaskGroup { group in
            do throws(SslSocketError) {
                while let descriptor = try await listening.next(reception) {
                    let (id, timeout) = (ledger.begin(descriptor), reception.handshakeTimeout)
                    group.addTask {
                        guard let socket = await reception.shakeHands(descriptor, timeout, ledger, id) else {
                            return ledger.end(id)
                        }
                        guard queue.put(socket, id) else { return }
                        reception.settings.withLock { $0.pendingConnection }?()
                    }
                }
            } catch {
                queue.fail(error)
                listening.close()
            }
            if await ledger.settled() { group.cancelAll() }
        }
        queue.close()
    }

    /// Serves every connection with `body`, each in a task of its own on the reactor's executor, until the server is closed or the task is cancelled;
    /// it returns when the last of them has ended. Cancellation reaches them all, and the server goes on listening.
    ///
    /// `body` ends its socket with ``SslSocket/finish(timeout:)``; one that is merely dropped looks cut off to the peer, on purpose: only the
    /// program knows whether everything was said.
    /// - Throws: when accepting itself fails for good, and ``SslSocketError/Code/operationInProgress`` while another takes the connections; a client's failed handshake
    ///   goes to ``onHandshakeFailure(_:)``.
    public func run(_ body: @escaping @Sendable (sending SslSocket) async -> Void) async throws(SslSocketError) {
        guard let listening else { throw Self.notListening }
        try listening.claimRun()
        defer { listening.releaseRun() }
        let ledger = listening.ledger
        let reception = reception
        let failure = Lock<SslSocketError?>(nil)
        ledger.beginAccepting()
        await withTaskExecutorPreference(SslReactor.shared) {
            await withDiscardingTaskGroup { group in
                do throws(SslSocketError) {
                    while let descriptor = try await listening.next(reception) {
                        let (id, timeout) = (ledger.begin(descriptor), reception.handshakeTimeout)
                        group.addTask { await Self.serve(descriptor, timeout, ledger, id, reception, body) }
                    }
                } catch {
                    failure.withLock { $0 = error }
                    listening.stop()
                }
                if !Task.isCancelled, await ledger.settled() { group.cancelAll() }
            }
        }
        if let error = failure.withLock({ $0 }) { throw error }
    }

    private static func serve(
        _ descriptor: SocketDescriptor, _ timeout: Duration?, _ ledger: ConnectionLedger, _ id: UInt64, _ reception: Reception,
        _ body: @Sendable (sending SslSocket) async -> Void
    ) async {
        if let socket = await reception.shakeHands(descriptor, timeout, ledger, id) {
            ledger.serve(id)
            await body(socket)
        }
        ledger.end(id)
    }
}
