internal import FoundationEssentials
internal import Glibc

/// A folder for the files of one test, removed with everything in it when the last reference goes.
public final class ScratchFolder: Sendable {
    /// Its path.
    public let path: String

    /// Makes an empty folder that every user may enter, for servers that run as another user.
    public init() throws(ProcessFailure) {
        var template = Array("/tmp/sslsocket-test-XXXXXX".utf8CString)
        let made = unsafe template.withUnsafeMutableBufferPointer { buffer in
            unsafe buffer.baseAddress.flatMap { unsafe mkdtemp($0) } != nil
        }
        guard made else { throw ProcessFailure("cannot make a folder: error \(errno)") }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        self.path = path
        unsafe chmod(path, 0o755)
        _ = Self.cleaning
        Self.remaining.update { _ = $0.insert(path) }
    }

    /// A folder that is kept for the life of the process goes with it.
    private static let cleaning: Void = { atexit { ScratchFolder.removeRemaining() } }()

    /// The folders there are.
    private static let remaining = Monitor<Set<String>>([])

    private static func removeRemaining() {
        for path in remaining.value { try? FileManager.default.removeItem(atPath: path) }
    }

    // A folder that cannot be removed harms no test.
    deinit {
        try? FileManager.default.removeItem(atPath: path)
        Self.remaining.update { _ = $0.remove(path) }
    }

    /// The path of a file in it.
    public func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Writes a file and returns its path.
    @discardableResult
    public func write(_ bytes: [UInt8], to name: String) throws(ProcessFailure) -> String {
        let path = file(name)
        guard let stream = unsafe fopen(path, "w") else { throw ProcessFailure("cannot write \(path): error \(errno)") }
        let written = unsafe fwrite(bytes, 1, bytes.count, stream)
        guard unsafe fclose(stream) == 0, written == bytes.count else { throw ProcessFailure("cannot write \(path)") }
        return path
    }

    /// Writes a text file and returns its path.
    @discardableResult
    public func write(_ text: String, to name: String) throws(ProcessFailure) -> String { try write(Array(text.utf8), to: name) }

    /// The content of a file; nil when it is not there.
    public func read(_ name: String) -> [UInt8]? {
        guard let stream = unsafe fopen(file(name), "r") else { return nil }
        defer { unsafe fclose(stream) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe fread(&chunk, 1, chunk.count, stream)
            if count == 0 { return content }
            content += chunk.prefix(count)
        }
    }
}
