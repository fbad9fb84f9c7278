internal import SslSockets
internal import SslTestKit
internal import TestProcesses
internal import Testing

extension RealPeers {
    /// Pre-shared keys, and stapled status of certificates, with the programs of OpenSSL and GnuTLS at the other end.
    @Suite struct KeysAndStatusTests {
        private static let hex = "000102030405060708090a0b0c0d0e0ff0e0d0c0b0a090807060504030201000"
        private static let request = Array("GET / HTTP/1.0\r\n\r\n".utf8)

        private func key() throws -> SslPreSharedKey {
            var octets: [UInt8] = []
            var rest = Self.hex[...]
            while let octet = UInt8(rest.prefix(2), radix: 16) {
                octets.append(octet)
                rest = rest.dropFirst(2)
            }
            return try SslPreSharedKey(identity: "client1", key: SecretBytes(octets))
        }

        /// A configuration with the key and nothing else.
        private func keyed(_ cell: Cell) throws -> SslConfiguration {
            var configuration = SslConfiguration()
            configuration.backend = cell.backend
            configuration.protocol = SslProtocol(exactly: cell.version)
            configuration.usesSystemCaCertificates = false
            configuration.preSharedKeys = [try key()]
            return configuration
        }

        private func gnutlsPriority(_ cell: Cell) -> String { cell.gnutlsPriority + ":+ECDHE-PSK:+DHE-PSK" }

        private func talks(_ cell: Cell, port: UInt16) async throws {
            let socket = try await Client(port: port, configuration: keyed(cell), drive: .async).connect()
            #expect(socket.isPreSharedKeyUsed && socket.peerCertificate == nil)
            try await socket.send(Self.request)
            let answer = try await socket.receive(timeout: .seconds(60))
            #expect(String(decoding: answer, as: UTF8.self).hasPrefix("HTTP/1.0 200"))
            socket.abort()
        }

        @Test(arguments: Cell.all) func keyOfOpensslServer(_ cell: Cell) async throws {
            let port = try LocalPort.free()
            let process = try ChildProcess(
                ProgramPath.find("openssl", package: "openssl"),
                [
                    "s_server", "-accept", "127.0.0.1:\(port)", "-nocert", "-psk_identity", "client1", "-psk", Self.hex, "-www",
                    cell.opensslOption,
                ])
            try await process.listening(at: port)
            try await talks(cell, port: port)
        }

        @Test(arguments: Cell.all) func keyOfGnutlsServer(_ cell: Cell) async throws {
            let folder = try ScratchFolder()
            let file = try folder.write("client1:\(Self.hex)\n", to: "keys")
            let port = try LocalPort.free()
            let process = try ChildProcess(
                ProgramPath.find("gnutls-serv", package: "gnutls-bin"),
                ["--port", "\(port)", "--priority", gnutlsPriority(cell), "--pskpasswd", file, "--http"])
            try await process.listening(at: port)
            try await talks(cell, port: port)
        }

        @Test(arguments: Cell.all, [true, false]) func keyOfOpensslClient(_ cell: Cell, isRight: Bool) async throws {
            let server = try await Server(keyed(cell), .reply("good day\n"))
            let client = try await ChildProcess.run(
                ProgramPath.find("openssl", package: "openssl"),
                [
                    "s_client", "-connect", "127.0.0.1:\(server.port)", "-psk_identity", "client1", "-psk",
                    isRight ? Self.hex : String(Self.hex.reversed()) + "ff", "-quiet", cell.opensslOption,
                ], input: .pipe)
            #expect(client.text == (isRight ? "good day\n" : ""), "\(client)")
            if !isRight {
                #expect(await server.nextFailure()?.alert == (cell.version == .tls1_3 ? .illegalParameter : .badRecordMac))
            }
        }

