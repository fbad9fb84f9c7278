public import SslValues

/// The dotted OIDs of the extensions of RFC 5280.
public enum ExtensionOid {
    /// Section 4.2.1.2.
    public static let subjectKeyIdentifier = "2.5.29.14"
    /// Section 4.2.1.3.
    public static let keyUsage = "2.5.29.15"
    /// Section 4.2.1.6.
    public static let subjectAlternativeName = "2.5.29.17"
    /// Section 4.2.1.9.
    public static let basicConstraints = "2.5.29.19"
    /// Of revocation lists, section 5.2.3.
    public static let crlNumber = "2.5.29.20"
    /// Of an entry of a revocation list, section 5.3.1.
    public static let reasonCode = "2.5.29.21"
    /// Of revocation lists, section 5.2.4.
    public static let deltaCrlIndicator = "2.5.29.27"
    /// Of revocation lists, section 5.2.5.
    public static let issuingDistributionPoint = "2.5.29.28"
    /// Of an entry of a revocation list, section 5.3.3.
    public static let certificateIssuer = "2.5.29.29"
    /// Section 4.2.1.10.
    public static let nameConstraints = "2.5.29.30"
    /// Section 4.2.1.13.
    public static let crlDistributionPoints = "2.5.29.31"
    /// Section 4.2.1.4.
    public static let certificatePolicies = "2.5.29.32"
    /// Section 4.2.1.5.
    public static let policyMappings = "2.5.29.33"
    /// Section 4.2.1.1, and 5.2.1 of revocation lists.
    public static let authorityKeyIdentifier = "2.5.29.35"
    /// Section 4.2.1.11.
    public static let policyConstraints = "2.5.29.36"
    /// Section 4.2.1.12.
    public static let extendedKeyUsage = "2.5.29.37"
    /// Section 4.2.1.15, and 5.2.6 of revocation lists.
    public static let freshestCrl = "2.5.29.46"
    /// Section 4.2.1.14.
    public static let inhibitAnyPolicy = "2.5.29.54"
    /// Section 4.2.2.1, and 5.2.7 of revocation lists.
    public static let authorityInformationAccess = "1.3.6.1.5.5.7.1.1"
    /// RFC 7633, known as must-staple.
    public static let tlsFeature = "1.3.6.1.5.5.7.1.24"
    /// RFC 6962 section 3.3.
    public static let signedCertificateTimestamps = "1.3.6.1.4.1.11129.2.4.2"

    /// Those that ``SslCertificateExtension/Content`` reads.
    public static let decoded: Set<String> = [
        subjectKeyIdentifier, keyUsage, subjectAlternativeName, basicConstraints, nameConstraints, crlDistributionPoints,
        certificatePolicies, authorityKeyIdentifier, extendedKeyUsage, authorityInformationAccess, tlsFeature,
        signedCertificateTimestamps,
    ]
}

/// The GeneralNames of RFC 5280 section 4.2.1.6.
public enum GeneralName {
    /// Reads the content of a GeneralNames sequence; nil when it is malformed or empty.
    public static func list(_ content: ArraySlice<UInt8>) -> [SslAlternativeName]? {
        guard let elements = DerReader.all(content), !elements.isEmpty else { return nil }
        var names: [SslAlternativeName] = []
        names.reserveCapacity(elements.count)
        for element in elements {
            guard let name = name(element) else { return nil }
            names.append(name)
        }
        return names
    }

    /// Reads one name; nil when its tag is not one of a GeneralName.
    public static func name(_ element: DerReader.Element) -> SslAlternativeName? {
        let octets = Array(element.content)
        switch element.tag {
        case 0x81: return .email(octets)
        case 0x82: return .dns(octets)
        case 0x86: return .uri(octets)
        case 0x87: return .ipAddress(octets)
        case 0x88, 0xA0, 0xA3, 0xA4, 0xA5: return .other(tag: Int(element.tag & 0x1F), octets)
        default: return nil
        }
    }
}

extension SslAlternativeName {
    /// A directoryName; nil for every other kind and for a malformed one.
    public var directoryName: DistinguishedName? {
        guard case .other(tag: 4, let octets) = self else { return nil }
        return DistinguishedName(octets[...])
    }

    /// A directoryName in comparable form.
    public var canonicalDirectory: [UInt8]? { directoryName?.canonical }
}

extension CertificateFields {
    /// The first of the extensions everybody relies on that is there and malformed.
    var malformedExtension: String? {
        extensionPlaces.first { one in
            switch one.oid {
            case ExtensionOid.subjectKeyIdentifier: subjectKeyIdentifier == nil
            case ExtensionOid.keyUsage: keyUsage == nil
            case ExtensionOid.subjectAlternativeName: alternativeNames == nil
            case ExtensionOid.basicConstraints: basicConstraints == nil
            case ExtensionOid.authorityKeyIdentifier: authority == nil
            case ExtensionOid.extendedKeyUsage: extendedKeyUsage == nil
            default: false
            }
        }?.oid
    }

    private func decoded<T>(_ oid: String, _ read: (ArraySlice<UInt8>) -> T?) -> T? { extensionValue(oid).flatMap(read) }

    /// The alternative names in order; nil without the extension.
    public var alternativeNames: [SslAlternativeName]? {
        decoded(ExtensionOid.subjectAlternativeName, ExtensionValue.alternativeNames)
    }

    /// The extended key usages as dotted OIDs; nil without the extension.
    public var extendedKeyUsage: [String]? { decoded(ExtensionOid.extendedKeyUsage, ExtensionValue.objectIdentifiers) }

    /// The key usage bits; nil without the extension.
    public var keyUsage: SslKeyUsage? { decoded(ExtensionOid.keyUsage, ExtensionValue.keyUsage) }

    /// Basic constraints; nil without the extension.
    public var basicConstraints: SslBasicConstraints? {
        decoded(ExtensionOid.basicConstraints, ExtensionValue.basicConstraints)
    }

    /// The subject key identifier; nil without the extension.
    public var subjectKeyIdentifier: [UInt8]? { decoded(ExtensionOid.subjectKeyIdentifier, ExtensionValue.octets) }

    /// The authority key identifier; nil without the extension.
    public var authority: SslAuthorityKeyIdentifier? {
        decoded(ExtensionOid.authorityKeyIdentifier) { SslAuthorityKeyIdentifier(der: $0) }
    }
}
