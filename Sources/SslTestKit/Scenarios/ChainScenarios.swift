internal import SslValues

extension ScenarioCatalogue {
    /// Chains that lead to a trusted certificate, and the ways servers get them wrong.
    static let chains: [Scenario] = [
        .plan(
            "valid-chain", "A leaf, an intermediate, and a trusted root", group: .chains, references: ["RFC 5280 section 6"],
            rows: [1],
            transports: [.memory, .blocking, .async], expect: .ok
        ),
        .plan(
            "rsa-chain", "A leaf with an RSA key", group: .chains, references: ["RFC 8446 section 4.4.3"], rows: [1], expect: .ok
        ) { $0.identity = .rsa },
        .plan(
            "ed25519-chain", "A leaf with an Ed25519 key", group: .chains,
            references: ["RFC 8422 section 5.1.1", "RFC 8446 section 4.2.3"],
            rows: [1], expect: .ok
        ) { $0.identity = .ed25519 },
        .plan(
            "mixed-key-chain", "A P-384 leaf signed by an RSA root", group: .chains, references: ["RFC 5280 section 4.1.1.2"],
            rows: [1],
            expect: .ok
        ) { $0.identity = .p384UnderRsa },
        .plan(
            "out-of-order-chain", "The root is sent before the intermediate", group: .chains,
            references: ["RFC 8446 section 4.4.2"],
            rows: [11], expect: .ok
        ) { $0.identity = .outOfOrder },
        .plan(
            "duplicate-leaf", "The leaf is sent twice", group: .chains, references: ["RFC 8446 section 4.4.2"], rows: [11],
            expect: .ok
        ) { $0.identity = .duplicateLeaf },
        .plan(
            "unrelated-extra", "A certificate is sent that has nothing to do with the chain", group: .chains,
            references: ["RFC 8446 section 4.4.2"], rows: [11], expect: .ok
        ) { $0.identity = .unrelatedExtra },
        .plan(
            "redundant-root", "The root is sent too", group: .chains, references: ["RFC 8446 section 4.4.2"], rows: [11],
            expect: .ok
        ) { $0.identity = .redundantRoot },
        .plan(
            "long-chain", "Eight intermediates", group: .chains, references: ["RFC 5280 section 6.1"], rows: [11], expect: .ok
        ) { $0.identity = .longChain },
        .plan(
            "too-long-chain", "Eighteen intermediates: more than sixteen certificates make no path", group: .chains, rows: [11],
            expect: refused("pathLengthExceeded@15", "unknown_ca")
        ) { $0.identity = .tooLongChain },
        .plan(
            "cyclic-chain", "Two intermediates that signed each other: the search ends", group: .chains, rows: [12],
            expect: refused("unableToGetLocalIssuerCertificate@2", "unknown_ca")
        ) { $0.identity = .cycle },
        .plan(
            "cross-signed", "A new root cross-signed by an expired old one, both trusted: the path that is valid counts",
            group: .chains,
            references: ["RFC 4158 section 2.4"], rows: [10], expect: .ok
        ) { $0.identity = .crossSigned },
        .plan(
            "cross-signed-old-root", "The same, and only the expired root is trusted", group: .chains,
            references: ["RFC 5280 section 6.1.3"], rows: [10], expect: refused("certificateExpired@3", "certificate_expired")
        ) { $0.identity = .crossSignedOldRoot },
    ]

    /// Chains that nobody vouches for, and anchors that are no roots.
    static let trust: [Scenario] = [
        .plan(
            "missing-intermediate", "The server forgets its intermediate", group: .chains, references: ["RFC 8446 section 4.4.2"],
            rows: [4],
            transports: [.memory, .blocking, .async], expect: refused("unableToGetLocalIssuerCertificate@0", "unknown_ca")
        ) { $0.identity = .missingIntermediate },
        .plan(
            "self-signed", "A self-signed leaf", group: .chains, references: ["RFC 8446 section 6.2"], rows: [4],
            transports: [.memory, .blocking, .async], expect: refused("selfSignedCertificate@0", "unknown_ca")
        ) { $0.identity = .selfSigned },
        .plan(
            "untrusted-authority", "The chain ends at an authority nobody trusts", group: .chains,
            references: ["RFC 8446 section 6.2"],
            rows: [4, 18], transports: [.memory, .blocking, .async],
            expect: refused("unableToGetLocalIssuerCertificate@1", "unknown_ca")
        ) { $0.identity = .untrusted },
        .plan(
            "untrusted-root-sent", "The server sends its untrusted root", group: .chains, references: ["RFC 8446 section 6.2"],
            rows: [4],
            expect: refused("selfSignedCertificateInChain@2", "unknown_ca")
        ) { $0.identity = .untrustedWithRoot },
        .plan(
            "nothing-trusted", "The client trusts nobody at all", group: .chains, rows: [18],
            expect: refused("unableToGetLocalIssuerCertificate@1", "unknown_ca")
        ) { $0.identity = .nothingTrusted },
        .plan(
            "intermediate-anchor", "The intermediate is trusted and the root is not", group: .chains,
            references: ["RFC 5280 section 6.1.1 (d)"], rows: [9], expect: .ok
        ) { $0.identity = .intermediateAnchor },
        .plan(
            "leaf-anchor", "The server's own certificate is trusted and nothing else", group: .chains,
            references: ["RFC 5280 section 6.1.1 (d)"], rows: [9], expect: .ok
        ) { $0.identity = .leafAnchor },
    ]

