import Glibc

/// The server in a process of its own, and what it uses.
final class Child: Sendable {
    private let pid: pid_t
    /// Where it listens.
    let port: UInt16
    /// KiB before the first connection.
    let idleMemory: Int

    init(_ options: Options) {
        var ends: [Int32] = [0, 0]
        guard unsafe pipe(&ends) == 0 else { die("no pipe") }
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        unsafe posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        let words = ["/proc/self/exe"] + options.serverArguments
        var arguments = unsafe words.map { unsafe strdup($0) } + [nil]
        var pid: pid_t = 0
        let status = unsafe posix_spawn(&pid, "/proc/self/exe", &actions, nil, &arguments, environ)
        guard status == 0 else { die("no process: \(status)") }
        close(ends[1])
        var digits: [UInt8] = []
        var octet: UInt8 = 0
        while unsafe read(ends[0], &octet, 1) == 1, octet != 10 { digits.append(octet) }
        guard let port = UInt16(String(decoding: digits, as: UTF8.self)) else { die("the server did not start") }
        self.pid = pid
        self.port = port
        idleMemory = Self.number("/proc/\(pid)/smaps_rollup", "Pss:")
    }

    func stop() {
        kill(pid, SIGKILL)
        unsafe _ = waitpid(pid, nil, 0)
    }

    /// KiB of memory, shared pages counted in proportion.
    var memory: Int { Self.number("/proc/\(pid)/smaps_rollup", "Pss:") }
    /// KiB of memory that is its own.
    var heap: Int { Self.number("/proc/\(pid)/smaps_rollup", "Private_Dirty:") }
    /// KiB of resident memory.
    var resident: Int { Self.number("/proc/\(pid)/status", "VmRSS:") }

    /// Open descriptors.
    var descriptors: Int {
        guard let folder = unsafe opendir("/proc/\(pid)/fd") else { return -1 }
        defer { unsafe closedir(folder) }
        var count = -2
        while unsafe readdir(folder) != nil { count += 1 }
        return count
    }

    private static func number(_ path: String, _ key: String) -> Int {
        guard let file = unsafe fopen(path, "r") else { return 0 }
        defer { unsafe fclose(file) }
        var buffer = [CChar](repeating: 0, count: 256)
        while unsafe fgets(&buffer, 256, file) != nil {
            let text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            if text.hasPrefix(key) { return Int(text.split(separator: " ")[1]) ?? 0 }
        }
        return 0
    }
}
