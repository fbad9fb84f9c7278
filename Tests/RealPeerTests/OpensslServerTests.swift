internal import SslSockets
internal import SslTestKit
internal import TestProcesses
internal import Testing

extension RealPeers {
    /// Our client to `openssl s_server`.
    @Suite struct OpensslServerTests {
        /// A running s_server.
        private func start(
            _ cell: Cell, _ files: CertificateFiles, _ options: [String], input: ChildProcess.Input = .pipe,
            outputFile: String? = nil,
            folder: String? = nil
        ) async throws -> (process: ChildProcess, port: UInt16) {
            let openssl = try ProgramPath.find("openssl", package: "openssl")
            let port = try LocalPort.free()
            let process = try ChildProcess(
                openssl,
                [
                    "s_server", "-accept", "127.0.0.1:\(port)", "-cert", files.leaf, "-cert_chain", files.chain, "-key",
                    files.key,
                    cell.opensslOption,
                ] + options, input: input, outputFile: outputFile, folder: folder)
            try await process.listening(at: port)
            return (process, port)
        }

        @Test(arguments: Cell.all, Drive.allCases) func bothSeeTheSameConnection(_ cell: Cell, _ drive: Drive) async throws {
            let files = try CertificateFiles(.valid)
            let server = try await start(cell, files, ["-www", "-alpn", "h2,http/1.1"])
            let client = Client(
                port: server.port, configuration: try cell.client(trusting: files.identity, alpn: ["http/1.1", "h2"]),
                drive: drive)
            let talk = await client.talk(Array("GET / HTTP/1.0\r\n\r\n".utf8))
            #expect(talk.failure == nil)
            #expect(talk.version == cell.version && talk.alpn == "h2")
            #expect(talk.text.contains(cell.version.description), "\(talk.text.prefix(3000))")
            // s_server's page names the suite in OpenSSL's words; those of TLS 1.3 are IANA's.
            if cell.version == .tls1_3, let cipher = talk.cipher { #expect(talk.text.contains(cipher)) }
        }

        @Test(arguments: Cell.all, [TestCertificate.valid, .rsa, .ed25519]) func kindsOfKeys(
            _ cell: Cell, _ kind: TestCertificate
        ) async throws {
            let files = try CertificateFiles(kind)
            let server = try await start(cell, files, ["-www"])
            let client = Client(port: server.port, configuration: try cell.client(trusting: files.identity), drive: .async)
            let talk = await client.talk(Array("GET / HTTP/1.0\r\n\r\n".utf8))
            #expect(talk.failure == nil && talk.text.contains("200 ok"))
        }

        @Test(arguments: Cell.all) func itsCertificateIsRefused(_ cell: Cell) async throws {
            let files = try CertificateFiles(.expired)
            let server = try await start(cell, files, ["-www"])
            let client = Client(port: server.port, configuration: try cell.client(trusting: files.identity), drive: .async)
            let talk = await client.talk([])
            #expect(talk.failure?.code == .peerVerificationFailed && talk.failure?.alert == .certificateExpired)
            #expect(talk.errors == [.certificateExpired])
            #expect(talk.version == nil && talk.answer.isEmpty)
        }

        @Test(arguments: Cell.all) func mutualAuthentication(_ cell: Cell) async throws {
            let files = try CertificateFiles(.valid)
            let certificate = try CertificateFiles(.client)
            let server = try await start(
                cell, files, ["-www", "-Verify", "3", "-verify_return_error", "-CAfile", certificate.anchors])
            let request = Array("GET / HTTP/1.0\r\n\r\n".utf8)
            let configuration = try cell.client(trusting: files.identity, showing: certificate.identity)
            let shown = await Client(port: server.port, configuration: configuration, drive: .async).talk(request)
            #expect(shown.failure == nil && shown.text.contains("200 ok"), "\(shown)")
            #expect(shown.text.contains("Client certificate"), "\(shown.text)")
            let without = await Client(port: server.port, configuration: try cell.client(trusting: files.identity), drive: .async)
                .talk(request)
            #expect(without.failure?.alert == (cell.version == .tls1_3 ? .certificateRequired : .handshakeFailure), "\(without)")
            #expect(without.answer.isEmpty)
        }

        @Test(arguments: Cell.all, Drive.allCases) func sixtyFourMebibytesDown(_ cell: Cell, _ drive: Drive) async throws {
            let payload = try await Payload.shared()
            let files = try CertificateFiles(.valid)
            let folder = try ScratchFolder()
            // It serves the files of its folder.
            let server = try await start(cell, files, ["-WWW"], folder: payload.folder.path)
            let client = Client(port: server.port, configuration: try cell.client(trusting: files.identity), drive: drive)
            let talk = await client.talk(Array("GET /payload HTTP/1.0\r\n\r\n".utf8))
            #expect(talk.failure == nil)
            let head = try #require(talk.answer.firstRange(of: Array("\r\n\r\n".utf8)))
            try folder.write(Array(talk.answer[head.upperBound...]), to: "received")
            #expect(try await Checksum.sha256(ofFile: folder.file("received")) == payload.checksum)
        }

        @Test(arguments: Cell.all, Drive.allCases) func sixtyFourMebibytesUp(_ cell: Cell, _ drive: Drive) async throws {
            let payload = try await Payload.shared()
            let files = try CertificateFiles(.valid)
            let folder = try ScratchFolder()
            let server = try await start(cell, files, ["-quiet", "-naccept", "1"], outputFile: folder.file("received"))
            let client = Client(port: server.port, configuration: try cell.client(trusting: files.identity), drive: drive)
            let talk = await client.talk(payload.bytes, length: 0)
            #expect(talk.failure == nil)
            _ = try await server.process.result()
            #expect(try await Checksum.sha256(ofFile: folder.file("received")) == payload.checksum)
        }
    }
}
