internal import Glibc
internal import SslBackend
internal import SslValues

// Waiting, in both forms. The only names overloaded by async are those of the waits: in async code the blocking form cannot be reached by accident.
extension SslSocket {
    /// What a wait is for.
    enum Goal {
        case connected
        case encrypted
        /// An announcement of data beyond this count.
        case data(since: Int)
        /// Payload handed on beyond this count, or all of it gone.
        case written(since: Int)
        case disconnected
        /// It is worth trying to read: there is something, the system may have something, or reading has finished.
        case readable
        /// Everything written has been given to the system.
        case drained
        /// A piece worth sending can be written.
        case room
    }

    /// True once the goal is reached.
    func isReached(_ goal: Goal) -> Bool {
        switch goal {
        case .connected: state == .connected
        // Even if the peer has said everything and ended in the same breath.
        case .encrypted: hasBeenEncrypted
        case .data(let count): announcements > count
        case .written(let count): totalWritten > count && output.count == 0 || isReached(.drained)
        case .disconnected: state == .unconnected
        case .readable: (mayReceive && wantsToRead && (isEncrypted || connection == nil)) || isInputOver || !incoming.isEmpty
        case .drained: bytesToWrite == 0 && output.count == 0 && !hasLostOutput
        case .room: hasRoomToSend && !hasLostOutput
        }
    }

    /// True once the connection that a wait was for has ended and nothing can be reached any more but what is reached.
    private func hasEnded(since begun: Int) -> Bool { epoch != begun || state == .unconnected }

    /// What has to happen before another turn makes sense.
    struct Wait {
        var descriptor: Int32
        var events: IOEvents
        var deadline: Deadline?
    }

    /// How long a connection must be idle before it gives its buffers back.
    private static let idleTime = Duration.milliseconds(100)

    /// What to wait for now; nil when nothing can ever happen.
    func nextWait() -> Wait? {
        // A decision is the program's, and it cannot come while it waits; what a slot interrupts goes on when it returns.
        if isFailing || isInTransition || decision != .none { return nil }
        switch stage {
        case .idle: return nil
        case .lookup(let lookup): return Wait(descriptor: lookup.fd, events: .read, deadline: nil)
        case .connecting(let attempts):
            return Wait(descriptor: attempts.waitDescriptor, events: .read, deadline: attempts.nextDeadline)
        case .proxying(let run): return Wait(descriptor: run.descriptor.fd, events: run.events, deadline: nil)
        case .open(let descriptor):
            var events: IOEvents = opening?.events ?? []
            if wantsToRead { events.insert(.read) }
            if output.isBlocked { events.insert(.write) }
            let idle = isWarm ? Deadline(after: Self.idleTime) : nil
            return Wait(descriptor: descriptor.fd, events: events, deadline: idle)
        }
    }

    /// Takes in what a wait found.
    func note(_ events: IOEvents) {
        guard case .open(let descriptor) = stage else { return }
        if events.contains(.hangup) { hasHangup = true }
        if events.contains(.read) || events.contains(.hangup) { mayReceive = true }
        if events.contains(.write) { output.unblock() }
        // Nothing was asked for: the peer has finished long ago, and now it is gone.
        if events == .hangup, isReadFinished {
            let code = descriptor.connectError
            fail(IOErrors.receiving(code == 0 ? ECONNRESET : code, from: peerName))
        }
    }

    /// So many turns are made before the deadline is looked at, however much the peer sends.
    private static let turnsInARow = 64

    /// One step towards a goal without waiting.
    ///
    /// - Parameter begun: the epoch at the start of the wait. A slot may end the connection and begin another, which the wait is not for.
    /// - Returns: true or false when the wait is over, nil when it has to go on.
    @inline(never)
    private func step(towards goal: Goal, since begun: Int) -> Bool? {
        for _ in 0..<Self.turnsInARow {
            if case .readable = goal, isReached(goal) {
                // The reader takes it from the system straight into its own memory.
                pushOut()
                return true
            }
            turn()
            if case .disconnected = goal, hasEnded(since: begun) { return true }
            if epoch == begun || state == .unconnected, isReached(goal) { return true }
            if hasEnded(since: begun) { return false }
            if case .data = goal, isReadChannelFinished, !hasUnannouncedData { return false }
            if !hasMoreToDo { return canReach(goal) ? nil : false }
        }
        return nil
    }

