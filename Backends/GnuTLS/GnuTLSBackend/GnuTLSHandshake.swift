#if GnuTLS
internal import CSslGnuTLS
internal import SslBackend
internal import SslValues

// MARK: - Steps of the handshake

extension GnuTLSSession {
    /// How often the library may go on without reading anything: once a message of a record at most, or once more to find out
    /// that a record will never be complete. It is a limit against a loop, not one that is ever met.
    static let mostIdleSteps = 4096

    /// The library starved and more can come. At the end of a stream it first hands back the part of a record that it has.
    final var needsInput: Bool { isStarved && !state.isEndOfStream }

    /// Runs the engine until the handshake is complete, starves, pauses or fails.
    final func runHandshake() -> TlsStep {
        guard let handle = unsafe handle else {
            return fail(.gnutls(.sslInternal, "The session has no engine"), alert: nil)
        }
        var idle = 0
        while true {
            isStarved = false
            let before = state.available
            let native = unsafe gnutls_handshake(handle)
            switch native {
            case GNUTLS_E_SUCCESS: return unsafe complete(handle)
            case GNUTLS_E_AGAIN, GNUTLS_E_INTERRUPTED:
                if flags.contains(.paused) { return .needsDecision(.peerVerification) }
                if needsInput { return .wantsInput(0) }
            case GNUTLS_E_WARNING_ALERT_RECEIVED: noteAlert(.warning)
            case GNUTLS_E_GOT_APPLICATION_DATA: break
            default:
                if gnutls_error_is_fatal(native) != 0 { return fail(native: native) }
            }
            idle = state.available == before ? idle + 1 : 0
            if idle > Self.mostIdleSteps {
                return fail(native: isStarved ? GNUTLS_E_PREMATURE_TERMINATION : GNUTLS_E_INTERNAL_ERROR)
            }
        }
    }

    private final func complete(_ handle: gnutls_session_t) -> TlsStep {
        let isResumed = unsafe gnutls_session_is_resumed(handle) != 0
        let settings = context.settings
        if settings.role == .server, settings.clientCertificate == .require, isResumed, !hasPeerCertificates {
            // A ticket of a context that asked for no certificate must not pass for one.
            return fail(native: GNUTLS_E_CERTIFICATE_REQUIRED)
        }
        flags.insert(.established)
        if settings.role == .server, settings.tickets.isEnabled, settings.tickets.count > 0,
            unsafe gnutls_protocol_get_version(handle) == GNUTLS_TLS1_3, fitsTicket
        {
            // A ticket is for one use (RFC 8446 appendix C.4), so a resumed client gets a new one, but no more than that.
            let count = isResumed ? 1 : settings.tickets.count
            let native = unsafe gnutls_session_ticket_send(handle, UInt32(count), 0)
            if native < 0 { return fail(native: native) }
        }
        if flags.contains(.ticketArrived) { collectTicket() }
        return .progressed(0)
    }

    /// More octets of the peer's certificates are not put into a ticket, which has 65535 at most and comes back in every ClientHello. Before
    /// TLS 1.3 the library does so by itself, and fails when they are too many.
    static let mostInTicket = 32_768

    private final var fitsTicket: Bool {
        var count: UInt32 = 0
        guard let handle = unsafe handle, let list = unsafe gnutls_certificate_get_peers(handle, &count) else { return true }
        return (0..<Int(count)).reduce(0) { $0 + Int(unsafe list[$1].size) } <= Self.mostInTicket
    }

    /// What a call must do before the engine runs: carry out a verdict or go on waiting for it. nil: nothing stands in the way.
    final func pendingDecision() -> TlsStep? {
        switch state.verdict {
        case .none: return nil
        case .asked: return .needsDecision(.peerVerification)
        case .answered(.accept):
            flags.remove(.paused)
            return nil
        case .answered(.refuse(let alert, let error)):
            flags.remove(.paused)
            state.verdict = .none
            return fail(error, alert: alert)
        }
    }

    /// Hands the session a ticket that arrived, as octets it can resume from.
    final func collectTicket() {
        flags.remove(.ticketArrived)
        guard let handle = unsafe handle else { return }
        // A ticket that is renewed when a session of TLS 1.2 is resumed gives data that the library does not resume again: the first one stays.
        if unsafe gnutls_session_is_resumed(handle) != 0 && gnutls_protocol_get_version(handle) != GNUTLS_TLS1_3 { return }
        var out = unsafe gnutls_datum_t()
        guard unsafe gnutls_session_get_data2(handle, &out) == 0 else { return }
        defer { unsafe sslgnutls_wipe_and_free(&out) }
        // Without a ticket the library answers with four octets that resume nothing.
        guard unsafe out.size > 4 else { return }
        var octets = unsafe out.octets
        defer { octets.wipe() }
        state.events.append(.sessionTicket(GnuTLSSessionSeal.seal(octets), lifetime: Int(ticketLifetime)))
    }

