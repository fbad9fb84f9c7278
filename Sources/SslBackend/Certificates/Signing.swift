public import SslValues

extension X509SignatureAlgorithm {
    /// What a key of that kind signs certificates with; nil for a kind that signs nothing. Ed25519 and Ed448 have a hash of their own.
    public init?(key: SslKeyAlgorithm, hash: SslHash) {
        switch key {
        case .rsa: self = .rsaPkcs1(hash)
        case .rsaPss: self = .rsaPss(hash)
        case .ec: self = .ecdsa(hash)
        case .dsa: self = .dsa(hash)
        case .ed25519: self = .ed25519
        case .ed448: self = .ed448
        case .opaque, .dh, .x25519: return nil
        }
    }

    /// What a scheme of TLS means for a key of that kind; nil when it is for another.
    public init?(_ scheme: SslSignatureScheme, key: SslKeyAlgorithm) {
        let name = scheme.name
        let found: X509SignatureAlgorithm? =
            switch (key, scheme.hash) {
            case (.rsa, let hash?) where name.hasPrefix("rsa_pkcs1_"): .rsaPkcs1(hash)
            case (.rsa, let hash?) where name.hasPrefix("rsa_pss_rsae_"): .rsaPss(hash)
            case (.rsaPss, let hash?) where name.hasPrefix("rsa_pss_pss_"): .rsaPss(hash)
            case (.ec, let hash?) where name.hasPrefix("ecdsa_"): .ecdsa(hash)
            case (.ed25519, nil) where name == "ed25519": .ed25519
            case (.ed448, nil) where name == "ed448": .ed448
            default: nil
            }
        guard let found else { return nil }
        self = found
    }

    /// Keys of that kind make such signatures.
    public func fits(_ key: SslKeyAlgorithm) -> Bool {
        switch self {
        case .rsaPkcs1: key == .rsa
        case .rsaPss: key == .rsa || key == .rsaPss
        case .ecdsa: key == .ec
        case .dsa: key == .dsa
        case .ed25519: key == .ed25519
        case .ed448: key == .ed448
        }
    }

    /// Refuses what ``TlsKey/sign(hashed:by:)`` cannot sign with any library.
    public func check(_ input: [UInt8], for key: any TlsKey) throws(SslSocketError) {
        guard fits(key.algorithm) else {
            throw SslSocketError(
                .unsupportedOperation, "A key of the kind \(key.algorithm) does not sign by \(self)", backend: key.backend.name)
        }
        if let hash, input.count != hash.size {
            throw SslSocketError(
                .invalidUserData, "A hash by \(hash) does not have \(input.count) octets", backend: key.backend.name)
        }
    }

    /// The AlgorithmIdentifier, DER: what ``init(der:)`` reads.
    public var der: [UInt8] {
        switch self {
        case .rsaPss(let hash):
            let digest = DerWriter.sequence(Self.identifier(of: hash), DerWriter.null)
            let generator = DerWriter.sequence(DerWriter.objectIdentifier("1.2.840.113549.1.1.8") ?? [], digest)
            return DerWriter.sequence(
                DerWriter.objectIdentifier("1.2.840.113549.1.1.10") ?? [],
                DerWriter.sequence(
                    DerWriter.element(0xA0, digest), DerWriter.element(0xA1, generator),
                    DerWriter.element(0xA2, DerWriter.integer(UInt64(hash.size)))))
        case .rsaPkcs1: return DerWriter.sequence(identifier, DerWriter.null)
        case .ecdsa, .dsa, .ed25519, .ed448: return DerWriter.sequence(identifier)
        }
    }

    private var identifier: [UInt8] {
        Self.known.first { $0.value == self }.flatMap { DerWriter.objectIdentifier($0.key) } ?? []
    }

    /// The OBJECT IDENTIFIER of a hash, DER; empty for MD5, which nothing here names by itself.
    public static func identifier(of hash: SslHash) -> [UInt8] {
        hashes.first { $0.value == hash }.flatMap { DerWriter.objectIdentifier($0.key) } ?? []
    }
}

extension TlsKey {
    /// Signs octets as certificates, requests, revocation lists and OCSP responses are signed: hashed first.
    ///
    /// - Throws: as ``sign(hashed:by:)``, and ``SslSocketError/Code/unsupportedOperation`` for a hash the library does not have.
    public func sign(_ octets: [UInt8], _ algorithm: X509SignatureAlgorithm) throws(SslSocketError) -> [UInt8] {
        guard let hash = algorithm.hash else { return try sign(hashed: octets, by: algorithm) }
        guard let digest = backend.digest(octets, hash) else {
            throw SslSocketError(.unsupportedOperation, "The library does not offer \(hash) here", backend: backend.name)
        }
        return try sign(hashed: digest, by: algorithm)
    }

    /// A signature in the form TLS has it on the wire.
    ///
    /// - Parameter input: what ``SslSignatureScheme/hash`` makes of the message; the message itself for schemes without a hash.
    /// - Throws: as ``sign(hashed:by:)``.
    public func sign(_ input: [UInt8], _ scheme: SslSignatureScheme) throws(SslSocketError) -> [UInt8] {
        guard let meaning = X509SignatureAlgorithm(scheme, key: algorithm) else {
            throw SslSocketError(
                .unsupportedOperation, "A key of the kind \(algorithm) does not sign with \(scheme.name)", backend: backend.name)
        }
        return try sign(hashed: input, by: meaning)
    }
}
