/// A named group of the IANA registry "TLS Supported Groups", for key agreement.
public struct SslGroup: Sendable, Hashable, CustomStringConvertible {
    /// The two bytes on the wire.
    public let code: UInt16

    /// The group with this code.
    public init(code: UInt16) { self.code = code }

    /// The group with this IANA name, for example `x25519`; nil when this library does not know it.
    public init?(name: String) {
        guard let row = Self.table.first(where: { $0.1 == name }) else { return nil }
        code = row.0
    }

    /// NIST P-256 (RFC 8422).
    public static let secp256r1 = SslGroup(code: 23)
    /// NIST P-384 (RFC 8422).
    public static let secp384r1 = SslGroup(code: 24)
    /// NIST P-521 (RFC 8422).
    public static let secp521r1 = SslGroup(code: 25)
    /// Curve25519 (RFC 7748).
    public static let x25519 = SslGroup(code: 29)
    /// Curve448 (RFC 7748).
    public static let x448 = SslGroup(code: 30)
    /// Finite-field Diffie-Hellman of 2048 bits (RFC 7919).
    public static let ffdhe2048 = SslGroup(code: 256)
    /// Finite-field Diffie-Hellman of 3072 bits (RFC 7919).
    public static let ffdhe3072 = SslGroup(code: 257)
    /// Finite-field Diffie-Hellman of 4096 bits (RFC 7919).
    public static let ffdhe4096 = SslGroup(code: 258)
    /// Finite-field Diffie-Hellman of 6144 bits (RFC 7919).
    public static let ffdhe6144 = SslGroup(code: 259)
    /// Finite-field Diffie-Hellman of 8192 bits (RFC 7919).
    public static let ffdhe8192 = SslGroup(code: 260)

    /// The groups a configuration offers when it names none, X25519 first. A TLS 1.3 client sends one key share, for the first.
    public static let defaults: [SslGroup] = [.x25519, .secp256r1, .secp384r1, .secp521r1]

    /// Every group this library knows by name.
    public static let all: [SslGroup] = table.map { SslGroup(code: $0.0) }

    /// The IANA name; `unknown_N` for a code this library has no name for.
    public var name: String { Self.table.first { $0.0 == code }?.1 ?? "unknown_\(code)" }

    /// The name.
    public var description: String { name }

    private static let table: [(UInt16, String)] = [
        (29, "x25519"), (23, "secp256r1"), (24, "secp384r1"), (25, "secp521r1"), (30, "x448"), (256, "ffdhe2048"),
        (257, "ffdhe3072"), (258, "ffdhe4096"), (259, "ffdhe6144"), (260, "ffdhe8192"),
    ]
}

/// A signature scheme of the IANA registry "TLS SignatureScheme".
public struct SslSignatureScheme: Sendable, Hashable, CustomStringConvertible {
    /// The two bytes on the wire.
    public let code: UInt16

    /// The scheme with this code.
    public init(code: UInt16) { self.code = code }

    /// The scheme with this IANA name, for example `ecdsa_secp256r1_sha256`; nil when this library does not know it.
    public init?(name: String) {
        guard let row = Self.table.first(where: { $0.1 == name }) else { return nil }
        code = row.0
    }

    /// Every scheme this library knows by name.
    public static let all: [SslSignatureScheme] = table.map { SslSignatureScheme(code: $0.0) }

    /// The IANA name; `unknown_xxxx` in hexadecimal for a code this library has no name for.
    public var name: String { Self.table.first { $0.0 == code }?.1 ?? "unknown_" + String(code, radix: 16) }

    /// The name.
    public var description: String { name }

    private static let table: [(UInt16, String)] = [
        (0x0403, "ecdsa_secp256r1_sha256"), (0x0503, "ecdsa_secp384r1_sha384"), (0x0603, "ecdsa_secp521r1_sha512"),
        (0x0807, "ed25519"), (0x0808, "ed448"), (0x0804, "rsa_pss_rsae_sha256"), (0x0805, "rsa_pss_rsae_sha384"),
        (0x0806, "rsa_pss_rsae_sha512"), (0x0809, "rsa_pss_pss_sha256"), (0x080A, "rsa_pss_pss_sha384"),
        (0x080B, "rsa_pss_pss_sha512"), (0x0401, "rsa_pkcs1_sha256"), (0x0501, "rsa_pkcs1_sha384"),
        (0x0601, "rsa_pkcs1_sha512"), (0x0203, "ecdsa_sha1"), (0x0201, "rsa_pkcs1_sha1"),
    ]
}
