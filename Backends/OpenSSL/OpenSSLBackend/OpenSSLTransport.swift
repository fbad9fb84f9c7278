#if OpenSSL
internal import CSslOpenSSL
internal import Glibc
internal import SslBackend
internal import SslValues

/// What OpenSSL's callbacks work on: the state every engine's session has, the engine's handle, and the call that was left in
/// the middle. It is an object of its own, so that the callbacks still have it while the session that owns it goes away.
///
/// No access to a stored property may be open while the engine runs: the callbacks come back to them.
@safe
final class OpenSSLTransport {
    var state = TlsSessionState()
    /// The engine; nil on a server until the ClientHello has been read, so that silent clients cost nothing.
    private(set) var ssl: OpaquePointer?
    /// What the engine was made from. It must outlive the engine, which calls back into it.
    private(set) var context: OpenSSLContext
    /// The call whose verdict is awaited; only on servers.
    private var fibre: UnsafeMutablePointer<sslopenssl_fibre>?
    /// Calls may have to be left in the middle: a server that asks for a certificate, a client that asks for its status.
    var mayPause = false

    /// The peer's chain, from the question for the verdict until the handshake is over; then the engine has it.
    var peerChain: [[UInt8]] = []
    /// What the application refused the peer with.
    var refusal: SslSocketError?
    /// The fatal alerts that came and left.
    var alertReceived: SslAlertType?
    var alertSent: SslAlertType?
    var isEstablished = false

    // MARK: Clients' certificates

    /// Whom a client asks what to show.
    var credentialsSource: (any TlsCredentialsSource)?
    /// What a server wants of its client, in the handshake or after it.
    var wantedCertificate = TlsClientCertificate.none
    /// The client has answered a question that came after the handshake.
    var hasLateAnswer = false

    // MARK: Pre-shared keys

    /// Whom the callbacks ask.
    var preSharedKeySource: (any TlsPreSharedKeySource)?
    /// The key for an identity of the ClientHello, on a server of TLS 1.3.
    var offeredKey: SslPreSharedKey?
    private var identity = unsafe UnsafeMutableBufferPointer<UInt8>(start: nil, count: 0)

    /// Keeps a client's identity at one place as long as the session lives.
    func keep(identity octets: [UInt8]) -> UnsafePointer<UInt8>? {
        unsafe identity.deallocate()
        unsafe identity = UnsafeMutableBufferPointer.allocate(capacity: octets.count)
        _ = unsafe identity.initialize(from: octets)
        return unsafe UnsafePointer(identity.baseAddress)
    }

    // MARK: OCSP stapling

    /// Whom a server asks for what to staple.
    var statusSource: (any TlsCertificateStatusSource)?
    /// The verdict on the peer has not been asked for yet, although OpenSSL has been told to go on.
    var isVerdictPutOff = false
    /// The alert to send in the place of the one OpenSSL has for a refused response.
    var alertInstead: SslAlertType?

    // MARK: Datagrams only

    let isDatagram: Bool
    /// Whole datagrams that came while the engine could not take them.
    var waitingDatagrams: [[UInt8]] = []
    /// The address that is bound into the cookie.
    let peerAddress: [UInt8]

    init(context: OpenSSLContext, peerAddress: [UInt8]?) {
        self.context = context
        self.peerAddress = peerAddress ?? []
        isDatagram = context.settings.transport == .datagram
    }

    deinit {
        // A call that was left in the middle owns memory on its own stack: it goes on to its end, with a refusal nobody
        // hears.
        if unsafe fibre != nil {
            state.verdict = .answered(.refuse(.internalError, SslSocketError(.operation, "The session was dropped")))
            resume()
        }
        unsafe identity.deallocate()
        guard let ssl = unsafe ssl else { return }
        // Without both flags OpenSSL declares the session unfit for resumption when it is freed.
        unsafe SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
        unsafe SSL_free(ssl)
    }

