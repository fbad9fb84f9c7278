#if GnuTLS
internal import CSslGnuTLS
internal import SslValues

/// The name under which errors, settings and users know this backend.
let gnutlsName = "gnutls"

extension SslSocketError {
    /// An error with the library's own number and words, where there is one.
    static func gnutls(_ code: Code, _ message: String, _ native: Int32 = 0, alert: SslAlertType? = nil) -> SslSocketError {
        SslSocketError(
            code, message, backend: gnutlsName, nativeCode: Int(native), nativeMessage: native == 0 ? "" : gnutlsText(native),
            alert: alert)
    }
}

/// The library's words for one of its error numbers.
func gnutlsText(_ native: Int32) -> String {
    guard let text = unsafe gnutls_strerror(native) else { return "" }
    return unsafe String(cString: text)
}

/// Throws unless the library's answer is not negative, and hands that answer on.
@discardableResult
func gnutlsCheck(
    _ native: Int32, _ code: SslSocketError.Code, _ message: @autoclosure () -> String
) throws(SslSocketError) -> Int32 {
    guard native < 0 else { return native }
    throw .gnutls(code, message(), native)
}

/// What a fatal answer of the library means to this session, and which alert it owes the peer.
struct GnuTLSFailure {
    /// The error that is kept.
    var error: SslSocketError
    /// The alert to send; nil when the peer ended the connection itself.
    var alert: SslAlertType?

    /// Reads a fatal answer.
    ///
    /// - Parameters:
    ///   - native: what the library returned.
    ///   - session: the library's session, for the alert that came and the version in use.
    ///   - isHandshaking: false once the handshake is complete.
    ///   - heardPeer: a handshake message of the peer has been understood, so what speaks there is TLS.
    init(_ native: Int32, session: gnutls_session_t, isHandshaking: Bool, heardPeer: Bool) {
        let generic: SslSocketError.Code = isHandshaking ? .handshakeFailed : .sslInternal
        switch unsafe Self.meaning(of: native, in: session) {
        case GNUTLS_E_FATAL_ALERT_RECEIVED:
            let type = SslAlertType(code: UInt8(truncatingIfNeeded: unsafe gnutls_alert_get(session).rawValue))
            error = .gnutls(.alertReceived, "The peer ended the connection with the alert \(type)", native, alert: type)
            alert = nil
        case GNUTLS_E_SESSION_EOF where isHandshaking:
            // close_notify, not merely the end of the stream.
            error = .gnutls(
                .remoteHostClosed, "The peer closed the connection during the handshake", native, alert: .closeNotify)
            alert = nil
        case GNUTLS_E_PREMATURE_TERMINATION, GNUTLS_E_SESSION_EOF, GNUTLS_E_PULL_ERROR:
            error = .gnutls(
                .truncated,
                isHandshaking
                    ? "The peer closed the connection during the handshake"
                    : "The peer closed the connection without close_notify",
                native)
            alert = nil
        case GNUTLS_E_CERTIFICATE_REQUIRED, GNUTLS_E_NO_CERTIFICATE_FOUND:
            // RFC 8446 section 4.4.2.4 has an alert of its own for this; RFC 5246 section 7.4.6 says handshake_failure.
            error = .gnutls(.peerVerificationFailed, "The client sent no certificate although one is required", native)
            alert =
                unsafe gnutls_protocol_get_version(session) == GNUTLS_TLS1_3 ? .certificateRequired : .handshakeFailure
        case GNUTLS_E_NO_CIPHER_SUITES, GNUTLS_E_INSUFFICIENT_CREDENTIALS, GNUTLS_E_NO_COMMON_KEY_SHARE:
            error = .gnutls(generic, "The two ends have no version, cipher suite and certificate in common", native)
            alert = .handshakeFailure
        case GNUTLS_E_UNEXPECTED_PACKET, GNUTLS_E_UNEXPECTED_PACKET_LENGTH, GNUTLS_E_UNSUPPORTED_VERSION_PACKET:
            if isHandshaking && !heardPeer && native != GNUTLS_E_UNSUPPORTED_VERSION_PACKET {
                error = .gnutls(.notTls, "What the peer sent is not a TLS handshake", native)
            } else {
                error = .gnutls(generic, "The peer sent a record that does not belong here", native)
            }
            alert = Self.alert(for: native)
        case GNUTLS_E_TIMEDOUT:
            error = .gnutls(.socketTimeout, "The handshake took longer than allowed", native)
            alert = nil
        default:
            error = .gnutls(generic, isHandshaking ? "The TLS handshake failed" : "The TLS connection failed", native)
            alert = Self.alert(for: native)
        }
    }

    /// A server that requires a certificate is told that there is none when an alert came in its place. The alert the
    /// library read last tells the two apart; number 0 stands for none, and 41 is how SSL 3 said that there is no certificate.
    static func meaning(of native: Int32, in session: gnutls_session_t) -> Int32 {
        guard native == GNUTLS_E_NO_CERTIFICATE_FOUND else { return native }
        let alert = unsafe gnutls_alert_get(session).rawValue
        return alert == 0 || alert == UInt32(SslAlertType.noCertificate.rawValue) ? native : GNUTLS_E_FATAL_ALERT_RECEIVED
    }

    /// The alert the library would choose. It names `internal_error` for all it has no rule for.
    private static func alert(for native: Int32) -> SslAlertType {
        switch native {
        case GNUTLS_E_DECRYPTION_FAILED: return .badRecordMac
        case GNUTLS_E_UNEXPECTED_PACKET: return .unexpectedMessage
        default: break
        }
        var level: Int32 = 0
        let code = unsafe gnutls_error_to_alert(native, &level)
        guard code > 0, let known = SslAlertType(rawValue: UInt8(truncatingIfNeeded: code)) else { return .internalError }
        return known
    }
}
#endif
