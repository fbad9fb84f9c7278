internal import SslBackend
internal import SslSockets
internal import SslValues

extension ScenarioCatalogue {
    /// Configurations are changed by closures that may throw; most do not.
    typealias Change = @Sendable (inout SslConfiguration) throws(SslSocketError) -> Void

    static func ciphers(_ names: String) -> Change {
        { configuration throws(SslSocketError) in try configuration.setCiphers(names) }
    }

    static func protocols(_ names: String...) -> Change {
        { configuration throws(SslSocketError) in configuration.allowedNextProtocols = names }
    }

    static func version(_ range: SslProtocol) -> Change {
        { configuration throws(SslSocketError) in configuration.protocol = range }
    }

    static func groups(_ list: SslGroup...) -> Change {
        { configuration throws(SslSocketError) in configuration.groups = list }
    }

    private static let bothCiphers =
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256:TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384"
    private static let bothCiphersReversed =
        "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384:TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"

    /// What both ends agree on: versions, suites, groups, protocols.
    static let negotiation: [Scenario] = [
        .plan(
            "highest-version", "Both allow TLS 1.2 and 1.3 and agree on 1.3", group: .handshake,
            references: ["RFC 8446 section 4.2.1"],
            rows: [29], versions: [.tls1_3], expect: .equal(client: "ok TLSv1.3", server: "ok TLSv1.3")
        ) {
            $0.client = version(.secureProtocols)
            $0.server = version(.secureProtocols)
            $0.facts = { client, server in (client.facts.version?.description ?? "", server.facts.version?.description ?? "") }
        },
        .plan(
            "older-server", "The client allows both versions and the server only TLS 1.2", group: .handshake,
            references: ["RFC 8446 appendix D.1"], rows: [29], versions: [.tls1_2],
            expect: .equal(client: "ok TLSv1.2", server: "ok TLSv1.2")
        ) {
            $0.client = version(.secureProtocols)
            $0.facts = { client, server in (client.facts.version?.description ?? "", server.facts.version?.description ?? "") }
        },
        .plan(
            "version-too-old", "The client allows only TLS 1.2, the server only 1.3", group: .handshake,
            references: ["RFC 8446 section 4.2.1"], rows: [32], versions: [.tls1_3],
            expect: .equal(client: "alertReceived, got protocol_version", server: "handshakeFailed, sent protocol_version")
        ) { $0.client = version(.tlsV1_2) },
        .plan(
            "version-too-new", "The client allows only TLS 1.3, the server only 1.2", group: .handshake,
            references: ["RFC 8446 section 4.2.1"], rows: [32], versions: [.tls1_2],
            expect: .equal(client: "alertReceived, got protocol_version", server: "handshakeFailed, sent protocol_version")
        ) { $0.client = version(.tlsV1_3) },
        .script(
            "tls-1-1-client", "A client that knows nothing newer than TLS 1.1 is refused by default", group: .handshake,
            references: ["RFC 8996 section 5"], rows: [29], versions: [.tls1_2], sides: .one,
            expect: .equal(server: "handshakeFailed, sent protocol_version"), plan: { $0.server = version(.secureProtocols) }
        ) { pipe in
            var hello = RawClientHello()
            hello.legacyVersion = 0x0302
            hello.cipherSuites = [0xC009, 0xC013, 0x002F]
            pipe.server.take(hello.record)
            pipe.server.work()
            return ScenarioOutcome(server: SideReport(pipe.server).summary)
        },
        .plan(
            "server-cipher-order", "The server's order of cipher suites counts", group: .handshake,
            references: ["RFC 9325 section 4.2.1"],
            rows: [32],
            expect: .equal(client: "ok TLS_AES_256_GCM_SHA384", server: "ok")
                .with(.tls1_2, client: "ok TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", server: "ok")
        ) {
            $0.client = ciphers(bothCiphers)
            $0.server = ciphers(bothCiphersReversed)
            $0.facts = { client, _ in (client.facts.cipher?.name ?? "", "") }
        },
        .plan(
            "client-cipher-order", "The client's order counts when the server leaves it the choice", group: .handshake,
            references: ["RFC 5246 section 7.4.1.2"], rows: [32],
            expect: .equal(client: "ok TLS_AES_128_GCM_SHA256", server: "ok")
                .with(.tls1_2, client: "ok TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", server: "ok")
        ) {
            $0.client = ciphers(bothCiphers)
            $0.server = { configuration throws(SslSocketError) in
                try configuration.setCiphers(bothCiphersReversed)
                configuration.options.insert(.disableServerCipherPreference)
            }
            $0.facts = { client, _ in (client.facts.cipher?.name ?? "", "") }
        },
        .plan(
            "no-common-cipher", "No cipher suite is common", group: .handshake, references: ["RFC 8446 section 4.1.1"],
            rows: [32],
            transports: [.memory, .blocking, .async],
            expect: .equal(client: "alertReceived, got handshake_failure", server: "handshakeFailed, sent handshake_failure")
        ) {
            $0.client = ciphers("TLS_AES_128_GCM_SHA256:TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")
            $0.server = ciphers("TLS_AES_256_GCM_SHA384:TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384")
        },
        .plan(
            "cipher-needs-another-key", "The only common suite needs an RSA key and the server has none", group: .handshake,
            references: ["RFC 8422 section 2"], rows: [32], versions: [.tls1_2],
            expect: .equal(client: "alertReceived, got handshake_failure", server: "handshakeFailed, sent handshake_failure")
        ) { $0.client = ciphers("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256") },
        .plan(
            "second-group", "The server wants another group than the client has guessed", group: .handshake,
            references: ["RFC 8446 section 4.1.4"], rows: [56], expect: .equal(client: "ok secp384r1", server: "ok secp384r1")
        ) {
            $0.server = groups(.secp384r1)
            $0.facts = { client, server in (client.facts.group?.name ?? "none", server.facts.group?.name ?? "none") }
        },
        .plan(
            "no-common-group", "No group is common", group: .handshake, references: ["RFC 8446 section 4.1.1"], rows: [32],
            expect: .equal(client: "alertReceived, got handshake_failure", server: "handshakeFailed, sent handshake_failure")
        ) {
            $0.client = groups(.x25519)
            $0.server = groups(.secp384r1)
        },
        .plan(
            "alpn-agreed", "A protocol is common: the server's order counts", group: .handshake,
            references: ["RFC 7301 section 3.2"],
            rows: [30], transports: [.memory, .blocking, .async], expect: .equal(client: "ok h2", server: "ok h2")
        ) {
            $0.client = protocols("http/1.1", "h2")
            $0.server = protocols("h2", "http/1.1")
            $0.facts = alpnFacts
        },
        .plan(
            "alpn-nothing-common", "No protocol is common: the handshake goes on and none is made up", group: .handshake,
            references: ["RFC 7301 section 3.2"], rows: [30, 31],
            expect: .equal(client: "ok no protocol", server: "ok no protocol")
        ) {
            $0.client = protocols("http/1.1")
            $0.server = protocols("h2")
            $0.facts = alpnFacts
        },
        .plan(
            "alpn-silent-server", "The server knows no protocols", group: .handshake, references: ["RFC 7301 section 3.2"],
            rows: [30],
            expect: .equal(client: "ok no protocol", server: "ok no protocol")
        ) {
            $0.client = protocols("h2")
            $0.facts = alpnFacts
        },
        .script(
            "one-key-share", "A client sends a key share for its first group only", group: .handshake,
            references: ["RFC 8446 section 4.2.8"], rows: [56], versions: [.tls1_3], sides: .one, expect: .equal(client: "x25519")
        ) { pipe in
            pipe.run()
            let groups = FlightReader(pipe.toServer.transcript).keyShareGroups ?? []
            let sizes = "\(pipe.toServer.transcript.count) octets to the server, \(pipe.toClient.transcript.count) to the client"
            return ScenarioOutcome(
                client: groups.map { SslGroup(code: UInt16(truncatingIfNeeded: $0)).name }.joined(separator: " "),
                details: [sizes])
        },
    ]

