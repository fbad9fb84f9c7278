internal import Glibc
internal import TestProcesses

/// 64 MiB that are the same nowhere, in a file, made once.
///
/// They are text in lines, because gnutls-cli reads lines of text from its standard input, at most 4 KiB each,
/// and sends a record for every one: short lines would make it the slowest part of the test by far.
struct Payload: Sendable {
    static let size = 64 << 20

    /// The octets.
    let bytes: [UInt8]
    /// The file.
    let path: String
    /// The checksum sha256sum gives for it.
    let checksum: String
    /// The folder of the file.
    let folder: ScratchFolder

    private static let made = Task {
        let folder = try ScratchFolder()
        let path = try folder.write(generate(), to: "payload")
        return Payload(
            bytes: folder.read("payload") ?? [], path: path, checksum: try await Checksum.sha256(ofFile: path), folder: folder)
    }

    /// The payload of this process.
    static func shared() async throws -> Payload { try await made.value }

    private static func generate() -> [UInt8] {
        let digits = Array("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-+".utf8)
        return unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            var state: UInt64 = 0x9E37_79B9_7F4A_7C15
            for index in 0..<size {
                // Xorshift: any bits will do that do not repeat.
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                unsafe buffer[index] = index % 4000 == 3999 ? UInt8(ascii: "\n") : digits[Int(state >> 58)]
            }
            count = size
        }
    }
}

/// Takes octets into a file.
@safe
final class FileSink {
    private let stream: UnsafeMutablePointer<FILE>

    init(_ path: String) throws(ProcessFailure) {
        guard let stream = unsafe fopen(path, "w") else { throw ProcessFailure("cannot write \(path)") }
        unsafe self.stream = stream
    }

    func write(_ bytes: [UInt8]) { unsafe fwrite(bytes, 1, bytes.count, stream) }

    deinit { unsafe fclose(stream) }
}
