internal import SslBackend
internal import SslValues

/// SSLRequest of PostgreSQL (the manual's chapter "Message Flow", section "SSL Session Encryption"): one question of 8 octets, one octet as the answer.
struct PostgresDialogue: Dialogue {
    private enum Phase { case request, answer, end }
    private var phase = Phase.request

    /// The length, then the code 80877103.
    private static let request: [UInt8] = [0, 0, 0, 8, 0x04, 0xD2, 0x16, 0x2F]

    mutating func proceed(_ received: inout ByteQueue) throws(SslSocketError) -> DialogueStep {
        switch phase {
        case .request:
            phase = .answer
            return .say(Self.request)
        case .answer:
            guard let answer = received.take(1).first else { return .listen }
            switch answer {
            case UInt8(ascii: "S"):
                phase = .end
                return .done
            case UInt8(ascii: "N"): throw SslSocketError(.handshakeFailed, "The PostgreSQL server does not offer encryption")
            // What an error says at this place must not be shown: it comes from anyone (CVE-2024-10977).
            case UInt8(ascii: "E"):
                throw SslSocketError(.handshakeFailed, "The PostgreSQL server refuses the request for encryption")
            default: throw SslSocketError(.handshakeFailed, "What answered is no PostgreSQL server")
            }
        case .end: return .done
        }
    }
}
