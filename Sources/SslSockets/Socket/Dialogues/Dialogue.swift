internal import SslBackend
internal import SslValues

/// What is spoken on a fresh connection before it serves its purpose: with a proxy, until the tunnel stands, or with a server, until it waits for
/// TLS (STARTTLS).
///
/// A state machine over octets without I/O, so that it can be tried octet by octet; ``DialogueRun`` speaks it over a descriptor. Everything
/// the other end says is bounded in length. What is not taken belongs to whatever comes after the dialogue.
protocol Dialogue {
    /// Takes what it understands of the octets received so far and says how to go on. After ``DialogueStep/say(_:)`` it is called again, after
    /// ``DialogueStep/listen`` when more octets are there.
    mutating func proceed(_ received: inout ByteQueue) throws(SslSocketError) -> DialogueStep
}

/// How a dialogue goes on.
enum DialogueStep: Equatable {
    /// With these octets to the other end.
    case say([UInt8])
    /// With what the other end says.
    case listen
    /// Not at all: it has reached its aim.
    case done
    /// Not without other credentials than were given, on this connection or on a new one.
    case needsCredentials(realm: String, keepsConnection: Bool)

    /// With this text in UTF-8.
    static func say(_ text: String) -> DialogueStep { .say(Array(text.utf8)) }
}

extension ByteQueue {
    /// The octet at a place; nil when it is not there yet.
    func octet(at place: Int) -> UInt8? {
        guard place >= 0, place < count else { return nil }
        return unsafe readable[place]
    }

    /// The first octets without taking them; nil when there are not so many yet.
    func peek(_ wanted: Int) -> [UInt8]? {
        guard wanted <= count else { return nil }
        return unsafe [UInt8](readable.prefix(wanted))
    }
}
