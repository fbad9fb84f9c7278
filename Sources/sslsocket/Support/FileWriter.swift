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
                throw abandoned(path, code, isSecret)
            }
            rest = rest.dropFirst(count)
        }
        guard close(descriptor) == 0 else { throw abandoned(path, errno, isSecret) }
    }

    /// A part of a secret is of no use, and would be in the way of the next attempt.
    private static func abandoned(_ path: String, _ code: Int32, _ isSecret: Bool) -> ToolFailure {
        if isSecret { unsafe unlink(path) }
        return failure(path, code)
    }

    /// Refuses to write a file over one that the same command reads or writes.
    ///
    /// - Parameter path: what is to be written; nil for nothing.
    static func refuse(_ path: String?, among others: [String?]) throws(ToolFailure) {
        guard let path else { return }
        let place = identity(path)
        for case let other? in others where other == path || (place != nil && identity(other) == place) {
            throw ToolFailure(.usage, "\(path) would be written over \(other), which is needed itself")
        }
    }

    private static func identity(_ path: String) -> [UInt64]? {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        return [UInt64(status.st_dev), UInt64(status.st_ino)]
    }

    private static func failure(_ path: String, _ code: Int32) -> ToolFailure {
        ToolFailure(.unreadable, "cannot write the file \(path): \(Console.reason(code))")
    }
}
