#if GnuTLS
internal import CSslGnuTLS
internal import SslBackend
internal import SslValues

/// One connection over a stream, and what a connection over datagrams shares with it.
@safe
class GnuTLSSession: TlsSession {
    /// What has happened so far.
    struct Flags: OptionSet {
        let rawValue: UInt16
        /// The handshake is complete.
        static let established = Flags(rawValue: 1)
        /// A fatal failure is kept.
        static let failed = Flags(rawValue: 1 << 1)
        /// The peer's certificates wait for a verdict, or the verdict waits to be carried out.
        static let paused = Flags(rawValue: 1 << 2)
        /// The peer's close_notify came.
        static let peerClosed = Flags(rawValue: 1 << 3)
        /// The stream ended without close_notify.
        static let truncated = Flags(rawValue: 1 << 4)
        /// Our close_notify has been sent.
        static let closed = Flags(rawValue: 1 << 5)
        /// A ticket has been read that nobody was told of.
        static let ticketArrived = Flags(rawValue: 1 << 6)
        /// The peer has sent a handshake message.
        static let heardPeer = Flags(rawValue: 1 << 7)
        /// A server waits for the certificate it asked for after the handshake.
        static let reauthenticating = Flags(rawValue: 1 << 8)
        /// The peer's certificates have been accepted since they were asked for last.
        static let judged = Flags(rawValue: 1 << 9)

        /// Whatever makes a read or write more than a loop over records.
        static let special: Flags = [.failed, .paused, .peerClosed, .truncated, .reauthenticating]
        /// Whatever makes a write impossible.
        static let writeless: Flags = [.failed, .paused, .truncated, .closed]
    }

    final var state = TlsSessionState()
    final var flags: Flags = []
    /// Whom the callbacks ask for pre-shared keys.
    final var preSharedKeySource: (any TlsPreSharedKeySource)?
    /// Whom a client asks what to show, and what that was: the library refers to it.
    final var credentialsSource: (any TlsCredentialsSource)?
    final var chosenIdentity: GnuTLSIdentity?
    /// What a server wants of its client, in the handshake or after it.
    final var wantedCertificate: TlsClientCertificate
    /// Whom a server asks for what to staple, and what it got.
    final var statusSource: (any TlsCertificateStatusSource)?
    final var staple: GnuTLSStaple?
    /// The library's last pull found nothing.
    final var isStarved = false
    /// The lifetime of the last ticket, in seconds.
    final var ticketLifetime: UInt32 = 0
    /// Kept while the library's object refers to its credentials.
    final private(set) var context: GnuTLSContext
    /// The library's object. A server has none until the ClientHello is answered, so that a silent client costs nothing.
    final private(set) var handle: gnutls_session_t?
    /// How application data is cut into records: the most octets in one, and what it is padded to a multiple of.
    private final var recordSize = 16_384
    private final var recordPadding = 0
    /// The name a client asked for.
    private final let serverName: String?

    /// Starts a session: a client's at once, a server's with the ClientHello.
    init(_ context: GnuTLSContext, _ parameters: TlsSessionParameters) throws(SslSocketError) {
        self.context = context
        serverName = parameters.serverName
        wantedCertificate = context.settings.clientCertificate
        if context.settings.role == .server {
            state.gate = .collecting
        } else {
            try startClient(parameters)
        }
    }

    deinit {
        if let handle = unsafe handle { unsafe gnutls_deinit(handle) }
    }

    // MARK: Starting the engine

    private final func startClient(_ parameters: TlsSessionParameters) throws(SslSocketError) {
        try gnutlsCheck(start(on: context), .sslInternal, "No session can be made")
        guard let handle = unsafe handle else { throw .gnutls(.sslInternal, "No session can be made") }
        if let name = parameters.serverName {
            try gnutlsCheck(
                unsafe gnutls_server_name_set(handle, GNUTLS_NAME_DNS, name, name.utf8.count), .invalidUserData,
                "The server name \(name) cannot be sent")
        }
        guard let sealed = parameters.resumption else { return }
        guard let range = GnuTLSSessionSeal.content(sealed) else {
            throw SslSocketError(.invalidUserData, "The session to resume is damaged", backend: gnutlsName)
        }
        let native = unsafe sealed.withUnsafeBytes { octets in
            let content = unsafe UnsafeRawBufferPointer(rebasing: octets[range])
            return unsafe gnutls_session_set_data(handle, content.baseAddress, content.count)
        }
        // One that is only too old is no mistake of the caller's: the handshake is then a full one.
        if native != GNUTLS_E_EXPIRED {
            try gnutlsCheck(native, .invalidUserData, "The session to resume cannot be read")
        }
    }

    /// Makes the library's object from a context and returns its answer.
    final func start(on context: GnuTLSContext) -> Int32 {
        var native: Int32 = 0
        guard let made = unsafe context.makeHandle(&native, state.clientHello) else {
            return native < 0 ? native : GNUTLS_E_INTERNAL_ERROR
        }
        self.context = context
        wantedCertificate = context.settings.clientCertificate
        recordSize = context.settings.maximumRecordSize
        recordPadding = context.settings.recordPadding
        unsafe handle = made
        unsafe attach(made)
        unsafe observe(made)
        return 0
    }

