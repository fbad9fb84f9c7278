internal import Glibc

// What the system knows about a running program.
extension ChildProcess {
    /// KiB of memory in use.
    public var residentKilobytes: Int {
        guard let file = unsafe fopen("/proc/\(processIdentifier)/status", "r") else { return 0 }
        defer { unsafe fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while unsafe fgets(&line, 256, file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            if text.hasPrefix("VmRSS:") { return Int(text.split { $0 == " " || $0 == "\t" }[1]) ?? 0 }
        }
        return 0
    }

    /// How many descriptors are open, once they are at most so many; what it is at last when they never are.
    public func settledDescriptors(atMost limit: Int, within time: Duration = .seconds(30)) async throws(ProcessFailure) -> Int {
        let identifier = processIdentifier
        return await Background.run {
            let end = ContinuousClock.now + time
            while true {
                let count = Self.descriptors(of: identifier)
                if count <= limit || ContinuousClock.now > end { return count }
                // Nothing tells from outside when another program closes one; asking is all there is.
                usleep(10_000)
            }
        }
    }

    private static func descriptors(of identifier: pid_t) -> Int {
        guard let folder = unsafe opendir("/proc/\(identifier)/fd") else { return 0 }
        defer { unsafe closedir(folder) }
        var count = -2
        while unsafe readdir(folder) != nil { count += 1 }
        return count
    }
}
