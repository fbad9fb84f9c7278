internal import SslSockets

/// Brings a socket from nothing to an encrypted connection.
struct ConnectClient {
    let endpoint: Endpoint
    let configuration: SslConfiguration
    let name: String?
    let starttls: SslStartTls?
    let timeout: Duration

    /// A socket with the settings, not connected yet.
    func makeSocket() -> SslSocket {
        let socket = SslSocket(configuration: configuration)
        socket.peerVerifyName = name
        return socket
    }

    /// Connects and encrypts. Returns what went wrong, nil for nothing.
    func connect(_ socket: SslSocket) async -> SslSocketError? {
        if let starttls {
            socket.connectToHostEncrypted(endpoint.host, port: endpoint.port, startTls: starttls)
        } else {
            socket.connectToHostEncrypted(endpoint.host, port: endpoint.port)
        }
        if await socket.waitForEncrypted(timeout: timeout) { return nil }
        let error = socket.error
        socket.abort()
        return error ?? SslSocketError(.remoteHostClosed, "The connection ended before it was encrypted")
    }
}
