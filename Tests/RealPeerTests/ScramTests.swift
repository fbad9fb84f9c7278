internal import FoundationEssentials
internal import SslBackend
internal import SslSockets
internal import SslTestKit
internal import TestProcesses
internal import Testing

/// A client's half of SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677).
private struct Scram {
    private let backend: any TlsBackend
    private let binding: [UInt8]
    private let password: String
    private let nonce = "fyko+d2lbbFgONRv9qkxdawL"
    private static let header = "p=tls-server-end-point,,"
    private var expected: [UInt8] = []

    init(password: String, binding: [UInt8], backend: String) throws {
        self.password = password
        self.binding = binding
        self.backend = try SslBackends.named(backend)
    }

    private var bare: String { "n=,r=\(nonce)" }
    /// The first message.
    var first: String { Self.header + bare }

    /// The second message, for the server's first.
    mutating func final(_ challenge: String) throws -> String {
        let parts = challenge.split(separator: ",").map { $0.dropFirst(2) }
        #expect(challenge.hasPrefix("r=\(nonce)"))
        let salt = Array(try #require(Data(base64Encoded: String(parts[1]))))
        let rounds = try #require(Int(parts[2]))
        let salted = try backend.deriveKey(
            .sha256, passphrase: SecretBytes(Array(password.utf8)), salt: salt, iterations: rounds, length: 32)
        let saltedKey = unsafe salted.withBytes { unsafe [UInt8]($0) }
        let proven = "c=" + Data(Array(Self.header.utf8) + binding).base64EncodedString() + ",r=\(parts[0])"
        let message = Array("\(bare),\(challenge),\(proven)".utf8)
        let clientKey = try hmac(saltedKey, Array("Client Key".utf8))
        let signature = try hmac(try hash(clientKey), message)
        expected = try hmac(try hmac(saltedKey, Array("Server Key".utf8)), message)
        return proven + ",p=" + Data(zip(clientKey, signature).map { $0 ^ $1 }).base64EncodedString()
    }

    /// The server has proven that it knows the password too.
    func isRight(_ verifier: String) -> Bool { verifier == "v=" + Data(expected).base64EncodedString() }

    private func hash(_ octets: [UInt8]) throws -> [UInt8] { try #require(backend.digest(octets, .sha256)) }

    private func hmac(_ key: [UInt8], _ octets: [UInt8]) throws -> [UInt8] {
        let padded = key + [UInt8](repeating: 0, count: 64 - key.count)
        return try hash(padded.map { $0 ^ 0x5C } + hash(padded.map { $0 ^ 0x36 } + octets))
    }
}

/// As much of PostgreSQL's protocol as a log-in needs.
private struct PostgresLogin {
    let socket: SslSocket

    private static func number(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }

    func start(user: String) async throws {
        let body = [0, 3, 0, 0] + Array("user\0\(user)\0database\0postgres\0\0".utf8)
        try await socket.send(Self.number(body.count + 4) + body)
    }

    func send(_ kind: Character, _ body: [UInt8]) async throws {
        try await socket.send([kind.asciiValue ?? 0] + Self.number(body.count + 4) + body)
    }

    /// The first message of SASL, with its mechanism and its length.
    func begin(_ mechanism: String, _ message: String) async throws {
        try await send("p", Array("\(mechanism)\0".utf8) + Self.number(message.utf8.count) + Array(message.utf8))
    }

    func receive() async throws -> (kind: Character, body: [UInt8]) {
        let head = try await take(5)
        let length = head[1...].reduce(0) { $0 << 8 | Int($1) }
        return (Character(UnicodeScalar(head[0])), try await take(length - 4))
    }

    private func take(_ count: Int) async throws -> [UInt8] {
        while socket.bytesAvailable < count {
            guard await socket.waitForReadyRead() else { throw try #require(socket.error) }
        }
        return socket.read(count)
    }
}

extension RealPeers {
    /// A password proven to PostgreSQL and bound to the connection, so that nobody in between can pass the proof on.
    @Suite(.enabled(if: HeavyPeers.areWanted, Comment(rawValue: HeavyPeers.reason))) struct ScramTests {
        /// Logs in; `twist` changes what the connection is bound to. The last answer that counts.
        private func login(
            _ cell: Cell, _ server: StartTlsServer, _ files: CertificateFiles, password: String,
            twist: ([UInt8]) -> [UInt8] = { $0 }
        ) async throws -> (kind: Character, text: String) {
            let socket = SslSocket(configuration: try cell.client(trusting: files.identity))
            socket.connectToHostEncrypted(
                "127.0.0.1", port: server.port, startTls: .postgres, peerVerifyName: TestIdentity.defaultHost)
            guard await socket.waitForEncrypted() else { throw try #require(socket.error) }
            #expect(socket.sessionProtocol == SslProtocol(exactly: cell.version))
            let binding = try socket.channelBinding(.tlsServerEndPoint)
            #expect(binding == socket.peerCertificate?.digest(.sha256))
            var scram = try Scram(password: password, binding: twist(binding), backend: cell.backend)
            let login = PostgresLogin(socket: socket)
            try await login.start(user: "postgres")
            let offer = try await login.receive()
            #expect(offer.kind == "R" && Array(offer.body.prefix(4)) == [0, 0, 0, 10])
            let mechanisms = offer.body.dropFirst(4).split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            #expect(mechanisms.contains("SCRAM-SHA-256-PLUS"))
            try await login.begin("SCRAM-SHA-256-PLUS", scram.first)
            let challenge = try await login.receive()
            guard challenge.kind == "R" else { return (challenge.kind, String(decoding: challenge.body, as: UTF8.self)) }
            try await login.send("p", Array(scram.final(String(decoding: challenge.body.dropFirst(4), as: UTF8.self)).utf8))
            let verdict = try await login.receive()
            let text = String(decoding: verdict.body.dropFirst(verdict.kind == "R" ? 4 : 0), as: UTF8.self)
            if verdict.kind == "R" {
                #expect(scram.isRight(text))
                let welcome = try await login.receive()
                #expect(welcome.kind == "R" && welcome.body == [0, 0, 0, 0])
            }
            socket.abort()
            return (verdict.kind, text)
        }

        @Test(arguments: [TestCertificate.valid, .rsa]) func postgres(_ kind: TestCertificate) async throws {
            let files = try CertificateFiles(kind)
            let server = try await StartTlsServer.postgres(files, password: "pencil")
            for cell in Cell.all {
                let good = try await login(cell, server, files, password: "pencil")
                #expect(good.kind == "R", "\(cell): \(good.text)")
                let elsewhere = try await login(cell, server, files, password: "pencil") { [$0[0] ^ 1] + $0.dropFirst() }
                #expect(elsewhere.kind == "E" && elsewhere.text.contains("channel binding"), "\(cell): \(elsewhere.text)")
                let wrong = try await login(cell, server, files, password: "crayon")
                #expect(wrong.kind == "E" && wrong.text.contains("28P01"), "\(cell): \(wrong.text)")
            }
        }
    }
}