    /// The peer has shown at least one certificate.
    final var hasPeerCertificates: Bool {
        guard let handle = unsafe handle else { return false }
        var count: UInt32 = 0
        return unsafe gnutls_certificate_get_peers(handle, &count) != nil && count > 0
    }

    /// Sets the callbacks that run inside the engine.
    final func observe(_ session: gnutls_session_t) {
        unsafe gnutls_session_set_verify_function(session, gnutlsVerifyPeer)
        // Before the library reads a message: afterwards nothing of it may be left.
        unsafe gnutls_handshake_set_hook_function(session, sslgnutls_any_message(), GNUTLS_HOOK_PRE, gnutlsNoteMessage)
        // Without a function of ours the library would write to the file that SSLKEYLOGFILE names, whether anybody asked or not.
        if context.settings.logsKeys {
            unsafe gnutls_session_set_keylog_function(session, gnutlsLogKey)
        } else {
            unsafe gnutls_session_set_keylog_function(session, gnutlsLogNothing)
        }
    }

    fileprivate final func verifyPeer() -> Int32 {
        switch state.verdict {
        case .none:
            // A client without a certificate where one is only requested: nothing to decide. A server always has one.
            guard hasPeerCertificates || wantedCertificate == .demand else {
                return context.settings.role == .server ? 0 : GNUTLS_E_CERTIFICATE_ERROR
            }
            state.verdict = .asked
            flags.insert(.paused)
            return GNUTLS_E_AGAIN
        case .asked: return GNUTLS_E_AGAIN
        case .answered(.accept):
            state.verdict = .none
            flags.insert(.judged)
            return 0
        case .answered(.refuse): return GNUTLS_E_CERTIFICATE_ERROR
        }
    }

    fileprivate final func note(message type: UInt32, _ body: UnsafePointer<gnutls_datum_t>?) {
        flags.insert(.heardPeer)
        switch type {
        case GNUTLS_HANDSHAKE_NEW_SESSION_TICKET.rawValue:
            // Both RFC 5077 section 3.3 and RFC 8446 section 4.6.1 begin with the lifetime in seconds.
            guard context.settings.tickets.isEnabled, let body = unsafe body, unsafe body.pointee.size >= 4,
                let octets = unsafe body.pointee.data
            else { return }
            ticketLifetime = (0..<4).reduce(0) { $0 << 8 | UInt32(unsafe octets[$1]) }
            flags.insert(.ticketArrived)
        case GNUTLS_HANDSHAKE_KEY_UPDATE.rawValue: state.events.append(.keysUpdated)
        default: break
        }
    }

    fileprivate final func logKey(_ label: String, _ secret: UnsafePointer<gnutls_datum_t>) {
        guard let handle = unsafe handle else { return }
        var random = unsafe gnutls_datum_t()
        var unused = unsafe gnutls_datum_t()
        unsafe gnutls_session_get_random(handle, &random, &unused)
        state.events.append(.keyLog("\(label) \(Self.hex(unsafe random.octets)) \(Self.hex(unsafe secret.pointee.octets))"))
    }

    private static func hex(_ octets: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: octets.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}

// MARK: - Choosing credentials

extension GnuTLSSession {
    /// The first chain whose key the peer can verify; among several, one whose issuer the peer named.
    fileprivate final func chooseIdentity(_ session: gnutls_session_t, authorities: [[UInt8]]) -> GnuTLSIdentity? {
        let version = unsafe gnutls_protocol_get_version(session)
        var offered: Set<UInt32> = []
        var index = 0
        var scheme = GNUTLS_SIGN_UNKNOWN
        while unsafe gnutls_sign_algorithm_get_requested(session, index, &scheme) == 0 {
            offered.insert(scheme.rawValue)
            index += 1
        }
        let usable = context.identities.filter { canVerify($0.key, offered, isTls13: version == GNUTLS_TLS1_3) }
        guard !authorities.isEmpty else { return usable.first }
        // Without a match the first is sent all the same: the application chose it, and the peer's list may be incomplete.
        return usable.first { identity in authorities.contains { identity.issuers.contains($0) } } ?? usable.first
    }

    /// What the application wants to show.
    fileprivate final func askForIdentity(
        _ session: gnutls_session_t, _ source: any TlsCredentialsSource, authorities: [[UInt8]]
    ) throws(SslSocketError) -> GnuTLSIdentity? {
        var schemes: [SslSignatureScheme] = []
        var index = 0
        var scheme = GNUTLS_SIGN_UNKNOWN
        while unsafe gnutls_sign_algorithm_get_requested(session, index, &scheme) == 0 {
            index += 1
            guard let row = GnuTLSNames.schemes.first(where: { $0.native.contains { $0.rawValue == scheme.rawValue } }) else {
                continue
            }
            let code = SslSignatureScheme(code: row.code)
            if !schemes.contains(code) { schemes.append(code) }
        }
        let request = TlsCertificateRequest(authorities: authorities, signatureSchemes: schemes)
        chosenIdentity = try source.credentials(for: request).map { credentials throws(SslSocketError) in
            try GnuTLSIdentity(credentials)
        }
        return chosenIdentity
    }

