import Glibc

/// Times one measurement and prints it as one line of JSON.
struct Measurement {
    private let options: Options
    private let started = Clock.now()

    /// Starts the clock.
    init(_ options: Options) { self.options = options }

    /// Prints throughput.
    func report(bytes: Int, tls: String) {
        let time = Clock.now() - started
        print(value: Double(bytes) / time.wall / 1e6, unit: "MB/s", bytes: bytes, time, tls, resumed: 0)
    }

    /// Prints how many operations a second.
    func report(operations: Int, tls: String, resumed: Int = 0) {
        let time = Clock.now() - started
        print(value: Double(operations) / time.wall, unit: "1/s", bytes: 0, time, tls, resumed: resumed)
    }

    private func print(value: Double, unit: String, bytes: Int, _ time: Clock, _ tls: String, resumed: Int) {
        line(
            """
            {"peer":"sslsocket","mode":"\(options.mode.rawValue)","value":\(value),"unit":"\(unit)","n":\(options.count),\
            "size":\(options.size),"bytes":\(bytes),"seconds":\(time.wall),"cpu_user":\(time.user),"cpu_sys":\(time.system),\
            "tls":"\(tls)","resumed":\(resumed)}
            """)
    }
}

/// Prints a line at once.
func line(_ text: String) {
    print(text)
    fflush(nil)
}

/// Seconds of the wall, and of this process in user and system mode.
private struct Clock {
    var wall: Double
    var user: Double
    var system: Double

    static func now() -> Clock {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        var usage = rusage()
        unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return Clock(
            wall: Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9, user: seconds(usage.ru_utime),
            system: seconds(usage.ru_stime))
    }

    private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) * 1e-6 }

    static func - (a: Clock, b: Clock) -> Clock {
        Clock(wall: a.wall - b.wall, user: a.user - b.user, system: a.system - b.system)
    }
}
