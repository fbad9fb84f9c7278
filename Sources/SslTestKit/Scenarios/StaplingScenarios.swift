internal import SslBackend
internal import SslSockets
internal import SslValues

extension ScenarioCatalogue {
    /// A plan in which the server staples what `make` makes of its leaf, and the client insists on a status.
    private static func stapled(
        _ plan: inout Plan, isAsked: Bool = true,
        _ make: @escaping @Sendable (_ authority: TestAuthority, _ leaf: [UInt8]) throws(SslSocketError) -> [UInt8]?
    ) {
        plan.client = { configuration throws(SslSocketError) in configuration.ocspStaplingEnabled = isAsked }
        plan.server = { configuration throws(SslSocketError) in
            guard let leaf = configuration.localCertificate?.der,
                let staple = try make(TestCertificates.shared().intermediate, leaf)
            else { return }
            configuration.credentials[0].stapler = SslOcspStapler(unchecked: staple)
        }
    }

    private static func stapling(
        _ id: String, _ title: String, expect: ScenarioExpectation, identity: TestCertificate = .valid,
        transports: [ScenarioTransport] = [.memory],
        _ change:
            @escaping @Sendable (_ content: inout TestOcspResponse, _ authority: TestAuthority) throws(SslSocketError) -> Void
    ) -> Scenario {
        .plan(
            "ocsp-\(id)", title, group: .stapling, references: ["RFC 6960 section 3.2"], rows: [17], transports: transports,
            features: [.ocsp], expect: expect
        ) {
            $0.identity = identity
            stapled(&$0) { authority, leaf throws(SslSocketError) in
                var content = TestOcspResponse()
                try change(&content, authority)
                return try authority.ocspResponse(for: leaf, content)
            }
        }
    }

    private static func refusedStatus(_ problems: String, alert: String = "bad_certificate_status_response")
        -> ScenarioExpectation
    {
        refused(problems, alert)
    }

