/// A descriptor the reactor watches: what is known of it, and who waits.
///
/// Two tasks may wait at once, as one that reads and one that writes do; a third gets `.busy`. Readiness that nobody waits for is kept
/// until somebody does, for the system reports it only once.
package final class Registration: Sendable {
    /// A wait, from its beginning on: it is claimed here before its task suspends, so that whatever ends it meanwhile is not lost.
    @safe
    private struct Waiter {
        let events: IOEvents
        let ticket: UInt64
        let deadline: Deadline?
        /// What ended the wait before its task was suspended.
        var outcome: WaitOutcome?
        /// The suspended task.
        var continuation: UnsafeContinuation<WaitOutcome, Never>?
    }
    private struct State {
        var latched: IOEvents = []
        var first: Waiter?
        var second: Waiter?
        var nextTicket: UInt64 = 1
        /// The deadline the reactor has an entry for.
        var scheduled: Deadline?
        var isClosed = false

        /// Ends the wait in a slot if the condition holds. A suspended one is returned to be resumed outside of the lock.
        static func end(
            _ slot: inout Waiter?, _ outcome: WaitOutcome, where condition: (Waiter) -> Bool
        ) -> UnsafeContinuation<WaitOutcome, Never>? {
            guard let waiter = slot, condition(waiter) else { return nil }
            guard let continuation = unsafe waiter.continuation else {
                if waiter.outcome == nil { slot?.outcome = outcome }
                return nil
            }
            slot = nil
            return unsafe continuation
        }

        /// Ends both waits where the condition holds.
        mutating func endAll(
            _ outcome: WaitOutcome, where condition: (Waiter) -> Bool
        ) -> (UnsafeContinuation<WaitOutcome, Never>?, UnsafeContinuation<WaitOutcome, Never>?) {
            unsafe (Self.end(&first, outcome, where: condition), Self.end(&second, outcome, where: condition))
        }

        /// The readiness for `events` that nobody has used yet. A hang-up stays known for good.
        mutating func takeLatched(_ events: IOEvents) -> WaitOutcome? {
            if isClosed { return .closed }
            let found = latched.intersection(events.union(.hangup))
            guard !found.isDisjoint(with: events) else { return nil }
            latched.subtract(found.subtracting(.hangup))
            return .ready(found)
        }
    }
    private enum Claim {
        case over(WaitOutcome)
        case claimed(UInt64)
    }

    private let state = Lock(State())
    private let reactor: SslReactor
    let id: UInt64
    /// The descriptor.
    package let fd: Int32

    init(fd: Int32, id: UInt64, reactor: SslReactor) {
        self.fd = fd
        self.id = id
        self.reactor = reactor
    }

    /// Stops watching; whoever waits is resumed with `.closed`, and so is whoever waits later.
    ///
    /// Call it before the descriptor is closed: its number may soon be another's, which would then be taken out of the reactor instead.
    package func deregister() {
        reactor.remove(self)
        close()
    }

    /// Ends all waits, present and future.
    func close() {
        let (first, second) = unsafe state.withLock { state in
            state.isClosed = true
            return unsafe state.endAll(.closed) { _ in true }
        }
        unsafe first?.resume(returning: .closed)
        unsafe second?.resume(returning: .closed)
    }

    /// Suspends until one of the events, the deadline, cancellation of the task or the end of the registration.
    ///
    /// Call it only after the system has said that it would block, and try again when it says `.ready`: what is kept may be out of date.
    package func wait(_ events: IOEvents, deadline: Deadline?, isolation: isolated (any Actor)?) async -> WaitOutcome {
        let ticket: UInt64
        switch claim(events, deadline) {
        case .over(let outcome): return outcome
        case .claimed(let number): ticket = number
        }
        return await withTaskCancellationHandler {
            // Without this capture the closure would leave the caller's actor (swiftlang/swift issue 80753).
            _ = isolation
            return unsafe await withUnsafeContinuation { continuation in unsafe park(ticket, continuation) }
        } onCancel: {
            cancel(ticket)
        }
    }

    /// Takes readiness that is there, or a place to wait in.
    private func claim(_ events: IOEvents, _ deadline: Deadline?) -> Claim {
        state.withLock { state in
            if let outcome = state.takeLatched(events) { return .over(outcome) }
            if deadline == .past { return .over(.timedOut) }
            let waiter = unsafe Waiter(events: events, ticket: state.nextTicket, deadline: deadline)
            if state.first == nil {
                state.first = waiter
            } else if state.second == nil {
                state.second = waiter
            } else {
                return .over(.busy)
            }
            state.nextTicket += 1
            return .claimed(waiter.ticket)
        }
    }

    private func park(_ ticket: UInt64, _ continuation: UnsafeContinuation<WaitOutcome, Never>) {
        let (outcome, deadline) = state.withLock { state -> (WaitOutcome?, Deadline?) in
            let isFirst = state.first?.ticket == ticket
            guard var waiter = isFirst ? state.first : state.second else { return (.closed, nil) }
            if let outcome = waiter.outcome ?? state.takeLatched(waiter.events) {
                if isFirst { state.first = nil } else { state.second = nil }
                return (outcome, nil)
            }
            unsafe waiter.continuation = continuation
            if isFirst { state.first = waiter } else { state.second = waiter }
            // One entry serves all waits that end before it is due: it is renewed then, so that a wait usually costs none.
            guard let deadline = waiter.deadline, deadline.isBefore(state.scheduled) else { return (nil, nil) }
            state.scheduled = deadline
            return (nil, deadline)
        }
        if let outcome { unsafe continuation.resume(returning: outcome) }
        if let deadline { reactor.schedule(deadline, self) }
    }

    /// The system reports events.
    func fire(_ events: IOEvents) {
        let (first, second) = unsafe state.withLock { state in
            state.latched.formUnion(events)
            return unsafe (Self.release(&state.first, &state.latched), Self.release(&state.second, &state.latched))
        }
        if let (continuation, found) = unsafe first { unsafe continuation.resume(returning: .ready(found)) }
        if let (continuation, found) = unsafe second { unsafe continuation.resume(returning: .ready(found)) }
    }

    /// Takes out a suspended wait whose events are there, and what it is told. One not suspended yet finds them when it parks.
    private static func release(
        _ slot: inout Waiter?, _ latched: inout IOEvents
    ) -> (UnsafeContinuation<WaitOutcome, Never>, IOEvents)? {
        guard let waiter = slot, let continuation = unsafe waiter.continuation else { return nil }
        let found = latched.intersection(waiter.events.union(.hangup))
        guard !found.isDisjoint(with: waiter.events) else { return nil }
        latched.subtract(found.subtracting(.hangup))
        slot = nil
        return unsafe (continuation, found)
    }

    /// The reactor's entry is due: ends the waits whose deadline has passed and renews the entry for the others.
    func deadlinePassed(at now: MonotonicTime) {
        let (first, second, next) = unsafe state.withLock { state in
            let ended = unsafe state.endAll(.timedOut) { $0.deadline?.isDue(at: now) ?? false }
            state.scheduled = [state.first, state.second].compactMap { $0?.deadline }.filter { !$0.isDue(at: now) }.min()
            return unsafe (ended.0, ended.1, state.scheduled)
        }
        unsafe first?.resume(returning: .timedOut)
        unsafe second?.resume(returning: .timedOut)
        if let next { reactor.schedule(next, self) }
    }

    /// How many tasks are suspended here.
    package var parkedWaits: Int {
        state.withLock { state in
            unsafe (state.first?.continuation == nil ? 0 : 1) + (state.second?.continuation == nil ? 0 : 1)
        }
    }

    private func cancel(_ ticket: UInt64) {
        let (first, second) = unsafe state.withLock { state in
            unsafe state.endAll(.cancelled) { $0.ticket == ticket }
        }
        unsafe first?.resume(returning: .cancelled)
        unsafe second?.resume(returning: .cancelled)
    }
}
