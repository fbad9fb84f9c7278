internal import SslSockets
internal import SslTestKit
internal import TestProcesses
internal import Testing

extension RealPeers {
    /// STARTTLS with the mail servers of Debian.
    @Suite(.enabled(if: HeavyPeers.areWanted, Comment(rawValue: HeavyPeers.reason))) struct StartTlsPeerTests {
        /// A plain connection to the server, with the settings of a client that trusts it.
        private func connect(_ cell: Cell, _ server: MailServer, _ files: CertificateFiles) async throws -> SslSocket {
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
            let server = try await MailServer.dovecot(cell, files)
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
            let server = try await MailServer.exim(cell, files)
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
            let server = try await MailServer.dovecot(cell, files)
            let socket = try await connect(cell, server, files)
            socket.startClientEncryption(after: .imap)
            #expect(!(await socket.waitForEncrypted()))
            #expect(socket.error?.code == .peerVerificationFailed)
        }

        @Test func theWrongProtocolIsNoticed() async throws {
            let cell = try #require(Cell.all.first)
            let files = try CertificateFiles(.valid)
            let server = try await MailServer.dovecot(cell, files)
            let socket = try await connect(cell, server, files)
            socket.startClientEncryption(after: .smtp)
            #expect(!(await socket.waitForEncrypted()))
            #expect(socket.error?.code == .handshakeFailed)
            #expect(socket.state == .unconnected)
        }
    }
}
