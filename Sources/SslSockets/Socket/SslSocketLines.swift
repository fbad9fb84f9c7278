internal import SslBackend
internal import SslValues

// Lines and other pieces that end with a delimiter. What was searched once is not searched again, however small the portions are in which
// the octets come.
extension SslSocket {
    /// A whole line is there (`canReadLine`).
    public var canReadLine: Bool { incoming.lineLength() != nil }

    /// Reads a line with its newline, at most `maximum` octets (`readLine`); without a whole line, what is there. It neither ends with a zero as
    /// Qt's form into memory does, nor is a carriage return taken off.
    public func readLine(_ maximum: Int = .max) -> [UInt8] {
        takeWhatIsThere()
        let bytes = incoming.take(min(incoming.lineLength() ?? .max, maximum))
        resumeReading()
        return bytes
    }

    /// Reads a line with its newline into memory, at most `buffer.count` octets (`readLine`, `readLineInto`); without a whole line, what is there.
    ///
    /// - Returns: how many; 0 when there is nothing now, -1 when there will be nothing any more.
    public func readLine(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        takeWhatIsThere()
        if buffer.count > 0, isReadingOver { return -1 }
        let length = min(incoming.lineLength() ?? .max, buffer.count)
        let count = unsafe incoming.take(into: UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(length)))
        resumeReading()
        return count
    }

    /// Reads a line into the free part of `span` (`readLineInto`): see ``readLine(into:)-(UnsafeMutableRawBufferPointer)``.
    public func readLine(into span: inout OutputSpan<UInt8>) -> Int {
        unsafe span.fill { unsafe readLine(into: $0) }
    }

    /// Reads up to the first `delimiter`, with it. Beyond Qt 6.11.
    ///
    /// - Parameter maximum: of how many octets, with the delimiter.
    /// - Returns: nil, and nothing is taken, while the delimiter is not among the first `maximum` octets that are there; when that many are
    ///   there, it never will be.
    public func readUntil(_ delimiter: UInt8, maximum: Int = .max) -> [UInt8]? {
        unsafe withUnsafeBytes(of: delimiter) { unsafe readThrough($0, maximum) }
    }

    /// Reads up to the first `delimiter`, with it: see ``readUntil(_:maximum:)-(UInt8,_)``. An empty delimiter ends nothing, so that nil is returned.
    public func readUntil(_ delimiter: [UInt8], maximum: Int = .max) -> [UInt8]? {
        unsafe delimiter.withUnsafeBytes { unsafe readThrough($0, maximum) }
    }

    private func readThrough(_ delimiter: UnsafeRawBufferPointer, _ maximum: Int) -> [UInt8]? {
        takeWhatIsThere()
        guard let length = unsafe incoming.length(through: delimiter), length <= maximum else { return nil }
        let bytes = incoming.take(length)
        resumeReading()
        return bytes
    }
}