    private final func canVerify(_ key: GnuTLSKey, _ offered: Set<UInt32>, isTls13: Bool) -> Bool {
        // Before TLS 1.2 there is no such list, and a client may leave it out.
        let schemeFits =
            offered.isEmpty
            || GnuTLSNames.schemes.contains { scheme in
                scheme.key == key.algorithm && scheme.native.contains { offered.contains($0.rawValue) }
                    && (!isTls13 || (scheme.isTls13 && (scheme.curveBits == 0 || scheme.curveBits == key.bits)))
            }
        guard schemeFits else { return false }
        if isTls13 { return true }
        guard let hello = state.clientHello else { return true }
        // In TLS 1.2 the suite names the kind of key, and the groups are those of certificates too (RFC 8422 section 5.1.1).
        let method = key.algorithm == .rsa || key.algorithm == .rsaPss ? "RSA" : "ECDSA"
        let suites = Set(hello.cipherSuites)
        guard context.settings.cipherSuites.contains(where: { suites.contains($0.code) && $0.authenticationMethod == method })
        else { return false }
        guard key.algorithm == .ec, !hello.groups.isEmpty else { return true }
        let curve: SslGroup = key.bits == 521 ? .secp521r1 : key.bits == 384 ? .secp384r1 : .secp256r1
        return hello.groups.contains(curve.code)
    }
}

// MARK: - Callbacks

/// The session behind a library's session object; nil only when the library calls with none.
func gnutlsOwner(_ session: gnutls_session_t?) -> GnuTLSSession? {
    guard let session = unsafe session, let pointer = unsafe gnutls_session_get_ptr(session) else { return nil }
    return unsafe Unmanaged<GnuTLSSession>.fromOpaque(pointer).takeUnretainedValue()
}

private func gnutlsVerifyPeer(_ session: gnutls_session_t?) -> Int32 {
    unsafe gnutlsOwner(session)?.verifyPeer() ?? GNUTLS_E_CERTIFICATE_ERROR
}

private func gnutlsNoteMessage(
    _ session: gnutls_session_t?, _ type: UInt32, _ when: UInt32, _ isIncoming: UInt32, _ body: UnsafePointer<gnutls_datum_t>?
) -> Int32 {
    if isIncoming != 0 { unsafe gnutlsOwner(session)?.note(message: type, body) }
    return 0
}

private func gnutlsLogKey(
    _ session: gnutls_session_t?, _ label: UnsafePointer<CChar>?, _ secret: UnsafePointer<gnutls_datum_t>?
) -> Int32 {
    if let label = unsafe label, let secret = unsafe secret {
        unsafe gnutlsOwner(session)?.logKey(String(cString: label), secret)
    }
    return 0
}

/// For sessions whose secrets are nobody's business.
private func gnutlsLogNothing(
    _ session: gnutls_session_t?, _ label: UnsafePointer<CChar>?, _ secret: UnsafePointer<gnutls_datum_t>?
) -> Int32 { 0 }

/// Names the chain and key of this end. The library reads them while the session lives, and the session keeps the context.
func gnutlsRetrieveCredentials(
    _ session: gnutls_session_t?, _ info: UnsafePointer<gnutls_cert_retr_st>?,
    _ certificates: UnsafeMutablePointer<UnsafeMutablePointer<gnutls_pcert_st>?>?, _ count: UnsafeMutablePointer<UInt32>?,
    _ ocsp: UnsafeMutablePointer<UnsafeMutablePointer<gnutls_ocsp_data_st>?>?, _ ocspCount: UnsafeMutablePointer<UInt32>?,
    _ key: UnsafeMutablePointer<gnutls_privkey_t?>?, _ flags: UnsafeMutablePointer<UInt32>?
) -> Int32 {
    unsafe count?.pointee = 0
    unsafe ocspCount?.pointee = 0
    guard let session = unsafe session, let owner = unsafe gnutlsOwner(session) else { return -1 }
    var authorities: [[UInt8]] = []
    if let info = unsafe info, let names = unsafe info.pointee.req_ca_rdn {
        for index in 0..<Int(unsafe info.pointee.nreqs) { authorities.append(unsafe names[index].octets) }
    }
    let identity: GnuTLSIdentity?
    if let source = owner.credentialsSource, owner.context.settings.role == .client {
        do throws(SslSocketError) {
            identity = try unsafe owner.askForIdentity(session, source, authorities: authorities)
        } catch {
            TlsSigner.noteFailure(error)
            return -1
        }
    } else {
        identity = unsafe owner.chooseIdentity(session, authorities: authorities)
    }
    guard let identity else { return 0 }
    unsafe certificates?.pointee = identity.certificates.baseAddress
    unsafe count?.pointee = UInt32(identity.certificates.count)
    unsafe key?.pointee = identity.key.handle
    if owner.context.settings.role == .server, let staple = unsafe owner.staple(for: identity) {
        unsafe ocsp?.pointee = unsafe staple
        unsafe ocspCount?.pointee = 1
    }
    return 0
}
#endif
