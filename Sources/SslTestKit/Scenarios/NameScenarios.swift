internal import SslBackend
internal import SslSockets
internal import SslValues

extension ScenarioCatalogue {
    private static let underscoreRefused = ScenarioOutcome(
        client: "alertReceived, got illegal_parameter", server: "handshakeFailed, sent illegal_parameter")
    private static let underscoreReason =
        "RFC 6066 section 3 asks for host names, which hold no underscores (RFC 952). A server of GnuTLS insists on that in the server "
        + "name it is sent; as a client it sends and proves such a name."

    /// Which names a certificate proves (RFC 9525).
    static let names: [Scenario] = [
        .plan(
            "wrong-name", "The certificate is for another name", group: .names, references: ["RFC 9525 section 6.3"], rows: [6],
            transports: [.memory, .blocking, .async], expect: refused("hostNameMismatch@0", "bad_certificate")
        ) { $0.identity = .wrongName },
        .plan(
            "wildcard", "A wildcard stands for one label", group: .names, references: ["RFC 9525 section 6.3"], rows: [25],
            expect: .ok
        ) { $0.identity = .wildcard },
        .plan(
            "wildcard-two-labels", "A wildcard does not stand for two labels", group: .names,
            references: ["RFC 9525 section 6.3"],
            rows: [25], expect: refused("hostNameMismatch@0", "bad_certificate")
        ) {
            $0.identity = .wildcard
            $0.host = "deep.server.example.test"
        },
        .plan(
            "wildcard-bare-domain", "A wildcard does not stand for no label", group: .names, references: ["RFC 9525 section 6.3"],
            rows: [25], expect: refused("hostNameMismatch@0", "bad_certificate")
        ) {
            $0.identity = .wildcard
            $0.host = "example.test"
        },
        .plan(
            "wildcard-underscore", "A wildcard stands for a label with an underscore", group: .names,
            references: ["RFC 9525 section 6.3"],
            rows: [25],
            expect: .ok.except(
                ScenarioDifference(
                    server: "gnutls", libraries: Pins.gnutls3_7, outcome: underscoreRefused, reason: underscoreReason))
        ) {
            $0.identity = .wildcard
            $0.host = "_srv.example.test"
        },
        .plan(
            "partial-wildcard", "A wildcard is a whole label or none", group: .names, references: ["RFC 9525 section 6.3"],
            rows: [25],
            expect: refused("hostNameMismatch@0", "bad_certificate")
        ) { $0.identity = .partialWildcard },
        .plan(
            "top-level-wildcard", "A wildcard right below the root of names proves nothing", group: .names,
            references: ["RFC 9525 section 7.1"], rows: [25], expect: refused("hostNameMismatch@0", "bad_certificate")
        ) { $0.identity = .topLevelWildcard },
        .plan(
            "case-insensitive-name", "Capitals make no difference", group: .names, references: ["RFC 9525 section 6.3"],
            rows: [25],
            expect: .ok
        ) { $0.identity = .upperCaseName },
        .plan(
            "ip-address", "An iPAddress proves an address, and no server name is sent", group: .names,
            references: ["RFC 9525 section 6.5", "RFC 6066 section 3"], rows: [23, 28],
            expect: .equal(client: "ok", server: "ok without server name")
        ) {
            $0.identity = .ipAddress
            $0.facts = { _, server in ("", server.facts.serverName.map { "asked for \($0)" } ?? "without server name") }
        },
        .plan(
            "ipv6-address", "An IPv6 address in another spelling", group: .names, references: ["RFC 9525 section 6.5"],
            rows: [23],
            expect: .ok
        ) {
            $0.identity = .ipv6Address
            $0.host = "2001:0db8:0:0:0:0:0:1"
        },
        .plan(
            "ip-in-dns-name", "An address in a dNSName or a common name proves nothing", group: .names,
            references: ["RFC 9525 section 4.4"], rows: [23], expect: refused("hostNameMismatch@0", "bad_certificate")
        ) { $0.identity = .ipInDnsName },
        .plan(
            "ip-with-leading-zero", "192.0.2.01 is no address and is not taken for 192.0.2.1", group: .names,
            references: ["RFC 6943 section 3.1.1"], rows: [28], expect: refused("hostNameMismatch@0", "bad_certificate")
        ) {
            $0.identity = .ipAddress
            $0.host = "192.0.2.01"
        },
        .plan(
            "common-name-only", "A common name proves nothing", group: .names, references: ["RFC 9525 section 2"], rows: [24],
            expect: refused("hostNameMismatch@0", "bad_certificate")
        ) { $0.identity = .commonNameOnly },
        .plan(
            "email-only", "A common name proves nothing beside an e-mail address either", group: .names,
            references: ["RFC 9525 section 2"],
            rows: [24], expect: refused("hostNameMismatch@0", "bad_certificate")
        ) { $0.identity = .emailOnly },
        .plan(
            "international-name", "The A-label form of an international name", group: .names,
            references: ["RFC 9525 section 6.3"],
            rows: [26], expect: .ok
        ) { $0.identity = .internationalName },
        .plan(
            "international-name-in-letters", "The form in letters is sent and compared in its xn-- form", group: .names,
            references: ["RFC 9525 section 6.3", "RFC 5891 section 4"], rows: [26], expect: .ok
        ) {
            $0.identity = .internationalName
            $0.host = "bücher.example.test"
        },
        .plan(
            "trailing-dot", "A dot at the end is neither sent nor compared", group: .names, references: ["RFC 6066 section 3"],
            rows: [27],
            expect: .equal(client: "ok", server: "ok asked for server.example.test")
        ) {
            $0.host = TestIdentity.defaultHost + "."
            $0.facts = { _, server in ("", "asked for \(server.facts.serverName ?? "nobody")") }
        },
        .plan(
            "no-name", "Nothing to prove is no proof", group: .names, references: ["RFC 9525 section 6.1"], rows: [6],
            expect: refused("hostNameMismatch@0", "bad_certificate")
        ) { $0.host = "" },
        .plan(
            "server-name", "The name is sent in lower case", group: .names, references: ["RFC 6066 section 3"], rows: [27],
            expect: .equal(client: "ok", server: "ok asked for server.example.test")
        ) {
            $0.host = "Server.Example.TEST"
            $0.facts = { _, server in ("", "asked for \(server.facts.serverName ?? "nobody")") }
        },
        .plan(
            "server-name-switched-off", "The name is proven although it is not sent", group: .names,
            references: ["RFC 6066 section 3"],
            rows: [28], expect: .equal(client: "ok", server: "ok without server name")
        ) {
            $0.client = { configuration throws(SslSocketError) in configuration.options.insert(.disableServerNameIndication) }
            $0.facts = { _, server in ("", server.facts.serverName.map { "asked for \($0)" } ?? "without server name") }
        },
    ]
}
