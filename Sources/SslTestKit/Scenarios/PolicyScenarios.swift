internal import SslBackend
internal import SslSockets
internal import SslValues

extension ScenarioCatalogue {
    /// What an application makes of the problems that were found.
    static let policy: [Scenario] = [
        .plan(
            "ignored-error", "Exactly the problem that is there is accepted", group: .policy, rows: [1],
            transports: [.memory, .blocking, .async], expect: accepted("certificateExpired@0")
        ) {
            $0.identity = .expired
            $0.clientPolicy.accepts = .only([.certificateExpired])
        },
        .plan(
            "ignored-another-error", "Accepting one problem accepts no other", group: .policy, rows: [1],
            expect: refused("hostNameMismatch@0", "bad_certificate")
        ) {
            $0.identity = .wrongName
            $0.clientPolicy.accepts = .only([.certificateExpired])
        },
        .plan(
            "ignored-all-errors", "Everything is accepted", group: .policy, rows: [1, 2],
            expect: accepted("hostNameMismatch@0 certificateExpired@0 unableToGetLocalIssuerCertificate@1")
        ) {
            $0.identity = .expiredWrongNameUntrusted
            $0.clientPolicy.accepts = .all
        },
        .plan(
            "verify-none", "Nothing is verified and nothing reported", group: .policy, transports: [.memory, .blocking, .async],
            expect: .ok
        ) {
            $0.identity = .expiredWrongNameUntrusted
            $0.client = { configuration throws(SslSocketError) in configuration.peerVerifyMode = .verifyNone }
        },
        .plan(
            "query-peer", "Everything is verified, reported, and accepted", group: .policy,
            transports: [.memory, .blocking, .async],
            expect: accepted("selfSignedCertificate@0")
        ) {
            $0.identity = .selfSigned
            $0.client = { configuration throws(SslSocketError) in configuration.peerVerifyMode = .queryPeer }
        },
        .plan(
            "verify-depth", "More authorities than the application allows", group: .policy, rows: [13],
            expect: refused("pathLengthExceeded@2", "unknown_ca")
        ) { $0.client = { configuration throws(SslSocketError) in configuration.peerVerifyDepth = 1 } },
        .script(
            "injected-clock", "The time certificates are judged by is the application's, on every engine alike", group: .policy,
            references: ["RFC 5280 section 6.1.1 (b)"], rows: [5, 85],
            expect: refused("certificateExpired@0 certificateExpired@1 certificateExpired@2", "certificate_expired")
        ) { pipe in
            let later = SslInstant.now.adding(days: 3650)
            return TlsClock.$fixed.withValue(later) {
                pipe.run()
                return ScenarioOutcome(client: SideReport(pipe.client).summary, server: SideReport(pipe.server).summary)
            }
        },
        Scenario(
            id: "issued-by-the-client", title: "The client's backend issued the certificates, the server's shows them",
            group: .policy,
            references: ["RFC 5280 section 4.1"], engineRows: [1], features: [.keyGeneration],
            expectation: .ok
        ) { cell throws(SslSocketError) in
            var plan = Plan()
            plan.issuer = cell.client
            return try await plan.run(cell)
        },
        Scenario(
            id: "issued-by-the-server", title: "The server's backend issued the certificates, the client's judges them",
            group: .policy,
            references: ["RFC 5280 section 4.1"], engineRows: [1], features: [.keyGeneration],
            expectation: .ok
        ) { cell throws(SslSocketError) in
            var plan = Plan()
            plan.issuer = cell.server
            return try await plan.run(cell)
        },
    ]
}
