#if OpenSSL
internal import CSslOpenSSL
internal import Glibc
internal import SslBackend
internal import SslValues

/// One connection. The order of things is: the ClientHello (servers, ``TlsSessionState/Gate``), then the engine.
class OpenSSLSession: TlsSession {
    let transport: OpenSSLTransport
    let parameters: TlsSessionParameters
    /// close_notify left.
    private var isClosed = false
    /// The last read stopped because its destination was full, so that the engine may hold more.
    private var mayHoldPlaintext = false

    init(context: OpenSSLContext, parameters: TlsSessionParameters) throws(SslSocketError) {
        self.parameters = parameters
        transport = OpenSSLTransport(context: context, peerAddress: parameters.peerAddress)
        if context.settings.role == .server && !transport.isDatagram {
            transport.state.gate = .collecting
        } else {
            try openEngine(with: context)
        }
    }

    /// Ends a call that began with ``TlsSessionState/begin(_:_:)``.
    func end() { transport.state.end() }

    // MARK: Handshake

    func handshake(_ input: TlsInput, _ output: any TlsSink) -> TlsStep {
        unsafe transport.state.begin(input, output)
        defer { end() }
        if let failure = transport.state.failure { return .failed(failure) }
        if transport.isEstablished { return .progressed(0) }
        if case .asked = transport.state.verdict { return .needsDecision(.peerVerification) }
        if let stop = passGate() { return stop }
        guard let ssl = unsafe transport.ssl else { return missingEngine() }
        let outcome = unsafe transport.isPaused ? transport.resume() : transport.handshake(ssl)
        guard outcome.error == SSL_ERROR_NONE else { return conclude(outcome, moved: 0) }
        if transport.isVerdictPutOff {
            return transport.state.fail(
                SslSocketError(
                    .sslInternal, "The verdict on the peer was never asked for", backend: OpenSSLBackend.backendName))
        }
        unsafe completeHandshake(ssl)
        return .progressed(0)
    }

    /// Notes that the handshake is over.
    func completeHandshake(_ ssl: OpaquePointer) {
        transport.isEstablished = true
        transport.mayPause = false
        // The engine keeps them from here on.
        transport.peerChain = []
    }

    // MARK: Octets

