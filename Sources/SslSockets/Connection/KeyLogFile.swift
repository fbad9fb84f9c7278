internal import CSslLinux
internal import Glibc
internal import SslBackend
internal import SslValues

/// The file in which a connection writes down its secrets. Each connection opens it for itself, and the system appends what is written at once in one
/// piece, so that connections, threads and processes can share it.
final class KeyLogFile {
    private let descriptor: Int32

    /// Opens the file, or makes it for nobody but its owner.
    ///
    /// - Parameter path: nil for no file.
    /// - Parameter isPrivileged: the process has rights its user has not (set-user-ID and the like): it may be made to write, so it does not.
    init?(_ path: String?, isPrivileged: Bool = ssllinux_is_privileged() != 0) throws(SslSocketError) {
        guard let path else { return nil }
        guard !isPrivileged else {
            throw SslSocketError(
                .socketAccess, "A program that runs with more rights than its user (set-user-ID) does not write a key log file")
        }
        // Not to be kept waiting by what is no file.
        descriptor = unsafe open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0o600)
        guard descriptor >= 0 else {
            let code = errno
            let reason = unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
            throw SslSocketError(
                .unreadableFile, "Cannot write to the key log file \(path): \(reason)", systemError: code)
        }
    }

    deinit { close(descriptor) }

    /// Writes the lines among the events. What the system does not take (a full disk) is lost: a tool for looking into connections must not end them.
    func append(_ events: [TlsEvent]) {
        var text: [UInt8] = []
        for case .keyLog(let line) in events { text += Array(line.utf8) + [0x0A] }
        guard !text.isEmpty else { return }
        defer { unsafe text.withUnsafeMutableBytes { if let start = $0.baseAddress { unsafe explicit_bzero(start, $0.count) } } }
        var count = 0
        repeat {
            count = unsafe text.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
        } while count < 0 && errno == EINTR
    }
}
