import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

/// A pair of backends and the only version both ends allow.
struct VersionedPair: Sendable, CustomTestStringConvertible {
    var pair: SocketFixture
    var version: SslVersion

    static let all = SocketFixture.all.flatMap { pair in
        [SslVersion.tls1_2, .tls1_3].map { VersionedPair(pair: pair, version: $0) }
    }

    var testDescription: String { "\(pair.client) to \(pair.server) \(version)" }

    /// A handshake between a server with settings of the test's and a client that the test drives; then, if it succeeded, a word in each
    /// direction. Neither end goes on before the other was looked at.
    func run(
        server: @escaping @Sendable (SslSocket) throws -> Void, outcome: @escaping @Sendable (SslSocket) throws -> Void,
        client body: (SslSocket) async throws -> Void
    ) async throws {
        let version = version
        try await pair.withPlainPair { socket in
            socket.sslConfiguration.protocol = SslProtocol(exactly: version)
            try server(socket)
            socket.startServerEncryption()
            _ = await socket.waitForEncrypted()
            try outcome(socket)
            guard socket.isEncrypted else { return }
            let word = try await socket.receive()
            #expect(word == Array("ping".utf8))
            try await socket.send("pong")
            await socket.finish()
        } _: { socket in
            socket.sslConfiguration.protocol = SslProtocol(exactly: version)
            #expect(await socket.waitForConnected())
            try await body(socket)
            guard socket.isEncrypted else { return }
            try await socket.send("ping")
            let word = try await socket.receive()
            #expect(word == Array("pong".utf8))
            await socket.finish()
        }
    }
}

@Suite("Pre-shared keys")
struct PreSharedKeyTests {
    static let secret = SecretBytes(Array("sixteen octets!!".utf8))
    static let wrongSecret = SecretBytes(Array("sixteen octets??".utf8))
    static let identity = Array("Client #1".utf8)

    static func key() throws -> SslPreSharedKey { try SslPreSharedKey(identity: identity, key: secret) }

    /// What a slot does, and the mode of verification.
    enum Row: CaseIterable, Sendable {
        case notHandled, empty, wrongBoth, wrongIdentity, wrongKey, right, rightIgnoring, rightVerifyNone

        var succeeds: Bool { self == .right || self == .rightIgnoring || self == .rightVerifyNone }
    }

    @Test("A client that is asked by the signal", arguments: VersionedPair.all, Row.allCases)
    func connecting(cell: VersionedPair, row: Row) async throws {
        try await cell.run { socket in
            socket.sslConfiguration.preSharedKeys = [try Self.key()]
            socket.sslConfiguration.credentials = []
            socket.sslConfiguration.preSharedKeyIdentityHint = [0xC4, 0x80, 0xFF]
        } outcome: { socket in
            #expect(socket.isEncrypted == row.succeeds)
            #expect(socket.isPreSharedKeyUsed == row.succeeds)
            guard row.succeeds else { return }
            #expect(socket.preSharedKeyIdentity == Self.identity)
        } client: { socket in
            var questions: [[UInt8]] = []
            var errors = 0
            if row == .rightVerifyNone { socket.sslConfiguration.peerVerifyMode = .verifyNone }
            if row == .rightIgnoring { socket.peerVerifyError.connect { socket, _ in socket.ignoreSslErrors() } }
            socket.sslErrors.connect { _, _ in errors += 1 }
            if row != .notHandled {
                socket.preSharedKeyAuthenticationRequired.connect { _, authenticator in
                    questions.append(authenticator.identityHint)
                    #expect(authenticator.identity.isEmpty && authenticator.preSharedKey.count == 0)
                    if row == .empty { return }
                    authenticator.identity = row == .wrongBoth || row == .wrongIdentity ? Array("nobody".utf8) : Self.identity
                    authenticator.preSharedKey = row == .wrongBoth || row == .wrongKey ? Self.wrongSecret : Self.secret
                }
            }
            socket.startClientEncryption()
            let isEncrypted = await socket.waitForEncrypted()
            #expect(isEncrypted == row.succeeds, "\(socket.errorString)")
            // The hint is known only where the server speaks before the question.
            let hint = cell.version == .tls1_2 ? [UInt8]([0xC4, 0x80, 0xFF]) : []
            #expect(questions == (row == .notHandled ? [] : [hint]))
            #expect(errors == 0)
            #expect(socket.isPreSharedKeyUsed == row.succeeds)
            guard row.succeeds else {
                #expect(socket.error?.code == (row == .empty ? .handshakeFailed : .alertReceived))
                return
            }
            #expect(socket.preSharedKeyIdentity == Self.identity)
            #expect(socket.peerCertificate == nil && socket.sslHandshakeErrors.isEmpty && !socket.isSessionResumed)
        }
    }

