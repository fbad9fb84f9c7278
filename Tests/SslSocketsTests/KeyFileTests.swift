internal import SslBackend
@testable internal import SslSockets
internal import SslTestKit
internal import SslValues
internal import Testing

/// The forms that key files have, on every backend.
@Suite struct KeyFileTests {
    static let backends = SslBackends.available

    // MARK: Old encrypted PEM

    @Test("Keys encrypted in the old way open, whichever cipher", arguments: backends, LegacyKeys.all)
    func legacyForms(_ backend: String, _ file: LegacyKeys.File) throws {
        let key = try SslKey(Array(file.pem.utf8), passphrase: "secret", backend: backend)
        #expect(try key == SslKey(Array(LegacyKeys.plain.utf8), backend: backend))
        #expect(key.algorithm == .ec && key.length == 256 && key.type == .privateKey)
    }

    @Test("A wrong or missing passphrase is told as such, and damage as damage", arguments: backends, LegacyKeys.all)
    func legacyFailures(_ backend: String, _ file: LegacyKeys.File) {
        // None of these leaves anything that parses.
        for passphrase in [nil, "", "Secret", "secret "] {
            #expect(code { _ = try SslKey(Array(file.pem.utf8), passphrase: passphrase, backend: backend) } == .wrongPassphrase)
        }
        let lines = file.pem.split(separator: "\n", omittingEmptySubsequences: false)
        let cut = (lines.prefix(4) + lines.suffix(1)).joined(separator: "\n")
        let withoutVector = file.pem.replacing(#/,[0-9A-F]+/#, with: "")
        let shortVector = file.pem.replacing(#/,[0-9A-F]{2}/#, with: ",")
        let noCipher = file.pem.replacing(#/DEK-Info.*/#, with: "X: y")
        for (text, expected) in [
            (cut, SslSocketError.Code.invalidUserData), (withoutVector, .invalidUserData), (shortVector, .invalidUserData),
            (noCipher, .invalidUserData),
            (file.pem.replacing(#/DEK-Info: [^,]*/#, with: "DEK-Info: BF-CBC"), .unsupportedOperation),
        ] {
            #expect(code { _ = try SslKey(Array(text.utf8), passphrase: "secret", backend: backend) } == expected, "\(text)")
        }
    }

    @Test(
        "What is written in the old way is read by every backend", arguments: backends,
        [SslKeyEncryption.legacyTripleDes, .legacyAes128, .legacyAes256])
    func legacyRoundTrip(_ backend: String, _ encryption: SslKeyEncryption) throws {
        for kind: SslKeyKind in [.rsa(bits: 2048), .ec(.secp256r1), .ec(.secp521r1)] {
            let key = try SslKey.generate(kind, backend: backend)
            let text = try key.pem(passphrase: passphrase("open sesame"), encryption: encryption)
            #expect(text.contains("Proc-Type: 4,ENCRYPTED"))
            for reader in Self.backends {
                #expect(
                    try SslKey(Array(text.utf8), passphrase: "open sesame", backend: reader).publicKeyInfo == key.publicKeyInfo)
                #expect(code { _ = try SslKey(Array(text.utf8), passphrase: "open sesam", backend: reader) } == .wrongPassphrase)
            }
        }
        let young = try SslKey.generate(.ed25519, backend: backend)
        #expect(code { _ = try young.pem(passphrase: passphrase("x"), encryption: encryption) } == .unsupportedOperation)
    }

    // MARK: PKCS#8

    @Test(
        "Encrypted PKCS#8 is read by every backend", arguments: backends,
        [SslKeyKind.rsa(bits: 2048), .ec(.secp384r1), .ed25519, .ed448])
    func pkcs8(_ backend: String, _ kind: SslKeyKind) throws {
        let key = try SslKey.generate(kind, backend: backend)
        let text = try key.pem(passphrase: passphrase("p\u{e4}ss"))
        let der = try key.der(passphrase: passphrase("p\u{e4}ss"))
        #expect(text.hasPrefix("-----BEGIN ENCRYPTED PRIVATE KEY-----"))
        for reader in Self.backends {
            #expect(try SslKey(Array(text.utf8), passphrase: "p\u{e4}ss", backend: reader).publicKeyInfo == key.publicKeyInfo)
            #expect(try SslKey(der, format: .der, passphrase: "p\u{e4}ss", backend: reader).publicKeyInfo == key.publicKeyInfo)
            #expect(code { _ = try SslKey(der, format: .der, passphrase: "pass", backend: reader) } == .wrongPassphrase)
            #expect(code { _ = try SslKey(der, format: .der, backend: reader) } == .wrongPassphrase)
            #expect(
                code { _ = try SslKey(Array(der.dropLast()), format: .der, passphrase: "p\u{e4}ss", backend: reader) }
                    == .invalidUserData)
        }
    }

    @Test("An empty passphrase encrypts nothing, and a public key neither", arguments: backends)
    func nothingToSeal(_ backend: String) throws {
        let key = try SslKey.generate(.ec(.secp256r1), backend: backend)
        #expect(code { _ = try key.pem(passphrase: passphrase("")) } == .invalidUserData)
        #expect(code { _ = try key.der(passphrase: passphrase("")) } == .invalidUserData)
        #expect(code { _ = try key.publicKey.pem(passphrase: passphrase("x")) } == .operation)
    }

    @Test("The passphrase is asked for once, and only for a key that needs it", arguments: backends)
    func asking(_ backend: String) throws {
        var asked = 0
        let plain = SecretBytes(Array(LegacyKeys.plain.utf8))
        _ = try SslKey(plain, backend: backend) {
            asked += 1
            return nil
        }
        #expect(asked == 0)
        let sealed = SecretBytes(Array(LegacyKeys.all[4].pem.utf8))
        let key = try SslKey(sealed, backend: backend) {
            asked += 1
            return passphrase("secret")
        }
        #expect(try asked == 1 && key == SslKey(plain, backend: backend))
        #expect(
            code {
                _ = try SslKey(sealed, backend: backend) {
                    asked += 1
                    return nil
                }
            } == .wrongPassphrase)
        #expect(asked == 2)
    }

    @Test("Damage anywhere in an encrypted key is an error and no crash", arguments: backends)
    func damagedKeys(_ backend: String) throws {
        let key = try SslKey(Array(LegacyKeys.plain.utf8), backend: backend)
        // Few rounds of key derivation make many attempts cheap: the key comes from a file.
        let der = try #require(Array(pemContent: LegacyKeys.encryptedPkcs8))
        #expect(try SslKey(der, format: .der, passphrase: "secret", backend: backend).algorithm == key.algorithm)
        for index in der.indices {
            for flip: UInt8 in [0x01, 0x80, 0xFF] {
                var damaged = der
                damaged[index] ^= flip
                // Nearly all are refused; what still opens is a key, in a ciphertext that says the same.
                _ = code { _ = try SslKey(damaged, format: .der, passphrase: "secret", backend: backend) }
            }
            _ = code { _ = try SslKey(Array(der[..<index]), format: .der, passphrase: "secret", backend: backend) }
        }
    }

    // MARK: Public keys

    @Test("Public keys are read from both forms, and are no private keys", arguments: backends)
    func publicKeys(_ backend: String) throws {
        for kind: SslKeyKind in [.rsa(bits: 2048), .ec(.secp256r1), .ed25519] {
            let key = try SslKey.generate(kind, backend: backend)
            let open = try SslKey(publicKey: Array(key.publicKey.pem.utf8), backend: backend)
            #expect(open == key.publicKey && open != key && open.type == .publicKey)
            #expect(open.algorithm == key.algorithm && open.length == key.length)
            let octets = unsafe open.der.withBytes { unsafe [UInt8]($0) }
            #expect(octets == key.publicKeyInfo)
            #expect(try SslKey(publicKey: octets, format: .der, backend: backend) == open)
            #expect(
                code { _ = try SslKey(publicKey: Array(octets.dropLast()), format: .der, backend: backend) } == .invalidUserData)
            #expect(code { _ = try SslKey(publicKey: octets + [0], format: .der, backend: backend) } == .invalidUserData)
            #expect(!"\(key)".contains("MI") && "\(key)".contains("private") && "\(open)".contains("public"))
        }
        #expect(code { _ = try SslKey(publicKey: Array(LegacyKeys.plain.utf8), backend: backend) } == .invalidUserData)
        let certificate = try SslCertificate(der: TestCertificates.shared().identity(.valid).chain[0], backend: backend)
        #expect(certificate.publicKey.type == .publicKey && certificate.publicKey.publicKeyInfo == certificate.publicKeyInfo)
    }

    @Test("A public key, or that of another certificate, is refused before any connection", arguments: backends)
    func unfitKeys(_ backend: String) throws {
        let identity = try TestCertificates.shared().identity(.valid)
        var configuration = SslConfiguration()
        configuration.backend = backend
        configuration.localCertificateChain = try identity.chain.map { der throws(SslSocketError) in try SslCertificate(der: der)
        }
        configuration.privateKey = identity.key.publicKey
        #expect(code { try configuration.validate(for: .server) } == .invalidUserData)
        configuration.privateKey = try SslKey.generate(.ec(.secp256r1), backend: backend)
        #expect(code { try configuration.validate(for: .server) } == .keyMismatch)
        configuration.privateKey = identity.key
        try configuration.validate(for: .server)
    }

    // MARK: PKCS#12

    @Test("A PKCS#12 file of one backend is read by every other", arguments: backends)
    func bundles(_ backend: String) throws {
        let identity = try TestCertificates.shared().identity(.valid)
        let chain = try identity.chain.map { der throws(SslSocketError) in try SslCertificate(der: der, backend: backend) }
        let root = try SslCertificate(der: identity.anchors[0], backend: backend)
        let bundle = SslKeyBundle(key: identity.key, certificateChain: chain, otherCertificates: [root])
        let file = try bundle.pkcs12(passphrase: passphrase("geheim"), name: "a server", backend: backend)
        for reader in Self.backends {
            let read = try SslKeyBundle(pkcs12: SecretBytes(file), passphrase: passphrase("geheim"), backend: reader)
            #expect(read.key?.publicKeyInfo == identity.key.publicKeyInfo)
            #expect(read.certificateChain.prefix(chain.count).elementsEqual(chain))
            #expect(read.certificateChain.contains(root) || read.otherCertificates.contains(root))
            #expect(read.credentials.chain.first == chain.first)
            #expect(
                code { _ = try SslKeyBundle(pkcs12: SecretBytes(file), passphrase: passphrase("Geheim"), backend: reader) }
                    == .wrongPassphrase)
            #expect(
                code {
                    _ = try SslKeyBundle(
                        pkcs12: SecretBytes(Array(file.dropLast(3))), passphrase: passphrase("geheim"), backend: reader)
                } == .invalidUserData)
        }
        #expect(
            code {
                let other = SslKeyBundle(key: try SslKey.generate(.ed25519), certificateChain: chain)
                _ = try other.pkcs12(passphrase: passphrase("x"), backend: backend)
            } == .keyMismatch)
    }

    @Test("Damage anywhere in a PKCS#12 file is an error and no crash", arguments: backends)
    func damagedBundles(_ backend: String) throws {
        let identity = try TestCertificates.shared().identity(.valid)
        let chain = try identity.chain.prefix(1).map { der throws(SslSocketError) in
            try SslCertificate(der: der, backend: backend)
        }
        let file = try SslKeyBundle(key: identity.key, certificateChain: chain).pkcs12(
            passphrase: passphrase("x"), backend: backend)
        for index in stride(from: 0, to: file.count, by: 41) {
            var damaged = file
            damaged[index] ^= 0xFF
            _ = code { _ = try SslKeyBundle(pkcs12: SecretBytes(damaged), passphrase: passphrase("x"), backend: backend) }
        }
    }

    // MARK: Support

    private func passphrase(_ text: String) -> SecretBytes { SecretBytes(Array(text.utf8)) }

    /// The code of the error; nil when there is none.
    private func code(_ body: () throws -> Void) -> SslSocketError.Code? {
        do {
            try body()
            return nil
        } catch let error as SslSocketError {
            return error.code
        } catch {
            Issue.record(error)
            return nil
        }
    }
}

