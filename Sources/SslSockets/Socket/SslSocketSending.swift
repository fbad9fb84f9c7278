internal import SslBackend
public import SslValues

// The Swift-native way to write: async calls that wait until the system has taken everything. What it does not take at once stays with the
// caller, but for 128 KiB: memory stays bounded however slow the peer is. `timeout` is for the whole call; nil, the default, for no limit. When
// a call throws, a part may have been sent.
extension SslSocket {
    /// Sends octets, suspending until the system has taken them all.
    ///
    /// - Throws: ``SslSocketError/Code/operation`` when the socket takes nothing (see ``write(_:)-(UnsafeRawBufferPointer)``),
    ///   ``SslSocketError/Code/socketTimeout``, ``SslSocketError/Code/cancelled``, and every failure of the connection.
    public func send(_ bytes: Span<UInt8>, timeout: Duration? = nil) async throws(SslSocketError) {
        var patience = Patience(timeout)
        var done = 0
        repeat {
            let count = try unsafe bytes.withUnsafeBytes { memory throws(SslSocketError) in
                try unsafe offer(UnsafeRawBufferPointer(rebasing: memory[done...]))
            }
            done += count
            if done < bytes.count { try await wait(for: .room, &patience) }
        } while done < bytes.count
        try await wait(for: .drained, &patience)
    }

    /// Sends octets: see ``send(_:timeout:)-(Span<UInt8>,_)``. The memory must stay as it is until the call returns.
    public func send(_ bytes: UnsafeRawBufferPointer, timeout: Duration? = nil) async throws(SslSocketError) {
        try await send(unsafe Span<UInt8>(_unsafeBytes: bytes), timeout: timeout)
    }

    /// Sends octets: see ``send(_:timeout:)-(Span<UInt8>,_)``.
    public func send(_ bytes: [UInt8], timeout: Duration? = nil) async throws(SslSocketError) {
        try await send(bytes.span, timeout: timeout)
    }

    /// Sends octets: see ``send(_:timeout:)-(Span<UInt8>,_)``.
    public func send(_ bytes: ArraySlice<UInt8>, timeout: Duration? = nil) async throws(SslSocketError) {
        try await send(bytes.span, timeout: timeout)
    }

    /// Sends a text in UTF-8: see ``send(_:timeout:)-(Span<UInt8>,_)``.
    public func send(_ text: String, timeout: Duration? = nil) async throws(SslSocketError) {
        try await send(text.utf8.span, timeout: timeout)
    }

    /// Sends what was written before, suspending until the system has taken it all.
    ///
    /// - Throws: as ``send(_:timeout:)-(Span<UInt8>,_)``.
    public func drain(timeout: Duration? = nil) async throws(SslSocketError) {
        var patience = Patience(timeout)
        try await wait(for: .drained, &patience)
    }

    /// No more than this is queued by a call that waits: as much as one connection encrypts ahead.
    private var sendLimit: Int { writeLimit == 0 ? SocketOutput.limit : min(writeLimit, SocketOutput.limit) }

    /// Half of what may be queued has left, so that a piece worth sending can follow.
    var hasRoomToSend: Bool { queuedToWrite <= sendLimit / 2 }

    /// Takes as much as there is room for, in whole records.
    private func offer(_ bytes: UnsafeRawBufferPointer) throws(SslSocketError) -> Int {
        var room = max(sendLimit - queuedToWrite, 0)
        if room > TlsConnection.recordSize { room -= room % TlsConnection.recordSize }
        let count = unsafe write(UnsafeRawBufferPointer(rebasing: bytes.prefix(room)))
        guard count >= 0 else {
            throw endReason ?? SslSocketError(.operation, "The socket is not connected: nothing can be sent")
        }
        return count
    }

    private func wait(for goal: Goal, _ patience: inout Patience) async throws(SslSocketError) {
        guard !isReached(goal) else { return }
        if !(await suspend(until: goal, timeout: patience.left())) {
            throw error ?? SslSocketError(.remoteHostClosed, "The connection ended before everything was sent")
        }
    }
}