    @Test("A server that is asked by the signal", arguments: VersionedPair.all)
    func serving(cell: VersionedPair) async throws {
        try await cell.run { socket in
            socket.sslConfiguration.preSharedKeyIdentityHint = Array("the hint".utf8)
            var questions = 0
            socket.preSharedKeyAuthenticationRequired.connect { _, authenticator in
                questions += 1
                #expect(questions == 1)
                #expect(authenticator.identity == Self.identity)
                #expect(authenticator.identityHint == Array("the hint".utf8))
                #expect(authenticator.maximumIdentityLength == 0 && authenticator.maximumPreSharedKeyLength == 256)
                authenticator.preSharedKey = Self.secret
            }
        } outcome: { socket in
            #expect(socket.isPreSharedKeyUsed && socket.preSharedKeyIdentity == Self.identity)
        } client: { socket in
            socket.sslConfiguration.preSharedKeys = [try Self.key()]
            var questions = 0
            socket.preSharedKeyAuthenticationRequired.connect { _, _ in questions += 1 }
            socket.startClientEncryption()
            #expect(await socket.waitForEncrypted(), "\(socket.errorString)")
            #expect(socket.isPreSharedKeyUsed && socket.peerCertificate == nil)
            #expect(questions == 0, "the configuration has the key")
        }
    }

    @Test("A server's slot that sets no key refuses the client", arguments: VersionedPair.all)
    func refusing(cell: VersionedPair) async throws {
        try await cell.run { socket in
            socket.preSharedKeyAuthenticationRequired.connect { _, _ in }
        } outcome: { socket in
            #expect(!socket.isEncrypted && socket.error?.code == .handshakeFailed)
            #expect(socket.error?.alert == (cell.version == .tls1_2 ? .badRecordMac : .illegalParameter))
        } client: { socket in
            socket.sslConfiguration.preSharedKeys = [try Self.key()]
            socket.startClientEncryption()
            #expect(!(await socket.waitForEncrypted()))
            #expect(socket.error?.alert == (cell.version == .tls1_2 ? .badRecordMac : .illegalParameter))
        }
    }

    @Test("A server without certificate looks keys up", arguments: VersionedPair.all)
    func lookingUp(cell: VersionedPair) async throws {
        var configuration = SslConfiguration()
        configuration.backend = cell.pair.server
        configuration.protocol = SslProtocol(exactly: cell.version)
        let server = SslServer(configuration: configuration)
        #expect(throws: SslSocketError.self) { try server.listen(host: "127.0.0.1") }
        server.selectPreSharedKey { identity in
            identity == Self.identity ? try? Self.key() : nil
        }
        try server.listen(host: "127.0.0.1")
        defer { server.close() }
        let running = Task {
            try await server.run { socket in
                _ = try? await socket.receive()
                if let name = socket.preSharedKeyIdentity { try? await socket.send(name) }
                await socket.finish()
            }
        }
        var client = SslConfiguration()
        client.backend = cell.pair.client
        client.protocol = SslProtocol(exactly: cell.version)
        client.preSharedKeys = [try Self.key()]
        let socket = try await SslSocket.connect(to: "127.0.0.1", port: server.serverPort, configuration: client)
        #expect(socket.isPreSharedKeyUsed)
        try await socket.send("who am I?")
        let name = try await socket.receive()
        #expect(name == Self.identity)
        await socket.finish()
        server.close()
        try await running.value
    }

