/// A cipher suite (`QSslCipher`), named as in the IANA registry on every backend.
///
/// Unlike Qt's class there is no null cipher: where none was negotiated the property is nil.
public struct SslCipher: Sendable, Hashable, CustomStringConvertible {
    /// The two bytes that stand for the suite on the wire.
    public let code: UInt16

    /// The suite with this code, known by name or not.
    public init(code: UInt16) { self.code = code }

    /// The suite of this name; nil when this library has no such suite.
    ///
    /// Three spellings are understood: IANA's (`TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256`), OpenSSL's, which Qt uses
    /// (`ECDHE-RSA-AES128-GCM-SHA256`), and that of older versions of GnuTLS (`TLS_ECDHE_RSA_AES_128_GCM_SHA256`).
    public init?(name: String) {
        guard let code = Self.codes[name] else { return nil }
        self.code = code
    }

    /// The suite of that name if it belongs to `protocol`; nil otherwise (`QSslCipher(name, protocol)`).
    public init?(name: String, protocol version: SslProtocol) {
        guard let cipher = SslCipher(name: name), cipher.protocol == version else { return nil }
        self = cipher
    }

    /// The IANA name; `TLS_UNKNOWN_xxxx` with the code in hexadecimal for a suite this library has no name for.
    public var name: String {
        if let row { return row.name }
        let hex = String(code, radix: 16)
        return "TLS_UNKNOWN_" + String(repeating: "0", count: 4 - hex.count) + hex
    }

    /// The version the suite belongs to: TLS 1.3 for the suites of RFC 8446, TLS 1.2 for all others named here.
    public var `protocol`: SslProtocol { isTls13 ? .tlsV1_3 : row == nil ? .unknownProtocol : .tlsV1_2 }

    /// The spelling of ``protocol``, for example `TLSv1.3`; empty for a suite this library has no name for.
    public var protocolString: String { isTls13 ? "TLSv1.3" : row == nil ? "" : "TLSv1.2" }

    /// True for a suite of TLS 1.3, which names neither key exchange nor authentication.
    public var isTls13: Bool { code >> 8 == 0x13 }

    /// True for a suite of TLS 1.2 that needs a pre-shared key (RFC 4279, RFC 5489). In TLS 1.3 that does not depend on the suite.
    public var needsPreSharedKey: Bool { row.map { $0.authentication == "PSK" || $0.keyExchange == "RSAPSK" } ?? false }

    /// How keys are agreed, for example `ECDHE`, `any` for TLS 1.3.
    public var keyExchangeMethod: String { row?.keyExchange ?? "unknown" }

    /// How the server proves who it is, for example `RSA`, `any` for TLS 1.3.
    public var authenticationMethod: String { row?.authentication ?? "unknown" }

    /// The cipher with its key size, for example `AES-GCM(128)`.
    public var encryptionMethod: String { row.map { "\($0.encryption)(\($0.bits))" } ?? "unknown" }

    /// The effective key size in bits.
    public var usedBits: Int { row?.bits ?? 0 }

    /// The key size of the algorithm in bits.
    public var supportedBits: Int { row?.bits ?? 0 }

    /// The name.
    public var description: String { name }

    /// Every suite this library knows by name, strongest and fastest first. It is the order in which the defaults offer them:
    /// AES-128-GCM before AES-256-GCM (SHA-256 has hardware support where SHA-384 has none) and ChaCha20 after AES, which every
    /// machine this library is measured on has in hardware.
    public static let all: [SslCipher] = table.map { SslCipher(code: $0.code) }

    /// The suites a configuration offers when it names none: those with forward secrecy and authenticated encryption.
    public static let defaults: [SslCipher] = table.filter(\.isDefault).map { SslCipher(code: $0.code) }

    /// The suites of TLS 1.2 that a configuration with pre-shared keys offers besides, before ``defaults``, when it names none: again those
    /// with forward secrecy and authenticated encryption.
    public static let preSharedKeyDefaults: [SslCipher] = [0xCCAC, 0x00AA, 0x00AB, 0xCCAD].map { SslCipher(code: $0) }

    // MARK: The registry

    struct Row: Sendable {
        let code: UInt16
        let name: String
        let keyExchange: String
        let authentication: String
        let encryption: String
        let bits: Int
        let isDefault: Bool
    }

    var row: Row? { Self.byCode[code] }
    private static let byCode: [UInt16: Row] = Dictionary(uniqueKeysWithValues: table.map { ($0.code, $0) })

    private static func row(
        _ code: UInt16, _ name: String, _ keyExchange: String, _ authentication: String, _ encryption: String, _ bits: Int,
        isDefault: Bool = false
    ) -> Row {
        Row(
            code: code, name: name, keyExchange: keyExchange, authentication: authentication, encryption: encryption, bits: bits,
            isDefault: isDefault)
    }

