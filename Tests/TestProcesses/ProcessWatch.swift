internal import Glibc

/// Collects what a program writes and notes its end, on a thread of its own.
final class ProcessWatch: Sendable {
    struct State: CustomStringConvertible {
        var output: [UInt8] = []
        var errors: [UInt8] = []
        /// The exit status, when it has ended.
        var status: Int32?
        /// Our end of its standard input; -1 when there is none.
        var input: Int32

        var isRunning: Bool { status == nil }
        var description: String {
            "status \(status.map { "\($0)" } ?? "running")\n--- output\n\(String(decoding: output.prefix(4000), as: UTF8.self))"
                + "\n--- errors\n\(String(decoding: errors.suffix(4000), as: UTF8.self))"
        }
    }
    private let state: Monitor<State>
    private let identifier: pid_t

    init(_ spawned: Spawned) {
        let state = Monitor(State(input: spawned.input))
        self.state = state
        identifier = spawned.identifier
        Background.start { Self.collect(spawned, into: state) }
    }

    /// What is known now.
    var snapshot: State { state.value }

    /// Waits on a thread of its own until `condition` holds; nil when it did not within the limit.
    func wait(_ limit: Duration, until condition: @escaping @Sendable (State) -> Bool) async -> State? {
        let state = state
        return await Background.run { state.wait(limit, until: condition) }
    }

    /// Kills the whole group.
    func kill() {
        let identifier = identifier
        state.update { state in
            // The number belongs to the program until its status has been taken.
            if state.isRunning { _ = Glibc.kill(-identifier, SIGKILL) }
            if state.input >= 0 { close(state.input) }
            state.input = -1
        }
    }

    func closeInput() {
        state.update { state in
            if state.input >= 0 { close(state.input) }
            state.input = -1
        }
    }

    /// Writes everything; false when the program takes no more. Blocks.
    func write(_ bytes: [UInt8]) -> Bool {
        // A program that has ended must not end this one; the thread is not used for anything else.
        var blocked = sigset_t()
        unsafe sigemptyset(&blocked)
        unsafe sigaddset(&blocked, SIGPIPE)
        unsafe pthread_sigmask(SIG_BLOCK, &blocked, nil)
        let input = state.value.input
        guard input >= 0 else { return false }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(input, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// Reads both pipes to their ends, then takes the exit status.
    private static func collect(_ spawned: Spawned, into state: Monitor<State>) {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        var entries = [
            pollfd(fd: spawned.output, events: Int16(POLLIN), revents: 0),
            pollfd(fd: spawned.errors, events: Int16(POLLIN), revents: 0),
        ]
        while entries.contains(where: { $0.fd >= 0 }) {
            guard unsafe poll(&entries, 2, -1) >= 0 || errno == EINTR else { break }
            for index in 0..<2 where entries[index].fd >= 0 && entries[index].revents != 0 {
                let count = unsafe read(entries[index].fd, &chunk, chunk.count)
                if count > 0 {
                    let piece = chunk.prefix(count)
                    state.update { state in
                        if index == 0 { state.output += piece } else { state.errors += piece }
                    }
                } else if count == 0 || errno != EINTR {
                    close(entries[index].fd)
                    entries[index].fd = -1
                }
            }
        }
        var information = unsafe siginfo_t()
        while unsafe waitid(P_PID, id_t(spawned.identifier), &information, WEXITED | WNOWAIT) < 0, errno == EINTR {}
        state.update { state in
            // What the program left behind ends with it; only then is its number given back.
            _ = Glibc.kill(-spawned.identifier, SIGKILL)
            var status: Int32 = 0
            while unsafe waitpid(spawned.identifier, &status, 0) < 0, errno == EINTR {}
            let signal = status & 0x7F
            state.status = signal == 0 ? status >> 8 & 0xFF : 128 + signal
        }
    }
}