    func read(into destination: UnsafeMutableRawBufferPointer, _ input: TlsInput, _ output: any TlsSink) -> TlsStep {
        unsafe transport.state.begin(input, output)
        defer { end() }
        if let failure = transport.state.failure { return .failed(failure) }
        guard transport.isEstablished, let ssl = unsafe transport.ssl else { return notEstablished() }
        if case .asked = transport.state.verdict { return .needsDecision(.peerVerification) }
        mayHoldPlaintext = false
        var moved = 0
        while moved < destination.count {
            if transport.mayPause {
                // The verdict on a client asked after the handshake: looking ahead needs no memory of the caller's, which
                // would be gone when a call that was left in the middle goes on.
                let outcome = unsafe transport.isPaused ? transport.resume() : transport.lookAhead(ssl)
                if transport.hasLateAnswer, outcome.error == SSL_ERROR_NONE || outcome.error == SSL_ERROR_WANT_READ {
                    transport.hasLateAnswer = false
                    transport.mayPause = false
                    transport.state.events.append(.clientAuthenticated)
                }
                guard outcome.error == SSL_ERROR_NONE else { return conclude(outcome, moved: moved) }
            }
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: destination[moved...])
            let outcome = unsafe transport.read(ssl, into: rest)
            moved += outcome.moved
            guard outcome.error == SSL_ERROR_NONE else { return conclude(outcome, moved: moved) }
        }
        mayHoldPlaintext = true
        return .progressed(moved)
    }

    func write(_ plaintext: UnsafeRawBufferPointer, _ output: any TlsSink) -> TlsStep {
        if let failure = transport.state.failure { return .failed(failure) }
        guard transport.isEstablished, let ssl = unsafe transport.ssl else { return notEstablished() }
        if isClosed { return misuse("Nothing can be written after close_notify") }
        guard let start = plaintext.baseAddress, unsafe !plaintext.isEmpty else { return .progressed(0) }
        // A call that waits in the middle has the engine in its hands.
        if transport.isPaused { return .needsDecision(.peerVerification) }
        transport.state.begin(output)
        defer { end() }
        var written = 0
        ERR_clear_error()
        // The sink takes everything, so one call writes all records.
        let result = unsafe SSL_write_ex(ssl, start, plaintext.count, &written)
        guard result == 1 else {
            return conclude(OpenSSLTransport.Outcome(error: unsafe SSL_get_error(ssl, result)), moved: 0)
        }
        return .progressed(plaintext.count)
    }

    func close(_ output: any TlsSink) -> TlsStep {
        if let failure = transport.state.failure { return .failed(failure) }
        guard !isClosed else { return .progressed(0) }
        if transport.isPaused { return .needsDecision(.peerVerification) }
        isClosed = true
        // Before the handshake is complete there is no connection to end properly; OpenSSL refuses to try.
        guard transport.isEstablished, let ssl = unsafe transport.ssl else { return .progressed(0) }
        transport.state.begin(output)
        defer { end() }
        ERR_clear_error()
        // Once only: a second call would read the peer's close_notify itself and break on unread data before it.
        let result = unsafe SSL_shutdown(ssl)
        guard result < 0 else { return .progressed(0) }
        return conclude(OpenSSLTransport.Outcome(error: unsafe SSL_get_error(ssl, result)), moved: 0)
    }

    // MARK: What is there

    var preSharedKeySource: (any TlsPreSharedKeySource)? {
        get { transport.preSharedKeySource }
        set { transport.preSharedKeySource = newValue }
    }

    var credentialsSource: (any TlsCredentialsSource)? {
        get { transport.credentialsSource }
        set {
            transport.credentialsSource = newValue
            guard let ssl = unsafe transport.ssl, unsafe SSL_is_server(ssl) == 0 else { return }
            unsafe SSL_set_cert_cb(ssl, newValue == nil ? nil : OpenSSLTransport.chooseCredentials, nil)
        }
    }

    var clientHello: TlsClientHello? { transport.state.clientHello }
    var isEstablished: Bool { transport.isEstablished }
    var hasEvents: Bool { !transport.state.events.isEmpty }

    var pendingInput: Int {
        let kept = transport.state.inbox.count
        guard mayHoldPlaintext, let ssl = unsafe transport.ssl, unsafe SSL_has_pending(ssl) == 1 else { return kept }
        return unsafe kept + max(Int(SSL_pending(ssl)), 1)
    }

    func takeEvents() -> [TlsEvent] {
        guard hasEvents else { return [] }
        let events = transport.state.events
        transport.state.events = []
        return events
    }

    func releaseBuffers() {
        transport.state.inbox.releaseStorage()
        // Does nothing while the engine holds octets.
        if !transport.isPaused, let ssl = unsafe transport.ssl { unsafe SSL_free_buffers(ssl) }
    }

    // MARK: Results

    /// Makes a step of a call that did not simply succeed.
    func conclude(_ outcome: OpenSSLTransport.Outcome, moved: Int) -> TlsStep {
        switch outcome.error {
        case SSL_ERROR_WANT_READ, SSL_ERROR_NONE:
            if transport.state.isEndOfStream && transport.state.available == 0 {
                return moved > 0 ? .progressed(moved) : endOfStream()
            }
            return .wantsInput(moved)
        case OpenSSLTransport.Outcome.paused, SSL_ERROR_WANT_RETRY_VERIFY:
            return moved > 0 ? .progressed(moved) : .needsDecision(.peerVerification)
        case SSL_ERROR_ZERO_RETURN where transport.isEstablished:
            // Octets first; the engine says so again next time.
            return moved > 0 ? .progressed(moved) : .closed
        case SSL_ERROR_ZERO_RETURN:
            return transport.state.fail(
                SslSocketError(
                    .remoteHostClosed, "The peer closed the connection during the handshake",
                    backend: OpenSSLBackend.backendName,
                    alert: .closeNotify))
        default:
            let step = fail()
            return moved > 0 ? .progressed(moved) : step
        }
    }

    /// The stream has ended without close_notify, which is an attack unless the protocol above knows better.
    private func endOfStream() -> TlsStep {
        guard !transport.isEstablished else { return .truncated }
        return transport.state.fail(
            SslSocketError(
                .truncated, "The peer closed the connection during the handshake", backend: OpenSSLBackend.backendName))
    }

    /// Keeps what the engine says is wrong.
    private func fail() -> TlsStep {
        if var refusal = transport.refusal {
            refusal.alert = transport.alertSent
            ERR_clear_error()
            return transport.state.fail(refusal)
        }
        let hasHeardPeer =
            unsafe transport.ssl.map { unsafe SSL_get_current_cipher($0) != nil || SSL_is_server($0) == 1 } ?? false
        return transport.state.fail(
            .openssl(
                isEstablished: transport.isEstablished, hasHeardPeer: hasHeardPeer, received: transport.alertReceived,
                sent: transport.alertSent))
    }

    /// A call that makes no sense now; the session stays as it is.
    func misuse(_ message: String) -> TlsStep {
        .failed(SslSocketError(.operation, message, backend: OpenSSLBackend.backendName))
    }

    func notEstablished() -> TlsStep { misuse("The TLS handshake is not complete") }

    private func missingEngine() -> TlsStep {
        transport.state.fail(
            SslSocketError(.sslInternal, "No TLS session could be made", backend: OpenSSLBackend.backendName))
    }
}