    /// From the IANA registry "TLS Cipher Suites".
    static let table: [Row] = [
        row(0x1301, "TLS_AES_128_GCM_SHA256", "any", "any", "AES-GCM", 128, isDefault: true),
        row(0x1302, "TLS_AES_256_GCM_SHA384", "any", "any", "AES-GCM", 256, isDefault: true),
        row(0x1303, "TLS_CHACHA20_POLY1305_SHA256", "any", "any", "ChaCha20-Poly1305", 256, isDefault: true),
        row(0x1304, "TLS_AES_128_CCM_SHA256", "any", "any", "AES-CCM", 128),
        row(0xC02B, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE", "ECDSA", "AES-GCM", 128, isDefault: true),
        row(0xC02F, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE", "RSA", "AES-GCM", 128, isDefault: true),
        row(0xC02C, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE", "ECDSA", "AES-GCM", 256, isDefault: true),
        row(0xC030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE", "RSA", "AES-GCM", 256, isDefault: true),
        row(0xCCA9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE", "ECDSA", "ChaCha20-Poly1305", 256, isDefault: true),
        row(0xCCA8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE", "RSA", "ChaCha20-Poly1305", 256, isDefault: true),
        row(0xC0AC, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM", "ECDHE", "ECDSA", "AES-CCM", 128),
        row(0xC0AD, "TLS_ECDHE_ECDSA_WITH_AES_256_CCM", "ECDHE", "ECDSA", "AES-CCM", 256),
        row(0x009E, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", "DHE", "RSA", "AES-GCM", 128),
        row(0x009F, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", "DHE", "RSA", "AES-GCM", 256),
        row(0xCCAA, "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "DHE", "RSA", "ChaCha20-Poly1305", 256),
        row(0xC09E, "TLS_DHE_RSA_WITH_AES_128_CCM", "DHE", "RSA", "AES-CCM", 128),
        row(0xC09F, "TLS_DHE_RSA_WITH_AES_256_CCM", "DHE", "RSA", "AES-CCM", 256),
        row(0xC023, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", "ECDHE", "ECDSA", "AES-CBC", 128),
        row(0xC027, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", "ECDHE", "RSA", "AES-CBC", 128),
        row(0xC024, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", "ECDHE", "ECDSA", "AES-CBC", 256),
        row(0xC028, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", "ECDHE", "RSA", "AES-CBC", 256),
        row(0xC009, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "ECDHE", "ECDSA", "AES-CBC", 128),
        row(0xC013, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "ECDHE", "RSA", "AES-CBC", 128),
        row(0xC00A, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "ECDHE", "ECDSA", "AES-CBC", 256),
        row(0xC014, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "ECDHE", "RSA", "AES-CBC", 256),
        row(0x0067, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256", "DHE", "RSA", "AES-CBC", 128),
        row(0x006B, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256", "DHE", "RSA", "AES-CBC", 256),
        row(0x0033, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA", "DHE", "RSA", "AES-CBC", 128),
        row(0x0039, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA", "DHE", "RSA", "AES-CBC", 256),
        row(0x009C, "TLS_RSA_WITH_AES_128_GCM_SHA256", "RSA", "RSA", "AES-GCM", 128),
        row(0x009D, "TLS_RSA_WITH_AES_256_GCM_SHA384", "RSA", "RSA", "AES-GCM", 256),
        row(0xC09C, "TLS_RSA_WITH_AES_128_CCM", "RSA", "RSA", "AES-CCM", 128),
        row(0xC09D, "TLS_RSA_WITH_AES_256_CCM", "RSA", "RSA", "AES-CCM", 256),
        row(0x003C, "TLS_RSA_WITH_AES_128_CBC_SHA256", "RSA", "RSA", "AES-CBC", 128),
        row(0x003D, "TLS_RSA_WITH_AES_256_CBC_SHA256", "RSA", "RSA", "AES-CBC", 256),
        row(0x002F, "TLS_RSA_WITH_AES_128_CBC_SHA", "RSA", "RSA", "AES-CBC", 128),
        row(0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA", "RSA", "RSA", "AES-CBC", 256),
        row(0x00A8, "TLS_PSK_WITH_AES_128_GCM_SHA256", "PSK", "PSK", "AES-GCM", 128),
        row(0x00A9, "TLS_PSK_WITH_AES_256_GCM_SHA384", "PSK", "PSK", "AES-GCM", 256),
        row(0xCCAB, "TLS_PSK_WITH_CHACHA20_POLY1305_SHA256", "PSK", "PSK", "ChaCha20-Poly1305", 256),
        row(0xD001, "TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256", "ECDHE", "PSK", "AES-GCM", 128),
        row(0xD002, "TLS_ECDHE_PSK_WITH_AES_256_GCM_SHA384", "ECDHE", "PSK", "AES-GCM", 256),
        row(0xCCAC, "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256", "ECDHE", "PSK", "ChaCha20-Poly1305", 256),
        row(0x00AA, "TLS_DHE_PSK_WITH_AES_128_GCM_SHA256", "DHE", "PSK", "AES-GCM", 128),
        row(0x00AB, "TLS_DHE_PSK_WITH_AES_256_GCM_SHA384", "DHE", "PSK", "AES-GCM", 256),
        row(0xCCAD, "TLS_DHE_PSK_WITH_CHACHA20_POLY1305_SHA256", "DHE", "PSK", "ChaCha20-Poly1305", 256),
        row(0xC037, "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256", "ECDHE", "PSK", "AES-CBC", 128),
        row(0x00AC, "TLS_RSA_PSK_WITH_AES_128_GCM_SHA256", "RSAPSK", "RSA", "AES-GCM", 128),
        row(0xCCAE, "TLS_RSA_PSK_WITH_CHACHA20_POLY1305_SHA256", "RSAPSK", "RSA", "ChaCha20-Poly1305", 256),
        row(0x00AD, "TLS_RSA_PSK_WITH_AES_256_GCM_SHA384", "RSAPSK", "RSA", "AES-GCM", 256),
    ]
}
