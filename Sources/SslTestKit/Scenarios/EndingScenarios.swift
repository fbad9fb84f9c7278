internal import SslBackend
internal import SslSockets
internal import SslValues

extension ScenarioCatalogue {
    private static func told(_ pipe: MemoryPipe) -> ScenarioOutcome {
        ScenarioOutcome(client: ending(pipe.client), server: ending(pipe.server))
    }

    private static func ending(_ end: PipeEndpoint) -> String {
        guard end.error == nil else { return SideReport(end).summary }
        return end.isClosedByPeer ? "ended properly" : "open"
    }

    /// How connections end.
    static let endings: [Scenario] = [
        .script(
            "proper-end", "Both ends say close_notify", group: .endings, references: ["RFC 8446 section 6.1"], rows: [48, 54],
            expect: .equal(client: "ended properly", server: "ended properly")
        ) { pipe in
            pipe.converse(octets(5))
            let isTold =
                pipe.client.alertsSent.last?.type == .closeNotify && pipe.client.alertsReceived.last?.type == .closeNotify
            return isTold ? told(pipe) : ScenarioOutcome(client: "close_notify was not reported")
        },
        .script(
            "half-close", "After one end has said close_notify the other may still talk", group: .endings,
            references: ["RFC 8446 section 6.1"], rows: [48],
            expect: .equal(client: "ended properly after 1000 octets", server: "ended properly"),
            plan: { $0.serverPolicy.closesBack = false }
        ) { pipe in
            pipe.run()
            pipe.client.close()
            pipe.run()
            pipe.server.write(octets(1000))
            pipe.run()
            pipe.server.close()
            pipe.run()
            var outcome = told(pipe)
            outcome.client += " after \(pipe.client.received.count) octets"
            return outcome
        },
        .script(
            "close-before-reading", "What had arrived before the own close can still be read", group: .endings,
            references: ["RFC 8446 section 6.1"], rows: [49],
            expect: .equal(client: "ended properly after 1000 octets", server: "ended properly")
        ) { pipe in
            pipe.run()
            pipe.client.policy.reads = false
            pipe.server.write(octets(1000))
            pipe.run()
            pipe.client.close()
            pipe.run()
            pipe.client.policy.reads = true
            pipe.run()
            var outcome = told(pipe)
            outcome.client += " after \(pipe.client.received.count) octets"
            return outcome
        },
        .script(
            "close-behind-data", "Data and close_notify arrive together", group: .endings, references: ["RFC 8446 section 6.1"],
            rows: [48],
            expect: .equal(client: "ended properly after 50000 octets", server: "ended properly"),
            plan: { $0.faultsToClient = .coalesced }
        ) { pipe in
            pipe.run()
            pipe.server.write(octets(50_000))
            pipe.server.close()
            pipe.run()
            var outcome = told(pipe)
            outcome.client += " after \(pipe.client.received.count) octets"
            return outcome
        },
        .script(
            "truncated-to-server", "The client's stream ends without close_notify", group: .endings,
            references: ["RFC 8446 section 6.1"],
            rows: [47], expect: .equal(server: "ok, then truncated after 10 octets"),
            plan: { $0.faultsToServer.losesClosure = true }
        ) { pipe in
            pipe.run()
            pipe.client.write(octets(10))
            pipe.run()
            pipe.client.close()
            pipe.run()
            return ScenarioOutcome(server: ending(pipe.server) + " after \(pipe.server.received.count) octets")
        },
        .script(
            "truncated-to-client", "The server's stream ends without close_notify", group: .endings,
            references: ["RFC 8446 section 6.1"],
            rows: [47], expect: .equal(client: "ok, then truncated after 10 octets"),
            plan: { $0.faultsToClient.losesClosure = true }
        ) { pipe in
            pipe.run()
            pipe.server.write(octets(10))
            pipe.run()
            pipe.server.close()
            pipe.run()
            return ScenarioOutcome(client: ending(pipe.client) + " after \(pipe.client.received.count) octets")
        },
        .script(
            "truncated-in-a-record", "The stream ends in the middle of a record, whose octets are not handed out",
            group: .endings,
            references: ["RFC 8446 section 5.2"], rows: [47], expect: .equal(server: "ok, then truncated after 0 octets")
        ) { pipe in
            pipe.run()
            pipe.toServer.faults.cutAfter = pipe.toServer.transcript.count + 50
            pipe.client.write(octets(100))
            pipe.run()
            return ScenarioOutcome(server: ending(pipe.server) + " after \(pipe.server.received.count) octets")
        },
        .script(
            "silent-client", "The client goes away without a word", group: .endings, rows: [50], sides: .one,
            expect: .equal(server: "truncated")
        ) { pipe in
            pipe.server.take([], isEnd: true)
            pipe.server.work()
            return ScenarioOutcome(server: ending(pipe.server))
        },
        .script(
            "end-in-client-hello", "The stream ends in the middle of the ClientHello", group: .endings, rows: [50],
            expect: .equal(server: "truncated"), plan: { $0.faultsToServer.cutAfter = 60 }
        ) { pipe in
            pipe.run()
            return ScenarioOutcome(server: ending(pipe.server))
        },
        .script(
            "end-in-server-flight", "The stream ends in the middle of the server's flight", group: .endings, rows: [50],
            expect: .equal(client: "truncated"), plan: { $0.faultsToClient.cutAfter = 300 }
        ) { pipe in
            pipe.run()
            return ScenarioOutcome(client: ending(pipe.client))
        },
        .script(
            "end-before-finished", "The client's stream ends before its Finished", group: .endings, rows: [50],
            expect: .equal(server: "truncated"),
            plan: {
                $0.identity = .selfSigned
                $0.clientPolicy.undecidedRounds = .max
            }
        ) { pipe in
            pipe.run()
            pipe.server.take([], isEnd: true)
            pipe.server.work()
            return ScenarioOutcome(server: ending(pipe.server))
        },
        .script(
            "write-after-close", "After the own close_notify nothing is sent", group: .endings,
            references: ["RFC 8446 section 6.1"],
            rows: [48], expect: .equal(client: "silent", server: "received 0 octets")
        ) { pipe in
            pipe.run()
            pipe.client.close()
            _ = pipe.client.takeOutput()
            pipe.client.write(octets(10))
            pipe.client.close()
            let isSilent = pipe.client.takeOutput().isEmpty
            pipe.run()
            return ScenarioOutcome(
                client: isSilent ? "silent" : "still talking", server: "received \(pipe.server.received.count) octets")
        },
    ]

