public import SslValues

/// One parsed certificate: an engine's handle, with what the layers above ask of it. Immutable.
///
/// The same octets give the same values on every backend.
public protocol X509Certificate: AnyObject, Sendable {
    /// The certificate itself, in DER.
    var der: [UInt8] { get }
    /// The version as people count it: 1, 2 or 3.
    var version: Int { get }
    /// The serial number's content octets as they stand in the certificate (big-endian, with a leading zero octet if there is one).
    var serialNumber: [UInt8] { get }
    /// The subject, DER.
    var subjectDer: [UInt8] { get }
    /// The issuer, DER.
    var issuerDer: [UInt8] { get }
    /// The subject's attributes in order: dotted OID and text.
    var subject: [TlsNameAttribute] { get }
    /// The issuer's attributes in order.
    var issuer: [TlsNameAttribute] { get }
    /// Start of the validity; nil when malformed.
    var notBefore: SslInstant? { get }
    /// End of the validity; nil when malformed.
    var notAfter: SslInstant? { get }
    /// The alternative names in order; nil without the extension. Malformed ones fail the parse.
    var alternativeNames: [TlsAlternativeName]? { get }
    /// The extended key usages as dotted OIDs; nil without the extension.
    var extendedKeyUsage: [String]? { get }
    /// The key usage bits, bit 0 = digitalSignature … bit 8 = decipherOnly; nil without the extension.
    var keyUsage: UInt16? { get }
    /// Basic constraints; nil without the extension.
    var basicConstraints: TlsBasicConstraints? { get }
    /// The subject key identifier; nil without the extension.
    var subjectKeyIdentifier: [UInt8]? { get }
    /// The key identifier of the authority key identifier; nil without.
    var authorityKeyIdentifier: [UInt8]? { get }
    /// The SubjectPublicKeyInfo, DER.
    var publicKeyInfo: [UInt8] { get }
    /// The kind of the public key.
    var keyAlgorithm: SslKeyAlgorithm { get }
    /// The size of the public key in bits; 0 when the library cannot tell.
    var keyBits: Int { get }
    /// The dotted OID of the signature algorithm.
    var signatureAlgorithm: String { get }
    /// Every extension in order.
    var extensions: [TlsCertificateExtension] { get }

    /// A digest of the DER with the named hash; nil for a hash the library does not have.
    func digest(_ hash: TlsHash) -> [UInt8]?
    /// A dump for people; the words differ between backends.
    func text() -> String
}

extension X509Certificate {
    /// Subject and issuer are the same name.
    public var isSelfIssued: Bool { subjectDer == issuerDer }
}

/// One attribute of a distinguished name.
public struct TlsNameAttribute: Sendable, Hashable {
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
public enum TlsAlternativeName: Sendable, Hashable {
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
public struct TlsBasicConstraints: Sendable, Hashable {
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
public struct TlsCertificateExtension: Sendable, Hashable {
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
public enum TlsHash: Sendable, Hashable, CaseIterable {
    case md5, sha1, sha224, sha256, sha384, sha512
}
