internal import Glibc

/// Writes small files: reports and certificates.
enum FileWriter {
    /// Replaces the content of a file, or makes it.
    ///
    /// - Parameter isSecret: nobody but the owner may read it, and a file that is there already is left alone: it may be somebody's key.
    static func write(_ bytes: [UInt8], to path: String, isSecret: Bool = false) throws(ToolFailure) {
        let descriptor = unsafe open(
            path, O_WRONLY | O_CREAT | O_CLOEXEC | (isSecret ? O_EXCL : O_TRUNC), isSecret ? 0o600 : 0o644)
        guard descriptor >= 0 else { throw failure(path, errno) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                let code = errno
                if code == EINTR { continue }
                close(descriptor)
                throw failure(path, code)
            }
            rest = rest.dropFirst(count)
        }
        guard close(descriptor) == 0 else { throw failure(path, errno) }
    }

    private static func failure(_ path: String, _ code: Int32) -> ToolFailure {
        ToolFailure(.unreadable, "cannot write the file \(path): \(Console.reason(code))")
    }
}
