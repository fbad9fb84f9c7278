internal import SslBackend
internal import SslTestKit
internal import SslValues
internal import Testing

@testable internal import SslSockets

/// Private keys that live elsewhere and sign through a function.
@Suite struct ExternalKeyTests {
    static let kinds: [SslKeyKind] = [.rsa(bits: 2048), .ec(.secp256r1), .ec(.secp384r1), .ec(.secp521r1), .ed25519, .ed448]

    /// What the functions were asked for.
    private final class Log: Sendable {
        private let entries = Lock<[SslSignatureScheme]>([])
        var schemes: [SslSignatureScheme] { entries.withLock { $0 } }
        func note(_ scheme: SslSignatureScheme) { entries.withLock { $0.append(scheme) } }
    }

    private struct Refusal: Error, CustomStringConvertible {
        var description: String { "the token was pulled out" }
    }

    /// A key that can only sign; the real one, in this process, makes its signatures with a backend that need not be the connection's.
    private func external(_ key: SslKey, log: Log, signer: String, refuses: Bool = false) throws -> SslKey {
        try SslKey(signingFor: key.publicKey) { input, scheme in
            log.note(scheme)
            if refuses { throw Refusal() }
            return try key.sign(digest: input, with: scheme, backend: signer)
        }
    }

    private func configuration(
        _ identity: TestIdentity, _ key: SslKey, backend: String, version: SslProtocol
    ) throws -> SslConfiguration {
        var configuration = try identity.configuration(backend: backend)
        configuration.privateKey = key
        configuration.protocol = version
        return configuration
    }

    private func identity(_ kind: SslKeyKind) throws -> TestIdentity {
        try TestAuthority.makeRoot("External Root").issue(TestAuthority.Leaf(keyKind: kind))
    }