    private static let alpnFacts: @Sendable (SideReport, SideReport) -> (client: String, server: String) = { client, server in
        func name(_ report: SideReport) -> String {
            report.facts.applicationProtocol.map { String(decoding: $0, as: UTF8.self) } ?? "no protocol"
        }
        return (name(client), name(server))
    }

    /// What the handshake itself may meet.
    static let handshakes: [Scenario] = [
        .plan(
            "key-mismatch", "The server's key belongs to another certificate", group: .handshake,
            references: ["RFC 8446 section 4.4.3"],
            rows: [32], expect: .equal(server: "cannot start: keyMismatch")
        ) {
            $0.server = { configuration throws(SslSocketError) in
                configuration.privateKey = try TestCertificates.shared().identity(.rsa).key
            }
        },
        .plan(
            "server-without-certificate", "A server without a certificate is told so before any client comes", group: .handshake,
            rows: [32],
            expect: .equal(server: "cannot start: invalidUserData")
        ) { $0.server = { configuration throws(SslSocketError) in configuration.credentials = [] } },
        .plan(
            "second-credentials", "The server has an RSA and an ECDSA certificate, the client can verify only one kind",
            group: .handshake,
            references: ["RFC 8446 section 4.4.2.2"], rows: [32], versions: [.tls1_2],
            expect: .equal(client: "ok ec", server: "ok")
        ) {
            $0.identity = .rsa
            $0.client = ciphers("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")
            $0.server = { configuration throws(SslSocketError) in
                let other = try TestCertificates.shared().identity(.valid)
                configuration.credentials.append(try other.credentials(backend: configuration.backend))
            }
            $0.facts = { client, _ in
                let leaf = client.peerChain.first.flatMap { try? SslCertificate(der: $0) }
                return (leaf.map { "\($0.keyAlgorithm)" } ?? "none", "")
            }
        },
        .script(
            "not-tls-to-server", "Something that is not TLS arrives at a server", group: .handshake,
            references: ["RFC 8446 section 5"],
            rows: [33], versions: [.tls1_3], sides: .one, expect: .equal(server: "notTls, sent unexpected_message")
        ) { pipe in
            pipe.server.take(Array("GET / HTTP/1.1\r\nHost: server.example.test\r\n\r\n".utf8))
            pipe.server.work()
            return ScenarioOutcome(server: SideReport(pipe.server).summary)
        },
        .script(
            "not-tls-to-client", "Something that is not TLS arrives at a client", group: .handshake,
            references: ["RFC 8446 section 5"],
            rows: [33], sides: .one,
            expect: .equal(client: "notTls, sent unexpected_message").except(
                ScenarioDifference(
                    client: "openssl", libraries: Pins.openssl3_0, outcome: ScenarioOutcome(client: "notTls"),
                    reason:
                        "OpenSSL sends no alert to a peer that does not speak TLS, which could not read it: RFC 8446 section 6.2 "
                        + "wants alerts for TLS peers."))
        ) { pipe in
            pipe.client.work()
            pipe.client.take(Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))
            pipe.client.work()
            let report = SideReport(pipe.client)
            return ScenarioOutcome(client: report.summary, details: report.error.map { ["\($0)"] } ?? [])
        },
        .script(
            "malformed-client-hello", "A ClientHello whose extensions run beyond its end", group: .handshake,
            references: ["RFC 8446 section 6.2"], rows: [33], sides: .one,
            expect: .equal(server: "handshakeFailed, sent decode_error")
        ) { pipe in
            pipe.server.take(RawRecord.handshake(type: 1, RawClientHello().body.dropLast(3)))
            pipe.server.work()
            let report = SideReport(pipe.server)
            return ScenarioOutcome(server: report.summary, details: report.error.map { ["\($0)"] } ?? [])
        },
        .plan(
            "extended-master-secret", "Both ends bind the keys to the handshake", group: .handshake,
            references: ["RFC 7627", "RFC 8446 section 7.5"], rows: [32],
            expect: .equal(client: "ok bound", server: "ok bound")
        ) {
            $0.facts = { client, server in
                (
                    client.facts.hasExtendedMasterSecret ? "bound" : "unbound",
                    server.facts.hasExtendedMasterSecret ? "bound" : "unbound"
                )
            }
        },
        .script(
            "exported-keys", "Both ends export the same keying material, and empty and no context differ only in TLS 1.2",
            group: .handshake, references: ["RFC 5705 section 4", "RFC 8446 section 7.5"], features: [.keyingMaterialExport],
            expect: .equal(client: "same", server: "empty context same").with(
                .tls1_2, client: "same", server: "empty context differs")
        ) { pipe throws(SslSocketError) in
            pipe.run()
            let label = "EXPORTER-Channel-Binding"
            let here = try pipe.client.connection.exportKeyingMaterial(label: label, context: [], length: 32)
            let there = try pipe.server.connection.exportKeyingMaterial(label: label, context: [], length: 32)
            let without = try pipe.server.connection.exportKeyingMaterial(label: label, context: nil, length: 32)
            return ScenarioOutcome(
                client: here == there ? "same" : "differs",
                server: there == without ? "empty context same" : "empty context differs")
        },
    ]
}
