internal import Glibc

/// The signals by which a service is asked to stop: SIGTERM and SIGINT.
enum StopSignals {
    /// The end of a pipe that the handler writes to. It is set once, before the handler is installed.
    nonisolated(unsafe) private static var writeEnd: Int32 = -1

    /// Suspends until the first of them has come. The next one ends the program as it would have at first, for who asks twice means it.
    static func first() async {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { return }
        unsafe writeEnd = ends[1]
        let readEnd = ends[0]
        for number in [SIGTERM, SIGINT] {
            signal(number) { _ in
                var octet: UInt8 = 0
                unsafe _ = write(StopSignals.writeEnd, &octet, 1)
            }
        }
        await Threads.run {
            var octet: UInt8 = 0
            while unsafe read(readEnd, &octet, 1) < 0, errno == EINTR {}
        }
        for number in [SIGTERM, SIGINT] { signal(number, SIG_DFL) }
    }
}
