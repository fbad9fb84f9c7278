import SslTestKit
import Testing

@testable import SslSockets

@Suite("Cipher suites")
struct CipherTests {
    /// IANA's name, OpenSSL's, the version, key exchange, authentication, encryption and bits.
    static let known: [(String, String, SslProtocol, String, String, String, Int)] = [
        ("TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256", .tlsV1_3, "any", "any", "AES-GCM(128)", 128),
        ("TLS_CHACHA20_POLY1305_SHA256", "TLS_CHACHA20_POLY1305_SHA256", .tlsV1_3, "any", "any", "ChaCha20-Poly1305(256)", 256),
        (
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256", .tlsV1_2, "ECDHE", "ECDSA",
            "AES-GCM(128)",
            128
        ),
        ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384", .tlsV1_2, "ECDHE", "RSA", "AES-GCM(256)", 256),
        (
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305", .tlsV1_2, "ECDHE", "RSA",
            "ChaCha20-Poly1305(256)", 256
        ),
        ("TLS_ECDHE_ECDSA_WITH_AES_256_CCM", "ECDHE-ECDSA-AES256-CCM", .tlsV1_2, "ECDHE", "ECDSA", "AES-CCM(256)", 256),
        ("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", "ECDHE-RSA-AES256-SHA384", .tlsV1_2, "ECDHE", "RSA", "AES-CBC(256)", 256),
        ("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "ECDHE-RSA-AES128-SHA", .tlsV1_2, "ECDHE", "RSA", "AES-CBC(128)", 128),
        ("TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", "DHE-RSA-AES128-GCM-SHA256", .tlsV1_2, "DHE", "RSA", "AES-GCM(128)", 128),
        ("TLS_DHE_RSA_WITH_AES_256_CBC_SHA256", "DHE-RSA-AES256-SHA256", .tlsV1_2, "DHE", "RSA", "AES-CBC(256)", 256),
        ("TLS_RSA_WITH_AES_128_GCM_SHA256", "AES128-GCM-SHA256", .tlsV1_2, "RSA", "RSA", "AES-GCM(128)", 128),
        ("TLS_RSA_WITH_AES_256_CBC_SHA", "AES256-SHA", .tlsV1_2, "RSA", "RSA", "AES-CBC(256)", 256),
        ("TLS_PSK_WITH_CHACHA20_POLY1305_SHA256", "PSK-CHACHA20-POLY1305", .tlsV1_2, "PSK", "PSK", "ChaCha20-Poly1305(256)", 256),
        ("TLS_DHE_PSK_WITH_AES_256_GCM_SHA384", "DHE-PSK-AES256-GCM-SHA384", .tlsV1_2, "DHE", "PSK", "AES-GCM(256)", 256),
    ]

    @Test("What a suite says of itself, and its names on both sides", arguments: 0..<known.count)
    func facts(index: Int) throws {
        let (name, openssl, version, exchange, authentication, encryption, bits) = Self.known[index]
        let cipher = try #require(SslCipher(name: name))
        #expect(SslCipher(name: openssl) == cipher)
        #expect(cipher.name == name)
        #expect(cipher.opensslName == openssl)
        #expect(cipher.protocol == version)
        #expect(cipher.protocolString == (version == .tlsV1_3 ? "TLSv1.3" : "TLSv1.2"))
        #expect(cipher.keyExchangeMethod == exchange)
        #expect(cipher.authenticationMethod == authentication)
        #expect(cipher.encryptionMethod == encryption)
        #expect(cipher.usedBits == bits)
        #expect(cipher.supportedBits == bits)
        #expect("\(cipher)" == name)
        #expect(SslCipher(name: name, protocol: version) == cipher)
        #expect(SslCipher(name: name, protocol: version == .tlsV1_3 ? .tlsV1_2 : .tlsV1_3) == nil)
    }

    @Test("Older GnuTLS names are understood")
    func oldNames() {
        #expect(SslCipher(name: "TLS_ECDHE_RSA_AES_128_GCM_SHA256")?.name == "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")
        #expect(SslCipher(name: "TLS_RSA_AES_128_CBC_SHA1")?.name == "TLS_RSA_WITH_AES_128_CBC_SHA")
    }

    @Test("A name that is none gives no suite, and an unknown code a suite without facts")
    func unknown() {
        for name in ["", "TLS_", "HIGH", "aes128-sha", "TLS_NULL_WITH_NULL_NULL", "ADH-AES128-SHA"] {
            #expect(SslCipher(name: name) == nil)
            #expect(SslCipher(name: name, protocol: .tlsV1_2) == nil)
        }
        let unknown = SslCipher(code: 0xFFFE)
        #expect(unknown.name == "TLS_UNKNOWN_fffe")
        #expect(unknown.opensslName == unknown.name)
        #expect(unknown.protocol == .unknownProtocol)
        #expect(unknown.protocolString.isEmpty)
        #expect(unknown.usedBits == 0 && unknown.supportedBits == 0)
        #expect(unknown.keyExchangeMethod == "unknown" && unknown.authenticationMethod == "unknown")
        #expect(unknown.encryptionMethod == "unknown")
    }

    @Test("Every suite is found by each of its names, and no two share one")
    func names() {
        #expect(SslCipher.all.count > 40)
        for cipher in SslCipher.all {
            #expect(SslCipher(name: cipher.name) == cipher)
            #expect(SslCipher(name: cipher.opensslName) == cipher)
        }
        #expect(Set(SslCipher.all.map(\.opensslName)).count == SslCipher.all.count)
    }

    @Test("Equality is that of the code, in sets too")
    func equality() throws {
        let one = try #require(SslCipher(name: "AES128-SHA"))
        #expect(one == SslCipher(code: 0x002F))
        #expect(one != SslCipher(code: 0x0035))
        #expect(Set([one, SslCipher(code: 0x002F), SslCipher(code: 0x0035)]).count == 2)
    }

    @Test("The defaults have forward secrecy, authenticated encryption and 128 bits or more")
    func defaults() {
        #expect(SslCipher.defaults.count > 1)
        for cipher in SslCipher.defaults {
            #expect(["any", "ECDHE"].contains(cipher.keyExchangeMethod))
            #expect(cipher.usedBits >= 128)
            #expect(!cipher.encryptionMethod.hasPrefix("AES-CBC"))
        }
    }

    @Test("A backend's suites are known by name and none is anonymous", arguments: SslBackends.available)
    func supported(backend: String) throws {
        let suites = try SslConfiguration.supportedCiphers(backend: backend)
        #expect(suites.count > SslCipher.defaults.count)
        #expect(Set(suites).isSuperset(of: SslCipher.defaults))
        #expect(suites.allSatisfy { $0.usedBits >= 128 && $0.authenticationMethod != "unknown" })
        #expect(throws: SslSocketError(.noBackend, "")) { try SslConfiguration.supportedCiphers(backend: "made-up") }
    }
}

@Suite("Elliptic curves")
struct CurveTests {
    @Test(
        "Short names and IANA names",
        arguments: [
            ("x25519", "X25519", 255), ("secp256r1", "prime256v1", 256), ("secp384r1", "secp384r1", 384),
            ("secp521r1", "secp521r1", 521),
            ("x448", "X448", 448),
        ])
    func names(name: String, short: String, bits: Int) throws {
        let curve: SslEllipticCurve = try #require(SslEllipticCurve(shortName: short))
        #expect(curve == SslGroup(name: name))
        #expect(curve.shortName == short)
        #expect(curve.name == name)
        #expect("\(curve)" == name)
        #expect(curve.isTlsNamedCurve)
        #expect(curve.bits == bits)
    }