    private static let weak = refused("weakAlgorithm@0", "bad_certificate")
        .except(
            ScenarioDifference(
                server: "openssl", libraries: Pins.openssl3_0, outcome: ScenarioOutcome(server: "cannot start: invalidUserData"),
                reason:
                    "At security level 2 OpenSSL does not load what no client at that level would accept. GnuTLS loads it, for it "
                    + "judges only the certificates of others.",
                morePermissive: "A server of GnuTLS shows a weak certificate; every client here refuses it."))

    /// What certificates say about time and use.
    static let constraints: [Scenario] = [
        .plan(
            "expired", "The leaf has expired", group: .chains, references: ["RFC 5280 section 6.1.3 (a) (2)"], rows: [5],
            transports: [.memory, .blocking, .async], expect: refused("certificateExpired@0", "certificate_expired")
        ) { $0.identity = .expired },
        .plan(
            "not-yet-valid", "The leaf is not valid yet", group: .chains, references: ["RFC 5280 section 6.1.3 (a) (2)"],
            rows: [5],
            expect: refused("certificateNotYetValid@0", "certificate_expired")
        ) { $0.identity = .notYetValid },
        .plan(
            "expired-intermediate", "The intermediate has expired: the problem names it, not the leaf", group: .chains,
            references: ["RFC 5280 section 6.1.3 (a) (2)"], rows: [2, 5],
            expect: refused("certificateExpired@1", "certificate_expired")
        ) { $0.identity = .expiredIntermediate },
        .plan(
            "every-problem-listed", "Expired, for another name, and of an unknown authority: all is listed, the name first",
            group: .chains,
            rows: [1, 2, 6],
            expect: refused(
                "hostNameMismatch@0 certificateExpired@0 unableToGetLocalIssuerCertificate@1", "bad_certificate")
        ) { $0.identity = .expiredWrongNameUntrusted },
        .plan(
            "client-certificate-as-server", "The extended key usage allows clients only", group: .chains,
            references: ["RFC 5280 section 4.2.1.12"], rows: [7], expect: refused("invalidPurpose@0", "unsupported_certificate")
        ) { $0.identity = .clientOnly },
        .plan(
            "any-extended-key-usage", "anyExtendedKeyUsage allows everything", group: .chains,
            references: ["RFC 5280 section 4.2.1.12"],
            rows: [8], expect: .ok
        ) { $0.identity = .anyUsage },
        .plan(
            "key-usage", "The leaf's key may sign certificates and nothing else: the server finds that it cannot use it",
            group: .chains,
            references: ["RFC 5280 section 4.2.1.3", "RFC 8446 section 4.4.2.2"], rows: [7],
            expect: .equal(client: "alertReceived, got handshake_failure", server: "handshakeFailed, sent handshake_failure")
                .except(
                    ScenarioDifference(
                        client: "gnutls", server: "openssl", versions: [.tls1_3], libraries: Pins.both,
                        outcome: ScenarioOutcome(
                            client: "handshakeFailed, sent internal_error", server: "alertReceived, got internal_error"),
                        reason:
                            "In TLS 1.3 OpenSSL does not look at the key usage of its own certificate, RFC 8446 section 4.4.2.2 "
                            + "notwithstanding. GnuTLS, as the client, finds the violation by itself and names no better alert.",
                        morePermissive: "The server shows what it should not; the client refuses it."),
                    ScenarioDifference(
                        client: "openssl", server: "openssl", versions: [.tls1_3], libraries: Pins.openssl3_0,
                        outcome: ScenarioOutcome(
                            client: "peerVerificationFailed [invalidPurpose@0], sent unsupported_certificate",
                            server: "alertReceived, got unsupported_certificate"),
                        reason:
                            "In TLS 1.3 OpenSSL does not look at the key usage of its own certificate, RFC 8446 section 4.4.2.2 "
                            + "notwithstanding. The verification above the engines refuses it at the client.",
                        morePermissive: "The server shows what it should not; the client refuses it."))
        ) { $0.identity = .certificateSigningOnly },
        .plan(
            "issuer-not-authority", "The issuer's basic constraints say that it is no CA", group: .chains,
            references: ["RFC 5280 section 6.1.4 (k)"], rows: [13], expect: refused("invalidCaCertificate@1", "unknown_ca")
        ) { $0.identity = .issuerNotAuthority },
        .plan(
            "issuer-cannot-sign", "The issuer's key usage lacks keyCertSign", group: .chains,
            references: ["RFC 5280 section 6.1.4 (n)"],
            rows: [13], expect: refused("invalidCaCertificate@1", "unknown_ca")
        ) { $0.identity = .issuerCannotSign },
        .plan(
            "path-length", "An intermediate below one that allows none", group: .chains,
            references: ["RFC 5280 section 6.1.4 (l)"],
            rows: [13], expect: refused("pathLengthExceeded@2", "unknown_ca")
        ) { $0.identity = .pathLength },
        .plan(
            "name-constraint", "The intermediate is constrained to another domain", group: .chains,
            references: ["RFC 5280 section 4.2.1.10"], rows: [13], expect: refused("nameConstraintViolation@0", "bad_certificate")
        ) { $0.identity = .nameConstraint },
        .plan(
            "sha1-signature", "The leaf is signed with SHA-1", group: .chains, references: ["RFC 9155 section 3"], rows: [14],
            expect: weak
        ) { $0.identity = .sha1 },
        .plan(
            "rsa-1024", "The leaf's RSA key has 1024 bits", group: .chains, references: ["RFC 9325 section 4.5"], rows: [15],
            expect: weak
        ) { $0.identity = .weakKey },
    ]
}
