internal import SslValues

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
