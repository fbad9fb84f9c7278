public import SslValues

/// What every engine's session keeps besides the engine: the window of the running call, the ciphertext left over, events,
/// the first failure, and the two decisions. An engine's push and pull callbacks work on this and nothing else.
@safe
public struct TlsSessionState: ~Copyable {
    // MARK: Ciphertext

    /// Ciphertext kept from earlier calls.
    public var inbox = ByteQueue()
    private var window = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
    private var position = 0
    /// The stream has ended; what is left is all there will be.
    public private(set) var isEndOfStream = false
    /// Where the running call's output goes; nil outside a call.
    public private(set) var sink: (any TlsSink)?

    /// A fresh state.
    public init() {}

    /// Begins a call: lends it the window and the sink.
    public mutating func begin(_ input: TlsInput, _ output: any TlsSink) {
        unsafe window = unsafe input.bytes
        position = 0
        if unsafe input.isEndOfStream { isEndOfStream = true }
        sink = output
    }

    /// Begins a call without input.
    public mutating func begin(_ output: any TlsSink) { sink = output }

    /// Ends a call: keeps a copy of what was not read.
    public mutating func end() {
        if unsafe position < window.count { unsafe inbox.append(UnsafeRawBufferPointer(rebasing: window[position...])) }
        unsafe window = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
        position = 0
        sink = nil
    }

    /// How many octets of ciphertext can be pulled now.
    public var available: Int { unsafe inbox.count + window.count - position }

    /// What an engine's pull callback does: moves up to `target.count` octets and returns how many; 0 when starved.
    public mutating func pull(into target: UnsafeMutableRawBufferPointer) -> Int {
        if !inbox.isEmpty { return unsafe inbox.take(into: target) }
        let n = unsafe min(target.count, window.count - position)
        guard n > 0 else { return 0 }
        unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: window[position..<(position + n)]))
        position += n
        return n
    }

    /// Moves the window into the inbox, so that all ciphertext is in one piece.
    public mutating func gather() {
        guard unsafe position < window.count else { return }
        unsafe inbox.append(UnsafeRawBufferPointer(rebasing: window[position...]))
        position = unsafe window.count
    }

    // MARK: Events and failure

    /// What happened, in order.
    public var events: [TlsEvent] = []
    /// The first fatal failure.
    public private(set) var failure: SslSocketError?

    /// Keeps the first failure and returns it, then and ever after.
    public mutating func fail(_ error: SslSocketError) -> TlsStep {
        // An engine knows no more than that a signature failed; whoever makes the signatures knows why.
        let kept = failure ?? TlsSigner.takeFailure() ?? error
        failure = kept
        return .failed(kept)
    }

    // MARK: The ClientHello

    /// Where a server stands with the ClientHello.
    public enum Gate {
        /// It has not been read completely.
        case collecting
        /// It has been handed out and the answer is awaited.
        case asked
        /// The answer came and has not been carried out.
        case answered(TlsClientHelloAnswer)
        /// The engine may run.
        case open
    }

    /// Where a server stands with the ClientHello.
    public var gate = Gate.open
    /// The ClientHello, once read.
    public private(set) var clientHello: TlsClientHello?

    /// What a server's session does before its engine runs.
    public enum GateStep {
        /// The engine may run, from the session's own context or the given one.
        case run(on: (any TlsContext)?)
        /// The session returns this.
        case stop(TlsStep)
    }

    /// Reads the ClientHello, pauses when `pauses` says so, and carries out the answer. Call it within a call of the session
    /// while ``gate`` is not `.open`. A refusal is written as a plaintext alert, for no engine has spoken yet.
    public mutating func passGate(pauses: Bool, backend: String) -> GateStep {
        switch gate {
        case .open: return .run(on: nil)
        case .asked: return .stop(.needsDecision(.clientHello))
        case .answered(let answer):
            switch answer {
            case .proceed(let context):
                gate = .open
                return .run(on: context)
            case .refuse(let alert, let error): return .stop(refuse(alert, error))
            }
        case .collecting: break
        }
        gather()
        switch unsafe TlsClientHello.read(records: inbox.readable) {
        case .incomplete:
            guard isEndOfStream else { return .stop(.wantsInput(0)) }
            return .stop(
                fail(
                    SslSocketError(
                        .truncated, "The peer closed the connection before it sent a whole ClientHello", backend: backend)))
        case .notTls:
            return .stop(
                refuse(.unexpectedMessage, SslSocketError(.notTls, "What the peer sent is not a TLS handshake", backend: backend))
            )
        case .hello(let hello):
            clientHello = hello
            gate = pauses ? .asked : .open
            return pauses ? .stop(.needsDecision(.clientHello)) : .run(on: nil)
        }
    }

    private mutating func refuse(_ alert: SslAlertType, _ error: SslSocketError) -> TlsStep {
        // ContentType alert, legacy version 1.2, two octets: fatal and the code (RFC 8446 section 5.1 and 6).
        let record: [UInt8] = [21, 3, 3, 0, 2, SslAlertLevel.fatal.rawValue, alert.rawValue]
        unsafe record.withUnsafeBytes { unsafe sink?.put($0) }
        events.append(.alertSent(SslAlert(.fatal, alert)))
        var told = error
        told.alert = alert
        return fail(told)
    }

    // MARK: The verdict on the peer

    /// Where a session stands with the peer's certificates.
    public enum Verdict {
        /// Nothing to decide.
        case none
        /// The chain has been handed out and the answer is awaited.
        case asked
        /// The answer came; the engine's callback has not been told yet.
        case answered(TlsVerdict)
    }

    /// Where the session stands with the peer's certificates.
    public var verdict = Verdict.none
}
