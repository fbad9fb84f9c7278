internal import SslBackend
internal import SslSockets
internal import SslValues

/// The keys of servers' tickets, and who may resume what.
extension ScenarioCatalogue {
    /// Two servers that have nothing in common but a ring of keys; `between` happens after the first connection.
    private static func fleet(
        _ id: String, _ title: String, rows: [Int] = [64], features: [SslFeature] = [.sessionTicket],
        expect: ScenarioExpectation, _ plan: @Sendable (inout Plan) -> Void = { _ in },
        between: @escaping @Sendable (SslTicketKeys, inout SslConfiguration) throws(SslSocketError) -> Void
    ) -> Scenario {
        .resumption(id, title, references: ["RFC 5077 section 5.5"], rows: rows, features: features, expect: expect) {
            plan(&$0.plan)
            let prepare = $0.plan.server
            $0.plan.server = { configuration throws(SslSocketError) in
                try prepare(&configuration)
                configuration.ticketKeys = try SslTicketKeys()
            }
            $0.change = { setup, _ throws(SslSocketError) in
                guard let ring = setup.server.ticketKeys else { return }
                // Made anew, so that nothing is shared by being a copy.
                var second = SslConfiguration()
                second.backend = setup.server.backend
                second.protocol = setup.server.protocol
                second.credentials = setup.server.credentials
                second.caCertificates = setup.server.caCertificates
                second.usesSystemCaCertificates = setup.server.usesSystemCaCertificates
                second.peerVerifyMode = setup.server.peerVerifyMode
                second.ticketKeys = ring
                try between(ring, &second)
                setup.server = second
            }
        }
    }

    /// Rings of keys.
    static let ticketKeys: [Scenario] = [
        tickets(
            "tickets-four", "A server sends four tickets after a full handshake of TLS 1.3",
            .equal(client: "ok with 4 tickets", server: "ok").with(.tls1_2, client: "ok with 1 tickets", server: "ok")
        ) { $0.server = { configuration throws(SslSocketError) in configuration.sessionTicketCount = 4 } },
        tickets(
            "tickets-none", "A server sends no tickets after a full handshake of TLS 1.3",
            .equal(client: "ok with 0 tickets", server: "ok").with(.tls1_2, client: "ok with 1 tickets", server: "ok")
        ) { $0.server = { configuration throws(SslSocketError) in configuration.sessionTicketCount = 0 } },
        fleet("ticket-shared-keys", "A server resumes the session of another with the same keys", expect: resumed) {
            _, _ throws(SslSocketError) in
        },
        fleet(
            "ticket-shared-keys-client-certificate", "A server resumes a session with a client's certificate that another began",
            features: [.sessionTicket, .clientAuthentication], expect: resumed
        ) {
            $0.clientIdentity = .client
        } between: { _, _ throws(SslSocketError) in
        },
        fleet("ticket-after-rotation", "Tickets of the key before the present one are resumed", expect: resumed) {
            ring, _ throws(SslSocketError) in try ring.rotate()
        },
        fleet("ticket-after-two-rotations", "Tickets of an older key are not resumed", expect: anew) {
            ring, _ throws(SslSocketError) in
            try ring.rotate()
            try ring.rotate()
        },
        .resumption(
            "ticket-after-certificate-change", "A server with a new certificate of the same names resumes its sessions",
            rows: [64],
            expect: resumed
        ) {
            $0.change = { setup, cell throws(SslSocketError) in
                setup.server.credentials = [
                    try TestCertificates.shared().identity(.p384UnderRsa).credentials(backend: cell.server)
                ]
            }
        },
        .resumption(
            "ticket-after-name-change",
            "A server of other names does not resume the sessions, though its keys open their tickets",
            rows: [64], expect: anew
        ) {
            $0.change = { setup, cell throws(SslSocketError) in
                setup.server.credentials = [
                    try TestCertificates.shared().identity(.wildcard).credentials(backend: cell.server)
                ]
            }
        },
        fleet(
            "ticket-under-other-client-verification", "A server that judges its clients otherwise does not resume their sessions",
            rows: [19, 64], features: [.sessionTicket, .clientAuthentication], expect: anew
        ) {
            $0.clientIdentity = .client
        } between: { _, server throws(SslSocketError) in
            server.peerVerifyDepth = 5
        },
        fleet(
            "ticket-without-client-certificate", "A session in which no certificate was asked for is not resumed where one is",
            rows: [19, 64], features: [.sessionTicket, .clientAuthentication], expect: anew
        ) {
            $0.clientIdentity = .client
            $0.server = { configuration throws(SslSocketError) in configuration.peerVerifyMode = .verifyNone }
        } between: { _, server throws(SslSocketError) in
            server.peerVerifyMode = .verifyPeer
        },
        .resumption(
            "tolerated-client", "A client that was accepted in spite of errors is asked about again when it resumes", rows: [19],
            features: [.sessionTicket, .clientAuthentication],
            expect: .equal(client: "ok, resumed", server: "ok despite [certificateExpired@0], resumed")
        ) {
            $0.plan.clientIdentity = .expiredClient
            $0.plan.serverPolicy.accepts = .all
        },
        .resumption(
            "exported-ticket", "A ticket that was exported and imported again is resumed", rows: [58],
            features: [.sessionTicket, .sessionExport], expect: resumed
        ) {
            $0.change = { setup, _ throws(SslSocketError) in
                guard let ticket = setup.client.sessionTicket else { return }
                setup.client.sessionTicket = try SslSessionTicket(exported: ticket.exported)
            }
        },
    ]

