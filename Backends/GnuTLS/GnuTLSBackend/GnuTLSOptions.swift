#if GnuTLS
internal import CSslGnuTLS
internal import SslValues

/// The library's names for what the settings name by IANA: versions, groups, signature schemes and cipher suites.
enum GnuTLSNames {
    /// One protocol version.
    struct Version {
        let version: SslVersion
        let native: gnutls_protocol_t
        let keyword: String
    }

    /// Every version, oldest first.
    static let versions: [Version] = [
        Version(version: .tls1_0, native: GNUTLS_TLS1_0, keyword: "VERS-TLS1.0"),
        Version(version: .tls1_1, native: GNUTLS_TLS1_1, keyword: "VERS-TLS1.1"),
        Version(version: .tls1_2, native: GNUTLS_TLS1_2, keyword: "VERS-TLS1.2"),
        Version(version: .tls1_3, native: GNUTLS_TLS1_3, keyword: "VERS-TLS1.3"),
        Version(version: .dtls1_0, native: GNUTLS_DTLS1_0, keyword: "VERS-DTLS1.0"),
        Version(version: .dtls1_2, native: GNUTLS_DTLS1_2, keyword: "VERS-DTLS1.2"),
    ]

    /// One key agreement group.
    struct Group {
        let group: SslGroup
        let native: gnutls_group_t
        let keyword: String
    }

    /// Every group.
    static let groups: [Group] = [
        Group(group: .x25519, native: GNUTLS_GROUP_X25519, keyword: "GROUP-X25519"),
        Group(group: .secp256r1, native: GNUTLS_GROUP_SECP256R1, keyword: "GROUP-SECP256R1"),
        Group(group: .secp384r1, native: GNUTLS_GROUP_SECP384R1, keyword: "GROUP-SECP384R1"),
        Group(group: .secp521r1, native: GNUTLS_GROUP_SECP521R1, keyword: "GROUP-SECP521R1"),
        Group(group: .x448, native: GNUTLS_GROUP_X448, keyword: "GROUP-X448"),
        Group(group: .ffdhe2048, native: GNUTLS_GROUP_FFDHE2048, keyword: "GROUP-FFDHE2048"),
        Group(group: .ffdhe3072, native: GNUTLS_GROUP_FFDHE3072, keyword: "GROUP-FFDHE3072"),
        Group(group: .ffdhe4096, native: GNUTLS_GROUP_FFDHE4096, keyword: "GROUP-FFDHE4096"),
        Group(group: .ffdhe6144, native: GNUTLS_GROUP_FFDHE6144, keyword: "GROUP-FFDHE6144"),
        Group(group: .ffdhe8192, native: GNUTLS_GROUP_FFDHE8192, keyword: "GROUP-FFDHE8192"),
    ]

    /// One signature scheme, with every entry of the library's table that has its two octets on the wire: TLS 1.3 binds an
    /// ECDSA scheme to one curve, TLS 1.2 does not (RFC 8446 section 4.2.3), and the library has an entry for either reading.
    struct Scheme {
        let code: UInt16
        let native: [gnutls_sign_algorithm_t]
        let keywords: [String]
        let key: SslKeyAlgorithm
        /// The size of the only curve TLS 1.3 allows with it; 0 for none.
        var curveBits = 0
        /// TLS 1.3 takes it in CertificateVerify.
        var isTls13 = true
    }