        /// In TLS 1.2 gnutls-cli 3.7 crashes when it describes such a connection, with gnutls-serv at the other end too.
        @Test(arguments: Cell.all.filter { $0.version == .tls1_3 }) func keyOfGnutlsClient(_ cell: Cell) async throws {
            let folder = try ScratchFolder()
            let server = try await Server(keyed(cell), .reply("good day\n"))
            let client = try await ChildProcess.run(
                ProgramPath.find("gnutls-cli", package: "gnutls-bin"),
                [
                    "--port", "\(server.port)", "--priority", gnutlsPriority(cell), "--pskusername", "client1", "--pskkey",
                    Self.hex, "--logfile", folder.file("log"), "127.0.0.1",
                ], input: .pipe)
            #expect(client.text == "good day\n", "\(client)")
        }

        @Test(arguments: Cell.all, [true, false]) func statusOfOpensslServer(_ cell: Cell, isGood: Bool) async throws {
            let files = try CertificateFiles(.valid)
            let folder = try ScratchFolder()
            var content = TestOcspResponse()
            if !isGood { content.status = .revoked(reason: 1) }
            let staple = try TestCertificates.shared().intermediate.ocspResponse(for: files.identity.chain[0], content)
            let file = try folder.write(staple, to: "status")
            let port = try LocalPort.free()
            let process = try ChildProcess(
                ProgramPath.find("openssl", package: "openssl"),
                [
                    "s_server", "-accept", "127.0.0.1:\(port)", "-cert", files.leaf, "-cert_chain", files.chain, "-key",
                    files.key,
                    "-status_file", file, "-www", cell.opensslOption,
                ])
            try await process.listening(at: port)
            var configuration = try cell.client(trusting: files.identity)
            configuration.ocspStaplingEnabled = true
            let talk = await Client(port: port, configuration: configuration, drive: .async).talk(Self.request)
            #expect((talk.failure == nil) == isGood, "\(talk)")
            #expect(talk.errors == (isGood ? [] : [.certificateRevoked]))
        }

        @Test(arguments: Cell.all) func statusOfGnutlsServer(_ cell: Cell) async throws {
            let files = try CertificateFiles(.valid)
            let folder = try ScratchFolder()
            let staple = try TestCertificates.shared().intermediate.ocspResponse(for: files.identity.chain[0])
            let file = try folder.write(staple, to: "status")
            let port = try LocalPort.free()
            let process = try ChildProcess(
                ProgramPath.find("gnutls-serv", package: "gnutls-bin"),
                [
                    "--port", "\(port)", "--priority", cell.gnutlsPriority, "--x509certfile", files.chain, "--x509keyfile",
                    files.key, "--ocsp-response", file, "--http", "--disable-client-cert",
                ])
            try await process.listening(at: port)
            var configuration = try cell.client(trusting: files.identity)
            configuration.ocspStaplingEnabled = true
            let talk = await Client(port: port, configuration: configuration, drive: .async).talk(Self.request)
            #expect(talk.failure == nil && talk.text.contains("200 OK"), "\(talk)")
        }

        @Test(arguments: Cell.all) func statusForOpensslClient(_ cell: Cell) async throws {
            let files = try CertificateFiles(.valid)
            var configuration = try cell.server(showing: files.identity)
            let staple = try TestCertificates.shared().intermediate.ocspResponse(for: files.identity.chain[0])
            configuration.credentials[0].stapler = try SslOcspStapler(response: staple)
            let server = try await Server(configuration, .reply("good day\n"))
            let client = try await ChildProcess.run(
                ProgramPath.find("openssl", package: "openssl"),
                [
                    "s_client", "-connect", "127.0.0.1:\(server.port)", "-servername", TestIdentity.defaultHost, "-CAfile",
                    files.anchors, "-status", cell.opensslOption,
                ], input: .pipe)
            #expect(client.text.contains("OCSP Response Status: successful (0x0)"), "\(client)")
            #expect(client.text.contains("Cert Status: good"), "\(client)")
        }
    }
}
