import SslTestKit
import Testing

@testable import SslSockets

/// Exporters (RFC 5705, RFC 8446 section 7.5) as a socket offers them, in place of `QSslKeyingMaterial`.
@Suite("Keying material of sockets")
struct ParityKeyingMaterialTests {
    private static let label = "EXPERIMENTAL keying material"

    @Test(
        "Both ends export the same octets; another label, context or length gives others", arguments: SocketFixture.all,
        [SslProtocol.tlsV1_2, .tlsV1_3])
    func bothEnds(pair: SocketFixture, version: SslProtocol) async throws {
        try await pair.withPlainPair { socket in
            socket.startServerEncryption()
            #expect(await socket.waitForEncrypted())
            let exports = try Self.exports(socket)
            try await socket.send(exports.flatMap { $0 })
            _ = try await socket.receive()
        } _: { socket in
            #expect(await socket.waitForConnected())
            socket.sslConfiguration.protocol = version
            socket.startClientEncryption()
            #expect(await socket.waitForEncrypted())
            let exports = try Self.exports(socket)
            #expect(exports.map(\.count) == [32, 32, 32, 48])
            // No two agree, not even in what they have in common.
            #expect(Set(exports.map { Array($0.prefix(32)) }).count == 4)
            let expected = exports.flatMap { $0 }
            var received: [UInt8] = []
            while received.count < expected.count {
                let more = try await socket.receive(upTo: expected.count - received.count)
                if more.isEmpty { break }
                received += more
            }
            #expect(received == expected)
            await socket.finish()
            #expect(throws: SslSocketError(.operation, "")) {
                _ = try socket.exportKeyingMaterial(label: Self.label, length: 32)
            }
        }
    }

    @Test("There is none before the handshake")
    func needsEncryption() {
        #expect(throws: SslSocketError(.operation, "")) {
            _ = try SslSocket().exportKeyingMaterial(label: Self.label, length: 32)
        }
    }

    /// The same label with two contexts, another label, and another length.
    private static func exports(_ socket: SslSocket) throws -> [[UInt8]] {
        let secrets = [
            try socket.exportKeyingMaterial(label: label, context: Array("a".utf8), length: 32),
            try socket.exportKeyingMaterial(label: label, context: Array("b".utf8), length: 32),
            try socket.exportKeyingMaterial(label: label + " of another", context: Array("a".utf8), length: 32),
            try socket.exportKeyingMaterial(label: label, context: Array("c".utf8), length: 48),
        ]
        return secrets.map { secret in unsafe secret.withBytes { unsafe Array($0) } }
    }
}
