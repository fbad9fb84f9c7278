internal import SslSockets
internal import SslTestKit
internal import TestProcesses
internal import Testing

extension RealPeers {
    /// What is issued here, read and verified by the commands openssl and certtool; and a request of theirs, answered here.
    @Suite struct IssuingTests {
        static let backends = SslBackends.available
        static let kinds: [SslKeyKind] = [
            .rsa(bits: 2048), .ec(.secp256r1), .ec(.secp384r1), .ec(.secp521r1), .ed25519, .ed448,
        ]

        private func run(_ program: String, _ package: String, _ arguments: [String]) async throws -> ProcessResult {
            let result = try await ChildProcess.run(ProgramPath.find(program, package: package), arguments)
            try #require(result.status == 0, "\(program) \(arguments.joined(separator: " ")): \(result)")
            return result
        }

        private func openssl(_ arguments: [String]) async throws -> String {
            try await run("openssl", "openssl", arguments).text
        }

        private func certtool(_ arguments: [String]) async throws -> String {
            try await run("certtool", "gnutls-bin", arguments).text
        }

        private func authority(_ kind: SslKeyKind, _ backend: String) throws -> SslCertificateAuthority {
            let key = try SslKey.generate(kind, backend: backend)
            return try SslCertificateAuthority(
                certificate: .selfSigned(.authority(commonName: "Issuing Root"), key: key, backend: backend), key: key,
                backend: backend)
        }

        @Test(arguments: backends, kinds) func chainsAndLists(_ backend: String, _ kind: SslKeyKind) async throws {
            let folder = try ScratchFolder()
            let root = try authority(kind, backend)
            let middleKey = try SslKey.generate(.ec(.secp256r1), backend: backend)
            let middle = try SslCertificateAuthority(
                certificate: root.issue(.authority(commonName: "Issuing Middle", pathLength: 0), for: middleKey),
                key: middleKey, backend: backend)
            let leafKey = try SslKey.generate(.ec(.secp256r1), backend: backend)
            let leaf = try middle.issue(.server(names: ["www.example.test", "192.0.2.1"]), for: leafKey)
            let rootFile = try folder.write(root.certificate.pem, to: "root.pem")
            let middleFile = try folder.write(middle.certificate.pem, to: "middle.pem")
            let leafFile = try folder.write(leaf.pem, to: "leaf.pem")
            let now = SslInstant.now
            let list = try root.revocationList(
                SslRevocationListTemplate(
                    [.init(serialNumber: [9, 9], revocationDate: now, reason: .superseded)], number: 7,
                    thisUpdate: now.adding(seconds: -60), nextUpdate: now.adding(days: 2)))
            let listFile = try folder.write(list.pem, to: "root.crl")

            #expect(
                try await openssl([
                    "verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", "www.example.test", "-CAfile",
                    rootFile, "-untrusted", middleFile, leafFile,
                ]).contains(": OK"))
            #expect(
                try await openssl(["verify", "-x509_strict", "-crl_check", "-CAfile", rootFile, "-CRLfile", listFile, middleFile])
                    .contains(": OK"))
            let listText = try await openssl(["crl", "-in", listFile, "-noout", "-text", "-CAfile", rootFile])
            #expect(listText.contains("Serial Number: 0909") && listText.contains("Superseded"))

            let chain = try folder.write(leaf.pem + middle.certificate.pem + root.certificate.pem, to: "chain.pem")
            #expect(
                try await certtool([
                    "--verify", "--load-ca-certificate", rootFile, "--verify-hostname", "www.example.test", "--infile", chain,
                ]).contains("Verified. The certificate is trusted."))
            #expect(
                try await certtool(["--verify-crl", "--load-ca-certificate", rootFile, "--infile", listFile])
                    .contains("Verified."))
        }

        @Test(arguments: backends, kinds) func requestsOfOurs(_ backend: String, _ kind: SslKeyKind) async throws {
            let folder = try ScratchFolder()
            var template = try SslCertificateTemplate.server(names: ["www.example.test"])
            template.subject = [SslNameAttribute(oid: "2.5.4.6", value: "DE"), SslNameAttribute(oid: "2.5.4.10", value: "Söhne")]
            let request = try SslCertificateRequest(
                template, key: SslKey.generate(kind, backend: backend), backend: backend)
            let file = try folder.write(request.pem, to: "request.pem")
            let text = try await openssl(["req", "-in", file, "-verify", "-noout", "-text", "-nameopt", "utf8"])
            #expect(text.contains("DNS:www.example.test") && text.contains("Söhne"))
            #expect(try await certtool(["--crq-info", "--infile", file]).contains("Self signature: verified"))
        }

        @Test(
            arguments: backends,
            [["openssl", "rsa:2048"], ["openssl", "ed25519"], ["certtool", "rsa"], ["certtool", "ecdsa"]])
        func requestsOfTheirs(_ backend: String, _ maker: [String]) async throws {
            let folder = try ScratchFolder()
            let key = folder.file("key.pem")
            let request = folder.file("request.pem")
            if maker[0] == "openssl" {
                _ = try await openssl([
                    "req", "-new", "-newkey", maker[1], "-nodes", "-keyout", key, "-out", request, "-subj", "/C=DE/CN=theirs",
                    "-addext", "subjectAltName=DNS:theirs.example.test",
                ])
            } else {
                _ = try await certtool(["--generate-privkey", "--key-type", maker[1], "--outfile", key])
                let template = try folder.write(
                    "cn = theirs\ncountry = DE\ndns_name = theirs.example.test\ntls_www_server\n", to: "template")
                _ = try await certtool([
                    "--generate-request", "--load-privkey", key, "--template", template, "--outfile", request,
                ])
            }
            let read = try SslCertificateRequest(fromFile: request, backend: backend)
            #expect(read.alternativeNames == [.dns(Array("theirs.example.test".utf8))])
            #expect(read.publicKey == (try SslKey(fromFile: key, backend: backend)).publicKey)
            let root = try authority(.ec(.secp256r1), backend)
            let issued = try folder.write(root.issue(read.template(), for: read.publicKey).pem, to: "issued.pem")
            let rootFile = try folder.write(root.certificate.pem, to: "root.pem")
            #expect(
                try await openssl(["verify", "-x509_strict", "-CAfile", rootFile, issued]).contains(": OK"))
        }

        @Test(arguments: backends, kinds) func ocspResponses(_ backend: String, _ kind: SslKeyKind) async throws {
            let folder = try ScratchFolder()
            let root = try authority(kind, backend)
            let leaf = try root.issue(
                .server(names: ["www.example.test"]), for: SslKey.generate(.ec(.secp256r1), backend: backend))
            let rootFile = try folder.write(root.certificate.pem, to: "root.pem")
            let leafFile = try folder.write(leaf.pem, to: "leaf.pem")
            let response = try folder.write(root.ocspResponse(.good(leaf)), to: "response.der")
            let said = try await run(
                "openssl", "openssl",
                ["ocsp", "-respin", response, "-issuer", rootFile, "-cert", leafFile, "-CAfile", rootFile])
            #expect(said.text.contains("leaf.pem: good") && said.errorText.contains("Response verify OK"))
            let read = try await run(
                "ocsptool", "gnutls-bin",
                ["--verify-response", "--load-signer", rootFile, "--infile", response])
            #expect((read.text + read.errorText).contains("Success"))
        }
    }
}