    /// Servers that staple the status of their certificate, and clients that insist on it.
    static let stapling: [Scenario] = [
        stapling(
            "good", "The status is good", expect: .ok, transports: [.memory, .blocking, .async]
        ) { _, _ in },
        stapling("good-sha256", "The certificate is identified by SHA-256", expect: .ok) { content, _ in content.hash = .sha256 },
        stapling("good-by-key", "The responder is named by its key", expect: .ok) { content, _ in
            content.namesResponderByKey = true
        },
        stapling("good-rsa", "An RSA server", expect: .ok, identity: .rsa) { _, _ in },
        stapling("delegated", "A delegate of the issuer signs", expect: .ok) { content, authority throws(SslSocketError) in
            content.signer = try authority.makeResponder()
        },
        stapling(
            "delegated-expired", "The delegate's certificate has expired",
            expect: refusedStatus("ocspResponseCannotBeTrusted@0")
        ) { content, authority throws(SslSocketError) in
            let now = SslInstant.now
            content.signer = try authority.makeResponder(validity: now.adding(days: -9)...now.adding(days: -2))
        },
        stapling(
            "not-delegated", "A certificate of the issuer's signs that is no responder's",
            expect: refusedStatus("ocspResponseCannotBeTrusted@0")
        ) { content, authority throws(SslSocketError) in
            content.signer = try authority.makeResponder(usages: [SslPurpose.serverAuthentication.objectIdentifier])
        },
        stapling(
            "untrusted", "Somebody unrelated signs", expect: refusedStatus("ocspResponseCannotBeTrusted@0")
        ) { content, _ throws(SslSocketError) in content.signer = try TestAuthority.makeRoot("Test Other Root") },
        stapling(
            "damaged", "The signature is wrong", expect: refusedStatus("ocspResponseCannotBeTrusted@0"),
            transports: [.memory, .blocking, .async]
        ) { content, _ in content.isDamaged = true },
        stapling(
            "revoked", "The certificate is revoked", expect: refusedStatus("certificateRevoked@0", alert: "certificate_revoked")
        ) {
            content, _ in content.status = .revoked(reason: 1)
        },
        stapling("unknown", "The responder does not know the certificate", expect: refusedStatus("ocspStatusUnknown@0")) {
            content, _ in content.status = .unknown
        },
        stapling("expired", "There should be a newer response", expect: refusedStatus("ocspResponseExpired@0")) { content, _ in
            content.thisUpdate = SslInstant.now.adding(days: -3)
            content.nextUpdate = SslInstant.now.adding(days: -2)
        },
        stapling("future", "The response is of tomorrow", expect: refusedStatus("ocspResponseExpired@0")) { content, _ in
            content.thisUpdate = SslInstant.now.adding(days: 1)
            content.nextUpdate = SslInstant.now.adding(days: 2)
        },
        stapling("try-later", "The responder had no time", expect: refusedStatus("ocspTryLater@0")) { content, _ in
            content.responseStatus = 3
        },
        stapling("two-answers", "The response has two answers", expect: refusedStatus("ocspMalformedResponse@0")) { content, _ in
            content.count = 2
        },
        stapling(
            "other-issuer", "The response is about another issuer's certificate",
            expect: refusedStatus("ocspResponseCertIdUnknown@0")
        ) {
            content, _ throws(SslSocketError) in content.issuer = try TestAuthority.makeRoot("Test Other Root")
        },
        stapling(
            "revoked-and-wrong-name", "The certificate is revoked and for another name, in this order",
            expect: refusedStatus("certificateRevoked@0 hostNameMismatch@0", alert: "certificate_revoked"), identity: .wrongName
        ) { content, _ in content.status = .revoked(reason: nil) },
        .plan(
            "ocsp-missing", "Nothing is stapled", group: .stapling, references: ["RFC 6066 section 8"], rows: [17],
            transports: [.memory, .blocking, .async], features: [.ocsp], expect: refusedStatus("ocspNoResponseFound@0")
        ) { stapled(&$0) { _, _ in nil } },
        .plan(
            "ocsp-missing-and-expired", "Nothing is stapled and the certificate has expired", group: .stapling,
            references: ["RFC 6066 section 8"], rows: [17], features: [.ocsp],
            expect: refusedStatus("ocspNoResponseFound@0 certificateExpired@0")
        ) {
            $0.identity = .expired
            stapled(&$0) { _, _ in nil }
        },
        .plan(
            "ocsp-garbage", "What is stapled is no response", group: .stapling, references: ["RFC 6960 section 4.2.1"],
            rows: [17],
            features: [.ocsp], expect: refusedStatus("ocspMalformedResponse@0")
        ) { stapled(&$0) { _, _ in [1, 2, 3] } },
        .plan(
            "ocsp-not-asked", "A client that did not ask does not look at what is stapled", group: .stapling,
            references: ["RFC 6066 section 8"], rows: [17], features: [.ocsp], expect: .ok
        ) { stapled(&$0, isAsked: false) { _, _ in [1, 2, 3] } },
        .plan(
            "ocsp-demanded-not-asked", "The certificate demands a staple, the server has none, and the client did not ask",
            group: .stapling, references: ["RFC 7633 section 4.2.2"], rows: [17], features: [.ocsp], expect: .ok
        ) { $0.identity = .mustStaple },
        .plan(
            "ocsp-demanded-missing", "The certificate demands a staple, the server has none, and the client asks",
            group: .stapling, references: ["RFC 7633 section 4.2.2"], rows: [17], features: [.ocsp],
            expect: refusedStatus("ocspNoResponseFound@0")
        ) {
            $0.identity = .mustStaple
            stapled(&$0) { _, _ in nil }
        },
        .plan(
            "ocsp-queried", "A client that only wants to know goes on", group: .stapling, references: ["RFC 6066 section 8"],
            rows: [17], features: [.ocsp], expect: accepted("ocspNoResponseFound@0")
        ) {
            stapled(&$0) { _, _ in nil }
            $0.client = { configuration throws(SslSocketError) in
                configuration.ocspStaplingEnabled = true
                configuration.peerVerifyMode = .queryPeer
            }
        },
    ]
}
