#if GnuTLS
internal import CSslGnuTLS
internal import SslBackend
internal import SslValues

// Keys that live elsewhere and sign through a function.
extension GnuTLSKey {
    /// What the library's object holds on to.
    private final class Link {
        let signer: TlsSigner
        let key: TlsPublicKey

        init(_ signer: TlsSigner, _ key: TlsPublicKey) {
            self.signer = signer
            self.key = key
        }

        /// The scheme of RFC 8446 section 4.2.3 for the library's number.
        func scheme(_ native: gnutls_sign_algorithm_t) -> SslSignatureScheme? {
            GnuTLSNames.schemes.first { $0.native.contains(native) && $0.key == key.algorithm }
                .map { SslSignatureScheme(code: $0.code) }
        }
    }

    private static let signMessage: gnutls_privkey_sign_data_func = { _, algorithm, user, _, data, target in
        unsafe GnuTLSKey.sign(algorithm, user, data, target)
    }

    private static let signHash: gnutls_privkey_sign_hash_func = { _, algorithm, user, _, data, target in
        unsafe GnuTLSKey.sign(algorithm, user, data, target)
    }

    private static func sign(
        _ algorithm: gnutls_sign_algorithm_t, _ user: UnsafeMutableRawPointer?, _ data: UnsafePointer<gnutls_datum_t>?,
        _ target: UnsafeMutablePointer<gnutls_datum_t>?
    ) -> Int32 {
        guard let user = unsafe user, let data = unsafe data, let target = unsafe target else { return GNUTLS_E_INTERNAL_ERROR }
        let link = unsafe Unmanaged<Link>.fromOpaque(user).takeUnretainedValue()
        var input = unsafe data.pointee.octets
        var scheme = link.scheme(algorithm)
        if algorithm == GNUTLS_SIGN_RSA_RAW {
            // The library has wrapped the hash already (RFC 8017 section 9.2); the name of the hash has gone into the wrapping.
            var outer = DerReader(input[...])
            guard let info = outer.next(DerTag.sequence) else { return GNUTLS_E_INTERNAL_ERROR }
            var parts = DerReader(info.content)
            guard parts.next(DerTag.sequence) != nil, let hash = parts.next(DerTag.octetString)?.content else {
                return GNUTLS_E_INTERNAL_ERROR
            }
            input = Array(hash)
            scheme = SslSignatureScheme(name: "rsa_pkcs1_sha\(hash.count == 20 ? 1 : hash.count * 8)")
        }
        guard let scheme else { return GNUTLS_E_UNSUPPORTED_SIGNATURE_ALGORITHM }
        guard let signature = link.signer.sign(input, scheme) else { return GNUTLS_E_PK_SIGN_FAILED }
        return unsafe signature.withUnsafeBytes { unsafe sslgnutls_copy(target, $0.baseAddress, $0.count) }
    }

    private static let tell: gnutls_privkey_info_func = { _, flags, user in
        guard let user = unsafe user else { return -1 }
        let link = unsafe Unmanaged<Link>.fromOpaque(user).takeUnretainedValue()
        switch flags & 0xF {
        case UInt32(GNUTLS_PRIVKEY_INFO_PK_ALGO): return Int32(bitPattern: link.key.algorithm.gnutls.rawValue)
        case UInt32(GNUTLS_PRIVKEY_INFO_PK_ALGO_BITS): return Int32(link.key.bits)
        case sslgnutls_asks_for_signature():
            let native = gnutls_sign_algorithm_t(rawValue: sslgnutls_asked_signature(flags))
            return link.scheme(native).map { link.signer.schemes.contains($0) ? 1 : 0 } ?? 0
        default: return -1
        }
    }

    private static let release: gnutls_privkey_deinit_func = { _, user in
        if let user = unsafe user { unsafe Unmanaged<Link>.fromOpaque(user).release() }
    }

    /// A key whose signatures `signer` makes.
    convenience init(_ key: TlsPublicKey, signer: TlsSigner) throws(SslSocketError) {
        var made: gnutls_privkey_t?
        try gnutlsCheck(unsafe gnutls_privkey_init(&made), .sslInternal, "No private key object can be made")
        guard let handle = unsafe made else { throw .gnutls(.sslInternal, "No private key object can be made") }
        let user = unsafe Unmanaged.passRetained(Link(signer, key)).toOpaque()
        let native = unsafe gnutls_privkey_import_ext4(
            handle, user, Self.signMessage, Self.signHash, nil, Self.release, Self.tell, 0)
        guard native == 0 else {
            unsafe gnutls_privkey_deinit(handle)
            unsafe Unmanaged<Link>.fromOpaque(user).release()
            throw .gnutls(.invalidUserData, "GnuTLS takes no external key of the kind \(key.algorithm)", native)
        }
        unsafe self.init(external: handle, key)
    }
}
#endif
