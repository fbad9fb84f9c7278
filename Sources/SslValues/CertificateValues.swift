/// One attribute of a distinguished name.
public struct SslNameAttribute: Sendable, Hashable {
    /// The dotted OID of the attribute type, for example `2.5.4.3` (common name).
    public var oid: String
    /// The value as text.
    public var value: String

    /// Makes an attribute.
    public init(oid: String, value: String) {
        self.oid = oid
        self.value = value
    }
}

/// One subject alternative name.
public enum SslAlternativeName: Sendable, Hashable {
    /// A DNS name as it stands in the certificate (octets, for it may hold anything).
    case dns([UInt8])
    /// 4 or 16 octets, or whatever malformed length stands there.
    case ipAddress([UInt8])
    /// An e-mail address.
    case email([UInt8])
    /// A URI.
    case uri([UInt8])
    /// Any other kind: the tag number of the GeneralName and its content octets.
    case other(tag: Int, [UInt8])
}

/// The basic constraints extension (RFC 5280 section 4.2.1.9).
public struct SslBasicConstraints: Sendable, Hashable {
    /// May sign certificates.
    public var isAuthority: Bool
    /// How many intermediates may follow; nil for no limit.
    public var pathLength: Int?

    /// Makes constraints.
    public init(isAuthority: Bool, pathLength: Int? = nil) {
        self.isAuthority = isAuthority
        self.pathLength = pathLength
    }
}

/// One extension, undecoded.
public struct SslCertificateExtension: Sendable, Hashable {
    /// Dotted OID.
    public var oid: String
    /// Whoever does not understand it must refuse the certificate.
    public var isCritical: Bool
    /// The content of the OCTET STRING, usually DER.
    public var value: [UInt8]

    /// Makes an extension.
    public init(oid: String, isCritical: Bool, value: [UInt8]) {
        self.oid = oid
        self.isCritical = isCritical
        self.value = value
    }
}

/// A hash function.
public enum SslHash: Sendable, Hashable, CaseIterable {
    /// MD5; broken, only for comparing with old lists.
    case md5
    /// SHA-1; broken for signatures.
    case sha1
    /// SHA-224.
    case sha224
    /// SHA-256.
    case sha256
    /// SHA-384.
    case sha384
    /// SHA-512.
    case sha512
}
