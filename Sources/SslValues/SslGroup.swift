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

/// An elliptic curve (`QSslEllipticCurve`): one of the groups. Where a name is none, the initialisers answer nil instead of an invalid curve.
public typealias SslEllipticCurve = SslGroup

extension SslGroup {
    private static let curves: [(SslGroup, String)] = [
        (.x25519, "X25519"), (.secp256r1, "prime256v1"), (.secp384r1, "secp384r1"), (.secp521r1, "secp521r1"), (.x448, "X448"),
    ]
    private static let nistNames: [(SslGroup, String)] = [(.secp256r1, "P-256"), (.secp384r1, "P-384"), (.secp521r1, "P-521")]

    /// The curve of this short name, as OpenSSL and Qt have it (`fromShortName`): `prime256v1`, `secp384r1`, `secp521r1`, `X25519`, `X448`,
    /// or NIST's `P-256`, `P-384`, `P-521`. Capitals matter. nil for any other.
    public init?(shortName: String) {
        guard let found = (Self.curves + Self.nistNames).first(where: { $0.1 == shortName }) else { return nil }
        self = found.0
    }

    /// The short name that OpenSSL and Qt have for a curve (`shortName`), for example `prime256v1`; the IANA name for other groups.
    public var shortName: String { Self.curves.first { $0.0 == self }?.1 ?? name }

    /// True for an elliptic curve (`isTlsNamedCurve`), false for a finite-field group and for a code this library has no name for.
    public var isTlsNamedCurve: Bool { Self.curves.contains { $0.0 == self } }

    /// The size of the group in bits: of the field of a curve, of the prime of a finite field; 0 for a code this library has no name for.
    public var bits: Int {
        switch code {
        case Self.x25519.code: 255
        case Self.secp256r1.code: 256
        case Self.secp384r1.code: 384
        case Self.x448.code: 448
        case Self.secp521r1.code: 521
        case Self.ffdhe2048.code: 2048
        case Self.ffdhe3072.code: 3072
        case Self.ffdhe4096.code: 4096
        case Self.ffdhe6144.code: 6144
        case Self.ffdhe8192.code: 8192
        default: 0
        }
    }
}

/// The public key a server made for one connection alone (`QSslConfiguration::ephemeralServerKey`), as a client sees it.
public struct SslEphemeralKey: Sendable, Hashable {
    /// ``SslKeyAlgorithm/ec``, ``SslKeyAlgorithm/x25519`` or, in a finite field, ``SslKeyAlgorithm/dh``. X448 counts as
    /// ``SslKeyAlgorithm/opaque``, which has no name of its own.
    public var algorithm: SslKeyAlgorithm
    /// The size of the group in bits.
    public var bits: Int
    /// The group; nil for a finite field that has no name.
    public var group: SslGroup?

    /// Describes a key of a named group.
    public init(group: SslGroup) {
        self.group = group
        bits = group.bits
        algorithm =
            group == .x25519 ? .x25519 : group == .x448 ? .opaque : group.isTlsNamedCurve ? .ec : group.bits > 0 ? .dh : .opaque
    }

    /// Describes a key of a finite field with a prime of so many bits.
    public init(diffieHellmanBits bits: Int) {
        algorithm = .dh
        self.bits = bits
    }
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

    /// What a message is hashed with before it is signed; nil for Ed25519 and Ed448, which take the message itself, and for codes without a name.
    public var hash: SslHash? {
        guard let suffix = name.split(separator: "_").last else { return nil }
        return SslHash.allCases.first { "\($0)" == suffix }
    }

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
