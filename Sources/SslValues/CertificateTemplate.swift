/// What to generate.
public enum SslKeyKind: Sendable, Hashable {
    /// RSA with a modulus of so many bits: 2048 to 16384.
    case rsa(bits: Int)
    /// A NIST curve: secp256r1, secp384r1 or secp521r1.
    case ec(SslGroup)
    /// Ed25519.
    case ed25519
    /// Ed448.
    case ed448
}

/// Everything that stands in a certificate to be issued.
public struct SslCertificateTemplate: Sendable, Hashable {
    /// The subject's attributes in order.
    public var subject: [SslNameAttribute]
    /// 1 to 20 octets, big-endian, positive.
    public var serialNumber: [UInt8]
    /// Start of the validity.
    public var notBefore: SslInstant
    /// End of the validity.
    public var notAfter: SslInstant
    /// Alternative names; empty: no extension.
    public var alternativeNames: [SslAlternativeName] = []
    /// Basic constraints, critical when present.
    public var basicConstraints: SslBasicConstraints?
    /// What the key may be used for, critical; nil: no extension.
    public var keyUsage: SslKeyUsage?
    /// Extended key usages as dotted OIDs; empty: no extension.
    public var extendedKeyUsage: [String] = []
    /// Adds subject and authority key identifiers.
    public var hasKeyIdentifiers = true
    /// The hash of the signature; Ed25519 and Ed448 keys ignore it. SHA-1 is for tests of its refusal.
    public var hash: SslHash = .sha256
    /// Further extensions, appended as they are.
    public var extensions: [SslCertificateExtension] = []

    /// A template with the required parts.
    public init(subject: [SslNameAttribute], serialNumber: [UInt8], notBefore: SslInstant, notAfter: SslInstant) {
        self.subject = subject
        self.serialNumber = serialNumber
        self.notBefore = notBefore
        self.notAfter = notAfter
    }
}