/// One key on P-256, encrypted by the command openssl in every way it ever used. It protects nothing: everybody knows its passphrase, "secret".
enum LegacyKeys {
    struct File: Sendable, CustomTestStringConvertible {
        let cipher: String
        let pem: String
        var testDescription: String { cipher }
    }

    static let plain = """
        -----BEGIN EC PRIVATE KEY-----
        MHcCAQEEIAT8B17g08AdPoFLwHGAoIP+BaXdQMjwtM/kA7KT0YcToAoGCCqGSM49
        AwEHoUQDQgAEjSSzEXh0vFJOiLSQTAfhBLrrL7xPoAcWcXtFnhz8pSsMkgHTwE0P
        DXtEZD0CtH7x9hhxNUXWtfF7JYLVH0+Mzw==
        -----END EC PRIVATE KEY-----

        """

    static let encryptedPkcs8 = """
        -----BEGIN ENCRYPTED PRIVATE KEY-----
        MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgU6BNTi9fphgICA+gw
        DAYIKoZIhvcNAgkFADAdBglghkgBZQMEAQIEEPHbN7iNfDVpLxQTgEImliEEgZDq
        20qmjJfM4Qjh0cO8gXm5GtjX8SNr/QKMpcuaHgu3xgyvCx9GiULVy0R2IAKLywt8
        1av21kbISBntiS93Dgoa7u0POXZ8r5uug7m/lLU63uqFaO59j2/T+9uVl9il09HJ
        F+Z5uUDz72ysnOosc9YFMtEkBEfHb3KNXcpu84ZVwN1w5ZN4KaeYiL0WFL3EJko=
        -----END ENCRYPTED PRIVATE KEY-----

        """

