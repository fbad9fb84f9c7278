import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

/// New keys within a connection (RFC 8446 section 4.6.3).
@Suite("Key updates")
struct KeyUpdateTests {
    /// Counts what a socket's slot hears; it lives in the isolation of the socket.
    private final class Count {
        var value = 0
    }

    @Test(
        "One end changes its keys and asks the other to follow, between octets in both directions", arguments: SocketFixture.all)
    func bothEnds(pair: SocketFixture) async throws {
        try await pair.withPlainPair { socket in
            let heard = Count()
            socket.keysUpdated.connect { _ in heard.value += 1 }
            socket.startServerEncryption()
            #expect(await socket.waitForEncrypted())
            while case let octets = try await socket.receive(), !octets.isEmpty { try await socket.send(octets) }
            #expect(heard.value == 2)
            await socket.finish()
        } _: { socket in
            let heard = Count()
            socket.keysUpdated.connect { _ in heard.value += 1 }
            #expect(await socket.waitForConnected())
            socket.protocol = .tlsV1_3
            #expect(throws: SslSocketError(.operation, "")) { try socket.updateKeys() }
            socket.startClientEncryption()
            #expect(await socket.waitForEncrypted())
            for (text, asks) in [("one", nil), ("two", true), ("three", false)] as [(String, Bool?)] {
                if let asks { try socket.updateKeys(requestsPeer: asks) }
                try await socket.send(text)
                var echo: [UInt8] = []
                while echo.count < text.utf8.count { echo += try await socket.receive() }
                #expect(echo == Array(text.utf8))
            }
            // Only the first of the two asked for it.
            #expect(heard.value == 1)
            try await socket.finishWriting()
            #expect(throws: SslSocketError(.operation, "")) { try socket.updateKeys() }
            await socket.finish()
        }
    }

    @Test("TLS 1.2 has no such thing, and the connection goes on", arguments: SocketFixture.all)
    func olderVersion(pair: SocketFixture) async throws {
        try await pair.withPlainPair { socket in
            socket.startServerEncryption()
            #expect(await socket.waitForEncrypted())
            try await socket.send(try await socket.receive())
            _ = try? await socket.receive()
        } _: { socket in
            #expect(await socket.waitForConnected())
            socket.protocol = .tlsV1_2
            socket.startClientEncryption()
            #expect(await socket.waitForEncrypted())
            #expect(throws: SslSocketError(.unsupportedFeature, "")) { try socket.updateKeys() }
            try await socket.send("hello")
            #expect(try await socket.receive() == Array("hello".utf8))
        }
    }

    @Test("Keys that have encrypted enough records are replaced", arguments: SocketFixture.all, [SslProtocol.tlsV1_2, .tlsV1_3])
    func wornKeys(pair: SocketFixture, version: SslProtocol) throws {
        var configuration = try pair.clientConfiguration()
        configuration.protocol = version
        let pipe = try MemoryPipe(client: configuration, server: try pair.serverConfiguration())
        pipe.run()
        #expect(pipe.client.connection.recordsLeft == TlsConnection.recordsPerKey)
        pipe.client.connection.recordsLeft = 3
        for _ in 0..<3 { pipe.client.write([1]) }
        pipe.run()
        #expect(pipe.server.keyUpdates == 0)
        // Two records at once.
        let sent = [UInt8](repeating: 7, count: 20_000)
        pipe.client.write(sent)
        pipe.run()
        #expect(pipe.server.received == [1, 1, 1] + sent)
        #expect(pipe.server.keyUpdates == (version == .tlsV1_3 ? 1 : 0))
        // The other direction has keys of its own.
        #expect(pipe.client.keyUpdates == 0 && pipe.server.connection.recordsLeft == TlsConnection.recordsPerKey)
        #expect(pipe.converse([2]))
        #expect(pipe.server.keyUpdates <= 1)
    }
}
