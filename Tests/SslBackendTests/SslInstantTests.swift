internal import SslSockets
internal import Testing

/// Points in time as certificates write them.
@Suite("SslInstant")
struct SslInstantTests {
    @Test(
        "The calendar, there and back",
        arguments: [
            (1970, 1, 1, 0, 0, 0, Int64(0)), (1970, 1, 2, 0, 0, 0, 86_400), (2000, 2, 29, 12, 0, 0, 951_825_600),
            (2038, 1, 19, 3, 14, 8, 2_147_483_648), (1969, 12, 31, 23, 59, 59, -1), (9999, 12, 31, 23, 59, 59, 253_402_300_799),
            (1900, 3, 1, 0, 0, 0, -2_203_891_200), (2100, 3, 1, 0, 0, 0, 4_107_542_400),
        ])
    func calendar(_ date: (Int, Int, Int, Int, Int, Int, Int64)) throws {
        let (year, month, day, hour, minute, second, seconds) = date
        let instant = try #require(
            SslInstant(year: year, month: month, day: day, hour: hour, minute: minute, second: second))
        #expect(instant.secondsSince1970 == seconds)
        func two(_ n: Int) -> String { n < 10 ? "0\(n)" : "\(n)" }
        #expect("\(instant)" == "\(year)-\(two(month))-\(two(day))T\(two(hour)):\(two(minute)):\(two(second))Z")
    }

    @Test(
        "Dates that do not exist",
        arguments: [
            (2023, 2, 29), (2100, 2, 29), (2023, 4, 31), (2023, 13, 1), (2023, 0, 1), (2023, 1, 0), (10_000, 1, 1), (-1, 1, 1),
        ])
    func impossible(_ date: (Int, Int, Int)) {
        #expect(SslInstant(year: date.0, month: date.1, day: date.2) == nil)
    }

    @Test("Adding and comparing")
    func arithmetic() {
        let instant = SslInstant(secondsSince1970: 1000)
        #expect(instant.adding(seconds: -1) < instant)
        #expect(instant.adding(days: 1).secondsSince1970 == 87_400)
        #expect("\(SslInstant(secondsSince1970: 0))" == "1970-01-01T00:00:00Z")
    }
}
