internal import SslBackend
public import SslValues

/// The prime and generator of a finite-field Diffie-Hellman exchange in TLS 1.2 (`QSslDiffieHellmanParameters`).
///
/// Only servers that offer DHE suites need them, and only for clients that know no named group (RFC 7919); TLS 1.3 has named groups only.
/// A value is always usable: parameters that are damaged or unsafe cannot be made. Where Qt has an empty object for "automatic",
/// ``SslConfiguration/diffieHellmanParameters`` is nil.
public struct SslDiffieHellmanParameters: Sendable, Hashable {
    /// The smallest prime in bits that is accepted: 112 bits of security (NIST SP 800-57 part 1, table 2). Qt accepts 1024 bits, which RFC 9325
    /// section 4.1 forbids.
    public static let minimumBits = 2048
    /// No library computes with a larger prime, and none should for an unknown client.
    static let maximumBits = 10_000

    /// The parameters as `DHParameter` of PKCS #3, DER.
    public let der: [UInt8]
    /// The size of the prime in bits.
    public let bits: Int

    /// The 2048-bit group of RFC 3526 section 3 (`defaultParameters`), known to be safe.
    public static let `default` = SslDiffieHellmanParameters(wellKnown: modp2048)

    /// Reads parameters (`fromEncoded`) and checks that they are safe: the prime has at least ``minimumBits``, it and half of it are prime, and the
    /// generator is no trivial one. That takes some tens of milliseconds for 2048 bits.
    ///
    /// - Parameters:
    ///   - bytes: PEM with the label `DH PARAMETERS` (the first such block counts), or DER.
    ///   - backend: the name of the backend that checks; nil for the active one.
    /// - Throws: ``SslSocketError/Code/invalidUserData`` for data that are no parameters (`InvalidInputDataError`),
    ///   ``SslSocketError/Code/unsafeParameters`` for such as must not be used (`UnsafeParametersError`).
    public init(_ bytes: [UInt8], format: SslEncodingFormat = .pem, backend: String? = nil) throws(SslSocketError) {
        var der = bytes
        if format == .pem {
            guard let block = try Pem.blocks(in: bytes, labels: ["DH PARAMETERS"]).first else {
                throw SslSocketError(.invalidUserData, "There are no Diffie-Hellman parameters in the data")
            }
            der = block.der
        }
        guard let numbers = Self.numbers(in: der) else {
            throw SslSocketError(.invalidUserData, "The Diffie-Hellman parameters are malformed")
        }
        let bits = Self.bits(of: numbers.prime)
        guard (Self.minimumBits...Self.maximumBits).contains(bits) else {
            throw Self.unsafeError("the prime has \(bits) bits, \(Self.minimumBits) to \(Self.maximumBits) are accepted")
        }
        guard Self.isProper(generator: numbers.generator, prime: numbers.prime) else {
            throw Self.unsafeError("the generator is not between 2 and the prime less 2")
        }
        if numbers.prime != Self.modp2048 {
            guard try SslBackends.resolve(backend).isSafePrime(numbers.prime) else {
                throw Self.unsafeError("the modulus is not a safe prime")
            }
        }
        self.der = der
        self.bits = bits
    }

    /// Reads parameters from a file.
    public init(fromFile path: String, format: SslEncodingFormat = .pem, backend: String? = nil) throws(SslSocketError) {
        try self.init(FileReader.read(path), format: format, backend: backend)
    }

    /// The parameters as text (PEM).
    public var pem: String { Pem.encode(der, label: "DH PARAMETERS") }

    // MARK: Checks

    private static func unsafeError(_ reason: String) -> SslSocketError {
        SslSocketError(.unsafeParameters, "The Diffie-Hellman parameters are not safe: \(reason)")
    }

    private static func bits(of number: [UInt8]) -> Int {
        guard let first = number.first else { return 0 }
        return number.count * 8 - first.leadingZeroBitCount
    }

    /// 1 and the prime less 1 generate groups of one and two elements.
    private static func isProper(generator: [UInt8], prime: [UInt8]) -> Bool {
        guard generator.count > 1 || (generator.first ?? 0) > 1 else { return false }
        guard generator.count == prime.count else { return generator.count < prime.count }
        // An odd prime less 1 has only its last octet changed.
        var last = prime
        last[last.count - 1] &-= 1
        return generator.lexicographicallyPrecedes(last)
    }

    // MARK: PKCS #3

    /// `SEQUENCE { prime INTEGER, base INTEGER, privateValueLength INTEGER OPTIONAL }`, without sign octets; nil for anything else.
    private static func numbers(in der: [UInt8]) -> (prime: [UInt8], generator: [UInt8])? {
        var outer = der[...]
        guard var content = element(0x30, from: &outer), outer.isEmpty, let prime = number(from: &content),
            let generator = number(from: &content)
        else { return nil }
        if !content.isEmpty { guard number(from: &content) != nil, content.isEmpty else { return nil } }
        return (prime, generator)
    }

    /// A positive INTEGER.
    private static func number(from bytes: inout ArraySlice<UInt8>) -> [UInt8]? {
        guard let content = element(0x02, from: &bytes), let first = content.first, first < 0x80 else { return nil }
        let digits = Array(content.drop { $0 == 0 })
        // One zero octet keeps a number positive; more are not DER.
        guard content.count - digits.count <= 1, !digits.isEmpty else { return nil }
        return digits
    }

    /// The content of one element with this tag, which is taken off `bytes`.
    private static func element(_ tag: UInt8, from bytes: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard bytes.popFirst() == tag, let first = bytes.popFirst() else { return nil }
        var length = Int(first)
        if first >= 0x80 {
            let count = Int(first & 0x7F)
            guard (1...2).contains(count), bytes.count >= count else { return nil }
            length = bytes.prefix(count).reduce(0) { $0 << 8 | Int($1) }
            bytes = bytes.dropFirst(count)
            guard length >= (count == 1 ? 0x80 : 0x100) else { return nil }
        }
        guard bytes.count >= length else { return nil }
        defer { bytes = bytes.dropFirst(length) }
        return bytes.prefix(length)
    }

    // MARK: The default

    private init(wellKnown prime: [UInt8]) {
        bits = Self.bits(of: prime)
        let number: [UInt8] = [0x02, 0x82, UInt8((prime.count + 1) >> 8), UInt8((prime.count + 1) & 0xFF), 0] + prime
        let content = number + [0x02, 0x01, 0x02]
        der = [0x30, 0x82, UInt8(content.count >> 8), UInt8(content.count & 0xFF)] + content
    }

    /// RFC 3526 section 3: 2^2048 - 2^1984 - 1 + 2^64 * ([2^1918 pi] + 124476).
    private static let modp2048: [UInt8] = {
        let digits = """
            ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f1437\
            4fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7edee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf05\
            98da48361c55d39a69163fa8fd24cf5f83655d23dca3ad961c62f356208552bb9ed529077096966d670c354e4abc9804f1746c08ca18217c32905e462e36ce3b\
            e39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf6955817183995497cea956ae515d2261898fa051015728e5a8aacaa68ffffffffffffffff
            """
        let values = digits.utf8.map { $0 < 0x40 ? $0 - 0x30 : $0 - 0x61 + 10 }
        return stride(from: 0, to: values.count - 1, by: 2).map { values[$0] << 4 | values[$0 + 1] }
    }()
}

extension SslDiffieHellmanParameters: CustomStringConvertible {
    /// The size.
    public var description: String { "Diffie-Hellman parameters, \(bits) bits" }
}
