internal import SslBackend
internal import SslValues

// Where a handshake stops until somebody has decided: the peer's certificates, and on a server the ClientHello.
extension SslSocket {
    /// How far a decision has come. Nothing is read from the system meanwhile.
    enum Decision {
        /// Nothing to decide.
        case none
        /// Slots and hooks are being asked.
        case asking
        /// Stopped until ``SslSocket/resume()``.
        case paused
    }

    /// True while the handshake stands still after certificate errors, until ``resume()``: see ``SslPauseMode/onSslErrors``. Waits return
    /// false at once meanwhile, for nothing can happen.
    public var isPaused: Bool { decision == .paused }

    /// Ignores every certificate error of the current or the next handshake (`ignoreSslErrors()`): **anyone may then be the peer**.
    /// Connecting resets it, so call it afterwards or in a slot of ``sslErrors``.
    public func ignoreSslErrors() { ignoreRules.all = true }

    /// Ignores exactly these errors (`ignoreSslErrors(list)`): the handshake goes on if each error found is one of them, in code and certificate.
    /// It replaces the earlier list; an empty one clears it. Unlike Qt, connecting clears it too.
    public func ignoreSslErrors(_ errors: [SslError]) { ignoreRules.list = errors }

    /// In a slot of ``handshakeInterruptedOnError``: goes on with the handshake in spite of this error (`continueInterruptedHandshake`). The error
    /// still stands in the list of ``sslErrors`` and has to be ignored there. At any other time it does nothing.
    public func continueInterruptedHandshake() { continuesHandshake = true }

    /// Goes on after ``SslPauseMode/onSslErrors`` (`resume`): with the errors ignored by now, or with the refusal. Unlike Qt's it acts at once,
    /// so the signals of what follows are emitted before it returns. Without a pause it does nothing.
    public func resume() {
        guard isPaused, let connection else { return }
        let epoch = epoch
        unsafe advance(connection, unsafe .empty)
        guard epoch == self.epoch else { return }
        conclude(connection)
        guard epoch == self.epoch else { return }
        pushOut()
    }

    /// Announces certificate errors and carries out the decision. False when the socket pauses, and when a slot has ended the connection.
    func decide(_ connection: TlsConnection, _ errors: [SslError]) -> Bool {
        guard decision != .asking else { return false }
        let hasPaused = isPaused
        if !hasPaused {
            let epoch = epoch
            decision = .asking
            sslHandshakeErrors = errors
            let verdict = tell(errors, connection)
            guard epoch == self.epoch else { return false }
            decision = .none
            if let interruption = verdict {
                connection.answerVerification(accept: false, because: interruption)
                return true
            }
        }
        let isLenient = connection.verifyMode != .verifyPeer
        if isLenient || ignoreRules.cover(errors) {
            decision = .none
            connection.answerVerification(accept: true)
        } else if pauseMode == .onSslErrors && !hasPaused {
            decision = .paused
            return false
        } else {
            decision = .none
            connection.answerVerification(accept: false)
        }
        return true
    }

    /// Emits the signals about certificate errors, as long as no slot ends the connection. Returns the error that interrupts the handshake.
    private func tell(_ errors: [SslError], _ connection: TlsConnection) -> SslError? {
        let epoch = epoch
        let interrupts = connection.configurationInForce.handshakeMustInterruptOnError
        for error in errors where interrupts && error.code.isAboutChain {
            continuesHandshake = false
            emit(.handshakeInterruptedOnError, error)
            guard epoch == self.epoch else { return nil }
            guard continuesHandshake else { return error }
        }
        for error in errors where !(interrupts && error.code.isAboutChain) {
            emit(.peerVerifyError, error)
            guard epoch == self.epoch else { return nil }
        }
        emit(.sslErrors, errors)
        return nil
    }

    /// Lets the server's hook choose by the ClientHello. False when the hook has ended the connection.
    func choose(_ connection: TlsConnection) -> Bool {
        guard decision != .asking else { return false }
        guard let hook = clientHelloHook, let hello = connection.clientHello else {
            connection.answerClientHello(nil)
            return true
        }
        let told = SslClientHello(
            serverName: hello.serverName,
            applicationProtocols: hello.applicationProtocols.map { String(decoding: $0, as: UTF8.self) })
        let epoch = epoch
        decision = .asking
        let choice = hook(self, told)
        guard epoch == self.epoch else { return false }
        decision = .none
        switch choice {
        case .proceed: connection.answerClientHello(nil)
        case .use(let configuration): connection.answerClientHello(configuration)
        case .refuse:
            connection.refuseClientHello(
                .unrecognizedName,
                SslSocketError(
                    .handshakeFailed, "The server name \"\(hello.serverName ?? "")\" was refused", backend: connection.backendName
                ))
        }
        return true
    }
}

extension SslErrorCode {
    /// True for what is wrong with the chain itself; the name, a missing certificate, the blacklist and stapled responses are looked at after it.
    var isAboutChain: Bool {
        switch self {
        case .hostNameMismatch, .noPeerCertificate, .certificateBlacklisted, .noSslSupport: false
        case .ocspNoResponseFound, .ocspMalformedRequest, .ocspMalformedResponse, .ocspInternalError, .ocspTryLater,
            .ocspSigRequired, .ocspUnauthorized, .ocspResponseCannotBeTrusted, .ocspResponseCertIdUnknown, .ocspResponseExpired,
            .ocspStatusUnknown:
            false
        default: true
        }
    }
}
