internal import SslBackend
internal import SslValues

// Reading and writing, the same in the plain and the encrypted phase.
extension SslSocket {
    // MARK: Reading

    /// Octets that can be read now: received, and decrypted when encrypted (`bytesAvailable`).
    public var bytesAvailable: Int { incoming.count }
    /// Octets of ciphertext received and not decrypted yet (`encryptedBytesAvailable`); 0 in the plain phase.
    public var encryptedBytesAvailable: Int { connection?.pendingInput ?? 0 }
    /// Nothing can be read now (`atEnd`); not that the peer has finished.
    public var atEnd: Bool { incoming.isEmpty }
    /// The most octets kept to be read (`readBufferSize`); 0, the default, for no limit. Unlike Qt's it is a hard limit: a full buffer makes the peer wait.
    public var readBufferSize: Int {
        get { readLimit }
        set { readLimit = max(newValue, 0) }
    }

    /// Reads up to `buffer.count` octets into memory and returns how many; 0 when there is nothing now.
    ///
    /// With nothing buffered it takes what the system has and decrypts straight into `buffer`.
    public func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        if incoming.isEmpty, buffer.count > 0 { return unsafe readDirectly(into: buffer) }
        return unsafe takeBuffered(into: buffer)
    }

    /// Reads into the free part of `span` and returns how many octets; 0 when there is nothing now.
    public func read(into span: inout OutputSpan<UInt8>) -> Int {
        unsafe span.withUnsafeMutableBufferPointer { memory, initialized in
            let free = unsafe UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: memory[initialized...]))
            let count = unsafe read(into: free)
            initialized += count
            return count
        }
    }

    /// Reads up to `maximum` octets (`read`); empty when there is nothing now.
    public func read(_ maximum: Int) -> [UInt8] {
        takeWhatIsThere()
        let bytes = incoming.take(max(maximum, 0))
        resumeReading()
        return bytes
    }

    /// Reads everything that is there (`readAll`).
    public func readAll() -> [UInt8] { read(.max) }

    /// Reads a line with its newline, at most `maximum` octets (`readLine`); without a whole line, what is there.
    public func readLine(_ maximum: Int = .max) -> [UInt8] {
        takeWhatIsThere()
        let length = unsafe incoming.readable.firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? incoming.count
        let bytes = incoming.take(min(length, max(maximum, 0)))
        resumeReading()
        return bytes
    }

    /// A whole line is there (`canReadLine`).
    public var canReadLine: Bool { unsafe incoming.readable.contains(UInt8(ascii: "\n")) }

    /// Up to `maximum` octets without taking them (`peek`).
    public func peek(_ maximum: Int) -> [UInt8] { unsafe [UInt8](incoming.readable.prefix(max(maximum, 0))) }

    /// Drops up to `maximum` octets and returns how many (`skip`).
    @discardableResult
    public func skip(_ maximum: Int) -> Int {
        let count = min(max(maximum, 0), incoming.count)
        incoming.consume(count)
        resumeReading()
        return count
    }

    private func takeBuffered(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count = unsafe incoming.take(into: buffer)
        resumeReading()
        return count
    }

    /// A full buffer may have stopped the session with ciphertext in hand: it goes on when there is room again.
    private func resumeReading() {
        guard readLimit > 0, incoming.count < readLimit, isEncrypted, let connection, connection.pendingInput > 0 else { return }
        unsafe workIn(.empty, announcing: false)
    }

    /// Takes what the system has, if it may have something.
    private func takeWhatIsThere() {
        if incoming.isEmpty, isReadable { turn() }
    }

    /// Receives and decrypts into the caller's memory, without a copy in between.
    private func readDirectly(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard isEncrypted, let connection, case .open(let descriptor) = stage, isReadable, wantsToRead, readLimit == 0,
            buffer.count >= TlsConnection.recordSize, case .established = connection.phase
        else {
            takeWhatIsThere()
            return unsafe takeBuffered(into: buffer)
        }
        let scratch = unsafe BufferPool.take(.large)
        defer { unsafe BufferPool.give(scratch) }
        // No more than fits the caller's memory when decrypted: what is left over would be copied twice.
        let window = unsafe UnsafeMutableRawBufferPointer(rebasing: scratch.prefix(buffer.count))
        var input = unsafe TlsInput.empty
        switch unsafe descriptor.receive(into: window) {
        case .bytes(let count):
            if count < window.count && !hasHangup { isReadable = false }
            unsafe input = unsafe TlsInput(UnsafeRawBufferPointer(rebasing: window.prefix(count)))
        case .wouldBlock:
            isReadable = false
            return 0
        case .endOfStream:
            isReadable = false
            isReadFinished = true
            unsafe input = unsafe TlsInput(UnsafeRawBufferPointer(start: nil, count: 0), isEndOfStream: true)
        case .failed(let code):
            isReadable = false
            fail(IOErrors.receiving(code, from: peerName))
            return 0
        }
        let (count, turn) = unsafe connection.receive(input, into: buffer, output)
        // The rest of the window, tickets and ends go the usual way.
        switch turn {
        case .wantsInput: if connection.hasEvents { unsafe workIn(.empty, announcing: false) }
        case .progressed, .phaseChanged: unsafe workIn(.empty, announcing: false)
        }
        if output.count > 0 { pushOut() }
        return count
    }

    // MARK: Writing

    /// Octets of payload not encrypted yet, or not given to the system when plain (`bytesToWrite`).
    public var bytesToWrite: Int { connection.map(\.bytesToEncrypt) ?? output.count }
    /// Octets of ciphertext not given to the system yet (`encryptedBytesToWrite`); 0 in the plain phase.
    public var encryptedBytesToWrite: Int { connection == nil ? 0 : output.count }

    /// Writes octets (`write`). They are all taken: whole records are encrypted and sent at once as far as the system takes them, the rest with
    /// ``flush()`` or the next wait. Before ``encrypted`` they only queue.
    ///
    /// - Returns: the number of octets, or -1 when the socket is not connected, is closing, or has said that it writes no more.
    @discardableResult
    public func write(_ bytes: UnsafeRawBufferPointer) -> Int {
        switch state {
        case .unconnected, .closing: return -1
        case .hostLookup, .connecting, .connected: break
        }
        isWarm = true
        guard let connection else {
            unsafe output.append(bytes)
            return bytes.count
        }
        if connection.isClosed { return -1 }
        noteWritten(unsafe connection.write(bytes, output))
        return bytes.count
    }

    /// Writes octets.
    @discardableResult
    public func write(_ bytes: Span<UInt8>) -> Int { unsafe bytes.withUnsafeBytes { unsafe write($0) } }
    /// Writes octets.
    @discardableResult
    public func write(_ bytes: [UInt8]) -> Int { unsafe bytes.withUnsafeBytes { unsafe write($0) } }
    /// Writes a text in UTF-8.
    @discardableResult
    public func write(_ text: String) -> Int { write(Array(text.utf8)) }

    /// Encrypts and sends what is queued, as far as the system takes it now (`flush`).
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
