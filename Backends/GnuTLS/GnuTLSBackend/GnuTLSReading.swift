#if GnuTLS
internal import CSslGnuTLS
internal import SslBackend
internal import SslValues

/// Reading records, and what arrives among them: ends, alerts, tickets, requests for certificates.
extension GnuTLSSession {
    /// Decrypts until `destination` is full or the library starves; one record only when `isSingle`.
    final func readRecords(_ destination: UnsafeMutableRawBufferPointer, isSingle: Bool) -> TlsStep {
        guard let handle = unsafe handle, let start = destination.baseAddress else { return .progressed(0) }
        var done = 0
        var idle = 0
        while done < destination.count {
            isStarved = false
            let before = state.available
            let count = unsafe gnutls_record_recv(handle, start + done, destination.count - done)
            if count > 0 {
                done += count
                if isSingle { break }
                continue
            }
            if count == GNUTLS_E_AGAIN && needsInput && !flags.contains(.ticketArrived) { return .wantsInput(done) }
            if let step = handleInterruption(Int32(truncatingIfNeeded: count), done) { return step }
            idle = state.available == before ? idle + 1 : 0
            if idle > Self.mostIdleSteps { return endOfStream(done) }
        }
        return .progressed(done)
    }

    /// Anything but plaintext. nil: read on.
    private final func handleInterruption(_ native: Int32, _ done: Int) -> TlsStep? {
        switch meaning(of: native) {
        case 0:
            flags.insert(.peerClosed)
            state.events.append(.alertReceived(SslAlert(.warning, .closeNotify)))
            return done > 0 ? .progressed(done) : .closed
        case GNUTLS_E_AGAIN, GNUTLS_E_INTERRUPTED:
            if flags.contains(.ticketArrived) { collectTicket() }
            return needsInput ? .wantsInput(done) : nil
        case GNUTLS_E_WARNING_ALERT_RECEIVED:
            noteAlert(.warning)
            return nil
        case GNUTLS_E_REHANDSHAKE:
            // Renegotiation is refused as RFC 5246 section 7.2.2 wants it, and the connection goes on.
            send(.warning, .noRenegotiation)
            return nil
        case GNUTLS_E_REAUTH_REQUEST: return reauthenticateClient(done)
        case GNUTLS_E_PREMATURE_TERMINATION, GNUTLS_E_SESSION_EOF:
            return endOfStream(done)
        default:
            if gnutls_error_is_fatal(native) == 0 { return nil }
            let step = fail(native: native)
            return done > 0 ? .progressed(done) : step
        }
    }

    /// The end without close_notify.
    private final func endOfStream(_ done: Int) -> TlsStep {
        flags.insert(.truncated)
        return done > 0 ? .progressed(done) : .truncated
    }

    /// A read when something besides records is going on.
    final func readSpecially(_ destination: UnsafeMutableRawBufferPointer) -> TlsStep {
        if let failure = state.failure { return .failed(failure) }
        if flags.contains(.peerClosed) { return .closed }
        if flags.contains(.truncated) { return .truncated }
        guard flags.contains(.established) else { return .failed(.gnutls(.operation, "The handshake is not complete")) }
        if let step = pendingDecision() { return step }
        if flags.contains(.reauthenticating), let step = unsafe reauthenticateServer(destination) { return step }
        return unsafe readRecords(destination, isSingle: context.settings.transport == .datagram)
    }

    // MARK: Post-handshake authentication (RFC 8446 section 4.6.2)

    /// Asks a client for its certificate.
    final func startReauthentication(demands: Bool) -> TlsStep {
        guard let handle = unsafe handle, flags.contains(.established), flags.isDisjoint(with: .writeless) else {
            return refuseWrite()
        }
        guard !flags.contains(.reauthenticating) else { return .progressed(0) }
        let isWilling = unsafe gnutls_session_get_flags(handle) & GNUTLS_SFLAGS_POST_HANDSHAKE_AUTH.rawValue != 0
        guard context.settings.role == .server, isWilling, unsafe gnutls_protocol_get_version(handle) == GNUTLS_TLS1_3 else {
            return .failed(
                .lacking(
                    .postHandshakeAuthentication, backend: gnutlsName,
                    reason: "only a TLS 1.3 server whose settings allow it can ask for it, and only of a client that is willing"))
        }
        // The library asks for no verdict where a ticket or a pre-shared key stood in for certificates.
        guard unsafe gnutls_session_is_resumed(handle) == 0, !facts.usedPreSharedKey else {
            return .failed(
                .lacking(
                    .postHandshakeAuthentication, backend: gnutlsName,
                    reason:
                        "the library does not verify certificates after a handshake that resumed a session or used a pre-shared key"
                ))
        }
        flags.remove(.judged)
        // Whether there has to be one is decided above.
        wantedCertificate = demands ? .demand : .request
        unsafe gnutls_certificate_server_set_request(handle, GNUTLS_CERT_REQUEST)
        flags.insert(.reauthenticating)
        // The library sends the request and then starves, for the call has no input.
        let native = unsafe gnutls_reauth(handle, 0)
        guard native < 0, gnutls_error_is_fatal(native) != 0 else { return .progressed(0) }
        flags.remove(.reauthenticating)
        return fail(native: native)
    }

    /// Goes on with the certificate that was asked for. nil: it is there, or application data comes first.
    private final func reauthenticateServer(_ destination: UnsafeMutableRawBufferPointer) -> TlsStep? {
        guard let handle = unsafe handle else { return nil }
        var idle = 0
        while idle <= Self.mostIdleSteps {
            isStarved = false
            let before = state.available
            let native = unsafe gnutls_reauth(handle, 0)
            switch native {
            case GNUTLS_E_SUCCESS:
                flags.remove(.reauthenticating)
                guard flags.contains(.judged) || !(hasPeerCertificates || wantedCertificate == .demand) else {
                    return fail(
                        .gnutls(.peerVerificationFailed, "The library took a client's certificate that nobody has judged"),
                        alert: .internalError)
                }
                state.events.append(.clientAuthenticated)
                return nil
            case GNUTLS_E_GOT_APPLICATION_DATA: return unsafe readRecords(destination, isSingle: true)
            case GNUTLS_E_AGAIN, GNUTLS_E_INTERRUPTED:
                if flags.contains(.paused) { return .needsDecision(.peerVerification) }
                if needsInput { return .wantsInput(0) }
            case GNUTLS_E_WARNING_ALERT_RECEIVED: noteAlert(.warning)
            default:
                if gnutls_error_is_fatal(native) != 0 { return fail(native: native) }
            }
            idle = state.available == before ? idle + 1 : 0
        }
        return endOfStream(0)
    }

    /// Shows a server the certificate it asked for. nil: read on.
    private final func reauthenticateClient(_ done: Int) -> TlsStep? {
        guard let handle = unsafe handle else { return nil }
        state.events.append(.clientCertificateRequested)
        let native = unsafe gnutls_reauth(handle, 0)
        guard native < 0 else { return nil }
        let step = fail(native: native)
        return done > 0 ? .progressed(done) : step
    }
}
#endif