    static let all: [File] = [
        File(
            cipher: "DES",
            pem: """
                -----BEGIN EC PRIVATE KEY-----
                Proc-Type: 4,ENCRYPTED
                DEK-Info: DES-CBC,8107C8C94D7C96F4

                rUwuRg9Vso+FmXojF3HiDSuNb7EgjB2VOtbizPpeOYzzHeFS2j1lWv4ZYSu93OHj
                Mki+kCabVeJK4+LQCdV5XKPfWVFXZ3HdGCL5vS9KpnMb1frMKzY0XaUgCuDHTsCB
                dH3fTL0CojwNlJRqS6wMWTojt9C+miKh7uW1LTVrCPI=
                -----END EC PRIVATE KEY-----

                """),
        File(
            cipher: "3DES",
            pem: """
                -----BEGIN EC PRIVATE KEY-----
                Proc-Type: 4,ENCRYPTED
                DEK-Info: DES-EDE3-CBC,201580987023D7DA

                bKqPwIU5phTvTTL3AmoDCM/fa0vJGskBMBgBHZP7n9ki1WMynXZejeAuH/EZAFf3
                U0RRSE/h6x/JfXS6g61mYxyo6/jkam6sUxOPsvm+kX/G3re6QlWDr9MdpN/vXHuB
                BSJmj/M6JP29y68mgNSaC+FuNwSY/nIfvSGkr8FLcWE=
                -----END EC PRIVATE KEY-----

                """),
        File(
            cipher: "AES-128",
            pem: """
                -----BEGIN EC PRIVATE KEY-----
                Proc-Type: 4,ENCRYPTED
                DEK-Info: AES-128-CBC,60604403005B6880A832DC4516F211DB

                F3WHk1fZEAEag38xLLIRnXLCIgOMDpJ3MUphXxDBrx9HBY5PiZZabIUZbmW/LCYI
                HUqY6xyoYAKVyo58y8Sf7qoKDwOkj1FLGEQpSwEG3kCD+bcSqUuM2PT/vvto3iJr
                snU+ko6IUQGA9j4V/kr813eDbImS0wJKLKGGckQL0k0=
                -----END EC PRIVATE KEY-----

                """),
        File(
            cipher: "AES-192",
            pem: """
                -----BEGIN EC PRIVATE KEY-----
                Proc-Type: 4,ENCRYPTED
                DEK-Info: AES-192-CBC,9128FCDD067C92658633CA8E1AD6F1F4

                Oi5j6UONN1+v05ZsZtXRXlBPKSCtX9Ub2ykm8c5ALIrR6DlnpyQwgFAPGqYm1tYg
                Tllp0kJhozKR23SOFJcsneoiOxBc5cPKXqxT2k3w3Yx4lA+oXpGNfZWBYQK1b0qt
                0RZiQKGVfe5LOy7/txgRdGK/WNTF1U0eeUguGQVcjsw=
                -----END EC PRIVATE KEY-----

                """),
        File(
            cipher: "AES-256",
            pem: """
                -----BEGIN EC PRIVATE KEY-----
                Proc-Type: 4,ENCRYPTED
                DEK-Info: AES-256-CBC,1E13A7B2AEAF2E47A12A7952555A984D

                VzxaPKl3Veu3JBSR1CJmskP5BbV17ynNDgiSsdXEMblZt2FBgjvBMnkVsArFBYqN
                PbknOGUoczDopwnCfz1Oro/AsaQvZh0s5LYUkXhzMZRgB97eO+KUNw0V7SyEeIm8
                ukQI1C9pfNGRc27k8qKySMg8ZysvQJ/yFHTIok6el4s=
                -----END EC PRIVATE KEY-----

                """),
        File(
            cipher: "RC2",
            pem: """
                -----BEGIN EC PRIVATE KEY-----
                Proc-Type: 4,ENCRYPTED
                DEK-Info: RC2-CBC,A9E45EC6D13BDE9E

                TKhNAMvCT1PjCOxtsFLDjA/EIyQox7Q2cMLLqNU0hJUbmyPGlz0bLz+z585OGWQs
                5uqITMZb5SRduo643bsqT7QftWQah1Q+JiRVMD5QsRHsiV17Ba7VblGFWbDmQwAw
                FfkV4SkhvvFqNYc57oEQFy4QgbNIZ7eC+eWmsG4S9cc=
                -----END EC PRIVATE KEY-----

                """),
        File(
            cipher: "RC2-64",
            pem: """
                -----BEGIN EC PRIVATE KEY-----
                Proc-Type: 4,ENCRYPTED
                DEK-Info: RC2-64-CBC,45FB6839439EEACF

                1dF77OWGDNeHd+xQVsWCtTSOpD8H/5Q0x6MFJVkIgxG90qVErtmAmB78oLyWJSZd
                uyNgkSLg5i6AifUh1Dgl49h4rgVxtfM+zFPbk/ZfvISJPbv7Wra0S99y9R2LGsUW
                OxDcHnhVG72pesUaYSIaHCTubj3HJubwnhoku/KGaxA=
                -----END EC PRIVATE KEY-----

                """),
        File(
            cipher: "RC2-40",
            pem: """
                -----BEGIN EC PRIVATE KEY-----
                Proc-Type: 4,ENCRYPTED
                DEK-Info: RC2-40-CBC,E3BC6BD13B2B60EF

                krU+eEuwH26vup8BdO7AB9ii3rga4B7CsN5oc2eNuQzt/4yLDLf3C6BL5EkmbmDq
                49USiaLN3330miZFleCvcgHCv+3fOHDeaAnHT66fl/QS638kFNAFHoBGPYwELTSV
                9jOshPLlmHFtBpPUpXHPOUfzXbyVaMhGkuZ534Mf5xc=
                -----END EC PRIVATE KEY-----

                """),
    ]
}

extension [UInt8] {
    /// What a PEM text without headers holds.
    fileprivate init?(pemContent text: String) {
        guard let block = try? Pem.blocks(in: [UInt8](text.utf8), labels: ["ENCRYPTED PRIVATE KEY"]).first else { return nil }
        self = block.der
    }
}
