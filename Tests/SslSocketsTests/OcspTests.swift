import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

@Suite("OCSP stapling")
struct OcspTests {
    /// A client that insists on a status, and a server that staples `staple`.
    private func run(
        _ cell: VersionedPair, _ staple: [UInt8]?, identity: TestIdentity? = nil, ignoring: [SslErrorCode]? = nil,
        client body: @escaping (SslSocket, _ isEncrypted: Bool) throws -> Void
    ) async throws {
        let shown = try identity ?? TestCertificates.shared().identity(.valid)
        try await cell.run { socket in
            socket.sslConfiguration = try shown.configuration(backend: cell.pair.server)
            socket.sslConfiguration.protocol = SslProtocol(exactly: cell.version)
            if let staple { socket.sslConfiguration.credentials[0].stapler = SslOcspStapler(unchecked: staple) }
        } outcome: { _ in
        } client: { socket in
            socket.sslConfiguration = try shown.trustingConfiguration(backend: cell.pair.client)
            socket.sslConfiguration.protocol = SslProtocol(exactly: cell.version)
            socket.sslConfiguration.ocspStaplingEnabled = true
            if let ignoring {
                socket.sslErrors.connect { socket, errors in
                    if errors.map(\.code) == ignoring { socket.ignoreSslErrors() }
                }
            }
            socket.startClientEncryption()
            let isEncrypted = await socket.waitForEncrypted()
            try body(socket, isEncrypted)
        }
    }

    private func leaf() throws -> [UInt8] { try #require(TestCertificates.shared().identity(.valid).chain.first) }

    private func refused(_ cell: VersionedPair, _ staple: [UInt8]?, _ codes: [SslErrorCode]) async throws {
        try await run(cell, staple) { socket, isEncrypted in
            #expect(!isEncrypted)
            #expect(socket.sslHandshakeErrors.map(\.code) == codes)
            #expect(socket.error?.code == .peerVerificationFailed)
            #expect(
                socket.error?.alert == (codes.first == .certificateRevoked ? .certificateRevoked : .badCertificateStatusResponse))
        }
    }

    @Test("A trusted self-signed server: refused without a staple, accepted with a good one", arguments: VersionedPair.all)
    func selfSigned(cell: VersionedPair) async throws {
        let host = [SslAlternativeName.dns(Array(TestIdentity.defaultHost.utf8))]
        let root = try TestAuthority.makeRoot("Test Self-Signed Server") {
            $0.alternativeNames = host
            $0.keyUsage = [.digitalSignature, .certificateSigning]
        }
        let key = try SslKey(root.key.pkcs8(), format: .der, backend: root.backend.name)
        let identity = TestIdentity(chain: [root.certificate], key: key, anchors: [root.certificate])
        try await run(cell, nil, identity: identity) { socket, isEncrypted in
            #expect(!isEncrypted && socket.sslHandshakeErrors.map(\.code) == [.ocspNoResponseFound])
            #expect(socket.ocspResponses.isEmpty)
        }
        try await run(cell, root.ocspResponse(for: root.certificate), identity: identity) { socket, isEncrypted in
            #expect(isEncrypted, "\(socket.errorString)")
            #expect(socket.ocspResponses.count == 1)
            let response = try #require(socket.ocspResponses.first)
            #expect(response.certificateStatus == .good && response.revocationReason == .none)
            #expect(response.subject == socket.peerCertificate && response.responder == socket.peerCertificate)
            #expect(response.thisUpdate != nil && response.nextUpdate != nil && response.revocationTime == nil)
        }
    }

    /// The rows of a bad status: what the responder says, and the error it is.
    static let badRows: [(TestOcspResponse.Status, UInt8, SslErrorCode)] = [
        (.good, 1, .ocspMalformedRequest), (.good, 2, .ocspInternalError), (.good, 3, .ocspTryLater),
        (.good, 5, .ocspSigRequired),
        (.good, 6, .ocspUnauthorized), (.revoked(reason: 1), 0, .certificateRevoked), (.unknown, 0, .ocspStatusUnknown),
    ]

    @Test("Each bad status has its own error", arguments: VersionedPair.all, 0..<7)
    func badStatus(cell: VersionedPair, row: Int) async throws {
        let (status, responseStatus, code) = Self.badRows[row]
        var content = TestOcspResponse()
        content.status = status
        content.responseStatus = responseStatus
        let staple = try TestCertificates.shared().intermediate.ocspResponse(for: leaf(), content)
        try await refused(cell, staple, [code])
    }

