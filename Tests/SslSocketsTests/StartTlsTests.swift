import SslTestKit
import Testing

@testable import SslSockets

/// The plain dialogue before TLS, with servers that keep to the script and servers that do not.
@Suite("STARTTLS dialogues")
struct StartTlsTests {
    /// Answers each line of the client with the next text of the script; the first text is the greeting.
    private static func play(_ script: [String], on socket: SslSocket) async throws {
        for (index, text) in script.enumerated() {
            if index > 0 { _ = try await socket.receiveLine(timeout: .seconds(10)) }
            try await socket.send(text)
        }
    }

    private func negotiate(_ kind: SslStartTls, with script: [String]) async throws -> SslSocketError.Code? {
        var code: SslSocketError.Code?
        try await SocketFixture.all[0].withPlainPair { socket in
            try await Self.play(script, on: socket)
            // It waits for what the client does then.
            _ = try? await socket.receive(timeout: .seconds(10))
            await socket.finish()
        } _: { socket in
            #expect(await socket.waitForConnected(timeout: .seconds(10)))
            do {
                try await kind.negotiate(on: socket, timeout: .seconds(10))
            } catch let error as SslSocketError {
                code = error.code
            }
            socket.abort()
        }
        return code
    }

    @Test("a whole connection", arguments: SocketFixture.all)
    func encrypts(_ pair: SocketFixture) async throws {
        try await pair.withPlainPair { socket in
            try await Self.play(
                ["220-mail\r\n220 ready\r\n", "250-mail\r\n250-STARTTLS\r\n250 HELP\r\n", "220 go on\r\n"], on: socket)
            socket.startServerEncryption()
            guard await socket.waitForEncrypted(timeout: .seconds(10)) else { return }
            try await socket.send("250 encrypted\r\n")
            await socket.finish()
        } _: { socket in
            #expect(await socket.waitForConnected(timeout: .seconds(10)))
            try await SslStartTls.smtp.negotiate(on: socket, timeout: .seconds(10))
            socket.startClientEncryption()
            #expect(await socket.waitForEncrypted(timeout: .seconds(10)), "\(socket.errorString)")
            #expect(try await socket.receiveLine(timeout: .seconds(10)) == Array("250 encrypted\r\n".utf8))
        }
    }

    @Test("IMAP, with untagged answers before the tagged one")
    func imap() async throws {
        #expect(try await negotiate(.imap, with: ["* OK ready\r\n", "* CAPABILITY IMAP4rev1\r\ns1 OK begin\r\n"]) == nil)
    }

    @Test("octets beyond the answer are refused")
    func leftovers() async throws {
        let smtp = ["220 ready\r\n", "250 STARTTLS\r\n", "220 go on\r\n250 slipped in\r\n"]
        #expect(try await negotiate(.smtp, with: smtp) == .unexpectedPlaintext)
        #expect(try await negotiate(.imap, with: ["* OK ready\r\n", "s1 OK begin\r\n* BYE\r\n"]) == .unexpectedPlaintext)
    }

    @Test(
        "servers that do not, or answer out of turn",
        arguments: [
            ["554 no\r\n"], ["220 ready\r\n", "250-mail\r\n250 HELP\r\n"],
            ["220 ready\r\n", "250 STARTTLS\r\n", "454 not now\r\n"],
            ["220 ready\r\n", "250 STARTTLS\r\n", "220\r\n250 x\r\n"], ["* OK this is IMAP\r\n"],
            ["220 ready\r\n", "250 STARTTLSX\r\n"],
        ])
    func refusals(_ script: [String]) async throws {
        let code = try await negotiate(.smtp, with: script)
        #expect(code == .handshakeFailed || code == .unexpectedPlaintext)
    }

    @Test("a server that never comes to an end")
    func endless() async throws {
        let talk = String(repeating: "250-more\r\n", count: 1000)
        #expect(try await negotiate(.smtp, with: ["220 ready\r\n", talk]) == .handshakeFailed)
    }

    @Test("a server that says nothing")
    func silent() async throws {
        try await SocketFixture.all[0].withPlainPair { socket in
            _ = try? await socket.receive(timeout: .seconds(10))
        } _: { socket in
            #expect(await socket.waitForConnected(timeout: .seconds(10)))
            await #expect(throws: SslSocketError(.socketTimeout, "")) {
                try await SslStartTls.smtp.negotiate(on: socket, timeout: .milliseconds(50))
            }
        }
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
