internal import SslBackend
internal import SslSockets
internal import SslValues

extension ScenarioCatalogue {
    /// Where trusted certificates and private keys come from.
    static let sources: [Scenario] = [
        .plan(
            "system-store-besides", "A certificate is trusted besides the system's", group: .chains, rows: [76],
            transports: [.memory, .blocking, .async], expect: .ok
        ) { $0.client = { configuration throws(SslSocketError) in configuration.usesSystemCaCertificates = true } },
        .plan(
            "system-store-alone", "The system does not trust the authority of the server", group: .chains, rows: [76],
            expect: refused("unableToGetLocalIssuerCertificate@1", "unknown_ca")
        ) {
            $0.client = { configuration throws(SslSocketError) in
                configuration.caCertificates = []
                configuration.usesSystemCaCertificates = true
            }
        },
        files(
            "pkcs12-credentials", "The server's credentials come from a PKCS#12 file of the client's backend", row: 73,
            references: ["RFC 7292"], expect: .ok
        ) { credentials, cell throws(SslSocketError) in
            let passphrase = SecretBytes(Array("sesame".utf8))
            let file = try SslKeyBundle(key: credentials.key, certificateChain: credentials.chain).pkcs12(
                passphrase: passphrase, backend: cell.client)
            let read = try SslKeyBundle(pkcs12: SecretBytes(file), passphrase: passphrase, backend: cell.server)
            credentials = SslCredentials(chain: read.certificateChain, key: read.key)
        },
        files(
            "pkcs12-wrong-passphrase", "The passphrase of a PKCS#12 file is wrong", row: 73, references: ["RFC 7292"],
            expect: .equal(client: "-", server: "cannot start: wrongPassphrase")
        ) { credentials, cell throws(SslSocketError) in
            let file = try SslKeyBundle(key: credentials.key, certificateChain: credentials.chain).pkcs12(
                passphrase: SecretBytes(Array("sesame".utf8)), backend: cell.client)
            _ = try SslKeyBundle(
                pkcs12: SecretBytes(file), passphrase: SecretBytes(Array("Sesame".utf8)), backend: cell.server)
        },
        files(
            "encrypted-key", "The server's key comes from an encrypted PEM of the client's backend", row: 74,
            references: ["RFC 5958 section 3"], expect: .ok
        ) { credentials, cell throws(SslSocketError) in
            let text = try written(credentials.key, by: cell.client).pem(passphrase: SecretBytes(Array("sesame".utf8)))
            credentials.key = try SslKey(Array(text.utf8), passphrase: "sesame", backend: cell.server)
        },
        files(
            "encrypted-key-wrong-passphrase", "The passphrase of an encrypted PEM is wrong", row: 74,
            references: ["RFC 5958 section 3"], expect: .equal(client: "-", server: "cannot start: wrongPassphrase")
        ) { credentials, cell throws(SslSocketError) in
            let text = try written(credentials.key, by: cell.client).pem(passphrase: SecretBytes(Array("sesame".utf8)))
            credentials.key = try SslKey(Array(text.utf8), passphrase: "Sesame", backend: cell.server)
        },
        files(
            "encrypted-key-without-passphrase", "Nobody is asked for the passphrase of an encrypted PEM", row: 74,
            references: ["RFC 5958 section 3"], expect: .equal(client: "-", server: "cannot start: wrongPassphrase")
        ) { credentials, cell throws(SslSocketError) in
            let text = try written(credentials.key, by: cell.client).pem(passphrase: SecretBytes(Array("sesame".utf8)))
            credentials.key = try SslKey(Array(text.utf8), backend: cell.server)
        },
    ]

    /// The same key in the hands of a backend.
    private static func written(_ key: SslKey?, by backend: String) throws(SslSocketError) -> SslKey {
        guard let key else { throw SslSocketError(.invalidUserData, "There is no key") }
        return try SslKey(key.der, format: .der, backend: backend)
    }

    /// A server whose credentials went through a file of the client's backend before.
    private static func files(
        _ id: String, _ title: String, row: Int, references: [String], expect: ScenarioExpectation,
        _ pass: @escaping @Sendable (inout SslCredentials, ScenarioCell) throws(SslSocketError) -> Void
    ) -> Scenario {
        Scenario(
            id: id, title: title, group: .policy, references: references, engineRows: [row], versions: [.tls1_3],
            expectation: expect
        ) { cell throws(SslSocketError) in
            var plan = Plan()
            plan.server = { configuration throws(SslSocketError) in try pass(&configuration.credentials[0], cell) }
            do throws(SslSocketError) {
                return try await plan.run(cell)
            } catch {
                return ScenarioOutcome(client: "-", server: "cannot start: \(error.code.rawValue)")
            }
        }
    }
}
