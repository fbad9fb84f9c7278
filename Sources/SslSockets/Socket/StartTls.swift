internal import SslBackend
public import SslValues

/// The plain dialogue that comes before TLS where a protocol begins unencrypted and switches over (STARTTLS).
///
/// ```swift
/// let socket = SslSocket()
/// socket.connectToHost("mail.example.org", port: 587)
/// guard await socket.waitForConnected() else { … }
/// try await SslStartTls.smtp.negotiate(on: socket)
/// socket.startClientEncryption()
/// guard await socket.waitForEncrypted() else { … }
/// ```
public enum SslStartTls: String, Sendable, Hashable, CaseIterable {
    /// Mail submission and transfer (RFC 3207).
    case smtp
    /// Mail access (RFC 3501 section 6.2.1, RFC 9051).
    case imap

    /// Speaks the dialogue up to the point where the server waits for a ClientHello.
    ///
    /// Nothing that the server said before the encryption counts afterwards: an attacker may have said it. Octets beyond its last
    /// line are refused.
    /// - Parameters:
    ///   - socket: connected and plain, and nothing read of it yet.
    ///   - timeout: for the whole dialogue; nil for no limit.
    /// - Throws: ``SslSocketError/Code/handshakeFailed`` when the server does not offer encryption or answers out of turn,
    ///   ``SslSocketError/Code/unexpectedPlaintext``, and what receiving and sending throws.
    public func negotiate(on socket: SslSocket, timeout: Duration? = .seconds(30)) async throws(SslSocketError) {
        var dialogue = Dialogue(socket: socket, deadline: Deadline(after: timeout))
        switch self {
        case .smtp: try await dialogue.speakSmtp()
        case .imap: try await dialogue.speakImap()
        }
        guard socket.bytesAvailable == 0 else {
            throw SslSocketError(
                .unexpectedPlaintext,
                "The server sent \(socket.bytesAvailable) octets beyond its answer to STARTTLS; they may have been slipped in by an attacker"
            )
        }
    }
}

/// Lines to and fro, bounded in length, number and time.
private struct Dialogue {
    let socket: SslSocket
    let deadline: Deadline?
    /// So many lines may still come; an honest server needs far fewer.
    var linesLeft = 200

    /// A line is at most 512 octets in SMTP (RFC 5321 section 4.5.3.1.5); greetings and capabilities of IMAP are longer.
    static let longestLine = 8192

    init(socket: SslSocket, deadline: Deadline?) {
        self.socket = socket
        self.deadline = deadline
    }

    mutating func speakSmtp() async throws(SslSocketError) {
        try await expectSmtp("220", "the greeting")
        let address = socket.localAddress?.ip
        // A client without a name of its own gives its address (RFC 5321 section 4.1.4).
        let name = address.map { $0.isIPv6 ? "[IPv6:\($0)]" : "[\($0)]" } ?? "[127.0.0.1]"
        try await say("EHLO \(name)")
        let offers = try await expectSmtp("250", "EHLO")
        guard offers.contains(where: { $0.uppercased() == "STARTTLS" }) else {
            throw SslSocketError(.handshakeFailed, "The SMTP server does not offer STARTTLS")
        }
        try await say("STARTTLS")
        try await expectSmtp("220", "STARTTLS")
    }

    mutating func speakImap() async throws(SslSocketError) {
        let greeting = try await line()
        guard greeting.uppercased().hasPrefix("* OK") else { throw unexpected(greeting, "the greeting") }
        try await say("s1 STARTTLS")
        while true {
            let answer = try await line()
            // Untagged answers may stand before the tagged one.
            if answer.hasPrefix("* ") { continue }
            guard answer.uppercased().hasPrefix("S1 OK") else { throw unexpected(answer, "STARTTLS") }
            return
        }
    }

    /// Reads one answer of SMTP, whose last line has a space after the code and all others a hyphen. Returns the texts.
    @discardableResult
    private mutating func expectSmtp(_ code: String, _ what: String) async throws(SslSocketError) -> [String] {
        var texts: [String] = []
        while true {
            let answer = try await line()
            guard answer.hasPrefix(code) else { throw unexpected(answer, what) }
            let rest = answer.dropFirst(code.count)
            texts.append(String(rest.dropFirst()))
            if rest.first != "-" { return texts }
        }
    }

    private func say(_ text: String) async throws(SslSocketError) {
        try await socket.send(text + "\r\n", timeout: try timeLeft())
    }

    private mutating func line() async throws(SslSocketError) -> String {
        linesLeft -= 1
        guard linesLeft >= 0 else { throw SslSocketError(.handshakeFailed, "The server talks without end before STARTTLS") }
        let octets = try await socket.receiveLine(Self.longestLine, timeout: try timeLeft())
        guard octets.last == UInt8(ascii: "\n") else {
            throw SslSocketError(.remoteHostClosed, "The server ended the connection before it answered STARTTLS")
        }
        var text = octets.dropLast()
        if text.last == UInt8(ascii: "\r") { text = text.dropLast() }
        return String(decoding: text, as: UTF8.self)
    }

    private func timeLeft() throws(SslSocketError) -> Duration? {
        guard let deadline else { return nil }
        let left = deadline.remainingMilliseconds(at: .now)
        guard left > 0 else { throw SslSocketError(.socketTimeout, "The server took too long to answer before STARTTLS") }
        return .milliseconds(Int64(left))
    }

    private func unexpected(_ answer: String, _ what: String) -> SslSocketError {
        // What a stranger said may hold control characters.
        let shown = String(
            answer.unicodeScalars.prefix(200).map { $0.properties.generalCategory == .control ? "?" : Character($0) })
        return SslSocketError(.handshakeFailed, "The server answered \(what) with \"\(shown)\"")
    }
}
