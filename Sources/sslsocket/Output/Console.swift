internal import Glibc

/// Standard output and standard error, unbuffered.
enum Console {
    /// Writes a line to standard output.
    static func print(_ line: String) { write(Array((line + "\n").utf8)) }

    /// Writes octets to standard output. When nobody reads it any more, the tool ends quietly: what was asked for cannot be told.
    static func write(_ bytes: [UInt8]) {
        if let code = send(bytes, to: STDOUT_FILENO) {
            if code == EPIPE { Glibc.exit(ExitStatus.done.rawValue) }
            error("sslsocket: cannot write to standard output: \(reason(code))")
            Glibc.exit(ExitStatus.unreadable.rawValue)
        }
    }

    /// Writes a line to standard error. What cannot be written there can be told nowhere.
    static func error(_ line: String) { _ = send(Array((line + "\n").utf8), to: STDERR_FILENO) }

    /// Writes to standard error without a newline.
    static func errorPart(_ text: String) { _ = send(Array(text.utf8), to: STDERR_FILENO) }

    /// Someone sits before it.
    static var isOutputTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
    /// Someone sits before it.
    static var isErrorTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    /// The system's words for an errno.
    static func reason(_ code: Int32) -> String { unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)" }

    /// Writes everything; returns the errno of a failure.
    private static func send(_ bytes: [UInt8], to descriptor: Int32) -> Int32? {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                // Somebody else made the descriptor non-blocking.
                var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = unsafe poll(&entry, 1, -1)
            } else if errno != EINTR {
                return errno
            }
        }
        return nil
    }
}
