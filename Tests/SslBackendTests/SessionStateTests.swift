internal import SslBackend
internal import SslSockets
internal import SslTestKit
internal import Testing

/// What every engine's session shares: windows, leftovers, the first failure, and the gate at the ClientHello.
@Suite("TlsSessionState")
struct SessionStateTests {
    private final class Sink: TlsSink {
        var octets: [UInt8] = []
        func put(_ bytes: UnsafeRawBufferPointer) { octets += unsafe [UInt8](bytes) }
    }

    /// Lends `octets` to a state for the time of `body`.
    private func call(
        _ state: inout TlsSessionState, _ octets: [UInt8], isEnd: Bool = false, _ sink: Sink,
        _ body: (inout TlsSessionState) -> Void
    ) {
        unsafe octets.withUnsafeBytes { bytes in
            unsafe state.begin(TlsInput(bytes, isEndOfStream: isEnd), sink)
            body(&state)
            state.end()
        }
    }

    private func pull(_ state: inout TlsSessionState, _ count: Int) -> [UInt8] {
        var memory = [UInt8](repeating: 0, count: count)
        let got = unsafe memory.withUnsafeMutableBytes { unsafe state.pull(into: $0) }
        return Array(memory.prefix(got))
    }

    @Test("The unread rest of a window is kept and comes first in the next call")
    func leftovers() {
        var state = TlsSessionState()
        let sink = Sink()
        call(&state, [1, 2, 3, 4], sink) { check(pull(&$0, 1), is: [1]) }
        check(state.available, is: 3)
        call(&state, [5, 6], sink) { state in
            check(state.available, is: 5)
            check(pull(&state, 10), is: [2, 3, 4])
            check(pull(&state, 10), is: [5, 6])
            check(pull(&state, 10), is: [])
        }
        check(state.available, is: 0)
        check(state.sink == nil)
    }

    @Test("The end of the stream is remembered")
    func endOfStream() {
        var state = TlsSessionState()
        call(&state, [1], isEnd: true, Sink()) { _ in }
        check(state.isEndOfStream)
        call(&state, [], Sink()) { _ in }
        check(state.isEndOfStream)
    }

    @Test("The first failure is the one that stays")
    func failure() {
        var state = TlsSessionState()
        _ = state.fail(SslSocketError(.notTls, "first"))
        guard case .failed(let error) = state.fail(SslSocketError(.truncated, "second")) else {
            Issue.record("a failure came to something else")
            return
        }
        #expect(error.code == .notTls)
        check(state.failure?.message, is: "first")
    }

    private func gated() -> TlsSessionState {
        var state = TlsSessionState()
        state.gate = .collecting
        return state
    }

    @Test("The gate collects the ClientHello and hands it out; nothing is lost for the engine", arguments: [1, 13, 1000])
    func gate(_ chunk: Int) throws {
        var state = gated()
        let sink = Sink()
        var raw = RawClientHello()
        raw.serverName = "server.example.test"
        let record = raw.record
        var rest = record[...]
        var asked = false
        while !rest.isEmpty {
            #expect(!asked)
            call(&state, Array(rest.prefix(chunk)), sink) { state in
                switch state.passGate(pauses: true, backend: "test") {
                case .stop(.wantsInput(0)): break
                case .stop(.needsDecision(.clientHello)): asked = true
                default: Issue.record("the gate came to something else")
                }
            }
            rest = rest.dropFirst(chunk)
        }
        #expect(asked)
        check(state.clientHello?.serverName, is: "server.example.test")
        call(&state, [], sink) { state in
            guard case .stop(.needsDecision(.clientHello)) = state.passGate(pauses: true, backend: "test") else {
                Issue.record("the question was dropped")
                return
            }
        }
        state.gate = .answered(.proceed(with: nil))
        call(&state, [], sink) { state in
            guard case .run(on: nil) = state.passGate(pauses: true, backend: "test") else {
                Issue.record("the gate did not open")
                return
            }
            check(pull(&state, 10_000), is: record)
        }
        #expect(sink.octets.isEmpty)
    }

    @Test("A gate that does not pause opens by itself")
    func noPause() {
        var state = gated()
        call(&state, RawClientHello().record, Sink()) { state in
            guard case .run(on: nil) = state.passGate(pauses: false, backend: "test") else {
                Issue.record("the gate did not open")
                return
            }
            check(state.clientHello != nil)
        }
    }

    @Test("A refusal is an alert on the wire and in the events, and stays")
    func refusal() {
        var state = gated()
        let sink = Sink()
        call(&state, RawClientHello().record, sink) { _ = $0.passGate(pauses: true, backend: "test") }
        state.gate = .answered(.refuse(.unrecognizedName, SslSocketError(.handshakeFailed, "no such name")))
        call(&state, [], sink) { state in
            guard case .stop(.failed(let error)) = state.passGate(pauses: true, backend: "test") else {
                Issue.record("the refusal came to something else")
                return
            }
            #expect(error.code == .handshakeFailed)
            #expect(error.alert == .unrecognizedName)
        }
        #expect(sink.octets == RawRecord.alert(level: 2, code: 112))
        guard case .alertSent(let alert)? = state.events.last else {
            Issue.record("the alert was not told")
            return
        }
        #expect(alert == SslAlert(.fatal, .unrecognizedName))
    }

    @Test("What is not TLS is refused with an alert, and an early end without")
    func notTls() {
        var state = gated()
        let sink = Sink()
        call(&state, Array("GET / HTTP/1.1".utf8), sink) { state in
            guard case .stop(.failed(let error)) = state.passGate(pauses: false, backend: "test") else {
                Issue.record("it was taken for TLS")
                return
            }
            #expect(error.code == .notTls)
        }
        #expect(sink.octets == RawRecord.alert(level: 2, code: 10))

        var ended = gated()
        let silent = Sink()
        call(&ended, [22, 3], isEnd: true, silent) { state in
            guard case .stop(.failed(let error)) = state.passGate(pauses: false, backend: "test") else {
                Issue.record("the end was not noticed")
                return
            }
            #expect(error.code == .truncated)
        }
        #expect(silent.octets.isEmpty)
    }
}
