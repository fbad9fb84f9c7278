#if OpenSSL
internal import CSslOpenSSL
internal import SslBackend
internal import SslValues

/// The newest entry of the thread's error queue, which is then empty.
struct OpenSSLError {
    /// The packed number, 0 when the queue was empty.
    let number: UInt
    /// Which part of the library it comes from.
    let library: Int32
    /// What it is, to be read together with ``library`` only.
    let reason: Int32
    /// The library's words and where it put details, empty when there are none.
    let text: String

    /// Takes the *first* entry, which is the cause; later ones say only which callers gave up.
    static func take() -> OpenSSLError {
        var data: UnsafePointer<CChar>?
        var flags: Int32 = 0
        let number = unsafe ERR_get_error_all(nil, nil, nil, &data, &flags)
        var text = unsafe ERR_reason_error_string(number).map { unsafe String(cString: $0) } ?? ""
        if flags & ERR_TXT_STRING != 0, let data = unsafe data, unsafe data.pointee != 0 {
            text += unsafe (text.isEmpty ? "" : ": ") + String(cString: data)
        }
        ERR_clear_error()
        return OpenSSLError(
            number: UInt(number), library: sslopenssl_error_library(number), reason: sslopenssl_error_reason(number),
            text: text)
    }

    /// The library does not know the kind of a key.
    var isUnknownAlgorithm: Bool {
        (library == ERR_LIB_X509 && reason == X509_R_UNSUPPORTED_ALGORITHM)
            || (library == ERR_LIB_EVP && reason == EVP_R_UNSUPPORTED_ALGORITHM)
    }

    /// True for an entry of the TLS part with one of these reasons. A reason means something else in another library.
    func isTls(_ reasons: Int32...) -> Bool { library == ERR_LIB_SSL && reasons.contains(reason) }
}

extension SslSocketError {
    /// An error with what OpenSSL's queue says; empties the queue.
    static func openssl(_ code: Code, _ message: String) -> SslSocketError {
        SslSocketError(code, message, openssl: OpenSSLError.take())
    }

    /// An error with what OpenSSL said.
    init(_ code: Code, _ message: String, openssl error: OpenSSLError, alert: SslAlertType? = nil) {
        self.init(
            code, message, backend: OpenSSLBackend.backendName, nativeCode: Int(truncatingIfNeeded: error.number),
            nativeMessage: error.text, alert: alert)
    }
}

extension SslSocketError {
    /// What a failed call of a session means.
    ///
    /// - Parameters:
    ///   - isEstablished: the handshake was complete before the call.
    ///   - hasHeardPeer: the engine understood at least the peer's hello.
    ///   - received: the fatal alert that came, if one did.
    ///   - sent: the fatal alert that left, if one did.
    static func openssl(
        isEstablished: Bool, hasHeardPeer: Bool, received: SslAlertType?, sent: SslAlertType?
    ) -> SslSocketError {
        let error = OpenSSLError.take()
        if let received {
            return SslSocketError(
                .alertReceived, "The peer ended the connection with the alert \(received)", openssl: error, alert: received)
        }
        if isEstablished {
            return SslSocketError(.sslInternal, "A record could not be processed", openssl: error, alert: sent)
        }
        if error.isTls(SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) {
            return SslSocketError(
                .peerVerificationFailed, "The client sent no certificate although one is required", openssl: error, alert: sent)
        }
        if !hasHeardPeer,
            error.isTls(
                SSL_R_WRONG_VERSION_NUMBER, SSL_R_HTTP_REQUEST, SSL_R_HTTPS_PROXY_REQUEST, SSL_R_PACKET_LENGTH_TOO_LONG)
        {
            return SslSocketError(.notTls, "What the peer sent is not a TLS handshake", openssl: error, alert: sent)
        }
        return SslSocketError(.handshakeFailed, "The TLS handshake failed", openssl: error, alert: sent)
    }
}

extension SslAlertType {
    /// The verification error that makes OpenSSL send this alert (its `ssl_x509err2alert`), and the alert that really leaves.
    ///
    /// OpenSSL sends no alert by name; a refused certificate is the only failure whose alert can be chosen, and only among
    /// the ones below. Every other alert becomes `certificate_unknown`: "some other (unspecified) issue arose in processing
    /// the certificate" (RFC 8446 section 6.2). That goes above all for `access_denied` and `certificate_required`.
    var verificationError: Int32 {
        switch self {
        case .badCertificate: X509_V_ERR_CERT_REJECTED
        case .unsupportedCertificate: X509_V_ERR_INVALID_PURPOSE
        case .certificateRevoked: X509_V_ERR_CERT_REVOKED
        case .certificateExpired: X509_V_ERR_CERT_HAS_EXPIRED
        case .unknownCa: X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY
        case .decryptError: X509_V_ERR_CERT_SIGNATURE_FAILURE
        case .handshakeFailure: X509_V_ERR_APPLICATION_VERIFICATION
        case .internalError: X509_V_ERR_UNSPECIFIED
        // An error without a row of its own takes the table's last one, certificate_unknown.
        default: X509_V_ERR_PERMITTED_VIOLATION
        }
    }
}
#endif
