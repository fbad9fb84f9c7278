internal import CSslLinux
internal import Glibc
package import SslValues

/// One thread that waits for all sockets of the process (epoll), and an executor for tasks that want to run where their sockets wake up.
///
/// Tasks need nothing to do with it: a socket awaited in any task parks here and wakes in its own executor. A task that prefers this executor
/// (`Task(executorPreference: SslReactor.shared)`, and every connection inside ``SslServer/run(_:)``) saves the way between threads, which
/// costs more than the encryption of a small message. Such tasks share one thread, so they must not compute for long.
public final class SslReactor: TaskExecutor, @unchecked Sendable {
    /// The reactor of the process, started when first used.
    public static let shared = SslReactor()

    private struct State {
        var jobs: [UnownedJob] = []
        var isWakePending = false
        var registrations: [UInt64: Registration] = [:]
        var nextId: UInt64 = 1
        var timers = TimerQueue()
        var thread: pthread_t?
    }
    private let state = Lock(State())
    private let epoll: Int32
    private let wakeup: Int32

    private init() {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        wakeup = ssllinux_eventfd(0)
        var event = unsafe epoll_event()
        unsafe event.events = UInt32(EPOLLIN.rawValue)
        unsafe event.data.u64 = 0
        let isReady = unsafe epoll >= 0 && wakeup >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, wakeup, &event) == 0
        // A process without three descriptors to spare cannot do I/O at all.
        guard isReady, Threads.start({ self.run() }) else { abort() }
    }

    // MARK: The executor

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let wakes = state.withLock { state -> Bool in
            state.jobs.append(job)
            return Self.claimWake(&state)
        }
        if wakes { wake() }
    }

    /// True when the thread has to be woken: it is another than this one and nobody has done so yet.
    private static func claimWake(_ state: inout State) -> Bool {
        if let thread = state.thread, pthread_equal(pthread_self(), thread) != 0 { return false }
        if state.isWakePending { return false }
        state.isWakePending = true
        return true
    }

    private func wake() { Wake.raise(wakeup) }

    // MARK: Registrations

    /// Watches a descriptor, edge-triggered, until ``Registration/deregister()``.
    package func register(_ fd: Int32) throws(SslSocketError) -> Registration {
        let registration = state.withLock { state -> Registration in
            let fresh = Registration(fd: fd, id: state.nextId, reactor: self)
            state.nextId += 1
            state.registrations[fresh.id] = fresh
            return fresh
        }
        var event = unsafe epoll_event()
        unsafe event.events = UInt32(EPOLLIN.rawValue) | UInt32(EPOLLOUT.rawValue) | UInt32(EPOLLRDHUP.rawValue) | ssllinux_epollet()
        unsafe event.data.u64 = registration.id
        guard unsafe epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0 else {
            let code = errno
            state.withLock { _ = $0.registrations.removeValue(forKey: registration.id) }
            throw IOErrors.calling("epoll_ctl", code)
        }
        return registration
    }

    func remove(_ registration: Registration) {
        let isKnown = state.withLock { $0.registrations.removeValue(forKey: registration.id) != nil }
        if isKnown { _ = epoll_ctl(epoll, EPOLL_CTL_DEL, registration.fd, nil) }
    }

    /// Wakes the registration at the deadline of its wait, unless that is over by then.
    func schedule(_ deadline: Deadline, _ registration: Registration) {
        let wakes = state.withLock { state -> Bool in
            let isFirst = state.timers.insert(deadline, registration.id)
            return isFirst && Self.claimWake(&state)
        }
        if wakes { wake() }
    }

    // MARK: The thread

    private func run() {
        state.withLock { $0.thread = pthread_self() }
        var jobs: [UnownedJob] = []
        var events = unsafe [epoll_event](repeating: epoll_event(), count: 128)
        while true {
            let due = state.withLock { state -> [Registration] in
                swap(&jobs, &state.jobs)
                return state.timers.isEmpty ? [] : state.timers.takeDue(MonotonicTime.now).compactMap { state.registrations[$0] }
            }
            for registration in due { registration.deadlinePassed() }
            for job in jobs { unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
            jobs.removeAll(keepingCapacity: true)
            // What the jobs have queued runs before the thread sleeps.
            let timeout = state.withLock { state -> Int32 in
                state.jobs.isEmpty ? state.timers.next?.remainingMilliseconds(at: MonotonicTime.now) ?? -1 : 0
            }
            let count = unsafe events.withUnsafeMutableBufferPointer {
                unsafe epoll_wait(epoll, $0.baseAddress, Int32($0.count), timeout)
            }
            guard count > 0 else { continue }
            for index in 0..<Int(count) { unsafe dispatch(events[index]) }
        }
    }

    private func dispatch(_ event: epoll_event) {
        let id = unsafe event.data.u64
        guard id != 0 else {

            // The flag falls before the counter is read, so that a wake in between is never lost.
            state.withLock { $0.isWakePending = false }
            Wake.clear(wakeup)
            return
        }
        guard let registration = state.withLock({ $0.registrations[id] }) else { return }
        var found: IOEvents = []
        if unsafe event.events & UInt32(EPOLLIN.rawValue) != 0 { found.insert(.read) }
        if unsafe event.events & UInt32(EPOLLOUT.rawValue) != 0 { found.insert(.write) }
        if unsafe event.events & (UInt32(EPOLLRDHUP.rawValue) | UInt32(EPOLLHUP.rawValue) | UInt32(EPOLLERR.rawValue)) != 0 {
            found.formUnion([.read, .write, .hangup])
        }
        registration.fire(found)
    }
}

