internal import SslValues

/// The clock certificates are judged by. Tests set it, so that none of them depends on the date it runs at.
package enum TlsClock {
    /// The time to judge at instead of the system's; bound for a task by `TlsClock.$fixed.withValue`.
    @TaskLocal package static var fixed: SslInstant?

    /// The fixed time, or the system's.
    package static var now: SslInstant { fixed ?? .now }
}
