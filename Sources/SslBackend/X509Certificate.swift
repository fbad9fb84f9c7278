public import SslValues

/// One parsed certificate: an engine's handle, with what the layers above ask of it. Immutable.
///
/// What stands in it is read by ``CertificateFields`` for every backend, so the same octets give the same values on all of them.
public protocol X509Certificate: AnyObject, Sendable {
    /// What stands in the certificate.
    var fields: CertificateFields { get }

    /// A digest of the DER with the named hash; nil for a hash the library does not have.
    func digest(_ hash: SslHash) -> [UInt8]?
    /// A dump for people; the words differ between backends.
    func text() -> String
}

extension X509Certificate {
    /// The certificate itself, in DER.
    public var der: [UInt8] { fields.der }
    /// The version as people count it: 1, 2 or 3.
    public var version: Int { fields.version }
    /// The serial number's content octets as they stand in the certificate (big-endian, with a leading zero octet if there is one).
    public var serialNumber: [UInt8] { fields.serialNumber }
    /// The subject, DER.
    public var subjectDer: [UInt8] { fields.subjectDer }
    /// The issuer, DER.
    public var issuerDer: [UInt8] { fields.issuerDer }
    /// The subject's attributes in order: dotted OID and text.
    public var subject: [SslNameAttribute] { fields.subjectName?.attributes ?? [] }
    /// The issuer's attributes in order.
    public var issuer: [SslNameAttribute] { fields.issuerName?.attributes ?? [] }
    /// Start of the validity.
    public var notBefore: SslInstant { fields.notBefore }
    /// End of the validity.
    public var notAfter: SslInstant { fields.notAfter }
    /// The alternative names in order; nil without the extension.
    public var alternativeNames: [SslAlternativeName]? { fields.alternativeNames }
    /// The extended key usages as dotted OIDs; nil without the extension.
    public var extendedKeyUsage: [String]? { fields.extendedKeyUsage }
    /// What the key may be used for; nil without the extension.
    public var keyUsage: SslKeyUsage? { fields.keyUsage }
    /// Basic constraints; nil without the extension.
    public var basicConstraints: SslBasicConstraints? { fields.basicConstraints }
    /// The subject key identifier; nil without the extension.
    public var subjectKeyIdentifier: [UInt8]? { fields.subjectKeyIdentifier }
    /// The key identifier of the authority key identifier; nil without.
    public var authorityKeyIdentifier: [UInt8]? { fields.authority?.keyIdentifier }
    /// The SubjectPublicKeyInfo, DER.
    public var publicKeyInfo: [UInt8] { fields.publicKeyInfo }
    /// The kind of the public key.
    public var keyAlgorithm: SslKeyAlgorithm { fields.publicKey.algorithm }
    /// The size of the public key in bits; 0 when it is not known.
    public var keyBits: Int { fields.publicKey.bits }
    /// The dotted OID of the signature algorithm.
    public var signatureAlgorithm: String { fields.signatureAlgorithm }
    /// Every extension in order.
    public var extensions: [SslCertificateExtension] { fields.extensions }
    /// Subject and issuer are the same name.
    public var isSelfIssued: Bool { fields.isSelfIssued }
}
