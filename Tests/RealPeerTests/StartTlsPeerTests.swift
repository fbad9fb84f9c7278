internal import SslSockets
internal import SslTestKit
internal import TestProcesses
internal import Testing

extension RealPeers {
    /// STARTTLS with the servers of Debian.
    @Suite(.enabled(if: HeavyPeers.areWanted, Comment(rawValue: HeavyPeers.reason))) struct StartTlsPeerTests {
        /// A plain connection to the server, with the settings of a client that trusts it.
        private func connect(_ cell: Cell, _ server: StartTlsServer, _ files: CertificateFiles) async throws -> SslSocket {
            var configuration = try cell.client(trusting: files.identity)
            // The servers limit their versions in one direction only.
            configuration.protocol = SslProtocol(exactly: cell.version)
            let socket = SslSocket(configuration: configuration)
            socket.peerVerifyName = TestIdentity.defaultHost
            socket.connectToHost("127.0.0.1", port: server.port)
            guard await socket.waitForConnected() else { throw try #require(socket.error) }
            return socket
        }

        private func text(_ line: [UInt8]) -> String { String(decoding: line, as: UTF8.self) }

        @Test(arguments: Cell.all) func imap(_ cell: Cell) async throws {
            let files = try CertificateFiles(.valid)
            let server = try await StartTlsServer.dovecot(cell, files)
            let socket = try await connect(cell, server, files)
            socket.startClientEncryption(after: .imap)
            #expect(await socket.waitForEncrypted(), "\(socket.errorString)")
            #expect(socket.sessionProtocol == SslProtocol(exactly: cell.version))
            try await socket.send("a1 CAPABILITY\r\n")
            // Passwords are taken only now that the connection is encrypted.
            #expect(text(try await socket.receiveLine(timeout: .seconds(30))).contains("AUTH=PLAIN"))
            #expect(text(try await socket.receiveLine(timeout: .seconds(30))).hasPrefix("a1 OK"))
            await socket.finish()
        }

        @Test(arguments: Cell.all) func smtp(_ cell: Cell) async throws {
            let files = try CertificateFiles(.rsa)
            let server = try await StartTlsServer.exim(cell, files)
            let socket = try await connect(cell, server, files)
            socket.startClientEncryption(after: .smtp)
            #expect(await socket.waitForEncrypted(), "\(socket.errorString)")
            #expect(socket.sessionProtocol == SslProtocol(exactly: cell.version))
            try await socket.send("EHLO client.example.test\r\n")
            var offers: [String] = []
            repeat {
                offers.append(text(try await socket.receiveLine(timeout: .seconds(30))))
            } while offers.last?.hasPrefix("250-") == true
            #expect(offers.first?.hasPrefix("250-server.example.test") == true, "\(offers)")
            // What is encrypted cannot be encrypted again.
            #expect(!offers.contains { $0.contains("STARTTLS") })
            await socket.finish()
        }

        @Test(arguments: Cell.all) func aCertificateThatIsNotTrustedIsRefused(_ cell: Cell) async throws {
            let files = try CertificateFiles(.untrusted)
            let server = try await StartTlsServer.dovecot(cell, files)
            let socket = try await connect(cell, server, files)
            socket.startClientEncryption(after: .imap)
            #expect(!(await socket.waitForEncrypted()))
            #expect(socket.error?.code == .peerVerificationFailed)
        }

        /// One question on an encrypted connection and the beginning of the answer, by each backend, version and way of waiting. The dialogue before
        /// it is part of the wait.
        private func ask(
            _ kind: SslStartTls, _ server: StartTlsServer, _ files: CertificateFiles, _ question: [UInt8],
            _ isRight: (String) -> Bool
        ) async throws {
            for cell in Cell.all {
                var configuration = try cell.client(trusting: files.identity)
                configuration.protocol = SslProtocol(exactly: cell.version)
                for drive in Drive.allCases {
                    let answer =
                        switch drive {
                        case .async: await Self.askAsync(kind, server.port, configuration, question)
                        case .blocking:
                            await Background.run { [port = server.port, configuration] in
                                Self.askBlocking(kind, port, configuration, question)
                            }
                        }
                    #expect(isRight(answer), "\(kind.rawValue) \(cell) \(drive): \(answer)")
                }
            }
        }

        private static func make(_ kind: SslStartTls, _ port: UInt16, _ configuration: SslConfiguration) -> SslSocket {
            let socket = SslSocket(configuration: configuration)
            socket.connectToHostEncrypted("127.0.0.1", port: port, startTls: kind, peerVerifyName: TestIdentity.defaultHost)
            return socket
        }

        private static func askAsync(
            _ kind: SslStartTls, _ port: UInt16, _ configuration: SslConfiguration, _ question: [UInt8]
        ) async -> String {
            let socket = make(kind, port, configuration)
            guard await socket.waitForEncrypted() else { return socket.errorString }
            socket.write(question)
            let answer = try? await socket.receive(timeout: .seconds(30))
            await socket.finish()
            return String(decoding: answer ?? [], as: UTF8.self)
        }

        private static func askBlocking(
            _ kind: SslStartTls, _ port: UInt16, _ configuration: SslConfiguration, _ question: [UInt8]
        ) -> String {
            let socket = make(kind, port, configuration)
            guard socket.waitForEncrypted() else { return socket.errorString }
            socket.write(question)
            guard socket.waitForReadyRead() else { return socket.errorString }
            let answer = String(decoding: socket.readAll(), as: UTF8.self)
            socket.disconnectFromHost()
            if socket.state != .unconnected { _ = socket.waitForDisconnected() }
            return answer
        }

        @Test func pop3() async throws {
            let files = try CertificateFiles(.valid)
            let cell = try #require(Cell.all.first { $0.version == .tls1_3 })
            // Its lowest version is that of the cell, and here it must be every client's.
            let server = try await StartTlsServer.dovecot(Cell(backend: cell.backend, version: .tls1_2), files, service: "pop3")
            try await ask(.pop3, server, files, Array("CAPA\r\n".utf8)) { $0.hasPrefix("+OK") }
        }

        @Test func postgres() async throws {
            let files = try CertificateFiles(.valid)
            let server = try await StartTlsServer.postgres(files)
            // Version 3.0 of the protocol, the user postgres; "R" asks for nothing more, for the cluster trusts everybody.
            let startup: [UInt8] = [0, 0, 0, 23, 0, 3, 0, 0] + Array("user\0postgres\0\0".utf8)
            try await ask(.postgres, server, files, startup) { $0.hasPrefix("R") }
        }

        @Test func ftp() async throws {
            let files = try CertificateFiles(.rsa)
            let server = try await StartTlsServer.vsftpd(files)
            try await ask(.ftp, server, files, Array("FEAT\r\n".utf8)) { $0.hasPrefix("211") }
        }

        @Test func ldap() async throws {
            let files = try CertificateFiles(.valid)
            let server = try await StartTlsServer.slapd(files)
            // An anonymous bind; the response has the same message identifier and the result 0.
            let bind: [UInt8] = [0x30, 12, 2, 1, 2, 0x60, 7, 2, 1, 3, 4, 0, 0x80, 0]
            let bound = String(decoding: [0x30, 12, 2, 1, 2, 0x61, 7, 0x0A, 1, 0] as [UInt8], as: UTF8.self)
            try await ask(.ldap, server, files, bind) { $0.hasPrefix(bound) }
        }

        @Test func xmpp() async throws {
            let files = try CertificateFiles(.valid)
            let server = try await StartTlsServer.prosody(files)
            let header =
                "<?xml version='1.0'?><stream:stream to='\(TestIdentity.defaultHost)' version='1.0' xmlns='jabber:client' "
                + "xmlns:stream='http://etherx.jabber.org/streams'>"
            try await ask(.xmpp, server, files, Array(header.utf8)) {
                $0.hasPrefix("<?xml") && $0.contains("from='\(TestIdentity.defaultHost)'")
            }
        }

        @Test func theWrongProtocolIsNoticed() async throws {
            let cell = try #require(Cell.all.first)
            let files = try CertificateFiles(.valid)
            let server = try await StartTlsServer.dovecot(cell, files)
            let socket = try await connect(cell, server, files)
            socket.startClientEncryption(after: .smtp)
            #expect(!(await socket.waitForEncrypted()))
            #expect(socket.error?.code == .handshakeFailed)
            #expect(socket.state == .unconnected)
        }
    }
}