/// Deadlines in order. A registration stands in it once; a wait that ends early leaves its entry, which does nothing when due.
struct TimerQueue {
    private var heap: [(deadline: Deadline, id: UInt64)] = []

    var isEmpty: Bool { heap.isEmpty }
    var next: Deadline? { heap.first?.deadline }

    /// True when the new deadline is the first.
    mutating func insert(_ deadline: Deadline, _ id: UInt64) -> Bool {
        heap.append((deadline, id))
        var child = heap.count - 1
        while child > 0, heap[child].deadline < heap[(child - 1) / 2].deadline {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
        return child == 0
    }

    mutating func takeDue(_ now: MonotonicTime) -> [UInt64] {
        var due: [UInt64] = []
        while let first = heap.first, first.deadline.isDue(at: now) {
            due.append(first.id)
            removeFirst()
        }
        return due
    }

    private mutating func removeFirst() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            let left = 2 * parent + 1
            guard left < heap.count else { return }
            let smaller = left + 1 < heap.count && heap[left + 1].deadline < heap[left].deadline ? left + 1 : left
            guard heap[smaller].deadline < heap[parent].deadline else { return }
            heap.swapAt(smaller, parent)
            parent = smaller
        }
    }
}

/// A descriptor the reactor watches: what is known of it, and who waits.
///
/// Up to two tasks wait at once, one to read and one to write; a third gets `.busy`. Readiness that nobody waits for is kept until somebody does.
package final class Registration: Sendable {
    @safe
    private struct Waiter {
        let continuation: UnsafeContinuation<WaitOutcome, Never>
        let events: IOEvents
        let ticket: UInt64
        let deadline: Deadline?
    }
    private struct State {
        var latched: IOEvents = []
        var first: Waiter?
        var second: Waiter?
        var nextTicket: UInt64 = 0
        /// Waits cancelled before they could park.
        var cancelled: UInt64?
        /// The earliest deadline the reactor has an entry for.
        var scheduled: Deadline?
        var isClosed = false
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

    /// Stops watching; whoever waits is resumed with `.closed`.
    package func deregister() {
        reactor.remove(self)
        let (first, second) = state.withLock { state in
            defer {
                state.first = nil
                state.second = nil
            }
            state.isClosed = true
            return (state.first, state.second)
        }
        unsafe first?.continuation.resume(returning: .closed)
        unsafe second?.continuation.resume(returning: .closed)
    }

    /// Suspends until one of the events, the deadline, cancellation of the task or the end of the registration.
    ///
    /// Call it only after the system has said that it would block.
    package func wait(_ events: IOEvents, deadline: Deadline?, isolation: isolated (any Actor)?) async -> WaitOutcome {
        let (now, ticket) = state.withLock { state -> (WaitOutcome?, UInt64) in
            if let ready = Self.takeLatched(&state, events) { return (ready, 0) }
            state.nextTicket += 1
            return (nil, state.nextTicket)
        }
        if let now { return now }
        return await withTaskCancellationHandler {
            // Without this capture the closure would leave the caller's actor (swiftlang/swift issue 80753).
            _ = isolation
            return unsafe await withUnsafeContinuation { continuation in
                unsafe park(Waiter(continuation: continuation, events: events, ticket: ticket, deadline: deadline))
            }
        } onCancel: {
            cancel(ticket)
        }
    }

    private static func takeLatched(_ state: inout State, _ events: IOEvents) -> WaitOutcome? {
        if state.isClosed { return .closed }
        let found = state.latched.intersection(events.union(.hangup))
        guard !found.isDisjoint(with: events) else { return nil }
        state.latched.subtract(found.subtracting(.hangup))
        return .ready(found)
    }

    private func park(_ waiter: Waiter) {
        let (now, schedules) = state.withLock { state -> (WaitOutcome?, Bool) in
            if state.cancelled == waiter.ticket {
                state.cancelled = nil
                return (.cancelled, false)
            }
            if let ready = Self.takeLatched(&state, waiter.events) { return (ready, false) }
            if state.first == nil {
                state.first = waiter
            } else if state.second == nil {
                state.second = waiter
            } else {
                return (.busy, false)
            }
            // One entry serves all waits that end before it is due: it is renewed then, so that a wait usually costs none.
            guard let deadline = waiter.deadline, state.scheduled.map({ deadline < $0 }) ?? true else { return (nil, false) }
            state.scheduled = deadline
            return (nil, true)
        }
        if let now {
            unsafe waiter.continuation.resume(returning: now)
        } else if schedules, let deadline = waiter.deadline {
            reactor.schedule(deadline, self)
        }
    }

    /// The system reports events.
    func fire(_ events: IOEvents) {
        let (first, second) = state.withLock { state -> (Waiter?, Waiter?) in
            var first: Waiter?
            var second: Waiter?
            if let waiter = state.first, !waiter.events.isDisjoint(with: events) {
                first = waiter
                state.first = nil
            }
            if let waiter = state.second, !waiter.events.isDisjoint(with: events) {
                second = waiter
                state.second = nil
            }
            var unclaimed = events
            if let first { unclaimed.subtract(first.events) }
            if let second { unclaimed.subtract(second.events) }
            state.latched.formUnion(unclaimed)
            return (first, second)
        }
        if let first { unsafe first.continuation.resume(returning: .ready(events.intersection(first.events.union(.hangup)))) }
        if let second { unsafe second.continuation.resume(returning: .ready(events.intersection(second.events.union(.hangup)))) }
    }

    /// The reactor's entry is due: ends the waits whose deadline has passed and renews the entry for the others.
    func deadlinePassed() {
        let now = MonotonicTime.now
        let (ended, next) = state.withLock { state -> ([Waiter], Deadline?) in
            var ended: [Waiter] = []
            if let waiter = state.first, let deadline = waiter.deadline, deadline.isDue(at: now) {
                ended.append(waiter)
                state.first = nil
            }
            if let waiter = state.second, let deadline = waiter.deadline, deadline.isDue(at: now) {
                ended.append(waiter)
                state.second = nil
            }
            state.scheduled = [state.first?.deadline, state.second?.deadline].compactMap { $0 }.min()
            return (ended, state.scheduled)
        }
        for waiter in ended { unsafe waiter.continuation.resume(returning: .timedOut) }
        if let next { reactor.schedule(next, self) }
    }

    private func cancel(_ ticket: UInt64) {
        let waiter = state.withLock { state -> Waiter? in
            if state.first?.ticket == ticket {
                defer { state.first = nil }
                return state.first
            }
            if state.second?.ticket == ticket {
                defer { state.second = nil }
                return state.second
            }
            if ticket > 0, !state.isClosed { state.cancelled = ticket }
            return nil
        }
        unsafe waiter?.continuation.resume(returning: .cancelled)
    }
}

/// The counter that wakes a thread out of its wait.
enum Wake {
    static func raise(_ fd: Int32) { var one: UInt64 = 1; _ = unsafe write(fd, &one, 8) }
    static func clear(_ fd: Int32) { var one: UInt64 = 0; _ = unsafe read(fd, &one, 8) }
}
