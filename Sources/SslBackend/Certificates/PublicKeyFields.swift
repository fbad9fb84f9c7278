public import SslValues

/// What a SubjectPublicKeyInfo says (RFC 5280 section 4.1.2.7), the same on every backend.
public enum PublicKeyFields: Sendable, Hashable {
    /// RSA, with the bits of its modulus.
    case rsa(bits: Int)
    /// RSA for PSS signatures only.
    case rsaPss(bits: Int)
    /// DSA, with the bits of its prime.
    case dsa(bits: Int)
    /// A curve by its dotted OID; empty for one that is written out instead of named.
    case ec(curve: String)
    /// Finite-field Diffie-Hellman, with the bits of its prime.
    case dh(bits: Int)
    /// Ed25519 (RFC 8410).
    case ed25519
    /// Ed448 (RFC 8410).
    case ed448
    /// X25519 (RFC 8410).
    case x25519
    /// Anything else.
    case unknown

    /// Reads a SubjectPublicKeyInfo.
    public init(_ publicKeyInfo: [UInt8]) {
        self = .unknown
        guard let content = DerReader.only(DerTag.sequence, publicKeyInfo[...]) else { return }
        var reader = DerReader(content)
        guard let algorithm = reader.next(DerTag.sequence), let key = reader.next(DerTag.bitString), reader.isEmpty,
            key.content.first == 0
        else { return }
        var parts = DerReader(algorithm.content)
        guard let type = parts.next(DerTag.objectIdentifier), let oid = DerValue.objectIdentifier(type.content) else { return }
        let parameters = parts.next()
        func bits(_ numbers: ArraySlice<UInt8>?) -> Int? {
            guard let numbers, let list = DerReader.all(numbers, DerTag.integer), let first = list.first else { return nil }
            let significant = first.content.drop { $0 == 0 }
            return significant.first.map { significant.count * 8 - $0.leadingZeroBitCount }
        }
        let rsaBits = bits(DerReader.only(DerTag.sequence, key.content.dropFirst()))
        let primeBits = parameters?.tag == DerTag.sequence ? bits(parameters?.content) : nil
        switch oid {
        case "1.2.840.113549.1.1.1": if let rsaBits { self = .rsa(bits: rsaBits) }
        case "1.2.840.113549.1.1.10": if let rsaBits { self = .rsaPss(bits: rsaBits) }
        case "1.2.840.10040.4.1": self = .dsa(bits: primeBits ?? 0)
        case "1.2.840.113549.1.3.1", "1.2.840.10046.2.1": self = .dh(bits: primeBits ?? 0)
        case "1.2.840.10045.2.1":
            let named = parameters.flatMap { $0.tag == DerTag.objectIdentifier ? DerValue.objectIdentifier($0.content) : nil }
            self = .ec(curve: named ?? "")
        case "1.3.101.112": self = .ed25519
        case "1.3.101.113": self = .ed448
        case "1.3.101.110": self = .x25519
        default: break
        }
    }

    /// The kind.
    public var algorithm: SslKeyAlgorithm {
        switch self {
        case .rsa: .rsa
        case .rsaPss: .rsaPss
        case .dsa: .dsa
        case .ec: .ec
        case .dh: .dh
        case .ed25519: .ed25519
        case .ed448: .ed448
        case .x25519: .x25519
        case .unknown: .opaque
        }
    }

    /// The size in bits: of the modulus, the prime or the field; 0 when it is not known.
    public var bits: Int {
        switch self {
        case .rsa(let bits), .rsaPss(let bits), .dsa(let bits), .dh(let bits): bits
        case .ec(let curve): Self.curves[curve] ?? 0
        case .ed25519, .ed448, .x25519: algorithm.bits(reported: 0)
        case .unknown: 0
        }
    }

    /// The bits of named curves: NIST, secp256k1, Brainpool (r1 and t1).
    private static let curves: [String: Int] = [
        "1.2.840.10045.3.1.1": 192, "1.3.132.0.33": 224, "1.2.840.10045.3.1.7": 256, "1.3.132.0.34": 384, "1.3.132.0.35": 521,
        "1.3.132.0.10": 256, "1.3.36.3.3.2.8.1.1.1": 160, "1.3.36.3.3.2.8.1.1.3": 192, "1.3.36.3.3.2.8.1.1.5": 224,
        "1.3.36.3.3.2.8.1.1.7": 256, "1.3.36.3.3.2.8.1.1.9": 320, "1.3.36.3.3.2.8.1.1.11": 384, "1.3.36.3.3.2.8.1.1.13": 512,
    ]
}

extension CertificateFields {
    /// The public key, read.
    public var publicKey: PublicKeyFields { PublicKeyFields(publicKeyInfo) }
}
