internal import Glibc

/// A point in time with a resolution of one second, as certificates and tickets use it.
public struct SslInstant: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Seconds since 1970-01-01T00:00:00Z, without leap seconds.
    public var secondsSince1970: Int64

    /// Makes an instant from seconds since 1970-01-01T00:00:00Z.
    public init(secondsSince1970: Int64) { self.secondsSince1970 = secondsSince1970 }

    /// The time now, of the system's real-time clock.
    public static var now: SslInstant {
        var t = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &t)
        return SslInstant(secondsSince1970: Int64(t.tv_sec))
    }

    /// The instant `seconds` later, or earlier when negative.
    public func adding(seconds: Int64) -> SslInstant { SslInstant(secondsSince1970: secondsSince1970 + seconds) }

    /// The instant `days` later, or earlier when negative.
    public func adding(days: Int64) -> SslInstant { adding(seconds: days * 86_400) }

    public static func < (a: SslInstant, b: SslInstant) -> Bool { a.secondsSince1970 < b.secondsSince1970 }

    /// RFC 3339 in UTC, for example `2026-11-21T08:30:00Z`.
    public var description: String {
        let days = Int64((Double(secondsSince1970) / 86_400).rounded(.down))
        let second = secondsSince1970 - days * 86_400
        let (year, month, day) = Self.civil(daysSince1970: days)
        func two(_ n: Int64) -> String { n < 10 ? "0\(n)" : "\(n)" }
        let y = year >= 0 && year < 1000 ? String(repeating: "0", count: 4 - "\(year)".count) + "\(year)" : "\(year)"
        return "\(y)-\(two(month))-\(two(day))T\(two(second / 3600)):\(two(second / 60 % 60)):\(two(second % 60))Z"
    }

    /// The instant of a UTC calendar date and time of the proleptic Gregorian calendar; nil when a part is out of its range.
    public init?(year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0) {
        guard (1...12).contains(month), (1...31).contains(day), (0...23).contains(hour), (0...59).contains(minute),
            (0...60).contains(second), (0...9999).contains(year)
        else { return nil }
        let days = Self.days(year: Int64(year), month: Int64(month), day: Int64(day))
        guard Self.civil(daysSince1970: days).day == Int64(day) else { return nil }
        self.init(secondsSince1970: days * 86_400 + Int64(hour * 3600 + minute * 60 + second))
    }

    /// Year, month and day of a day number, by counting in 400-year eras that begin on March 1.
    private static func civil(daysSince1970 days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let z = days + 719_468
        let era = (z >= 0 ? z : z - 146_096) / 146_097
        let dayOfEra = z - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }

    /// The day number of a calendar date: the inverse of ``civil(daysSince1970:)``.
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let y = month <= 2 ? year - 1 : year
        let era = (y >= 0 ? y : y - 399) / 400
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
