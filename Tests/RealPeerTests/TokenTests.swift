internal import Glibc
internal import SslSockets
internal import SslTestKit
internal import TestProcesses
internal import Testing

extension RealPeers {
    /// Keys and certificates in a PKCS#11 token: SoftHSM's.
    @Suite(.serialized) struct TokenTests {
        static let kinds: [SslKeyKind] = [.rsa(bits: 2048), .ec(.secp256r1)]
        /// The backends that reach tokens, and those that do not.
        static let able = SslBackends.available.filter { SslSocket.isFeatureSupported(.pkcs11, backend: $0) }
        static let unable = SslBackends.available.filter { !SslSocket.isFeatureSupported(.pkcs11, backend: $0) }

        /// A token of this process with an identity of each kind in it.
        private struct Token: Sendable {
            static let pin = "correct horse"
            let folder: ScratchFolder
            let identities: [TestIdentity]

            static func make() async throws -> Token {
                let folder = try ScratchFolder()
                try folder.write("directories.tokendir = \(folder.path)\nlog.level = ERROR\n", to: "softhsm2.conf")
                // The module looks there when the library loads it for the first time.
                unsafe setenv("SOFTHSM2_CONF", folder.file("softhsm2.conf"), 1)
                let tool = try ProgramPath.find("softhsm2-util", package: "softhsm2")
                func run(_ arguments: [String]) async throws {
                    let result = try await ChildProcess.run(tool, arguments)
                    try #require(result.status == 0, "\(arguments): \(result)")
                }
                try await run(["--init-token", "--free", "--label", "sslsocket", "--pin", pin, "--so-pin", "12345678"])
                var identities: [TestIdentity] = []
                for (index, kind) in TokenTests.kinds.enumerated() {
                    var leaf = TestAuthority.Leaf()
                    leaf.keyKind = kind
                    let identity = try TestCertificates.shared().intermediate.issue(leaf)
                    let file = try folder.write(identity.key.pem, to: "key\(index).pem")
                    try await run([
                        "--import", file, "--token", "sslsocket", "--label", "key\(index)", "--id", "0\(index + 1)", "--pin", pin,
                    ])
                    identities.append(identity)
                }
                // Nobody ever logs into this one: a process that has logged in is not asked again.
                try await run(["--init-token", "--free", "--label", "closed", "--pin", pin, "--so-pin", "12345678"])
                try await run([
                    "--import", folder.file("key0.pem"), "--token", "closed", "--label", "key0", "--id", "01", "--pin", pin,
                ])
                return Token(folder: folder, identities: identities)
            }
        }

        private static let shared = Task { try await Token.make() }

        private static func uri(_ index: Int) -> String { "pkcs11:token=sslsocket;object=key\(index);type=private" }

        private static func key(_ index: Int, _ backend: String) throws -> SslKey {
            try SslKey(pkcs11: uri(index), backend: backend) { question in
                #expect(question.tokenLabel == "sslsocket")
                return SecretBytes(Array(Token.pin.utf8))
            }
        }

        @Test(arguments: able, 0..<kinds.count) func aKeySignsAndStaysWhereItIs(_ backend: String, _ index: Int) async throws {
            let identity = try await Self.shared.value.identities[index]
            let key = try Self.key(index, backend)
            #expect(key.publicKeyInfo == identity.key.publicKeyInfo)
            #expect(key.type == .privateKey && key.isExternal && key.algorithm == identity.key.algorithm)
            #expect(key.length == identity.key.length)
            #expect(key.der.count == 0 && key.pem.isEmpty)
            #expect(throws: SslSocketError(.operation, "")) { try key.pem(passphrase: SecretBytes([1])) }
            // It issues, and so it signs properly.
            let root = try SslCertificate.selfSigned(.authority(commonName: "Token CA"), key: key, backend: backend)
            #expect(root.publicKey == identity.key.publicKey)
        }

        @Test(arguments: able, SslBackends.available) func itServesConnections(_ server: String, _ client: String) async throws {
            for (index, identity) in try await Self.shared.value.identities.enumerated() {
                for version in [SslProtocol.tlsV1_2, .tlsV1_3] {
                    var serving = try identity.configuration(backend: server)
                    serving.credentials = [
                        SslCredentials(chain: serving.credentials[0].chain, key: try Self.key(index, server))
                    ]
                    var trusting = try identity.trustingConfiguration(backend: client)
                    trusting.protocol = version
                    let listener = SslServer(configuration: serving)
                    try listener.listen(host: "127.0.0.1")
                    let accepted = Task {
                        let socket = try await listener.accept()
                        try await socket.send("signed by a token")
                        await socket.finish()
                    }
                    let socket = SslSocket(configuration: trusting)
                    socket.connectToHostEncrypted("127.0.0.1", port: listener.serverPort, peerVerifyName: identity.host)
                    #expect(await socket.waitForEncrypted(), "\(version): \(socket.errorString)")
                    #expect(try await socket.receiveLine() == Array("signed by a token".utf8))
                    _ = await accepted.result
                    listener.close()
                }
            }
        }

