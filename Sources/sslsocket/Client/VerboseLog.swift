internal import SslSockets

/// Tells each step of a connection on standard error, in lines that begin with an asterisk as curl's do.
enum VerboseLog {
    /// Follows the signals of a socket.
    static func attach(to socket: SslSocket, style: Style) {
        socket.hostFound.connect { line("Found the addresses of \($0.peerName)") }
        socket.connected.connect { socket in line("Connected to \(socket.peerAddress?.description ?? socket.peerName)") }
        socket.modeChanged.connect { socket, _ in line("Starting TLS with the backend \(socket.backend ?? "?")") }
        socket.peerVerifyError.connect { _, error in line(style.bad("\(error.code): \(error)")) }
        socket.alertSent.connect { _, alert in line("Alert sent: \(alert)") }
        socket.alertReceived.connect { _, alert in line("Alert received: \(alert)") }
        socket.newSessionTicketReceived.connect { socket in
            line("Session ticket received, kept for \(socket.sessionTicket?.lifetimeHint ?? 0) s")
        }
        socket.errorOccurred.connect { _, error in line(style.notable("\(error)")) }
        socket.disconnected.connect { _ in line("Connection ended") }
    }

    /// Tells what was negotiated.
    static func tell(_ facts: SessionFacts, _ socket: SslSocket) {
        line("\(facts.version), \(facts.cipher ?? "unknown cipher suite"), key agreement \(facts.group ?? "without a group")")
        line("ALPN: \(facts.alpn ?? "none")")
        if let key = facts.preSharedKey { line("Pre-shared key: \(key)") }
        for response in socket.ocspResponses { line("Stapled status: \(StatusFacts(response).line)") }
        for (depth, certificate) in socket.peerCertificateChain.enumerated() {
            line("\(depth): \(CertificateFacts(certificate).line)")
        }
    }

    private static func line(_ text: String) { Console.error("* \(text)") }
}
