public import SslValues

extension SslSocket {
    func signal<Payload>(_ key: SslSocketSignal) -> Signal<SslSocket, Payload> {
        let table = signals ?? SignalTable()
        signals = table
        return Signal(slots: table.list(key))
    }

    /// Emits a signal; with no slot connected it costs a comparison.
    func emit<Payload>(_ key: SslSocketSignal, _ payload: Payload) {
        guard let signals else { return }
        withExtendedLifetime(self) { signals.emit(key, self, payload) }
    }

    /// Emits a signal without payload.
    func emit(_ key: SslSocketSignal) { emit(key, ()) }

    /// The name was resolved.
    public var hostFound: Signal<SslSocket, Void> { signal(.hostFound) }
    /// TCP is up, or the tunnel through a proxy.
    public var connected: Signal<SslSocket, Void> { signal(.connected) }
    /// The connection has ended.
    public var disconnected: Signal<SslSocket, Void> { signal(.disconnected) }
    /// The state has changed.
    public var stateChanged: Signal<SslSocket, SslSocketState> { signal(.stateChanged) }
    /// Something failed; the connection may not have ended yet.
    public var errorOccurred: Signal<SslSocket, SslSocketError> { signal(.errorOccurred) }
    /// There is new data to read.
    public var readyRead: Signal<SslSocket, Void> { signal(.readyRead) }
    /// So many octets of payload were handed on: encrypted, or given to the system when plain. Not that the peer got them.
    public var bytesWritten: Signal<SslSocket, Int> { signal(.bytesWritten) }
    /// The socket is about to close.
    public var aboutToClose: Signal<SslSocket, Void> { signal(.aboutToClose) }
    /// No more input will come.
    public var readChannelFinished: Signal<SslSocket, Void> { signal(.readChannelFinished) }
    /// The handshake is done and the peer accepted.
    public var encrypted: Signal<SslSocket, Void> { signal(.encrypted) }
    /// The role has changed.
    public var modeChanged: Signal<SslSocket, SslMode> { signal(.modeChanged) }
    /// So many octets of ciphertext were given to the system.
    public var encryptedBytesWritten: Signal<SslSocket, Int> { signal(.encryptedBytesWritten) }
    /// One problem with the peer's certificate, before ``sslErrors``.
    public var peerVerifyError: Signal<SslSocket, SslError> { signal(.peerVerifyError) }
    /// All problems with the peer's certificate. A slot decides by calling ``SslSocket/ignoreSslErrors()``; if none does, the
    /// handshake is refused with an alert.
    public var sslErrors: Signal<SslSocket, [SslError]> { signal(.sslErrors) }
    /// One problem with the peer's chain, with ``SslConfiguration/handshakeMustInterruptOnError``, in place of ``peerVerifyError``. Unless
    /// a slot calls ``SslSocket/continueInterruptedHandshake()`` the handshake ends here, with an alert and without ``sslErrors``.
    public var handshakeInterruptedOnError: Signal<SslSocket, SslError> { signal(.handshakeInterruptedOnError) }
    /// An alert left, close_notify included.
    public var alertSent: Signal<SslSocket, SslAlert> { signal(.alertSent) }
    /// An alert came.
    public var alertReceived: Signal<SslSocket, SslAlert> { signal(.alertReceived) }
    /// The proxy wants user and password, or others than it got. A slot gives them by ``SslAuthenticator/fillIn(user:password:)-(_,String)`` before it
    /// returns; it is asked once for each connection.
    public var proxyAuthenticationRequired: Signal<SslSocket, SslAuthenticator> { signal(.proxyAuthenticationRequired) }
    /// A client got a session ticket: see ``SslSocket/sessionTicket``.
    public var newSessionTicketReceived: Signal<SslSocket, Void> { signal(.newSessionTicketReceived) }
}
