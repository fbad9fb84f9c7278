import SslSockets

/// Answers each octet with one, to the end.
struct LoadServer {
    private let options: Options

    init(_ options: Options) { self.options = options }

    func run() async throws(SslSocketError) {
        var configuration = SslConfiguration()
        configuration.backend = options.backend
        configuration.peerVerifyMode = .verifyNone
        try configuration.setCredentials(certificateFile: options.certificateFile, keyFile: options.keyFile)
        let server = SslServer(configuration: configuration)
        // Silent clients stay as long as the load lasts.
        server.handshakeTimeout = .seconds(600)
        try server.listen(host: "0.0.0.0")
        line("\(server.serverPort)")
        try await server.run { socket in
            do throws(SslSocketError) {
                while true {
                    let bytes = try await socket.receive(upTo: 64)
                    if bytes.isEmpty { break }
                    try await socket.send(bytes)
                }
                await socket.finish()
            } catch {
                socket.abort()
            }
        }
    }
}

/// Makes connections to it.
struct Client: Sendable {
    private let configuration: SslConfiguration
    private let port: UInt16

    init(_ options: Options, _ port: UInt16) {
        var configuration = SslConfiguration()
        configuration.backend = options.backend
        // What is measured is the server.
        configuration.peerVerifyMode = .verifyNone
        if options.version == "1.2" { configuration.protocol = .tlsV1_2 }
        self.configuration = configuration
        self.port = port
    }

    /// A connection over which an octet went both ways.
    func talk(_ ticket: SslSessionTicket?) async throws(SslSocketError) -> sending SslSocket {
        var configuration = configuration
        configuration.sessionTicket = ticket
        // One of many addresses of this host, for the ports of one are used up by so many connections.
        let host = "127.0.0.\(Int.random(in: 1...200))"
        let socket = SslSocket(configuration: configuration)
        // Tickets go by the name.
        socket.connectToHostEncrypted(host, port: port, peerVerifyName: "localhost")
        guard await socket.waitForEncrypted() else { throw socket.error ?? SslSocketError(.network, "No connection") }
        try await socket.send([1])
        guard try await socket.receive(upTo: 1) == [1] else { throw SslSocketError(.truncated, "The server gave no answer") }
        return socket
    }
}
