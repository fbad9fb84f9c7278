internal import SslSockets
internal import SslTestKit
internal import TestProcesses
internal import Testing

@testable internal import sslsocket

/// A script can tell from the exit status what happened.
@Suite struct ExitStatusTests {
    @Test(arguments: Tool.pairs) func aGoodConnectionIsZero(_ pair: Pair) async throws {
        let server = try await ToolServer(backend: pair.server)
        let client = try await Tool.run(["connect", server.endpoint, "--backend", pair.client] + server.trust)
        #expect(client.status == 0, "\(client)")
        #expect(client.text.contains("verified  yes"))
    }

    @Test(arguments: Tool.backends) func anUntrustedCertificateIsTwo(_ backend: String) async throws {
        let server = try await ToolServer(backend: backend)
        let client = try await Tool.run(["connect", server.endpoint, "--backend", backend])
        #expect(client.status == 2, "\(client)")
        #expect(client.errorText.contains("unableToGetLocalIssuerCertificate"))
    }

    @Test(arguments: Tool.backends) func aWrongNameIsTwo(_ backend: String) async throws {
        let server = try await ToolServer(backend: backend)
        let client = try await Tool.run(
            ["connect", server.endpoint, "--backend", backend, "--name", "other.example.test"] + server.trust)
        #expect(client.status == 2, "\(client)")
        #expect(client.errorText.contains("hostNameMismatch"))
    }

    @Test(arguments: Tool.pairs) func noCommonVersionIsFour(_ pair: Pair) async throws {
        let server = try await ToolServer(["--min-tls", "1.3"], backend: pair.server)
        let client = try await Tool.run(
            ["connect", server.endpoint, "--backend", pair.client, "--max-tls", "1.2"] + server.trust)
        #expect(client.status == 4, "\(client)")
    }

    @Test func nobodyThereIsFive() async throws {
        let client = try await Tool.run(["connect", "127.0.0.1:\(LocalPort.free())"])
        #expect(client.status == 5, "\(client)")
    }

    @Test func anUnknownHostIsFive() async throws {
        let client = try await Tool.run(["connect", "no-such-host.invalid:443"])
        #expect(client.status == 5, "\(client)")
    }

    @Test func aSilentServerIsFive() async throws {
        let port = try SilentPort()
        let client = try await Tool.run(["connect", "127.0.0.1:\(port.number)", "--timeout", "0.3"])
        #expect(client.status == 5, "\(client)")
        #expect(client.errorText.contains("handshake"))
    }

    @Test(arguments: [
        ["connect"], ["connect", "localhost"], ["connect", "::1:443"], ["connect", "localhost:0"],
        ["connect", "localhost:65536"],
        ["connect", "localhost:443", "--proxy", "localhost:1080"], ["connect", "localhost:443", "--starttls", "gopher"],
        ["connect", "localhost:443", "--bogus"], ["connect", "localhost:443", "--min-tls", "1.1"],
        ["connect", "localhost:443", "--min-tls", "1.3", "--max-tls", "1.2"],
        ["connect", "localhost:443", "--send", "x", "--interactive"], ["connect", "localhost:443", "--key", "x"],
        ["connect", "localhost:443", "--timeout", "0"], ["serve", "--echo", "--http"],
        ["serve", "--once", "--max-connections", "2"],
        ["serve", "--require-client-cert"], ["compare", "--filter", "no such scenario"], ["nonsense"],
    ])
    func wrongUsageIs64(_ arguments: [String]) async throws {
        let result = try await Tool.run(arguments)
        #expect(result.status == 64, "\(arguments): \(result)")
        #expect(result.output.isEmpty)
    }

    @Test(arguments: Tool.backends) func anUnreadableFileIs66(_ backend: String) async throws {
        let folder = try ScratchFolder()
        try folder.write("nothing that is a certificate", to: "text")
        try folder.write("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", to: "garbage")
        for name in ["missing", "text", "garbage"] {
            for option in ["--ca", "--cert"] {
                let result = try await Tool.run(["connect", "localhost:443", "--backend", backend, option, folder.file(name)])
                #expect(result.status == 66, "\(option) \(name): \(result)")
                #expect(result.errorText.contains(folder.file(name)))
            }
        }
    }

    @Test(arguments: Tool.backends) func aKeyOfAnotherCertificateIs66(_ backend: String) async throws {
        let server = try CertificateFiles(.valid)
        let other = try CertificateFiles(.rsa)
        let result = try await Tool.run(
            ["serve", "--port", "0", "--backend", backend, "--cert", server.chain, "--key", other.key])
        #expect(result.status == 66, "\(result)")
    }

    @Test func anUnknownBackendIsThree() async throws {
        let option = try await Tool.run(["connect", "localhost:443", "--backend", "nonesuch"])
        #expect(option.status == 3, "\(option)")
        let environment = ["SSLSOCKET_BACKEND": "nonesuch"]
        for arguments in [["connect", "localhost:443"], ["serve", "--port", "0"], ["backends"]] {
            let result = try await Tool.run(arguments, environment: environment)
            #expect(result.status == 3, "\(arguments): \(result)")
        }
    }

    @Test func thePortOfAnotherIsFive() async throws {
        let taken = try SilentPort()
        let result = try await Tool.run(["serve", "--host", "127.0.0.1", "--port", "\(taken.number)"])
        #expect(result.status == 5, "\(result)")
    }

    @Test func eachCauseHasItsNumber() {
        let statuses: [(SslSocketError.Code, sslsocket.ExitStatus)] = [
            (.connectionRefused, .network), (.hostNotFound, .network), (.socketTimeout, .network),
            (.peerVerificationFailed, .refused),
            (.handshakeFailed, .handshake), (.notTls, .handshake), (.alertReceived, .handshake), (.truncated, .handshake),
            (.proxyNotFound, .network), (.proxyAuthenticationRequired, .network), (.proxyProtocol, .network),
            (.proxyConnectionRefused, .network), (.proxyConnectionClosed, .network), (.proxyConnectionTimeout, .network),
            (.noBackend, .noBackend), (.unreadableFile, .unreadable), (.keyMismatch, .unreadable), (.invalidUserData, .usage),
            (.unsupportedSetting, .unavailable), (.unsupportedFeature, .unavailable),
        ]
        for (code, status) in statuses { #expect(sslsocket.ExitStatus(SslSocketError(code, "")) == status) }
        #expect(sslsocket.ExitStatus(SslSocketError(.truncated, ""), wasEncrypted: true) == .network)
    }

    @Test func helpAndVersionAreZero() async throws {
        for arguments in [["--help"], ["connect", "--help"], ["--version"]] {
            let result = try await Tool.run(arguments)
            #expect(result.status == 0)
            #expect(!result.output.isEmpty && result.errors.isEmpty)
        }
    }
}
