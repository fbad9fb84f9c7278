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
        guard await socket.suspend(until: .encrypted, timeout: timeout) else {
            let error = socket.error
            socket.abort()
            throw error ?? SslSocketError(.remoteHostClosed, "The connection ended before it was encrypted")
        }
        return socket
    }

    /// Ends the connection properly, suspending until everything was sent.
    public func finish(timeout: Duration? = .seconds(30)) async {
        close()
        if state != .unconnected { _ = await suspend(until: .disconnected, timeout: timeout) }
        if state != .unconnected { abort() }
    }
}
