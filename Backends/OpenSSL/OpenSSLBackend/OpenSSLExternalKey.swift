#if OpenSSL
internal import CSslOpenSSL
internal import SslBackend
internal import SslValues

// Keys that live elsewhere and sign through a function: a provider of our own calls it.
extension OpenSSLKey {
    /// What the provider holds on to.
    private final class Link {
        let signer: TlsSigner
        let algorithm: SslKeyAlgorithm
        let bits: Int

        init(_ signer: TlsSigner, _ key: TlsPublicKey) {
            self.signer = signer
            algorithm = key.algorithm
            bits = key.bits
        }
    }

    /// The library context of the provider. Made once, and never changed.
    private nonisolated(unsafe) static let library = unsafe sslopenssl_external_library()

    private static let sign: sslopenssl_sign_function = {
        user, digest, isPss, isHashed, input, length, target, room in
        guard let user = unsafe user, let target = unsafe target else { return 0 }
        let link = unsafe Unmanaged<Link>.fromOpaque(user).takeUnretainedValue()
        let name = unsafe digest.map { unsafe String(cString: $0) } ?? ""
        guard let scheme = OpenSSLKey.scheme(link.algorithm, link.bits, digest: name, isPss: isPss != 0) else { return 0 }
        let octets = unsafe [UInt8](UnsafeBufferPointer(start: input, count: length))
        let hash = isHashed == 0 ? scheme.hash : nil
        guard let input = hash.map({ OpenSSLBackend.shared.digest(octets, $0) }) ?? octets,
            let signature = link.signer.sign(input, scheme), signature.count <= room
        else { return 0 }
        unsafe target.update(from: signature, count: signature.count)
        return signature.count
    }

    private static let release: @convention(c) (UnsafeMutableRawPointer?) -> Void = { user in
        if let user = unsafe user { unsafe Unmanaged<Link>.fromOpaque(user).release() }
    }

    /// A key whose signatures `signer` makes.
    convenience init(_ key: TlsPublicKey, signer: TlsSigner) throws(SslSocketError) {
        ERR_clear_error()
        guard let library = unsafe Self.library else {
            throw .openssl(.noBackend, "OpenSSL takes no provider for external keys")
        }
        var cursor: UnsafePointer<UInt8>?
        let open = unsafe key.publicKeyInfo.withUnsafeBufferPointer { octets in
            unsafe cursor = octets.baseAddress
            return unsafe d2i_PUBKEY(nil, &cursor, octets.count)
        }
        guard let open = unsafe open else { throw .openssl(.invalidUserData, "The public key cannot be read") }
        defer { unsafe EVP_PKEY_free(open) }
        let user = unsafe Unmanaged.passRetained(Link(signer, key)).toOpaque()
        guard let made = unsafe sslopenssl_external_key(library, open, user, Self.sign, Self.release) else {
            throw .openssl(.invalidUserData, "OpenSSL takes no external key of the kind \(key.algorithm)")
        }
        unsafe self.init(external: made)
    }

    /// The scheme of RFC 8446 section 4.2.3 that is meant by what the library says of a signature.
    private static func scheme(
        _ algorithm: SslKeyAlgorithm, _ bits: Int, digest: String, isPss: Bool
    ) -> SslSignatureScheme? {
        let hash = digest.uppercased().filter { $0 != "-" }.replacingSha2
        switch algorithm {
        case .rsa: return SslSignatureScheme(name: isPss ? "rsa_pss_rsae_\(hash)" : "rsa_pkcs1_\(hash)")
        case .rsaPss: return SslSignatureScheme(name: "rsa_pss_pss_\(hash)")
        case .ec:
            // TLS 1.2 does not bind the hash to the curve; the names of the registry are those of the usual pairs.
            switch hash {
            case "sha1": return SslSignatureScheme(name: "ecdsa_sha1")
            case "sha256": return SslSignatureScheme(name: "ecdsa_secp256r1_sha256")
            case "sha384": return SslSignatureScheme(name: "ecdsa_secp384r1_sha384")
            case "sha512": return SslSignatureScheme(name: "ecdsa_secp521r1_sha512")
            default: return nil
            }
        case .ed25519: return SslSignatureScheme(name: "ed25519")
        case .ed448: return SslSignatureScheme(name: "ed448")
        default: return nil
        }
    }
}

extension String {
    /// OpenSSL says SHA2-256 or SHA256 for the same hash; the registry of signature schemes sha256.
    fileprivate var replacingSha2: String {
        switch self {
        case "SHA2256", "SHA256": "sha256"
        case "SHA2384", "SHA384": "sha384"
        case "SHA2512", "SHA512": "sha512"
        case "SHA1": "sha1"
        default: lowercased()
        }
    }
}
#endif
