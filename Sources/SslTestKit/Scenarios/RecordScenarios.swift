internal import SslBackend
internal import SslSockets
internal import SslValues

extension ScenarioCatalogue {
    static func octets(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) } }

    /// Octets on the move.
    static let records: [Scenario] = [
        .plan(
            "octet-by-octet", "Everything arrives one octet at a time", group: .records, references: ["RFC 8446 section 5.1"],
            rows: [40], expect: .ok
        ) {
            $0.faultsToServer = .octetByOctet
            $0.faultsToClient = .octetByOctet
        },
        .plan(
            "coalesced", "Everything arrives as late as possible and at once", group: .records,
            references: ["RFC 8446 section 5.1"],
            rows: [40], expect: .ok
        ) {
            $0.faultsToServer = .coalesced
            $0.faultsToClient = .coalesced
        },
        .script(
            "data-behind-tickets", "Data that arrives together with tickets is read at once", group: .records,
            references: ["RFC 8446 section 4.6.1"], rows: [40], expect: .equal(client: "read all at once"),
            plan: { $0.faultsToClient = .coalesced }
        ) { pipe in
            pipe.run()
            pipe.server.write(octets(100))
            pipe.server.write(octets(100))
            pipe.client.take(pipe.server.takeOutput())
            pipe.client.work()
            return ScenarioOutcome(
                client: pipe.client.received.count == 200 ? "read all at once" : "stopped after \(pipe.client.received.count)")
        },
        .plan(
            "large-transfer", "One mebibyte there and back", group: .records, references: ["RFC 8446 section 5.1"], rows: [42],
            transports: [.memory, .blocking, .async], expect: .ok
        ) { $0.payload = octets(1 << 20) },
        .script(
            "record-sizes", "No record is longer than allowed, and full ones are used", group: .records,
            references: ["RFC 8446 section 5.2", "RFC 5246 section 6.2.3"], rows: [42, 56],
            expect: .equal(client: "4 records for 65536 octets")
        ) { pipe in
            pipe.run()
            let before = pipe.toServer.transcript.count
            pipe.client.write(octets(65_536))
            pipe.run()
            let records = FlightReader(Array(pipe.toServer.transcript.dropFirst(before))).records
            let isProper = records.allSatisfy { $0.type == 23 && $0.content.count <= 16_384 + 2048 }
            guard isProper, pipe.server.received == octets(65_536) else { return ScenarioOutcome(client: "improper records") }
            return ScenarioOutcome(client: "\(records.count) records for 65536 octets")
        },
        .script(
            "record-limit", "The records of an end that wants small ones", group: .records, references: ["RFC 8446 section 5.1"],
            rows: [42, 56], expect: .equal(client: "16 records of at most 4096", server: "128 records of at most 512"),
            plan: {
                $0.client = { configuration throws(SslSocketError) in configuration.maximumRecordSize = 4096 }
                $0.server = { configuration throws(SslSocketError) in configuration.maximumRecordSize = 512 }
            }
        ) { pipe in
            pipe.run()
            let (toServer, toClient) = (pipe.toServer.transcript.count, pipe.toClient.transcript.count)
            pipe.client.write(octets(65_536))
            pipe.server.write(octets(65_536))
            pipe.run()
            /// Whatever the cipher adds is less than 64 octets.
            func count(_ transcript: [UInt8], after start: Int, limit: Int) -> String {
                let records = FlightReader(Array(transcript.dropFirst(start))).records
                guard records.allSatisfy({ $0.type == 23 && $0.content.count <= limit + 64 }) else { return "improper records" }
                return "\(records.count) records of at most \(limit)"
            }
            guard pipe.server.received == octets(65_536), pipe.client.received == octets(65_536) else {
                return ScenarioOutcome(client: "something is missing")
            }
            return ScenarioOutcome(
                client: count(pipe.toServer.transcript, after: toServer, limit: 4096),
                server: count(pipe.toClient.transcript, after: toClient, limit: 512))
        },
        .script(
            "record-padding", "The length of a record does not tell how much is in it", group: .records,
            references: ["RFC 8446 section 5.4"], rows: [56], versions: [.tls1_3],
            expect: .equal(client: "528 528 1040 16400 octets"),
            plan: { $0.client = { configuration throws(SslSocketError) in configuration.recordPadding = 512 } }
        ) { pipe in
            pipe.run()
            let before = pipe.toServer.transcript.count
            var sent: [UInt8] = []
            // With its type each is one octet more; a full one has no room for padding.
            for size in [5, 511, 512, 16_383] {
                pipe.client.write(octets(size))
                sent += octets(size)
                pipe.run()
            }
            guard pipe.server.received == sent else { return ScenarioOutcome(client: "something is missing") }
            let sizes = FlightReader(Array(pipe.toServer.transcript.dropFirst(before))).records.map { "\($0.content.count)" }
            return ScenarioOutcome(client: sizes.joined(separator: " ") + " octets")
        },
        .script(
            "empty-write", "Writing nothing sends nothing and breaks nothing", group: .records, rows: [44],
            expect: .equal(client: "sent nothing", server: "received 5 octets")
        ) { pipe in
            pipe.run()
            let before = pipe.toServer.transcript.count
            pipe.client.write([])
            pipe.run()
            let isSilent = pipe.toServer.transcript.count == before
            pipe.client.write(octets(5))
            pipe.run()
            return ScenarioOutcome(
                client: isSilent ? "sent nothing" : "sent octets", server: "received \(pipe.server.received.count) octets")
        },
        .script(
            "small-reads", "A record is read three octets at a time, straight into the caller's memory", group: .records,
            rows: [45],
            expect: .equal(client: "read all, 3 at a time")
        ) { pipe in
            pipe.run()
            pipe.server.write(octets(1000))
            let ciphertext = pipe.server.takeOutput()
            var got: [UInt8] = []
            var largest = 0
            var input = ciphertext
            // A thousand octets in threes need 334 reads; a few more find the end.
            for _ in 0..<400 {
                var memory: [UInt8] = [0, 0, 0]
                let (count, turn) = unsafe memory.withUnsafeMutableBytes { target in
                    unsafe input.withUnsafeBytes { source in
                        unsafe pipe.client.connection.receive(TlsInput(source), into: target, pipe.client.output)
                    }
                }
                input = []
                got += memory.prefix(count)
                largest = max(largest, count)
                if case .progressed = turn { continue }
                break
            }
            return ScenarioOutcome(client: got == octets(1000) ? "read all, \(largest) at a time" : "read \(got.count)")
        },
        .script(
            "read-into-memory", "A whole record is decrypted straight into the caller's memory", group: .records, rows: [45],
            expect: .equal(client: "16384 octets in one read")
        ) { pipe in
            pipe.run()
            pipe.server.write(octets(16_384))
            let ciphertext = pipe.server.takeOutput()
            var memory = [UInt8](repeating: 0, count: 20_000)
            let count = unsafe memory.withUnsafeMutableBytes { target in
                unsafe ciphertext.withUnsafeBytes { source in
                    unsafe pipe.client.connection.receive(TlsInput(source), into: target, pipe.client.output).count
                }
            }
            return ScenarioOutcome(
                client: Array(memory.prefix(count)) == octets(16_384) ? "16384 octets in one read" : "\(count) octets")
        },
        .script(
            "both-write-at-once", "Both ends write before either reads", group: .records, references: ["RFC 8446 section 2"],
            rows: [43],
            expect: .equal(client: "received all", server: "received all")
        ) { pipe in
            pipe.run()
            pipe.client.write(octets(300_000))
            pipe.server.write(octets(300_000))
            pipe.run()
            return ScenarioOutcome(
                client: pipe.client.received == octets(300_000) ? "received all" : "received \(pipe.client.received.count)",
                server: pipe.server.received == octets(300_000) ? "received all" : "received \(pipe.server.received.count)")
        },
        .script(
            "key-update", "New keys in both directions, between data", group: .records, references: ["RFC 8446 section 4.6.3"],
            rows: [40],
            versions: [.tls1_3], features: [.keyUpdate], expect: .equal(client: "ok, updated", server: "ok, updated")
        ) { pipe throws(SslSocketError) in
            pipe.run()
            pipe.client.write(octets(100))
            try pipe.client.connection.updateKeys(requestsPeer: true, pipe.client.output)
            pipe.client.write(octets(100))
            pipe.run()
            pipe.converse(octets(100))
            func tell(_ end: PipeEndpoint) -> String {
                SideReport(end).summary + (end.keyUpdates > 0 ? ", updated" : ", not updated")
            }
            let isWhole = pipe.server.received.count == 300 && pipe.client.received.count == 100
            return ScenarioOutcome(client: isWhole ? tell(pipe.client) : "lost data", server: tell(pipe.server))
        },
    ]

    /// Puts a record into the stream to the server after the handshake.
    private static func injected(_ record: [UInt8], _ pipe: MemoryPipe) -> ScenarioOutcome {
        pipe.run()
        pipe.server.take(record)
        pipe.run()
        return ScenarioOutcome(client: SideReport(pipe.client).summary, server: SideReport(pipe.server).summary)
    }

    private static func broken(_ code: String, _ alert: String) -> ScenarioExpectation {
        .equal(client: "ok, then alertReceived, got \(alert)", server: "ok, then \(code), sent \(alert)")
    }

    /// Records that somebody has tampered with, or forged.
    static let recordFaults: [Scenario] = [
        .script(
            "tampered-record", "A bit of a record flips on the way", group: .records, references: ["RFC 8446 section 5.2"],
            rows: [52],
            expect: broken("sslInternal", "bad_record_mac")
        ) { pipe in
            pipe.run()
            pipe.toServer.faults.flippedOctet = pipe.toServer.transcript.count + 20
            pipe.client.write(octets(100))
            pipe.run()
            return ScenarioOutcome(
                client: SideReport(pipe.client).summary,
                server: SideReport(pipe.server).summary + (pipe.server.received.isEmpty ? "" : " and used it"))
        },
        .script(
            "tampered-server-hello", "A bit of the ServerHello flips on the way", group: .records,
            references: ["RFC 8446 section 4.4", "RFC 5246 section 7.4.3"], rows: [52],
            expect: .equal(
                client: "handshakeFailed, sent bad_record_mac", server: "handshakeFailed, sent bad_record_mac"
            ).with(.tls1_2, client: "handshakeFailed, sent decrypt_error", server: "alertReceived, got decrypt_error")
                .except(
                    ScenarioDifference(
                        client: "openssl", server: "openssl", versions: [.tls1_3], libraries: Pins.openssl3_0,
                        outcome: ScenarioOutcome(
                            client: "handshakeFailed, sent bad_record_mac", server: "alertReceived, got bad_record_mac"),
                        reason:
                            "The keys of the ends differ, so no end can read an encrypted alert of the other. OpenSSL's client "
                            + "still sends in the clear then, and its server takes that.",
                        morePermissive:
                            "An alert in the clear during a handshake can end it and do nothing else; whoever can send one "
                            + "can also damage the handshake.")),
            plan: { $0.faultsToClient.flippedOctet = 20 }
        ) { pipe in
            pipe.run()
            let report = SideReport(pipe.client)
            return ScenarioOutcome(
                client: report.summary, server: SideReport(pipe.server).summary, details: report.error.map { ["\($0)"] } ?? [])
        },
        .script(
            "oversized-record", "A record claims to be longer than any may be", group: .records,
            references: ["RFC 8446 section 5.2", "RFC 5246 section 6.2.3"], rows: [52],
            expect: broken("sslInternal", "record_overflow")
        ) { pipe in injected(RawRecord.oversized, pipe) },
        .script(
            "unknown-record-type", "A record of a type that does not exist", group: .records, references: ["RFC 8446 section 5"],
            rows: [52],
            expect: broken("sslInternal", "unexpected_message").except(
                ScenarioDifference(
                    server: "openssl", versions: [.tls1_2], libraries: Pins.openssl3_0,
                    outcome: ScenarioOutcome(
                        client: "ok, then alertReceived, got bad_record_mac", server: "ok, then sslInternal, sent bad_record_mac"),
                    reason:
                        "RFC 5246 section 6 says unexpected_message. OpenSSL decrypts the record before it looks at its type, and "
                        + "so finds the other fault first."))
        ) { pipe in injected([99, 3, 3, 0, 24] + octets(24), pipe) },
        .script(
            "heartbeat", "A heartbeat request is a record like any that nobody expects", group: .records,
            references: ["RFC 6520 section 2"], rows: [52],
            expect: broken("sslInternal", "unexpected_message").with(
                .tls1_2, client: "ok, then alertReceived, got bad_record_mac", server: "ok, then sslInternal, sent bad_record_mac"
            ).except(
                ScenarioDifference(
                    server: "gnutls", versions: [.tls1_3], libraries: Pins.gnutls3_7,
                    outcome: ScenarioOutcome(
                        client: "ok, then alertReceived, got bad_record_mac", server: "ok, then sslInternal, sent bad_record_mac"),
                    reason:
                        "RFC 8446 section 5 says unexpected_message for a record that is not protected. GnuTLS tries to decrypt it "
                        + "first, which fails."))
        ) { pipe in
            // HeartbeatRequest with a payload length far beyond the message, as in CVE-2014-0160.
            injected([24, 3, 3, 0, 24, 1, 0xFF, 0xFF] + octets(21), pipe)
        },
        .script(
            "forged-record", "Application data that nobody has encrypted", group: .records, references: ["RFC 8446 section 5.2"],
            rows: [52],
            expect: broken("sslInternal", "bad_record_mac")
        ) { pipe in injected(RawRecord.make(type: 23, octets(64)), pipe) },
        .script(
            "forged-closure", "A close_notify in clear text does not end an encrypted connection properly", group: .records,
            references: ["RFC 8446 section 5", "RFC 5246 section 7.2.1"], rows: [48, 52],
            expect: broken("sslInternal", "unexpected_message").with(
                .tls1_2, client: "ok, then alertReceived, got bad_record_mac", server: "ok, then sslInternal, sent bad_record_mac"
            ).except(
                ScenarioDifference(
                    server: "gnutls", versions: [.tls1_3], libraries: Pins.gnutls3_7,
                    outcome: ScenarioOutcome(
                        client: "ok, then alertReceived, got bad_record_mac", server: "ok, then sslInternal, sent bad_record_mac"),
                    reason:
                        "RFC 8446 section 5 says unexpected_message for a record that is not protected. GnuTLS tries to decrypt it "
                        + "first, which fails."))
        ) { pipe in
            var outcome = injected(RawRecord.alert(level: 1, code: 0), pipe)
            if pipe.server.isClosedByPeer { outcome.server = "believes it" }
            return outcome
        },
        .script(
            "failure-stays", "After a fatal failure every call reports the same, and nothing is sent any more", group: .records,
            rows: [51],
            expect: .equal(server: "the same failure, silent")
        ) { pipe in
            _ = injected(RawRecord.make(type: 23, octets(64)), pipe)
            let first = pipe.server.error
            pipe.server.take(RawRecord.make(type: 23, octets(64)))
            pipe.server.work()
            pipe.server.write(octets(10))
            pipe.server.close()
            let isSilent = pipe.server.takeOutput().isEmpty
            let isSame = first != nil && pipe.server.error == first
            return ScenarioOutcome(
                server: (isSame ? "the same failure" : "another failure") + (isSilent ? ", silent" : ", still talking"))
        },
    ]
}
