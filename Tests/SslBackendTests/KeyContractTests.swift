internal import SslBackend
internal import SslSockets
internal import SslTestKit
internal import Testing

/// Keys as the contract wants them, on every backend.
@Suite("Keys of a backend")
struct KeyContractTests {
    static let kinds: [SslKeyKind] = [.rsa(bits: 2048), .ec(.secp256r1), .ec(.secp384r1), .ec(.secp521r1), .ed25519, .ed448]

    @Test("A key survives PKCS#8, and every other backend reads it", arguments: BackendUnderTest.all, kinds)
    func roundTrip(_ one: BackendUnderTest, _ kind: SslKeyKind) throws {
        let key = try one.backend.generateKey(kind)
        #expect(key.backend === one.backend)
        let secret = try key.pkcs8()
        for other in BackendUnderTest.all {
            let read = try other.backend.makePrivateKey(secret, format: .der, passphrase: nil)
            #expect(read.publicKeyInfo == key.publicKeyInfo, "\(other.testDescription)")
            #expect(read.algorithm == key.algorithm, "\(other.testDescription)")
            #expect(read.bits == key.bits, "\(other.testDescription)")
        }
    }

    @Test("Two generated keys differ", arguments: BackendUnderTest.all)
    func fresh(_ one: BackendUnderTest) throws {
        #expect(
            try one.backend.generateKey(.ec(.secp256r1)).publicKeyInfo != one.backend.generateKey(.ec(.secp256r1)).publicKeyInfo)
    }

    @Test("Keys that are too small, or on a curve that signs nothing, are not generated", arguments: BackendUnderTest.all)
    func refusedKinds(_ one: BackendUnderTest) {
        for kind: SslKeyKind in [
            .rsa(bits: 1024), .rsa(bits: 0), .rsa(bits: -1), .rsa(bits: 1 << 20), .ec(.x25519), .ec(.ffdhe2048),
        ] {
            #expect(errorOf { () throws(SslSocketError) in _ = try one.backend.generateKey(kind) } != nil, "\(kind)")
        }
    }

    @Test(
        "An encrypted key opens with its passphrase, and a missing or wrong one is told from damage",
        arguments: BackendUnderTest.all)
    func passphrase(_ one: BackendUnderTest) throws {
        let key = SecretBytes(Array(Self.encrypted.utf8))
        let opened = try one.backend.makePrivateKey(key, format: .pem, passphrase: SecretBytes(Array("secret".utf8)))
        #expect(opened.algorithm == .ec)
        #expect(opened.bits == 256)
        let wrong = errorOf { () throws(SslSocketError) in
            _ = try one.backend.makePrivateKey(key, format: .pem, passphrase: SecretBytes(Array("guess".utf8)))
        }
        #expect(wrong?.code == .wrongPassphrase)
        let missing = errorOf { () throws(SslSocketError) in
            _ = try one.backend.makePrivateKey(key, format: .pem, passphrase: nil)
        }
        #expect(missing?.code == .wrongPassphrase)
    }

    @Test("What is no key is refused as such", arguments: BackendUnderTest.all)
    func garbage(_ one: BackendUnderTest) throws {
        let good = try one.backend.generateKey(.ec(.secp256r1)).pkcs8()
        let octets = unsafe good.withBytes { unsafe [UInt8]($0) }
        let texts: [[UInt8]] = [
            [], [0], Array("no key at all".utf8), Array(octets.dropLast(5)), [UInt8](repeating: 0x30, count: 500),
        ]
        for text in texts {
            for format: SslEncodingFormat in [.der, .pem] {
                let error = errorOf { () throws(SslSocketError) in
                    _ = try one.backend.makePrivateKey(SecretBytes(text), format: format, passphrase: nil)
                }
                #expect(
                    error?.code == .invalidUserData, "\(text.count) octets as \(format): \(error.map { "\($0)" } ?? "accepted")")
            }
        }
    }

    @Test("Flipping any octet of a key never crashes", arguments: BackendUnderTest.all)
    func flipped(_ one: BackendUnderTest) throws {
        let good = try one.backend.generateKey(.ec(.secp256r1)).pkcs8()
        let octets = unsafe good.withBytes { unsafe [UInt8]($0) }
        for index in octets.indices {
            var damaged = octets
            damaged[index] ^= 0x55
            _ = errorOf { () throws(SslSocketError) in
                _ = try one.backend.makePrivateKey(SecretBytes(damaged), format: .der, passphrase: nil)
            }
        }
    }

    @Test("An error never holds key material or the passphrase", arguments: BackendUnderTest.all)
    func silence(_ one: BackendUnderTest) {
        let error = errorOf { () throws(SslSocketError) in
            _ = try one.backend.makePrivateKey(
                SecretBytes(Array(Self.encrypted.utf8)), format: .pem, passphrase: SecretBytes(Array("hunter2".utf8)))
        }
        #expect(error.map { !"\($0)".contains("hunter2") && !"\($0)".contains("MIH") } == true)
    }

    /// A P-256 key encrypted with AES-256-CBC under the passphrase "secret". It protects nothing, for everybody knows it.
    private static let encrypted = """
        -----BEGIN ENCRYPTED PRIVATE KEY-----
        MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAghzAFooUmFZQICCAAw
        DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEJkMW8pIDTZ5nuQ1YEJpVZQEgZB+
        2BVYsW7MW4vXQtKTxeRbv7HA0qhnsYTIREabGkz8fOlTDeY569ucqneKIKewrLog
        65GZWzs59TrBHahm+lUuxRNtoSjh0b8nSWslkuRJ3a6rVIlsBG+TwuOcf+fJ+aCQ
        d0dGR769NP7mbDoHSQW2da791SlegrV2PMwnHivuAHJU3d+hJAen4hL5blcHab8=
        -----END ENCRYPTED PRIVATE KEY-----

        """
}
