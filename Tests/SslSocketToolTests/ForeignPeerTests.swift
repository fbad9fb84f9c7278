internal import SslTestKit
internal import TestProcesses
internal import Testing

/// The tool with programs nobody here wrote.
@Suite struct ForeignPeerTests {
    @Test(arguments: Tool.backends, ["-tls1_2", "-tls1_3"]) func opensslConnects(_ backend: String, _ version: String)
        async throws
    {
        let openssl = try ProgramPath.find("openssl", package: "openssl")
        let server = try await ToolServer(["--reply", "good day\n"], backend: backend)
        let client = try await ChildProcess.run(
            openssl,
            [
                "s_client", "-connect", "127.0.0.1:\(server.port)", "-CAfile", server.folder.file("ca.pem"),
                "-verify_return_error",
                "-verify_hostname", "localhost", "-servername", "localhost", "-quiet", version,
            ])
        #expect(client.status == 0 && client.text.contains("good day"), "\(client)")
    }

    @Test(arguments: Tool.backends, ["NORMAL:-VERS-ALL:+VERS-TLS1.2", "NORMAL:-VERS-ALL:+VERS-TLS1.3"])
    func gnutlsConnects(_ backend: String, _ priority: String) async throws {
        let program = try ProgramPath.find("gnutls-cli", package: "gnutls-bin")
        let server = try await ToolServer(["--reply", "good day\n"], backend: backend)
        let client = try await ChildProcess.run(
            program,
            ["--x509cafile", server.folder.file("ca.pem"), "--priority", priority, "--port", "\(server.port)", "localhost"],
            // At the end of its standard input it would leave without waiting for the answer.
            input: .pipe)
        #expect(client.status == 0 && client.text.contains("good day"), "\(client)")
    }

    @Test(arguments: Tool.backends) func curlReadsThePage(_ backend: String) async throws {
        let curl = try ProgramPath.find("curl", package: "curl")
        let server = try await ToolServer(["--http", "--alpn", "http/1.1"], backend: backend)
        let pin = server.greeting.split(separator: "\n").first { $0.hasPrefix("pin ") }?.dropFirst(4) ?? ""
        let client = try await ChildProcess.run(
            curl,
            ["-sS", "--cacert", server.folder.file("ca.pem"), "--pinnedpubkey", String(pin), "https://localhost:\(server.port)/"])
        #expect(client.status == 0 && client.text.contains("alpn http/1.1"), "\(client)")
        let wrong = try await ChildProcess.run(
            curl,
            [
                "-sS", "--cacert", server.folder.file("ca.pem"), "--pinnedpubkey",
                "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
                "https://localhost:\(server.port)/",
            ])
        #expect(wrong.status == 90, "\(wrong)")
    }

    @Test(arguments: Tool.backends) func theToolConnectsToOpenssl(_ backend: String) async throws {
        let openssl = try ProgramPath.find("openssl", package: "openssl")
        let files = try CertificateFiles(.valid)
        let port = try LocalPort.free()
        let server = try ChildProcess(
            openssl,
            ["s_server", "-accept", "\(port)", "-cert", files.chain, "-cert_chain", files.chain, "-key", files.key, "-www"])
        try await server.listening(at: port)
        let client = try await Tool.run([
            "connect", "127.0.0.1:\(port)", "--name", TestIdentity.defaultHost, "--backend", backend, "--no-system-ca", "--ca",
            files.anchors,
            "--send", "GET / HTTP/1.0\r\n\r\n",
        ])
        #expect(client.status == 0 && client.text.contains("200 ok"), "\(client)")
    }

    @Test(arguments: Tool.backends) func theToolConnectsToGnutls(_ backend: String) async throws {
        let program = try ProgramPath.find("gnutls-serv", package: "gnutls-bin")
        let files = try CertificateFiles(.valid)
        let port = try LocalPort.free()
        let server = try ChildProcess(
            program,
            [
                "--port", "\(port)", "--x509certfile", files.chain, "--x509keyfile", files.key, "--http", "--disable-client-cert",
            ])
        try await server.listening(at: port)
        let client = try await Tool.run([
            "connect", "127.0.0.1:\(port)", "--name", TestIdentity.defaultHost, "--backend", backend, "--no-system-ca", "--ca",
            files.anchors,
            "--send", "GET / HTTP/1.0\r\n\r\n",
        ])
        #expect(client.status == 0 && client.text.contains("HTTP/1.0 200 OK"), "\(client)")
    }
}
