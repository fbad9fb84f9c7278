internal import SslBackend
internal import SslSockets
internal import SslValues

/// A plan over TCP on this host: what a pipe's end records is recorded by the signals of a socket.
extension Plan {
    /// More time than an honest exchange needs on the slowest machine; only a fault makes anybody wait for it.
    private static let patience = Duration.seconds(30)

    func runOverSockets(_ cell: ScenarioCell) async throws(SslSocketError) -> ScenarioOutcome {
        let setup = try setup(cell)
        let server = SslServer(configuration: setup.server)
        if let hook = clientHelloHook(setup.server) { server.selectConfiguration { _, hello in hook(hello) } }
        try server.listen(host: "127.0.0.1")
        let port = server.serverPort
        let client: SocketReport
        let peer: SocketReport
        if cell.transport == .blocking {
            async let clientReport = PlainThread.run { blockingClient(setup, port) }
            async let serverReport = PlainThread.run { blockingServer(server) }
            (client, peer) = await (clientReport, serverReport)
        } else {
            async let clientReport = asyncClient(setup, port)
            async let serverReport = asyncServer(server)
            (client, peer) = await (clientReport, serverReport)
        }
        server.close()
        return conclude(client.report, peer.report, isEchoed: client.isEchoed)
    }

    /// What an end over TCP came to.
    struct SocketReport: Sendable {
        var report = SideReport()
        var isEchoed = false
    }

    // MARK: Both ways of waiting

    private func prepare(_ socket: SslSocket, _ policy: EndpointPolicy) -> AlertLog {
        let log = AlertLog()
        socket.alertSent.connect { _, alert in log.sent.append(alert) }
        socket.alertReceived.connect { _, alert in log.received.append(alert) }
        socket.newSessionTicketReceived.connect { _ in log.tickets += 1 }
        socket.sslErrors.connect { socket, errors in if policy.isAccepting(errors) { socket.ignoreSslErrors() } }
        return log
    }

    /// What a socket negotiated, while it still knows.
    private func facts(_ socket: SslSocket) -> SideReport {
        var report = SideReport()
        report.isEstablished = true
        report.facts.version = socket.sessionProtocol.versions?.lowerBound
        report.facts.cipher = socket.sessionCipher
        report.facts.group = socket.sessionGroup
        report.facts.isResumed = socket.isSessionResumed
        report.facts.usedPreSharedKey = socket.isPreSharedKeyUsed
        report.facts.serverName = socket.requestedServerName
        report.facts.applicationProtocol = socket.nextNegotiatedProtocol.map { Array($0.utf8) }
        report.peerChain = socket.peerCertificateChain.map(\.der)
        return report
    }

    private func finish(_ report: inout SideReport, _ socket: SslSocket, _ log: AlertLog) {
        report.problems = socket.sslHandshakeErrors.map { TlsPathProblem($0.code, depth: $0.depth) }
        report.alertsSent = log.sent
        report.alertsReceived = log.received
        report.ticketCount = log.tickets
        // The end of the conversation is no error of a connection that was established.
        if let error = socket.error, !(report.isEstablished && error.code == .remoteHostClosed) { report.error = error }
    }

    // MARK: Blocking

    private func blockingClient(_ setup: Setup, _ port: UInt16) -> SocketReport {
        let socket = SslSocket(configuration: setup.client)
        let log = prepare(socket, clientPolicy)
        socket.connectToHostEncrypted("127.0.0.1", port: port, peerVerifyName: setup.host)
        var result = SocketReport()
        if socket.waitForEncrypted(timeout: Self.patience) {
            result.report = facts(socket)
            socket.write(payload)
            var echo: [UInt8] = []
            while echo.count < payload.count {
                echo += socket.readAll()
                guard echo.count < payload.count else { break }
                guard socket.waitForReadyRead(timeout: Self.patience) else { break }
            }
            result.isEchoed = echo == payload
            socket.disconnectFromHost()
            if socket.state != .unconnected { _ = socket.waitForDisconnected(timeout: Self.patience) }
        }
        finish(&result.report, socket, log)
        return result
    }

    private func blockingServer(_ server: SslServer) -> SocketReport {
        var result = SocketReport()
        do throws(SslSocketError) {
            guard let socket = try server.waitForNewConnection(timeout: Self.patience) else { return result }
            let log = prepare(socket, serverPolicy)
            if socket.isEncrypted || socket.waitForEncrypted(timeout: Self.patience) {
                result.report = facts(socket)
                var count = 0
                while count < payload.count {
                    let piece = socket.readAll()
                    count += piece.count
                    socket.write(piece)
                    guard count < payload.count else { break }
                    guard socket.waitForReadyRead(timeout: Self.patience) else { break }
                }
                if socket.state != .unconnected { _ = socket.waitForDisconnected(timeout: Self.patience) }
            }
            finish(&result.report, socket, log)
        } catch {
            result.report.error = error
        }
        return result
    }

    // MARK: Async

    private func asyncClient(_ setup: Setup, _ port: UInt16) async -> SocketReport {
        let socket = SslSocket(configuration: setup.client)
        let log = prepare(socket, clientPolicy)
        socket.connectToHostEncrypted("127.0.0.1", port: port, peerVerifyName: setup.host)
        var result = SocketReport()
        if await socket.waitForEncrypted(timeout: Self.patience) {
            result.report = facts(socket)
            socket.write(payload)
            var echo: [UInt8] = []
            do throws(SslSocketError) {
                while echo.count < payload.count {
                    let piece = try await socket.receive(timeout: Self.patience)
                    if piece.isEmpty { break }
                    echo += piece
                }
            } catch {
                result.report.error = error
            }
            result.isEchoed = echo == payload
            socket.disconnectFromHost()
            if socket.state != .unconnected { _ = await socket.waitForDisconnected(timeout: Self.patience) }
        }
        finish(&result.report, socket, log)
        return result
    }

    private func asyncServer(_ server: SslServer) async -> SocketReport {
        var result = SocketReport()
        // A failed handshake is told to the hook; closing the server then ends the wait for a connection.
        let failure = Lock<SslSocketError?>(nil)
        server.onHandshakeFailure { [weak server] _, error in
            failure.withLock { $0 = error }
            server?.close()
        }
        do throws(SslSocketError) {
            let socket = try await server.accept()
            let log = prepare(socket, serverPolicy)
            result.report = facts(socket)
            do throws(SslSocketError) {
                while true {
                    let piece = try await socket.receive(timeout: Self.patience)
                    if piece.isEmpty { break }
                    try await socket.send(piece, timeout: Self.patience)
                }
                await socket.finish(timeout: Self.patience)
            } catch {
                result.report.error = error
            }
            finish(&result.report, socket, log)
        } catch {
            let reason = failure.withLock { $0 } ?? error
            result.report.error = reason
            if let alert = reason.alert {
                let told = SslAlert(.fatal, alert)
                if reason.code == .alertReceived {
                    result.report.alertsReceived = [told]
                } else {
                    result.report.alertsSent = [told]
                }
            }
        }
        return result
    }
}

/// What the slots of one socket have heard. It lives in the isolation of the socket.
private final class AlertLog {
    var sent: [SslAlert] = []
    var received: [SslAlert] = []
    var tickets = 0
}
