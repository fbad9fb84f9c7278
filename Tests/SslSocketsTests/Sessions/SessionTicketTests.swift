import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

/// What a ticket remembers, when it is not offered, and how it travels.
@Suite struct SessionTicketTests {
    /// A change of a client's configuration, by the name of the setting.
    struct Change: Sendable, CustomTestStringConvertible {
        let setting: String
        let change: @Sendable (inout SslConfiguration) throws -> Void
        init(_ setting: String, _ change: @escaping @Sendable (inout SslConfiguration) throws -> Void) {
            self.setting = setting
            self.change = change
        }
        var testDescription: String { setting }
    }

    /// Every setting that has a part in the verdict, or in what the client shows of itself.
    static let changes: [Change] = [
        Change("peerVerifyMode") { $0.peerVerifyMode = .queryPeer },
        Change("peerVerifyDepth") { $0.peerVerifyDepth = 7 },
        Change("protocolRange") { $0.protocol = .tlsV1_3OrLater },
        Change("handshakeMustInterruptOnError") { $0.handshakeMustInterruptOnError = true },
        Change("ciphers") { $0.ciphers = SslCipher.defaults.reversed() },
        Change("groups") { $0.groups = [.secp256r1] },
        Change("signatureSchemes") {
            $0.signatureSchemes = [SslSignatureScheme(code: 0x0403), SslSignatureScheme(code: 0x0804)]
        },
        Change("options") { $0.setSslOption(.disableCompression, false) },
        Change("backendConfiguration") {
            $0.backendConfiguration = $0.backend == "gnutls" ? ["priority": "%COMPAT"] : ["Options": "-SessionTicket"]
        },
        Change("ocspStaplingEnabled") { $0.ocspStaplingEnabled = true },
        Change("caCertificates") { $0.addCaCertificate(try SslCertificate(der: TestAuthority.makeRoot("Other").certificate)) },
        Change("caCertificateDirectories") { $0.caCertificateDirectories = ["/etc"] },
        Change("usesSystemCaCertificates") { $0.usesSystemCaCertificates.toggle() },
        Change("credentials") {
            $0.credentials = [try TestCertificates.shared().identity(.client).credentials(backend: $0.backend)]
        },
        Change("verification.profile") { $0.certificateProfile = .rfc5280 },
        Change("verification.revocationPolicy") { $0.revocationPolicy = .off },
        Change("verification.pins") {
            $0.publicKeyPins = [
                try #require(TestCertificates.shared().identity(.valid).configuration().localCertificate?.publicKeyPin)
            ]
        },
        Change("verification.usesCommonName") { $0.usesCommonNameFallback = true },
        Change("verification.revocationLists") {
            let root = try TestAuthority.makeRoot("Lists")
            $0.certificateRevocationLists = [try SslRevocationList(der: root.revocationList())]
        },
        Change("verification.malformedPins") { $0.publicKeyPins = ["no pin"] },
    ]

    @Test("Every setting there is has its place: it either ends resumption or has no part in the verdict")
    func allSettings() {
        let values = SslConfiguration.Values()
        var settings = Set(Mirror(reflecting: values).children.compactMap(\.label))
        settings.remove("verification")
        settings.formUnion(
            Mirror(reflecting: values.verification).children.compactMap { child in child.label.map { "verification.\($0)" } })
        let changed = Set(Self.changes.map(\.setting))
        #expect(changed.union(SessionTerms.neutral) == settings)
        #expect(changed.isDisjoint(with: SessionTerms.neutral))
    }

    @Test("A changed setting changes the terms of resumption", arguments: SslBackends.available, changes)
    func terms(backend: String, change: Change) throws {
        let client = try TestCertificates.shared().identity(.valid).trustingConfiguration(backend: backend)
        var changed = client
        try change.change(&changed)
        let trust = try client.context(role: .client).settings.trust
        let before = SessionTerms.ofClient(client.values, trust)
        #expect(SessionTerms.ofClient(changed.values, trust) != before)
        // A copy that says the same in another way is the same.
        var same = client
        same.peerVerifyMode = .verifyPeer
        same.sessionCache = SslSessionCache()
        #expect(SessionTerms.ofClient(same.values, trust) == before)
    }

