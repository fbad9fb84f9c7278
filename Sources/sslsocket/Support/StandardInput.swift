internal import Glibc

/// Standard input for async code.
///
/// read(2) from a terminal or a pipe blocks for as long as it likes. It runs on a thread of its own, so that no thread of the
/// cooperative pool is ever blocked, and a chunk is read only when it is asked for, so that memory stays bounded.
final class StandardInput: Sendable {
    private let wake: (read: Int32, write: Int32)

    init() throws(ToolFailure) {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else {
            throw ToolFailure(.unavailable, "cannot make a pipe: \(Console.reason(errno))")
        }
        wake = (ends[0], ends[1])
    }

    deinit {
        close(wake.read)
        close(wake.write)
    }

    /// The next octets; nil at the end, or when the task was cancelled.
    func next() async -> [UInt8]? {
        await withTaskCancellationHandler {
            await Threads.run { self.readChunk() }
        } onCancel: {
            var octet: UInt8 = 0
            _ = unsafe write(wake.write, &octet, 1)
        }
    }

    private func readChunk() -> [UInt8]? {
        var entries = [
            pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0), pollfd(fd: wake.read, events: Int16(POLLIN), revents: 0),
        ]
        while true {
            guard unsafe poll(&entries, 2, -1) >= 0 else {
                if errno == EINTR { continue }
                return nil
            }
            if entries[1].revents != 0 { return nil }
            guard entries[0].revents != 0 else { continue }
            var chunk = [UInt8](repeating: 0, count: 65_536)
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe read(STDIN_FILENO, $0.baseAddress, $0.count) }
            if count > 0 { return Array(chunk.prefix(count)) }
            if count == 0 || (errno != EINTR && errno != EAGAIN) { return nil }
        }
    }
}