    /// False, with an error, when a full buffer keeps out what is waited for: only its reader can change that.
    private func canReach(_ goal: Goal) -> Bool {
        switch goal {
        case .data, .readable: break
        default: return true
        }
        guard !hasRoomToRead else { return true }
        return refuse(
            "The read buffer is full with \(incoming.heldCount) octets: read them, or end the transaction that keeps them")
    }

    private func hasTimedOut(_ end: Deadline?) -> Bool { end?.isDue(at: .now) ?? false }

    // MARK: Blocking

    @available(*, noasync)
    func block(until goal: Goal, timeout: Duration?) -> Bool {
        let begun = epoch
        let end = Deadline(after: timeout)
        while true {
            if let result = step(towards: goal, since: begun) { return result }
            if hasMoreToDo, !hasTimedOut(end) { continue }
            guard let wait = nextWait() else { return false }
            let isShort = wait.deadline.map { $0.isBefore(end) } ?? false
            switch Poller.wait(fd: wait.descriptor, events: wait.events, deadline: isShort ? wait.deadline : end) {
            case .ready(let events): note(events)
            case .timedOut:
                releaseIdleBuffers()
                if isShort { continue }
                report(timeoutError(goal, timeout))
                return false
            case .cancelled, .closed, .busy: return false
            }
        }
    }

    // MARK: Suspending

    func suspend(until goal: Goal, timeout: Duration?) async -> Bool {
        let begun = epoch
        if let result = step(towards: goal, since: begun) { return result }
        let end = Deadline(after: timeout)
        while true {
            if hasMoreToDo {
                if let result = goOn(end, since: begun, goal, timeout) { return result }
                continue
            }
            guard let wait = nextWait() else { return false }
            let isShort = wait.deadline.map { $0.isBefore(end) } ?? false
            let outcome = await park(wait, isShort ? wait.deadline : end)
            if let result = conclude(outcome, isShort: isShort, since: begun, goal, timeout) { return result }
        }
    }

    /// Goes on although there is something to do without waiting, unless the time is over or the task was cancelled.
    @inline(never)
    private func goOn(_ end: Deadline?, since begun: Int, _ goal: Goal, _ timeout: Duration?) -> Bool? {
        let isCancelled = unsafe withUnsafeCurrentTask { unsafe $0?.isCancelled ?? false }
        if isCancelled { return conclude(.cancelled, isShort: false, since: begun, goal, timeout) }
        if hasTimedOut(end) { return conclude(.timedOut, isShort: false, since: begun, goal, timeout) }
        return step(towards: goal, since: begun)
    }

    /// Takes in how a suspended wait ended, and makes a step. Apart from ``suspend(until:timeout:)``, whose frame lives on the heap as long
    /// as the wait does: with this inlined it takes 4 KiB of each idle connection.
    @inline(never)
    private func conclude(_ outcome: WaitOutcome, isShort: Bool, since begun: Int, _ goal: Goal, _ timeout: Duration?) -> Bool? {
        switch outcome {
        case .ready(let events): if epoch == begun { note(events) }
        case .timedOut:
            releaseIdleBuffers()
            if isShort { break }
            report(timeoutError(goal, timeout))
            return false
        case .cancelled:
            report(SslSocketError(.cancelled, "The task that waited for the socket was cancelled"))
            return false
        case .busy:
            report(SslSocketError(.operationInProgress, "Two tasks already wait for this socket, one for each direction"))
            return false
        case .closed: if state == .unconnected { return isReached(goal) }
        }
        return step(towards: goal, since: begun)
    }