    @Test(arguments: SocketFixture.all, [SslProtocol.tlsV1_2, .tlsV1_3])
    func serversSignThroughTheFunction(_ pair: SocketFixture, _ version: SslProtocol) async throws {
        for kind in Self.kinds {
            let identity = try identity(kind)
            let log = Log()
            let key = try external(identity.key, log: log, signer: pair.client)
            #expect(key.isExternal && key.algorithm == identity.key.algorithm && key == identity.key)
            let server = SslServer(
                configuration: try configuration(identity, key, backend: pair.server, version: version))
            try server.listen(host: "127.0.0.1")
            let accepted = Task {
                let socket = try await server.accept()
                try await socket.send("signed elsewhere")
                await socket.finish()
            }
            var trusting = try identity.trustingConfiguration(backend: pair.client)
            trusting.protocol = version
            let client = SslSocket(configuration: trusting)
            client.connectToHostEncrypted("127.0.0.1", port: server.serverPort, peerVerifyName: identity.host)
            #expect(await client.waitForEncrypted(), "\(kind): \(client.errorString)")
            #expect(try await client.receiveLine() == Array("signed elsewhere".utf8))
            _ = await accepted.result
            server.close()
            #expect(log.schemes.count == 1, "\(kind)")
            // TLS 1.3 has no PKCS#1 signatures in handshakes (RFC 8446 section 4.2.3).
            if version == .tlsV1_3 { #expect(!log.schemes.contains { $0.name.hasPrefix("rsa_pkcs1") }) }
        }
    }

    @Test(arguments: SocketFixture.all, [SslProtocol.tlsV1_2, .tlsV1_3])
    func clientsSignThroughTheFunction(_ pair: SocketFixture, _ version: SslProtocol) async throws {
        let authority = try TestAuthority.makeRoot("External Root")
        let serverIdentity = try authority.issue()
        let clientIdentity = try authority.issue(
            TestAuthority.Leaf(commonName: "A Client", names: [], usages: [SslPurpose.clientAuthentication.objectIdentifier]))
        var serving = try serverIdentity.configuration(backend: pair.server)
        serving.protocol = version
        serving.peerVerifyMode = .verifyPeer
        serving.usesSystemCaCertificates = false
        serving.caCertificates = try clientIdentity.anchorCertificates(backend: pair.server)
        let server = SslServer(configuration: serving)
        try server.listen(host: "127.0.0.1")
        let accepted = Task { () -> [UInt8]? in
            let socket = try await server.accept()
            let subject = socket.peerCertificate?.der
            await socket.finish()
            return subject
        }
        let log = Log()
        let key = try external(clientIdentity.key, log: log, signer: pair.server)
        var configuration = try configuration(clientIdentity, key, backend: pair.client, version: version)
        configuration.usesSystemCaCertificates = false
        configuration.caCertificates = try serverIdentity.anchorCertificates(backend: pair.client)
        let client = SslSocket(configuration: configuration)
        client.connectToHostEncrypted("127.0.0.1", port: server.serverPort, peerVerifyName: serverIdentity.host)
        #expect(await client.waitForEncrypted(), "\(client.errorString)")
        _ = await client.waitForDisconnected()
        #expect(try await accepted.value == clientIdentity.chain[0])
        #expect(log.schemes.count == 1)
        server.close()
    }

    @Test(arguments: SslBackends.available, [SslProtocol.tlsV1_2, .tlsV1_3])
    func aFunctionThatThrowsEndsTheHandshakeWithItsReason(_ backend: String, _ version: SslProtocol) async throws {
        let identity = try identity(.ec(.secp256r1))
        let key = try external(identity.key, log: Log(), signer: backend, refuses: true)
        let server = SslServer(configuration: try configuration(identity, key, backend: backend, version: version))
        let reasons = Lock<[SslSocketError]>([])
        server.onHandshakeFailure { _, error in reasons.withLock { $0.append(error) } }
        try server.listen(host: "127.0.0.1")
        let accepting = Task { _ = try await server.accept() }
        let client = SslSocket(configuration: try identity.trustingConfiguration(backend: backend))
        client.connectToHostEncrypted("127.0.0.1", port: server.serverPort, peerVerifyName: identity.host)
        #expect(!(await client.waitForEncrypted()))
        #expect(client.error?.code == .alertReceived && client.error?.alert == .internalError, "\(client.errorString)")
        while reasons.withLock({ $0.isEmpty }) { await Task.yield() }
        server.close()
        _ = await accepting.result
        let reason = reasons.withLock { $0.first }
        #expect(reason?.code == .handshakeFailed)
        #expect(reason?.message.contains("the token was pulled out") == true, "\(String(describing: reason))")
    }

    @Test(arguments: SslBackends.available) func signaturesFitTheirKeys(_ backend: String) throws {
        let message = Array("to be signed".utf8)
        for kind in Self.kinds {
            let key = try SslKey.generate(kind, backend: backend)
            let mine = SslSignatureScheme.schemes(for: key.algorithm)
            for scheme in mine {
                let signature = try key.sign(message, with: scheme, backend: backend)
                #expect(!signature.isEmpty)
                let viaFunction = try SslKey(signingFor: key.publicKey) {
                    try key.sign(digest: $0, with: $1, backend: backend)
                }
                #expect(try !viaFunction.sign(message, with: scheme, backend: backend).isEmpty, "\(kind) \(scheme)")
            }
            for other in SslSignatureScheme.all
            where !mine.contains(other) && other.name != "rsa_pkcs1_sha1" && other.name != "ecdsa_sha1" {
                #expect(throws: SslSocketError(.unsupportedOperation, "")) {
                    try key.sign(message, with: other, backend: backend)
                }
            }
        }
    }

    @Test(arguments: SslBackends.available) func nothingOfAnExternalKeyIsExported(_ backend: String) throws {
        let identity = try identity(.ec(.secp256r1))
        let key = try external(identity.key, log: Log(), signer: backend)
        #expect(key.der.count == 0 && key.pem.isEmpty && key.type == .privateKey)
        #expect(throws: SslSocketError(.operation, "")) { try key.pem(passphrase: SecretBytes([1])) }
        #expect(throws: SslSocketError(.unsupportedOperation, "")) { try key.handle(for: SslBackends.resolve(backend)).pkcs8() }
        #expect(throws: SslSocketError(.unsupportedOperation, "")) {
            try key.handle(for: SslBackends.resolve(backend)).traditional()
        }
        let bundle = SslKeyBundle(key: key, certificateChain: try identity.credentials().chain)
        #expect(throws: SslSocketError.self) { try bundle.pkcs12(passphrase: SecretBytes([65]), backend: backend) }
    }

    @Test func schemesThatDoNotFitAreRefused() throws {
        let key = try SslKey.generate(.ed25519)
        let rsa = try #require(SslSignatureScheme(name: "rsa_pkcs1_sha256"))
        #expect(throws: SslSocketError(.invalidUserData, "")) {
            try SslKey(signingFor: key.publicKey, schemes: [rsa]) { message, _ in message }
        }
    }
}
