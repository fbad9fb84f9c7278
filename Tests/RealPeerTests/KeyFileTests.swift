internal import SslSockets
internal import SslTestKit
internal import TestProcesses
internal import Testing

extension RealPeers {
    /// Key files of the command openssl, and ours read by it.
    @Suite struct KeyFileTests {
        static let backends = SslBackends.available
        /// What makes a key of each kind.
        static let kinds = [
            ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
            ["-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"],
            ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
            ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
            ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"], ["-algorithm", "ED25519"], ["-algorithm", "ED448"],
        ]

        private func openssl(_ arguments: [String]) async throws -> ProcessResult {
            let result = try await ChildProcess.run(ProgramPath.find("openssl", package: "openssl"), arguments)
            try #require(result.status == 0, "openssl \(arguments.joined(separator: " ")): \(result.errorText)")
            return result
        }

        @Test(arguments: backends, kinds) func everyKindInEveryForm(_ backend: String, _ kind: [String]) async throws {
            let folder = try ScratchFolder()
            let plain = folder.file("plain.pem")
            _ = try await openssl(["genpkey", "-out", plain] + kind)
            let der = folder.file("key.der")
            _ = try await openssl(["pkey", "-in", plain, "-outform", "DER", "-out", der])
            let sealed = folder.file("sealed.pem")
            _ = try await openssl([
                "pkcs8", "-topk8", "-in", plain, "-v2", "aes-256-cbc", "-passout", "pass:secret", "-out", sealed,
            ])
            let old = folder.file("old.pem")
            _ = try await openssl([
                "pkcs8", "-topk8", "-in", plain, "-v1", "PBE-SHA1-3DES", "-passout", "pass:secret", "-out", old,
            ])
            let open = folder.file("public.pem")
            _ = try await openssl(["pkey", "-in", plain, "-pubout", "-out", open])

            let key = try SslKey(fromFile: plain, backend: backend)
            #expect(try SslKey(fromFile: der, format: .der, backend: backend) == key)
            #expect(try SslKey(fromFile: sealed, passphrase: "secret", backend: backend) == key)
            #expect(try SslKey(fromFile: old, passphrase: "secret", backend: backend) == key)
            let text = try #require(folder.read("public.pem"))
            #expect(try SslKey(publicKey: text, backend: backend) == key.publicKey)

            // And the way back.
            let ours = try folder.write(key.pem(passphrase: SecretBytes(Array("moon".utf8))), to: "ours.pem")
            let shown = try await openssl(["pkey", "-in", ours, "-passin", "pass:moon", "-pubout"])
            #expect(shown.text == String(decoding: text, as: UTF8.self))
        }

        @Test(arguments: backends, ["des-cbc", "des3", "aes128", "aes192", "aes256", "rc2-cbc", "rc2-64-cbc", "rc2-40-cbc"])
        func oldFormOfEachCipher(_ backend: String, _ cipher: String) async throws {
            let folder = try ScratchFolder()
            let plain = folder.file("plain.pem")
            _ = try await openssl(["genrsa", "-traditional", "-out", plain, "2048"])
            let sealed = folder.file("sealed.pem")
            _ = try await openssl([
                "rsa", "-provider", "legacy", "-provider", "default", "-traditional", "-in", plain, "-\(cipher)", "-passout",
                "pass:secret", "-out", sealed,
            ])
            let key = try SslKey(fromFile: plain, backend: backend)
            #expect(try SslKey(fromFile: sealed, passphrase: "secret", backend: backend) == key)
            for encryption: SslKeyEncryption in [.legacyTripleDes, .legacyAes128, .legacyAes256] {
                let pem = try key.pem(passphrase: SecretBytes(Array("moon".utf8)), encryption: encryption)
                let ours = try folder.write(pem, to: "ours.pem")
                _ = try await openssl(["rsa", "-in", ours, "-passin", "pass:moon", "-noout", "-check"])
            }
        }

        @Test(arguments: backends, [[], ["-legacy"], ["-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES"]])
        func bundles(_ backend: String, _ options: [String]) async throws {
            let files = try CertificateFiles(.valid)
            let folder = try ScratchFolder()
            let file = folder.file("bundle.p12")
            _ = try await openssl(
                [
                    "pkcs12", "-export", "-inkey", files.key, "-in", files.chain, "-certfile", files.anchors, "-passout",
                    "pass:secret", "-out", file, "-name", "a server",
                ] + options)
            let bundle = try SslKeyBundle(fromFile: file, passphrase: "secret", backend: backend)
            #expect(bundle.key?.publicKeyInfo == files.identity.key.publicKeyInfo)
            #expect(bundle.certificateChain.prefix(files.identity.chain.count).map(\.der) == files.identity.chain)
            #expect(throws: SslSocketError(.wrongPassphrase, "")) {
                try SslKeyBundle(fromFile: file, passphrase: "Secret", backend: backend)
            }

            let ours = try folder.write(
                bundle.pkcs12(passphrase: SecretBytes(Array("moon".utf8)), name: "a server", backend: backend), to: "ours.p12")
            let shown = try await openssl(["pkcs12", "-in", ours, "-passin", "pass:moon", "-nodes"])
            #expect(shown.text.contains("friendlyName: a server"))
            #expect(try SslKey(shown.output, backend: backend).publicKeyInfo == files.identity.key.publicKeyInfo)
            let certificates = try SslCertificate.certificates(shown.output, backend: backend).map(\.der)
            #expect(files.identity.chain.allSatisfy(certificates.contains))
        }
    }
}
