import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

/// Certificates that are asked for after the handshake (RFC 8446 section 4.6.2), and those a client chooses when it is asked.
@Suite("Certificates of clients, chosen and late")
struct PostHandshakeTests {
    /// A server that wants no certificate at first, and a client that may be asked for one later.
    private func pipe(
        _ pair: SocketFixture, _ shown: TestCertificate? = .client, version: SslProtocol = .tlsV1_3,
        change: (inout SslConfiguration, inout SslConfiguration) throws -> Void = { _, _ in }
    ) throws -> MemoryPipe {
        let certificates = try TestCertificates.shared()
        var client = try pair.clientConfiguration()
        client.protocol = version
        client.allowsPostHandshakeAuthentication = true
        if let shown { client.credentials = [try certificates.identity(shown).credentials(backend: pair.client)] }
        var server = try pair.serverConfiguration()
        server.peerVerifyMode = .verifyNone
        server.allowsPostHandshakeAuthentication = true
        server.caCertificates = try certificates.identity(.client).anchorCertificates(backend: pair.server)
        server.usesSystemCaCertificates = false
        try change(&client, &server)
        let pipe = try MemoryPipe(client: client, server: server)
        #expect(pipe.converse(pair, "before"))
        #expect(pipe.server.connection.peerCertificates.isEmpty)
        return pipe
    }

    @Test("A server asks, gets the certificate, and the connection goes on", arguments: SocketFixture.all)
    func accepted(pair: SocketFixture) throws {
        let pipe = try pipe(pair)
        for round in 1...2 {
            try pipe.server.connection.requestClientCertificate(.verifyPeer, pipe.server.output)
            pipe.client.write([1, 2, 3])
            pipe.run()
            #expect(pipe.server.lateProofs == round && pipe.client.certificateRequests == round)
            #expect(pipe.server.connection.peerCertificates.first?.subjectDisplayName == "Test Client")
            #expect(pipe.server.connection.peerErrors.isEmpty)
            #expect(pipe.converse(pair, "after \(round)"))
        }
        #expect(pipe.client.error == nil && pipe.server.error == nil)
    }

    @Test("A certificate that is no good ends the connection at both ends", arguments: SocketFixture.all)
    func refused(pair: SocketFixture) throws {
        let pipe = try pipe(pair, .untrustedClient)
        try pipe.server.connection.requestClientCertificate(.verifyPeer, pipe.server.output)
        pipe.run()
        #expect(pipe.server.lateProofs == 0)
        #expect(pipe.server.error?.code == .peerVerificationFailed && pipe.server.error?.alert == .unknownCa)
        #expect(pipe.client.error?.code == .alertReceived && pipe.client.error?.alert == .unknownCa)
    }

    @Test("A client without a certificate is refused, or taken when the server only asks", arguments: SocketFixture.all)
    func without(pair: SocketFixture) throws {
        let demanding = try pipe(pair, nil)
        try demanding.server.connection.requestClientCertificate(.verifyPeer, demanding.server.output)
        demanding.run()
        #expect(demanding.server.lateProofs == 0 && demanding.server.connection.peerErrors.map(\.code) == [.noPeerCertificate])
        #expect(demanding.server.error?.code == .peerVerificationFailed)
        #expect(demanding.client.error?.alert == .certificateRequired)

        let asking = try pipe(pair, nil)
        try asking.server.connection.requestClientCertificate(.queryPeer, asking.server.output)
        asking.run()
        #expect(asking.server.lateProofs == 1 && asking.server.error == nil)
        #expect(asking.server.connection.peerCertificates.isEmpty)
        #expect(asking.converse(pair, "after"))
    }

    @Test("A client that has resumed is judged as well, or cannot be asked at all", arguments: SocketFixture.all)
    func resumed(pair: SocketFixture) throws {
        let ring = try SslTicketKeys()
        let first = try pipe(pair, .untrustedClient) { _, server in server.ticketKeys = ring }
        let ticket = try #require(first.client.tickets.last)
        let second = try pipe(pair, .untrustedClient) { client, server in
            client.sessionTicket = ticket
            server.ticketKeys = ring
        }
        #expect(second.server.connection.facts.isResumed)
        do throws(SslSocketError) {
            try second.server.connection.requestClientCertificate(.verifyPeer, second.server.output)
            second.run()
            #expect(second.server.error?.code == .peerVerificationFailed)
        } catch {
            #expect(error.code == .unsupportedFeature && second.converse(pair, "after"))
        }
        #expect(second.server.lateProofs == 0)
    }

