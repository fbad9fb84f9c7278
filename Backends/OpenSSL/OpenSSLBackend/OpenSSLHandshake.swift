#if OpenSSL
internal import CSslOpenSSL
internal import SslBackend
internal import SslValues

// MARK: - The ClientHello

extension OpenSSLSession {
    /// Makes the engine, with the name to ask for and the session to resume.
    func openEngine(with context: OpenSSLContext) throws(SslSocketError) {
        let ssl = try unsafe transport.open(with: context)
        if context.settings.role == .client {
            if let name = parameters.serverName {
                guard unsafe sslopenssl_set_server_name(ssl, name) == 1 else {
                    throw .openssl(.invalidUserData, "\(name) cannot be sent as a server name")
                }
            }
            if let octets = parameters.resumption { try unsafe resumeSession(ssl, octets) }
        }
        if context.settings.role == .server { try unsafe OpenSSLPreSharedKeys.prepare(ssl, transport) }
        if transport.isDatagram { unsafe prepareDatagrams(ssl, context.settings) }
    }

    private func resumeSession(_ ssl: OpaquePointer, _ octets: [UInt8]) throws(SslSocketError) {
        let session = unsafe octets.withUnsafeBufferPointer { buffer in
            var cursor = buffer.baseAddress
            return unsafe d2i_SSL_SESSION(nil, &cursor, buffer.count)
        }
        guard let session = unsafe session else {
            throw .openssl(.invalidUserData, "The session to resume is not one of this backend")
        }
        defer { unsafe SSL_SESSION_free(session) }
        guard unsafe SSL_set_session(ssl, session) == 1 else {
            throw .openssl(.invalidUserData, "The session to resume does not go with these settings")
        }
    }

    /// Lets a server's engine begin once the ClientHello is read and answered; what to return, if it may not run yet.
    func passGate() -> TlsStep? {
        if case .open = transport.state.gate { return nil }
        let pauses = transport.context.settings.pausesAtClientHello
        switch transport.state.passGate(pauses: pauses, backend: OpenSSLBackend.backendName) {
        case .stop(let step): return step
        case .run(let chosen):
            guard let context = chosen.map({ $0 as? OpenSSLContext }) ?? transport.context,
                context.settings.role == .server, context.settings.transport == .stream
            else {
                return refuseClientHello(
                    SslSocketError(
                        .invalidUserData, "The context chosen for this client is not one of a TLS server of this backend",
                        backend: OpenSSLBackend.backendName))
            }
            do {
                try openEngine(with: context)
                return nil
            } catch {
                return refuseClientHello(error)
            }
        }
    }

    /// Refuses the client before any engine has spoken.
    func refuseClientHello(_ error: SslSocketError, _ alert: SslAlertType = .internalError) -> TlsStep {
        transport.state.gate = .answered(.refuse(alert, error))
        if case .stop(let step) = transport.state.passGate(pauses: false, backend: OpenSSLBackend.backendName) { return step }
        return transport.state.fail(error)
    }

    func answer(clientHello answer: TlsClientHelloAnswer) {
        if case .asked = transport.state.gate { transport.state.gate = .answered(answer) }
    }

    func answer(peerVerification answer: TlsVerdict) {
        if case .asked = transport.state.verdict { transport.state.verdict = .answered(answer) }
    }
}

// MARK: - The verdict on the peer

extension OpenSSLTransport {
    /// More octets of the peer's certificates are not put into a ticket, which has 65535 at most and comes back in every ClientHello. Before
    /// TLS 1.3 the library does so by itself, and fails when the leaf alone is too large.
    private static let mostInTicket = 32_768

    /// Asked by the engine in place of its own verification: `X509_V_OK`, an error that gives the wanted alert, or undecided.
    ///
    /// A client's engine returns from the call while nothing is decided, and asks again in the next. On a server it waits in
    /// the middle of the call, on the fibre.
    static let ask: sslopenssl_ask = { ssl, store, fibre in
        guard let transport = unsafe OpenSSLTransport.of(ssl) else { return X509_V_ERR_UNSPECIFIED }
        switch transport.state.verdict {
        case .none:
            unsafe transport.peerChain = encode(X509_STORE_CTX_get0_untrusted(store))
            if unsafe OpenSSLStapling.putsVerdictOff(ssl, transport) {
                transport.isVerdictPutOff = true
                return X509_V_OK
            }
            transport.state.verdict = .asked
        case .asked: break
        case .answered(.accept):
            transport.state.verdict = .none
            if transport.peerChain.reduce(0, { $0 + $1.count }) > mostInTicket { unsafe SSL_set_num_tickets(ssl, 0) }
            return X509_V_OK
        case .answered(.refuse(let alert, let error)):
            transport.state.verdict = .none
            transport.refusal = error
            // None of OpenSSL's errors has this alert. A client's leaves in the clear here, in TLS 1.3 too, and can be exchanged.
            if alert == .badCertificateStatusResponse || alert == .noApplicationProtocol { transport.alertInstead = alert }
            return alert.verificationError
        }
        unsafe fibre?.pointee = unsafe transport.currentFibre
        return Int32(sslopenssl_verdict_undecided)
    }

    /// The certificates of a list in DER.
    static func encode(_ list: OpaquePointer?) -> [[UInt8]] {
        unsafe (0..<sslopenssl_certificates_count(list)).map { i in
            unsafe OpenSSLCertificate.encode(sslopenssl_certificates_at(list, i))
        }
    }
}

