internal import FoundationEssentials
internal import Glibc

/// JSON as the tool writes it: readable, keys in order, so that two runs can be compared by diff.
enum Json {
    /// The JSON text of a value, with a newline at its end; over several lines, or in one.
    static func encode(_ value: some Encodable, inOneLine: Bool = false) throws(ToolFailure) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting =
            inOneLine ? [.sortedKeys, .withoutEscapingSlashes] : [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            return try Array(encoder.encode(value)) + [UInt8(ascii: "\n")]
        } catch {
            throw ToolFailure(.unavailable, "cannot write JSON: \(error)")
        }
    }

    /// Writes a value to standard output.
    static func print(_ value: some Encodable) throws(ToolFailure) { Console.write(try encode(value)) }

    /// Writes a value to standard output, in one line.
    static func printLine(_ value: some Encodable) throws(ToolFailure) { Console.write(try encode(value, inOneLine: true)) }

    /// Writes a value into a file.
    static func write(_ value: some Encodable, toFile path: String) throws(ToolFailure) {
        try FileWriter.write(try encode(value), to: path)
    }
}
