internal import SslBackend
internal import SslSockets
internal import SslValues

extension ScenarioCatalogue {
    private static func key(_ identity: String, _ octet: UInt8, _ hash: SslHash = .sha256) throws(SslSocketError)
        -> SslPreSharedKey
    {
        try SslPreSharedKey(identity: identity, key: SecretBytes([UInt8](repeating: octet, count: 32)), hash: hash)
    }

    /// An end with one key.
    private static func holding(_ identity: String = "client 1", _ octet: UInt8 = 1, _ hash: SslHash = .sha256) -> Change {
        { configuration throws(SslSocketError) in configuration.preSharedKeys = [try key(identity, octet, hash)] }
    }

    /// A server with keys and no certificate.
    private static func holdingOnly(_ hash: SslHash = .sha256) -> Change {
        { configuration throws(SslSocketError) in
            configuration.credentials = []
            configuration.preSharedKeys = [try key("somebody else", 9, hash), try key("client 1", 1, hash)]
        }
    }

    private static func proof(_ side: SideReport) -> String {
        (side.facts.usedPreSharedKey ? "by key" : "not by key") + " \(side.peerChain.count) certificates"
    }

    /// A plan between a client with a key and a server with keys only.
    private static func keyed(_ plan: inout Plan) {
        plan.client = holding()
        plan.server = holdingOnly()
        plan.facts = { client, server in (proof(client), proof(server)) }
    }

    private static let byKey = ScenarioExpectation.equal(client: "ok by key 0 certificates", server: "ok by key 0 certificates")

    /// What a wrong key and an unknown identity come to, one like the other.
    private static let wrong = ScenarioExpectation.equal(
        client: "alertReceived, got illegal_parameter", server: "handshakeFailed, sent illegal_parameter"
    ).with(
        .tls1_2, client: "alertReceived, got bad_record_mac", server: "handshakeFailed, sent bad_record_mac")

    private static let failed = ScenarioExpectation.equal(
        client: "alertReceived, got handshake_failure", server: "handshakeFailed, sent handshake_failure")

    private static func suite(_ name: String, _ title: String, _ suite: String, certificate: TestCertificate? = nil) -> Scenario {
        let count = certificate == nil ? 0 : 2
        return .plan(
            "pre-shared-key-\(name)", title, group: .preSharedKeys, references: ["RFC 4279 section 2", "RFC 5489 section 2"],
            rows: [69], versions: [.tls1_2], features: [.psk],
            expect: .equal(client: "ok \(suite) by key \(count) certificates", server: "ok by key 0 certificates")
        ) {
            keyed(&$0)
            if let certificate { $0.identity = certificate }
            let hasCertificate = certificate != nil
            let prepare: @Sendable (inout SslConfiguration) throws(SslSocketError) -> Void = {
                configuration throws(SslSocketError) in
                try configuration.setCiphers(suite)
                configuration.preSharedKeys = [try key("client 1", 1)]
            }
            $0.client = prepare
            $0.server = { configuration throws(SslSocketError) in
                try prepare(&configuration)
                if !hasCertificate { configuration.credentials = [] }
            }
            $0.facts = { client, server in ("\(client.facts.cipher?.name ?? "none") \(proof(client))", proof(server)) }
        }
    }