    @Test("NIST's names are understood, unknown ones are not")
    func others() {
        #expect(SslEllipticCurve(shortName: "P-256") == .secp256r1)
        #expect(SslEllipticCurve(shortName: "P-521") == .secp521r1)
        for name in ["", "no curve", "PRIME256V1", "x25519", "ffdhe2048"] { #expect(SslEllipticCurve(shortName: name) == nil) }
        #expect(SslGroup(name: "") == nil)
    }

    @Test("A finite-field group is no curve")
    func finiteField() {
        #expect(!SslGroup.ffdhe2048.isTlsNamedCurve)
        #expect(SslGroup.ffdhe2048.shortName == "ffdhe2048")
        #expect(SslGroup.all.allSatisfy { $0.bits >= 255 })
        #expect(!SslGroup(code: 1).isTlsNamedCurve)
        #expect(SslGroup(code: 1).bits == 0)
        #expect(Set([SslGroup.x25519, SslGroup(code: 29), .x448]).count == 2)
    }

    @Test("Each curve a backend offers can be found again by its names", arguments: SslBackends.available)
    func supported(backend: String) throws {
        let curves = try SslConfiguration.supportedEllipticCurves(backend: backend)
        #expect(Set(curves).isSuperset(of: [.x25519, .secp256r1, .secp384r1, .secp521r1]))
        for curve in curves {
            #expect(curve.isTlsNamedCurve)
            #expect(SslEllipticCurve(shortName: curve.shortName) == curve)
            #expect(SslEllipticCurve(name: curve.name) == curve)
        }
    }
}