    /// What must happen before a server's engine exists; nil once it does.
    func open() -> TlsStep? {
        switch state.passGate(pauses: context.settings.pausesAtClientHello, backend: gnutlsName) {
        case .stop(let step):
            if case .failed = step { flags.insert(.failed) }
            return step
        case .run(let other):
            guard let chosen = (other ?? context) as? GnuTLSContext, chosen.settings.role == .server,
                chosen.settings.transport == context.settings.transport
            else {
                return refuseHello(
                    .gnutls(.invalidUserData, "The context given for the ClientHello is not a server's of this backend"))
            }
            let native = start(on: chosen)
            if native < 0 { return refuseHello(.gnutls(.sslInternal, "No session can be made", native)) }
            return nil
        }
    }

    private final func refuseHello(_ error: SslSocketError) -> TlsStep { refuseBeforeEngine(.internalError, error) }

    /// Refuses a client with a plaintext alert while there is no engine to send one.
    func refuseBeforeEngine(_ alert: SslAlertType, _ error: SslSocketError) -> TlsStep {
        state.gate = .answered(.refuse(alert, error))
        flags.insert(.failed)
        guard case .stop(let step) = state.passGate(pauses: false, backend: gnutlsName) else { return state.fail(error) }
        return step
    }

    /// What the pull callback does.
    func pull(_ target: UnsafeMutableRawBufferPointer) -> Int { unsafe pullStream(target) }

    /// A pull would find something, or the end.
    var hasInput: Bool { state.available > 0 || state.isEndOfStream }

    // MARK: The calls

    func handshake(_ input: TlsInput, _ output: any TlsSink) -> TlsStep {
        unsafe state.begin(input, output)
        defer { state.end() }
        return continueHandshake()
    }

    /// The handshake within a call.
    final func continueHandshake() -> TlsStep {
        if let failure = state.failure { return .failed(failure) }
        if flags.contains(.established) { return .progressed(0) }
        if flags.contains(.closed) { return .failed(.gnutls(.operation, "The session was closed before its handshake")) }
        if unsafe handle == nil, let step = open() { return step }
        if let step = pendingDecision() { return step }
        return runHandshake()
    }

    func read(into destination: UnsafeMutableRawBufferPointer, _ input: TlsInput, _ output: any TlsSink) -> TlsStep {
        unsafe state.begin(input, output)
        defer { state.end() }
        guard flags.contains(.established), flags.isDisjoint(with: .special) else { return unsafe readSpecially(destination) }
        return unsafe readRecords(destination, isSingle: false)
    }

    func write(_ plaintext: UnsafeRawBufferPointer, _ output: any TlsSink) -> TlsStep {
        state.begin(output)
        defer { state.end() }
        guard flags.contains(.established), flags.isDisjoint(with: .writeless), let handle = unsafe handle else {
            return refuseWrite()
        }
        guard let start = plaintext.baseAddress else { return .progressed(0) }
        var sent = 0
        while sent < plaintext.count {
            let size = min(plaintext.count - sent, recordSize)
            let count =
                unsafe recordPadding > 1
                ? gnutls_record_send2(handle, start + sent, size, padding(for: size), 0)
                : gnutls_record_send(handle, start + sent, size)
            // The sink takes everything, so the library has no reason to ask for a repetition.
            if count <= 0 { return fail(native: count == 0 ? GNUTLS_E_INTERNAL_ERROR : Int32(truncatingIfNeeded: count)) }
            sent += count
        }
        return .progressed(sent)
    }

    /// The zeros behind so many octets and their type; the library leaves them out where the version has none.
    private final func padding(for size: Int) -> Int {
        let rest = (size + 1) % recordPadding
        return rest == 0 ? 0 : min(recordPadding - rest, max(recordSize - size - 1, 0))
    }

    /// Why a write does not happen.
    final func refuseWrite() -> TlsStep {
        if let failure = state.failure { return .failed(failure) }
        if flags.contains(.paused), let step = pendingDecision() { return step }
        if flags.contains(.truncated) {
            return .failed(.gnutls(.truncated, "The peer closed the connection without close_notify"))
        }
        return .failed(
            .gnutls(.operation, flags.contains(.closed) ? "The session was closed for writing" : "The handshake is not complete"))
    }

    func close(_ output: any TlsSink) -> TlsStep {
        if let failure = state.failure { return .failed(failure) }
        state.begin(output)
        defer { state.end() }
        guard !flags.contains(.closed) else { return .progressed(0) }
        flags.insert(.closed)
        guard let handle = unsafe handle else { return .progressed(0) }
        guard flags.contains(.established) else {
            send(.warning, .closeNotify)
            return .progressed(0)
        }
        let native = unsafe gnutls_bye(handle, GNUTLS_SHUT_WR)
        if native >= 0 { state.events.append(.alertSent(SslAlert(.warning, .closeNotify))) }
        return .progressed(0)
    }

