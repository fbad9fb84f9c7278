internal import CSslLinux
internal import Glibc

/// What a descriptor is waited for, or is ready for.
package struct IOEvents: OptionSet, Sendable, Hashable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// There is something to read, or the end, or an error.
    package static let read = IOEvents(rawValue: 1)
    /// There is room to write, or an error.
    package static let write = IOEvents(rawValue: 2)
    /// The peer has hung up or the descriptor is in error: reading tells, and goes on until it does. Never asked for, only found.
    package static let hangup = IOEvents(rawValue: 4)
    /// Both directions.
    package static let both: IOEvents = [.read, .write]
}

/// How a wait ended.
package enum WaitOutcome: Sendable, Hashable {
    /// Try again: these of the awaited events are there.
    case ready(IOEvents)
    /// The deadline came first.
    case timedOut
    /// The task was cancelled first.
    case cancelled
    /// The descriptor was closed or taken out of the reactor.
    case closed
    /// Another task already waits for the same direction; nothing was waited for.
    case busy
}

/// Waiting for a descriptor with poll(2), which blocks the thread.
package enum Poller {
    /// Blocks until one of `events` is there or `deadline` has come. Signals do not end the wait, nor make it longer.
    ///
    /// Errors and hang-ups count as readiness for everything that was asked for: the next call on the descriptor tells.
    package static func wait(
        fd: Int32, events: IOEvents, deadline: Deadline?, clock: MonotonicClock = .system
    ) -> WaitOutcome {
        // poll(2) would ignore a negative descriptor and sleep until the deadline.
        guard fd >= 0 else { return .closed }
        var asked: Int16 = 0
        if events.contains(.read) { asked |= Int16(POLLIN) | ssllinux_pollrdhup() }
        if events.contains(.write) { asked |= Int16(POLLOUT) }
        var entry = pollfd(fd: fd, events: asked, revents: 0)
        while true {
            let timeout = deadline.map { $0 == .past ? 0 : $0.remainingMilliseconds(at: clock.now) } ?? -1
            let count = unsafe poll(&entry, 1, timeout)
            if count > 0 { return outcome(of: entry.revents, asked: events) }
            if count == 0 {
                // A timeout beyond what poll(2) can express is waited for in several turns.
                if let deadline, deadline.isDue(at: clock.now) { return .timedOut }
                continue
            }
            // Without EINTR and EAGAIN, what is left says that this descriptor cannot be polled at all.
            if errno != EINTR && errno != EAGAIN { return .closed }
        }
    }

    private static func outcome(of returned: Int16, asked: IOEvents) -> WaitOutcome {
        if returned & Int16(POLLNVAL) != 0 { return .closed }
        if returned & (Int16(POLLERR) | Int16(POLLHUP)) != 0 { return .ready(asked.union(.hangup)) }
        var found: IOEvents = []
        if returned & (Int16(POLLIN) | ssllinux_pollrdhup()) != 0 { found.insert(.read) }
        if returned & ssllinux_pollrdhup() != 0 { found.insert(.hangup) }
        if returned & Int16(POLLOUT) != 0 { found.insert(.write) }
        return .ready(found)
    }
}
