internal import SslSockets
internal import SslTestKit
internal import TestProcesses
internal import Testing

extension RealPeers {
    /// `gnutls-cli` to our server.
    @Suite struct GnutlsClientTests {
        /// Its messages go into a file, so that standard output is what the server said.
        private func start(
            _ cell: Cell, _ server: Server, trusting anchors: String, _ options: [String] = [], folder: ScratchFolder,
            input: ChildProcess.Input = .pipe, outputFile: String? = nil
        ) throws -> ChildProcess {
            let program = try ProgramPath.find("gnutls-cli", package: "gnutls-bin")
            return try ChildProcess(
                program,
                [
                    "--port", "\(server.port)", "--x509cafile", anchors, "--priority", cell.gnutlsPriority, "--verify-hostname",
                    TestIdentity.defaultHost, "--sni-hostname", TestIdentity.defaultHost, "--logfile", folder.file("log"),
                ] + options + ["127.0.0.1"], input: input, outputFile: outputFile)
        }

        @Test(arguments: Cell.all, [TestCertificate.valid, .rsa, .ed25519]) func itAcceptsUs(
            _ cell: Cell, _ kind: TestCertificate
        ) async throws {
            let files = try CertificateFiles(kind)
            let folder = try ScratchFolder()
            let server = try await Server(cell.server(showing: files.identity, alpn: ["h2", "http/1.1"]), .reply("good day\n"))
            let client = try await start(
                cell, server, trusting: files.anchors, ["--alpn", "http/1.1", "--alpn", "h2"], folder: folder
            ).result()
            #expect(client.status == 0 && client.text == "good day\n", "\(client)")
            let visit = await server.nextVisit()
            #expect(visit?.version == cell.version && visit?.alpn == "h2" && visit?.serverName == TestIdentity.defaultHost)
        }

        @Test(arguments: Cell.all) func itRefusesUs(_ cell: Cell) async throws {
            let files = try CertificateFiles(.expired)
            let folder = try ScratchFolder()
            let server = try await Server(cell.server(showing: files.identity), .reply("good day\n"))
            let client = try await start(cell, server, trusting: files.anchors, folder: folder).result()
            #expect(client.status != 0 && client.output.isEmpty, "\(client)")
        }

        @Test(arguments: Cell.all) func mutualAuthentication(_ cell: Cell) async throws {
            let files = try CertificateFiles(.valid)
            let certificate = try CertificateFiles(.client)
            let folder = try ScratchFolder()
            let server = try await Server(
                cell.server(showing: files.identity, clients: certificate.identity), .reply("good day\n"))
            let shown = try await start(
                cell, server, trusting: files.anchors, ["--x509certfile", certificate.chain, "--x509keyfile", certificate.key],
                folder: folder
            ).result()
            #expect(shown.status == 0 && shown.text == "good day\n", "\(shown)")
            #expect(await server.nextVisit()?.client == "Test Client")
            let without = try await start(cell, server, trusting: files.anchors, folder: folder).result()
            #expect(without.status != 0 && without.output.isEmpty, "\(without)")
        }

        @Test(arguments: Cell.all, Drive.allCases) func sixtyFourMebibytesUp(_ cell: Cell, _ drive: Drive) async throws {
            let payload = try await Payload.shared()
            let files = try CertificateFiles(.valid)
            let folder = try ScratchFolder()
            let server = try await Server(cell.server(showing: files.identity), drive: drive, .store(folder.file("received")))
            let client = try start(cell, server, trusting: files.anchors, folder: folder, input: .file(payload.path))
            let result = try await client.result(within: .seconds(120))
            #expect(result.status == 0, "\(result)")
            await server.nextEnd()
            #expect(try await Checksum.sha256(ofFile: folder.file("received")) == payload.checksum)
        }

        /// gnutls-cli writes what it receives octet by octet, each with a system call: 64 MiB would take it minutes. curl with GnuTLS has no such habit.
        @Test(arguments: Cell.all, Drive.allCases) func oneMebibyteEachWay(_ cell: Cell, _ drive: Drive) async throws {
            let bytes = Array(try await Payload.shared().bytes.prefix(1 << 20))
            let files = try CertificateFiles(.valid)
            let folder = try ScratchFolder()
            let server = try await Server(cell.server(showing: files.identity), drive: drive, .echo(bytes.count))
            let client = try start(cell, server, trusting: files.anchors, folder: folder, outputFile: folder.file("received"))
            // Standard input stays open: at its end gnutls-cli would leave before the echo is complete.
            try await client.write(bytes)
            let result = try await client.result()
            #expect(result.status == 0, "\(result)")
            #expect(folder.read("received") == bytes)
        }
    }
}