// MARK: - Requests after the handshake

extension OpenSSLSession {
    func updateKeys(requestsPeer: Bool, _ output: any TlsSink) -> TlsStep {
        unsafe request(.keyUpdate, output) { ssl in
            unsafe SSL_key_update(ssl, requestsPeer ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED)
        }
    }

    func requestClientCertificate(demands: Bool, _ output: any TlsSink) -> TlsStep {
        guard transport.context.settings.role == .server else { return misuse("Only a server can ask for a certificate") }
        let step = unsafe request(.postHandshakeAuthentication, output) { ssl in
            // Whether there has to be one is decided above.
            transport.wantedCertificate = demands ? .demand : .request
            transport.peerChain = []
            unsafe SSL_set_verify(ssl, SSL_VERIFY_PEER, nil)
            // New tickets would hold a certificate that is judged by rules of its own.
            unsafe SSL_set_num_tickets(ssl, 0)
            return unsafe SSL_verify_client_post_handshake(ssl)
        }
        // The verdict will be asked for inside a later read.
        if case .progressed = step { transport.mayPause = true }
        return step
    }

    /// Has OpenSSL queue a handshake message of TLS 1.3 and sends it.
    private func request(_ feature: SslFeature, _ output: any TlsSink, _ queue: (OpaquePointer) -> Int32) -> TlsStep {
        if let failure = transport.state.failure { return .failed(failure) }
        guard transport.isEstablished, let ssl = unsafe transport.ssl else { return notEstablished() }
        guard unsafe SSL_version(ssl) == TLS1_3_VERSION else {
            return .failed(.lacking(feature, backend: OpenSSLBackend.backendName, reason: "only TLS 1.3 has it"))
        }
        if isClosed { return misuse("Nothing can be sent after close_notify") }
        if transport.isPaused { return .needsDecision(.peerVerification) }
        ERR_clear_error()
        guard unsafe queue(ssl) == 1 else {
            var error = SslSocketError.lacking(
                feature, backend: OpenSSLBackend.backendName, reason: "the peer did not agree to it")
            error.nativeMessage = OpenSSLError.take().text
            return .failed(error)
        }
        transport.state.begin(output)
        defer { end() }
        ERR_clear_error()
        let result = unsafe SSL_do_handshake(ssl)
        guard result != 1 else { return .progressed(0) }
        return conclude(OpenSSLTransport.Outcome(error: unsafe SSL_get_error(ssl, result)), moved: 0)
    }

    /// OpenSSL has no call that sends an alert. One can leave before the engine runs and as the answer to the peer's
    /// certificates; at any other time the session only ends, and the peer sees the stream end without close_notify.
    func abort(_ alert: SslAlertType, reason: SslSocketError, _ output: any TlsSink) -> TlsStep {
        if let failure = transport.state.failure { return .failed(failure) }
        if case .open = transport.state.gate {
        } else {
            transport.state.begin(output)
            defer { end() }
            return refuseClientHello(reason, alert)
        }
        if case .asked = transport.state.verdict, !transport.isEstablished {
            transport.state.verdict = .answered(.refuse(alert, reason))
            return unsafe handshake(.empty, output)
        }
        var told = reason
        told.alert = nil
        return transport.state.fail(told)
    }

    func exportKeyingMaterial(label: String, context: [UInt8]?, length: Int) throws(SslSocketError) -> SecretBytes {
        guard transport.isEstablished, let ssl = unsafe transport.ssl else {
            throw SslSocketError(
                .operation, "There is no keying material before the handshake is complete",
                backend: OpenSSLBackend.backendName)
        }
        guard length > 0, length <= Self.mostKeyingMaterial else {
            throw SslSocketError(
                .invalidUserData, "Keying material of \(length) octets cannot be exported",
                backend: OpenSSLBackend.backendName)
        }
        var material = [UInt8](repeating: 0, count: length)
        defer { unsafe OPENSSL_cleanse(&material, length) }
        ERR_clear_error()
        let name = Array(label.utf8)
        let done = unsafe name.withUnsafeBytes { bytes in
            unsafe SSL_export_keying_material(
                ssl, &material, length, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count, context ?? [],
                context?.count ?? 0, context == nil ? 0 : 1)
        }
        guard done == 1 else { throw .openssl(.sslInternal, "The keying material could not be exported") }
        return SecretBytes(material)
    }