extension OpenSSLSession {
    var peerCertificates: [[UInt8]] {
        if !transport.peerChain.isEmpty { return transport.peerChain }
        guard transport.isEstablished, let ssl = unsafe transport.ssl else { return [] }
        let chain = unsafe OpenSSLTransport.encode(SSL_get_peer_cert_chain(ssl))
        guard let leaf = unsafe SSL_get0_peer_certificate(ssl) else { return [] }
        // A client's list begins with the leaf, a server's does not, and a resumed session has no list at all.
        let first = unsafe OpenSSLCertificate.encode(leaf)
        if chain.isEmpty { return unsafe [first] + OpenSSLTickets.chain(ssl) }
        return chain.first == first ? chain : [first] + chain
    }
}

// MARK: - Callbacks that only record

extension OpenSSLTransport {
    /// Alerts in both directions.
    static let onInfo: @convention(c) (OpaquePointer?, Int32, Int32) -> Void = { ssl, place, value in
        if place == SSL_CB_ACCEPT_LOOP { unsafe OpenSSLPreSharedKeys.serverStepped(ssl) }
        guard place & SSL_CB_ALERT != 0, let transport = unsafe OpenSSLTransport.of(ssl) else { return }
        let instead = place & SSL_CB_READ == 0 ? transport.alertInstead : nil
        let type = instead ?? SslAlertType(code: UInt8(truncatingIfNeeded: value))
        let level = SslAlertLevel(rawValue: UInt8(truncatingIfNeeded: value >> 8)) ?? .unknown
        let alert = SslAlert(level, type)
        // TLS 1.3 takes every alert but these two as fatal, whatever its level (RFC 8446 section 6).
        let isFatal = unsafe level == .fatal || (type != .closeNotify && type != .userCancelled && isTls13(ssl))
        if place & SSL_CB_READ != 0 {
            transport.state.events.append(.alertReceived(alert))
            if isFatal { transport.alertReceived = type }
        } else {
            transport.state.events.append(.alertSent(alert))
            if isFatal { transport.alertSent = type }
        }
    }

    private static func isTls13(_ ssl: OpaquePointer?) -> Bool { unsafe SSL_version(ssl) == TLS1_3_VERSION }

    /// Key updates and requests for a certificate after the handshake; and a client that has no certificate, which the engine would let pass.
    static let onMessage: sslopenssl_heard = { ssl, type in
        guard let transport = unsafe OpenSSLTransport.of(ssl) else { return nil }
        switch Int32(type) {
        case SSL3_MT_CERTIFICATE: return unsafe transport.askAboutNoCertificate(ssl)
        case SSL3_MT_KEY_UPDATE where transport.isEstablished: transport.state.events.append(.keysUpdated)
        case SSL3_MT_CERTIFICATE_REQUEST where transport.isEstablished:
            transport.state.events.append(.clientCertificateRequested)
        case SSL3_MT_FINISHED where transport.isEstablished: transport.hasLateAnswer = true
        default: break
        }
        return nil
    }

    /// Asks for the verdict on a client without a certificate; the fibre to leave while it is open. A refusal turns the demand for a
    /// certificate on, which the engine looks at next: it then sends the alert that the version has for it.
    private func askAboutNoCertificate(_ ssl: OpaquePointer?) -> UnsafeMutablePointer<sslopenssl_fibre>? {
        guard wantedCertificate == .demand else { return nil }
        switch state.verdict {
        case .none:
            peerChain = []
            state.verdict = .asked
        case .asked: break
        case .answered(.accept):
            state.verdict = .none
            return nil
        case .answered(.refuse(_, let error)):
            state.verdict = .none
            refusal = error
            unsafe SSL_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
            return nil
        }
        if let fibre = unsafe currentFibre { return unsafe fibre }
        // Without a way to wait for the verdict there is none to be had.
        unsafe SSL_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
        return nil
    }

    /// A session a client can resume. It is put into octets at once: the object changes as long as the connection lives.
    static let onSession: @convention(c) (OpaquePointer?, OpaquePointer?) -> Int32 = { ssl, session in
        guard let transport = unsafe OpenSSLTransport.of(ssl), let session = unsafe session,
            // A TLS 1.2 server without tickets still names its session; only it could resume by that name.
            unsafe SSL_SESSION_is_resumable(session) == 1 && SSL_SESSION_has_ticket(session) == 1
        else { return 0 }
        let hint = unsafe Int(SSL_SESSION_get_ticket_lifetime_hint(session))
        // Without a hint (allowed in TLS 1.2) our own limit holds.
        let lifetime = unsafe hint > 0 ? hint : Int(SSL_SESSION_get_timeout(session))
        let octets = unsafe OpenSSLCertificate.octets { unsafe i2d_SSL_SESSION(session, $0) }
        if !octets.isEmpty { transport.state.events.append(.sessionTicket(octets, lifetime: lifetime)) }
        // The library need not keep it for us.
        return 0
    }

    /// One line for a key log file.
    static let onKeyLog: @convention(c) (OpaquePointer?, UnsafePointer<CChar>?) -> Void = { ssl, line in
        guard let transport = unsafe OpenSSLTransport.of(ssl), let line = unsafe line else { return }
        transport.state.events.append(.keyLog(unsafe String(cString: line)))
    }
}
#endif
