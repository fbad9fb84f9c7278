internal import CSslLinux
internal import Glibc
internal import SslValues

/// One time of listening, from the beginning to the end: the descriptor, who takes its connections, and those that are running.
final class Listening: Sendable {
    /// Who takes the connections.
    private enum Taker {
        case nobody
        case queue(AcceptQueue)
        case run
    }
    private struct State {
        var registration: Registration?
        var isStopped = false
        var taker = Taker.nobody
    }
    private let state = Lock(State())
    /// The listening descriptor.
    let descriptor: SocketDescriptor
    /// The running connections.
    let ledger: ConnectionLedger
    /// Wakes threads that wait for a connection at a descriptor that cannot be shut down; -1 where it can.
    private let wakeup: Int32

    /// After a failure that passes by itself, it is tried again so soon.
    private static let retryDelay = Duration.milliseconds(50)

    /// - Parameter isShared: the descriptor was adopted, and others may listen at it too.
    init(_ descriptor: SocketDescriptor, isShared: Bool, _ settings: ServerSettings) throws(SslSocketError) {
        self.descriptor = descriptor
        ledger = ConnectionLedger(maxPending: settings.maxPending, maxConnections: settings.maxConnections)
        wakeup = isShared ? ssllinux_eventfd(0) : -1
        if isShared, wakeup < 0 { throw IOErrors.calling("eventfd", errno) }
    }

    deinit {
        descriptor.close()
        if wakeup >= 0 { _ = Glibc.close(wakeup) }
    }

    /// No more connections come.
    var isStopped: Bool { state.withLock { $0.isStopped } }

    /// Stops listening. What runs goes on.
    func stop() {
        let registration = state.withLock { state in
            defer { state.registration = nil }
            state.isStopped = true
            return state.registration
        }
        registration?.deregister()
        descriptor.close()
        if wakeup >= 0 { Wake.raise(wakeup) }
        ledger.stop()
    }

    /// Stops listening, and drops the connections nobody has taken.
    func close() {
        stop()
        if case .queue(let queue) = state.withLock({ $0.taker }) {
            ledger.abort()
            queue.close()
        }
    }

    // MARK: Who takes

    /// The queue of ``SslServer/accept()``; `fill` begins to fill it when it is new.
    func queue(_ fill: (AcceptQueue) -> Void) throws(SslSocketError) -> AcceptQueue {
        let (queue, isNew) = try state.withLock { state throws(SslSocketError) -> (AcceptQueue, Bool) in
            switch state.taker {
            case .queue(let queue): return (queue, false)
            case .run:
                throw SslSocketError(.operationInProgress, "The connections of this server are taken by run: accept gets none")
            case .nobody:
                guard !state.isStopped else { throw Self.closed }
                let queue = AcceptQueue(ledger)
                state.taker = .queue(queue)
                return (queue, true)
            }
        }
        if isNew { fill(queue) }
        return queue
    }

    /// The queue, if there is one.
    var runningQueue: AcceptQueue? {
        if case .queue(let queue) = state.withLock({ $0.taker }) { return queue }
        return nil
    }

    /// ``SslServer/run(_:)`` begins.
    func claimRun() throws(SslSocketError) {
        try state.withLock { state throws(SslSocketError) in
            guard !state.isStopped else { throw Self.closed }
            guard case .nobody = state.taker else {
                throw SslSocketError(.operationInProgress, "The connections of this server are taken by accept or another run")
            }
            state.taker = .run
        }
    }

    /// ``SslServer/run(_:)`` has ended.
    func releaseRun() { state.withLock { $0.taker = .nobody } }

    static var closed: SslSocketError { SslSocketError(.operation, "The server was closed") }

    // MARK: Accepting

    /// The next connection that is admitted; nil when no more will come or the task was cancelled.
    ///
    /// - Throws: when accepting fails for good. What may pass is told to the hook, and tried again.
    func next(_ reception: Reception) async throws(SslSocketError) -> SocketDescriptor? {
        var retry: Deadline?
        while await ledger.admission() {
            switch descriptor.accept() {
            case .accepted(let fresh):
                if reception.admits(fresh) { return fresh }
                continue
            case .wouldBlock: retry = nil
            case .failed(let code):
                if isStopped { return nil }
                let error = IOErrors.accepting(code)
                if Self.isFinal(code) {
                    reception.acceptFailed(error)
                    throw error
                }
                // Out of descriptors or memory, or whatever else may pass: some may have come free meanwhile.
                if retry == nil { reception.acceptFailed(error) }
                retry = Deadline(after: Self.retryDelay)
            }
            guard let registration = try register() else { return nil }
            switch await registration.wait(.read, deadline: retry, isolation: nil) {
            case .ready, .timedOut: continue
            case .cancelled, .closed, .busy: return nil
            }
        }
        return nil
    }

    /// Errors of the listening socket itself; all others are those of one connection or of the moment.
    private static func isFinal(_ code: Int32) -> Bool { [EBADF, EFAULT, EINVAL, ENOTSOCK, EOPNOTSUPP].contains(code) }

    private func register() throws(SslSocketError) -> Registration? {
        try state.withLock { state throws(SslSocketError) -> Registration? in
            guard !state.isStopped else { return nil }
            if let known = state.registration { return known }
            let fresh = try SslReactor.shared.register(descriptor.fd)
            state.registration = fresh
            return fresh
        }
    }

    /// Blocks until there may be a connection. False at the deadline.
    func waitForConnection(_ deadline: Deadline?) -> Bool {
        let events = Int16(POLLIN)
        var entries = (pollfd(fd: descriptor.fd, events: events, revents: 0), pollfd(fd: wakeup, events: events, revents: 0))
        while !isStopped {
            let timeout = deadline.map { $0 == .past ? 0 : $0.remainingMilliseconds(at: .now) } ?? -1
            let count = unsafe withUnsafeMutablePointer(to: &entries) { pointer in
                unsafe pointer.withMemoryRebound(to: pollfd.self, capacity: 2) { unsafe poll($0, 2, timeout) }
            }
            if count > 0 { return true }
            if count == 0, let deadline, deadline.isDue(at: .now) { return false }
            // What poll(2) cannot do at all, accepting tells better.
            if count < 0 && errno != EINTR && errno != EAGAIN { return true }
        }
        return true
    }
}
