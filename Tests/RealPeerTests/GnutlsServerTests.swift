internal import SslSockets
internal import SslTestKit
internal import TestProcesses
internal import Testing

extension RealPeers {
    /// Our client to `gnutls-serv`.
    @Suite struct GnutlsServerTests {
        private func start(_ cell: Cell, _ files: CertificateFiles, _ options: [String]) async throws -> (
            process: ChildProcess, port: UInt16
        ) {
            let program = try ProgramPath.find("gnutls-serv", package: "gnutls-bin")
            let port = try LocalPort.free()
            let process = try ChildProcess(
                program,
                [
                    "--port", "\(port)", "--priority", cell.gnutlsPriority, "--x509certfile", files.chain, "--x509keyfile",
                    files.key,
                ] + options)
            try await process.listening(at: port)
            return (process, port)
        }

        @Test(arguments: Cell.all, Drive.allCases) func bothSeeTheSameConnection(_ cell: Cell, _ drive: Drive) async throws {
            let files = try CertificateFiles(.valid)
            let server = try await start(cell, files, ["--http", "--disable-client-cert", "--alpn", "http/1.1"])
            let client = Client(
                port: server.port, configuration: try cell.client(trusting: files.identity, alpn: ["h2", "http/1.1"]),
                drive: drive)
            let talk = await client.talk(Array("GET / HTTP/1.0\r\n\r\n".utf8))
            #expect(talk.failure == nil)
            #expect(talk.version == cell.version && talk.alpn == "http/1.1")
            #expect(talk.text.contains(cell.version == .tls1_3 ? "TLS1.3" : "TLS1.2"), "\(talk.text)")
        }

        @Test(arguments: Cell.all, [TestCertificate.valid, .rsa, .ed25519]) func kindsOfKeys(
            _ cell: Cell, _ kind: TestCertificate
        ) async throws {
            let files = try CertificateFiles(kind)
            let server = try await start(cell, files, ["--http", "--disable-client-cert"])
            let client = Client(port: server.port, configuration: try cell.client(trusting: files.identity), drive: .async)
            let talk = await client.talk(Array("GET / HTTP/1.0\r\n\r\n".utf8))
            #expect(talk.failure == nil && talk.text.contains("200 OK"))
        }

        @Test(arguments: Cell.all) func itsCertificateIsRefused(_ cell: Cell) async throws {
            let files = try CertificateFiles(.wrongName)
            let server = try await start(cell, files, ["--http", "--disable-client-cert"])
            let client = Client(port: server.port, configuration: try cell.client(trusting: files.identity), drive: .async)
            let talk = await client.talk([])
            #expect(talk.failure?.code == .peerVerificationFailed)
            #expect(talk.errors == [.hostNameMismatch])
        }

        @Test(arguments: Cell.all) func mutualAuthentication(_ cell: Cell) async throws {
            let files = try CertificateFiles(.valid)
            let certificate = try CertificateFiles(.client)
            let server = try await start(
                cell, files, ["--http", "--require-client-cert", "--verify-client-cert", "--x509cafile", certificate.anchors])
            let request = Array("GET / HTTP/1.0\r\n\r\n".utf8)
            let configuration = try cell.client(trusting: files.identity, showing: certificate.identity)
            let shown = await Client(port: server.port, configuration: configuration, drive: .async).talk(request)
            #expect(shown.failure == nil && shown.text.contains("200 OK"), "\(shown)")
            let without = await Client(port: server.port, configuration: try cell.client(trusting: files.identity), drive: .async)
                .talk(request)
            #expect(without.failure != nil && without.answer.isEmpty, "\(without)")
        }

        /// What gnutls-serv echoes has gone both ways. It answers each piece before it reads the next.
        @Test(arguments: Cell.all) func sixtyFourMebibytesEachWay(_ cell: Cell) async throws {
            let payload = try await Payload.shared()
            let files = try CertificateFiles(.valid)
            let folder = try ScratchFolder()
            let server = try await start(cell, files, ["--echo", "--disable-client-cert"])
            var socket: SslSocket? = try await Client(
                port: server.port, configuration: try cell.client(trusting: files.identity), drive: .async
            ).connect()
            try await exchange(try #require(socket), payload, FileSink(folder.file("received")))
            socket = nil
            #expect(try await Checksum.sha256(ofFile: folder.file("received")) == payload.checksum)
        }

        private func exchange(_ socket: SslSocket, _ payload: Payload, _ sink: FileSink) async throws {
            var sent = 0
            while sent < Payload.size {
                let piece = Array(payload.bytes[sent..<min(sent + 16_384, Payload.size)])
                try await socket.send(piece, timeout: .seconds(60))
                var left = piece.count
                while left > 0 {
                    let bytes = try await socket.receive(timeout: .seconds(60))
                    guard !bytes.isEmpty else { throw ProcessFailure("gnutls-serv ended the connection") }
                    sink.write(bytes)
                    left -= bytes.count
                }
                sent += piece.count
            }
            await socket.finish()
        }
    }
}