    /// Connections that rest on a key both ends have known all along.
    static let preSharedKeys: [Scenario] = [
        .plan(
            "pre-shared-key", "Both ends have the key and the server no certificate", group: .preSharedKeys,
            references: ["RFC 4279 section 2", "RFC 8446 section 2.2"], rows: [69], transports: [.memory, .blocking, .async],
            features: [.psk], expect: byKey, keyed),
        .plan(
            "pre-shared-key-and-certificate", "Both ends have the key, and the server a certificate it need not show",
            group: .preSharedKeys, references: ["RFC 8446 section 4.4.2"], rows: [69], features: [.psk], expect: byKey
        ) {
            keyed(&$0)
            $0.server = holding()
        },
        .plan(
            "pre-shared-key-instead-of-client-certificate",
            "The server requires a certificate and the client proves itself by its key",
            group: .preSharedKeys, references: ["RFC 8446 section 4.3.2", "RFC 4279 section 2"], rows: [69], features: [.psk],
            expect: byKey
        ) {
            keyed(&$0)
            $0.server = { configuration throws(SslSocketError) in
                try holding()(&configuration)
                configuration.peerVerifyMode = .verifyPeer
            }
        },
        .plan(
            "pre-shared-key-wrong", "The keys of the two ends differ", group: .preSharedKeys,
            references: ["RFC 4279 section 2", "RFC 8446 section 4.2.11"], rows: [69], transports: [.memory, .blocking, .async],
            features: [.psk], expect: wrong
        ) {
            keyed(&$0)
            $0.client = holding("client 1", 2)
        },
        .plan(
            "pre-shared-key-unknown-identity", "The server does not know the identity, and does not let on",
            group: .preSharedKeys,
            references: ["RFC 4279 section 2"], rows: [69], features: [.psk], expect: wrong
        ) {
            keyed(&$0)
            $0.client = holding("nobody")
        },
        .plan(
            "pre-shared-key-unknown-identity-and-certificate",
            "The server does not know the identity, and does not show its certificate instead", group: .preSharedKeys,
            references: ["RFC 4279 section 2"], rows: [69], features: [.psk], expect: wrong
        ) {
            keyed(&$0)
            $0.client = holding("nobody")
            $0.server = holding()
        },
        .plan(
            "pre-shared-key-declined", "The server has no keys and shows its certificate, which is verified",
            group: .preSharedKeys,
            references: ["RFC 8446 section 4.2.11"], rows: [69], features: [.psk],
            expect: .equal(client: "ok not by key 2 certificates", server: "ok not by key 0 certificates")
        ) {
            keyed(&$0)
            $0.server = { _ throws(SslSocketError) in }
        },
        .plan(
            "pre-shared-key-declined-untrusted", "The server has no keys and shows a certificate that nobody trusts",
            group: .preSharedKeys, references: ["RFC 8446 section 4.2.11"], rows: [69], features: [.psk],
            expect: refused("unableToGetLocalIssuerCertificate@1", "unknown_ca")
        ) {
            keyed(&$0)
            $0.identity = .untrusted
            $0.server = { _ throws(SslSocketError) in }
        },
        .plan(
            "pre-shared-key-missing", "The server has keys only, and the client none", group: .preSharedKeys,
            references: ["RFC 8446 section 4.1.1"], rows: [69], features: [.psk], expect: failed
        ) {
            keyed(&$0)
            $0.client = { _ throws(SslSocketError) in }
        },
        .plan(
            "pre-shared-key-suites-without-key", "Suites that need a key count for nothing while there is none",
            group: .preSharedKeys, references: ["RFC 4279 section 2"], rows: [69], versions: [.tls1_2], features: [.psk],
            expect: .equal(client: "cannot start: invalidUserData")
        ) {
            $0.client = ciphers("TLS_PSK_WITH_AES_128_GCM_SHA256:TLS_DHE_PSK_WITH_AES_128_GCM_SHA256")
        },
        .plan(
            "pre-shared-key-forward-secrecy", "TLS 1.3 goes with a fresh key agreement whatever the suites of TLS 1.2 do without",
            group: .preSharedKeys, references: ["RFC 8446 section 4.2.9"], rows: [69], versions: [.tls1_3], features: [.psk],
            expect: .equal(client: "ok x25519 by key 0 certificates", server: "ok x25519 by key 0 certificates")
        ) {
            keyed(&$0)
            let all = "TLS_AES_128_GCM_SHA256:TLS_PSK_WITH_AES_128_GCM_SHA256"
            $0.client = { configuration throws(SslSocketError) in
                try holding()(&configuration)
                try configuration.setCiphers(all)
            }
            $0.server = { configuration throws(SslSocketError) in
                try holdingOnly()(&configuration)
                try configuration.setCiphers(all)
            }
            $0.facts = { client, server in
                (
                    "\(client.facts.group?.name ?? "none") \(proof(client))",
                    "\(server.facts.group?.name ?? "none") \(proof(server))"
                )
            }
        },
        .plan(
            "pre-shared-key-cipher", "A key changes nothing about the order of ciphers: AES-GCM before ChaCha20",
            group: .preSharedKeys, references: ["RFC 8446 section 4.1.1"], rows: [69, 81], versions: [.tls1_3], features: [.psk],
            expect: .equal(client: "ok TLS_AES_128_GCM_SHA256 by key 0 certificates", server: "ok by key 0 certificates")
        ) {
            keyed(&$0)
            $0.facts = { client, server in ("\(client.facts.cipher?.name ?? "none") \(proof(client))", proof(server)) }
        },
        .plan(
            "pre-shared-key-second-group", "The key survives a HelloRetryRequest", group: .preSharedKeys,
            references: ["RFC 8446 section 4.1.4"], rows: [56, 69], versions: [.tls1_3], features: [.psk], expect: byKey
        ) {
            keyed(&$0)
            $0.server = { configuration throws(SslSocketError) in
                try holdingOnly()(&configuration)
                configuration.groups = [.secp384r1]
            }
        },
        .plan(
            "pre-shared-key-sha384", "The key is bound to SHA-384, and the server's own order would take SHA-256",
            group: .preSharedKeys,
            references: ["RFC 8446 section 4.2.11"], rows: [69], versions: [.tls1_3], features: [.psk, .pskSha384],
            expect: .equal(
                client: "ok TLS_AES_256_GCM_SHA384 by key 0 certificates", server: "ok by key 0 certificates")
        ) {
            keyed(&$0)
            $0.client = holding("client 1", 1, .sha384)
            $0.server = { configuration throws(SslSocketError) in configuration.preSharedKeys = [try key("client 1", 1, .sha384)]
            }
            $0.facts = { client, server in ("\(client.facts.cipher?.name ?? "none") \(proof(client))", proof(server)) }
        },
        .plan(
            "pre-shared-key-sha256-preferring-sha384", "The key is bound to SHA-256, and both ends would rather have SHA-384",
            group: .preSharedKeys, references: ["RFC 8446 section 4.2.11"], rows: [69], versions: [.tls1_3], features: [.psk],
            expect: .equal(client: "ok TLS_AES_128_GCM_SHA256 by key 0 certificates", server: "ok by key 0 certificates")
        ) {
            keyed(&$0)
            let list = "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256"
            $0.client = { configuration throws(SslSocketError) in
                try holding()(&configuration)
                try configuration.setCiphers(list)
            }
            $0.server = { configuration throws(SslSocketError) in
                try holding()(&configuration)
                try configuration.setCiphers(list)
            }
            $0.facts = { client, server in ("\(client.facts.cipher?.name ?? "none") \(proof(client))", proof(server)) }
        },
        .plan(
            "pre-shared-key-hash-without-suite", "No suite of the configuration has the hash the key is bound to",
            group: .preSharedKeys, references: ["RFC 8446 section 4.2.11"], rows: [69], versions: [.tls1_3], features: [.psk],
            expect: .equal(client: "cannot start: invalidUserData")
        ) {
            keyed(&$0)
            $0.client = { configuration throws(SslSocketError) in
                try holding()(&configuration)
                try configuration.setCiphers("TLS_AES_256_GCM_SHA384")
            }
        },
        .plan(
            "pre-shared-key-chosen-by-name", "The configuration chosen by the server name brings the keys", group: .preSharedKeys,
            references: ["RFC 6066 section 3"], rows: [69], features: [.psk, .serverNameSelection], expect: byKey
        ) {
            keyed(&$0)
            $0.server = { _ throws(SslSocketError) in }
            $0.choose = { configuration, _ in
                var chosen = configuration
                do throws(SslSocketError) { try holdingOnly()(&chosen) } catch { return .refuse }
                return .use(chosen)
            }
        },
        suite("dhe", "DHE with the key", "TLS_DHE_PSK_WITH_AES_128_GCM_SHA256"),
        suite("ecdhe", "ECDHE with the key", "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256"),
        suite("plain", "The key alone, without forward secrecy", "TLS_PSK_WITH_AES_256_GCM_SHA384"),
        suite(
            "rsa", "The key, and an RSA certificate that is verified", "TLS_RSA_PSK_WITH_AES_128_GCM_SHA256", certificate: .rsa),
    ]
}
