internal import SslSockets
internal import TestProcesses
internal import Testing

extension RealPeers {
    /// Keys of the command openssl that sign nothing in TLS, or not any more: they are read for what they are.
    @Suite struct OtherKeyTests {
        static let backends = SslBackends.available

        private func openssl(_ arguments: [String]) async throws {
            let result = try await ChildProcess.run(ProgramPath.find("openssl", package: "openssl"), arguments)
            try #require(result.status == 0, "openssl \(arguments.joined(separator: " ")): \(result.errorText)")
        }

        /// A private and a public key file.
        private func files(_ folder: ScratchFolder, _ arguments: [String]) async throws -> (secret: String, open: [UInt8]) {
            let secret = folder.file("key.pem")
            try await openssl(["genpkey", "-out", secret] + arguments)
            try await openssl(["pkey", "-in", secret, "-pubout", "-out", folder.file("public.pem")])
            return (secret, try #require(folder.read("public.pem")))
        }

        @Test(arguments: backends) func dsa(_ backend: String) async throws {
            let folder = try ScratchFolder()
            try await openssl([
                "genpkey", "-genparam", "-algorithm", "DSA", "-pkeyopt", "dsa_paramgen_bits:2048", "-out",
                folder.file("parameters"),
            ])
            let (secret, open) = try await files(folder, ["-paramfile", folder.file("parameters")])
            let key = try SslKey(fromFile: secret, backend: backend)
            #expect(key.algorithm == .dsa && key.length == 2048 && key.type == .privateKey)
            let half = try SslKey(publicKey: open, backend: backend)
            #expect(half == key.publicKey && half.algorithm == .dsa && half.length == 2048 && half.type == .publicKey)
            // The old form, as it is and encrypted, both ways.
            try await openssl(["dsa", "-in", secret, "-out", folder.file("old.pem")])
            #expect(try SslKey(fromFile: folder.file("old.pem"), backend: backend) == key)
            let passphrase = SecretBytes(Array("moon".utf8))
            for encryption in SslKeyEncryption.allCases {
                try folder.write(key.pem(passphrase: passphrase, encryption: encryption), to: "ours.pem")
                try await openssl([
                    "pkey", "-in", folder.file("ours.pem"), "-passin", "pass:moon", "-pubout", "-out", folder.file("again.pem"),
                ])
                #expect(folder.read("again.pem") == open, "\(encryption)")
            }
            // It signs certificates, though nothing in TLS.
            let root = try SslCertificate.selfSigned(.authority(commonName: "DSA"), key: key, backend: backend)
            #expect(root.publicKey == half && root.keyAlgorithm == .dsa && root.keyBits == 2048)
            try folder.write(root.pem, to: "root.pem")
            try await openssl(["verify", "-CAfile", folder.file("root.pem"), folder.file("root.pem")])
        }

        @Test(arguments: backends) func x25519(_ backend: String) async throws {
            let folder = try ScratchFolder()
            let (secret, open) = try await files(folder, ["-algorithm", "X25519"])
            let key = try SslKey(fromFile: secret, backend: backend)
            #expect(key.algorithm == .x25519 && key.length == 256)
            #expect(try SslKey(publicKey: open, backend: backend) == key.publicKey)
            #expect(throws: SslSocketError(.unsupportedOperation, "")) {
                try SslCertificate.selfSigned(.authority(commonName: "X"), key: key, backend: backend)
            }
            // A certificate may be issued for it.
            let signer = try SslKey.generate(.ed25519, backend: backend)
            let authority = try SslCertificateAuthority(
                certificate: .selfSigned(.authority(commonName: "Ed"), key: signer, backend: backend), key: signer,
                backend: backend)
            let leaf = try authority.issue(.client(commonName: "X"), for: key)
            #expect(leaf.keyAlgorithm == .x25519 && leaf.publicKey == key.publicKey)
        }

        @Test(arguments: backends) func diffieHellman(_ backend: String) async throws {
            let folder = try ScratchFolder()
            let (_, open) = try await files(folder, ["-algorithm", "DH", "-pkeyopt", "group:ffdhe2048"])
            let half = try SslKey(publicKey: open, backend: backend)
            #expect(half.algorithm == .dh && half.length == 2048 && half.type == .publicKey)
        }

        @Test(arguments: backends) func aKindNobodyKnows(_ backend: String) async throws {
            let folder = try ScratchFolder()
            let (_, open) = try await files(folder, ["-algorithm", "X448"])
            let half = try SslKey(publicKey: open, backend: backend)
            #expect(half.algorithm == .opaque && half.length == 0)
        }
    }
}