        @Test(arguments: able) func aWrongPinIsTriedOnceAndNeverShown(_ backend: String) async throws {
            _ = try await Self.shared.value
            let closed = "pkcs11:token=closed;object=key0;type=private"
            let asked = Lock(0)
            let error = #expect(throws: SslSocketError.self) {
                _ = try SslKey(pkcs11: closed, backend: backend) { _ in
                    asked.withLock { $0 += 1 }
                    return SecretBytes(Array("wrong secret".utf8))
                }
            }
            #expect(error?.code == .wrongPassphrase, "\(String(describing: error))")
            #expect(asked.withLock { $0 } == 1)
            #expect(!"\(String(describing: error))".contains("secret"))
            #expect(throws: SslSocketError(.wrongPassphrase, "")) { try SslKey(pkcs11: closed, backend: backend) }
            let hidden = #expect(throws: SslSocketError.self) {
                _ = try SslKey(pkcs11: closed + "?pin-value=hidden", backend: backend)
            }
            #expect(hidden?.code == .wrongPassphrase && !"\(String(describing: hidden))".contains("hidden"))
            // The token is not locked.
            _ = try SslKey(pkcs11: closed, backend: backend) { _ in SecretBytes(Array(Token.pin.utf8)) }
        }

        @Test(arguments: able) func whatIsNotThereIsSaid(_ backend: String) async throws {
            _ = try await Self.shared.value
            #expect(throws: SslSocketError(.unreadableFile, "")) {
                try SslKey(pkcs11: "pkcs11:token=sslsocket;object=nothing;type=private", backend: backend) { _ in
                    SecretBytes(Array(Token.pin.utf8))
                }
            }
            #expect(throws: SslSocketError(.invalidUserData, "")) { try SslKey(pkcs11: "file:/etc/passwd", backend: backend) }
            #expect(throws: SslSocketError(.unreadableFile, "")) {
                try SslCertificate(pkcs11: "pkcs11:token=sslsocket;object=nothing;type=cert", backend: backend)
            }
        }

        @Test(arguments: able) func certificatesAreReadToo(_ backend: String) async throws {
            let token = try await Self.shared.value
            let der = token.identities[0].chain[0]
            let file = try token.folder.write(SslCertificate(der: der).pem, to: "leaf.pem")
            let tool = try ProgramPath.find("p11tool", package: "gnutls-bin")
            let written = try await ChildProcess.run(
                tool,
                [
                    "--batch", "--login", "--set-pin", Token.pin, "--write", "--load-certificate", file, "--label",
                    "leaf",
                    "pkcs11:token=sslsocket",
                ])
            try #require(written.status == 0, "\(written)")
            let certificate = try SslCertificate(pkcs11: "pkcs11:token=sslsocket;object=leaf;type=cert", backend: backend)
            #expect(certificate.der == der)
        }

        @Test(arguments: unable) func aBackendWithoutTokensSaysSo(_ backend: String) async throws {
            let error = #expect(throws: SslSocketError.self) { _ = try SslKey(pkcs11: Self.uri(0), backend: backend) }
            #expect(error?.code == .unsupportedFeature && error?.backend == backend)
            #expect(error?.message.contains(SslFeature.pkcs11.rawValue) == true)
            #expect(throws: SslSocketError(.unsupportedFeature, "")) {
                try SslCertificate(pkcs11: "pkcs11:token=x;type=cert", backend: backend)
            }
            // And a key of another backend does not fit: the configuration is refused.
            guard let able = Self.able.first else { return }
            let identity = try await Self.shared.value.identities[0]
            var configuration = try identity.configuration(backend: backend)
            configuration.credentials = [SslCredentials(chain: configuration.credentials[0].chain, key: try Self.key(0, able))]
            let listener = SslServer(configuration: configuration)
            #expect(throws: SslSocketError(.unsupportedFeature, "")) { try listener.listen(host: "127.0.0.1") }
        }
    }
}
