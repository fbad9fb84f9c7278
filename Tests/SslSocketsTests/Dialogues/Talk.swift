import SslBackend
import Testing

@testable import SslSockets

/// Speaks with a dialogue without any I/O.
final class Talk {
    private var dialogue: any Dialogue
    private var received = ByteQueue()
    /// What it has said since ``takeSaid()``.
    private(set) var said: [UInt8] = []
    /// How far it has come.
    private(set) var step = DialogueStep.listen

    init(_ dialogue: any Dialogue) throws(SslSocketError) {
        self.dialogue = dialogue
        try goOn()
    }

    /// What it has not taken.
    var leftover: [UInt8] { received.peek(received.count) ?? [] }

    /// What it has said since the last call.
    func takeSaid() -> [UInt8] {
        defer { said = [] }
        return said
    }

    /// The same as text.
    func takeSaidText() -> String { String(decoding: takeSaid(), as: UTF8.self) }

    /// Tells it octets, all at once or one by one.
    func tell(_ octets: [UInt8], oneByOne: Bool = true) throws(SslSocketError) {
        guard oneByOne else {
            received.append(octets)
            return try goOn()
        }
        for octet in octets {
            received.append([octet])
            try goOn()
        }
    }

    /// Tells it a text.
    func tell(_ text: String, oneByOne: Bool = true) throws(SslSocketError) { try tell(Array(text.utf8), oneByOne: oneByOne) }

    private func goOn() throws(SslSocketError) {
        while true {
            step = try dialogue.proceed(&received)
            guard case .say(let octets) = step else { return }
            said += octets
        }
    }

    /// The code of the error that telling this to a fresh dialogue comes to; nil for none.
    static func failure(_ dialogue: any Dialogue, _ octets: [UInt8], oneByOne: Bool = true) -> SslSocketError.Code? {
        do throws(SslSocketError) {
            try Talk(dialogue).tell(octets, oneByOne: oneByOne)
            return nil
        } catch {
            return error.code
        }
    }

    /// The code of the error that telling this text to a fresh dialogue comes to; nil for none.
    static func failure(_ dialogue: any Dialogue, _ text: String, oneByOne: Bool = true) -> SslSocketError.Code? {
        failure(dialogue, Array(text.utf8), oneByOne: oneByOne)
    }

    /// Checks that a dialogue ends after exactly these octets, whatever pieces they come in, and leaves alone what follows.
    static func expectEnd(
        _ make: () throws -> any Dialogue, after octets: [UInt8], sourceLocation: SourceLocation = #_sourceLocation
    )
        throws
    {
        for count in 0..<octets.count {
            let talk = try Talk(try make())
            try talk.tell(Array(octets.prefix(count)), oneByOne: false)
            #expect(talk.step == .listen, "after \(count) octets", sourceLocation: sourceLocation)
        }
        for oneByOne in [true, false] {
            let talk = try Talk(try make())
            try talk.tell(octets, oneByOne: oneByOne)
            #expect(talk.step == .done, sourceLocation: sourceLocation)
            #expect(talk.leftover.isEmpty, sourceLocation: sourceLocation)
        }
        let talk = try Talk(try make())
        try talk.tell(octets + [1, 2, 3], oneByOne: false)
        #expect(talk.step == .done, sourceLocation: sourceLocation)
        #expect(talk.leftover == [1, 2, 3], sourceLocation: sourceLocation)
    }
}
