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
}

/// The authority key identifier (RFC 5280 section 4.2.1.1).
public struct AuthorityKeyIdentifier: Sendable, Hashable {
    /// The key of the issuer.
    public var keyIdentifier: [UInt8]?
    /// The canonical directory names of the issuer's issuer, each; nil when no issuer is named.
    public var issuers: [[UInt8]]?
    /// The serial number of the issuer's certificate.
    public var serialNumber: [UInt8]?

    /// Reads the extension, in certificates and revocation lists; nil when it is malformed.
    public init?(der value: ArraySlice<UInt8>) {
        guard let content = DerReader.only(DerTag.sequence, value) else { return nil }
        var reader = DerReader(content)
        keyIdentifier = reader.next(0x80).map { Array($0.content) }
        if let names = reader.next(0xA1) {
            guard let list = GeneralName.list(names.content) else { return nil }
            issuers = list.compactMap(\.canonicalDirectory)
        }
        if let number = reader.next(0x82) {
            guard DerValue.isInteger(number.content) else { return nil }
            serialNumber = Array(number.content)
        }
        if !reader.isEmpty { return nil }
    }
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

    /// The alternative names in order; nil without the extension.
    public var alternativeNames: [SslAlternativeName]? {
        guard let value = extensionValue(ExtensionOid.subjectAlternativeName),
            let content = DerReader.only(DerTag.sequence, value)
        else { return nil }
        return GeneralName.list(content)
    }

    /// The extended key usages as dotted OIDs; nil without the extension.
    public var extendedKeyUsage: [String]? {
        guard let value = extensionValue(ExtensionOid.extendedKeyUsage), let content = DerReader.only(DerTag.sequence, value),
            let elements = DerReader.all(content, DerTag.objectIdentifier), !elements.isEmpty
        else { return nil }
        let list = elements.compactMap { DerValue.objectIdentifier($0.content) }
        return list.count == elements.count ? list : nil
    }

    /// The key usage bits; nil without the extension.
    public var keyUsage: UInt16? {
        guard let value = extensionValue(ExtensionOid.keyUsage), let content = DerReader.only(DerTag.bitString, value) else {
            return nil
        }
        return DerValue.flags(content)
    }

    /// Basic constraints; nil without the extension.
    public var basicConstraints: SslBasicConstraints? {
        guard let value = extensionValue(ExtensionOid.basicConstraints), let content = DerReader.only(DerTag.sequence, value)
        else {
            return nil
        }
        var reader = DerReader(content)
        var constraints = SslBasicConstraints(isAuthority: false)
        if let flag = reader.next(DerTag.boolean) {
            guard let value = DerValue.boolean(flag.content) else { return nil }
            constraints.isAuthority = value
        }
        if let number = reader.next(DerTag.integer) {
            guard let length = DerValue.smallNumber(number.content) else { return nil }
            constraints.pathLength = length
        }
        return reader.isEmpty ? constraints : nil
    }

    /// The subject key identifier; nil without the extension.
    public var subjectKeyIdentifier: [UInt8]? {
        guard let value = extensionValue(ExtensionOid.subjectKeyIdentifier) else { return nil }
        return DerReader.only(DerTag.octetString, value).map { Array($0) }
    }

    /// The authority key identifier; nil without the extension.
    public var authority: AuthorityKeyIdentifier? {
        extensionValue(ExtensionOid.authorityKeyIdentifier).flatMap { AuthorityKeyIdentifier(der: $0) }
    }
}
