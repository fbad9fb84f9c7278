public import SslValues

/// The public half of a key, read from a file or a certificate.
public struct TlsPublicKey: Sendable, Hashable {
    /// SubjectPublicKeyInfo, DER, in the library's spelling.
    public var publicKeyInfo: [UInt8]
    /// The kind.
    public var algorithm: SslKeyAlgorithm
    /// The size in bits, as ``TlsKey/bits``.
    public var bits: Int

    /// Puts one together.
    public init(publicKeyInfo: [UInt8], algorithm: SslKeyAlgorithm, bits: Int) {
        self.publicKeyInfo = publicKeyInfo
        self.algorithm = algorithm
        self.bits = bits
    }
}

/// What a PKCS#12 file holds (RFC 7292).
public struct TlsKeyBundle: Sendable {
    /// The private key; nil in a file of certificates alone.
    public var key: (any TlsKey)?
    /// The certificates in DER: the key's own first when there is one, the others in the order of the file.
    public var certificates: [[UInt8]]

    /// Puts one together.
    public init(key: (any TlsKey)?, certificates: [[UInt8]]) {
        self.key = key
        self.certificates = certificates
    }
}

/// A block cipher in CBC mode, as encrypted key files use it. Only AES serves for new files; the others are there to read old ones.
public enum TlsBlockCipher: Sendable, Hashable, CaseIterable {
    /// DES with its 56 bits.
    case des
    /// DES three times with three keys.
    case tripleDes
    /// RC2 with 128 bits (RFC 2268).
    case rc2
    /// RC2 cut down to 64 bits.
    case rc2With64Bits
    /// RC2 cut down to 40 bits.
    case rc2With40Bits
    /// AES with 128 bits.
    case aes128
    /// AES with 192 bits.
    case aes192
    /// AES with 256 bits.
    case aes256

    /// How many octets the key has.
    public var keyLength: Int {
        switch self {
        case .des, .rc2With64Bits: 8
        case .rc2With40Bits: 5
        case .rc2, .aes128: 16
        case .tripleDes, .aes192: 24
        case .aes256: 32
        }
    }

    /// How many octets a block has, and with it the initialization vector.
    public var blockLength: Int {
        switch self {
        case .des, .tripleDes, .rc2, .rc2With64Bits, .rc2With40Bits: 8
        case .aes128, .aes192, .aes256: 16
        }
    }
}

/// Which way a cipher runs.
public enum TlsCipherDirection: Sendable, Hashable {
    /// Plaintext in, ciphertext out.
    case encrypt
    /// Ciphertext in, plaintext out.
    case decrypt
}
