import Glibc
import SslSockets

/// What it costs to trust the system's certificates: milliseconds and octets of memory for the first configuration, the second and a thousand, each with
/// its context prepared, and for judging a chain. One line of JSON a run.
///
///     sslsocket-trust BACKEND [COUNT]
@main
struct Program {
    static func main() {
        let words = CommandLine.arguments
        let backend = words.count > 1 ? words[1] : "gnutls"
        let count = words.count > 2 ? Int(words[2]) ?? 1000 : 1000
        do throws(SslSocketError) {
            try measure(backend, count)
        } catch {
            print("\(error)")
            exit(1)
        }
    }

    private static func measure(_ backend: String, _ count: Int) throws(SslSocketError) {
        // The library's own start is no part of it.
        var bare = SslConfiguration()
        bare.backend = backend
        bare.usesSystemCaCertificates = false
        try bare.validate(for: .client)

        var kept: [SslConfiguration] = []
        kept.reserveCapacity(count + 2)
        func add(_ number: Int) throws(SslSocketError) {
            var configuration = SslConfiguration()
            configuration.backend = backend
            // Each is another one, so that none shares what was prepared for another.
            configuration.allowedNextProtocols = ["p\(number)"]
            try configuration.validate(for: .client)
            kept.append(configuration)
        }
        let first = try cost { () throws(SslSocketError) in try add(0) }
        let second = try cost { () throws(SslSocketError) in try add(1) }
        let many = try cost { () throws(SslSocketError) in for number in 0..<count { try add(number + 2) } }
        // The same without any trusted certificate: what is left is the price of a context.
        let contexts = try cost { () throws(SslSocketError) in
            for number in 0..<count {
                var configuration = bare
                configuration.allowedNextProtocols = ["q\(number)"]
                try configuration.validate(for: .client)
                kept.append(configuration)
            }
        }
        let roots = try SslConfiguration.systemCaCertificates(backend: backend)
        print(
            #"{"backend":"\#(backend)","trusted":\#(roots.count),"first":\#(first),"second":\#(second),"#
                + #""count":\#(count),"all":\#(many),"allWithoutTrust":\#(contexts)}"#)
    }

    private struct Cost: CustomStringConvertible {
        var nanoseconds: Int
        var octets: Int
        var description: String {
            let micro = nanoseconds / 1000
            let thousandth = micro % 1000
            let digits = "\(thousandth)"
            return
                #"{"milliseconds":\#(micro / 1000).\#(String(repeating: "0", count: 3 - digits.utf8.count))\#(digits),"octets":\#(octets)}"#
        }
    }

    private static func cost(_ work: () throws(SslSocketError) -> Void) throws(SslSocketError) -> Cost {
        let before = resident()
        let start = clock()
        try work()
        let end = clock()
        return Cost(nanoseconds: end - start, octets: resident() - before)
    }

    private static func clock() -> Int {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }

    /// What of this process is in memory, in whole pages.
    private static func resident() -> Int {
        guard let file = unsafe fopen("/proc/self/statm", "r") else { return 0 }
        defer { unsafe fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        guard unsafe fgets(&line, Int32(line.count), file) != nil else { return 0 }
        let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * sysconf(Int32(_SC_PAGESIZE))
    }
}
