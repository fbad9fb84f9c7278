internal import SslSockets
internal import SslTestKit
internal import TestProcesses
internal import Testing

extension RealPeers {
    /// `openssl s_client` to our server.
    @Suite struct OpensslClientTests {
        private func run(
            _ cell: Cell, _ server: Server, trusting anchors: String, _ options: [String] = [], input: ChildProcess.Input = .pipe,
            outputFile: String? = nil
        ) async throws -> ProcessResult {
            let openssl = try ProgramPath.find("openssl", package: "openssl")
            return try await ChildProcess.run(
                openssl,
                [
                    "s_client", "-connect", "127.0.0.1:\(server.port)", "-servername", TestIdentity.defaultHost,
                    "-verify_hostname",
                    TestIdentity.defaultHost, "-CAfile", anchors, "-verify_return_error", "-quiet", cell.opensslOption,
                ] + options, input: input, outputFile: outputFile)
        }

        @Test(arguments: Cell.all, [TestCertificate.valid, .rsa, .ed25519]) func itAcceptsUs(
            _ cell: Cell, _ kind: TestCertificate
        ) async throws {
            let files = try CertificateFiles(kind)
            let server = try await Server(cell.server(showing: files.identity, alpn: ["h2", "http/1.1"]), .reply("good day\n"))
            let client = try await run(cell, server, trusting: files.anchors, ["-alpn", "http/1.1,h2"])
            #expect(client.status == 0 && client.text == "good day\n", "\(client)")
            let visit = await server.nextVisit()
            #expect(visit?.version == cell.version && visit?.alpn == "h2" && visit?.serverName == TestIdentity.defaultHost)
        }

        @Test(arguments: Cell.all) func itRefusesUs(_ cell: Cell) async throws {
            let files = try CertificateFiles(.untrusted)
            let server = try await Server(cell.server(showing: files.identity), .reply("good day\n"))
            let client = try await run(cell, server, trusting: files.anchors)
            #expect(client.status != 0 && client.output.isEmpty, "\(client)")
            // In TLS 1.3 s_client sends its alert unencrypted, which a GnuTLS server cannot read as one.
            #expect(await server.nextFailure() != nil)
        }

        @Test(arguments: Cell.all) func mutualAuthentication(_ cell: Cell) async throws {
            let files = try CertificateFiles(.valid)
            let certificate = try CertificateFiles(.client)
            let server = try await Server(
                cell.server(showing: files.identity, clients: certificate.identity), .reply("good day\n"))
            let shown = try await run(
                cell, server, trusting: files.anchors,
                ["-cert", certificate.leaf, "-cert_chain", certificate.chain, "-key", certificate.key])
            #expect(shown.status == 0 && shown.text == "good day\n", "\(shown)")
            #expect(await server.nextVisit()?.client == "Test Client")
            let without = try await run(cell, server, trusting: files.anchors)
            #expect(without.status != 0 && without.output.isEmpty, "\(without)")
            let alert = cell.version == .tls1_3 ? "certificate required" : "handshake failure"
            #expect(without.errorText.contains(alert), "\(without)")
            let foreign = try CertificateFiles(.untrustedClient)
            let stranger = try await run(
                cell, server, trusting: files.anchors, ["-cert", foreign.leaf, "-cert_chain", foreign.chain, "-key", foreign.key])
            #expect(stranger.status != 0 && stranger.output.isEmpty && stranger.errorText.contains("unknown ca"), "\(stranger)")
        }

        @Test(arguments: Cell.all, Drive.allCases) func sixtyFourMebibytesEachWay(_ cell: Cell, _ drive: Drive) async throws {
            let payload = try await Payload.shared()
            let files = try CertificateFiles(.valid)
            let folder = try ScratchFolder()
            let server = try await Server(cell.server(showing: files.identity), drive: drive, .echo(Payload.size))
            let client = try await run(
                cell, server, trusting: files.anchors, input: .file(payload.path), outputFile: folder.file("received"))
            #expect(client.status == 0, "\(client)")
            #expect(try await Checksum.sha256(ofFile: folder.file("received")) == payload.checksum)
        }
    }
}
