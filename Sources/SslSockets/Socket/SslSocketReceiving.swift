internal import SslBackend
public import SslValues

// The Swift-native way to read: async calls that wait until there is something, and throw when there will be nothing any more and the peer has
// not said so properly. `timeout` is for the whole call; nil, the default, for no limit.
extension SslSocket {
    /// Receives into memory, suspending until there is something.
    ///
    /// - Returns: the number of octets; 0 when the peer has finished properly.
    /// - Throws: ``SslSocketError/Code/truncated`` when the peer went away without saying so, ``SslSocketError/Code/operation`` when the socket is not
    ///   open for reading, ``SslSocketError/Code/socketTimeout``, ``SslSocketError/Code/cancelled``, and every other failure of the connection.
    public func receive(into span: inout OutputSpan<UInt8>, timeout: Duration? = nil) async throws(SslSocketError) -> Int {
        var patience = Patience(timeout)
        while true {
            let count = read(into: &span)
            if count > 0 || span.freeCapacity == 0 { return count }
            guard try await canGoOnReading(&patience) else { return 0 }
        }
    }

    /// Receives into memory, suspending until there is something: see ``receive(into:timeout:)-(OutputSpan<UInt8>,_)``.
    public func receive(
        into buffer: UnsafeMutableRawBufferPointer, timeout: Duration? = nil
    ) async throws(SslSocketError) -> Int {
        var patience = Patience(timeout)
        while true {
            let count = unsafe read(into: buffer)
            if count > 0 || buffer.count == 0 { return count }
            guard try await canGoOnReading(&patience) else { return 0 }
        }
    }

    /// Receives up to `maximum` octets, suspending until there is something; empty when the peer has finished properly.
    ///
    /// - Throws: as ``receive(into:timeout:)-(OutputSpan<UInt8>,_)``.
    public func receive(upTo maximum: Int = 65_536, timeout: Duration? = nil) async throws(SslSocketError) -> [UInt8] {
        var patience = Patience(timeout)
        while true {
            let bytes = read(maximum)
            if !bytes.isEmpty || maximum <= 0 { return bytes }
            guard try await canGoOnReading(&patience) else { return [] }
        }
    }

    /// Receives a line with its newline; at the end of the stream what is left, then empty.
    ///
    /// - Throws: ``SslSocketError/Code/invalidUserData`` when a line is longer than `maximum`; it stays in the buffer then. Otherwise as
    ///   ``receive(into:timeout:)-(OutputSpan<UInt8>,_)``.
    public func receiveLine(_ maximum: Int = 65_536, timeout: Duration? = nil) async throws(SslSocketError) -> [UInt8] {
        try await receivePiece("line", maximum, timeout) { $0.lineLength() }
    }

    /// Receives up to the first `delimiter`, with it; at the end of the stream what is left, then empty.
    ///
    /// - Throws: ``SslSocketError/Code/invalidUserData`` when it is not among the first `maximum` octets; they stay in the buffer then. Otherwise
    ///   as ``receive(into:timeout:)-(OutputSpan<UInt8>,_)``.
    public func receiveUntil(
        _ delimiter: UInt8, maximum: Int = 65_536, timeout: Duration? = nil
    ) async throws(SslSocketError) -> [UInt8] {
        try await receiveUntil([delimiter], maximum: maximum, timeout: timeout)
    }

    /// Receives up to the first `delimiter`, with it: see ``receiveUntil(_:maximum:timeout:)-(UInt8,_,_)``.
    ///
    /// - Throws: ``SslSocketError/Code/invalidUserData`` for an empty delimiter too.
    public func receiveUntil(
        _ delimiter: [UInt8], maximum: Int = 65_536, timeout: Duration? = nil
    ) async throws(SslSocketError) -> [UInt8] {
        if delimiter.isEmpty { throw SslSocketError(.invalidUserData, "An empty delimiter ends nothing") }
        return try await receivePiece("piece", maximum, timeout) { buffer in
            unsafe delimiter.withUnsafeBytes { unsafe buffer.length(through: $0) }
        }
    }

    /// Receives until `measure` finds the end of a piece.
    private func receivePiece(
        _ what: String, _ maximum: Int, _ timeout: Duration?, _ measure: (inout DeviceBuffer) -> Int?
    ) async throws(SslSocketError) -> [UInt8] {
        var patience = Patience(timeout)
        takeWhatIsThere()
        while true {
            let length = measure(&incoming)
            guard length ?? incoming.count <= maximum, length != nil || incoming.count < maximum else {
                throw SslSocketError(.invalidUserData, "The peer's \(what) is longer than \(maximum) octets")
            }
            if let length { return read(length) }
            if isInputOver {
                if incoming.isEmpty { try throwUnlessFinished() }
                return readAll()
            }
            try await wait(for: .data(since: announcements), &patience)
        }
    }

    /// Waits, with nothing buffered, until reading is worth another try. False when the stream has ended properly.
    private func canGoOnReading(_ patience: inout Patience) async throws(SslSocketError) -> Bool {
        guard isInputOver else {
            try await wait(for: .readable, &patience)
            return true
        }
        try throwUnlessFinished()
        return false
    }

    /// Waits until there may be more, or the end.
    private func wait(for goal: Goal, _ patience: inout Patience) async throws(SslSocketError) {
        if await suspend(until: goal, timeout: patience.left()) || isInputOver { return }
        throw error ?? SslSocketError(.remoteHostClosed, "The connection ended")
    }

    /// Why nothing more will come, unless the peer has finished properly.
    private func throwUnlessFinished() throws(SslSocketError) {
        if let endReason { throw endReason }
        guard isReadable else { throw SslSocketError(.operation, "The socket is not open for reading") }
    }
}

/// The time that a call with several waits has: it begins with the first of them.
struct Patience {
    private let timeout: Duration?
    private var deadline: Deadline?

    init(_ timeout: Duration?) { self.timeout = timeout }

    /// What is left of it; nil for no limit.
    mutating func left() -> Duration? {
        guard let timeout else { return nil }
        guard let deadline else {
            deadline = Deadline(after: timeout)
            return timeout
        }
        return .milliseconds(Int64(deadline.remainingMilliseconds(at: .now)))
    }
}
