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
        /// The thread waits, or is about to, and nobody has woken it yet.
        var isAsleep = false
        var registrations: [UInt64: Registration] = [:]
        /// Never used twice, unlike the numbers of descriptors; 0 is the wake-up counter.
        var nextId: UInt64 = 1
        var deadlines = DeadlineQueue()
        /// Why there is no thread.
        var failure: SslSocketError?

        /// True when the caller has to wake the thread.
        mutating func claimWake() -> Bool {
            defer { isAsleep = false }
            return isAsleep
        }
    }
    private let state = Lock(State())
    private let epoll: Int32
    private let wakeup: Int32
    private let clock: MonotonicClock

    /// How often in a row jobs may make more jobs before the sockets get their turn.
    private static let roundsBetweenLooks = 64

    /// Starts a thread, which lives as long as the process.
    package init(clock: MonotonicClock = .system) {
        self.clock = clock
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        let epollError = errno
        wakeup = ssllinux_eventfd(0)
        let wakeupError = errno
        let failure: SslSocketError? =
            if epoll < 0 {
                IOErrors.calling("epoll_create1", epollError)
            } else if wakeup < 0 {
                IOErrors.calling("eventfd", wakeupError)
            } else if case let code = watch(wakeup, UInt32(EPOLLIN.rawValue), id: 0), code != 0 {
                IOErrors.calling("epoll_ctl", code)
            } else if case let code = Threads.start(name: "sslsocket-io", { self.run() }), code != 0 {
                IOErrors.calling("pthread_create", code)
            } else {
                nil
            }
        if let failure { state.withLock { $0.failure = failure } }
    }

    // MARK: The executor

    /// Runs a job on the reactor's thread. If the system had no thread for it, on the global pool, so that no task is ever stuck.
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let (wakes, isRunning) = state.withLock { state -> (Bool, Bool) in
            guard state.failure == nil else { return (false, false) }
            state.jobs.append(job)
            return (state.claimWake(), true)
        }
        if wakes { wake() }
        if !isRunning { globalConcurrentExecutor.enqueue(job) }
    }

    /// Makes the thread look at the clock, jobs and sockets. Only needed when an injected clock has moved.
    package func wake() { Wake.raise(wakeup) }

    // MARK: Registrations

    /// Watches a descriptor, edge-triggered, until ``Registration/deregister()``, which has to come before the descriptor is closed.
    package func register(_ fd: Int32) throws(SslSocketError) -> Registration {
        let registration = try state.withLock { state throws(SslSocketError) -> Registration in
            if let failure = state.failure { throw failure }
            let fresh = Registration(fd: fd, id: state.nextId, reactor: self)
            state.nextId += 1
            state.registrations[fresh.id] = fresh
            return fresh
        }
        let events = UInt32(EPOLLIN.rawValue) | UInt32(EPOLLOUT.rawValue) | UInt32(EPOLLRDHUP.rawValue) | ssllinux_epollet()
        let code = watch(fd, events, id: registration.id)
        guard code == 0 else {
            state.withLock { _ = $0.registrations.removeValue(forKey: registration.id) }
            throw IOErrors.calling("epoll_ctl", code)
        }
        return registration
    }

    /// 0, or the errno of epoll_ctl(2).
    private func watch(_ fd: Int32, _ events: UInt32, id: UInt64) -> Int32 {
        var event = unsafe epoll_event()
        unsafe event.events = events
        unsafe event.data.u64 = id
        return unsafe epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : errno
    }

    func remove(_ registration: Registration) {
        let isKnown = state.withLock { state -> Bool in
            state.deadlines.remove(registration.id)
            return state.registrations.removeValue(forKey: registration.id) != nil
        }
        if isKnown { _ = epoll_ctl(epoll, EPOLL_CTL_DEL, registration.fd, nil) }
    }

    /// Tells the registration when the deadline has come, unless it has been removed by then.
    func schedule(_ deadline: Deadline, _ registration: Registration) {
        let wakes = state.withLock { state -> Bool in
            guard state.registrations[registration.id] != nil else { return false }
            return state.deadlines.insert(deadline, registration.id) && state.claimWake()
        }
        if wakes { wake() }
    }

    /// How many deadlines are queued.
    package var pendingDeadlines: Int { state.withLock { $0.deadlines.count } }

    // MARK: The thread

    private func run() {
        var jobs: [UnownedJob] = []
        var events = unsafe [epoll_event](repeating: epoll_event(), count: 128)
        var ready: [(Registration, IOEvents)] = []
        while true {
            let timeout = runJobs(&jobs)
            let count = unsafe events.withUnsafeMutableBufferPointer {
                unsafe epoll_wait(epoll, $0.baseAddress, Int32($0.count), timeout)
            }
            let code = errno
            if count < 0 && code != EINTR { return giveUp(IOErrors.calling("epoll_wait", code)) }
            // The counter is emptied before the jobs are looked at: whatever was queued before a wake-up is seen after it.
            let isWoken = state.withLock { state -> Bool in
                state.isAsleep = false
                var isWoken = false
                for index in 0..<max(Int(count), 0) {
                    let id = unsafe events[index].data.u64
                    if id == 0 { isWoken = true }
                    if let registration = state.registrations[id] {
                        unsafe ready.append((registration, Self.found(events[index].events)))
                    }
                }
                return isWoken
            }
            if isWoken { Wake.clear(wakeup) }
            for (registration, found) in ready { registration.fire(found) }
            ready.removeAll(keepingCapacity: true)
        }
    }

    /// Runs what is queued and what is due, and returns for how many milliseconds there is nothing more to do.
    private func runJobs(_ jobs: inout [UnownedJob]) -> Int32 {
        for _ in 0..<Self.roundsBetweenLooks {
            let (due, now, timeout) = state.withLock { state -> ([Registration], MonotonicTime?, Int32) in
                swap(&jobs, &state.jobs)
                let now = state.deadlines.next == nil ? nil : clock.now
                let due = now.map { state.deadlines.takeDue($0).compactMap { state.registrations[$0] } } ?? []
                guard jobs.isEmpty && due.isEmpty else { return (due, now, 0) }
                state.isAsleep = true
                guard let now, let next = state.deadlines.next else { return ([], nil, -1) }
                return ([], now, next.remainingMilliseconds(at: now))
            }
            if jobs.isEmpty && due.isEmpty { return timeout }
            if let now { for registration in due { registration.deadlinePassed(at: now) } }
            for job in jobs { unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
            jobs.removeAll(keepingCapacity: true)
        }
        return 0
    }

    private static func found(_ events: UInt32) -> IOEvents {
        var found: IOEvents = []
        if events & UInt32(EPOLLIN.rawValue) != 0 { found.insert(.read) }
        if events & UInt32(EPOLLOUT.rawValue) != 0 { found.insert(.write) }
        if events & (UInt32(EPOLLRDHUP.rawValue) | UInt32(EPOLLHUP.rawValue) | UInt32(EPOLLERR.rawValue)) != 0 {
            found.formUnion([.read, .write, .hangup])
        }
        return found
    }

    /// The thread cannot go on, for example because the program has closed all descriptors of the process: nobody is left waiting.
    private func giveUp(_ reason: SslSocketError) {
        let (jobs, registrations) = state.withLock { state in
            defer {
                state.jobs = []
                state.registrations = [:]
                state.deadlines = DeadlineQueue()
            }
            state.failure = reason
            return (state.jobs, Array(state.registrations.values))
        }
        for registration in registrations { registration.close() }
        for job in jobs { globalConcurrentExecutor.enqueue(job) }
    }
}
