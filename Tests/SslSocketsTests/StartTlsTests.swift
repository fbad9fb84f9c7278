import SslTestKit
import Testing

@testable import SslSockets

/// The plain dialogue before TLS over sockets, with servers that keep to the script and servers that do not.
@Suite("STARTTLS")
struct StartTlsTests {
    /// What an honest server of each kind says: the first text without being asked, each other after one message of the client.
    static let scripts: [SslStartTls: [String]] = [
        .smtp: ["220-mail\r\n220 ready\r\n", "250-mail\r\n250-STARTTLS\r\n250 HELP\r\n", "220 go on\r\n"],
        .imap: ["* OK ready\r\n", "* CAPABILITY IMAP4rev1\r\ns1 OK begin\r\n"],
        .pop3: ["+OK ready\r\n", "+OK begin\r\n"],
        .xmpp: [
            "",
            "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
                + "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>",
            "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
        ],
        .ftp: ["220-files\r\nhave fun\r\n220 ready\r\n", "234 begin\r\n"],
        .postgres: ["", "S"],
        .ldap: ["", "\u{30}\u{0c}\u{02}\u{01}\u{01}\u{78}\u{07}\u{0a}\u{01}\u{00}\u{04}\u{00}\u{04}\u{00}"],
    ]

    /// Says the next text of the script each time the client has said something.
    static func play(_ script: [String], on socket: SslSocket) async throws {
        for (index, text) in script.enumerated() {
            if index > 0 { guard !(try await socket.receive(timeout: .seconds(10))).isEmpty else { return } }
            if !text.isEmpty { try await socket.send(text) }
        }
    }

    /// What comes of a server that plays this script instead.
    private func failure(
        _ kind: SslStartTls, with script: [String], timeout: Duration = .seconds(10)
    ) async throws -> SslSocketError? {
        var failure: SslSocketError?
        try await SocketFixture.all[0].withPlainPair { socket in
            try? await Self.play(script, on: socket)
            // It waits for what the client does then.
            _ = try? await socket.receive(timeout: .seconds(10))
            await socket.finish()
        } _: { socket in
            #expect(await socket.waitForConnected(timeout: .seconds(10)))
            socket.startClientEncryption(after: kind)
            #expect(!(await socket.waitForEncrypted(timeout: timeout)))
            failure = socket.error
        }
        return failure
    }

    @Test("a whole connection, async", arguments: SocketFixture.all, SslStartTls.allCases)
    func encrypts(_ pair: SocketFixture, _ kind: SslStartTls) async throws {
        let script = try #require(Self.scripts[kind])
        try await pair.withPlainPair { socket in
            try await Self.play(script, on: socket)
            socket.startServerEncryption()
            guard await socket.waitForEncrypted(timeout: .seconds(10)) else { return }
            let secret = try await socket.receiveLine(timeout: .seconds(10))
            #expect(secret == Array("secret\n".utf8))
            try await socket.send("encrypted\r\n")
            await socket.finish()
        } _: { socket in
            #expect(await socket.waitForConnected(timeout: .seconds(10)))
            socket.startClientEncryption(after: kind)
            // It does not leave before it can leave encrypted.
            socket.write("secret\n")
            #expect(await socket.waitForEncrypted(timeout: .seconds(10)), "\(socket.errorString)")
            let answer = try await socket.receiveLine(timeout: .seconds(10))
            #expect(answer == Array("encrypted\r\n".utf8))
        }
    }

    @Test("octets beyond the last answer are refused", arguments: SslStartTls.allCases)
    func leftovers(_ kind: SslStartTls) async throws {
        var script = try #require(Self.scripts[kind])
        script[script.count - 1] += "slipped in\r\n"
        #expect(try await failure(kind, with: script)?.code == .unexpectedPlaintext)
    }
}

/// One direction ends and the other goes on.
@Suite("Half-closed connections")
struct HalfCloseTests {
    @Test("what comes after close_notify of the other end still arrives", arguments: SocketFixture.all)
    func answersAfterTheEnd(_ pair: SocketFixture) async throws {
        try await pair.withPlainPair { socket in
            socket.allowsHalfClosure = true
            socket.startServerEncryption()
            guard await socket.waitForEncrypted(timeout: .seconds(10)) else { return }
            var all: [UInt8] = []
            while case let octets = try await socket.receive(timeout: .seconds(10)), !octets.isEmpty { all += octets }
            try await socket.send(Array(all.reversed()), timeout: .seconds(10))
            await socket.finish()
        } _: { socket in
            #expect(await socket.waitForConnected(timeout: .seconds(10)))
            socket.startClientEncryption()
            #expect(await socket.waitForEncrypted(timeout: .seconds(10)), "\(socket.errorString)")
            try await socket.send("abc")
            try await socket.finishWriting(timeout: .seconds(10))
            #expect(socket.write("more") == -1)
            #expect(try await socket.receive(timeout: .seconds(10)) == Array("cba".utf8))
            #expect(try await socket.receive(timeout: .seconds(10)).isEmpty)
        }
    }

    @Test("finishing needs an encrypted connection")
    func needsEncryption() async throws {
        let socket = SslSocket()
        await #expect(throws: SslSocketError(.operation, "")) { try await socket.finishWriting() }
    }
}
