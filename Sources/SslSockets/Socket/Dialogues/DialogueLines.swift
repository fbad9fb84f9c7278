internal import SslBackend
internal import SslValues

/// Takes lines out of what was received, bounded in length and number.
struct DialogueLines {
    /// Who speaks, for messages: "The server".
    let speaker: String
    /// The code of the error when it says too much.
    let code: SslSocketError.Code
    /// So many octets may a line have.
    var longest = 8192
    /// So many lines may still come; an honest end needs far fewer.
    var left = 200

    /// The next line without its end; nil when it is not there yet. Lines end with LF, as a rule after CR.
    mutating func next(_ received: inout ByteQueue) throws(SslSocketError) -> String? {
        guard let end = unsafe received.readable.prefix(longest).firstIndex(of: UInt8(ascii: "\n")) else {
            guard received.count < longest else {
                throw SslSocketError(code, "\(speaker) sent a line of more than \(longest) octets")
            }
            return nil
        }
        guard left > 0 else { throw SslSocketError(code, "\(speaker) talks without end") }
        left -= 1
        var line = received.take(end + 1).dropLast()
        if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
        return String(decoding: line, as: UTF8.self)
    }
}

/// One answer of SMTP or FTP: a code of three digits and texts.
struct CodedAnswer: Equatable {
    let code: String
    let texts: [String]

    /// The first line, to be quoted.
    var words: String { "\(code) \(texts.first ?? "")" }
}

/// Takes whole answers of SMTP (RFC 5321 section 4.2.1) or FTP (RFC 959 section 4.2), whose last line has a space after the code and the others a hyphen.
struct CodedAnswers {
    private var lines = DialogueLines(speaker: "The server", code: .handshakeFailed)
    private var code: String?
    private var texts: [String] = []
    /// In FTP the lines between the first and the last need not begin with the code.
    private let allowsFreeText: Bool

    init(allowsFreeText: Bool) { self.allowsFreeText = allowsFreeText }

    /// The next answer; nil when it is not there yet.
    mutating func next(_ received: inout ByteQueue) throws(SslSocketError) -> CodedAnswer? {
        while let line = try lines.next(&received) {
            let octets = Array(line.utf8)
            let isCoded = octets.count >= 3 && octets.prefix(3).allSatisfy { (0x30...0x39).contains($0) }
            let separator = octets.count > 3 ? octets[3] : UInt8(ascii: " ")
            let isWhole = isCoded && (separator == UInt8(ascii: " ") || separator == UInt8(ascii: "-"))
            let found = isWhole ? String(decoding: octets.prefix(3), as: UTF8.self) : nil
            guard let first = code ?? found, found == first || allowsFreeText && code != nil else {
                throw DialogueWords.unexpected(line)
            }
            texts.append(found == first ? String(decoding: octets.dropFirst(4), as: UTF8.self) : line)
            code = first
            if found == first, separator == UInt8(ascii: " ") {
                defer {
                    code = nil
                    texts = []
                }
                return CodedAnswer(code: first, texts: texts)
            }
        }
        return nil
    }
}

/// What is said about a dialogue that went wrong.
enum DialogueWords {
    /// What a stranger said, short and without control characters.
    static func quoted(_ text: some StringProtocol) -> String {
        let shown = String(
            text.unicodeScalars.prefix(200).map { $0.properties.generalCategory == .control ? "?" : Character($0) })
        return "\"\(shown)\""
    }

    /// The error of a server that says something else than its protocol has at this place.
    static func unexpected(_ answer: String, to what: String = "") -> SslSocketError {
        SslSocketError(.handshakeFailed, "The server answered\(what.isEmpty ? "" : " \(what)") with \(quoted(answer))")
    }
}
