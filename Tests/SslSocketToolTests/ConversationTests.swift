internal import SslTestKit
internal import TestProcesses
internal import Testing

/// connect and serve with each other, on each pair of backends.
@Suite struct ConversationTests {
    @Test(arguments: Tool.pairs) func standardInputIsEchoed(_ pair: Pair) async throws {
        let server = try await ToolServer(backend: pair.server)
        let sent = (0..<2_000_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
        let file = try server.folder.write(sent, to: "sent")
        let client = try await Tool.run(
            ["connect", server.endpoint, "--backend", pair.client, "--interactive"] + server.trust, input: .file(file))
        #expect(client.status == 0, "\(client.errorText)")
        #expect(client.output == sent)
    }

    /// The end of the peer ends the client although its standard input is still open.
    @Test(arguments: Tool.backends) func theEndOfThePeerEndsTheClient(_ backend: String) async throws {
        let server = try await ToolServer(["--reply", "bye\n"], backend: backend)
        let client = try Tool.start(
            ["connect", server.endpoint, "--backend", backend, "--interactive"] + server.trust, input: .pipe)
        let result = try await client.result()
        #expect(result.status == 0, "\(result)")
        #expect(result.text == "bye\n")
    }

    @Test(arguments: Tool.backends) func aKeyboardIsAnsweredAtOnce(_ backend: String) async throws {
        let server = try await ToolServer(backend: backend)
        let client = try Tool.start(
            ["connect", server.endpoint, "--backend", backend, "--interactive"] + server.trust, input: .pipe)
        for line in ["one\n", "two\n"] {
            try await client.write(line)
            try await client.output(containing: line)
        }
        client.closeInput()
        let result = try await client.result()
        #expect(result.status == 0 && result.text == "one\ntwo\n", "\(result)")
    }

    @Test(arguments: Tool.pairs) func clientCertificates(_ pair: Pair) async throws {
        let client = try CertificateFiles(.client)
        let server = try await ToolServer(
            ["--ca", client.anchors, "--require-client-cert", "--reply", "welcome"], backend: pair.server)
        let connect = ["connect", server.endpoint, "--backend", pair.client, "--send", "x"] + server.trust
        let shown = try await Tool.run(connect + ["--cert", client.chain, "--key", client.key])
        #expect(shown.status == 0 && shown.text == "welcome", "\(shown)")
        try await server.process.output(containing: "certificate CN=Test Client")
        let without = try await Tool.run(connect)
        #expect(without.status == 4, "\(without)")
        #expect(without.output.isEmpty)
        let foreign = try CertificateFiles(.untrustedClient)
        let stranger = try await Tool.run(connect + ["--cert", foreign.chain, "--key", foreign.key])
        #expect(stranger.status == 4, "\(stranger)")
    }

    @Test(arguments: ["[::1]", "127.0.0.1", "localhost"], Tool.backends) func addressesAndNames(_ host: String, _ backend: String)
        async throws
    {
        let server = try await ToolServer(["--reply", "x"], backend: backend)
        let client = try await Tool.run(["connect", "\(host):\(server.port)", "--backend", backend] + server.trust)
        #expect(client.status == 0, "\(client)")
    }

    @Test(arguments: Tool.backends) func aServerEndsAfterItsConnections(_ backend: String) async throws {
        let server = try await ToolServer(["--max-connections", "2", "--reply", "x"], backend: backend)
        for _ in 0..<2 {
            let client = try await Tool.run(["connect", server.endpoint, "--backend", backend, "--send", "x"] + server.trust)
            #expect(client.status == 0 && client.text == "x", "\(client)")
        }
        let result = try await server.process.result()
        #expect(result.status == 0, "\(result)")
    }

    @Test(arguments: Tool.backends, ["1.2", "1.3"]) func versionsAreLimited(_ backend: String, _ version: String) async throws {
        let server = try await ToolServer(["--min-tls", version, "--max-tls", version], backend: backend)
        let client = try await Tool.run(["connect", server.endpoint, "--backend", backend] + server.trust)
        #expect(client.status == 0 && client.text.contains("TLSv\(version)"), "\(client)")
    }
}
