internal import SslBackend
internal import SslSockets
internal import SslValues

/// Two connections in a row, the second with the ticket of the first.
struct Resumption: Sendable {
    var plan = Plan()
    /// Ends the first connection without close_notify.
    var dropsFirst = false
    /// Changes what the second connection is made with.
    var change: @Sendable (inout Plan.Setup, ScenarioCell) throws(SslSocketError) -> Void = { _, _ throws(SslSocketError) in }
    /// How the second client decides.
    var secondPolicy: EndpointPolicy?

    /// What became of both.
    struct Result {
        var first: MemoryPipe
        var second: MemoryPipe
        var isEchoed: Bool
    }

    func run(_ cell: ScenarioCell) throws(SslSocketError) -> Result {
        var setup = try plan.setup(cell)
        let first = try connect(setup, plan.clientPolicy)
        first.run()
        if !dropsFirst { first.converse(plan.payload) }
        setup.client.sessionTicket = first.client.tickets.last
        try change(&setup, cell)
        let second = try connect(setup, secondPolicy ?? plan.clientPolicy)
        let isEchoed = second.converse(plan.payload)
        return Result(first: first, second: second, isEchoed: isEchoed)
    }

    private func connect(_ setup: Plan.Setup, _ policy: EndpointPolicy) throws(SslSocketError) -> MemoryPipe {
        let pipe = try MemoryPipe(client: setup.client, host: setup.host, server: setup.server)
        pipe.client.policy = policy
        pipe.server.policy = plan.serverPolicy
        return pipe
    }

    /// The outcome of the second connection: whether it was resumed, as each end says.
    func outcome(_ cell: ScenarioCell) throws(SslSocketError) -> ScenarioOutcome {
        let result = try run(cell)
        func tell(_ end: PipeEndpoint) -> String {
            let report = SideReport(end)
            guard report.error == nil else { return report.summary }
            return "\(report.summary), \(report.facts.isResumed ? "resumed" : "anew")"
        }
        guard !result.first.client.tickets.isEmpty else { return ScenarioOutcome(client: "got no ticket") }
        var outcome = ScenarioOutcome(client: tell(result.second.client), server: tell(result.second.server))
        if result.second.client.error == nil, !result.isEchoed { outcome.client += ", nothing echoed" }
        return outcome
    }
}

extension Scenario {
    static func resumption(
        _ id: String, _ title: String, references: [String] = [], rows: [Int], features: [SslFeature] = [.sessionTicket],
        expect: ScenarioExpectation, _ change: @Sendable (inout Resumption) -> Void = { _ in }
    ) -> Scenario {
        var made = Resumption()
        change(&made)
        let resumption = made
        return Scenario(
            id: id, title: title, group: .sessions, references: references, engineRows: rows, features: features,
            expectation: expect
        ) { cell throws(SslSocketError) in try resumption.outcome(cell) }
    }
}

extension ScenarioCatalogue {
    static let resumed = ScenarioExpectation.equal(client: "ok, resumed", server: "ok, resumed")
    static let anew = ScenarioExpectation.equal(client: "ok, anew", server: "ok, anew")

    static func tickets(
        _ id: String, _ title: String, _ expect: ScenarioExpectation, _ plan: @Sendable (inout Plan) -> Void
    ) -> Scenario {
        .plan(
            id, title, group: .sessions, references: ["RFC 8446 section 4.6.1", "RFC 5077 section 3.3"], rows: [57],
            features: [.sessionTicket], expect: expect
        ) {
            plan(&$0)
            $0.facts = { client, _ in ("with \(client.ticketCount) tickets", "") }
        }
    }

