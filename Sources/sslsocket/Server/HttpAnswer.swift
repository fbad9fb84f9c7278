internal import SslSockets

/// As much of HTTP/1.1 as a browser or curl needs to show one page: a request is read up to its empty line and answered.
enum HttpAnswer {
    private static let longestHead = 65_536

    /// Answers one request; the connection ends after it.
    static func give(on socket: SslSocket) async throws(SslSocketError) {
        var size = 0
        while true {
            let line = try await socket.receiveLine(longestHead, timeout: .seconds(30))
            size += line.count
            if line.isEmpty { return }
            guard size <= longestHead else { throw SslSocketError(.invalidUserData, "The head of the request is too long") }
            if line == [13, 10] || line == [10] { break }
        }
        let body = page(socket)
        try await socket.send(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)"
        )
    }

    private static func page(_ socket: SslSocket) -> String {
        guard let facts = SessionFacts(socket) else { return "" }
        return """
            version \(facts.version)
            cipher \(facts.cipher ?? "unknown")
            group \(facts.group ?? "none")
            alpn \(facts.alpn ?? "none")
            resumed \(facts.resumed ? "yes" : "no")
            psk \(facts.preSharedKey ?? "none")
            backend \(socket.backend ?? "unknown")

            """
    }
}
