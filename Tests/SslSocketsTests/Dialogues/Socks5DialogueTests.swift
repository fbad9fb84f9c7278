import Testing

@testable import SslSockets

/// SOCKS 5 as a state machine: RFC 1928 and RFC 1929.
@Suite("The dialogue with a SOCKS 5 proxy")
struct Socks5DialogueTests {
    private func dialogue(_ host: String = "example.org", port: UInt16 = 443, user: String = "", password: String = "") throws
        -> Socks5Dialogue
    {
        let secret = password.isEmpty ? nil : SecretBytes(Array(password.utf8))
        return Socks5Dialogue(
            to: try ProxyTarget(host, port: port), credentials: try ProxyCredentials(user: user, password: secret, for: .socks5))
    }

    private static let accepted: [UInt8] = [5, 0, 0, 1, 10, 0, 0, 1, 4, 56]

    @Test("a name is handed on as a name")
    func names() throws {
        let talk = try Talk(dialogue())
        #expect(talk.takeSaid() == [5, 1, 0])
        try talk.tell([5, 0])
        #expect(talk.takeSaid() == [5, 1, 0, 3, 11] + Array("example.org".utf8) + [1, 0xBB])
        try talk.tell(Self.accepted)
        #expect(talk.step == .done)
        #expect(talk.takeSaid().isEmpty)
    }

    @Test("addresses are handed on as addresses")
    func addresses() throws {
        let four = try Talk(dialogue("192.0.2.7", port: 0x1234))
        try four.tell([5, 0])
        #expect(four.takeSaid() == [5, 1, 0, 5, 1, 0, 1, 192, 0, 2, 7, 0x12, 0x34])
        let six = try Talk(dialogue("2001:db8::1", port: 80))
        try six.tell([5, 0])
        #expect(six.takeSaid() == [5, 1, 0, 5, 1, 0, 4, 0x20, 1, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [1, 0, 80])
    }

    @Test("user and password are given when the proxy chooses them, and only then")
    func credentials() throws {
        let talk = try Talk(dialogue(user: "alice", password: "sésame"))
        #expect(talk.takeSaid() == [5, 2, 0, 2])
        try talk.tell([5, 2])
        #expect(talk.takeSaid() == [1, 5] + Array("alice".utf8) + [7] + Array("sésame".utf8))
        try talk.tell([1, 0])
        #expect(talk.takeSaid().prefix(4) == [5, 1, 0, 3])
        let unasked = try Talk(dialogue(user: "alice", password: "sésame"))
        _ = unasked.takeSaid()
        try unasked.tell([5, 0])
        #expect(unasked.takeSaid().prefix(4) == [5, 1, 0, 3])
    }

    @Test("it ends after the reply, whatever address stands in it, and takes nothing of the tunnel")
    func ends() throws {
        try Talk.expectEnd({ try dialogue() }, after: [5, 0] + Self.accepted)
        try Talk.expectEnd({ try dialogue() }, after: [5, 0, 5, 0, 0, 4] + [UInt8](repeating: 9, count: 18))
        try Talk.expectEnd({ try dialogue() }, after: [5, 0, 5, 0, 0, 3, 4] + Array("host".utf8) + [0, 1])
        try Talk.expectEnd({ try dialogue() }, after: [5, 0, 5, 0, 0, 3, 0, 0, 1])
        try Talk.expectEnd({ try dialogue(user: "a", password: "b") }, after: [5, 2, 1, 0] + Self.accepted)
    }

    @Test("a proxy that wants others, or any, is told from one that refuses the host")
    func wantsCredentials() throws {
        let step = DialogueStep.needsCredentials(realm: "", keepsConnection: false)
        let without = try Talk(dialogue())
        try without.tell([5, 0xFF])
        #expect(without.step == step)
        let wrong = try Talk(dialogue(user: "alice", password: "wrong"))
        try wrong.tell([5, 2, 1, 1])
        #expect(wrong.step == step)
        let other = try Talk(dialogue(user: "alice", password: "wrong"))
        try other.tell([5, 0xFF])
        #expect(other.step == step)
    }

    @Test(
        "each refusal has a meaning",
        arguments: [
            (1, .network), (2, .socketAccess), (3, .network), (4, .hostNotFound), (5, .connectionRefused), (6, .network),
            (7, .unsupportedOperation), (8, .unsupportedOperation), (9, .proxyProtocol), (255, .proxyProtocol),
        ] as [(UInt8, SslSocketError.Code)])
    func refusals(_ reply: UInt8, _ code: SslSocketError.Code) throws {
        // Some close after two octets, so that no more may be waited for.
        #expect(Talk.failure(try dialogue(), [5, 0, 5, reply]) == code)
    }

    @Test("an address that cannot be reached is no name that cannot be found")
    func unreachableAddress() throws {
        #expect(Talk.failure(try dialogue("192.0.2.7"), [5, 0, 5, 4]) == .network)
    }

    @Test(
        "what is no SOCKS 5 is refused at its first wrong octet",
        arguments: [
            [4], [0x48], [5, 1], [5, 2], [5, 0, 4], [5, 0, 5, 0, 1], [5, 0, 5, 0, 0, 2], [5, 0, 5, 0, 0, 5],
        ] as [[UInt8]])
    func malformed(_ octets: [UInt8]) throws {
        #expect(Talk.failure(try dialogue(), Array(octets.dropLast())) == nil)
        #expect(Talk.failure(try dialogue(), octets) == .proxyProtocol)
    }

    @Test("the version of the authentication is 1")
    func authenticationVersion() throws {
        #expect(Talk.failure(try dialogue(user: "a", password: "b"), [5, 2, 5]) == .proxyProtocol)
    }
}
