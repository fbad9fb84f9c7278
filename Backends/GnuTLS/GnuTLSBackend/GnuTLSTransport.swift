#if GnuTLS
internal import CSslGnuTLS
internal import SslBackend
internal import SslValues

/// How the library's session reads and writes ciphertext: from the window of the running call and into its sink.
extension GnuTLSSession {
    /// Connects a session object to this session. The pointer is not retained: this session owns the object.
    final func attach(_ session: gnutls_session_t) {
        let this = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe gnutls_transport_set_ptr(session, this)
        unsafe gnutls_session_set_ptr(session, this)
        unsafe gnutls_transport_set_pull_function(session) { pointer, buffer, count in
            guard let pointer = unsafe pointer, let buffer = unsafe buffer else { return -1 }
            return unsafe Unmanaged<GnuTLSSession>.fromOpaque(pointer)._withUnsafeGuaranteedRef { session in
                unsafe session.pull(UnsafeMutableRawBufferPointer(start: buffer, count: count))
            }
        }
        unsafe gnutls_transport_set_push_function(session) { pointer, buffer, count in
            guard let pointer = unsafe pointer else { return -1 }
            return unsafe Unmanaged<GnuTLSSession>.fromOpaque(pointer)._withUnsafeGuaranteedRef { session in
                unsafe session.state.sink?.put(UnsafeRawBufferPointer(start: buffer, count: count))
                return count
            }
        }
        // Never waits: it only says whether a pull would find something. With datagrams the library asks this first.
        unsafe gnutls_transport_set_pull_timeout_function(session) { pointer, _ in
            guard let pointer = unsafe pointer else { return -1 }
            return unsafe Unmanaged<GnuTLSSession>.fromOpaque(pointer)._withUnsafeGuaranteedRef { session in
                if session.hasInput { return 1 }
                session.isStarved = true
                return 0
            }
        }
    }

    /// What the pull callback of a stream does: 0 at its end, -1 with EAGAIN when starved.
    final func pullStream(_ target: UnsafeMutableRawBufferPointer) -> Int {
        let count = unsafe state.pull(into: target)
        if count > 0 { return count }
        return starve()
    }

    /// Remembers that the library found nothing to read, which is the only reason to ask for more: it answers EAGAIN also after
    /// each message that is not application data, with ciphertext still to be read.
    final func starve() -> Int {
        isStarved = true
        if state.isEndOfStream { return 0 }
        if let handle = unsafe handle { unsafe gnutls_transport_set_errno(handle, EAGAIN) }
        return -1
    }

    /// What an answer of the library means where the stream has ended: a record that is cut off is to it one of the wrong length.
    final func meaning(of native: Int32) -> Int32 {
        native == GNUTLS_E_UNEXPECTED_PACKET_LENGTH && isStarved && state.isEndOfStream ? GNUTLS_E_PREMATURE_TERMINATION : native
    }

    // MARK: Alerts

    /// Sends an alert and records it. Nothing can be done about one that cannot be sent.
    final func send(_ level: SslAlertLevel, _ type: SslAlertType) {
        guard let handle = unsafe handle else { return }
        let native = unsafe gnutls_alert_send(
            handle, gnutls_alert_level_t(rawValue: UInt32(level.rawValue)),
            gnutls_alert_description_t(rawValue: UInt32(type.rawValue)))
        if native >= 0 { state.events.append(.alertSent(SslAlert(level, type))) }
    }

    /// Records the alert that the library has just read.
    final func noteAlert(_ level: SslAlertLevel) {
        guard let handle = unsafe handle else { return }
        let code = UInt8(truncatingIfNeeded: unsafe gnutls_alert_get(handle).rawValue)
        state.events.append(.alertReceived(SslAlert(level, SslAlertType(code: code))))
    }

    // MARK: Failing

    /// Sends the alert, if any, and keeps the error for ever.
    final func fail(_ error: SslSocketError, alert: SslAlertType?) -> TlsStep {
        if let alert { send(.fatal, alert) }
        flags.insert(.failed)
        var told = error
        if told.alert == nil { told.alert = alert }
        return state.fail(told)
    }

    /// Fails for a fatal answer of the library.
    final func fail(native: Int32) -> TlsStep {
        guard let handle = unsafe handle else {
            return fail(.gnutls(.sslInternal, "The library failed", native), alert: nil)
        }
        let native = meaning(of: native)
        let isHandshaking = !flags.contains(.established)
        var failure = unsafe GnuTLSFailure(
            native, session: handle, isHandshaking: isHandshaking, heardPeer: flags.contains(.heardPeer))
        if unsafe GnuTLSFailure.meaning(of: native, in: handle) == GNUTLS_E_FATAL_ALERT_RECEIVED { noteAlert(.fatal) }
        if failure.alert == .handshakeFailure, isHandshaking, let offered = offeredVersions,
            offered.isDisjoint(with: context.versions.map(\.rawValue))
        {
            // The library has one number for "no common version" and "no common suite" (RFC 8446 section 4.2.1).
            failure.alert = .protocolVersion
            failure.error.message = "The peer offers none of the versions \(context.versions.map(\.description))"
        }
        return fail(failure.error, alert: failure.alert)
    }

    /// The versions a client offers; nil where no ClientHello was read.
    private final var offeredVersions: Set<UInt16>? {
        guard let hello = state.clientHello, !hello.isMalformed else { return nil }
        guard hello.supportedVersions.isEmpty else { return Set(hello.supportedVersions) }
        return Set(SslVersion.allCases.map(\.rawValue).filter { $0 <= min(hello.legacyVersion, SslVersion.tls1_2.rawValue) })
    }
}
#endif
