internal import SslBackend
public import SslValues

extension SslCertificate {
    /// Every extension in order (`extensions`), with its octets and, for the common kinds, what it says.
    public var extensions: [SslCertificateExtension] { parsed.extensions }

    /// What the extension with this dotted OID says; nil without it, for a kind that is not known here, and for one that is malformed.
    public func extensionContent(_ oid: String) -> SslCertificateExtension.Content? {
        parsed.fields.extensionValue(oid).flatMap { SslCertificateExtension.Content(oid: oid, value: $0) }
    }

    /// What the key may be used for (RFC 5280 section 4.2.1.3); nil without the extension: anything.
    public var keyUsage: SslKeyUsage? { parsed.keyUsage }

    /// The purposes the key may be used for, as dotted OIDs (RFC 5280 section 4.2.1.12); nil without the extension: anything.
    public var extendedKeyUsage: [String]? { parsed.extendedKeyUsage }

    /// Whether the key may sign certificates, and how many authorities may follow; nil without the extension: it may not.
    public var basicConstraints: SslBasicConstraints? { parsed.basicConstraints }

    /// Which key the subject has, in the issuer's words; nil without the extension.
    public var subjectKeyIdentifier: [UInt8]? { parsed.subjectKeyIdentifier }

    /// Which key the issuer signed with; nil without the extension.
    public var authorityKeyIdentifier: SslAuthorityKeyIdentifier? { parsed.fields.authority }

    /// The policies it was issued under; empty without the extension, or with a malformed one.
    public var certificatePolicies: [SslCertificatePolicy] {
        guard case .certificatePolicies(let list) = extensionContent(ExtensionOid.certificatePolicies) else { return [] }
        return list
    }

    /// Where something about the issuer can be asked; empty without the extension, or with a malformed one.
    public var authorityInformationAccess: [SslAccessDescription] {
        guard case .authorityInformationAccess(let list) = extensionContent(ExtensionOid.authorityInformationAccess) else {
            return []
        }
        return list
    }

    /// Where revocation lists are published; empty without the extension, or with a malformed one.
    public var crlDistributionPoints: [SslDistributionPoint] {
        guard case .crlDistributionPoints(let list) = extensionContent(ExtensionOid.crlDistributionPoints) else { return [] }
        return list
    }

    /// Promises of logs to publish the certificate (RFC 6962), whose signatures are not checked; empty without the extension, or with a malformed one.
    public var signedCertificateTimestamps: [SslSignedCertificateTimestamp] {
        guard case .signedCertificateTimestamps(let list) = extensionContent(ExtensionOid.signedCertificateTimestamps) else {
            return []
        }
        return list
    }

    /// The TLS extensions that a server with this certificate must answer (RFC 7633); empty without the extension, or with a malformed one.
    /// With 5 in it, known as must-staple, the server promises to staple its status.
    public var tlsFeatures: [UInt16] {
        guard case .tlsFeatures(let list) = extensionContent(ExtensionOid.tlsFeature) else { return [] }
        return list
    }

    /// The dotted OID of the algorithm its issuer signed with, for example `1.2.840.10045.4.3.2` for ECDSA with SHA-256.
    public var signatureAlgorithm: String { parsed.signatureAlgorithm }
}

extension SslCertificateExtension {
    /// What it says (`value`, where Qt has a variant); nil for a kind that is not known here, and for one that is malformed: ``value`` has the octets.
    public var content: Content? { Content(oid: oid, value: value[...]) }

    /// ``content`` says what it means (`isSupported`). Qt knows four kinds, this library twelve.
    public var isSupported: Bool { content != nil }

    /// The short name that Qt and OpenSSL give it, for example `basicConstraints` (`name`); the OID when it has none.
    public var name: String { Self.names[oid] ?? oid }

    private static let names: [String: String] = [
        ExtensionOid.basicConstraints: "basicConstraints", ExtensionOid.keyUsage: "keyUsage",
        ExtensionOid.extendedKeyUsage: "extendedKeyUsage", ExtensionOid.subjectAlternativeName: "subjectAltName",
        "2.5.29.18": "issuerAltName", ExtensionOid.authorityInformationAccess: "authorityInfoAccess",
        "1.3.6.1.5.5.7.1.11": "subjectInfoAccess", ExtensionOid.subjectKeyIdentifier: "subjectKeyIdentifier",
        ExtensionOid.authorityKeyIdentifier: "authorityKeyIdentifier",
        ExtensionOid.crlDistributionPoints: "crlDistributionPoints", ExtensionOid.freshestCrl: "freshestCRL",
        ExtensionOid.certificatePolicies: "certificatePolicies", ExtensionOid.policyMappings: "policyMappings",
        ExtensionOid.policyConstraints: "policyConstraints", ExtensionOid.inhibitAnyPolicy: "inhibitAnyPolicy",
        ExtensionOid.nameConstraints: "nameConstraints", ExtensionOid.signedCertificateTimestamps: "ct_precert_scts",
        ExtensionOid.tlsFeature: "tlsfeature", "1.3.6.1.4.1.11129.2.4.3": "ct_precert_poison",
        "1.3.6.1.5.5.7.48.1.5": "noCheck", "2.16.840.1.113730.1.13": "nsComment", "2.16.840.1.113730.1.1": "nsCertType",
    ]
}
