internal import SslBackend
internal import SslValues

// Reading. No call here waits: it takes what is there.
//
// The calls that return a number answer -1 where Qt does: when nothing is there and nothing more will ever come, because the device was never
// opened or has been closed, is not open for reading, or its connection has ended. 0 means: not now. The calls that return octets cannot tell,
// as in Qt; the async ones throw and say why.
extension SslSocket {
    /// Reads up to `buffer.count` octets into memory (`read`).
    ///
    /// With nothing buffered it takes what the system has and decrypts straight into `buffer`.
    /// - Returns: how many; 0 when there is nothing now, -1 when there will be nothing any more.
    public func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard incoming.isEmpty, buffer.count > 0 else { return unsafe takeBuffered(into: buffer) }
        let count = unsafe readDirectly(into: buffer)
        return count == 0 && isReadingOver ? -1 : count
    }

    /// Reads into the free part of `span` (`read`): see ``read(into:)-(UnsafeMutableRawBufferPointer)``.
    public func read(into span: inout OutputSpan<UInt8>) -> Int {
        unsafe span.fill { unsafe read(into: $0) }
    }

    /// Reads up to `maximum` octets (`read`); empty when there is nothing now.
    public func read(_ maximum: Int) -> [UInt8] {
        takeWhatIsThere()
        let bytes = incoming.take(maximum)
        resumeReading()
        return bytes
    }

    /// Reads everything that is there (`readAll`).
    public func readAll() -> [UInt8] { read(.max) }

    /// Reads one octet (`getChar`); nil when there is none now.
    public func getChar() -> UInt8? {
        var octet: UInt8 = 0
        let count = unsafe withUnsafeMutableBytes(of: &octet) { unsafe read(into: $0) }
        return count == 1 ? octet : nil
    }

    /// Puts an octet back, to be read before all others (`ungetChar`). It need not be one that was read, and may exceed ``readBufferSize``.
    ///
    /// - Returns: false, with ``error`` set, in a transaction, which can be rolled back instead, and when the device is not open for reading.
    @discardableResult
    public func ungetChar(_ octet: UInt8) -> Bool {
        guard isReadable else { return refuse("An octet can be put back only while the socket is open for reading") }
        guard !incoming.isInTransaction else {
            return refuse("No octet can be put back in a transaction: roll it back instead")
        }
        incoming.putBack(octet)
        return true
    }

    /// Up to `maximum` octets, which stay (`peek`).
    public func peek(_ maximum: Int) -> [UInt8] {
        takeWhatIsThere()
        return incoming.copy(maximum)
    }

    /// Copies up to `buffer.count` octets into memory; they stay (`peek`).
    ///
    /// - Returns: how many; 0 when there is nothing now, -1 when there will be nothing any more.
    public func peek(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        takeWhatIsThere()
        if incoming.isEmpty, buffer.count > 0, isReadingOver { return -1 }
        return unsafe incoming.copy(into: buffer)
    }

    /// Copies into the free part of `span`; the octets stay (`peek`): see ``peek(into:)-(UnsafeMutableRawBufferPointer)``.
    public func peek(into span: inout OutputSpan<UInt8>) -> Int {
        unsafe span.fill { unsafe peek(into: $0) }
    }

    /// Drops up to `maximum` octets (`skip`): those buffered, and beyond them what the system has, which is not even copied when it is plain.
    ///
    /// - Returns: how many; 0 when there is nothing now, -1 when there will be nothing any more.
    @discardableResult
    public func skip(_ maximum: Int) -> Int {
        var left = max(maximum, 0)
        while left > 0 {
            if incoming.isEmpty {
                let count = discardUnbuffered(left)
                if count == 0 { break }
                left -= count
            } else {
                let count = min(left, incoming.count)
                incoming.consume(count)
                left -= count
                resumeReading()
            }
        }
        let skipped = max(maximum, 0) - left
        return skipped == 0 && maximum > 0 && isReadingOver ? -1 : skipped
    }

    // MARK: What all of them do

    /// Nothing more will come than what is buffered.
    var isInputOver: Bool { !isReadable || state == .unconnected || (isReadFinished && !isThrottled) }

    /// Nothing is buffered and nothing more will come.
    var isReadingOver: Bool { isInputOver && incoming.isEmpty }

    /// Says that something cannot be done, and answers false.
    func refuse(_ reason: String) -> Bool {
        report(SslSocketError(.operation, reason))
        return false
    }

    private func takeBuffered(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count = unsafe incoming.take(into: buffer)
        resumeReading()
        return count
    }

    /// Takes what the system has, if nothing is buffered and it may have something.
    func takeWhatIsThere() {
        guard mayReceive, wantsToRead, opening == nil, case .open = stage, incoming.isEmpty else { return }
        readWindow(announcing: false)
        if output.count > 0 { pushOut() }
    }

    /// Drops octets that are not buffered and returns how many; 0 when there are none now.
    private func discardUnbuffered(_ maximum: Int) -> Int {
        let scratch = unsafe BufferPool.take(.small)
        defer { unsafe BufferPool.give(scratch, holdsPlaintext: true) }
        let part = unsafe UnsafeMutableRawBufferPointer(rebasing: scratch.prefix(maximum))
        return unsafe readDirectly(into: part, discarding: true)
    }

    /// Receives into the caller's memory, without a copy in between when that is possible.
    private func readDirectly(into buffer: UnsafeMutableRawBufferPointer, discarding: Bool = false) -> Int {
        guard mayReceive, wantsToRead, readLimit == 0, isReadable, case .open(let descriptor) = stage, !incoming.isInTransaction
        else {
            takeWhatIsThere()
            return unsafe takeBuffered(into: buffer)
        }
        guard let connection else { return unsafe receivePlain(descriptor, buffer, discarding) }
        guard isEncrypted, buffer.count >= TlsConnection.recordSize, case .established = connection.phase else {
            takeWhatIsThere()
            return unsafe takeBuffered(into: buffer)
        }
        let scratch = unsafe BufferPool.take(.large)
        defer { unsafe BufferPool.give(scratch) }
        // No more than fits the caller's memory when decrypted: what is left over would be copied twice.
        let window = unsafe UnsafeMutableRawBufferPointer(rebasing: scratch.prefix(buffer.count))
        guard let input = unsafe receive(descriptor, into: window) else { return 0 }
        let (count, turn) = unsafe connection.receive(input, into: buffer, output)
        // The rest of the window, tickets and ends go the usual way.
        switch turn {
        case .wantsInput: if connection.hasEvents { unsafe workIn(.empty, announcing: false) }
        case .progressed, .phaseChanged: unsafe workIn(.empty, announcing: false)
        }
        if output.count > 0 { pushOut() }
        return count
    }

    private func receivePlain(
        _ descriptor: SocketDescriptor, _ buffer: UnsafeMutableRawBufferPointer, _ discarding: Bool
    ) -> Int {
        guard let input = unsafe receive(descriptor, into: buffer, discarding: discarding) else { return 0 }
        guard unsafe input.isEndOfStream else { return unsafe input.bytes.count }
        unsafe workIn(input, announcing: false)
        return 0
    }

    /// Takes from the system; nil when it has nothing or has failed, which is carried out.
    private func receive(
        _ descriptor: SocketDescriptor, into window: UnsafeMutableRawBufferPointer, discarding: Bool = false
    ) -> TlsInput? {
        switch unsafe descriptor.receive(into: window, discarding: discarding) {
        case .bytes(let count):
            if count < window.count && !hasHangup { mayReceive = false }
            return unsafe TlsInput(UnsafeRawBufferPointer(rebasing: window.prefix(count)))
        case .wouldBlock:
            mayReceive = false
            return nil
        case .endOfStream:
            mayReceive = false
            isReadFinished = true
            return unsafe TlsInput(UnsafeRawBufferPointer(start: nil, count: 0), isEndOfStream: true)
        case .failed(let code):
            mayReceive = false
            fail(IOErrors.receiving(code, from: peerName))
            return nil
        }
    }
}

extension OutputSpan<UInt8> {
    /// Hands out the free part and takes over as many octets of it as `body` returns, which it returns too.
    mutating func fill(_ body: (UnsafeMutableRawBufferPointer) -> Int) -> Int {
        unsafe withUnsafeMutableBufferPointer { memory, initialized in
            let count = unsafe body(UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: memory[initialized...])))
            initialized += max(count, 0)
            return count
        }
    }
}