    private func park(_ wait: Wait, _ deadline: Deadline?) async -> WaitOutcome {
        if registration == nil || registration?.fd != wait.descriptor {
            dropRegistration()
            do throws(SslSocketError) {
                registration = try SslReactor.shared.register(wait.descriptor)
            } catch {
                fail(error)
                return .closed
            }
        }
        guard let registration else { return .closed }
        return await registration.wait(wait.events, deadline: deadline, isolation: #isolation)
    }

    func timeoutError(_ goal: Goal, _ timeout: Duration?) -> SslSocketError {
        let what =
            switch goal {
            case .connected: "connecting"
            case .encrypted: opening == nil ? "the TLS handshake" : "the dialogue before TLS"
            case .data, .readable: "receiving data"
            case .written, .drained, .room: "sending data"
            case .disconnected: "the end of the connection"
            }
        let peer = (peerName.isEmpty ? "" : " with \(peerName)") + (isOnWayToProxy ? " through the proxy" : "")
        return SslSocketError(
            isOnWayToProxy ? .proxyConnectionTimeout : .socketTimeout,
            "\(what.prefix(1).uppercased())\(what.dropFirst())\(peer) took longer than \(timeout.map { "\($0)" } ?? "allowed")")
    }

    // MARK: The waits of Qt

    /// Waits until TCP is up (`waitForConnected`); the handshake, if armed, has begun then.
    ///
    /// - Parameter timeout: nil for no limit. Default: 30 s.
    /// - Returns: false on an error or at the timeout, with ``error`` set.
    @available(*, noasync, message: "blocks the thread; in async code await the same name")
    public func waitForConnected(timeout: Duration? = .seconds(30)) -> Bool {
        if state == .connected { return true }
        return block(until: .connected, timeout: timeout)
    }
    /// Suspends until TCP is up: see the blocking form.
    public func waitForConnected(timeout: Duration? = .seconds(30)) async -> Bool {
        if state == .connected { return true }
        return await suspend(until: .connected, timeout: timeout)
    }

    /// Waits until the handshake is done and the peer accepted (`waitForEncrypted`).
    ///
    /// - Returns: false on an error, at the timeout, when the socket is not connecting to encrypt, is encrypted already or has ended, and while it
    ///   ``isPaused``: then nothing has failed yet and ``error`` is left as it is.
    @available(*, noasync, message: "blocks the thread; in async code await the same name")
    public func waitForEncrypted(timeout: Duration? = .seconds(30)) -> Bool {
        guard connection != nil, !isEncrypted, state != .unconnected else { return false }
        return block(until: .encrypted, timeout: timeout)
    }
    /// Suspends until the handshake is done: see the blocking form.
    public func waitForEncrypted(timeout: Duration? = .seconds(30)) async -> Bool {
        guard connection != nil, !isEncrypted, state != .unconnected else { return false }
        return await suspend(until: .encrypted, timeout: timeout)
    }

    /// Waits until new data can be read (`waitForReadyRead`); what was written is sent meanwhile.
    ///
    /// - Returns: true when ``readyRead`` was emitted during the call; false on an error, at the timeout, and once nothing more can come.
    @available(*, noasync, message: "blocks the thread; in async code await the same name")
    public func waitForReadyRead(timeout: Duration? = .seconds(30)) -> Bool {
        block(until: .data(since: announcements), timeout: timeout)
    }
    /// Suspends until new data can be read: see the blocking form.
    public func waitForReadyRead(timeout: Duration? = .seconds(30)) async -> Bool {
        await suspend(until: .data(since: announcements), timeout: timeout)
    }

    /// Waits until payload has been handed to the system (`waitForBytesWritten`).
    ///
    /// - Returns: false when there was nothing to write, on an error, or at the timeout.
    @available(*, noasync, message: "blocks the thread; in async code await the same name")
    public func waitForBytesWritten(timeout: Duration? = .seconds(30)) -> Bool {
        guard !isReached(.drained) else { return false }
        return block(until: .written(since: totalWritten), timeout: timeout)
    }
    /// Suspends until payload has been handed to the system: see the blocking form.
    public func waitForBytesWritten(timeout: Duration? = .seconds(30)) async -> Bool {
        guard !isReached(.drained) else { return false }
        return await suspend(until: .written(since: totalWritten), timeout: timeout)
    }

    /// Waits until the connection has ended (`waitForDisconnected`).
    ///
    /// - Returns: true when it has ended during the call; false when it had ended before, at the timeout, or while the socket ``isPaused``.
    @available(*, noasync, message: "blocks the thread; in async code await the same name")
    public func waitForDisconnected(timeout: Duration? = .seconds(30)) -> Bool {
        guard state != .unconnected else { return false }
        return block(until: .disconnected, timeout: timeout)
    }
    /// Suspends until the connection has ended: see the blocking form.
    public func waitForDisconnected(timeout: Duration? = .seconds(30)) async -> Bool {
        guard state != .unconnected else { return false }
        return await suspend(until: .disconnected, timeout: timeout)
    }
}