    /// What HKDF-Expand can make with SHA-256 (RFC 5869 section 2.3), the least of all hashes.
    private static let mostKeyingMaterial = 255 * 32
}

// MARK: - Channel bindings

extension OpenSSLSession {
    var firstFinished: [UInt8]? {
        guard transport.isEstablished, let ssl = unsafe transport.ssl, unsafe SSL_version(ssl) != TLS1_3_VERSION else {
            return nil
        }
        // The client's comes first in a full handshake, the server's when a session is resumed.
        let isOwn = unsafe (SSL_is_server(ssl) == 1) == (SSL_session_reused(ssl) == 1)
        var message = [UInt8](repeating: 0, count: 64)
        let length =
            unsafe isOwn
            ? SSL_get_finished(ssl, &message, message.count) : SSL_get_peer_finished(ssl, &message, message.count)
        return length > 0 && length <= message.count ? Array(message.prefix(length)) : nil
    }

    var shownCertificate: [UInt8]? {
        guard transport.isEstablished, let ssl = unsafe transport.ssl, unsafe SSL_is_server(ssl) == 1,
            unsafe SSL_session_reused(ssl) == 0, !facts.usedPreSharedKey, let leaf = unsafe SSL_get_certificate(ssl)
        else { return nil }
        return unsafe OpenSSLCertificate.encode(leaf)
    }
}

// MARK: - What was negotiated

extension OpenSSLSession {
    var facts: TlsSessionFacts {
        var facts = TlsSessionFacts()
        let isServer = transport.context.settings.role == .server
        facts.serverName = isServer ? transport.state.clientHello?.serverName : parameters.serverName
        guard let ssl = unsafe transport.ssl else { return facts }
        // Known before the cipher suite is in use.
        var name: UnsafePointer<UInt8>?
        var length: UInt32 = 0
        unsafe SSL_get0_alpn_selected(ssl, &name, &length)
        if let name = unsafe name {
            facts.applicationProtocol = unsafe Array(UnsafeBufferPointer(start: name, count: Int(length)))
        }
        guard let cipher = unsafe SSL_get_current_cipher(ssl) else { return facts }
        facts.version = unsafe SslVersion(rawValue: UInt16(truncatingIfNeeded: SSL_version(ssl)))
        facts.cipher = unsafe SslCipher(code: SSL_CIPHER_get_protocol_id(cipher))
        let isTls13 = facts.version == .tls1_3
        facts.usedPreSharedKey = unsafe OpenSSLPreSharedKeys.isUsed(ssl, isTls13: isTls13)
        // To OpenSSL an external key of TLS 1.3 is a session that is resumed.
        facts.isResumed = unsafe SSL_session_reused(ssl) == 1 && !facts.usedPreSharedKey
        // A session resumed in TLS 1.2 still remembers the group of the first handshake, in which it was really used.
        if isTls13 || !facts.isResumed { facts.group = unsafe SslGroup(openssl: sslopenssl_group(ssl)) }
        if !isServer && !isTls13 && !facts.isResumed, case let bits = unsafe sslopenssl_dh_bits(ssl), bits > 0 {
            facts.diffieHellmanBits = Int(bits)
        }
        if !facts.isResumed { facts.signatureScheme = unsafe signatureScheme(ssl, isServer: isServer) }
        facts.hasExtendedMasterSecret = unsafe isTls13 || sslopenssl_extended_master_secret(ssl) == 1
        if isServer, facts.serverName == nil, let asked = unsafe SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) {
            facts.serverName = unsafe String(cString: asked)
        }
        return facts
    }

    private func signatureScheme(_ ssl: OpaquePointer, isServer: Bool) -> SslSignatureScheme? {
        var type: Int32 = 0
        let known = unsafe isServer ? SSL_get_signature_type_nid(ssl, &type) : SSL_get_peer_signature_type_nid(ssl, &type)
        guard known == 1 else { return nil }
        let leaf = unsafe isServer ? SSL_get_certificate(ssl) : SSL_get0_peer_certificate(ssl)
        let key = unsafe X509_get0_pubkey(leaf)
        return unsafe SslSignatureScheme(
            opensslType: type, hash: sslopenssl_signature_hash(ssl, isServer ? 0 : 1),
            isPssKey: key != nil && EVP_PKEY_get_id(key) == NID_rsassaPss)
    }
}
#endif
