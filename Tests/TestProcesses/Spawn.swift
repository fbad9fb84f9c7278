internal import Glibc

/// A started program and our ends of its pipes.
struct Spawned {
    let identifier: pid_t
    let input: Int32
    let output: Int32
    let errors: Int32
}

/// Starts programs with posix_spawn, each in a process group of its own, so that it can be killed with its children.
enum Spawn {
    /// Starts of one process take turns: a program started between pipe(2) and fcntl(2) of another would keep its pipe open.
    private static let turn = Monitor(())

    static func start(
        _ program: String, _ arguments: [String], input: ChildProcess.Input, environment: [String: String], outputFile: String?,
        folder: String?
    ) throws(ProcessFailure) -> Spawned {
        try turn.update { _ in
            Result { () throws(ProcessFailure) in
                try spawn(
                    program, arguments, input: input, environment: environment, outputFile: outputFile, folder: folder)
            }
        }.get()
    }

    private static func spawn(
        _ program: String, _ arguments: [String], input: ChildProcess.Input, environment: [String: String], outputFile: String?,
        folder: String?
    ) throws(ProcessFailure) -> Spawned {
        let output = try makePipe()
        let errors = try makePipe()
        var feed: (read: Int32, write: Int32) = (-1, -1)
        if case .pipe = input { feed = try makePipe() }
        // The ends of the child; ours carry close-on-exec.
        defer { for end in [output.write, errors.write, feed.read] where end >= 0 { close(end) } }

        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        switch input {
        case .none: unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        case .file(let path): unsafe posix_spawn_file_actions_addopen(&actions, 0, path, O_RDONLY, 0)
        case .pipe: unsafe posix_spawn_file_actions_adddup2(&actions, feed.read, 0)
        }
        if let outputFile {
            unsafe posix_spawn_file_actions_addopen(&actions, 1, outputFile, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        } else {
            unsafe posix_spawn_file_actions_adddup2(&actions, output.write, 1)
        }
        unsafe posix_spawn_file_actions_adddup2(&actions, errors.write, 2)

        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        // The child begins with the signals a shell would give it, whatever the test runner ignores.
        var defaults = sigset_t()
        unsafe sigemptyset(&defaults)
        unsafe sigaddset(&defaults, SIGPIPE)
        unsafe posix_spawnattr_setsigdefault(&attributes, &defaults)
        unsafe posix_spawnattr_setpgroup(&attributes, 0)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP) | Int16(POSIX_SPAWN_SETSIGDEF))

        // posix_spawn cannot change the folder everywhere; env can.
        let command = (folder.map { ["/usr/bin/env", "-C", $0] } ?? []) + [program] + arguments
        var identifier: pid_t = 0
        let status = unsafe withStrings(command) { argv in
            unsafe withStrings(merged(environment)) { envp in
                unsafe posix_spawn(&identifier, command[0], &actions, &attributes, argv, envp)
            }
        }
        guard status == 0 else {
            for end in [output.read, errors.read, feed.write] where end >= 0 { close(end) }
            throw ProcessFailure("cannot start \(program): error \(status)")
        }
        return Spawned(identifier: identifier, input: feed.write, output: output.read, errors: errors.read)
    }

    private static func makePipe() throws(ProcessFailure) -> (read: Int32, write: Int32) {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { throw ProcessFailure("cannot make a pipe: error \(errno)") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    private static func merged(_ changes: [String: String]) -> [String] {
        var variables: [String] = []
        var next = unsafe environ
        while let entry = unsafe next.pointee {
            let text = unsafe String(cString: entry)
            let name = text.split(separator: "=", maxSplits: 1).first.map(String.init) ?? ""
            if changes[name] == nil { variables.append(text) }
            unsafe next += 1
        }
        return variables + changes.filter { !$0.value.isEmpty }.map { "\($0.key)=\($0.value)" }
    }

    private static func withStrings<R>(
        _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> R
    ) -> R {
        let list = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: strings.count + 1)
        for (index, string) in strings.enumerated() { unsafe list[index] = unsafe strdup(string) }
        unsafe list[strings.count] = nil
        defer {
            for index in 0..<strings.count { unsafe free(list[index]) }
            unsafe list.deallocate()
        }
        return unsafe body(list)
    }
}