    @Test(
        "The connection can be ended inside the question, at either end, and begun anew", arguments: VersionedPair.all,
        [true, false])
    func ending(cell: VersionedPair, atClient: Bool) async throws {
        try await cell.run { socket in
            socket.sslConfiguration.credentials = []
            socket.preSharedKeyAuthenticationRequired.connect { socket, authenticator in
                authenticator.preSharedKey = Self.secret
                if !atClient { socket.abort() }
            }
        } outcome: { socket in
            #expect(!socket.isEncrypted && socket.state == .unconnected)
        } client: { socket in
            var alerts = 0
            socket.alertSent.connect { _, _ in alerts += 1 }
            socket.preSharedKeyAuthenticationRequired.connect { socket, authenticator in
                authenticator.identity = Self.identity
                authenticator.preSharedKey = Self.secret
                guard atClient else { return }
                socket.abort()
                // Port 9 of this host has nobody behind it; what matters is that a new connection begins undisturbed.
                socket.connectToHost("127.0.0.1", port: 9)
            }
            socket.startClientEncryption()
            #expect(!(await socket.waitForEncrypted()))
            if atClient {
                #expect(alerts == 0)
                if socket.state != .unconnected { #expect(!(await socket.waitForConnected())) }
                #expect(socket.error?.code == .connectionRefused)
            }
            #expect(socket.state == .unconnected)
        }
    }

    @Test("A value beyond the limits is an error that says so", arguments: VersionedPair.all, [0, 1, 2])
    func limits(cell: VersionedPair, way: Int) async throws {
        try await cell.run { socket in
            socket.sslConfiguration.preSharedKeys = [try Self.key()]
        } outcome: { socket in
            #expect(!socket.isEncrypted)
        } client: { socket in
            socket.preSharedKeyAuthenticationRequired.connect { _, authenticator in
                #expect(authenticator.maximumIdentityLength == 128 && authenticator.maximumPreSharedKeyLength == 256)
                authenticator.identity = way == 0 ? [UInt8](repeating: 65, count: 129) : way == 1 ? [65, 0, 66] : Self.identity
                authenticator.preSharedKey = way == 2 ? SecretBytes([UInt8](repeating: 1, count: 257)) : Self.secret
            }
            socket.startClientEncryption()
            #expect(!(await socket.waitForEncrypted()))
            #expect(socket.error?.code == .invalidUserData, "\(socket.errorString)")
        }
    }

    @Test("The longest identity and the longest key work", arguments: VersionedPair.all)
    func longest(cell: VersionedPair) async throws {
        // No text in any encoding: they are octets.
        let identity = [UInt8](repeating: 0xC4, count: 128)
        let key = try SslPreSharedKey(identity: identity, key: SecretBytes([UInt8](repeating: 7, count: 256)))
        try await cell.run { socket in
            socket.sslConfiguration.preSharedKeys = [key]
        } outcome: { socket in
            #expect(socket.preSharedKeyIdentity == identity)
        } client: { socket in
            socket.sslConfiguration.preSharedKeys = [key]
            socket.startClientEncryption()
            #expect(await socket.waitForEncrypted(), "\(socket.errorString)")
            #expect(socket.preSharedKeyIdentity == identity)
        }
    }

    @Test(
        "RSA with a key: the right one sends no alerts, the wrong one bad_record_mac", arguments: SocketFixture.all,
        [true, false])
    func rsa(pair: SocketFixture, isRight: Bool) async throws {
        let cell = VersionedPair(pair: pair, version: .tls1_2)
        let identity = try TestCertificates.shared().identity(.rsa)
        try await cell.run { socket in
            socket.sslConfiguration.credentials = [try identity.credentials(backend: pair.server)]
            try socket.sslConfiguration.setCiphers("TLS_RSA_PSK_WITH_AES_128_GCM_SHA256")
            socket.sslConfiguration.preSharedKeys = [try Self.key()]
            socket.alertSent.connect { _, alert in
                if alert.type != .closeNotify { #expect(!isRight && alert == SslAlert(.fatal, .badRecordMac)) }
            }
        } outcome: { socket in
            #expect(socket.isPreSharedKeyUsed == isRight)
        } client: { socket in
            try socket.sslConfiguration.setCiphers("TLS_RSA_PSK_WITH_AES_128_GCM_SHA256")
            var alerts: [SslAlert] = []
            socket.alertReceived.connect { _, alert in alerts.append(alert) }
            socket.preSharedKeyAuthenticationRequired.connect { _, authenticator in
                authenticator.identity = Self.identity
                authenticator.preSharedKey = isRight ? Self.secret : Self.wrongSecret
            }
            socket.startClientEncryption()
            #expect(await socket.waitForEncrypted() == isRight)
            #expect(socket.isPreSharedKeyUsed == isRight)
            if isRight {
                #expect(alerts.isEmpty && socket.peerCertificate != nil)
            } else {
                #expect(alerts == [SslAlert(.fatal, .badRecordMac)])
            }
        }
    }

    @Test(
        "With both versions allowed the question comes once, before the ClientHello", arguments: SocketFixture.all, [true, false])
    func bothVersions(pair: SocketFixture, serverHasTls13: Bool) async throws {
        try await pair.withPlainPair { socket in
            socket.sslConfiguration.preSharedKeys = [try Self.key()]
            socket.sslConfiguration.preSharedKeyIdentityHint = Array("the hint".utf8)
            // A second ClientHello repeats the offer.
            socket.sslConfiguration.groups = [.secp384r1]
            if !serverHasTls13 { socket.sslConfiguration.protocol = .tlsV1_2 }
            socket.startServerEncryption()
            #expect(await socket.waitForEncrypted(), "\(socket.errorString)")
            _ = try? await socket.receive()
            await socket.finish()
        } _: { socket in
            #expect(await socket.waitForConnected())
            var hints: [[UInt8]] = []
            socket.preSharedKeyAuthenticationRequired.connect { _, authenticator in
                hints.append(authenticator.identityHint)
                authenticator.identity = Self.identity
                authenticator.preSharedKey = Self.secret
            }
            socket.startClientEncryption()
            #expect(await socket.waitForEncrypted(), "\(socket.errorString)")
            #expect(hints == [[]])
            #expect(socket.isPreSharedKeyUsed)
            #expect(socket.sessionProtocol == (serverHasTls13 ? .tlsV1_3 : .tlsV1_2))
            try await socket.send("done")
            let end = try await socket.receive()
            #expect(end.isEmpty)
        }
    }

    @Test("A client with a key never resumes", arguments: VersionedPair.all)
    func noResumption(cell: VersionedPair) async throws {
        let server = SslServer(configuration: try cell.pair.serverConfiguration())
        server.sslConfiguration.preSharedKeys = [try Self.key()]
        server.sslConfiguration.peerVerifyMode = .verifyNone
        try server.listen(host: "127.0.0.1")
        let running = Task {
            try await server.run { socket in
                _ = try? await socket.receive()
                try? await socket.send("pong")
                await socket.finish()
            }
        }
        var client = try cell.pair.clientConfiguration()
        client.protocol = SslProtocol(exactly: cell.version)
        client.peerVerifyMode = .verifyNone
        client.preSharedKeys = [try Self.key()]
        for _ in 0..<2 {
            let socket = try await SslSocket.connect(to: "127.0.0.1", port: server.serverPort, configuration: client)
            #expect(socket.isPreSharedKeyUsed && !socket.isSessionResumed)
            try await socket.send("ping")
            _ = try await socket.receive()
            client.sessionTicket = socket.sessionTicket
            await socket.finish()
        }
        server.close()
        try await running.value
    }

    @Test("A key bound to SHA-384 works or is refused by name", arguments: SslBackends.available)
    func sha384(backend: String) throws {
        var configuration = SslConfiguration()
        configuration.backend = backend
        configuration.preSharedKeys = [try SslPreSharedKey(identity: "a", key: Self.secret, hash: .sha384)]
        let lacks = try SslBackends.named(backend).capabilities.lacks[.pskSha384] != nil
        do throws(SslSocketError) {
            try configuration.validate(for: .client)
            #expect(!lacks)
        } catch {
            #expect(lacks && error.code == .unsupportedFeature && error.message.contains(backend))
        }
        // TLS 1.2 binds a key to nothing.
        configuration.protocol = .tlsV1_2
        try configuration.validate(for: .client)
    }

    @Test("A client with two keys, and a hint that is too long, are errors", arguments: SslBackends.available)
    func settings(backend: String) throws {
        var configuration = SslConfiguration()
        #expect(configuration.preSharedKeys.isEmpty && configuration.preSharedKeyIdentityHint.isEmpty)
        configuration.backend = backend
        configuration.preSharedKeys = [try Self.key(), try SslPreSharedKey(identity: "another", key: Self.secret)]
        #expect(throws: SslSocketError(.invalidUserData, "")) { try configuration.validate(for: .client) }
        try configuration.validate(for: .server)
        configuration.preSharedKeyIdentityHint = [UInt8](repeating: 65, count: 129)
        #expect(throws: SslSocketError(.invalidUserData, "")) { try configuration.validate(for: .server) }
        configuration.preSharedKeyIdentityHint = [0]
        #expect(throws: SslSocketError(.invalidUserData, "")) { try configuration.validate(for: .server) }
    }

    @Test("A key's own limits")
    func values() throws {
        let key = try Self.key()
        #expect(key.identity == Self.identity && key.key == Self.secret && key.hash == .sha256)
        #expect(try key == SslPreSharedKey(identity: "Client #1", key: SecretBytes(Array("sixteen octets!!".utf8))))
        #expect(try key != SslPreSharedKey(identity: "Client #1", key: Self.wrongSecret))
        #expect(try key != SslPreSharedKey(identity: "Client #2", key: Self.secret))
        #expect(try key != SslPreSharedKey(identity: "Client #1", key: Self.secret, hash: .sha384))
        for identity in [[], [0], [UInt8](repeating: 65, count: 129)] {
            #expect(throws: SslSocketError(.invalidUserData, "")) { try SslPreSharedKey(identity: identity, key: Self.secret) }
        }
        for count in [0, 257] {
            #expect(throws: SslSocketError(.invalidUserData, "")) {
                try SslPreSharedKey(identity: "a", key: SecretBytes([UInt8](repeating: 1, count: count)))
            }
        }
        #expect(throws: SslSocketError(.invalidUserData, "")) {
            try SslPreSharedKey(identity: "a", key: Self.secret, hash: .sha512)
        }
        #expect(!"\(key)".contains("sixteen") && !String(reflecting: key).contains("sixteen"))
    }

    @Test("The suites that need a key say so")
    func suites() throws {
        for suite in SslCipher.preSharedKeyDefaults { #expect(suite.needsPreSharedKey) }
        for suite in SslCipher.defaults { #expect(!suite.needsPreSharedKey) }
        let rsa = try #require(SslCipher(name: "TLS_RSA_PSK_WITH_AES_128_GCM_SHA256"))
        #expect(rsa.needsPreSharedKey && rsa.authenticationMethod == "RSA")
        for backend in SslBackends.all {
            for suite in SslCipher.preSharedKeyDefaults { #expect(backend.capabilities.cipherSuites.contains(suite)) }
        }
    }
}