    @Test("A revoked certificate's reason and time are told, and all of it can be ignored", arguments: VersionedPair.all)
    func revoked(cell: VersionedPair) async throws {
        var content = TestOcspResponse()
        content.status = .revoked(reason: 4)
        let authority = try TestCertificates.shared().intermediate
        let staple = try authority.ocspResponse(for: leaf(), content)
        try await run(cell, staple, ignoring: [.certificateRevoked]) { socket, isEncrypted in
            #expect(isEncrypted, "\(socket.errorString)")
            let response = try #require(socket.ocspResponses.first)
            #expect(response.certificateStatus == .revoked && response.revocationReason == .superseded)
            #expect(response.revocationTime == content.thisUpdate.adding(seconds: -3600))
            #expect(response.responder?.der == authority.certificate && response.subject == socket.peerCertificate)
        }
    }

    @Test("Two answers are one too many", arguments: VersionedPair.all)
    func multiple(cell: VersionedPair) async throws {
        var content = TestOcspResponse()
        content.count = 2
        try await refused(
            cell, TestCertificates.shared().intermediate.ocspResponse(for: leaf(), content), [.ocspMalformedResponse])
    }

    @Test("Garbage ends the handshake", arguments: VersionedPair.all)
    func malformed(cell: VersionedPair) async throws {
        try await refused(cell, [1, 2, 3], [.ocspMalformedResponse])
    }

    @Test("Expired, not yet valid, and next before this", arguments: VersionedPair.all, [(-7200, -61), (61, 7200), (-10, -20)])
    func expired(cell: VersionedPair, window: (Int64, Int64)) async throws {
        var content = TestOcspResponse()
        let now = SslInstant.now
        content.thisUpdate = now.adding(seconds: window.0)
        content.nextUpdate = now.adding(seconds: window.1)
        let staple = try TestCertificates.shared().intermediate.ocspResponse(for: leaf(), content)
        try await TlsClock.$fixed.withValue(now) { try await refused(cell, staple, [.ocspResponseExpired]) }
    }

