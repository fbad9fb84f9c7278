#if GnuTLS
internal import CSslGnuTLS
internal import SslBackend
internal import SslValues

/// One connection over datagrams.
@safe
final class GnuTLSDatagramSession: GnuTLSSession, TlsDatagramSession {
    /// At most so many datagrams wait for a decision; the network may lose the others, and so may we.
    private static let longestBacklog = 64

    private var window = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
    /// Whole datagrams that could not be used yet. The queue of the stream would run them together.
    private var backlog: [[UInt8]] = []
    private let peerAddress: [UInt8]?

    override init(_ context: GnuTLSContext, _ parameters: TlsSessionParameters) throws(SslSocketError) {
        peerAddress = parameters.peerAddress
        try super.init(context, parameters)
        if let handle = unsafe handle { unsafe prepare(handle) }
    }

    private func prepare(_ handle: gnutls_session_t) {
        let settings = context.settings.datagram
        unsafe gnutls_dtls_set_mtu(handle, UInt32(settings.mtu))
        unsafe gnutls_dtls_set_timeouts(
            handle, UInt32(clamping: max(settings.initialTimeout, 1)), UInt32(clamping: max(settings.totalTimeout, 1)))
    }

    // MARK: Datagrams in

    override var hasInput: Bool { unsafe !backlog.isEmpty || window.count > 0 }
    override var pendingInput: Int { backlog.reduce(0) { $0 + $1.count } }

    override func pull(_ target: UnsafeMutableRawBufferPointer) -> Int {
        if !backlog.isEmpty {
            let datagram = backlog.removeFirst()
            unsafe target.copyBytes(from: datagram.prefix(target.count))
            return min(datagram.count, target.count)
        }
        guard unsafe window.count > 0 else { return starve() }
        let count = unsafe min(window.count, target.count)
        unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: window.prefix(count)))
        unsafe window = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
        return count
    }

    /// Begins a call with one datagram. An end of the stream has no meaning here.
    private func begin(_ input: TlsInput, _ output: any TlsSink) {
        state.begin(output)
        unsafe window = unsafe input.bytes
    }

    private func end() {
        if unsafe window.count > 0, backlog.count < Self.longestBacklog { unsafe backlog.append([UInt8](window)) }
        unsafe window = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
        state.end()
    }

    // MARK: The calls

    override func handshake(_ input: TlsInput, _ output: any TlsSink) -> TlsStep {
        unsafe begin(input, output)
        defer { end() }
        return continueHandshake()
    }

    /// A server makes its engine with the first datagram that is worth it: one with a cookie, where cookies are asked for.
    override func open() -> TlsStep? {
        guard hasInput else { return .wantsInput(0) }
        if unsafe handle == nil {
            var prestate = gnutls_dtls_prestate_st()
            if let peerAddress, !checkCookie(of: peerAddress, &prestate) { return .wantsInput(0) }
            state.gate = .open
            let native = start(on: context)
            guard native >= 0, let handle = unsafe handle else {
                return fail(.gnutls(.sslInternal, "No session can be made", native), alert: nil)
            }
            unsafe prepare(handle)
            if peerAddress != nil { unsafe gnutls_dtls_prestate_set(handle, &prestate) }
        }
        return nil
    }

    /// RFC 6347 section 4.2.1: a client proves that it receives at its address before anything is kept for it.
    /// False: the datagram was answered with a cookie, or it was no ClientHello and is dropped.
    private func checkCookie(of address: [UInt8], _ prestate: inout gnutls_dtls_prestate_st) -> Bool {
        var datagram = backlog.isEmpty ? unsafe [UInt8](window) : backlog.removeFirst()
        unsafe window = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
        // A handshake record of 13 octets of header, then the message type: client_hello.
        guard datagram.count > 13, datagram[0] == 22, datagram[13] == 1 else { return false }
        var address = address
        let isGood = unsafe context.cookieKey.withBytes { octets in
            var key = unsafe gnutls_datum_t(borrowing: octets)
            if unsafe gnutls_dtls_cookie_verify(&key, &address, address.count, &datagram, datagram.count, &prestate) >= 0 {
                return true
            }
            let this = unsafe Unmanaged.passUnretained(self).toOpaque()
            unsafe gnutls_dtls_cookie_send(&key, &address, address.count, &prestate, this) { pointer, buffer, count in
                guard let pointer = unsafe pointer else { return -1 }
                return unsafe Unmanaged<GnuTLSDatagramSession>.fromOpaque(pointer)._withUnsafeGuaranteedRef { session in
                    unsafe session.state.sink?.put(UnsafeRawBufferPointer(start: buffer, count: count))
                    return count
                }
            }
            return false
        }
        if isGood { backlog.insert(datagram, at: 0) }
        return isGood
    }

    /// A stream's alert record means nothing in a datagram, and a client without a connection is owed no answer.
    override func refuseBeforeEngine(_ alert: SslAlertType, _ error: SslSocketError) -> TlsStep { fail(error, alert: nil) }

    override func read(into destination: UnsafeMutableRawBufferPointer, _ input: TlsInput, _ output: any TlsSink) -> TlsStep {
        unsafe begin(input, output)
        defer { end() }
        guard flags.contains(.established), flags.isDisjoint(with: .special) else { return unsafe readSpecially(destination) }
        // One record at a time, so that the application sees where a datagram ends.
        return unsafe readRecords(destination, isSingle: true)
    }

    override func write(_ plaintext: UnsafeRawBufferPointer, _ output: any TlsSink) -> TlsStep {
        if plaintext.count > 0, isEstablished, state.failure == nil, plaintext.count > maximumPayload {
            return .failed(
                .gnutls(.datagramTooLarge, "\(plaintext.count) octets do not fit one datagram; \(maximumPayload) do"))
        }
        return unsafe super.write(plaintext, output)
    }

    // MARK: Time

    var nextTimeout: Int? {
        guard let handle = unsafe handle, flags.isDisjoint(with: [.established, .failed, .paused, .closed]) else { return nil }
        return Int(unsafe gnutls_dtls_get_timeout(handle))
    }

    func handleTimeout(_ output: any TlsSink) -> TlsStep {
        if let failure = state.failure { return .failed(failure) }
        guard nextTimeout != nil else { return .progressed(0) }
        return unsafe handshake(.empty, output)
    }

    var maximumPayload: Int {
        guard let handle = unsafe handle, isEstablished else { return 0 }
        return Int(unsafe gnutls_dtls_get_data_mtu(handle))
    }
}
#endif
