internal import Glibc
internal import SslSockets

/// What a comparison ran on: enough to judge its times by, and nothing that tells whose machine it is.
struct Machine {
    /// The processor and how many of them there are.
    let hardware: String
    /// The kernel and its version.
    let system: String
    /// The program was not optimised.
    let isDebugBuild: Bool

    /// This one.
    init() {
        var names = utsname()
        _ = unsafe uname(&names)
        let count = max(sysconf(Int32(_SC_NPROCESSORS_ONLN)), 1)
        hardware = "\(Self.processor ?? Self.text(of: &names.machine)), \(count) \(count == 1 ? "processor" : "processors")"
        system = "\(Self.text(of: &names.sysname)) \(Self.text(of: &names.release)) \(Self.text(of: &names.machine))"
        #if DEBUG
        isDebugBuild = true
        #else
        isDebugBuild = false
        #endif
    }

    /// A made-up one, for tests.
    init(hardware: String, system: String, isDebugBuild: Bool) {
        self.hardware = hardware
        self.system = system
        self.isDebugBuild = isDebugBuild
    }

    /// The kernel's name for the first processor; nil where it has none.
    private static var processor: String? {
        guard let octets = try? FileReader.read("/proc/cpuinfo") else { return nil }
        let line = String(decoding: octets, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("model name") }
        guard let line, let colon = line.firstIndex(of: ":") else { return nil }
        return String(line[line.index(after: colon)...].drop { $0 == " " })
    }

    private static func text<Characters>(of characters: inout Characters) -> String {
        unsafe withUnsafeBytes(of: &characters) { octets in
            unsafe String(decoding: octets.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}

/// When a report was made: SOURCE_DATE_EPOCH if it is set, so that a build that makes one can be repeated octet by octet, or now.
enum ReportDate {
    /// The time to write.
    static var now: SslInstant { read(unsafe getenv("SOURCE_DATE_EPOCH").map { unsafe String(cString: $0) }) }

    /// The time a value of the variable stands for; the present for none and for what is no number of seconds.
    static func read(_ value: String?) -> SslInstant {
        value.flatMap { Int64($0) }.flatMap { (0...253_402_300_799).contains($0) ? SslInstant(secondsSince1970: $0) : nil }
            ?? .now
    }
}
