internal import SslBackend
internal import SslValues

/// Asks an HTTP proxy for a tunnel by CONNECT (RFC 9110 section 9.3.6), with Basic authentication (RFC 7617) when there are credentials.
struct HttpConnectDialogue: Dialogue {
    private enum Phase { case request, status, fields, body(left: Int), end }
    private var phase = Phase.request
    private let target: ProxyTarget
    private let credentials: ProxyCredentials?
    private var lines = Self.freshLines
    private var head = HttpProxyHead()
    /// Interim answers (1xx) may come before the final one (RFC 9110 section 15.2).
    private var interimLeft = 8

    /// The size of a head is bounded by lines and their length: squid's longest is about 1 KiB.
    private static let freshLines = DialogueLines(speaker: "The HTTP proxy", code: .proxyProtocol, longest: 4096, left: 64)
    /// A longer explanation of a refusal is not worth waiting for: a new connection costs less.
    private static let longestBody = 65_536

    init(to target: ProxyTarget, credentials: ProxyCredentials?) {
        self.target = target
        self.credentials = credentials
    }

    mutating func proceed(_ received: inout ByteQueue) throws(SslSocketError) -> DialogueStep {
        while true {
            switch phase {
            case .request:
                phase = .status
                return .say(request)
            case .status:
                try checkBeginning(received)
                guard let line = try lines.next(&received) else { return .listen }
                head = try HttpProxyHead(statusLine: line)
                phase = .fields
            case .fields:
                guard let line = try lines.next(&received) else { return .listen }
                guard line.isEmpty else {
                    try head.add(line)
                    continue
                }
                if let step = try concludeHead() { return step }
            case .body(let left):
                let count = min(left, received.count)
                received.consume(count)
                phase = .body(left: left - count)
                if count < left { return .listen }
                return .needsCredentials(realm: head.realm, keepsConnection: true)
            case .end: return .done
            }
        }
    }

    private var request: [UInt8] {
        var text = "CONNECT \(target) HTTP/1.1\r\nHost: \(target)\r\n"
        if let credentials { text += "Proxy-Authorization: Basic \(credentials.basic)\r\n" }
        return Array((text + "\r\n").utf8)
    }

    /// What does not begin like an answer of HTTP is not collected until a line is too long.
    private func checkBeginning(_ received: borrowing ByteQueue) throws(SslSocketError) {
        for (place, wanted) in "HTTP/1.".utf8.enumerated() {
            guard let found = received.octet(at: place) else { return }
            if found != wanted { throw SslSocketError(.proxyProtocol, "What answered is no HTTP proxy") }
        }
    }

    /// Nil when the answer was only an interim one.
    private mutating func concludeHead() throws(SslSocketError) -> DialogueStep? {
        switch head.status {
        case 100..<200:
            interimLeft -= 1
            // 101 would be the switch to a protocol that nobody asked for.
            guard head.status != 101, interimLeft >= 0 else {
                throw SslSocketError(.proxyProtocol, "The HTTP proxy does not come to an answer")
            }
            lines = Self.freshLines
            phase = .status
            return nil
        case 200..<300:
            // Lengths in such an answer mean nothing (RFC 9110 section 9.3.6): the tunnel begins here.
            phase = .end
            return .done
        // Tinyproxy answers wrong credentials with 401, which is meant for servers.
        case 401, 407:
            guard head.offersBasic else {
                throw SslSocketError(
                    .proxyAuthenticationRequired,
                    "The HTTP proxy wants another authentication than Basic, the only one there is here")
            }
            guard head.keepsConnection, let length = head.length, length <= Self.longestBody else {
                return .needsCredentials(realm: head.realm, keepsConnection: false)
            }
            phase = .body(left: length)
            return nil
        default: throw refusal()
        }
    }

    private func refusal() -> SslSocketError {
        let kind: SslSocketError.Code =
            switch head.status {
            case 403, 405: .socketAccess
            case 404: .hostNotFound
            case 503: .connectionRefused
            case 504: .socketTimeout
            // The request was understood, and could not be fulfilled.
            case 500...: .network
            default: .proxyProtocol
            }
        return SslSocketError(
            kind, "The HTTP proxy did not connect to \(target): \(head.status) \(DialogueWords.quoted(head.reason))",
            nativeCode: head.status)
    }
}