    /// Tickets and the connections they resume.
    static let sessions: [Scenario] = [
        tickets("ticket-count", "A server sends one ticket", .equal(client: "ok with 1 tickets", server: "ok")) { _ in },
        tickets("tickets-off-at-server", "A server that makes no tickets", .equal(client: "ok with 0 tickets", server: "ok")) {
            $0.server = { configuration throws(SslSocketError) in configuration.options.insert(.disableSessionTickets) }
        },
        tickets("tickets-off-at-client", "A client that takes no tickets", .equal(client: "ok with 0 tickets", server: "ok")) {
            $0.client = { configuration throws(SslSocketError) in configuration.options.insert(.disableSessionTickets) }
        },
        .resumption(
            "resumption", "The second connection resumes the first",
            references: ["RFC 8446 section 2.2", "RFC 5077 section 3.1"],
            rows: [57, 58, 61], expect: resumed),
        .resumption(
            "resumption-after-drop", "The first connection ended without close_notify and is resumed all the same",
            references: ["RFC 8446 section 6.1"], rows: [60], expect: resumed
        ) { $0.dropsFirst = true },
        .resumption(
            "resumption-with-client-certificate", "A client that showed its certificate resumes",
            references: ["RFC 8446 section 2.2"], rows: [58, 61], features: [.sessionTicket, .clientAuthentication],
            expect: resumed
        ) { $0.plan.clientIdentity = .client },
        .resumption(
            "resumption-with-alpn", "A resumed connection agrees on its protocol anew", references: ["RFC 7301 section 3.1"],
            rows: [61],
            expect: resumed
        ) {
            $0.plan.client = protocols("h2")
            $0.plan.server = protocols("h2")
        },
        Scenario(
            id: "resumed-chain", title: "A resumed connection still knows the chain of the first", group: .sessions,
            engineRows: [59], features: [.sessionTicket], expectation: .equal(client: "resumed, the same 2 certificates")
        ) { cell throws(SslSocketError) in
            let result = try Resumption().run(cell)
            let first = SideReport(result.first.client)
            let second = SideReport(result.second.client)
            let word = second.facts.isResumed ? "resumed" : "anew"
            return ScenarioOutcome(
                client:
                    "\(word), \(first.peerChain == second.peerChain ? "the same" : "other") \(second.peerChain.count) certificates"
            )
        },
        .resumption(
            "unknown-ticket", "The server does not know the ticket: a full handshake, and nobody says otherwise",
            references: ["RFC 8446 section 4.2.11", "RFC 5077 section 3.1"], rows: [61], expect: anew
        ) {
            $0.change = { setup, _ throws(SslSocketError) in setup.server.ticketKeys = try SslTicketKeys() }
        },
    ]

    /// Resumption skips the certificates, so a ticket serves only where the same verdict would be reached.
    static let resumptionTerms: [Scenario] = [
        .resumption(
            "ticket-for-another-name", "A ticket is not offered to another name", references: ["RFC 8446 section 4.6.1"],
            rows: [19],
            expect: anew
        ) {
            $0.plan.identity = .wildcard
            $0.change = { setup, _ throws(SslSocketError) in setup.host = "another.example.test" }
        },
        .resumption(
            "ticket-under-other-trust", "A ticket is not offered when other authorities are trusted", rows: [19], expect: anew
        ) {
            $0.change = { setup, cell throws(SslSocketError) in
                let root = try TestAuthority.makeRoot("Test Other Root").certificate
                setup.client.addCaCertificate(try SslCertificate(der: root, backend: cell.client))
            }
        },
        .resumption(
            "ticket-of-unverified-server", "A ticket from a connection that was not verified is not offered by one that is",
            rows: [19],
            expect: refused("selfSignedCertificate@0", "unknown_ca")
        ) {
            $0.plan.identity = .selfSigned
            $0.plan.client = { configuration throws(SslSocketError) in configuration.peerVerifyMode = .verifyNone }
            $0.change = { setup, _ throws(SslSocketError) in setup.client.peerVerifyMode = .verifyPeer }
        },
        .resumption(
            "ticket-of-tolerated-server",
            "A ticket from a connection whose errors were ignored does not spare the next one its errors",
            rows: [19],
            expect: refused("certificateExpired@0", "certificate_expired")
        ) {
            $0.plan.identity = .expired
            $0.plan.clientPolicy.accepts = .all
            $0.secondPolicy = EndpointPolicy()
        },
        .resumption(
            "ticket-with-other-certificate", "A ticket is not offered by a client that shows another certificate", rows: [19],
            features: [.sessionTicket, .clientAuthentication], expect: anew
        ) {
            $0.plan.clientIdentity = .client
            $0.change = { setup, cell throws(SslSocketError) in
                setup.client.credentials = [try TestCertificates.shared().identity(.client).credentials(backend: cell.client)]
                setup.client.credentials[0].chain.append(setup.client.caCertificates[0])
            }
        },
        Scenario(
            id: "ticket-of-another-backend", title: "A ticket is offered only by the backend that got it", group: .sessions,
            engineRows: [19, 58], features: [.sessionTicket], expectation: .equal(client: "ok, as it should")
        ) { cell throws(SslSocketError) in
            // The server and the first client are of the client's backend; the second client is of the server's.
            var resumption = Resumption()
            resumption.change = { setup, _ throws(SslSocketError) in setup.client.backend = cell.server }
            var own = cell
            own.server = cell.client
            let report = SideReport(try resumption.run(own).second.client)
            return ScenarioOutcome(
                client: report.summary + (report.facts.isResumed == (cell.client == cell.server) ? ", as it should" : ", wrongly")
            )
        },
    ]
}
