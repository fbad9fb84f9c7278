internal import SslBackend
internal import SslValues

/// What the standards require of a certificate by itself, whatever path it is on: ``SslCertificateProfile``.
struct CertificateConformance {
    /// Where the certificate stands.
    struct Place {
        var isLeaf: Bool
        var isAnchor: Bool
        /// It is judged as a server's.
        var isServer: Bool
    }

    private let fields: CertificateFields
    private let place: Place
    private let isAuthority: Bool

    init(_ fields: CertificateFields, _ place: Place) {
        self.fields = fields
        self.place = place
        isAuthority = fields.basicConstraints?.isAuthority ?? false
    }

    /// What is wrong by the profile; nil when nothing is.
    func problem(_ profile: SslCertificateProfile) -> SslErrorCode? {
        switch profile {
        case .path: return nil
        case .rfc5280: return keepsToRfc5280(isWeb: false) ? nil : .malformedCertificate
        case .webPki:
            guard keepsToRfc5280(isWeb: true) && keepsToBaselineRequirements else { return .malformedCertificate }
            return hasProvenCommonNames ? nil : .hostNameMismatch
        }
    }

    // MARK: RFC 5280 section 4

    /// How an anchor was issued matters to nobody: roots that browsers trust have the serial number 0, and a root that another has signed
    /// too is still trusted for itself.
    private func keepsToRfc5280(isWeb: Bool) -> Bool {
        (place.isAnchor || hasProperSerialNumber) && hasProperNames && hasProperKeyIdentifiers
            && hasProperCriticality(isWeb: isWeb) && hasProperAuthority
            && fields.notBefore <= fields.notAfter
    }

    /// Section 4.1.2.2: positive, at most 20 octets.
    private var hasProperSerialNumber: Bool {
        let serial = fields.serialNumber
        return serial.count <= 20 && (serial.first ?? 0x80) < 0x80 && serial.contains { $0 != 0 }
    }

    /// Sections 4.1.2.4, 4.1.2.6 and 4.2.1.6.
    private var hasProperNames: Bool {
        if fields.issuerName?.sets.isEmpty ?? true { return false }
        if fields.hasEmptySubject {
            // Whoever has no subject needs alternative names that nobody may overlook.
            if isAuthority || fields.isCritical(ExtensionOid.subjectAlternativeName) != true { return false }
        }
        return (fields.alternativeNames ?? []).allSatisfy { name in
            switch name {
            case .ipAddress(let octets): octets.count == 4 || octets.count == 16
            case .dns(let octets): Self.isPreferredName(octets)
            case .email(let octets), .uri(let octets): octets.allSatisfy { $0 < 0x80 && $0 > 0x20 }
            case .other: true
            }
        }
    }

    /// The preferred name syntax that section 4.2.1.6 asks for (RFC 1034 section 3.5, RFC 1123 section 2.1): labels of letters, digits, and hyphens inside;
    /// and the wildcard of RFC 9525.
    private static func isPreferredName(_ octets: [UInt8]) -> Bool {
        let hyphen = UInt8(ascii: "-")
        let plain = octets.starts(with: Array("*.".utf8)) ? octets.dropFirst(2) : octets[...]
        return !plain.isEmpty && octets.count <= 253
            && plain.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { label in
                (1...63).contains(label.count) && label.first != hyphen && label.last != hyphen
                    && label.allSatisfy { octet in
                        switch octet {
                        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, hyphen: true
                        default: false
                        }
                    }
            }
    }

    /// Sections 4.2.1.1 and 4.2.1.2.
    private var hasProperKeyIdentifiers: Bool {
        if isAuthority, fields.subjectKeyIdentifier == nil { return false }
        guard let authority = fields.authority else { return fields.isSelfIssued || place.isAnchor }
        return authority.keyIdentifier != nil && (authority.issuers == nil) == (authority.serialNumber == nil)
    }

    private func hasProperCriticality(isWeb: Bool) -> Bool {
        let never = [
            ExtensionOid.subjectKeyIdentifier, ExtensionOid.authorityKeyIdentifier, ExtensionOid.authorityInformationAccess,
            ExtensionOid.freshestCrl, "1.3.6.1.5.5.7.1.11", "2.5.29.9",
        ]
        if never.contains(where: { fields.isCritical($0) == true }) { return false }
        // Policy constraints are not among these: RFC 3280, under which many authorities were made, left it to them.
        var always = [ExtensionOid.inhibitAnyPolicy]
        // The CA/Browser Forum allows constraints that are not critical, for the sake of old clients.
        if !isWeb { always.append(ExtensionOid.nameConstraints) }
        if isAuthority { always.append(ExtensionOid.basicConstraints) }
        return !always.contains { fields.isCritical($0) == false }
    }