/// The head of a proxy's answer: as much of it as matters.
struct HttpProxyHead: Equatable {
    private(set) var status = 0
    private(set) var reason = ""
    private(set) var offersBasic = false
    /// The realm of the Basic challenge.
    private(set) var realm = ""
    /// Content-Length; nil when the length of the body is told in another way or not at all.
    private(set) var length: Int?
    private(set) var keepsConnection = false
    private var isChunked = false

    init() {}

    /// `HTTP/1.1 200 OK` (RFC 9112 section 4).
    init(statusLine line: String) throws(SslSocketError) {
        let octets = Array(line.utf8)
        let digits = octets.dropFirst(9).prefix(3)
        guard line.hasPrefix("HTTP/1.1 ") || line.hasPrefix("HTTP/1.0 "), digits.count == 3,
            digits.allSatisfy({ (0x30...0x39).contains($0) }), octets.count == 12 || octets[12] == UInt8(ascii: " "),
            let status = Int(String(decoding: digits, as: UTF8.self)), status >= 100
        else {
            throw SslSocketError(.proxyProtocol, "The HTTP proxy answered with \(DialogueWords.quoted(line))")
        }
        self.status = status
        reason = String(decoding: octets.dropFirst(13), as: UTF8.self)
        keepsConnection = line.hasPrefix("HTTP/1.1")
    }

    /// Takes in a field; those that say the same in two ways are refused.
    mutating func add(_ line: String) throws(SslSocketError) {
        guard let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")), colon != line.startIndex,
            line.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 9 }),
            // No white space may stand before the colon, and none at the beginning (RFC 9112 section 5).
            line[..<colon].utf8.allSatisfy({ $0 > 0x20 })
        else {
            throw SslSocketError(.proxyProtocol, "The HTTP proxy sent the field \(DialogueWords.quoted(line))")
        }
        let value = trimmed(line[line.index(after: colon)...])
        switch line[..<colon].lowercased() {
        case "content-length":
            guard !value.isEmpty, value.utf8.count < 19, value.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let number = Int(value), length == nil || length == number
            else {
                throw SslSocketError(.proxyProtocol, "The HTTP proxy sent the length \(DialogueWords.quoted(value))")
            }
            if !isChunked { length = number }
        case "transfer-encoding":
            isChunked = true
            length = nil
            keepsConnection = false
        // Proxy-Connection was never standardized, but proxies send it.
        case "connection", "proxy-connection":
            let options = value.lowercased().split(separator: ",").map { trimmed($0) }
            if options.contains("close") { keepsConnection = false }
        case "proxy-authenticate": noteChallenge(value)
        case "www-authenticate": if status == 401 { noteChallenge(value) }
        default: break
        }
    }

    /// A challenge names its scheme first (RFC 9110 section 11.3); several may stand in one field.
    private mutating func noteChallenge(_ value: String) {
        for part in Self.unquotedParts(value) {
            let words = part.split(separator: " ", maxSplits: 1)
            guard let scheme = words.first, scheme.lowercased() == "basic" else { continue }
            offersBasic = true
            guard words.count == 2 else { continue }
            let parameter = trimmed(words[1])
            guard parameter.lowercased().hasPrefix("realm=") else { continue }
            let text = parameter.dropFirst("realm=".count)
            realm =
                text.hasPrefix("\"") && text.hasSuffix("\"") && text.count >= 2
                ? String(text.dropFirst().dropLast()) : String(text)
        }
    }

    /// Splits at the commas that stand outside quotes.
    private static func unquotedParts(_ value: String) -> [String] {
        var parts: [String] = []
        var part = ""
        var isQuoted = false
        var isEscaped = false
        for character in value {
            if character == ",", !isQuoted {
                parts.append(part)
                part = ""
                continue
            }
            part.append(character)
            if isEscaped {
                isEscaped = false
            } else if character == "\\" {
                isEscaped = isQuoted
            } else if character == "\"" {
                isQuoted.toggle()
            }
        }
        return parts + [part]
    }

    private func trimmed(_ text: some StringProtocol) -> String {
        var octets = Array(text.utf8)[...]
        while let last = octets.last, last == 0x20 || last == 9 { octets = octets.dropLast() }
        return String(decoding: octets.drop { $0 == 0x20 || $0 == 9 }, as: UTF8.self)
    }
}
