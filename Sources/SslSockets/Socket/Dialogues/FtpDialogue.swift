internal import SslBackend
internal import SslValues

/// AUTH TLS on the control connection of FTP (RFC 4217 section 4.1).
struct FtpDialogue: Dialogue {
    private enum Phase { case greeting, goAhead, end }
    private var phase = Phase.greeting
    private var answers = CodedAnswers(allowsFreeText: true)

    mutating func proceed(_ received: inout ByteQueue) throws(SslSocketError) -> DialogueStep {
        if phase == .end { return .done }
        while let answer = try answers.next(&received) {
            switch phase {
            case .greeting:
                // 120: it will be ready in a while, and says so then (RFC 959 section 5.4).
                if answer.code == "120" { continue }
                guard answer.code == "220" else { throw DialogueWords.unexpected(answer.words, to: "the greeting") }
                phase = .goAhead
                return .say("AUTH TLS\r\n")
            case .goAhead:
                guard answer.code == "234" else { throw DialogueWords.unexpected(answer.words, to: "AUTH TLS") }
                phase = .end
                return .done
            case .end: return .done
            }
        }
        return .listen
    }
}
