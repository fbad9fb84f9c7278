import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

/// Signals of a server's sockets that a program connects to before the handshake.
@Suite("Servers: signals of the handshake")
struct ServerSignalsTests {
    @Test(
        "A handshake interrupted at a client's certificate ends with an alert, or goes on", arguments: ServerCell.all,
        [false, true])
    func interrupted(cell: ServerCell, continues: Bool) async throws {
        let server = try cell.server()
        let certificates = try TestCertificates.shared()
        server.sslConfiguration.peerVerifyMode = .verifyPeer
        server.sslConfiguration.handshakeMustInterruptOnError = true
        server.sslConfiguration.caCertificates = try certificates.identity(.client).anchorCertificates(backend: cell.pair.server)
        let log = EventLog()
        server.observe(log)
        server.onConnection { socket in
            socket.handshakeInterruptedOnError.connect { socket, error in
                log.note("interrupted \(error.code)")
                if continues { socket.continueInterruptedHandshake() }
            }
            socket.sslErrors.connect { socket, errors in
                log.note("sslErrors")
                socket.ignoreSslErrors(errors)
            }
            socket.peerVerifyError.connect { _, _ in log.note("peerVerifyError") }
            socket.errorOccurred.connect { _, error in log.note("error \(error.code.rawValue)") }
            socket.alertSent.connect { _, _ in log.note("sent") }
        }
        try server.listen(host: "127.0.0.1")
        let client = try cell.client(to: server) {
            $0.credentials = [try certificates.identity(.selfSigned).credentials(backend: cell.pair.client)]
        }
        let isEncrypted = await client.waitForEncrypted()
        guard continues else {
            if isEncrypted { _ = await client.waitForDisconnected() }
            #expect(client.error?.code == .alertReceived)
            #expect(await log.wait { $0.contains { $0.hasPrefix("failed") } })
            #expect(log.count("interrupted selfSignedCertificate") == 1 && log.count("sent") == 1)
            #expect(log.entries.count { $0.hasPrefix("error") } == 1)
            // Only who goes on is told of the errors again.
            #expect(log.count("sslErrors") == 0 && log.count("peerVerifyError") == 0 && log.count("pending") == 0)
            return
        }
        #expect(isEncrypted)
        #expect(await log.wait(for: "pending"))
        #expect(log.count("interrupted selfSignedCertificate") == 1 && log.count("sslErrors") == 1)
        #expect(log.count("sent") == 0 && !log.entries.contains { $0.hasPrefix("failed") })
    }

    @Test("A pre-shared key asked for by a server's socket", arguments: ServerCell.all, [true, false])
    func preSharedKey(cell: ServerCell, isRight: Bool) async throws {
        let server = try cell.server()
        let log = EventLog()
        server.observe(log)
        server.onConnection { socket in
            socket.preSharedKeyAuthenticationRequired.connect { _, authenticator in
                log.note("asked for \(String(decoding: authenticator.identity, as: UTF8.self))")
                authenticator.preSharedKey = isRight ? PreSharedKeyTests.secret : PreSharedKeyTests.wrongSecret
            }
        }
        try server.listen(host: "127.0.0.1")
        let client = try cell.client(to: server) { $0.preSharedKeys = [try PreSharedKeyTests.key()] }
        #expect(await client.waitForEncrypted() == isRight, "\(client.errorString)")
        if isRight {
            #expect(await log.wait(for: "pending"))
            let socket = try #require(server.nextPendingConnection())
            #expect(socket.isPreSharedKeyUsed && socket.preSharedKeyIdentity == PreSharedKeyTests.identity)
        } else {
            #expect(await log.wait { $0.contains { $0.hasPrefix("failed") } })
            #expect(log.count("pending") == 0)
        }
        #expect(log.count("asked for Client #1") == 1)
    }
}