    @Test("A request that is not answered yet stays as it is", arguments: SocketFixture.all)
    func twice(pair: SocketFixture) throws {
        let pipe = try pipe(pair, nil)
        try pipe.server.connection.requestClientCertificate(.verifyPeer, pipe.server.output)
        #expect(throws: SslSocketError(.operation, "")) {
            try pipe.server.connection.requestClientCertificate(.queryPeer, pipe.server.output)
        }
        pipe.run()
        #expect(pipe.server.lateProofs == 0 && pipe.server.error?.code == .peerVerificationFailed)
    }

    @Test("While the server has not made up its mind nothing is read", arguments: SocketFixture.all)
    func undecided(pair: SocketFixture) throws {
        let pipe = try pipe(pair, .untrustedClient)
        pipe.server.policy.undecidedRounds = 3
        pipe.server.policy.accepts = .all
        try pipe.server.connection.requestClientCertificate(.verifyPeer, pipe.server.output)
        pipe.run()
        #expect(pipe.server.openQuestions > 3 && pipe.server.lateProofs == 1)
        #expect(pipe.converse(pair, "after"))
    }

    @Test(
        "Nobody can be asked who is not willing, in TLS 1.2, or by a server that does not allow it", arguments: SocketFixture.all)
    func impossible(pair: SocketFixture) throws {
        let unwilling = try pipe(pair) { client, _ in client.allowsPostHandshakeAuthentication = false }
        let old = try pipe(pair, version: .tlsV1_2)
        for pipe in [unwilling, old] {
            #expect(throws: SslSocketError(.unsupportedFeature, "")) {
                try pipe.server.connection.requestClientCertificate(.verifyPeer, pipe.server.output)
            }
            #expect(pipe.converse(pair, "after"))
        }
        let forbidding = try pipe(pair) { _, server in server.allowsPostHandshakeAuthentication = false }
        #expect(throws: SslSocketError(.operation, "")) {
            try forbidding.server.connection.requestClientCertificate(.verifyPeer, forbidding.server.output)
        }
        let willing = try pipe(pair)
        #expect(throws: SslSocketError(.operation, "")) {
            try willing.server.connection.requestClientCertificate(.verifyNone, willing.server.output)
        }
    }

    /// What slots heard; it lives in the isolation of the socket.
    private final class Count {
        var value = 0
    }

    @Test("Sockets tell of it by signals", arguments: SocketFixture.all)
    func sockets(pair: SocketFixture) async throws {
        let certificates = try TestCertificates.shared()
        let anchors = try certificates.identity(.client).anchorCertificates(backend: pair.server)
        try await pair.withPlainPair { socket in
            socket.sslConfiguration.allowsPostHandshakeAuthentication = true
            socket.sslConfiguration.caCertificates = anchors
            socket.sslConfiguration.peerVerifyMode = .verifyNone
            #expect(throws: SslSocketError(.operation, "")) { try socket.requestClientCertificate() }
            socket.startServerEncryption()
            #expect(await socket.waitForEncrypted())
            let proofs = Count()
            socket.clientAuthenticated.connect { socket in
                proofs.value += 1
                #expect(socket.peerCertificate?.subjectDisplayName == "Test Client")
            }
            try socket.requestClientCertificate()
            #expect(try await socket.receive() == Array("hello".utf8))
            while proofs.value == 0 { _ = try await socket.receive() }
            try await socket.send("proved")
            await socket.finish()
        } _: { socket in
            #expect(await socket.waitForConnected())
            socket.protocol = .tlsV1_3
            socket.sslConfiguration.allowsPostHandshakeAuthentication = true
            socket.sslConfiguration.credentials = [try certificates.identity(.client).credentials(backend: pair.client)]
            let requests = Count()
            socket.clientCertificateRequested.connect { _ in requests.value += 1 }
            socket.startClientEncryption()
            #expect(await socket.waitForEncrypted())
            #expect(throws: SslSocketError(.operation, "")) { try socket.requestClientCertificate() }
            try await socket.send("hello")
            // The request is answered while this end reads.
            let reader = await socket.waitForReadyRead(timeout: .milliseconds(200))
            if !reader { try await socket.send("more") }
            var heard = socket.readAll()
            while heard.count < 6 { heard += try await socket.receive() }
            #expect(heard == Array("proved".utf8) && requests.value == 1)
        }
    }

    // MARK: Chosen when asked

    private func choosing(
        _ pair: SocketFixture, version: SslProtocol,
        _ choose: @escaping @Sendable (SslClientCertificateRequest) -> SslCredentials?
    ) throws -> MemoryPipe {
        let identity = try TestCertificates.shared().identity(.client)
        var client = try pair.clientConfiguration()
        client.protocol = version
        var server = try pair.serverConfiguration()
        server.peerVerifyMode = .verifyPeer
        server.caCertificates = try identity.anchorCertificates(backend: pair.server)
        server.requestedAuthorities = server.caCertificates
        let pipe = MemoryPipe(
            client: try PipeEndpoint(clientTo: TestIdentity.defaultHost, configuration: client, credentials: choose),
            server: try PipeEndpoint(server: server))
        pipe.run()
        return pipe
    }

    @Test(
        "A client chooses by what the server asks for", arguments: SocketFixture.all, [SslProtocol.tlsV1_2, .tlsV1_3])
    func chosen(pair: SocketFixture, version: SslProtocol) throws {
        let certificates = try TestCertificates.shared()
        let right = try certificates.identity(.client).credentials(backend: pair.client)
        let wrong = try certificates.identity(.untrustedClient).credentials(backend: pair.client)
        let seen = Lock<[SslClientCertificateRequest]>([])
        let pipe = try choosing(pair, version: version) { request in
            seen.withLock { $0.append(request) }
            return [wrong, right].first { request.names(issuerOf: $0) }
        }
        #expect(pipe.converse(pair, "hello"))
        #expect(pipe.server.connection.peerCertificates.first?.subjectDisplayName == "Test Client")
        let requests = seen.withLock { $0 }
        #expect(requests.count == 1 && requests[0].authorities.count == 1)
        #expect(requests[0].signatureSchemes.contains(SslSignatureScheme(code: 0x0403)))
    }

    @Test("Nothing chosen is nothing shown, and what cannot be used fails at once", arguments: SocketFixture.all)
    func notUsable(pair: SocketFixture) throws {
        let without = try choosing(pair, version: .tlsV1_3) { _ in nil }
        #expect(without.server.connection.peerErrors.map(\.code) == [.noPeerCertificate])
        #expect(without.client.error?.alert == .certificateRequired)
        let certificates = try TestCertificates.shared()
        var mixed = try certificates.identity(.client).credentials(backend: pair.client)
        mixed.key = try certificates.identity(.rsa).credentials(backend: pair.client).key
        let mismatch = mixed
        let broken = try choosing(pair, version: .tlsV1_3) { _ in mismatch }
        #expect(broken.client.error?.code == .keyMismatch && !broken.client.isEstablished)
        var empty = mixed
        empty.chain = []
        let nothing = empty
        let incomplete = try choosing(pair, version: .tlsV1_2) { _ in nothing }
        #expect(incomplete.client.error?.code == .invalidUserData && !incomplete.client.isEstablished)
    }

    @Test("A session is not resumed while the certificate is chosen", arguments: SocketFixture.all)
    func notResumed(pair: SocketFixture) throws {
        var client = try pair.clientConfiguration()
        let server = try pair.serverConfiguration()
        let first = try MemoryPipe(client: client, server: server)
        #expect(first.converse(pair, "hello"))
        client.sessionTicket = first.client.tickets.first
        let nothing: SslCredentialsChoice = { _ in nil }
        for (choice, isResumed) in [(nil, true), (nothing, false)] as [(SslCredentialsChoice?, Bool)] {
            let pipe = MemoryPipe(
                client: try PipeEndpoint(clientTo: TestIdentity.defaultHost, configuration: client, credentials: choice),
                server: try PipeEndpoint(server: server))
            #expect(pipe.converse(pair, "hello"))
            #expect(pipe.client.connection.facts.isResumed == isResumed)
        }
    }
}

extension MemoryPipe {
    /// An exchange in both directions that does not end the connection.
    fileprivate func converse(_ pair: SocketFixture, _ text: String) -> Bool {
        run()
        let (here, there) = (client.received.count, server.received.count)
        client.write(Array(text.utf8))
        server.write(Array(text.utf8))
        run()
        return client.received.dropFirst(here).elementsEqual(text.utf8)
            && server.received.dropFirst(there).elementsEqual(text.utf8)
    }
}
