internal import SslBackend
internal import SslSockets
internal import SslValues

extension ScenarioCatalogue {
    private static func dhe(_ id: String, _ title: String, _ parameters: SslDiffieHellmanParameters?) -> Scenario {
        .plan(
            id, title, group: .handshake, references: ["RFC 5246 section 7.4.3", "RFC 7919 section 4"], versions: [.tls1_2],
            expect: .equal(client: "ok DHE-RSA-AES128-GCM-SHA256 with 2048 bits", server: "ok")
        ) {
            $0.identity = .rsa
            $0.client = ciphers("DHE-RSA-AES128-GCM-SHA256")
            $0.server = { configuration throws(SslSocketError) in
                try configuration.setCiphers("DHE-RSA-AES128-GCM-SHA256")
                configuration.diffieHellmanParameters = parameters
            }
            $0.facts = { client, _ in
                ("\(client.facts.cipher?.opensslName ?? "") with \(client.facts.diffieHellmanBits ?? 0) bits", "")
            }
        }
    }

    /// The backend of a configuration has an option of that name.
    private static func takes(_ option: String, _ configuration: SslConfiguration) throws(SslSocketError) -> Bool {
        try SslBackends.resolve(configuration.backend).capabilities.backendOptions.contains(option)
    }

    /// An old version, as far as each library goes: one with a security level of its own has to be told in its own words to leave it.
    private static func old(_ version: SslVersion) -> Change {
        { configuration throws(SslSocketError) in
            if try takes("CipherString", configuration) {
                let name = version == .tls1_0 ? "TLSv1" : "TLSv1.1"
                configuration.backendConfiguration = [
                    "CipherString": "ECDHE-RSA-AES128-SHA@SECLEVEL=0", "MinProtocol": name, "MaxProtocol": name,
                ]
                configuration.protocol = .secureProtocols
            } else {
                configuration.protocol = SslProtocol(exactly: version)
                try configuration.setCiphers("ECDHE-RSA-AES128-SHA")
            }
        }
    }

    private static func old(_ id: String, _ title: String, _ version: SslVersion) -> Scenario {
        .plan(
            id, title, group: .handshake, references: ["RFC 8996"], versions: [.tls1_2], features: [.backendOptions],
            expect: .equal(client: "ok \(version)", server: "ok \(version)")
        ) {
            $0.identity = .rsa
            $0.client = old(version)
            $0.server = old(version)
            $0.facts = { client, server in (client.facts.version?.description ?? "", server.facts.version?.description ?? "") }
        }
    }

    /// What configurations can say and the wire shows.
    static let configurations: [Scenario] = [
        dhe("dhe", "A DHE suite with the group the server's backend chooses", nil),
        dhe("dhe-parameters", "A DHE suite with parameters of the server's own", .default),
        .plan(
            "any-protocol", "Both allow whatever their libraries have, and agree on the newest", group: .handshake,
            references: ["RFC 8446 section 4.2.1"], rows: [29], versions: [.tls1_3],
            expect: .equal(client: "ok TLSv1.3", server: "ok TLSv1.3")
        ) {
            $0.client = version(.anyProtocol)
            $0.server = version(.anyProtocol)
            $0.facts = { client, server in (client.facts.version?.description ?? "", server.facts.version?.description ?? "") }
        },
        old("tls-1-0-insisted", "TLS 1.0 between ends that both insist on it", .tls1_0),
        old("tls-1-1-insisted", "TLS 1.1 between ends that both insist on it", .tls1_1),
        .plan(
            "library-words", "Signature schemes set in each library's own words", group: .handshake,
            references: ["RFC 8446 section 4.2.3"], versions: [.tls1_2], features: [.backendOptions],
            expect: .equal(client: "ok rsa_pkcs1_sha512", server: "ok")
        ) {
            $0.identity = .rsa
            $0.client = { configuration throws(SslSocketError) in
                if try takes("SignatureAlgorithms", configuration) {
                    configuration.setBackendConfigurationOption("SignatureAlgorithms", "RSA+SHA512")
                } else {
                    configuration.setBackendConfigurationOption("priority", "-SIGN-ALL:+SIGN-RSA-SHA512")
                }
            }
            $0.facts = { client, _ in (client.facts.signatureScheme?.name ?? "", "") }
        },
    ]
}
