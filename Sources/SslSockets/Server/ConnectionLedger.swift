/// The connections of one time of listening: how many there are, whether one more may come, and when the last has gone.
final class ConnectionLedger: Sendable {
    private enum Stage {
        /// It has said nothing yet.
        case silent
        /// It shakes hands or waits to be handed out.
        case pending
        /// It is being served.
        case serving
    }
    private struct Entry {
        let descriptor: SocketDescriptor
        var stage = Stage.silent
    }
    private struct State {
        var entries: [UInt64: Entry] = [:]
        /// How many of them are silent or pending.
        var waiting = 0
        var nextId: UInt64 = 0
        var maxPending: Int
        var maxConnections: Int?
        var isPaused = false
        var isStopped = false
        var isAborted = false
        var finished = 0
        var aborted = 0
        /// The loop that accepts, suspended.
        var admission: CheckedContinuation<Bool, Never>?
        var isAdmissionCancelled = false
        var enders: [CheckedContinuation<Void, Never>] = []

        var admits: Bool { !isPaused && waiting < maxPending && entries.count < maxConnections ?? .max }
        var isSettled: Bool { isAborted || (isStopped && entries.isEmpty) }

        /// The accepting loop, if it may go on now.
        mutating func takeAdmission() -> CheckedContinuation<Bool, Never>? {
            guard isStopped || admits else { return nil }
            defer { admission = nil }
            return admission
        }

        mutating func takeEnders() -> [CheckedContinuation<Void, Never>] {
            guard isSettled else { return [] }
            defer { enders = [] }
            return enders
        }
    }
    private let state: Lock<State>

    init(maxPending: Int, maxConnections: Int?) {
        state = Lock(State(maxPending: maxPending, maxConnections: maxConnections))
    }

    // MARK: Admission

    /// The loop that accepts begins.
    func beginAccepting() { state.withLock { $0.isAdmissionCancelled = false } }

    /// Suspends until one more connection may be accepted. False when there will be none: stopped, or the task was cancelled.
    func admission() async -> Bool {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let now = state.withLock { state -> Bool? in
                    if state.isStopped || state.isAdmissionCancelled { return false }
                    if state.admits { return true }
                    state.admission = continuation
                    return nil
                }
                if let now { continuation.resume(returning: now) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                defer { state.admission = nil }
                state.isAdmissionCancelled = true
                return state.admission
            }
            waiter?.resume(returning: false)
        }
    }

    func setLimits(maxPending: Int, maxConnections: Int?) {
        change { state in
            state.maxPending = maxPending
            state.maxConnections = maxConnections
        }
    }

    func setPaused(_ isPaused: Bool) { change { $0.isPaused = isPaused } }

    /// Changes something, and wakes whoever may go on by it.
    private func change(_ body: (inout State) -> Void) {
        let (admission, isStopped, enders) = state.withLock { state in
            body(&state)
            return (state.takeAdmission(), state.isStopped, state.takeEnders())
        }
        admission?.resume(returning: !isStopped)
        for ender in enders { ender.resume() }
    }

    // MARK: Connections

    /// A connection has come. One that was accepted while the server was being stopped is let go, as the silent ones were.
    func begin(_ descriptor: SocketDescriptor) -> UInt64 {
        state.withLock { state in
            if state.isStopped { descriptor.shutDown() }
            state.nextId += 1
            state.waiting += 1
            state.entries[state.nextId] = Entry(descriptor: descriptor)
            return state.nextId
        }
    }

    /// It has spoken. False when it need not go on.
    func spoke(_ id: UInt64) -> Bool {
        state.withLock { state in
            guard !state.isStopped else { return false }
            state.entries[id]?.stage = .pending
            return true
        }
    }

    /// It is encrypted and served from now on.
    func serve(_ id: UInt64) {
        change { state in
            guard state.entries[id] != nil else { return }
            state.entries[id]?.stage = .serving
            state.waiting -= 1
        }
    }

    /// It has ended, or is somebody else's now.
    func end(_ id: UInt64) {
        change { state in
            guard let entry = state.entries.removeValue(forKey: id) else { return }
            switch entry.stage {
            case .silent: state.waiting -= 1
            case .pending:
                state.waiting -= 1
                if state.isStopped { state.finished += 1 }
            case .serving: if state.isStopped { state.finished += 1 }
            }
        }
    }

    /// How many there are.
    var count: Int { state.withLock { $0.entries.count } }

    // MARK: The end

    /// No more will come. Those that have said nothing yet are let go.
    func stop() {
        change { state in
            state.isStopped = true
            for entry in state.entries.values where entry.stage == .silent { entry.descriptor.shutDown() }
        }
    }

    /// Cuts all that are left.
    func abort() {
        change { state in
            state.isStopped = true
            state.isAborted = true
            for entry in state.entries.values {
                entry.descriptor.shutDown()
                if entry.stage != .silent { state.aborted += 1 }
            }
            state.entries = [:]
            state.waiting = 0
        }
    }

    /// Suspends until all have ended after ``stop()``, or ``abort()``. True for the latter.
    func settled() async -> Bool {
        await withCheckedContinuation { continuation in
            let isSettled = state.withLock { state in
                if !state.isSettled { state.enders.append(continuation) }
                return state.isSettled
            }
            if isSettled { continuation.resume() }
        }
        return state.withLock { $0.isAborted }
    }

    /// How many ended by themselves after ``stop()``, and how many were cut.
    var outcome: (finished: Int, aborted: Int) { state.withLock { ($0.finished, $0.aborted) } }
}