    /// Three connections in a row by one cache. What the client is changed by before the third.
    private static func cached(
        _ id: String, _ title: String, rows: [Int] = [19], expect: ScenarioExpectation,
        _ change: @escaping @Sendable (inout Plan.Setup, ScenarioCell) throws(SslSocketError) -> Void
    ) -> Scenario {
        Scenario(
            id: id, title: title, group: .sessions, references: ["RFC 8446 appendix C.4"], engineRows: rows,
            features: [.sessionTicket], expectation: expect
        ) { cell throws(SslSocketError) in
            let cache = SslSessionCache()
            var setup = try Plan().setup(cell)
            setup.client.sessionCache = cache
            var words: [String] = []
            for round in 1...3 {
                if round == 3 { try change(&setup, cell) }
                let pipe = try MemoryPipe(client: setup.client, host: setup.host, server: setup.server)
                pipe.converse(Array("hello".utf8))
                let report = SideReport(pipe.client)
                words.append(report.error == nil ? report.facts.isResumed ? "resumed" : "anew" : report.summary)
            }
            return ScenarioOutcome(client: words.joined(separator: ", ") + "; \(cache.count) kept")
        }
    }

    /// Clients that keep their sessions by themselves.
    static let sessionCaches: [Scenario] = [
        cached("session-cache", "A client resumes by itself", expect: .equal(client: "anew, resumed, resumed; 1 kept")) {
            _, _ throws(SslSocketError) in
        },
        cached(
            "session-cache-forgotten", "A server that does not know a session gets a full handshake, and its new ticket is kept",
            expect: .equal(client: "anew, resumed, anew; 1 kept")
        ) { setup, _ throws(SslSocketError) in setup.server.ticketKeys = try SslTicketKeys() },
        cached(
            "session-cache-other-settings", "Sessions are kept apart by the settings they were verified under",
            expect: .equal(client: "anew, resumed, anew; 2 kept")
        ) { setup, _ throws(SslSocketError) in setup.client.peerVerifyDepth = 9 },
        cached(
            "session-cache-failure", "When a handshake fails, nothing is kept of the server",
            expect: .equal(
                client: "anew, resumed, peerVerificationFailed [certificateExpired@0], sent certificate_expired; 0 kept")
        ) { setup, cell throws(SslSocketError) in
            setup.server.ticketKeys = try SslTicketKeys()
            setup.server.credentials = [try TestCertificates.shared().identity(.expired).credentials(backend: cell.server)]
        },
    ]
}
