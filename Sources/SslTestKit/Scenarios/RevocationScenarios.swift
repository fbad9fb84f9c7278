internal import SslBackend
internal import SslSockets
internal import SslValues

extension ScenarioCatalogue {
    /// Revocation lists and pinned keys.
    static let revocation: [Scenario] = [
        listed("crl-good", "A list of each authority, and none names a certificate of the chain", expect: .ok) { _ in },
        listed(
            "crl-revoked-leaf", "The intermediate's list names the leaf", transports: [.memory, .blocking, .async],
            expect: refused("certificateRevoked@0", "certificate_revoked")
        ) { $0.revokesLeaf = true },
        listed(
            "crl-revoked-intermediate", "The root's list names the intermediate",
            expect: refused("certificateRevoked@1", "certificate_revoked")
        ) { $0.revokesIntermediate = true },
        listed(
            "crl-missing", "There is no list of the intermediate: the status of the leaf is unknown, which is not good",
            expect: refused("certificateStatusUnknown@0", "certificate_unknown")
        ) { $0.lower = nil },
        listed(
            "crl-expired", "The intermediate's list has expired",
            expect: refused("certificateStatusUnknown@0", "certificate_unknown")
        ) { $0.lower?.nextUpdate = SslInstant.now.adding(days: -1) },
        listed(
            "crl-not-yet-valid", "The intermediate's list is from the future",
            expect: refused("certificateStatusUnknown@0", "certificate_unknown")
        ) { $0.lower?.thisUpdate = SslInstant.now.adding(days: 1) },
        listed(
            "crl-without-end", "The intermediate's list does not say until when it holds",
            expect: refused("certificateStatusUnknown@0", "certificate_unknown")
        ) { $0.lower?.nextUpdate = nil },
        listed(
            "crl-forged", "The intermediate's list is signed with another key",
            expect: refused("certificateStatusUnknown@0", "certificate_unknown")
        ) { $0.isForged = true },
        listed(
            "crl-unknown-critical-extension", "The intermediate's list has a critical extension that nobody knows",
            expect: refused("certificateStatusUnknown@0", "certificate_unknown")
        ) { $0.lower?.extensions = [SslCertificateExtension(oid: "1.3.6.1.4.1.55738.666.1", isCritical: true, value: [5, 0])] },
        listed(
            "crl-wrong-scope", "The intermediate's list is about authorities only",
            expect: refused("certificateStatusUnknown@0", "certificate_unknown")
        ) {
            // IssuingDistributionPoint with onlyContainsCACerts [2].
            $0.lower?.extensions = [SslCertificateExtension(oid: "2.5.29.28", isCritical: true, value: [0x30, 3, 0x82, 1, 0xFF])]
        },
        listed("crl-leaf-policy", "Only the leaf needs a list", expect: .ok) {
            $0.upper = nil
            $0.policy = .leaf
        },
        listed("crl-listed-policy", "What no list covers counts as good, because the configuration says so", expect: .ok) {
            $0.upper = nil
            $0.lower = nil
            $0.policy = .listed
        },
        listed("crl-off", "Lists are not looked at, because the configuration says so", expect: .ok) {
            $0.revokesLeaf = true
            $0.policy = .off
        },
        .plan(
            "pin-fits", "The key of the intermediate is pinned", group: .chains, references: ["RFC 7469 section 2.6"], expect: .ok
        ) { plan in
            plan.client = { configuration throws(SslSocketError) in
                let certificates = try TestCertificates.shared()
                let pinned = try SslCertificate(der: certificates.intermediate.certificate, backend: configuration.backend)
                configuration.publicKeyPins = ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", pinned.publicKeyPin ?? ""]
            }
        },
        .plan(
            "pin-does-not-fit", "No key of the chain is pinned", group: .chains, references: ["RFC 7469 section 2.6"],
            expect: refused("publicKeyPinMismatch@0", "bad_certificate")
        ) { plan in
            plan.client = { configuration throws(SslSocketError) in
                configuration.publicKeyPins = ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="]
            }
        },
        .plan(
            "pin-malformed", "A pin is no digest: the configuration is refused", group: .policy,
            expect: .equal(client: "cannot start: invalidUserData", server: "-")
        ) { plan in
            plan.client = { configuration throws(SslSocketError) in configuration.publicKeyPins = ["sha256//no pin"] }
        },
    ]

    /// The lists a client is given.
    private struct Lists: Sendable {
        var upper: TestRevocationList? = TestRevocationList()
        var lower: TestRevocationList? = TestRevocationList()
        var policy = SslRevocationPolicy.automatic
        var revokesLeaf = false
        var revokesIntermediate = false
        /// The intermediate's list is signed by the root.
        var isForged = false
    }

    private static func listed(
        _ id: String, _ title: String, transports: [ScenarioTransport] = [.memory], expect: ScenarioExpectation,
        _ change: @Sendable (inout Lists) -> Void
    ) -> Scenario {
        var made = Lists()
        change(&made)
        let lists = made
        return .plan(
            id, title, group: .chains, references: ["RFC 5280 section 6.3"], rows: [16], transports: transports, expect: expect
        ) { plan in
            plan.client = { configuration throws(SslSocketError) in
                let certificates = try TestCertificates.shared()
                configuration.revocationPolicy = lists.policy
                if var upper = lists.upper {
                    if lists.revokesIntermediate {
                        upper.serialNumbers = [try CertificateFields(certificates.intermediate.certificate).serialNumber]
                    }
                    configuration.certificateRevocationLists.append(
                        try SslRevocationList(der: certificates.root.revocationList(upper)))
                }
                if var lower = lists.lower {
                    if lists.revokesLeaf {
                        let leaf = try certificates.identity(.valid).chain[0]
                        lower.serialNumbers = [try CertificateFields(leaf).serialNumber]
                    }
                    let signer = lists.isForged ? certificates.root.key : nil
                    configuration.certificateRevocationLists.append(
                        try SslRevocationList(der: certificates.intermediate.revocationList(lower, signer: signer)))
                }
            }
        }
    }
}
