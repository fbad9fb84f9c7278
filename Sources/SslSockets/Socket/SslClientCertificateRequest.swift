internal import SslBackend
public import SslValues

/// What a server says about the certificate it wants of a client (RFC 8446 section 4.3.2, RFC 5246 section 7.4.4). Beyond Qt.
public struct SslClientCertificateRequest: Sendable, Hashable {
    /// The distinguished names (DER) of the authorities whose certificates it takes; empty when it names none.
    public var authorities: [[UInt8]]
    /// The signature schemes it can verify, best first.
    public var signatureSchemes: [SslSignatureScheme]

    /// Puts one together, for example to test a choice.
    public init(authorities: [[UInt8]], signatureSchemes: [SslSignatureScheme]) {
        self.authorities = authorities
        self.signatureSchemes = signatureSchemes
    }

    /// True when a certificate of the chain was issued by one of ``authorities``, or when the server names none.
    public func names(issuerOf credentials: SslCredentials) -> Bool {
        authorities.isEmpty || credentials.chain.contains { authorities.contains($0.parsed.issuerDer) }
    }
}

extension SslSocket {
    /// Chooses what a client shows when the server asks for a certificate, in place of ``SslConfiguration/credentials``; nil, the default, for those. In
    /// Qt the certificate has to be known before the handshake.
    ///
    /// It is called in the middle of the handshake, and again when the server asks after it; nil shows nothing, which the server may refuse. What cannot
    /// be used fails the handshake: ``SslSocketError/Code/invalidUserData``, ``SslSocketError/Code/keyMismatch``. Set it before the handshake begins.
    /// As long as it is set, sessions are not resumed: they would stand for the certificate of another time.
    public func selectClientCredentials(_ choose: (@Sendable (SslClientCertificateRequest) -> SslCredentials?)?) {
        clientCredentialsChoice = choose
    }
}

// MARK: - After the handshake

extension SslSocket {
    /// Asks a TLS 1.3 client for its certificate although the handshake is over (RFC 8446 section 4.6.2): for a part of a service that wants to know more
    /// about its clients. Beyond Qt.
    ///
    /// Both ends need ``SslConfiguration/allowsPostHandshakeAuthentication``. Octets go on moving in both directions; what was written before the
    /// answer came is not covered by it. The answer is judged while this end reads: problems come by ``sslErrors`` as in a handshake, a refusal
    /// ends the connection with an alert, and ``clientAuthenticated`` tells that a client has been accepted. Only then is ``peerCertificate`` proved.
    ///
    /// - Parameter mode: ``SslPeerVerifyMode/verifyPeer`` takes no client without a certificate, ``SslPeerVerifyMode/queryPeer`` takes any.
    /// - Throws: ``SslSocketError/Code/operation`` on a client, while not encrypted, while the last request is not answered, and when the configuration
    ///   does not allow it; ``SslSocketError/Code/unsupportedFeature`` in TLS 1.2 and when the client is not willing. The backend `gnutls` cannot ask a
    ///   client that has resumed a session or used a pre-shared key: it would take any certificate.
    public func requestClientCertificate(_ mode: SslPeerVerifyMode = .verifyPeer) throws(SslSocketError) {
        guard isEncrypted, self.mode == .sslServer, let connection, !connection.isClosed else {
            throw SslSocketError(.operation, "Only the server of an encrypted connection can ask for a certificate")
        }
        try connection.requestClientCertificate(mode, output)
        // What was to be ignored in the handshake is not what is asked for now.
        ignoreRules = IgnoreRules()
        pushOut()
    }

    /// The server has asked a client for its certificate after the handshake; the answer has been given by itself.
    public var clientCertificateRequested: Signal<SslSocket, Void> { signal(.clientCertificateRequested) }
    /// A client has answered ``requestClientCertificate(_:)``: its certificate, ``peerCertificate``, has been accepted and its key proved; nil where it
    /// has none and that was accepted.
    public var clientAuthenticated: Signal<SslSocket, Void> { signal(.clientAuthenticated) }
}
