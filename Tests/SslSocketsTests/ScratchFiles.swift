import Glibc

/// A directory of a test's own, which goes when the last reference does.
final class ScratchFiles {
    /// Its path, without a slash at the end.
    let path: String

    init() throws {
        var template = Array("/tmp/sslsocket-test-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else { throw ScratchError(code: errno) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { Self.remove(path) }

    /// Writes a file and returns its path; directories on the way are made.
    @discardableResult
    func write(_ name: String, _ content: [UInt8]) throws -> String {
        let file = "\(path)/\(name)"
        for (index, character) in file.enumerated() where character == "/" && index > path.count {
            _ = unsafe mkdir(String(file.prefix(index)), 0o700)
        }
        let descriptor = unsafe open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw ScratchError(code: errno) }
        defer { close(descriptor) }
        guard unsafe Glibc.write(descriptor, content, content.count) == content.count else { throw ScratchError(code: errno) }
        return file
    }

    @discardableResult
    func write(_ name: String, _ content: String) throws -> String { try write(name, Array(content.utf8)) }

    private struct ScratchError: Error { let code: Int32 }

    private static func remove(_ path: String) {
        if let directory = unsafe opendir(path) {
            defer { unsafe closedir(directory) }
            while let entry = unsafe readdir(directory) {
                let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { start in
                    unsafe start.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
                }
                if name != ".", name != ".." { remove("\(path)/\(name)") }
            }
        }
        _ = unsafe Glibc.remove(path)
    }
}