    /// Sections 4.2.1.3, 4.2.1.9 and 4.2.1.10.
    private var hasProperAuthority: Bool {
        let usage = fields.keyUsage
        if usage?.isEmpty == true { return false }
        let signs = usage?.contains(.certificateSigning)
        if isAuthority ? signs == false : signs == true { return false }
        if !isAuthority, fields.basicConstraints?.pathLength != nil { return false }
        return isAuthority || fields.extensionValue(ExtensionOid.nameConstraints) == nil
    }

    // MARK: The baseline requirements of the CA/Browser Forum

    private var keepsToBaselineRequirements: Bool {
        guard fields.version == 3, hasPermittedKey, hasPlainAuthorityIdentifier, hasProperAccess else { return false }
        if place.isLeaf { return keepsToLeafRequirements }
        // 7.1.2.1.2: a root has no extended key usage, and an authority key identifier only of itself.
        if fields.isSelfIssued {
            if fields.extendedKeyUsage != nil { return false }
            if let named = fields.authority?.keyIdentifier, named != fields.subjectKeyIdentifier { return false }
        }
        return true
    }

    /// 6.1.5: RSA of at least 2048 bits in whole octets, P-256, P-384, P-521.
    private var hasPermittedKey: Bool {
        switch fields.publicKey {
        case .rsa(let bits), .rsaPss(let bits): bits >= 2048 && bits % 8 == 0
        case .ec(let curve): ["1.2.840.10045.3.1.7", "1.3.132.0.34", "1.3.132.0.35"].contains(curve)
        default: false
        }
    }

    /// 7.1.2.11.1: the key identifier alone.
    private var hasPlainAuthorityIdentifier: Bool {
        guard let authority = fields.authority else { return true }
        return authority.keyIdentifier != nil && authority.issuers == nil && authority.serialNumber == nil
    }

    /// 7.1.2.7.7: at least one description, each a method and a place.
    private var hasProperAccess: Bool {
        guard let value = fields.extensionValue(ExtensionOid.authorityInformationAccess) else { return true }
        guard let content = DerReader.only(DerTag.sequence, value), let list = DerReader.all(content, DerTag.sequence),
            !list.isEmpty
        else {
            return false
        }
        return list.allSatisfy { element in
            var reader = DerReader(element.content)
            return reader.next(DerTag.objectIdentifier) != nil && reader.next().flatMap(GeneralName.name) != nil && reader.isEmpty
        }
    }

    private var keepsToLeafRequirements: Bool {
        // 7.1.2.7.11 and 7.1.2.7.8
        if isAuthority || fields.keyUsage?.contains(.certificateSigning) == true { return false }
        // 7.1.2.7.6 and 7.1.2.7.10
        guard let usages = fields.extendedKeyUsage, fields.isCritical(ExtensionOid.extendedKeyUsage) == false,
            !place.isServer || usages.contains(SslPurpose.serverAuthentication.objectIdentifier),
            !usages.contains(where: Self.forbiddenUsages.contains)
        else { return false }
        guard place.isServer else { return true }
        // 7.1.2.7.12
        guard let names = fields.alternativeNames else { return false }
        if !fields.hasEmptySubject, fields.isCritical(ExtensionOid.subjectAlternativeName) == true { return false }
        // A wildcard on a whole top-level domain is on a public suffix (3.2.2.6).
        for case .dns(let octets) in names {
            if octets.starts(with: Array("*.".utf8)), !octets.dropFirst(2).contains(UInt8(ascii: ".")) { return false }
        }
        return true
    }

    /// 7.1.2.7.10: any usage, code signing, mail, time stamps, OCSP.
    private static let forbiddenUsages: Set<String> = [
        "2.5.29.37.0", "1.3.6.1.5.5.7.3.3", "1.3.6.1.5.5.7.3.4", "1.3.6.1.5.5.7.3.8", "1.3.6.1.5.5.7.3.9",
    ]

    /// 7.1.4.3: a server's common name is one of its alternative names, letter by letter, or the address as RFC 5952 spells it.
    private var hasProvenCommonNames: Bool {
        guard place.isLeaf, place.isServer else { return true }
        let names = fields.alternativeNames ?? []
        return (fields.subjectName?.attributes ?? []).allSatisfy { attribute in
            attribute.oid != "2.5.4.3" || names.contains { Self.isCopy(attribute.value, of: $0) }
        }
    }

    private static func isCopy(_ text: String, of name: SslAlternativeName) -> Bool {
        switch name {
        case .dns(let octets): text.utf8.elementsEqual(octets)
        case .ipAddress(let octets): IpAddress(octets: octets)?.description == text
        default: false
        }
    }
}
