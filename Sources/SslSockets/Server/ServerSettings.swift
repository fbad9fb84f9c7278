public import SslValues

/// What a server is set to; each connection reads it when it begins.
struct ServerSettings {
    var configuration: SslConfiguration
    var handshakeTimeout: Duration? = .seconds(5)
    var backlog = 128
    var maxPending = 4096
    var maxConnections: Int?
    var names = ServerNameTable()
    var selection: (@Sendable (SslSocket, SslClientHello) -> SslClientHelloChoice)?
    var preSharedKeyLookup: (@Sendable (_ identity: [UInt8]) -> SslPreSharedKey?)?
    var incoming: (@Sendable (SocketAddress?) -> Bool)?
    var connection: (@Sendable (SslSocket) -> Void)?
    var pendingConnection: (@Sendable () -> Void)?
    var acceptError: (@Sendable (SslSocketError) -> Void)?
    var handshakeFailure: (@Sendable (SocketAddress?, SslSocketError) -> Void)?
    var lastError: SslSocketError?
}

// What stands for the signals and the overridable functions of QTcpServer and QSslServer. The server keeps its hooks: one that refers to its server
// keeps both alive for good.
extension SslServer {
    /// Is asked about each TCP connection before anything is read from it (`newConnection`, an override of `incomingConnection`). Called on any thread.
    ///
    /// It gets the peer's address, nil for a socket without one (`AF_UNIX`), and answers whether to go on. A refused connection is reset.
    public func onIncomingConnection(_ hook: (@Sendable (SocketAddress?) -> Bool)?) { settings.withLock { $0.incoming = hook } }

    /// Gets the socket of each connection just before its handshake begins (`startedEncryptionHandshake`). Called on any thread, in the isolation
    /// that drives the socket then.
    ///
    /// This is where slots are connected to the signals of the socket, which stand for the signals that `QSslServer` forwards (`sslErrors`,
    /// `peerVerifyError`, `errorOccurred`, `alertSent`, `alertReceived` and all the others), and where the configuration can be chosen by the
    /// peer's address:
    /// ```swift
    /// server.onConnection { socket in
    ///     socket.sslErrors.connect { socket, errors in if areHarmless(errors) { socket.ignoreSslErrors() } }
    ///     if socket.peerAddress?.ip.isLoopback == true { socket.sslConfiguration.peerVerifyMode = .verifyNone }
    /// }
    /// ```
    /// In ``accept()`` and ``run(_:)`` the client's first octet is there by then; one that never speaks and one that does not speak TLS get no
    /// socket. A hook that aborts the socket ends the connection, and nothing more is said about it.
    public func onConnection(_ hook: (@Sendable (SslSocket) -> Void)?) { settings.withLock { $0.connection = hook } }

    /// Chooses the configuration by the ClientHello, for example by the server name. Called for each connection, on any thread. It comes before
    /// the table of ``setConfiguration(_:forServerName:)``, which decides when the answer is ``SslClientHelloChoice/proceed``.
    public func selectConfiguration(_ choose: (@Sendable (SslSocket, SslClientHello) -> SslClientHelloChoice)?) {
        settings.withLock { $0.selection = choose }
    }

    /// Sets how the keys of identities are found that are not among ``SslConfiguration/preSharedKeys``
    /// (`preSharedKeyAuthenticationRequired`); nil, the default, for not at all. Called for each connection whose client names one, on any thread: see
    /// ``SslSocket/selectPreSharedKey(_:)``. With a lookup the server needs no certificate.
    public func selectPreSharedKey(_ lookup: (@Sendable (_ identity: [UInt8]) -> SslPreSharedKey?)?) {
        settings.withLock { $0.preSharedKeyLookup = lookup }
    }

    /// Is told that ``nextPendingConnection()`` has something to give (`pendingConnectionAvailable`): the handshake succeeded, and no task waits in
    /// ``accept()`` for it. Called on any thread. With this hook set, a listening server accepts by itself.
    public func onPendingConnection(_ hook: (@Sendable () -> Void)?) {
        settings.withLock { $0.pendingConnection = hook }
        if hook != nil, isListening { acceptByItself() }
    }

    /// Is told when accepting itself fails (`acceptError`), once until it works again. Called on any thread.
    ///
    /// ``SslSocketError/Code/socketResource``, above all too many open files, passes by itself: the server tries again until it succeeds.
    public func onAcceptError(_ hook: (@Sendable (SslSocketError) -> Void)?) { settings.withLock { $0.acceptError = hook } }

    /// Is told of each connection that came to nothing before it was encrypted (`errorOccurred`). Called on any thread, with the peer's address.
    ///
    /// ``SslSocketError/Code/socketTimeout`` for a client that is silent or slow, ``SslSocketError/Code/notTls`` for one that speaks something
    /// else (of which Qt tells nothing), ``SslSocketError/Code/remoteHostClosed`` for one that went away before it said anything, and everything a
    /// handshake can fail with.
    public func onHandshakeFailure(_ hook: (@Sendable (SocketAddress?, SslSocketError) -> Void)?) {
        settings.withLock { $0.handshakeFailure = hook }
    }
}