    @Test("Sixty seconds of difference between clocks are allowed", arguments: VersionedPair.all, [(-7200, -60), (60, 7200)])
    func slack(cell: VersionedPair, window: (Int64, Int64)) async throws {
        var content = TestOcspResponse()
        let now = SslInstant.now
        content.thisUpdate = now.adding(seconds: window.0)
        content.nextUpdate = now.adding(seconds: window.1)
        let staple = try TestCertificates.shared().intermediate.ocspResponse(for: leaf(), content)
        try await TlsClock.$fixed.withValue(now) {
            try await run(cell, staple) { socket, isEncrypted in #expect(isEncrypted, "\(socket.errorString)") }
        }
    }

    @Test("Without the time of the next one it counts for seven days", arguments: VersionedPair.all, [true, false])
    func noNextUpdate(cell: VersionedPair, isFresh: Bool) async throws {
        var content = TestOcspResponse()
        let now = SslInstant.now
        content.thisUpdate = now.adding(days: -7).adding(seconds: isFresh ? 0 : -1)
        content.nextUpdate = nil
        let staple = try TestCertificates.shared().intermediate.ocspResponse(for: leaf(), content)
        try await TlsClock.$fixed.withValue(now) {
            try await run(cell, staple) { socket, isEncrypted in
                #expect(isEncrypted == isFresh)
                #expect(socket.sslHandshakeErrors.map(\.code) == (isFresh ? [] : [.ocspResponseExpired]))
                #expect(socket.ocspResponses.first?.nextUpdate == nil && socket.ocspResponses.count == 1)
            }
        }
    }

    @Test("A response about another subject, another issuer, or both", arguments: VersionedPair.all, 0..<3)
    func wrongCertificate(cell: VersionedPair, row: Int) async throws {
        let shared = try TestCertificates.shared()
        var content = TestOcspResponse()
        if row > 0 { content.issuer = try TestAuthority.makeRoot("Test Other Root") }
        let subject = row == 1 ? try leaf() : try #require(shared.identity(.client).chain.first)
        try await refused(cell, shared.intermediate.ocspResponse(for: subject, content), [.ocspResponseCertIdUnknown])
    }

    @Test("A responder nobody vouches for", arguments: VersionedPair.all)
    func untrustedResponder(cell: VersionedPair) async throws {
        var content = TestOcspResponse()
        content.signer = try TestAuthority.makeRoot("Test Other Root")
        let staple = try TestCertificates.shared().intermediate.ocspResponse(for: leaf(), content)
        try await refused(cell, staple, [.ocspResponseCannotBeTrusted])
    }

    @Test("A delegate of the intermediate speaks for it, and is the responder", arguments: VersionedPair.all, [true, false])
    func delegate(cell: VersionedPair, byKey: Bool) async throws {
        var content = TestOcspResponse()
        let authority = try TestCertificates.shared().intermediate
        let responder = try authority.makeResponder()
        content.signer = responder
        content.namesResponderByKey = byKey
        try await run(cell, authority.ocspResponse(for: leaf(), content)) { socket, isEncrypted in
            #expect(isEncrypted, "\(socket.errorString)")
            #expect(socket.ocspResponses.first?.responder?.der == responder.certificate)
        }
    }

    @Test("The status comes first in the list, then the name, then the chain", arguments: VersionedPair.all)
    func order(cell: VersionedPair) async throws {
        let identity = try TestCertificates.shared().identity(.expired)
        try await run(cell, nil, identity: identity, ignoring: [.ocspNoResponseFound, .certificateExpired]) {
            socket, isEncrypted in
            #expect(isEncrypted, "\(socket.errorString)")
            #expect(socket.sslHandshakeErrors.map(\.code) == [.ocspNoResponseFound, .certificateExpired])
        }
    }

    @Test("A stapler is renewed while the server runs, and does not staple what has expired", arguments: VersionedPair.all)
    func renewing(cell: VersionedPair) async throws {
        let authority = try TestCertificates.shared().intermediate
        let stapler = SslOcspStapler()
        var configuration = try cell.pair.serverConfiguration()
        configuration.protocol = SslProtocol(exactly: cell.version)
        configuration.credentials[0].stapler = stapler
        let server = SslServer(configuration: configuration)
        try server.listen(host: "127.0.0.1")
        let running = Task {
            try await server.run { socket in
                _ = try? await socket.receive()
                await socket.finish()
            }
        }
        var client = try cell.pair.clientConfiguration()
        client.protocol = SslProtocol(exactly: cell.version)
        client.ocspStaplingEnabled = true
        func connects() async throws -> Bool {
            let socket = SslSocket(configuration: client)
            socket.connectToHostEncrypted("127.0.0.1", port: server.serverPort, peerVerifyName: TestIdentity.defaultHost)
            let isEncrypted = await socket.waitForEncrypted()
            #expect(isEncrypted || socket.sslHandshakeErrors.map(\.code) == [.ocspNoResponseFound])
            #expect(!socket.isSessionResumed)
            client.sessionTicket = socket.sessionTicket
            socket.abort()
            return isEncrypted
        }
        #expect(try await !connects())
        try stapler.update(authority.ocspResponse(for: leaf()))
        #expect(try await connects())
        #expect(try await connects(), "a ticket brings no status and is not used")
        stapler.clear()
        #expect(try await !connects())
        server.close()
        try await running.value
    }

    @Test("A stapler takes responses only, and keeps the old one otherwise")
    func stapler() throws {
        let authority = try TestCertificates.shared().intermediate
        let good = try authority.ocspResponse(for: leaf())
        let stapler = try SslOcspStapler(response: good)
        #expect(stapler.response == good)
        for wrong in [[], [1, 2, 3], good.dropLast().map { $0 }, good + [0], [0x30, 3, 0x0A, 1, 3]] {
            #expect(throws: SslSocketError(.invalidUserData, "")) { try stapler.update(wrong) }
        }
        #expect(throws: SslSocketError(.operation, "")) { try stapler.reload() }
        #expect(throws: SslSocketError(.unreadableFile, "")) { try SslOcspStapler(file: "/no/such/file") }
        #expect(stapler.response == good)
        TlsClock.$fixed.withValue(SslInstant.now.adding(seconds: 3700)) { #expect(stapler.response == nil) }
        stapler.clear()
        #expect(stapler.response == nil)
    }

    @Test("On a server it is an error to insist on a status", arguments: SslBackends.available)
    func settings(backend: String) throws {
        #expect(!SslConfiguration().ocspStaplingEnabled)
        var configuration = try TestCertificates.shared().identity(.valid).configuration(backend: backend)
        configuration.ocspStaplingEnabled = true
        #expect(throws: SslSocketError(.invalidUserData, "")) { try configuration.validate(for: .server) }
        try configuration.validate(for: .client)
    }

    @Test("A response that says nothing, and the numbers of reasons")
    func values() {
        let empty = OcspResponse()
        #expect(empty.certificateStatus == .unknown && empty.revocationReason == .none)
        #expect(empty.responder == nil && empty.subject == nil && empty == OcspResponse())
        #expect(OcspRevocationReason.allCases.map(\.rawValue) == [-1, 0, 1, 2, 3, 4, 5, 6, 8, 9, 10])
    }

    @Test("Whatever octets are read, nothing breaks")
    func damagedOctets() throws {
        let good = try TestCertificates.shared().intermediate.ocspResponse(for: leaf())
        #expect(OcspMessage(good)?.basic?.responses.count == 1)
        for index in good.indices {
            #expect(OcspMessage(Array(good.prefix(index))) == nil)
            var changed = good
            changed[index] ^= 0x55
            _ = OcspMessage(changed)
        }
    }
}
