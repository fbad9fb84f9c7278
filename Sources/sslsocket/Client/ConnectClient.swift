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
        guard let starttls else {
            socket.connectToHostEncrypted(endpoint.host, port: endpoint.port)
            return await encrypt(socket)
        }
        socket.connectToHost(endpoint.host, port: endpoint.port)
        guard await socket.waitForConnected(timeout: timeout) else { return end(socket) }
        do throws(SslSocketError) {
            try await starttls.negotiate(on: socket, timeout: timeout)
        } catch {
            socket.abort()
            return error
        }
        socket.startClientEncryption()
        return await encrypt(socket)
    }

    private func encrypt(_ socket: SslSocket) async -> SslSocketError? {
        if await socket.waitForEncrypted(timeout: timeout) { return nil }
        return end(socket)
    }

    private func end(_ socket: SslSocket) -> SslSocketError {
        let error = socket.error
        socket.abort()
        return error ?? SslSocketError(.remoteHostClosed, "The connection ended before it was encrypted")
    }
}
