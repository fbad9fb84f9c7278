internal import SslSockets
internal import TestProcesses
internal import Testing

@testable internal import SslTestKit
@testable internal import sslsocket

/// Pre-shared keys, stapled status and certificates by name on the command line.
@Suite struct KeyAndStatusTests {
    private static let key = "000102030405060708090a0b0c0d0e0ff0e0d0c0b0a090807060504030201000"
    private static let other = "ff0102030405060708090a0b0c0d0e0ff0e0d0c0b0a090807060504030201000"

    /// A way to reach the server on the loopback address, and a pair of backends with a version.
    struct Way: Sendable, CustomStringConvertible {
        let pair: Pair
        let version: String
        var description: String { "\(pair) \(version)" }
        static let all = Tool.pairs.flatMap { pair in ["1.2", "1.3"].map { Way(pair: pair, version: $0) } }
        var client: [String] { ["--backend", pair.client, "--max-tls", version] }
    }

    private func keys(_ folder: ScratchFolder, _ text: String) throws -> String { try folder.write(text, to: "keys") }

    @Test(arguments: Way.all) func aKeyMakesTheConnection(_ way: Way) async throws {
        let folder = try ScratchFolder()
        let file = try keys(folder, "somebody:\(Self.other)\nclient 1:\(Self.key)\n")
        let server = try await ToolServer(
            ["--psk-file", file, "--psk-hint", "guess"], backend: way.pair.server, ownCertificate: false)
        #expect(!server.greeting.contains("pin "), "there is no certificate")
        let client = try await Tool.run(
            [
                "connect", server.endpoint, "--json", "--psk-file", file, "--psk-identity", "client 1", "--send", "x", "--wait",
                "0.1",
            ] + way.client)
        #expect(client.status == 0, "\(client)")
        #expect(try JsonSchema(named: "report").problems(with: client.output) == [])
        let report = try JsonValue(client.output)
        #expect(report["preSharedKey"]?.text == "client 1")
        #expect(report["version"]?.text == "TLSv\(way.version)")
        // ChaCha20 is the slow one on some libraries, with a key as without.
        if way.version == "1.3" { #expect(report["cipher"]?.text == "TLS_AES_128_GCM_SHA256") }
        #expect(report["chain"]?.elements.isEmpty == true)
        let log = try await server.process.output(containing: "pre-shared key client 1")
        #expect(!log.contains(Self.key))
    }

    @Test(arguments: Way.all) func aWrongKeyIsFour(_ way: Way) async throws {
        let folder = try ScratchFolder()
        let file = try keys(folder, "client1:\(Self.key)\n")
        let server = try await ToolServer(["--psk-file", file], backend: way.pair.server, ownCertificate: false)
        let client = try await Tool.run(
            ["connect", server.endpoint, "--psk-identity", "client1", "--psk-key", Self.other] + way.client)
        #expect(client.status == 4, "\(client)")
        #expect(!client.errorText.contains(Self.other))
    }

    /// A key that never touches a disk and that nobody sees in the list of processes.
    @Test(arguments: Tool.backends) func aKeyFromADescriptor(_ backend: String) async throws {
        let folder = try ScratchFolder()
        let file = try keys(folder, "client1:\(Self.key)\n")
        let server = try await ToolServer(["--psk-file", file, "--http"], backend: backend, ownCertificate: false)
        let bash = try ProgramPath.find("bash", package: "bash")
        let command =
            "exec \"$0\" connect \(server.endpoint) --backend \(backend) --psk-file /dev/fd/3 --verbose 3< <(printf 'client1:%s' \(Self.key))"
        let client = try await ChildProcess.run(bash, ["-c", command, Tool.path], environment: ["NO_COLOR": "1"])
        #expect(client.status == 0, "\(client)")
        #expect(client.text.contains("psk       client1"))
        #expect(client.errorText.contains("* Pre-shared key: client1"))
        let input = try await Tool.run(
            ["connect", server.endpoint, "--backend", backend, "--psk-file", "/dev/stdin", "--send", "GET / HTTP/1.0\r\n\r\n"],
            input: .file(file))
        #expect(input.status == 0 && input.text.contains("psk client1"), "\(input)")
    }

    @Test func keyFilesAreReadStrictly() throws {
        func read(_ text: String) throws -> [SslPreSharedKey] {
            try PreSharedKeyFile.keys(Array(text.utf8), hash: .sha384, path: "file")
        }
        let keys = try read("a:00ff\r\n\n#61ff3a:0A\n")
        #expect(keys.map(\.identity) == [[0x61], [0x61, 0xFF, 0x3A]])
        #expect(keys.map(\.key) == [SecretBytes([0, 255]), SecretBytes([10])])
        #expect(keys.map(\.hash) == [.sha384, .sha384])
        for (text, line) in [
            ("a", 1), ("a:00\nb:0", 2), ("a:00\n\nb:0g", 3), (":00", 1), ("a:", 1), ("#6:00", 1), ("#61:00\n#zz:00", 2), ("", 0),
        ] {
            let failure = #expect(throws: ToolFailure.self, "\(text)") { try read(text) }
            #expect(failure?.status == .unreadable && (line == 0 || failure?.message.contains("line \(line)") == true))
        }
    }

    @Test func wrongUse() async throws {
        let folder = try ScratchFolder()
        let two = try keys(folder, "a:00\nb:00\n")
        let secret = "secretwithoutdigits"
        for (arguments, status) in [
            (["--psk-key", "00"], 64), (["--psk-identity", "a"], 64), (["--psk-file", two], 64),
            (["--psk-file", two, "--psk-key", "00", "--psk-identity", "a"], 64),
            (["--psk-identity", "a", "--psk-key", secret], 64), (["--psk-hash", "md5"], 64),
            (["--psk-file", two, "--psk-identity", "c"], 66), (["--psk-file", folder.file("none")], 66),
        ] {
            let result = try await Tool.run(["connect", "localhost:1"] + arguments)
            #expect(result.status == status, "\(arguments): \(result)")
            #expect(!result.errorText.contains(secret))
        }
        for arguments in [["--psk-hint", "x"], ["--ocsp-response", "x"], ["--sni", "a.test"], ["--sni", "a=b,c,d"]] {
            #expect(try await Tool.run(["serve", "--port", "0"] + arguments).status == 64, "\(arguments)")
        }
        let files = try CertificateFiles(.valid)
        for arguments in [
            ["--psk-file", folder.file("none")], ["--cert", files.chain, "--key", files.key, "--ocsp-response", two],
            ["--sni", "a.test=\(two)"],
        ] {
            #expect(try await Tool.run(["serve", "--port", "0"] + arguments).status == 66, "\(arguments)")
        }
    }

    @Test(arguments: Way.all) func theStatusIsStapledAndRequired(_ way: Way) async throws {
        let files = try CertificateFiles(.valid)
        let folder = try ScratchFolder()
        let authority = try TestCertificates.shared().intermediate
        let status = try folder.write(authority.ocspResponse(for: files.identity.chain[0]), to: "status")
        let arguments = ["--cert", files.chain, "--key", files.key]
        let ask =
            ["--name", TestIdentity.defaultHost, "--no-system-ca", "--ca", files.anchors, "--ocsp", "--json"] + way.client
        let server = try await ToolServer(
            arguments + ["--ocsp-response", status], backend: way.pair.server, ownCertificate: false)
        let good = try await Tool.run(["connect", server.endpoint] + ask)
        #expect(good.status == 0, "\(good)")
        #expect(try JsonSchema(named: "report").problems(with: good.output) == [])
        let facts = try JsonValue(good.output)["ocsp"]
        #expect(facts?["status"]?.text == "good" && facts?["nextUpdate"]?.text?.hasSuffix("Z") == true)
        let without = try await ToolServer(arguments, backend: way.pair.server, ownCertificate: false)
        let refused = try await Tool.run(["connect", without.endpoint] + ask)
        #expect(refused.status == 2 && refused.errorText.contains("ocspNoResponseFound"), "\(refused)")
    }

    @Test(arguments: Tool.backends) func aRevokedCertificateIsToldInWords(_ backend: String) async throws {
        let files = try CertificateFiles(.valid)
        let folder = try ScratchFolder()
        var content = TestOcspResponse()
        content.status = .revoked(reason: 4)
        let authority = try TestCertificates.shared().intermediate
        let status = try folder.write(authority.ocspResponse(for: files.identity.chain[0], content), to: "status")
        let server = try await ToolServer(
            ["--cert", files.chain, "--key", files.key, "--ocsp-response", status], backend: backend, ownCertificate: false)
        let client = try await Tool.run(
            [
                "connect", server.endpoint, "--name", TestIdentity.defaultHost, "--no-system-ca", "--ca", files.anchors, "--ocsp",
                "--backend", backend, "--json", "--no-verify",
            ].filter { $0 != "--no-system-ca" })
        #expect(client.status == 0, "\(client)")
        #expect(try JsonSchema(named: "report").problems(with: client.output) == [])
        let facts = try JsonValue(client.output)["ocsp"]
        #expect(facts?["status"]?.text == "revoked" && facts?["revocationReason"]?.text == "superseded")
    }

    @Test(arguments: Tool.pairs) func eachNameGetsItsCertificate(_ pair: Pair) async throws {
        let (first, second) = (try CertificateFiles(.valid), try CertificateFiles(.rsa))
        let server = try await ToolServer(
            ["--sni", "\(TestIdentity.defaultHost)=\(second.chain),\(second.key)", "--cert", first.chain, "--key", first.key],
            backend: pair.server, ownCertificate: false)
        func keyAlgorithm(_ name: String) async throws -> String? {
            let client = try await Tool.run([
                "connect", "127.0.0.1:\(server.port)", "--name", name, "--backend", pair.client, "--ca", first.anchors, "--json",
                "--no-verify",
            ])
            #expect(client.status == 0, "\(client)")
            return try JsonValue(client.output)["chain"]?.elements.first?["keyAlgorithm"]?.text
        }
        #expect(try await keyAlgorithm(TestIdentity.defaultHost) == "rsa")
        #expect(try await keyAlgorithm("elsewhere.test") == "ec")
    }
}
