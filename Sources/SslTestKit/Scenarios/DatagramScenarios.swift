internal import SslBackend
internal import SslSockets
internal import SslValues

extension Scenario {
    /// A scenario over datagrams.
    fileprivate static func datagram(
        _ id: String, _ title: String, references: [String] = [], rows: [Int] = [], expect: ScenarioExpectation,
        plan change: @Sendable (inout Plan) -> Void = { _ in },
        _ script: @escaping @Sendable (DatagramPipe) -> ScenarioOutcome
    ) -> Scenario {
        var made = Plan()
        change(&made)
        let plan = made
        return Scenario(
            id: id, title: title, group: .datagrams, references: references, engineRows: rows, versions: [.dtls1_2],
            features: [.datagrams], expectation: expect
        ) { cell throws(SslSocketError) in
            let setup = try plan.setup(cell)
            return script(
                DatagramPipe(
                    client: try DatagramEndpoint(clientTo: setup.host, configuration: setup.client),
                    server: try DatagramEndpoint(server: setup.server)))
        }
    }
}

extension ScenarioCatalogue {
    private static func told(_ pipe: DatagramPipe) -> ScenarioOutcome {
        func tell(_ end: DatagramEndpoint) -> String {
            var text = end.report.summary
            if !end.received.isEmpty { text += ", received \(end.received.map(\.count))" }
            if end.isClosedByPeer { text += ", ended properly" }
            return text
        }
        return ScenarioOutcome(client: tell(pipe.client), server: tell(pipe.server), details: ["\(pipe.log.count) datagrams"])
    }

    /// DTLS 1.2.
    static let datagrams: [Scenario] = [
        .datagram(
            "datagram-echo", "A handshake, a datagram there, another back, and a proper end", references: ["RFC 6347 section 4"],
            rows: [41],
            expect: .equal(client: "ok, received [200]", server: "ok, received [100], ended properly")
        ) { pipe in
            pipe.run()
            _ = pipe.client.write(octets(100))
            pipe.run()
            _ = pipe.server.write(octets(200))
            pipe.run()
            pipe.client.close()
            pipe.run()
            return told(pipe)
        },
        .datagram(
            "datagram-wrong-name", "The server's certificate is for another name", references: ["RFC 9525 section 6.3"],
            rows: [6],
            expect: .equal(
                client: "peerVerificationFailed [hostNameMismatch@0], sent bad_certificate",
                server: "alertReceived, got bad_certificate"), plan: { $0.identity = .wrongName }
        ) { pipe in
            pipe.run()
            return told(pipe)
        },
        .datagram(
            "datagram-duplicated", "Every datagram arrives twice: nothing is read twice",
            references: ["RFC 6347 section 4.1.2.6"], rows: [41],
            expect: .equal(client: "ok", server: "ok, received [100, 100]")
        ) { pipe in
            pipe.onTheWay = { [$0, $0] }
            pipe.run()
            _ = pipe.client.write(octets(100))
            _ = pipe.client.write(octets(100))
            pipe.run()
            return told(pipe)
        },
        .datagram(
            "datagram-tampered", "A damaged datagram is dropped and the connection goes on",
            references: ["RFC 6347 section 4.1.2.7"],
            rows: [52], expect: .equal(client: "ok", server: "ok, received [50]")
        ) { pipe in
            pipe.run()
            pipe.onTheWay = { datagram in
                var damaged = datagram
                damaged[damaged.count - 1] ^= 1
                return [damaged]
            }
            _ = pipe.client.write(octets(100))
            pipe.run()
            pipe.onTheWay = { [$0] }
            _ = pipe.client.write(octets(50))
            pipe.run()
            return told(pipe)
        },
        .datagram(
            "datagram-garbage", "Octets that are no record are dropped and the connection goes on",
            references: ["RFC 6347 section 4.1.2.7"], rows: [33, 52], expect: .equal(client: "ok", server: "ok, received [50]")
        ) { pipe in
            pipe.run()
            pipe.server.work(octets(40))
            _ = pipe.client.write(octets(50))
            pipe.run()
            return told(pipe)
        },
        .datagram(
            "datagram-payload-limit", "More than fits one datagram is refused and the connection goes on",
            references: ["RFC 6347 section 4.1.1"], rows: [42],
            expect: .equal(client: "ok, datagramTooLarge", server: "ok, received the largest")
        ) { pipe in
            pipe.run()
            let limit = pipe.client.session.maximumPayload
            let tooLarge = pipe.client.write(octets(limit + 1))
            _ = pipe.client.write(octets(limit))
            pipe.run()
            var outcome = told(pipe)
            outcome.client += ", " + (tooLarge.map { $0.code.rawValue } ?? "took too much")
            outcome.server =
                "\(pipe.server.report.summary), \(pipe.server.received == [octets(limit)] ? "received the largest" : "lost it")"
            outcome.details = ["\(limit) octets"]
            return outcome
        },
    ]
}
