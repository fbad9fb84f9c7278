internal import SslBackend
internal import SslSockets
internal import SslValues

extension ScenarioCatalogue {
    /// A TLS 1.3 client has finished before the server judges its certificate, so it learns of a refusal afterwards; a TLS 1.2 client
    /// is still in its handshake.
    private static func clientRefused(_ problems: String, _ alert: String) -> ScenarioExpectation {
        .equal(
            client: "ok, then alertReceived, got \(alert)",
            server: "peerVerificationFailed [\(problems)], sent \(alert)"
        ).with(
            .tls1_2, client: "alertReceived, got \(alert)", server: "peerVerificationFailed [\(problems)], sent \(alert)")
    }

    /// A client without a certificate: an alert of its own since TLS 1.3.
    private static func missing(_ problems: String) -> ScenarioExpectation {
        .equal(
            client: "ok, then alertReceived, got certificate_required",
            server: "peerVerificationFailed \(problems), sent certificate_required"
        ).with(
            .tls1_2, client: "alertReceived, got handshake_failure",
            server: "peerVerificationFailed \(problems), sent handshake_failure")
    }

    /// Clients that show a certificate, and servers that ask for one.
    static let clientCertificates: [Scenario] = [
        .plan(
            "client-certificate", "The client shows its certificate and its intermediate", group: .clientCertificates,
            references: ["RFC 8446 section 4.4.2"], rows: [36], transports: [.memory, .blocking, .async],
            features: [.clientAuthentication], expect: .equal(client: "ok", server: "ok 2 certificates")
        ) {
            $0.clientIdentity = .client
            $0.facts = { _, server in ("", "\(server.peerChain.count) certificates") }
        },
        .plan(
            "client-certificate-missing", "The server demands a certificate and the client has none", group: .clientCertificates,
            references: ["RFC 8446 section 4.4.2.4", "RFC 5246 section 7.4.6"], rows: [22, 37],
            transports: [.memory, .blocking], features: [.clientAuthentication],
            expect: missing("[noPeerCertificate@0]")
        ) {
            $0.clientIdentity = .client
            $0.client = { configuration throws(SslSocketError) in configuration.credentials = [] }
        },
        .plan(
            "client-certificate-missing-fatal", "The server leaves no choice about a client without a certificate",
            group: .clientCertificates,
            references: ["RFC 8446 section 4.4.2.4", "RFC 5246 section 7.4.6"], rows: [22, 37],
            transports: [.memory, .blocking, .async], features: [.clientAuthentication], expect: missing("[]")
        ) {
            $0.clientIdentity = .client
            $0.serverPolicy.accepts = .all
            $0.client = { configuration throws(SslSocketError) in configuration.credentials = [] }
            $0.server = { configuration throws(SslSocketError) in configuration.missingCertificateIsFatal = true }
        },
        .plan(
            "client-certificate-missing-queried-fatal",
            "A server that only asks still refuses a client without any, when told to",
            group: .clientCertificates,
            references: ["RFC 8446 section 4.4.2.4", "RFC 5246 section 7.4.6"], rows: [37],
            features: [.clientAuthentication], expect: missing("[]")
        ) {
            $0.clientIdentity = .client
            $0.client = { configuration throws(SslSocketError) in configuration.credentials = [] }
            $0.server = { configuration throws(SslSocketError) in
                configuration.peerVerifyMode = .queryPeer
                configuration.missingCertificateIsFatal = true
            }
        },
        .plan(
            "client-certificate-missing-ignored", "The server demands a certificate and chooses to do without",
            group: .clientCertificates, references: ["RFC 8446 section 4.4.2.4"], rows: [37],
            transports: [.memory, .blocking], features: [.clientAuthentication],
            expect: .equal(client: "ok", server: "ok despite [noPeerCertificate@0] 0 certificates")
        ) {
            $0.clientIdentity = .client
            $0.serverPolicy.accepts = .only([.noPeerCertificate])
            $0.client = { configuration throws(SslSocketError) in configuration.credentials = [] }
            $0.facts = { _, server in ("", "\(server.peerChain.count) certificates") }
        },
        .plan(
            "client-certificate-missing-undecided",
            "While a server has not made up its mind about a missing certificate, nothing moves",
            group: .clientCertificates, rows: [37], features: [.clientAuthentication],
            expect: .equal(client: "ok", server: "ok despite [noPeerCertificate@0]")
        ) {
            $0.clientIdentity = .client
            $0.serverPolicy.accepts = .all
            $0.serverPolicy.undecidedRounds = 3
            $0.client = { configuration throws(SslSocketError) in configuration.credentials = [] }
        },
        .plan(
            "client-certificate-optional", "The server asks for a certificate and does without", group: .clientCertificates,
            references: ["RFC 8446 section 4.4.2"], rows: [37], features: [.clientAuthentication], expect: .ok
        ) {
            $0.clientIdentity = .client
            $0.client = { configuration throws(SslSocketError) in configuration.credentials = [] }
            $0.server = { configuration throws(SslSocketError) in configuration.peerVerifyMode = .queryPeer }
        },
        .plan(
            "client-certificate-untrusted", "The client's authority is unknown", group: .clientCertificates,
            references: ["RFC 8446 section 6.2"], rows: [20, 21, 37], features: [.clientAuthentication],
            expect: clientRefused("unableToGetLocalIssuerCertificate@1", "unknown_ca")
        ) { $0.clientIdentity = .untrustedClient },
        .plan(
            "client-certificate-queried", "The client's authority is unknown and the server only wants to know",
            group: .clientCertificates,
            rows: [37], features: [.clientAuthentication],
            expect: .equal(client: "ok", server: "ok despite [unableToGetLocalIssuerCertificate@1]")
        ) {
            $0.clientIdentity = .untrustedClient
            $0.server = { configuration throws(SslSocketError) in configuration.peerVerifyMode = .queryPeer }
        },
        .plan(
            "client-certificate-expired", "The client's certificate has expired", group: .clientCertificates,
            references: ["RFC 5280 section 6.1.3 (a) (2)"], rows: [20, 22], features: [.clientAuthentication],
            expect: clientRefused("certificateExpired@0", "certificate_expired")
        ) { $0.clientIdentity = .expiredClient },
        .plan(
            "server-certificate-as-client", "The extended key usage of the client's certificate allows servers only",
            group: .clientCertificates, references: ["RFC 5280 section 4.2.1.12"], rows: [7], features: [.clientAuthentication],
            expect: clientRefused("invalidPurpose@0", "unsupported_certificate")
        ) { $0.clientIdentity = .serverOnlyClient },
        .plan(
            "client-certificate-unnamed-authority",
            "The client shows its certificate although the server names another authority",
            group: .clientCertificates, references: ["RFC 8446 section 4.2.4"], rows: [34], features: [.clientAuthentication],
            expect: .equal(client: "ok", server: "ok 2 certificates")
        ) {
            $0.clientIdentity = .client
            $0.server = { configuration throws(SslSocketError) in
                configuration.requestedAuthorities = [
                    try SslCertificate(
                        der: TestAuthority.makeRoot("Test Other Root").certificate, backend: configuration.backend)
                ]
            }
            $0.facts = { _, server in ("", "\(server.peerChain.count) certificates") }
        },
        .script(
            "no-authority-named", "A server names no authorities unless it is told to", group: .clientCertificates,
            references: ["RFC 5246 section 7.4.4"], rows: [35], versions: [.tls1_2], sides: .one,
            features: [.clientAuthentication],
            expect: .equal(server: "0 names"), plan: { $0.clientIdentity = .client }
        ) { pipe in
            pipe.run()
            let names = FlightReader(pipe.toClient.transcript).requestedAuthorities
            return ScenarioOutcome(server: names.map { "\($0.count) names" } ?? "no request")
        },
        .script(
            "authorities-named", "A server names the authorities it is told to, and no others", group: .clientCertificates,
            references: ["RFC 5246 section 7.4.4"], rows: [35], versions: [.tls1_2], sides: .one,
            features: [.clientAuthentication],
            expect: .equal(server: "1 names, the right one"),
            plan: {
                $0.clientIdentity = .client
                $0.server = { configuration throws(SslSocketError) in
                    configuration.requestedAuthorities = configuration.caCertificates
                }
            }
        ) { pipe throws(SslSocketError) in
            pipe.run()
            let root = try TestCertificates.shared().root.certificate
            let wanted = try TestCertificates.shared().backend.makeCertificate(der: root).subjectDer
            let names = FlightReader(pipe.toClient.transcript).requestedAuthorities ?? []
            return ScenarioOutcome(server: "\(names.count) names, the \(names == [wanted] ? "right" : "wrong") one")
        },
        Scenario(
            id: "no-post-handshake-authentication",
            title: "A client that was not told to allow it cannot be asked for its certificate after the handshake",
            group: .clientCertificates, references: ["RFC 8446 section 4.6.2"], engineRows: [39], versions: [.tls1_3],
            sides: .one,
            expectation: .equal(client: "does not offer it")
        ) { cell throws(SslSocketError) in
            let pipe: MemoryPipe
            do throws(StartFailure) { pipe = try Plan().pipe(cell) } catch { return try error.outcome() }
            pipe.client.work()
            let hello = FlightReader(pipe.client.takeOutput())
            return ScenarioOutcome(client: hello.extensionTypes.contains(49) ? "offers it" : "does not offer it")
        },
    ]
}
