internal import SslBackend
internal import SslSockets
internal import SslValues

extension ScenarioCatalogue {
    /// While the verdict is open nothing may move; afterwards everything that was held back must.
    ///
    /// - Parameters:
    ///   - decider: the end whose policy leaves the question open.
    ///   - other: its peer.
    ///   - sent: how many octets the decider has sent so far.
    private static func moved(
        _ pipe: MemoryPipe, decider: PipeEndpoint, other: PipeEndpoint, sent: () -> Int
    ) -> (decider: String, other: String) {
        pipe.client.write(Array("from client".utf8))
        pipe.server.write(Array("from server".utf8))
        pipe.run()
        let before = sent()
        pipe.run()
        let hasHeld =
            decider.openQuestions > 0 && !decider.isEstablished && decider.received.isEmpty && other.received.isEmpty
            && sent() == before
        decider.policy.undecidedRounds = 0
        pipe.run()
        func tell(_ end: PipeEndpoint) -> String {
            guard end.error == nil else { return SideReport(end).summary }
            return end.received.isEmpty ? "received nothing" : "received \(end.received.count) octets"
        }
        return ((hasHeld ? "held everything, then " : "moved too early, then ") + tell(decider), tell(other))
    }

    private static func undecidedClient(_ pipe: MemoryPipe) -> ScenarioOutcome {
        let told = moved(pipe, decider: pipe.client, other: pipe.server) { pipe.toServer.transcript.count }
        return ScenarioOutcome(client: told.decider, server: told.other)
    }

    private static func undecidedServer(_ pipe: MemoryPipe) -> ScenarioOutcome {
        let told = moved(pipe, decider: pipe.server, other: pipe.client) { pipe.toClient.transcript.count }
        return ScenarioOutcome(client: told.other, server: told.decider)
    }

    /// The two points where a session waits for a decision.
    static let decisions: [Scenario] = [
        .script(
            "undecided-client", "No octet of the application moves while a client has not judged its server", group: .decisions,
            references: ["RFC 8446 section 4.4.2.4"], rows: [20],
            expect: .equal(client: "held everything, then received 11 octets", server: "received 11 octets"),
            plan: {
                $0.identity = .selfSigned
                $0.clientPolicy.accepts = .all
                $0.clientPolicy.undecidedRounds = .max
            }
        ) { pipe in undecidedClient(pipe) },
        .script(
            "undecided-client-refuses", "The same, and the verdict is no", group: .decisions,
            references: ["RFC 8446 section 4.4.2.4"],
            rows: [20, 21], expect: refused("selfSignedCertificate@0", "unknown_ca", prefix: "held everything, then "),
            plan: {
                $0.identity = .selfSigned
                $0.clientPolicy.undecidedRounds = .max
            }
        ) { pipe in undecidedClient(pipe) },
        .script(
            "undecided-server", "No octet of the application moves while a server has not judged its client", group: .decisions,
            references: ["RFC 8446 section 4.4.2.4"], rows: [20], features: [.clientAuthentication],
            expect: .equal(client: "received 11 octets", server: "held everything, then received 11 octets"),
            plan: {
                $0.clientIdentity = .untrustedClient
                $0.serverPolicy.accepts = .all
                $0.serverPolicy.undecidedRounds = .max
            }
        ) { pipe in undecidedServer(pipe) },
        .script(
            "undecided-server-refuses", "The same, and the verdict is no", group: .decisions,
            references: ["RFC 8446 section 4.4.2.4"],
            rows: [20, 37], features: [.clientAuthentication],
            expect: .equal(
                client: "ok, then alertReceived, got unknown_ca",
                server: "held everything, then peerVerificationFailed [unableToGetLocalIssuerCertificate@1], sent unknown_ca"
            ).with(
                .tls1_2, client: "alertReceived, got unknown_ca",
                server: "held everything, then peerVerificationFailed [unableToGetLocalIssuerCertificate@1], sent unknown_ca"),
            plan: {
                $0.clientIdentity = .untrustedClient
                $0.serverPolicy.undecidedRounds = .max
            }
        ) { pipe in undecidedServer(pipe) },
        .plan(
            "decided-late", "The verdict comes after five rounds", group: .decisions, rows: [20],
            expect: accepted("selfSignedCertificate@0")
        ) {
            $0.identity = .selfSigned
            $0.clientPolicy.accepts = .all
            $0.clientPolicy.undecidedRounds = 5
        },
        .script(
            "undecided-client-hello", "A server sends nothing while it has not answered the ClientHello", group: .decisions,
            references: ["RFC 8446 section 4.1.3"], features: [.serverNameSelection],
            expect: .equal(client: "ok", server: "sent nothing, then ok"),
            plan: {
                $0.serverPolicy.clientHello = { _ in .proceed }
                $0.serverPolicy.undecidedHelloRounds = .max
            }
        ) { pipe in
            pipe.run()
            let hasHeld =
                pipe.toClient.transcript.isEmpty && pipe.server.connection.clientHello?.serverName == TestIdentity.defaultHost
            pipe.server.policy.undecidedHelloRounds = 0
            pipe.converse(Array("hello".utf8))
            return ScenarioOutcome(
                client: SideReport(pipe.client).summary,
                server: (hasHeld ? "sent nothing, then " : "sent too early, then ") + SideReport(pipe.server).summary)
        },
        .plan(
            "certificate-by-name", "The server shows the certificate of the name that is asked for", group: .decisions,
            references: ["RFC 6066 section 3"], transports: [.memory, .blocking, .async], features: [.serverNameSelection],
            expect: .ok
        ) { plan in
            // What the server shows by default would be refused.
            plan.server = { configuration throws(SslSocketError) in
                let other = try TestCertificates.shared().identity(.selfSigned)
                configuration.credentials = [try other.credentials(backend: configuration.backend)]
            }
            plan.choose = { configuration, hello in
                guard hello.serverName == TestIdentity.defaultHost,
                    let right = try? TestCertificates.shared().identity(.valid).credentials(backend: configuration.backend)
                else { return .refuse }
                var chosen = configuration
                chosen.credentials = [right]
                return .use(chosen)
            }
        },
        .plan(
            "name-refused", "The server refuses the name that is asked for", group: .decisions,
            references: ["RFC 6066 section 3"],
            features: [.serverNameSelection],
            expect: .equal(client: "alertReceived, got unrecognized_name", server: "handshakeFailed, sent unrecognized_name")
        ) { $0.serverPolicy.clientHello = { _ in .refuse } },
        .script(
            "flights-leave-at-once", "A server's flight has left before the call that makes it returns", group: .decisions,
            rows: [56],
            expect: .equal(client: "-", server: "sent during the call")
        ) { pipe in
            pipe.client.work()
            let flight = pipe.client.takeOutput()
            let sink = CountingSink()
            _ = unsafe flight.withUnsafeBytes { unsafe pipe.server.connection.handshake(TlsInput($0), sink) }
            let text = sink.octets > 0 ? "sent during the call" : "kept it"
            return ScenarioOutcome(server: text, details: ["\(sink.octets) octets in \(sink.pieces) pieces"])
        },
    ]
}

/// Counts what it is given.
private final class CountingSink: TlsSink {
    private(set) var octets = 0
    private(set) var pieces = 0

    func put(_ bytes: UnsafeRawBufferPointer) {
        octets += bytes.count
        pieces += 1
    }
}