    @Test("A changed setting prevents resumption, from a ticket and from the cache alike", arguments: SocketFixture.all)
    func changedSettings(pair: SocketFixture) throws {
        let server = try pair.serverConfiguration()
        for change in Self.changes where change.setting != "verification.malformedPins" {
            var client = try pair.clientConfiguration()
            // The system's store is not there on every machine; a setting can be changed without it.
            let cache = SslSessionCache()
            client.sessionCache = cache
            let first = try MemoryPipe(client: client, server: server)
            #expect(first.converse([1]) && cache.count == 1)
            client.sessionTicket = first.client.tickets.last
            var changed = client
            try change.change(&changed)
            let pipe: MemoryPipe
            do throws(SslSocketError) {
                pipe = try MemoryPipe(client: changed, server: server)
            } catch {
                // Without the system's certificates there is no connection at all.
                #expect(
                    change.setting == "usesSystemCaCertificates" && error.code == .unreadableFile, "\(change.setting): \(error)")
                continue
            }
            pipe.converse([1])
            #expect(!pipe.client.connection.facts.isResumed, "\(change.setting)")
            client.sessionTicket = nil
            let again = try MemoryPipe(client: client, server: server)
            #expect(again.converse([1]) && again.client.connection.facts.isResumed, "\(change.setting)")
        }
    }

    @Test("An expired certificate, an old ticket and an old verdict prevent resumption", arguments: SocketFixture.all)
    func expiry(pair: SocketFixture) throws {
        let server = try pair.serverConfiguration()
        var client = try pair.clientConfiguration()
        let first = try MemoryPipe(client: client, server: server)
        #expect(first.converse([1]))
        let ticket = try #require(first.client.tickets.last)
        let validity = try #require(ticket.validity)
        client.sessionTicket = ticket
        let terms = ticket.terms
        #expect(ticket.isUsable(under: terms, at: ticket.received))
        #expect(ticket.isUsable(under: terms, at: ticket.received.adding(seconds: Int64(ticket.lifetimeHint))))
        #expect(!ticket.isUsable(under: terms, at: ticket.received.adding(seconds: Int64(ticket.lifetimeHint) + 1)))
        #expect(!ticket.isUsable(under: terms, at: ticket.received.adding(seconds: -1)))
        // The certificate's end comes first when the ticket's is put off.
        func aged(received: SslInstant, judged: SslInstant) -> SslSessionTicket {
            SslSessionTicket(
                terms: terms, secret: ticket.secret, peerChain: ticket.peerChain, validity: ticket.validity, received: received,
                judged: judged, isForOneUse: true, lifetimeHint: 7200)
        }
        let end = validity.upperBound
        #expect(aged(received: end, judged: end).isUsable(under: terms, at: end))
        #expect(!aged(received: end, judged: end).isUsable(under: terms, at: end.adding(seconds: 1)))
        let now = SslInstant.now
        #expect(aged(received: now, judged: now.adding(days: -7)).isUsable(under: terms, at: now))
        #expect(!aged(received: now, judged: now.adding(days: -7).adding(seconds: -1)).isUsable(under: terms, at: now))
        // On the wire.
        try TlsClock.$fixed.withValue(end.adding(seconds: 1)) {
            let pipe = try MemoryPipe(client: client, server: server)
            pipe.converse([1])
            #expect(!pipe.client.connection.facts.isResumed && pipe.client.error?.code == .peerVerificationFailed)
        }
    }

    @Test("A client whose certificate has expired since is refused when it resumes", arguments: SocketFixture.all)
    func expiredClient(pair: SocketFixture) throws {
        let certificate = try TestCertificates.shared().identity(.client)
        var server = try pair.serverConfiguration()
        server.peerVerifyMode = .verifyPeer
        server.caCertificates = try certificate.anchorCertificates(backend: pair.server)
        var client = try pair.clientConfiguration()
        client.credentials = [try certificate.credentials(backend: pair.client)]
        let first = try MemoryPipe(client: client, server: server)
        #expect(first.converse([1]))
        client.sessionTicket = first.client.tickets.last
        let second = try MemoryPipe(client: client, server: server)
        #expect(second.converse([1]) && second.server.connection.facts.isResumed)
        #expect(second.server.connection.peerCertificates.count == first.server.connection.peerCertificates.count)
        // The server's clock alone goes on.
        let third = try MemoryPipe(client: client, server: server)
        let late = try #require(certificate.configuration().localCertificate?.expiryDate).adding(seconds: 1)
        TlsClock.$fixed.withValue(late) { third.run() }
        #expect(third.server.error?.code == .peerVerificationFailed, "\(third.server.error as Any)")
        #expect(third.server.connection.peerErrors.contains { $0.code == .certificateExpired })
    }

    // MARK: Export

    @Test("An exported ticket says what it said before", arguments: SocketFixture.all, [SslProtocol.tlsV1_2, .tlsV1_3])
    func export(pair: SocketFixture, version: SslProtocol) throws {
        let server = try pair.serverConfiguration()
        var client = try pair.clientConfiguration()
        client.protocol = version
        let first = try MemoryPipe(client: client, server: server)
        #expect(first.converse([1]))
        let ticket = try #require(first.client.tickets.last)
        let copy = try SslSessionTicket(exported: ticket.exported)
        #expect(copy == ticket && copy.isForOneUse == (version == .tlsV1_3))
        #expect(copy.lifetimeHint == ticket.lifetimeHint && copy.peerChain.count == 2)
        client.sessionTicket = copy
        let second = try MemoryPipe(client: client, server: server)
        #expect(second.converse([1]) && second.client.connection.facts.isResumed)
        #expect(second.client.connection.peerCertificates.count == 2)
        // The verdict comes along: other settings make nothing of it.
        client.peerVerifyDepth = 3
        let third = try MemoryPipe(client: client, server: server)
        #expect(third.converse([1]) && !third.client.connection.facts.isResumed)
        // Nothing of it is printed.
        #expect("\(ticket)" == "session ticket (\(ticket.lifetimeHint) s)" && Mirror(reflecting: ticket).children.isEmpty)
    }

    @Test("Names of every kind travel")
    func names() throws {
        for name: PeerName? in [nil, .dns("server.example.test"), .ipAddress([127, 0, 0, 1]), .email("someone@example.test")] {
            let ticket = SslSessionTicket(
                terms: SessionTerms(backend: "b", libraryVersion: "v", name: name, isVerified: name != nil, settings: [1, 2]),
                secret: SecretBytes([9, 8, 7]), peerChain: [], validity: nil, received: .now, judged: .now, isForOneUse: false,
                lifetimeHint: 5)
            #expect(try SslSessionTicket(exported: ticket.exported) == ticket)
        }
    }

    @Test("What is cut off, damaged at its joints or no ticket at all is refused")
    func damagedExports() throws {
        let ticket = SslSessionTicket(
            terms: SessionTerms(backend: "b", libraryVersion: "v", name: .dns("a.test"), isVerified: true, settings: [1]),
            secret: SecretBytes([1]), peerChain: [[2, 3]], validity: SslInstant.now...SslInstant.now.adding(days: 1),
            received: .now,
            judged: .now, isForOneUse: true, lifetimeHint: 60)
        let octets = ticket.exported.copy
        func isTaken(_ octets: [UInt8]) -> Bool { (try? SslSessionTicket(exported: SecretBytes(octets))) != nil }
        #expect(isTaken(octets))
        for count in 0..<octets.count { #expect(!isTaken(Array(octets.prefix(count)))) }
        #expect(!isTaken(octets + [0]))
        for index in octets.indices {
            var damaged = octets
            for value: UInt8 in [0x00, 0x7F, 0x80, 0xFF] {
                damaged[index] = value
                _ = isTaken(damaged)
            }
        }
        #expect(!isTaken(Array("-----BEGIN SSL SESSION PARAMETERS-----".utf8)))
    }
}
