internal import SslBackend
public import SslValues

// The Swift-native way: async calls that throw. Receiving and sending are in files of their own.
extension SslSocket {
    /// Connects and encrypts as a client.
    ///
    /// - Parameters:
    ///   - host: a name or an address; the peer's certificate must prove it.
    ///   - port: the TCP port.
    ///   - configuration: the settings; ``SslConfiguration/default`` when left out.
    ///   - timeout: for everything up to the end of the handshake; nil for no limit.
    /// - Throws: ``SslSocketError``; ``SslSocketError/Code/peerVerificationFailed`` when the certificate is refused.
    public static func connect(
        to host: String, port: UInt16, configuration: SslConfiguration = .default, timeout: Duration? = .seconds(30)
    ) async throws(SslSocketError) -> sending SslSocket {
        let socket = SslSocket(configuration: configuration)
        socket.connectToHostEncrypted(host, port: port)
        try await socket.becomeEncrypted(timeout)
        return socket
    }

    /// Connects, speaks the plain dialogue of `startTls` and encrypts as a client.
    ///
    /// - Parameters:
    ///   - host: a name or an address; the peer's certificate must prove it.
    ///   - port: the TCP port.
    ///   - startTls: what the server speaks before TLS.
    ///   - proxy: the way there; ``SslProxy/default`` when left out.
    ///   - configuration: the settings; ``SslConfiguration/default`` when left out.
    ///   - timeout: for everything up to the end of the handshake; nil for no limit.
    /// - Throws: ``SslSocketError``; ``SslSocketError/Code/handshakeFailed`` when the server does not offer encryption,
    ///   ``SslSocketError/Code/peerVerificationFailed`` when its certificate is refused.
    public static func connect(
        to host: String, port: UInt16, startTls: SslStartTls, proxy: SslProxy = .default,
        configuration: SslConfiguration = .default,
        timeout: Duration? = .seconds(30)
    ) async throws(SslSocketError) -> sending SslSocket {
        let socket = SslSocket(configuration: configuration)
        socket.proxy = proxy
        socket.connectToHostEncrypted(host, port: port, startTls: startTls)
        try await socket.becomeEncrypted(timeout)
        return socket
    }

    /// Connects through a proxy and encrypts as a client: see ``connect(to:port:configuration:timeout:)``.
    ///
    /// - Throws: also ``SslSocketError/Code/proxyAuthenticationRequired`` and its neighbours when the proxy is to blame.
    public static func connect(
        to host: String, port: UInt16, proxy: SslProxy, configuration: SslConfiguration = .default,
        timeout: Duration? = .seconds(30)
    ) async throws(SslSocketError) -> sending SslSocket {
        let socket = SslSocket(configuration: configuration)
        socket.proxy = proxy
        socket.connectToHostEncrypted(host, port: port)
        try await socket.becomeEncrypted(timeout)
        return socket
    }

    /// Waits until the connection is encrypted, and gives it up when it does not become so.
    private func becomeEncrypted(_ timeout: Duration?) async throws(SslSocketError) {
        guard !(await suspend(until: .encrypted, timeout: timeout)) else { return }
        let error = error
        abort()
        throw error ?? SslSocketError(.remoteHostClosed, "The connection ended before it was encrypted")
    }

    /// Ends the connection properly, suspending until everything was sent.
    public func finish(timeout: Duration? = .seconds(30)) async {
        close()
        if state != .unconnected { _ = await suspend(until: .disconnected, timeout: timeout) }
        if state != .unconnected { abort() }
    }
}