    private static func received(_ octets: [UInt8], _ pipe: MemoryPipe) -> ScenarioOutcome {
        pipe.client.work()
        pipe.server.take(pipe.client.takeOutput())
        pipe.client.take(octets)
        pipe.client.work()
        pipe.run()
        return ScenarioOutcome(client: SideReport(pipe.client).summary)
    }

    /// Alerts: that they are sent, with the right code, and told.
    static let alerts: [Scenario] = [
        .script(
            "alert-levels", "A refusal is a fatal alert at both ends", group: .alerts, references: ["RFC 8446 section 6.2"],
            rows: [20, 54],
            expect: .equal(client: "sent fatal certificate_expired", server: "got fatal certificate_expired")
                .except(Pins.alertInTheClear(client: "sent fatal certificate_expired", server: "got ")),
            plan: { $0.identity = .expired }
        ) { pipe in
            pipe.run()
            func list(_ alerts: [SslAlert]) -> String { alerts.map(\.description).joined(separator: ", ") }
            return ScenarioOutcome(
                client: "sent " + list(pipe.client.alertsSent), server: "got " + list(pipe.server.alertsReceived))
        },
        .script(
            "fatal-alert-in-handshake", "A server answers a ClientHello with a fatal alert", group: .alerts,
            references: ["RFC 8446 section 6.2"], rows: [54], sides: .one,
            expect: .equal(client: "alertReceived, got internal_error")
        ) { pipe in received(RawRecord.alert(level: 2, code: 80), pipe) },
        .script(
            "unknown-alert", "A fatal alert with a code that nobody knows", group: .alerts, references: ["RFC 8446 section 6"],
            rows: [54],
            sides: .one, expect: .equal(client: "alertReceived, got unknown_alert_message")
        ) { pipe in received(RawRecord.alert(level: 2, code: 200), pipe) },
        .script(
            "warning-alert", "A server warns that it does not know the name before it says which version it speaks, and goes on",
            group: .alerts, references: ["RFC 6066 section 3"], rows: [53],
            expect: .equal(client: "ok, got warning unrecognized_name")
        ) { pipe in
            pipe.client.work()
            pipe.client.take(RawRecord.alert(level: 1, code: 112))
            pipe.client.work()
            if pipe.client.error == nil { pipe.converse(octets(5)) }
            let first = pipe.client.alertsReceived.first.map { ", got \($0)" } ?? ", nobody was told"
            return ScenarioOutcome(client: SideReport(pipe.client).summary + first)
        },
        .script(
            "close-in-handshake", "A server answers a ClientHello with close_notify", group: .alerts,
            references: ["RFC 8446 section 6.1"], rows: [50], sides: .one, expect: .equal(client: "remoteHostClosed")
        ) { pipe in
            var outcome = received(RawRecord.alert(level: 1, code: 0), pipe)
            if let error = pipe.client.error { outcome.client = error.code.rawValue }
            return outcome
        },
    ]
}