    /// Every signature scheme, in the order of the defaults: those of security level 2 first, SHA-1 last.
    static let schemes: [Scheme] = [
        Scheme(
            code: 0x0403, native: [GNUTLS_SIGN_ECDSA_SECP256R1_SHA256, GNUTLS_SIGN_ECDSA_SHA256],
            keywords: ["SIGN-ECDSA-SECP256R1-SHA256", "SIGN-ECDSA-SHA256"], key: .ec, curveBits: 256),
        Scheme(code: 0x0807, native: [GNUTLS_SIGN_EDDSA_ED25519], keywords: ["SIGN-EDDSA-ED25519"], key: .ed25519),
        Scheme(
            code: 0x0804, native: [GNUTLS_SIGN_RSA_PSS_RSAE_SHA256], keywords: ["SIGN-RSA-PSS-RSAE-SHA256"], key: .rsa),
        Scheme(code: 0x0809, native: [GNUTLS_SIGN_RSA_PSS_SHA256], keywords: ["SIGN-RSA-PSS-SHA256"], key: .rsaPss),
        Scheme(
            code: 0x0503, native: [GNUTLS_SIGN_ECDSA_SECP384R1_SHA384, GNUTLS_SIGN_ECDSA_SHA384],
            keywords: ["SIGN-ECDSA-SECP384R1-SHA384", "SIGN-ECDSA-SHA384"], key: .ec, curveBits: 384),
        Scheme(
            code: 0x0603, native: [GNUTLS_SIGN_ECDSA_SECP521R1_SHA512, GNUTLS_SIGN_ECDSA_SHA512],
            keywords: ["SIGN-ECDSA-SECP521R1-SHA512", "SIGN-ECDSA-SHA512"], key: .ec, curveBits: 521),
        Scheme(code: 0x0808, native: [GNUTLS_SIGN_EDDSA_ED448], keywords: ["SIGN-EDDSA-ED448"], key: .ed448),
        Scheme(
            code: 0x0805, native: [GNUTLS_SIGN_RSA_PSS_RSAE_SHA384], keywords: ["SIGN-RSA-PSS-RSAE-SHA384"], key: .rsa),
        Scheme(
            code: 0x0806, native: [GNUTLS_SIGN_RSA_PSS_RSAE_SHA512], keywords: ["SIGN-RSA-PSS-RSAE-SHA512"], key: .rsa),
        Scheme(code: 0x080A, native: [GNUTLS_SIGN_RSA_PSS_SHA384], keywords: ["SIGN-RSA-PSS-SHA384"], key: .rsaPss),
        Scheme(code: 0x080B, native: [GNUTLS_SIGN_RSA_PSS_SHA512], keywords: ["SIGN-RSA-PSS-SHA512"], key: .rsaPss),
        Scheme(
            code: 0x0401, native: [GNUTLS_SIGN_RSA_SHA256], keywords: ["SIGN-RSA-SHA256"], key: .rsa, isTls13: false),
        Scheme(
            code: 0x0501, native: [GNUTLS_SIGN_RSA_SHA384], keywords: ["SIGN-RSA-SHA384"], key: .rsa, isTls13: false),
        Scheme(
            code: 0x0601, native: [GNUTLS_SIGN_RSA_SHA512], keywords: ["SIGN-RSA-SHA512"], key: .rsa, isTls13: false),
        Scheme(code: 0x0203, native: [GNUTLS_SIGN_ECDSA_SHA1], keywords: ["SIGN-ECDSA-SHA1"], key: .ec, isTls13: false),
        Scheme(code: 0x0201, native: [GNUTLS_SIGN_RSA_SHA1], keywords: ["SIGN-RSA-SHA1"], key: .rsa, isTls13: false),
    ]

    /// One cipher suite as the library knows it.
    struct Suite {
        let cipher: SslCipher
        let keyExchange: gnutls_kx_algorithm_t
        let encryption: gnutls_cipher_algorithm_t
        let mac: gnutls_mac_algorithm_t
    }

    /// The suites that the library and `SslCipher` both know, in the library's order.
    static let suites: [Suite] = {
        let known = Set(SslCipher.all)
        var list: [Suite] = []
        var index = 0
        while let suite = suite(at: index) {
            if known.contains(suite.cipher) { list.append(suite) }
            index += 1
        }
        return list
    }()

    /// The suite at a place of the library's table; nil behind its end.
    static func suite(at index: Int) -> Suite? {
        var code: (UInt8, UInt8) = (0, 0)
        var keyExchange = GNUTLS_KX_UNKNOWN
        var encryption = GNUTLS_CIPHER_UNKNOWN
        var mac = GNUTLS_MAC_UNKNOWN
        var version = GNUTLS_VERSION_UNKNOWN
        let name = unsafe withUnsafeMutableBytes(of: &code) { octets in
            unsafe gnutls_cipher_suite_info(
                index, octets.bindMemory(to: UInt8.self).baseAddress, &keyExchange, &encryption, &mac, &version)
        }
        guard unsafe name != nil else { return nil }
        return Suite(
            cipher: SslCipher(code: UInt16(code.0) << 8 | UInt16(code.1)), keyExchange: keyExchange, encryption: encryption,
            mac: mac)
    }

    /// The suite with these parts. TLS 1.3 suites name no key exchange, so it does not count there.
    static func cipher(
        _ keyExchange: gnutls_kx_algorithm_t, _ encryption: gnutls_cipher_algorithm_t, _ mac: gnutls_mac_algorithm_t,
        isTls13: Bool
    ) -> SslCipher? {
        suites.first {
            $0.encryption == encryption && $0.mac == mac && $0.cipher.isTls13 == isTls13
                && (isTls13 || $0.keyExchange == keyExchange)
        }?.cipher
    }
}
#endif
