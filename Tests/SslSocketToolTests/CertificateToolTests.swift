internal import Glibc
internal import SslSockets
internal import TestProcesses
internal import Testing

/// `cert make`, `cert csr` and `cert inspect`: what is made is judged by `cert verify` and by the library.
@Suite struct CertificateToolTests {
    private func run(_ arguments: [String]) async throws -> ProcessResult {
        let result = try await Tool.run(["cert"] + arguments)
        try #require(result.status == 0, "\(arguments): \(result)")
        return result
    }

    private func mode(_ path: String) -> mode_t {
        var facts = stat()
        return unsafe stat(path, &facts) == 0 ? facts.st_mode & 0o777 : 0
    }

    @Test(arguments: Tool.backends, ["rsa:2048", "p256", "p384", "p521", "ed25519", "ed448"])
    func anAuthorityAndAServer(_ backend: String, _ kind: String) async throws {
        let folder = try ScratchFolder()
        let ca = folder.file("ca.pem")
        let caKey = folder.file("ca.key")
        let leaf = folder.file("leaf.pem")
        _ = try await run([
            "make", "--ca", "--subject", "C=DE, O=Example, CN=My CA", "--path-length", "0", "--key-kind", kind, "--key-out",
            caKey,
            "--out", ca, "--backend", backend,
        ])
        #expect(mode(caKey) == 0o600)
        let made = try await run([
            "make", "--name", "www.example.test", "--name", "192.0.2.1", "--days", "5", "--issuer", ca, "--issuer-key", caKey,
            "--key-kind", kind, "--key-out", folder.file("leaf.key"), "--out", leaf, "--backend", backend, "--json",
        ])
        #expect(try JsonSchema(named: "certificates").problems(with: made.output) == [])
        let facts = try #require(try JsonValue(made.output)["certificates"]?.elements.first)
        #expect(facts["names"]?.elements.compactMap(\.text) == ["DNS:www.example.test", "IP:192.0.2.1"])
        #expect(facts["issuer"]?.text == "C=DE, O=Example, CN=My CA" && facts["isSelfSigned"] == .boolean(false))
        #expect(
            facts["extensions"]?.elements.compactMap { $0["name"]?.text } == [
                "basicConstraints", "keyUsage", "extendedKeyUsage", "subjectAltName", "subjectKeyIdentifier",
                "authorityKeyIdentifier",
            ])
        #expect(
            facts["extensions"]?.elements.map { $0["content"]?.elements.compactMap(\.text) ?? [] }.prefix(3)
                == [["no authority"], ["digitalSignature"], ["server"]])
        let verdict = try await run([
            "verify", "--roots", ca, "--leaf", leaf, "--name", "dns:www.example.test", "--profile", "rfc5280", "--backend",
            backend,
        ])
        #expect(verdict.text == "ACCEPT\n")
        let key = try SslKey(fromFile: folder.file("leaf.key"), backend: backend)
        let certificate = try SslCertificate.certificates(fromFile: leaf, backend: backend)[0]
        #expect(certificate.publicKey == key.publicKey)
        // A key that is there already is somebody's.
        let again = try await Tool.run(["cert", "make", "--name", "a.test", "--key-out", caKey, "--out", folder.file("x.pem")])
        #expect(again.status == 66 && again.errorText.contains("ca.key"))
        #expect(try SslKey(fromFile: caKey, backend: backend).algorithm == key.algorithm)
    }

    @Test(arguments: Tool.backends) func aSelfSignedCertificateAndItsInspection(_ backend: String) async throws {
        let folder = try ScratchFolder()
        let file = folder.file("self.pem")
        try folder.write("a passphrase\n", to: "passphrase")
        let printed = try await run([
            "make", "--client", "--name", "Alice", "--key-out", folder.file("self.key"), "--passphrase-file",
            folder.file("passphrase"), "--backend", backend,
        ])
        try folder.write(printed.output, to: "self.pem")
        let certificate = try SslCertificate.certificates(fromFile: file, backend: backend)[0]
        #expect(certificate.isSelfSigned && certificate.subjectDisplayName == "Alice")
        #expect(throws: SslSocketError(.wrongPassphrase, "")) { try SslKey(fromFile: folder.file("self.key"), backend: backend) }
        #expect(
            try SslKey(fromFile: folder.file("self.key"), passphrase: "a passphrase", backend: backend).publicKey
                == certificate.publicKey)

        let text = try await run(["inspect", file, "--backend", backend]).text
        #expect(text.contains("keyUsage (critical): digitalSignature\n") && text.contains("extendedKeyUsage: client\n"))
        #expect(text.contains("basicConstraints (critical): no authority\n"))
        let json = try await run(["inspect", file, "--json", "--backend", backend])
        #expect(try JsonSchema(named: "certificates").problems(with: json.output) == [])
        let one = try #require(try JsonValue(json.output)["certificates"]?.elements.first)
        #expect(one["version"] == .number(3) && one["isSelfSigned"] == .boolean(true))
        #expect(one["signatureAlgorithm"]?.text == "1.2.840.10045.4.3.2")
    }

    @Test(arguments: Tool.backends) func aRequestAndItsAnswer(_ backend: String) async throws {
        let folder = try ScratchFolder()
        let request = folder.file("www.csr")
        let made = try await run([
            "csr", "--name", "www.example.test", "--subject", "O=Example, CN=www", "--key-kind", "ed25519", "--key-out",
            folder.file("www.key"), "--out", request, "--backend", backend,
        ])
        #expect(made.text.hasPrefix("O=Example, CN=www (ed25519 256), signed with its own key\n"))
        #expect(mode(folder.file("www.key")) == 0o600)
        let shown = try await run(["csr", request, "--json", "--backend", backend])
        #expect(try JsonSchema(named: "request").problems(with: shown.output) == [])
        #expect(try JsonValue(shown.output)["names"]?.elements.compactMap(\.text) == ["DNS:www.example.test"])
        _ = try await run([
            "make", "--ca", "--name", "CA", "--key-out", folder.file("ca.key"), "--out", folder.file("ca.pem"),
        ])
        _ = try await run([
            "make", "--request", request, "--issuer", folder.file("ca.pem"), "--issuer-key", folder.file("ca.key"), "--out",
            folder.file("www.pem"), "--backend", backend,
        ])
        let verdict = try await run([
            "verify", "--roots", folder.file("ca.pem"), "--leaf", folder.file("www.pem"), "--name", "dns:www.example.test",
        ])
        #expect(verdict.text == "ACCEPT\n")

        var damaged = try #require(folder.read("www.csr"))
        damaged[damaged.count / 2] ^= 1
        try folder.write(damaged, to: "damaged.csr")
        #expect(try await Tool.run(["cert", "csr", folder.file("damaged.csr"), "--backend", backend]).status == 66)
    }

    @Test func whatDoesNotFitTogetherIsWrongUsage() async throws {
        for arguments in [
            ["make"], ["make", "--name", "a.test"], ["make", "--name", "a.test", "--key", "a", "--key-out", "b"],
            ["make", "--name", "a.test", "--key-out", "b", "--issuer", "c"], ["make", "--ca", "--client", "--name", "a"],
            ["make", "--name", "not a host", "--key-out", "/nowhere/key"], ["make", "--request", "a.csr"],
            ["make", "--name", "a.test", "--key-out", "/nowhere/key", "--key-kind", "dsa"], ["csr"],
            ["csr", "a.csr", "--name", "a.test"], ["make", "--subject", "nonsense", "--key-out", "/nowhere/key", "--client"],
        ] {
            let result = try await Tool.run(["cert"] + arguments)
            #expect(result.status == 64, "\(arguments): \(result)")
        }
        let folder = try ScratchFolder()
        let both = folder.file("both.pem")
        let same = try await Tool.run(["cert", "make", "--name", "a.test", "--key-out", both, "--out", both])
        #expect(same.status == 64)
        #expect(unsafe access(both, F_OK) != 0)
        let unwritable = try await Tool.run(["cert", "make", "--name", "a.test", "--key-out", "/nowhere/key"])
        #expect(unwritable.status == 66)
    }
}
