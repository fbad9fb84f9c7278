#if OpenSSL
internal import CSslOpenSSL
internal import SslBackend
internal import SslValues

/// OCSP stapling (RFC 6066 section 8). OpenSSL carries the response and judges nothing.
enum OpenSSLStapling {
    /// Lets a context's clients ask for a response, and its servers give one.
    static func allow(_ context: OpaquePointer, role: SslRole) {
        switch role {
        case .client: unsafe sslopenssl_ask_for_status(context, askLate)
        case .server: unsafe sslopenssl_give_status(context, giveStatus)
        }
    }

    /// In TLS 1.2 the response has a message of its own, which comes after OpenSSL has asked for the verdict on the certificates: a client that
    /// wants it puts the verdict off until OpenSSL asks what to think of the response. Nothing of its own has left before that.
    static func putsVerdictOff(_ ssl: OpaquePointer?, _ transport: OpenSSLTransport) -> Bool {
        let settings = transport.context.settings
        return unsafe settings.role == .client && settings.staplesStatus && SSL_version(ssl) != TLS1_3_VERSION
    }

    /// The verdict that was put off. A refusal gives the alert `bad_certificate_status_response`, whatever the reason: it is still in the
    /// clear, and the alert of the reason is put in its place.
    private static let askLate: sslopenssl_ask = { ssl, _, fibre in
        guard let transport = unsafe OpenSSLTransport.of(ssl) else { return X509_V_ERR_UNSPECIFIED }
        guard transport.isVerdictPutOff else { return X509_V_OK }
        switch transport.state.verdict {
        case .none: transport.state.verdict = .asked
        case .asked: break
        case .answered(.accept):
            transport.state.verdict = .none
            transport.isVerdictPutOff = false
            return X509_V_OK
        case .answered(.refuse(let alert, let error)):
            transport.state.verdict = .none
            transport.refusal = error
            transport.alertInstead = alert
            return X509_V_ERR_UNSPECIFIED
        }
        unsafe fibre?.pointee = unsafe transport.currentFibre
        return Int32(sslopenssl_verdict_undecided)
    }

    /// Staples the response for the certificate that was chosen.
    private static let giveStatus: sslopenssl_status = { ssl in
        guard let ssl = unsafe ssl, let source = unsafe OpenSSLTransport.of(ssl)?.statusSource,
            let leaf = unsafe SSL_get_certificate(ssl),
            let response = source.status(of: unsafe OpenSSLCertificate.encode(leaf))
        else { return SSL_TLSEXT_ERR_NOACK }
        return unsafe sslopenssl_staple(ssl, response, response.count) == 1 ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK
    }
}

extension OpenSSLSession {
    /// What the server stapled to its own certificate.
    var certificateStatus: [UInt8]? {
        let settings = transport.context.settings
        guard settings.role == .client, settings.staplesStatus, let ssl = unsafe transport.ssl else { return nil }
        var start: UnsafePointer<UInt8>?
        let length = unsafe sslopenssl_stapled(ssl, &start)
        guard length > 0, let start = unsafe start else { return nil }
        return unsafe Array(UnsafeBufferPointer(start: start, count: length))
    }

    var statusSource: (any TlsCertificateStatusSource)? {
        get { transport.statusSource }
        set { transport.statusSource = newValue }
    }
}
#endif