    /// Makes the engine's handle from `context`.
    func open(with context: OpenSSLContext) throws(SslSocketError) -> OpaquePointer {
        ERR_clear_error()
        guard let ssl = unsafe SSL_new(context.handle) else { throw .openssl(.sslInternal, "No TLS session could be made") }
        guard let bio = unsafe BIO_new(Self.method) else {
            unsafe SSL_free(ssl)
            throw .openssl(.sslInternal, "No TLS session could be made")
        }
        self.context = context
        unsafe BIO_set_data(bio, Unmanaged.passUnretained(self).toOpaque())
        unsafe BIO_set_init(bio, 1)
        // One BIO for both directions, of which the engine takes one reference in all.
        unsafe SSL_set_bio(ssl, bio, bio)
        unsafe SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(self).toOpaque())
        if context.settings.role == .server {
            unsafe SSL_set_accept_state(ssl)
            wantedCertificate = context.settings.clientCertificate
            mayPause = wantedCertificate != .none
        } else {
            unsafe SSL_set_connect_state(ssl)
            mayPause = context.settings.staplesStatus
        }
        unsafe self.ssl = unsafe ssl
        return unsafe ssl
    }

    /// The transport of a handle whose callback is running.
    static func of(_ ssl: OpaquePointer?) -> OpenSSLTransport? {
        guard let ssl = unsafe ssl, let pointer = unsafe SSL_get_ex_data(ssl, 0) else { return nil }
        return unsafe Unmanaged<OpenSSLTransport>.fromOpaque(pointer).takeUnretainedValue()
    }

    // MARK: Calls

    /// What a call of the engine came to.
    struct Outcome {
        /// `SSL_get_error`'s answer; ``paused`` when the call was left in the middle.
        var error: Int32
        /// Octets of plaintext.
        var moved = 0
        /// Beyond the codes of the library.
        static let paused: Int32 = -1
    }

    /// Goes on with the handshake.
    func handshake(_ ssl: OpaquePointer) -> Outcome { unsafe performPausable(ssl, sslopenssl_call_handshake) }

    /// Processes what comes before the next plaintext, and that leaves it where it is.
    func lookAhead(_ ssl: OpaquePointer) -> Outcome { unsafe performPausable(ssl, sslopenssl_call_look_ahead) }

    /// Decrypts once; the verdict is never asked for in here on a server (``lookAhead(_:)`` comes first where it could be).
    func read(_ ssl: OpaquePointer, into target: UnsafeMutableRawBufferPointer) -> Outcome {
        var call = unsafe sslopenssl_call()
        unsafe call.ssl = unsafe ssl
        unsafe call.kind = Int32(sslopenssl_call_read)
        unsafe call.bytes = target.baseAddress
        unsafe call.length = target.count
        unsafe sslopenssl_perform(&call)
        return unsafe Outcome(error: call.error, moved: call.moved)
    }

    /// True while a call waits in the middle.
    var isPaused: Bool { unsafe fibre != nil }

    /// Goes on with the call that was left in the middle.
    @discardableResult
    func resume() -> Outcome {
        guard let running = unsafe fibre else { return Outcome(error: SSL_ERROR_SYSCALL) }
        return finish(unsafe sslopenssl_fibre_switch(running))
    }

    private func performPausable(_ ssl: OpaquePointer, _ kind: Int) -> Outcome {
        var call = unsafe sslopenssl_call()
        unsafe call.ssl = unsafe ssl
        unsafe call.kind = Int32(kind)
        guard mayPause else {
            unsafe sslopenssl_perform(&call)
            return unsafe Outcome(error: call.error)
        }
        guard let made = unsafe sslopenssl_fibre_new(&call) else { return Outcome(error: SSL_ERROR_SYSCALL) }
        unsafe fibre = unsafe made
        return finish(unsafe sslopenssl_fibre_start(made))
    }

    private func finish(_ result: Int32) -> Outcome {
        if result == 1 { return Outcome(error: Outcome.paused) }
        guard let done = unsafe fibre else { return Outcome(error: SSL_ERROR_SYSCALL) }
        defer { unsafe sslopenssl_fibre_free(done) }
        unsafe fibre = nil
        return unsafe Outcome(error: result < 0 ? SSL_ERROR_SYSCALL : done.pointee.call.error)
    }

    /// The call that waits in the middle, for the callback that asks for the verdict.
    var currentFibre: UnsafeMutablePointer<sslopenssl_fibre>? { unsafe fibre }

    // MARK: The custom BIO

    /// Made once. Octets go straight between the engine's buffers and ours; a memory BIO would copy them once more.
    private nonisolated(unsafe) static let method: OpaquePointer? = {
        guard let method = unsafe BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "sslsocket") else { return nil }
        unsafe BIO_meth_set_read_ex(method) { bio, target, length, moved in
            unsafe OpenSSLTransport.bioRead(bio, target, length, moved)
        }
        unsafe BIO_meth_set_write_ex(method) { bio, source, length, moved in
            unsafe OpenSSLTransport.bioWrite(bio, source, length, moved)
        }
        unsafe BIO_meth_set_ctrl(method) { _, command, _, _ in OpenSSLTransport.bioControl(command) }
        return unsafe method
    }()

    private static func bioRead(
        _ bio: OpaquePointer?, _ target: UnsafeMutablePointer<CChar>?, _ length: Int, _ moved: UnsafeMutablePointer<Int>?
    ) -> Int32 {
        guard let bio = unsafe bio, let pointer = unsafe BIO_get_data(bio) else { return 0 }
        let transport = unsafe Unmanaged<OpenSSLTransport>.fromOpaque(pointer)
        let buffer = unsafe UnsafeMutableRawBufferPointer(start: target, count: length)
        let n = unsafe transport._withUnsafeGuaranteedRef { unsafe $0.pull(into: buffer) }
        guard n > 0 else {
            // Always "try again": an end of the stream is found by the session, which then need not send the alert
            // (decode_error) that OpenSSL answers it with.
            unsafe sslopenssl_bio_retry_read(bio)
            return 0
        }
        unsafe sslopenssl_bio_clear_retry(bio)
        unsafe moved?.pointee = n
        return 1
    }

    private static func bioWrite(
        _ bio: OpaquePointer?, _ source: UnsafePointer<CChar>?, _ length: Int, _ moved: UnsafeMutablePointer<Int>?
    ) -> Int32 {
        guard let bio = unsafe bio, let pointer = unsafe BIO_get_data(bio) else { return 0 }
        let transport = unsafe Unmanaged<OpenSSLTransport>.fromOpaque(pointer)
        unsafe transport._withUnsafeGuaranteedRef { owner in
            // Without a sink the session is going away.
            if let sink = owner.state.sink {
                let record = unsafe UnsafeRawBufferPointer(start: source, count: length)
                // A fatal alert in the clear: its last octet says which.
                if let alert = owner.alertInstead, length == (owner.isDatagram ? 15 : 7), unsafe record.first == 21 {
                    var changed = unsafe [UInt8](record)
                    changed[length - 1] = alert.rawValue
                    unsafe changed.withUnsafeBytes { unsafe sink.put($0) }
                } else {
                    unsafe sink.put(record)
                }
            }
        }
        unsafe sslopenssl_bio_clear_retry(bio)
        unsafe moved?.pointee = length
        return 1
    }

    private static func bioControl(_ command: Int32) -> Int {
        switch command {
        // Nothing is ever held back; and there is always a timer to set, for nobody reads with a time limit here.
        case BIO_CTRL_FLUSH, BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT: 1
        // Everything else has nothing to say: no end of file, nothing pending, no overhead, no MTU of its own.
        default: 0
        }
    }

    private func pull(into target: UnsafeMutableRawBufferPointer) -> Int {
        guard isDatagram else { return unsafe state.pull(into: target) }
        return unsafe pullDatagram(into: target)
    }
}
#endif
