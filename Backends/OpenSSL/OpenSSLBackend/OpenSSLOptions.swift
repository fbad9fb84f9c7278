#if OpenSSL
internal import CSslOpenSSL
internal import SslBackend
internal import SslValues

/// Turns the package's values into OpenSSL's words, and says which of them the loaded library has.
enum OpenSSLOptions {
    /// TLS 1.2 and 1.3 suites at security level 2, by their code.
    static let cipherNames: [UInt16: String] = supportedCiphers()
    /// The groups the library takes by their IANA name.
    static let groups: [SslGroup] = SslGroup.all.filter { group in
        unsafe accepts { context in unsafe group.name.withCString { unsafe sslopenssl_set_groups(context, $0) == 1 } }
    }
    /// The signature schemes the library takes by their IANA name and that security level 2 allows, which rules out SHA-1.
    static let signatureSchemes: [SslSignatureScheme] = SslSignatureScheme.all.filter { scheme in
        unsafe scheme.code >> 8 != 0x02
            && accepts { context in
                unsafe scheme.name.withCString { unsafe sslopenssl_set_signature_schemes(context, $0) == 1 }
            }
    }

    // MARK: Versions

    /// The versions that can really be used: TLS 1.0 and 1.1 sign with SHA-1, which security level 2 forbids.
    static let versions: Set<SslVersion> = [.tls1_2, .tls1_3, .dtls1_2]

    /// The lowest and highest version for settings. A list of suites of one family only restricts the versions as well, for
    /// OpenSSL always fills in the other family by its own default.
    static func versions(_ settings: TlsSettings) throws(SslSocketError) -> ClosedRange<SslVersion> {
        let wanted = settings.versions
        for end in [wanted.lowerBound, wanted.upperBound] {
            if end.isDatagram != (settings.transport == .datagram) {
                throw refusal("versions", "\(end) does not go with this kind of transport")
            }
            if !versions.contains(end) {
                throw refusal("versions", "\(end) is not possible at security level 2, which forbids its SHA-1 signatures")
            }
        }
        if settings.transport == .datagram { return wanted }
        let has13 = settings.cipherSuites.contains { $0.isTls13 }
        let has12 = settings.cipherSuites.contains { !$0.isTls13 }
        let low = has12 ? wanted.lowerBound : max(wanted.lowerBound, .tls1_3)
        let high = has13 ? wanted.upperBound : min(wanted.upperBound, .tls1_2)
        guard low <= high else { throw refusal("cipherSuites", "no suite belongs to an allowed version") }
        return low...high
    }

    // MARK: Cipher suites

    /// The lists for `SSL_CTX_set_ciphersuites` and `SSL_CTX_set_cipher_list`.
    static func cipherLists(_ settings: TlsSettings) throws(SslSocketError) -> (tls13: String, tls12: String) {
        var lists = (tls13: [String](), tls12: [String]())
        for suite in settings.cipherSuites {
            guard let name = cipherNames[suite.code] else {
                throw refusal("cipherSuites", "this library has no suite \(suite.name)")
            }
            if suite.isTls13 { lists.tls13.append(name) } else { lists.tls12.append(name) }
        }
        if settings.transport == .datagram && lists.tls12.isEmpty {
            throw refusal("cipherSuites", "no suite is usable with DTLS 1.2")
        }
        return (lists.tls13.joined(separator: ":"), lists.tls12.joined(separator: ":"))
    }

