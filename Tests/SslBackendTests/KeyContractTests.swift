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
            let read = try other.backend.makePrivateKey(der: secret, passphrase: nil)
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

    @Test("What is no key is refused as such", arguments: BackendUnderTest.all)
    func garbage(_ one: BackendUnderTest) throws {
        let good = try one.backend.generateKey(.ec(.secp256r1)).pkcs8()
        let octets = unsafe good.withBytes { unsafe [UInt8]($0) }
        let texts: [[UInt8]] = [
            [], [0], Array("no key at all".utf8), Array(octets.dropLast(5)), [UInt8](repeating: 0x30, count: 500),
        ]
        for text in texts {
            let error = errorOf { () throws(SslSocketError) in
                _ = try one.backend.makePrivateKey(der: SecretBytes(text), passphrase: nil)
            }
            #expect(error?.code == .invalidUserData, "\(text.count) octets: \(error.map { "\($0)" } ?? "accepted")")
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
                _ = try one.backend.makePrivateKey(der: SecretBytes(damaged), passphrase: nil)
            }
        }
    }

    @Test("Ciphers run both ways, and refuse what is no whole block", arguments: BackendUnderTest.all, TlsBlockCipher.allCases)
    func ciphers(_ one: BackendUnderTest, _ cipher: TlsBlockCipher) throws {
        let key = SecretBytes([UInt8](1...32).prefix(cipher.keyLength).map { $0 })
        let vector = [UInt8](repeating: 7, count: cipher.blockLength)
        let text = SecretBytes([UInt8](0..<96))
        let sealed = try one.backend.runCipher(cipher, .encrypt, text, key: key, vector: vector)
        #expect(sealed != text && sealed.count == text.count)
        #expect(try one.backend.runCipher(cipher, .decrypt, sealed, key: key, vector: vector) == text)
        for other in BackendUnderTest.all {
            #expect(try other.backend.runCipher(cipher, .encrypt, text, key: key, vector: vector) == sealed)
        }
        for (octets, key, vector) in [
            (SecretBytes([UInt8](0..<95)), key, vector), (text, SecretBytes([1]), vector),
            (text, key, [UInt8](vector.dropLast())),
        ] {
            let error = errorOf { () throws(SslSocketError) in
                _ = try one.backend.runCipher(cipher, .decrypt, octets, key: key, vector: vector)
            }
            #expect(error?.code == .invalidUserData)
        }
    }

    @Test("Keys are derived from passphrases as RFC 7914 section 11 has them", arguments: BackendUnderTest.all)
    func derivation(_ one: BackendUnderTest) throws {
        let key = try one.backend.deriveKey(
            .sha256, passphrase: SecretBytes(Array("passwd".utf8)), salt: Array("salt".utf8), iterations: 1, length: 64)
        let expected =
            "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
            + "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783"
        let hex = unsafe key.withBytes { octets in
            unsafe octets.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
        #expect(hex == expected)
        for (iterations, length) in [(0, 16), (-1, 16), (1, 0), (1, -5), (1 << 40, 16)] {
            let error = errorOf { () throws(SslSocketError) in
                _ = try one.backend.deriveKey(.sha256, passphrase: key, salt: [1], iterations: iterations, length: length)
            }
            #expect(error?.code == .invalidUserData)
        }
    }
}
