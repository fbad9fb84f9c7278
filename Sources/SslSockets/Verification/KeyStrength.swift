internal import SslBackend
internal import SslValues

/// The one security level of certificates: 112 bits (level 2 of OpenSSL, "medium" of GnuTLS), judged by one table for all backends.
///
/// RSA and DSA keys have 2048 bits or more, elliptic curves 224; signatures rest on SHA-2 or are Ed25519 or Ed448.
enum KeyStrength {
    /// P-224, P-256, P-384, P-521, and the Brainpool curves of 224 bits and more.
    private static let curves: Set<String> = [
        "1.3.132.0.33", "1.2.840.10045.3.1.7", "1.3.132.0.34", "1.3.132.0.35",
        "1.3.36.3.3.2.8.1.1.5", "1.3.36.3.3.2.8.1.1.7", "1.3.36.3.3.2.8.1.1.9", "1.3.36.3.3.2.8.1.1.11", "1.3.36.3.3.2.8.1.1.13",
    ]

    /// Whether a key is strong enough.
    static func isStrong(_ key: PublicKeyFields) -> Bool {
        switch key {
        case .rsa(let bits), .rsaPss(let bits), .dsa(let bits): bits >= 2048
        case .ec(let curve): curves.contains(curve)
        case .ed25519, .ed448: true
        case .dh, .x25519, .unknown: false
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
