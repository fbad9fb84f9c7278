internal import SslSockets

/// What `serve` does with its connections.
struct Service {
    /// What clients get.
    enum Answer {
        /// What they sent.
        case echo
        /// A page with the facts of the connection.
        case http
        /// A text, and the end.
        case text(String)
    }
    let server: SslServer
    let answer: Answer
    let log: ServiceLog

    /// Serves until `limit` connections whose handshake succeeded have ended, nil for ever; or until a signal asks to stop, and then for at most `grace`
    /// longer.
    func run(limit: Int?, grace: Duration) async throws(SslSocketError) {
        let (answer, log, server) = (answer, log, server)
        server.onHandshakeFailure { peer, error in log.failed(peer, error) }
        server.onAcceptError { log.acceptFailed($0) }
        let isAsked = Lock(false)
        let stopper = Task {
            await StopSignals.first()
            isAsked.withLock { $0 = true }
            log.stopping()
            log.stopped(await server.shutdown(timeout: grace))
        }
        let count = Lock(0)
        try await server.run { socket in
            let number = count.withLock { count in
                count += 1
                return count
            }
            if let limit {
                if number == limit { server.close() }
                // Its handshake was running when the last place was taken.
                if number > limit { return socket.abort() }
            }
            await Self.serve(socket, answer, log)
        }
        // What it has to say about the end comes first.
        if isAsked.withLock({ $0 }) { await stopper.value }
    }

    private static func serve(_ socket: SslSocket, _ answer: Answer, _ log: ServiceLog) async {
        log.began(socket)
        do throws(SslSocketError) {
            switch answer {
            case .echo: try await echo(socket)
            case .http: try await HttpAnswer.give(on: socket)
            case .text(let text): try await socket.send(text)
            }
            await socket.finish()
        } catch {
            socket.abort()
            log.broke(error)
        }
    }

    /// A client that has said everything still gets its echo.
    private static func echo(_ socket: SslSocket) async throws(SslSocketError) {
        socket.allowsHalfClosure = true
        while true {
            let bytes = try await socket.receive()
            if bytes.isEmpty { return }
            try await socket.send(bytes)
        }
    }
}

/// Tells on standard error who came and what failed.
struct ServiceLog: Sendable {
    private let style: Style

    init(_ output: OutputOptions) { style = output.errorStyle }

    /// A handshake was completed.
    func began(_ socket: SslSocket) {
        let peer = socket.peerAddress?.description ?? "a client"
        let facts = SessionFacts(socket)
        let name = socket.requestedServerName.map { " for \(Printable.text($0))" } ?? ""
        let key = facts?.preSharedKey.map { ", pre-shared key \($0)" } ?? ""
        let certificate = socket.peerCertificate.map { ", certificate \(CertificateFacts($0).subject)" } ?? ""
        Console.error(
            "\(peer)\(name): \(facts?.version ?? "?") \(facts?.cipher ?? "?") \(facts?.group ?? "") alpn \(facts?.alpn ?? "none")\(key)\(certificate)"
        )
        for error in socket.sslHandshakeErrors { Console.error(style.notable("\(peer): \(error.code)")) }
    }

    /// A handshake failed.
    func failed(_ peer: SocketAddress?, _ error: SslSocketError) {
        Console.error(style.notable("\(peer?.description ?? "a client"): handshake failed: \(error)"))
    }

    /// Accepting itself failed.
    func acceptFailed(_ error: SslSocketError) { Console.error(style.notable("accepting failed: \(error)")) }

    /// A signal has come.
    func stopping() { Console.error("stopping: the connections may finish") }

    /// All connections have ended.
    func stopped(_ end: SslServerShutdown) {
        Console.error("stopped: \(end.finished) connections finished, \(end.aborted) cut")
    }

    /// A connection ended badly.
    func broke(_ error: SslSocketError) { Console.error(style.notable("connection failed: \(error)")) }

    /// The status that is stapled could not be renewed.
    func renewalFailed(_ error: SslSocketError) { Console.error(style.bad("OCSP response not renewed: \(error)")) }
}
