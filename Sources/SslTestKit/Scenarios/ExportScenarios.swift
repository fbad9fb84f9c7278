internal import SslBackend
internal import SslSockets
internal import SslValues

extension ScenarioCatalogue {
    /// What both ends can take out of a connection, and how keys go on.
    static let exports: [Scenario] = [
        .script(
            "channel-bindings", "Both ends have the same channel bindings, those that the version allows", group: .handshake,
            references: ["RFC 5929", "RFC 9266 section 4.2"], rows: [65, 66, 67, 68],
            expect: .equal(client: "tls-server-end-point tls-exporter").with(
                .tls1_2, client: "tls-unique tls-server-end-point tls-exporter")
        ) { pipe in
            pipe.run()
            let common = SslChannelBinding.allCases.filter { kind in
                guard let ours = try? pipe.client.connection.channelBinding(kind) else { return false }
                return ours == (try? pipe.server.connection.channelBinding(kind))
            }
            return ScenarioOutcome(client: common.map(\.rawValue).joined(separator: " "))
        },
        .script(
            "worn-keys", "A key that has encrypted enough records is replaced without anybody asking", group: .records,
            references: ["RFC 8446 section 5.5"], features: [.keyUpdate],
            expect: .equal(client: "received 0 updates", server: "received 1 updates, 4 octets").with(
                .tls1_2, client: "received 0 updates", server: "received 0 updates, 4 octets")
        ) { pipe in
            pipe.run()
            pipe.client.connection.recordsLeft = 2
            for _ in 0..<4 { pipe.client.write([1]) }
            pipe.run()
            return ScenarioOutcome(
                client: "received \(pipe.client.keyUpdates) updates",
                server: "received \(pipe.server.keyUpdates) updates, \(pipe.server.received.count) octets")
        },
        .script(
            "key-log", "Both ends log the same secrets when they are asked to", group: .handshake,
            references: ["draft-ietf-tls-keylogfile"], rows: [77], features: [.keyLog],
            expect: .equal(client: "the same 5 secrets").with(.tls1_2, client: "the same 1 secrets"),
            plan: {
                // The lines go to the driver of the connection; no file takes part.
                $0.client = { configuration throws(SslSocketError) in configuration.keyLogPath = "/dev/null" }
                $0.server = { configuration throws(SslSocketError) in configuration.keyLogPath = "/dev/null" }
            }
        ) { pipe in
            pipe.run()
            let ours = Set(pipe.client.keyLog)
            return ScenarioOutcome(
                client: ours == Set(pipe.server.keyLog) ? "the same \(ours.count) secrets" : "different secrets")
        },
        .script(
            "heartbeat-not-offered", "No end offers heartbeats", group: .handshake, references: ["RFC 6520 section 2"],
            expect: .equal(client: "not offered", server: "not offered")
        ) { pipe in
            pipe.run()
            let offers = FlightReader(pipe.toServer.transcript).extensionTypes.contains(15)
            // A server may not offer what the client did not (RFC 8446 section 4.2); in TLS 1.2 its extensions are in clear text.
            let header: [UInt8] = [0, 15, 0, 1]
            let hello = FlightReader(pipe.toClient.transcript).messages.first { $0.type == 2 }
            let answer: [UInt8] = hello.map { $0.body } ?? []
            return ScenarioOutcome(
                client: offers ? "offered" : "not offered",
                server: answer.firstRange(of: header) == nil ? "not offered" : "offered")
        },
    ]
}
