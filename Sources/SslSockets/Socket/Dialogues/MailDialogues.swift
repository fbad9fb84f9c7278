internal import SslBackend
internal import SslValues

/// STARTTLS of mail submission and transfer (RFC 3207).
struct SmtpDialogue: Dialogue {
    private enum Phase { case greeting, offers, goAhead, end }
    private var phase = Phase.greeting
    private var answers = CodedAnswers(allowsFreeText: false)
    private let clientName: String

    /// - Parameter address: of this end: a client without a name of its own gives it (RFC 5321 section 4.1.4).
    init(from address: IpAddress?) {
        clientName = address.map { $0.isIPv6 ? "[IPv6:\($0)]" : "[\($0)]" } ?? "[127.0.0.1]"
    }

    mutating func proceed(_ received: inout ByteQueue) throws(SslSocketError) -> DialogueStep {
        if phase == .end { return .done }
        guard let answer = try answers.next(&received) else { return .listen }
        switch phase {
        case .greeting:
            guard answer.code == "220" else { throw DialogueWords.unexpected(answer.words, to: "the greeting") }
            phase = .offers
            return .say("EHLO \(clientName)\r\n")
        case .offers:
            guard answer.code == "250" else { throw DialogueWords.unexpected(answer.words, to: "EHLO") }
            // The first line is the server's name.
            guard answer.texts.dropFirst().contains(where: { $0.uppercased() == "STARTTLS" }) else {
                throw SslSocketError(.handshakeFailed, "The SMTP server does not offer STARTTLS")
            }
            phase = .goAhead
            return .say("STARTTLS\r\n")
        case .goAhead:
            guard answer.code == "220" else { throw DialogueWords.unexpected(answer.words, to: "STARTTLS") }
            phase = .end
            return .done
        case .end: return .done
        }
    }
}

/// STARTTLS of mail access (RFC 9051 section 6.2.1).
struct ImapDialogue: Dialogue {
    private enum Phase { case greeting, goAhead, end }
    private var phase = Phase.greeting
    private var lines = DialogueLines(speaker: "The server", code: .handshakeFailed)

    mutating func proceed(_ received: inout ByteQueue) throws(SslSocketError) -> DialogueStep {
        if phase == .end { return .done }
        while let line = try lines.next(&received) {
            switch phase {
            case .greeting:
                // One that is authenticated already (PREAUTH) cannot be encrypted any more (RFC 9051 section 7.1.4).
                guard line.uppercased().hasPrefix("* OK ") else { throw DialogueWords.unexpected(line, to: "the greeting") }
                phase = .goAhead
                return .say("s1 STARTTLS\r\n")
            case .goAhead:
                // Untagged answers may stand before the tagged one.
                if line.hasPrefix("* ") { continue }
                guard line.uppercased().hasPrefix("S1 OK ") else { throw DialogueWords.unexpected(line, to: "STARTTLS") }
                phase = .end
                return .done
            case .end: return .done
            }
        }
        return .listen
    }
}

/// STLS of mail retrieval (RFC 2595 section 4).
struct Pop3Dialogue: Dialogue {
    private enum Phase { case greeting, goAhead, end }
    private var phase = Phase.greeting
    private var lines = DialogueLines(speaker: "The server", code: .handshakeFailed)

    mutating func proceed(_ received: inout ByteQueue) throws(SslSocketError) -> DialogueStep {
        if phase == .end { return .done }
        guard let line = try lines.next(&received) else { return .listen }
        let isGood = line == "+OK" || line.hasPrefix("+OK ")
        if phase == .greeting {
            guard isGood else { throw DialogueWords.unexpected(line, to: "the greeting") }
            phase = .goAhead
            return .say("STLS\r\n")
        }
        guard isGood else { throw DialogueWords.unexpected(line, to: "STLS") }
        phase = .end
        return .done
    }
}
