internal import Glibc
package import SslValues

/// Reads whole small files: certificates and keys.
package enum FileReader {
    /// No certificate or key file is larger.
    private static let limit = 16 << 20

    /// The octets of a file, which may also be a pipe (`/dev/stdin`, `/dev/fd/3`).
    ///
    /// - Throws: ``SslSocketError/Code/unreadableFile``, also for more than 16 MiB.
    package static func read(_ path: String) throws(SslSocketError) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path, errno) }
        defer { close(descriptor) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        defer {
            unsafe chunk.withUnsafeMutableBytes { if let start = $0.baseAddress { unsafe explicit_bzero(start, $0.count) } }
        }
        while true {
            let n = unsafe chunk.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if n < 0 && errno == EINTR { continue }
            guard n >= 0 else { throw failure(path, errno) }
            if n == 0 { return content }
            content.append(contentsOf: chunk.prefix(n))
            guard content.count <= limit else {
                throw SslSocketError(
                    .unreadableFile, "The file \(path) is larger than \(limit >> 20) MiB: it holds no certificate or key")
            }
        }
    }

    private static func failure(_ path: String, _ code: Int32) -> SslSocketError {
        let reason = unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
        return SslSocketError(.unreadableFile, "Cannot read the file \(path): \(reason)", systemError: code)
    }
}
