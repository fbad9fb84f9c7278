internal import SslBackend
internal import SslValues

/// The one security level of certificates: 112 bits (level 2 of OpenSSL, "medium" of GnuTLS), judged by one table for all backends.
///
/// RSA and DSA keys have 2048 bits or more, elliptic curves 224; signatures rest on SHA-2 or are Ed25519 or Ed448.
enum KeyStrength {
    /// What a SubjectPublicKeyInfo says.
    enum PublicKey: Equatable {
        case rsa(bits: Int)
        case dsa(bits: Int)
        /// A named curve.
        case ec(curve: String)
        case ed25519
        case ed448
        /// Anything else, explicit curve parameters among them.
        case unknown
    }

    /// Reads a SubjectPublicKeyInfo.
    static func key(_ publicKeyInfo: [UInt8]) -> PublicKey {
        guard let content = DerReader.only(DerTag.sequence, publicKeyInfo[...]) else { return .unknown }
        var reader = DerReader(content)
        guard let algorithm = reader.next(DerTag.sequence), let key = reader.next(DerTag.bitString), key.content.first == 0 else {
            return .unknown
        }
        var parts = DerReader(algorithm.content)
        guard let type = parts.next(DerTag.objectIdentifier), let oid = DerValue.objectIdentifier(type.content) else {
            return .unknown
        }
        switch oid {
        case "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10":
            let numbers = DerReader.only(DerTag.sequence, key.content.dropFirst()).flatMap { DerReader.all($0, DerTag.integer) }
            return numbers.flatMap(\.first).map { .rsa(bits: bits($0.content)) } ?? .unknown
        case "1.2.840.10040.4.1":
            let numbers = parts.next(DerTag.sequence).flatMap { DerReader.all($0.content, DerTag.integer) }
            return numbers.flatMap(\.first).map { .dsa(bits: bits($0.content)) } ?? .unknown
        case "1.2.840.10045.2.1":
            return parts.next(DerTag.objectIdentifier).flatMap { DerValue.objectIdentifier($0.content) }.map { .ec(curve: $0) }
                ?? .unknown
        case "1.3.101.112": return .ed25519
        case "1.3.101.113": return .ed448
        default: return .unknown
        }
    }

    private static func bits(_ number: ArraySlice<UInt8>) -> Int {
        let significant = number.drop { $0 == 0 }
        return significant.first.map { significant.count * 8 - $0.leadingZeroBitCount } ?? 0
    }

    /// P-224, P-256, P-384, P-521, and the Brainpool curves of 224 bits and more.
    private static let curves: Set<String> = [
        "1.3.132.0.33", "1.2.840.10045.3.1.7", "1.3.132.0.34", "1.3.132.0.35",
        "1.3.36.3.3.2.8.1.1.5", "1.3.36.3.3.2.8.1.1.7", "1.3.36.3.3.2.8.1.1.9", "1.3.36.3.3.2.8.1.1.11", "1.3.36.3.3.2.8.1.1.13",
    ]

    /// Whether a key is strong enough.
    static func isStrong(_ key: PublicKey) -> Bool {
        switch key {
        case .rsa(let bits), .dsa(let bits): bits >= 2048
        case .ec(let curve): curves.contains(curve)
        case .ed25519, .ed448: true
        case .unknown: false
        }
    }

    /// Whether a signature algorithm is strong enough.
    static func isStrong(_ algorithm: X509SignatureAlgorithm?) -> Bool {
        guard let algorithm else { return false }
        return switch algorithm.hash {
        case .md5, .sha1: false
        case .sha224, .sha256, .sha384, .sha512, nil: true
        }
    }
}
