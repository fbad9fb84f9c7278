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
    var subject: [SslNameAttribute] { get }
    /// The issuer's attributes in order.
    var issuer: [SslNameAttribute] { get }
    /// Start of the validity; nil when malformed.
    var notBefore: SslInstant? { get }
    /// End of the validity; nil when malformed.
    var notAfter: SslInstant? { get }
    /// The alternative names in order; nil without the extension. Malformed ones fail the parse.
    var alternativeNames: [SslAlternativeName]? { get }
    /// The extended key usages as dotted OIDs; nil without the extension.
    var extendedKeyUsage: [String]? { get }
    /// The key usage bits, bit 0 = digitalSignature … bit 8 = decipherOnly; nil without the extension.
    var keyUsage: UInt16? { get }
    /// Basic constraints; nil without the extension.
    var basicConstraints: SslBasicConstraints? { get }
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
    var extensions: [SslCertificateExtension] { get }

    /// A digest of the DER with the named hash; nil for a hash the library does not have.
    func digest(_ hash: SslHash) -> [UInt8]?
    /// A dump for people; the words differ between backends.
    func text() -> String
}

extension X509Certificate {
    /// Subject and issuer are the same name.
    public var isSelfIssued: Bool { subjectDer == issuerDer }
}
