internal import Glibc

/// A point in time of CLOCK_MONOTONIC, which never jumps.
package struct MonotonicTime: Sendable, Hashable, Comparable {
    /// Nanoseconds since some fixed point, usually the start of the system.
    package var nanoseconds: Int64

    /// Makes a time from its count of nanoseconds.
    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// The time now.
    package static var now: MonotonicTime {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicTime(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    /// The time `duration` later; the last representable one when that is beyond the range.
    package func adding(_ duration: Duration) -> MonotonicTime {
        let (seconds, attoseconds) = duration.components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (span, overflow2) = whole.addingReportingOverflow(attoseconds / 1_000_000_000)
        let (sum, overflow3) = nanoseconds.addingReportingOverflow(span)
        if overflow || overflow2 || overflow3 { return MonotonicTime(nanoseconds: seconds < 0 ? .min : .max) }
        return MonotonicTime(nanoseconds: sum)
    }

    package static func < (a: MonotonicTime, b: MonotonicTime) -> Bool { a.nanoseconds < b.nanoseconds }
}

/// Where the time comes from, so that tests need not wait for it.
package struct MonotonicClock: Sendable {
    private let source: @Sendable () -> MonotonicTime

    /// Makes a clock that asks `source`.
    package init(_ source: @escaping @Sendable () -> MonotonicTime) { self.source = source }

    /// The time now by this clock.
    package var now: MonotonicTime { source() }

    /// CLOCK_MONOTONIC.
    package static let system = MonotonicClock { MonotonicTime.now }
}

/// When a wait ends at the latest. "Never" is a missing deadline.
package struct Deadline: Sendable, Hashable, Comparable {
    /// The time from which on it is due.
    package let time: MonotonicTime

    /// A deadline at `time`.
    package init(at time: MonotonicTime) { self.time = time }

    /// The deadline `timeout` from now; nil, which is never, for a missing timeout. One of zero or less is ``past``.
    package init?(after timeout: Duration?, clock: MonotonicClock = .system) {
        guard let timeout else { return nil }
        self = timeout <= .zero ? .past : Deadline(at: clock.now.adding(timeout))
    }

    /// A deadline that was due before any time a clock can show: look, but do not wait.
    package static let past = Deadline(at: MonotonicTime(nanoseconds: .min))

    /// True when the deadline has come at `now`.
    package func isDue(at now: MonotonicTime) -> Bool { time <= now }

    /// What poll(2) and epoll_wait(2) are given: whole milliseconds, rounded up so that they do not return too early and
    /// spin; 0 when due.
    package func remainingMilliseconds(at now: MonotonicTime) -> Int32 {
        guard !isDue(at: now) else { return 0 }
        let (span, overflow) = time.nanoseconds.subtractingReportingOverflow(now.nanoseconds)
        if overflow { return .max }
        let milliseconds = span / 1_000_000 + (span % 1_000_000 == 0 ? 0 : 1)
        return Int32(clamping: milliseconds)
    }

    /// True when this deadline comes before the other; a missing one never comes.
    package func isBefore(_ other: Deadline?) -> Bool { other.map { self < $0 } ?? true }

    package static func < (a: Deadline, b: Deadline) -> Bool { a.time < b.time }
}
