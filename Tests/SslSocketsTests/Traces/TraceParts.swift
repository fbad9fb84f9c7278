import SslBackend

@testable import SslSockets

/// The stretches that traces are made of, each written out.
enum Part {
    // MARK: Beginnings

    static let resolved = [
        "stateChanged hostLookup | hostLookup plain", "hostFound | hostLookup plain",
        "stateChanged connecting | connecting plain",
    ]
    /// A client without encryption.
    static let plainClient = resolved + ["stateChanged connected | connected plain", "connected | connected plain"]
    /// A client that encrypts at once: its first flight leaves before ``SslSocket/connected``.
    static let client =
        resolved + [
            "stateChanged connected | connected plain", "modeChanged sslClient | connected client",
            "connected | connected client",
        ]
    /// A descriptor that was taken over.
    static let accepted = ["stateChanged connected | connected plain", "connected | connected plain"]
    /// The same, with encryption begun.
    static let server = accepted + ["modeChanged sslServer | connected server"]

    // MARK: Data

    static let plainEchoed = ["bytesWritten 5 | connected plain", "readyRead | connected plain"]
    static let echoed = echoed(5)
    static func echoed(_ count: Int) -> [String] {
        [
            "encrypted | connected client tls", "bytesWritten \(count) | connected client tls",
            "newSessionTicketReceived | connected client tls", "readyRead | connected client tls",
        ]
    }
    static let echoes = [
        "encrypted | connected server tls", "bytesWritten 5 | connected server tls", "readyRead | connected server tls",
    ]
    /// A client that only listens.
    static let heard = [
        "encrypted | connected client tls", "newSessionTicketReceived | connected client tls", "readyRead | connected client tls",
    ]

    // MARK: Certificates

    static func told(_ errors: [String]) -> [String] {
        errors.map { "peerVerifyError \($0) | connected client" } + [
            "sslErrors \(errors.joined(separator: " ")) | connected client"
        ]
    }
    static func refuses(_ errors: [String]) -> [String] {
        told(errors) + ["alertSent bad_certificate | connected client"] + fails("peerVerificationFailed", "client")
    }
    static let interruptions = [
        "handshakeInterruptedOnError certificateExpired | connected client",
        "handshakeInterruptedOnError unableToGetLocalIssuerCertificate | connected client",
        "peerVerifyError hostNameMismatch | connected client",
        "sslErrors hostNameMismatch certificateExpired unableToGetLocalIssuerCertificate | connected client",
    ]
    /// A server whose certificate was refused. RFC 8446 section 7.1 protects a client's alert with its handshake keys; OpenSSL sends it in the
    /// clear, and GnuTLS takes that for a damaged record.
    static func refused(_ cell: TraceCell, _ alert: String = "bad_certificate") -> [String] {
        if cell.pair.client == "openssl", cell.pair.server == "gnutls", cell.version == .tls1_3 {
            return ["alertSent bad_record_mac | connected server"] + fails("handshakeFailed", "server")
        }
        return ["alertReceived \(alert) | connected server"] + fails("alertReceived", "server")
    }
    /// A client whose certificate was refused. In TLS 1.3 its handshake is over by then.
    static func clientRefused(_ cell: TraceCell, _ alert: String) -> [String] {
        let end = fails("alertReceived", "client")
        if cell.version == .tls1_2 { return ["alertReceived \(alert) | connected client"] + end }
        return ["encrypted | connected client tls", "alertReceived \(alert) | connected client tls"] + end
    }
    /// The alert for a client without a certificate (RFC 8446 section 6.2, RFC 5246 section 7.4.6).
    static func missing(_ cell: TraceCell) -> String { cell.version == .tls1_3 ? "certificate_required" : "handshake_failure" }

    /// A client whose server is gone when it goes on. In TLS 1.3 the handshake was over at its end.
    static func lost(_ cell: TraceCell) -> [String] {
        (cell.version == .tls1_3 ? ["encrypted | connected client tls"] : []) + fails("truncated", "client")
    }

    // MARK: Misuse

    /// Calls out of place before the connection, while it is looked up, in the middle and after it.
    static func misused(_ cell: TraceCell) -> [String] {
        let misuse = "errorOccurred operation | connected client tls"
        let ticket = "newSessionTicketReceived | connected client tls"
        var lines = [
            "errorOccurred operation | unconnected plain", "stateChanged hostLookup | hostLookup plain",
            "errorOccurred operation | hostLookup plain",
        ]
        lines += client.dropFirst()
        lines.append("encrypted | connected client tls")
        // A ticket of TLS 1.2 belongs to the handshake, one of TLS 1.3 follows it.
        if cell.version == .tls1_2 { lines.append(ticket) }
        lines += [misuse, misuse, "bytesWritten 5 | connected client tls"]
        if cell.version == .tls1_3 { lines.append(ticket) }
        lines.append("readyRead | connected client tls")
        return lines + ends + ["errorOccurred operation | unconnected client"]
    }

    // MARK: Ends

    static func gone(_ role: String) -> [String] {
        [
            "stateChanged unconnected | unconnected \(role)", "readChannelFinished | unconnected \(role)",
            "disconnected | unconnected \(role)",
        ]
    }
    static func fails(_ code: String, _ role: String) -> [String] {
        ["errorOccurred \(code) | connected \(role)", "stateChanged closing | closing \(role)"] + gone(role)
    }
    static let plainEnds = ["stateChanged closing | closing plain"] + gone("plain")
    static let plainPeerEnds = [
        "readChannelFinished | connected plain", "errorOccurred remoteHostClosed | connected plain",
        "stateChanged closing | closing plain", "stateChanged unconnected | unconnected plain",
        "disconnected | unconnected plain",
    ]
    static let ends =
        ["stateChanged closing | closing client tls", "alertSent close_notify | closing client tls"] + gone("client")
    static let peerEnds = peerEnds("server")
    static func peerEnds(_ role: String) -> [String] {
        [
            "alertReceived close_notify | connected \(role) tls", "readChannelFinished | connected \(role) tls",
            "errorOccurred remoteHostClosed | connected \(role) tls", "stateChanged closing | closing \(role) tls",
            "alertSent close_notify | closing \(role) tls", "stateChanged unconnected | unconnected \(role)",
            "disconnected | unconnected \(role)",
        ]
    }
    /// A client that ends as soon as it is encrypted, with what it had written. Only a ticket of TLS 1.2 has come by then.
    static func sentAndEnded(_ cell: TraceCell) -> [String] {
        ["stateChanged closing | closing client tls", "bytesWritten 5 | closing client tls"]
            + (cell.version == .tls1_2 ? ["newSessionTicketReceived | closing client tls"] : [])
            + ["alertSent close_notify | closing client tls"] + gone("client")
    }
}
