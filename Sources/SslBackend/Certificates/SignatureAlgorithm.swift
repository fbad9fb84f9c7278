public import SslValues

/// The algorithm of a signature on a certificate, a revocation list or an OCSP response, in the words of no library.
public enum X509SignatureAlgorithm: Sendable, Hashable {
    /// RSA with PKCS#1 v1.5 and this hash (RFC 4055).
    case rsaPkcs1(SslHash)
    /// The mask is made with the same hash and the salt is as long as it (RFC 4055 section 3.1 recommends both; others are refused).
    case rsaPss(SslHash)
    /// ECDSA with this hash (RFC 5758).
    case ecdsa(SslHash)
    /// DSA with this hash (RFC 5758).
    case dsa(SslHash)
    /// Ed25519 (RFC 8410).
    case ed25519
    /// Ed448 (RFC 8410).
    case ed448

    /// Reads an AlgorithmIdentifier; nil for what is none of these.
    public init?(der: ArraySlice<UInt8>) {
        guard let content = DerReader.only(DerTag.sequence, der) else { return nil }
        var reader = DerReader(content)
        guard let type = reader.next(DerTag.objectIdentifier), let oid = DerValue.objectIdentifier(type.content) else {
            return nil
        }
        if oid == "1.2.840.113549.1.1.10" {
            guard let hash = Self.pssHash(reader) else { return nil }
            self = .rsaPss(hash)
            return
        }
        guard let known = Self.known[oid] else { return nil }
        // NULL parameters for RSA, none for the others; some leave out or add the NULL, which changes nothing.
        if let parameters = reader.next() { guard parameters.tag == DerTag.null, parameters.content.isEmpty else { return nil } }
        guard reader.isEmpty else { return nil }
        self = known
    }

    static let known: [String: X509SignatureAlgorithm] = [
        "1.2.840.113549.1.1.4": .rsaPkcs1(.md5), "1.2.840.113549.1.1.5": .rsaPkcs1(.sha1),
        "1.2.840.113549.1.1.14": .rsaPkcs1(.sha224), "1.2.840.113549.1.1.11": .rsaPkcs1(.sha256),
        "1.2.840.113549.1.1.12": .rsaPkcs1(.sha384), "1.2.840.113549.1.1.13": .rsaPkcs1(.sha512),
        "1.2.840.10045.4.1": .ecdsa(.sha1), "1.2.840.10045.4.3.1": .ecdsa(.sha224), "1.2.840.10045.4.3.2": .ecdsa(.sha256),
        "1.2.840.10045.4.3.3": .ecdsa(.sha384), "1.2.840.10045.4.3.4": .ecdsa(.sha512),
        "1.2.840.10040.4.3": .dsa(.sha1), "2.16.840.1.101.3.4.3.1": .dsa(.sha224), "2.16.840.1.101.3.4.3.2": .dsa(.sha256),
        "1.3.101.112": .ed25519, "1.3.101.113": .ed448,
    ]

    static let hashes: [String: SslHash] = [
        "1.3.14.3.2.26": .sha1, "2.16.840.1.101.3.4.2.4": .sha224, "2.16.840.1.101.3.4.2.1": .sha256,
        "2.16.840.1.101.3.4.2.2": .sha384, "2.16.840.1.101.3.4.2.3": .sha512,
    ]

    /// RSASSA-PSS-params (RFC 4055 section 3.1).
    private static func pssHash(_ reader: DerReader) -> SslHash? {
        var reader = reader
        guard let parameters = reader.next(DerTag.sequence), reader.isEmpty else { return nil }
        var fields = DerReader(parameters.content)
        guard let named = fields.next(0xA0).flatMap({ DerReader.only(DerTag.sequence, $0.content) }), let hash = hash(named),
            let mask = fields.next(0xA1).flatMap({ DerReader.only(DerTag.sequence, $0.content) })
        else { return nil }
        var maskReader = DerReader(mask)
        guard let generator = maskReader.next(DerTag.objectIdentifier),
            DerValue.objectIdentifier(generator.content) == "1.2.840.113549.1.1.8",
            let inner = maskReader.next(DerTag.sequence), maskReader.isEmpty, self.hash(inner.content) == hash
        else { return nil }
        let salt = fields.next(0xA2).flatMap { DerReader.only(DerTag.integer, $0.content) }.flatMap(DerValue.smallNumber) ?? 20
        return fields.isEmpty && salt == hash.size ? hash : nil
    }

    private static func hash(_ algorithm: ArraySlice<UInt8>) -> SslHash? {
        var reader = DerReader(algorithm)
        return reader.next(DerTag.objectIdentifier).flatMap { DerValue.objectIdentifier($0.content) }.flatMap { hashes[$0] }
    }

    /// The hash; nil where the algorithm has its own.
    public var hash: SslHash? {
        switch self {
        case .rsaPkcs1(let hash), .rsaPss(let hash), .ecdsa(let hash), .dsa(let hash): hash
        case .ed25519, .ed448: nil
        }
    }
}

extension SslHash {
    /// The length of a digest in octets.
    public var size: Int {
        switch self {
        case .md5: 16
        case .sha1: 20
        case .sha224: 28
        case .sha256: 32
        case .sha384: 48
        case .sha512: 64
        }
    }
}
