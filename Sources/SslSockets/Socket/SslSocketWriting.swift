internal import SslBackend
internal import SslValues

// Writing. No call here waits.
extension SslSocket {
    /// Writes octets (`write`). Whole records are encrypted and sent at once as far as the system takes them, the rest with ``flush()`` or the next
    /// wait. Before ``encrypted`` they only queue.
    ///
    /// - Returns: how many were taken: all, unless ``writeBufferSize`` sets a limit; -1 when the socket is not open for writing, is not connected or
    ///   connecting, is closing, or has said that it writes no more. Unlike Qt's, a socket that is closing takes nothing that it would not send.
    @discardableResult
    public func write(_ bytes: UnsafeRawBufferPointer) -> Int {
        switch state {
        case .unconnected, .bound, .closing: return -1
        case .hostLookup, .connecting, .connected: break
        }
        isWarm = true
        guard canWriteFreely else { return unsafe writeWithin(bytes) }
        return unsafe take(bytes)
    }

    /// Queues or encrypts all octets.
    private func take(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard let connection else {
            unsafe output.append(bytes)
            return bytes.count
        }
        if connection.isClosed { return -1 }
        noteWritten(unsafe connection.write(bytes, output))
        return bytes.count
    }

    /// A write that something may restrict.
    private func writeWithin(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard isWritable else { return -1 }
        if let connection, connection.isClosed { return -1 }
        if queuedToWrite + bytes.count > writeLimit { handOn() }
        let room = max(writeLimit - queuedToWrite, 0)
        return room == 0 ? 0 : unsafe take(UnsafeRawBufferPointer(rebasing: bytes.prefix(room)))
    }

    /// Octets of either kind that the system has not taken.
    var queuedToWrite: Int { bytesToWrite + encryptedBytesToWrite }

    /// Writes octets.
    @discardableResult
    public func write(_ bytes: Span<UInt8>) -> Int { unsafe bytes.withUnsafeBytes { unsafe write($0) } }
    /// Writes octets.
    @discardableResult
    public func write(_ bytes: [UInt8]) -> Int { unsafe bytes.withUnsafeBytes { unsafe write($0) } }
    /// Writes octets.
    @discardableResult
    public func write(_ bytes: ArraySlice<UInt8>) -> Int { unsafe bytes.withUnsafeBytes { unsafe write($0) } }
    /// Writes a text in UTF-8; the number returned is one of octets.
    @discardableResult
    public func write(_ text: String) -> Int {
        var text = text
        return text.withUTF8 { unsafe write(UnsafeRawBufferPointer($0)) }
    }

    /// Writes one octet (`putChar`).
    ///
    /// - Returns: false when it was not taken: see ``write(_:)-(UnsafeRawBufferPointer)``.
    @discardableResult
    public func putChar(_ octet: UInt8) -> Bool { unsafe withUnsafeBytes(of: octet) { unsafe write($0) } == 1 }

    /// Encrypts and sends what is queued, as far as the system takes it now (`flush`). ``bytesWritten`` and ``encryptedBytesWritten`` may be
    /// emitted before it returns.
    /// - Returns: true when something was handed on.
    @discardableResult
    public func flush() -> Bool {
        let before = totalWritten
        let queued = output.count
        guard case .open = stage else { return false }
        pushOut()
        return totalWritten > before || output.count < queued
    }
}
