#if OpenSSL
internal import CSslOpenSSL
internal import Glibc
internal import SslBackend
internal import SslValues

/// A DTLS connection: every window is one datagram, and every write of the engine's BIO is one.
final class OpenSSLDatagramSession: OpenSSLSession, TlsDatagramSession {
    /// When the handshake has to be over, in milliseconds of the monotonic clock; 0 before it began.
    private var deadline = 0

    override func end() {
        transport.keepDatagram()
        super.end()
    }

    override func handshake(_ input: TlsInput, _ output: any TlsSink) -> TlsStep {
        if deadline == 0 { deadline = Self.now + transport.context.settings.datagram.totalTimeout }
        return unsafe super.handshake(input, output)
    }

    override func write(_ plaintext: UnsafeRawBufferPointer, _ output: any TlsSink) -> TlsStep {
        // The engine itself would send any record up to 16 KiB, far beyond the MTU, and leave it to IP to fragment it.
        if transport.isEstablished && plaintext.count > maximumPayload {
            return .failed(
                SslSocketError(
                    .datagramTooLarge,
                    "\(plaintext.count) octets are too many for one datagram: \(maximumPayload) fit with this MTU and cipher",
                    backend: OpenSSLBackend.backendName))
        }
        return unsafe super.write(plaintext, output)
    }

    override func completeHandshake(_ ssl: OpaquePointer) {
        unsafe super.completeHandshake(ssl)
        unsafe _ = sslopenssl_set_mtu(ssl, transport.context.settings.datagram.mtu)
    }

    var nextTimeout: Int? {
        guard transport.state.failure == nil, let ssl = unsafe transport.ssl else { return nil }
        var left = timeval()
        guard unsafe sslopenssl_get_timeout(ssl, &left) == 1 else { return nil }
        // Rounded up: waking early would find nothing to do.
        return left.tv_sec * 1000 + (Int(left.tv_usec) + 999) / 1000
    }

    func handleTimeout(_ output: any TlsSink) -> TlsStep {
        if let failure = transport.state.failure { return .failed(failure) }
        guard !transport.isPaused, let ssl = unsafe transport.ssl else { return .wantsInput(0) }
        if !transport.isEstablished && deadline != 0 && Self.now >= deadline {
            return transport.state.fail(
                SslSocketError(.socketTimeout, "The DTLS handshake took too long", backend: OpenSSLBackend.backendName))
        }
        transport.state.begin(output)
        defer { end() }
        ERR_clear_error()
        let result = unsafe sslopenssl_handle_timeout(ssl)
        guard result < 0 else { return .wantsInput(0) }
        let error = OpenSSLError.take()
        return transport.state.fail(
            SslSocketError(.socketTimeout, "The peer did not answer the DTLS handshake", openssl: error))
    }

    var maximumPayload: Int {
        guard transport.isEstablished, let ssl = unsafe transport.ssl else { return 0 }
        return unsafe Int(DTLS_get_data_mtu(ssl))
    }

    private static var now: Int {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }
}

extension OpenSSLSession {
    /// During the handshake OpenSSL gathers a flight in a buffer of this size, and what is larger would be cut anywhere.
    static let largestFlightBuffer = 4096

    /// Sets the sizes and times of a fresh engine, and the cookie where a peer's address is known.
    func prepareDatagrams(_ ssl: OpaquePointer, _ settings: TlsSettings) {
        unsafe _ = sslopenssl_set_mtu(ssl, min(settings.datagram.mtu, Self.largestFlightBuffer))
        unsafe DTLS_set_timer_cb(ssl, OpenSSLTransport.timer)
        if settings.role == .server && parameters.peerAddress != nil { unsafe sslopenssl_ask_for_cookie(ssl) }
    }
}

extension OpenSSLTransport {
    /// More would only be kept for a peer that does not wait for answers.
    private static let mostWaitingDatagrams = 16

    /// Moves one whole datagram; what does not fit is lost, as on a socket. 0 when there is none.
    func pullDatagram(into target: UnsafeMutableRawBufferPointer) -> Int {
        if !waitingDatagrams.isEmpty {
            let datagram = waitingDatagrams.removeFirst()
            let n = min(datagram.count, target.count)
            unsafe target.copyBytes(from: datagram.prefix(n))
            return n
        }
        let n = unsafe state.pull(into: target)
        if state.available > 0 { _ = takeWindow() }
        return n
    }

    /// Keeps a datagram that was not read in this call, apart from any other.
    func keepDatagram() {
        guard state.available > 0 else { return }
        let datagram = takeWindow()
        if waitingDatagrams.count < Self.mostWaitingDatagrams { waitingDatagrams.append(datagram) }
    }

    private func takeWindow() -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: state.available) { buffer, count in
            count = unsafe state.pull(into: UnsafeMutableRawBufferPointer(buffer))
        }
    }

    /// The first retransmission after the configured time, each further one after twice the last, up to a minute
    /// (RFC 6347 section 4.2.4.1).
    static let timer: @convention(c) (OpaquePointer?, UInt32) -> UInt32 = { ssl, last in
        let first = unsafe OpenSSLTransport.of(ssl)?.context.settings.datagram.initialTimeout ?? 1000
        return last == 0 ? UInt32(clamping: first * 1000) : min(last &* 2, 60_000_000)
    }

    // MARK: Cookies (RFC 6347 section 4.2.1)

    /// An HMAC over the peer's address under a key of the context: it proves that the peer receives there.
    private func cookie() -> [UInt8] {
        unsafe context.cookieKey.withBytes { key in unsafe OpenSSLContext.hmac(key, peerAddress) }
    }

    static let makeCookie: @convention(c) (OpaquePointer?, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<UInt32>?) -> Int32 =
        {
            ssl, target, length in
            guard let transport = unsafe OpenSSLTransport.of(ssl), let target = unsafe target else { return 0 }
            let cookie = transport.cookie()
            guard !cookie.isEmpty, cookie.count <= DTLS1_COOKIE_LENGTH else { return 0 }
            for (i, octet) in cookie.enumerated() { unsafe target[i] = octet }
            unsafe length?.pointee = UInt32(cookie.count)
            return 1
        }

    static let checkCookie: @convention(c) (OpaquePointer?, UnsafePointer<UInt8>?, UInt32) -> Int32 = { ssl, octets, length in
        guard let transport = unsafe OpenSSLTransport.of(ssl), let octets = unsafe octets else { return 0 }
        let cookie = transport.cookie()
        guard !cookie.isEmpty, cookie.count == Int(length) else { return 0 }
        return unsafe CRYPTO_memcmp(octets, cookie, cookie.count) == 0 ? 1 : 0
    }
}
#endif
