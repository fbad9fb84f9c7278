internal import SslBackend
internal import SslSockets
internal import SslValues

extension ScenarioCatalogue {
    /// Ends that insist on what the others leave open.
    static let demands: [Scenario] = [
        .plan(
            "alpn-required-by-server", "The server insists on an application protocol and the client has another",
            group: .handshake, references: ["RFC 7301 section 3.2"], rows: [30, 31], transports: [.memory, .async],
            features: [.clientSideAlpn, .serverSideAlpn],
            expect: .equal(
                client: "alertReceived, got no_application_protocol",
                server: "noApplicationProtocol, sent no_application_protocol")
        ) {
            $0.client = { configuration throws(SslSocketError) in configuration.allowedNextProtocols = ["one"] }
            $0.server = { configuration throws(SslSocketError) in
                configuration.allowedNextProtocols = ["other"]
                configuration.nextProtocolPolicy = .required
            }
        },
        .plan(
            "alpn-required-by-client", "The client insists on an application protocol and the server chooses none",
            group: .handshake, references: ["RFC 7301 section 3.2"], rows: [30, 31], transports: [.memory, .async],
            features: [.clientSideAlpn, .serverSideAlpn],
            expect: .equal(
                client: "noApplicationProtocol, sent no_application_protocol",
                server: "alertReceived, got no_application_protocol"
            ).except(Pins.alertInTheClear(client: "noApplicationProtocol, sent no_application_protocol"))
        ) {
            $0.client = { configuration throws(SslSocketError) in
                configuration.allowedNextProtocols = ["one"]
                configuration.nextProtocolPolicy = .required
            }
            $0.server = { configuration throws(SslSocketError) in configuration.allowedNextProtocols = ["other"] }
        },
        lateCertificate(
            "late-certificate", "The server asks for a certificate after the handshake and gets it", .client, .verifyPeer,
            expect: .equal(client: "ok, asked", server: "ok, proved")),
        lateCertificate(
            "late-certificate-missing", "The server demands a certificate after the handshake and the client has none", nil,
            .verifyPeer,
            expect: .equal(
                client: "ok, then alertReceived, got certificate_required, asked",
                server: "ok, then peerVerificationFailed [noPeerCertificate@0], sent certificate_required, not proved")),
        lateCertificate(
            "late-certificate-untrusted", "The server does not like the certificate it gets after the handshake",
            .untrustedClient,
            .verifyPeer,
            expect: .equal(
                client: "ok, then alertReceived, got unknown_ca, asked",
                server:
                    "ok, then peerVerificationFailed [unableToGetLocalIssuerCertificate@1], sent unknown_ca, not proved")),
        lateCertificate(
            "late-certificate-queried", "The server asks for a certificate after the handshake and does without", nil, .queryPeer,
            expect: .equal(client: "ok, asked", server: "ok, proved")),
    ]

    /// A server asks for a certificate between octets.
    private static func lateCertificate(
        _ id: String, _ title: String, _ shown: TestCertificate?, _ mode: SslPeerVerifyMode, expect: ScenarioExpectation
    ) -> Scenario {
        .script(
            id, title, group: .clientCertificates, references: ["RFC 8446 section 4.6.2"], rows: [39], versions: [.tls1_3],
            features: [.postHandshakeAuthentication], expect: expect,
            plan: {
                $0.client = { configuration throws(SslSocketError) in
                    configuration.allowsPostHandshakeAuthentication = true
                    guard let shown else { return }
                    let identity = try TestCertificates.shared().identity(shown)
                    configuration.credentials = [try identity.credentials(backend: configuration.backend)]
                }
                $0.server = { configuration throws(SslSocketError) in
                    configuration.allowsPostHandshakeAuthentication = true
                    let issuer = try TestCertificates.shared().identity(.client)
                    configuration.caCertificates = try issuer.anchorCertificates(backend: configuration.backend)
                }
            }
        ) { pipe throws(SslSocketError) in
            pipe.run()
            pipe.client.write(octets(100))
            try pipe.server.connection.requestClientCertificate(mode, pipe.server.output)
            pipe.run()
            pipe.client.write(octets(100))
            pipe.run()
            return ScenarioOutcome(
                client: SideReport(pipe.client).summary + (pipe.client.certificateRequests == 1 ? ", asked" : ", not asked"),
                server: SideReport(pipe.server).summary + (pipe.server.lateProofs == 1 ? ", proved" : ", not proved"))
        }
    }

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
