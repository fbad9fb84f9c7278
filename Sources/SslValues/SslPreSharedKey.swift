/// A key that both ends have known all along, and the name it goes by (RFC 4279, RFC 8446 section 4.2.11).
///
/// A key made from a passphrase can be guessed by whoever pretends to be the server: use at least 16 random octets.
public struct SslPreSharedKey: Sendable, Hashable {
    /// What the client calls the key. It travels in the clear.
    public let identity: [UInt8]
    /// The key itself.
    public let key: SecretBytes
    /// The hash that TLS 1.3 binds the key to (RFC 8446 section 4.2.11): both ends must mean the same. TLS 1.2 has no such bond.
    public let hash: SslHash

    /// The longest identity every backend takes, in octets; RFC 4279 section 5.3 asks for no more.
    public static let maximumIdentityLength = 128
    /// The longest key every backend takes, in octets.
    public static let maximumKeyLength = 256

    /// Makes a key.
    ///
    /// - Parameters:
    ///   - identity: 1 to ``maximumIdentityLength`` octets, by RFC 4279 section 5.1 in UTF-8, without a zero octet.
    ///   - key: 1 to ``maximumKeyLength`` octets.
    ///   - hash: `.sha256`, which is what peers without a setting for it mean, or `.sha384`.
    /// - Throws: ``SslSocketError/Code/invalidUserData`` for anything else. Qt cuts what is too long.
    public init(identity: [UInt8], key: SecretBytes, hash: SslHash = .sha256) throws(SslSocketError) {
        guard Self.isIdentity(identity) else {
            throw SslSocketError(
                .invalidUserData,
                "The identity of a pre-shared key has 1 to \(Self.maximumIdentityLength) octets and no zero among them; this one has "
                    + "\(identity.count)")
        }
        guard (1...Self.maximumKeyLength).contains(key.count) else {
            throw SslSocketError(
                .invalidUserData,
                "A pre-shared key has 1 to \(Self.maximumKeyLength) octets; this one has \(key.count)")
        }
        guard hash == .sha256 || hash == .sha384 else {
            throw SslSocketError(
                .invalidUserData, "TLS 1.3 binds a pre-shared key to SHA-256 or SHA-384, not to \(hash)")
        }
        self.identity = identity
        self.key = key
        self.hash = hash
    }

    /// Makes a key whose identity is a text.
    public init(identity: String, key: SecretBytes, hash: SslHash = .sha256) throws(SslSocketError) {
        try self.init(identity: Array(identity.utf8), key: key, hash: hash)
    }

    /// True for octets that can be an identity.
    public static func isIdentity(_ octets: [UInt8]) -> Bool {
        (1...maximumIdentityLength).contains(octets.count) && !octets.contains(0)
    }
}
