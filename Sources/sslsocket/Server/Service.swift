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

    /// Serves until `limit` connections whose handshake succeeded have ended; nil for ever.
    func run(limit: Int?) async throws(SslSocketError) {
        let (answer, log) = (answer, log)
        server.onHandshakeFailure { peer, error in log.failed(peer, error) }
        let failure = await withTaskGroup(of: Void.self) { group -> SslSocketError? in
            var left = limit ?? .max
            while left > 0 {
                do throws(SslSocketError) {
                    let socket = try await server.accept()
                    if limit != nil { left -= 1 }
                    group.addTask { await Self.serve(socket, answer, log) }
                } catch {
                    group.cancelAll()
                    return error
                }
            }
            server.close()
            return nil
        }
        if let failure { throw failure }
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
        let name = socket.requestedServerName.map { " for \(printable($0))" } ?? ""
        let certificate = socket.peerCertificate.map { ", certificate \(CertificateFacts($0).subject)" } ?? ""
        Console.error(
            "\(peer)\(name): \(facts?.version ?? "?") \(facts?.cipher ?? "?") \(facts?.group ?? "") alpn \(facts?.alpn ?? "none")\(certificate)"
        )
        for error in socket.sslHandshakeErrors { Console.error(style.notable("\(peer): \(error.code)")) }
    }

    /// A handshake failed.
    func failed(_ peer: SocketAddress?, _ error: SslSocketError) {
        Console.error(style.notable("\(peer?.description ?? "a client"): handshake failed: \(error)"))
    }

    /// A connection ended badly.
    func broke(_ error: SslSocketError) { Console.error(style.notable("connection failed: \(error)")) }

    private func printable(_ text: String) -> String {
        String(text.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : Character($0) })
    }
}