    private static func supportedCiphers() -> [UInt16: String] {
        var names: [UInt16: String] = [:]
        guard let context = unsafe SSL_CTX_new(TLS_method()) else { return names }
        defer { unsafe SSL_CTX_free(context) }
        unsafe SSL_CTX_set_security_level(context, OpenSSLContext.securityLevel)
        unsafe OpenSSLPreSharedKeys.allowSuites(context)
        guard unsafe sslopenssl_set_versions(context, TLS1_2_VERSION, TLS1_3_VERSION) == 1,
            unsafe SSL_CTX_set_cipher_list(context, "ALL:!aNULL:!eNULL:!kSRP") == 1,
            unsafe SSL_CTX_set_ciphersuites(
                context, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_CCM_SHA256")
                == 1,
            let session = unsafe SSL_new(context)
        else { return names }
        defer { unsafe SSL_free(session) }
        let list = unsafe SSL_get1_supported_ciphers(session)
        defer { unsafe sslopenssl_ciphers_free(list) }
        let known = Set(SslCipher.all.map(\.code))
        for i in unsafe 0..<sslopenssl_ciphers_count(list) {
            guard let cipher = unsafe sslopenssl_ciphers_at(list, i), let name = unsafe SSL_CIPHER_get_name(cipher) else {
                continue
            }
            let code = unsafe SSL_CIPHER_get_protocol_id(cipher)
            if known.contains(code) { unsafe names[code] = String(cString: name) }
        }
        return names
    }

    // MARK: Groups and signature schemes

    /// The list for `SSL_CTX_set1_groups_list`.
    static func groupList(_ settings: TlsSettings) throws(SslSocketError) -> String {
        for group in settings.groups where !groups.contains(group) {
            throw refusal("groups", "this library has no group \(group.name)")
        }
        guard !settings.groups.isEmpty else { throw refusal("groups", "the list is empty") }
        return settings.groups.map(\.name).joined(separator: ":")
    }

    /// The list for `SSL_CTX_set1_sigalgs_list`. By default the schemes of the first credentials come first: it is by them
    /// that OpenSSL chooses between several keys in TLS 1.3.
    static func signatureSchemeList(_ settings: TlsSettings) throws(SslSocketError) -> String {
        for scheme in settings.signatureSchemes where !signatureSchemes.contains(scheme) {
            throw refusal("signatureSchemes", "this library cannot use \(scheme.name) at security level 2")
        }
        if !settings.signatureSchemes.isEmpty { return settings.signatureSchemes.map(\.name).joined(separator: ":") }
        var ordered: [SslSignatureScheme] = []
        for credentials in settings.credentials {
            ordered += signatureSchemes.filter { !ordered.contains($0) && $0.fits(credentials.key.algorithm) }
        }
        ordered += signatureSchemes.filter { !ordered.contains($0) }
        return ordered.map(\.name).joined(separator: ":")
    }

    // MARK: Helpers

    static func refusal(_ setting: String, _ reason: String) -> SslSocketError {
        .setting(setting, backend: OpenSSLBackend.backendName, reason: reason)
    }

    /// Tries something on a context that is thrown away.
    private static func accepts(_ body: (OpaquePointer) -> Bool) -> Bool {
        guard let context = unsafe SSL_CTX_new(TLS_method()) else { return false }
        defer {
            unsafe SSL_CTX_free(context)
            ERR_clear_error()
        }
        return unsafe body(context)
    }
}

extension SslSignatureScheme {
    /// Keys of this kind make such signatures.
    func fits(_ algorithm: SslKeyAlgorithm) -> Bool {
        switch code {
        case 0x0807: algorithm == .ed25519
        case 0x0808: algorithm == .ed448
        case 0x0403, 0x0503, 0x0603: algorithm == .ec
        case 0x0809...0x080B: algorithm == .rsaPss
        default: algorithm == .rsa
        }
    }
}

// MARK: - What was negotiated

extension SslGroup {
    /// The group of a number that `SSL_get_negotiated_group` gives; nil for 0 (none) and unknown curves.
    init?(openssl nid: Int32) {
        switch nid {
        case NID_X9_62_prime256v1: self = .secp256r1
        case NID_secp384r1: self = .secp384r1
        case NID_secp521r1: self = .secp521r1
        case NID_X25519: self = .x25519
        case NID_X448: self = .x448
        case NID_ffdhe2048: self = .ffdhe2048
        case NID_ffdhe3072: self = .ffdhe3072
        case NID_ffdhe4096: self = .ffdhe4096
        case NID_ffdhe6144: self = .ffdhe6144
        case NID_ffdhe8192: self = .ffdhe8192
        // A group without a NID of its own: its wire code behind a flag.
        case let other where other & TLSEXT_nid_unknown != 0: self.init(code: UInt16(truncatingIfNeeded: other & 0xFFFF))
        default: return nil
        }
    }
}

extension SslSignatureScheme {
    /// The scheme of a signature type and hash as OpenSSL numbers them; nil when nothing was signed.
    ///
    /// - Parameter isPssKey: the key is restricted to PSS, which the type does not tell.
    init?(opensslType type: Int32, hash: Int32, isPssKey: Bool) {
        let hashes: [Int32: UInt16] = [NID_sha256: 0, NID_sha384: 1, NID_sha512: 2]
        switch type {
        case NID_ED25519: self.init(code: 0x0807)
        case NID_ED448: self.init(code: 0x0808)
        case NID_X9_62_id_ecPublicKey:
            guard let n = hashes[hash] else { return nil }
            self.init(code: 0x0403 + n << 8)
        case NID_rsassaPss:
            guard let n = hashes[hash] else { return nil }
            self.init(code: (isPssKey ? 0x0809 : 0x0804) + n)
        case NID_rsaEncryption:
            guard let n = hashes[hash] else { return nil }
            self.init(code: 0x0401 + n << 8)
        default: return nil
        }
    }
}
#endif