    func updateKeys(requestsPeer: Bool, _ output: any TlsSink) -> TlsStep {
        state.begin(output)
        defer { state.end() }
        guard let handle = unsafe handle, flags.contains(.established), flags.isDisjoint(with: .writeless) else {
            return refuseWrite()
        }
        guard unsafe gnutls_protocol_get_version(handle) == GNUTLS_TLS1_3 else {
            return .failed(.lacking(.keyUpdate, backend: gnutlsName, reason: "only TLS 1.3 has key updates"))
        }
        let native = unsafe gnutls_session_key_update(handle, requestsPeer ? UInt32(GNUTLS_KU_PEER) : 0)
        return native < 0 ? fail(native: native) : .progressed(0)
    }

    func abort(_ alert: SslAlertType, reason: SslSocketError, _ output: any TlsSink) -> TlsStep {
        if let failure = state.failure { return .failed(failure) }
        state.begin(output)
        defer { state.end() }
        if unsafe handle == nil { return refuseBeforeEngine(alert, reason) }
        return fail(reason, alert: alert)
    }

    func answer(clientHello answer: TlsClientHelloAnswer) {
        if case .asked = state.gate { state.gate = .answered(answer) }
    }

    func answer(peerVerification answer: TlsVerdict) {
        if case .asked = state.verdict { state.verdict = .answered(answer) }
    }

    // MARK: What is known

    var clientHello: TlsClientHello? { state.clientHello }
    var isEstablished: Bool { flags.contains(.established) }
    var pendingInput: Int { unsafe state.inbox.count + (handle.map { unsafe gnutls_record_check_pending($0) } ?? 0) }
    var hasEvents: Bool { !state.events.isEmpty }

    func takeEvents() -> [TlsEvent] {
        defer { state.events = [] }
        return state.events
    }

    var peerCertificates: [[UInt8]] {
        var count: UInt32 = 0
        guard let handle = unsafe handle, let list = unsafe gnutls_certificate_get_peers(handle, &count) else { return [] }
        return (0..<Int(count)).map { unsafe list[$0].octets }
    }

    var facts: TlsSessionFacts {
        guard let handle = unsafe handle else {
            var facts = TlsSessionFacts()
            facts.serverName = state.clientHello?.serverName
            return facts
        }
        return unsafe GnuTLSFacts.read(
            handle, isClient: context.settings.role == .client,
            isNegotiated: flags.contains(.established) || flags.contains(.paused),
            serverName: serverName ?? state.clientHello?.serverName)
    }

    func exportKeyingMaterial(label: String, context: [UInt8]?, length: Int) throws(SslSocketError) -> SecretBytes {
        guard let handle = unsafe handle, flags.contains(.established) else {
            throw .gnutls(.operation, "Keying material can only be exported once the handshake is complete")
        }
        guard (1...65_535).contains(length), (context?.count ?? 0) <= 65_535 else {
            throw .gnutls(.invalidUserData, "1 to 65535 octets of keying material can be exported")
        }
        var out = [UInt8](repeating: 0, count: length)
        defer { out.wipe() }
        // A null context and an empty one differ (RFC 5705 section 4), and an empty array may have no address.
        let padded = context.map { $0 + [0] }
        let native = unsafe out.withUnsafeMutableBytes { target in
            let start = unsafe target.baseAddress?.assumingMemoryBound(to: CChar.self)
            guard let padded else {
                return unsafe gnutls_prf_rfc5705(handle, label.utf8.count, label, 0, nil, length, start)
            }
            return unsafe padded.withUnsafeBytes { octets in
                unsafe gnutls_prf_rfc5705(
                    handle, label.utf8.count, label, padded.count - 1,
                    octets.assumingMemoryBound(to: CChar.self).baseAddress, length, start)
            }
        }
        try gnutlsCheck(native, .sslInternal, "The keying material cannot be exported")
        return SecretBytes(out)
    }

    var firstFinished: [UInt8]? {
        guard let handle = unsafe handle, flags.contains(.established),
            unsafe gnutls_protocol_get_version(handle) != GNUTLS_TLS1_3
        else { return nil }
        var message = unsafe gnutls_datum_t()
        guard unsafe gnutls_session_channel_binding(handle, GNUTLS_CB_TLS_UNIQUE, &message) == 0 else { return nil }
        defer { unsafe sslgnutls_free(message.data) }
        return unsafe message.octets
    }

    var shownCertificate: [UInt8]? {
        guard let handle = unsafe handle, flags.contains(.established), context.settings.role == .server,
            unsafe gnutls_session_is_resumed(handle) == 0, let leaf = unsafe gnutls_certificate_get_ours(handle)
        else { return nil }
        return unsafe leaf.pointee.octets
    }

    func requestClientCertificate(demands: Bool, _ output: any TlsSink) -> TlsStep {
        state.begin(output)
        defer { state.end() }
        return startReauthentication(demands: demands)
    }

    func releaseBuffers() { state.inbox.releaseStorage() }
}
#endif
