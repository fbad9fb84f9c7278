public import SslValues

/// Reads the values of extensions; nil for whatever is malformed.
public enum ExtensionValue {
    /// Names of any kind, at least one (RFC 5280 section 4.2.1.6).
    public static func alternativeNames(_ value: ArraySlice<UInt8>) -> [SslAlternativeName]? {
        guard let names = DerReader.only(DerTag.sequence, value).flatMap({ GeneralName.list($0) }) else { return nil }
        // RFC 5280 section 4.2.1.6 forbids empty names and leaves open what to make of them. Libraries differ, so they are malformed.
        let hasEmptyOne = names.contains { name in
            switch name {
            case .email(let octets), .dns(let octets), .uri(let octets), .ipAddress(let octets): octets.isEmpty
            case .other: false
            }
        }
        return hasEmptyOne ? nil : names
    }

    /// A sequence of object identifiers, at least one (RFC 5280 section 4.2.1.12).
    public static func objectIdentifiers(_ value: ArraySlice<UInt8>) -> [String]? {
        list(value, DerTag.objectIdentifier) { DerValue.objectIdentifier($0.content) }
    }

    /// Bits of which there are at most nine (RFC 5280 section 4.2.1.3).
    public static func keyUsage(_ value: ArraySlice<UInt8>) -> SslKeyUsage? {
        DerReader.only(DerTag.bitString, value).flatMap(DerValue.flags).map { SslKeyUsage(rawValue: $0) }
    }

    /// RFC 5280 section 4.2.1.9.
    public static func basicConstraints(_ value: ArraySlice<UInt8>) -> SslBasicConstraints? {
        guard let content = DerReader.only(DerTag.sequence, value) else { return nil }
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

    /// An OCTET STRING.
    public static func octets(_ value: ArraySlice<UInt8>) -> [UInt8]? {
        DerReader.only(DerTag.octetString, value).map { Array($0) }
    }

    /// RFC 5280 section 4.2.2.1.
    static func accessDescriptions(_ value: ArraySlice<UInt8>) -> [SslAccessDescription]? {
        list(value, DerTag.sequence) { element in
            var reader = DerReader(element.content)
            guard let method = reader.next(DerTag.objectIdentifier).flatMap({ DerValue.objectIdentifier($0.content) }),
                let location = reader.next().flatMap({ GeneralName.name($0) }), reader.isEmpty
            else { return nil }
            return SslAccessDescription(method: method, location: location)
        }
    }

    /// RFC 5280 section 4.2.1.13.
    static func distributionPoints(_ value: ArraySlice<UInt8>) -> [SslDistributionPoint]? {
        list(value, DerTag.sequence) { SslDistributionPoint(content: $0.content) }
    }

    /// RFC 5280 section 4.2.1.4, where no policy may stand twice.
    static func policies(_ value: ArraySlice<UInt8>) -> [SslCertificatePolicy]? {
        guard let policies = list(value, DerTag.sequence, { SslCertificatePolicy(content: $0.content) }),
            Set(policies.map(\.oid)).count == policies.count
        else { return nil }
        return policies
    }

    /// RFC 7633 section 4.
    static func tlsFeatures(_ value: ArraySlice<UInt8>) -> [UInt16]? {
        list(value, DerTag.integer) { DerValue.smallNumber($0.content).flatMap { UInt16(exactly: $0) } }
    }

    /// A list of octets with their lengths before them (RFC 6962 section 3.3), in an OCTET STRING. Promises of a version that is not known are left out.
    static func timestamps(_ value: ArraySlice<UInt8>) -> [SslSignedCertificateTimestamp]? {
        guard let content = octets(value) else { return nil }
        var reader = WireReader(content[...])
        guard var list = reader.vector(2), reader.isEmpty, !list.isEmpty else { return nil }
        var found: [SslSignedCertificateTimestamp] = []
        while !list.isEmpty {
            guard let one = list.vector(2), let version = one.rest.first else { return nil }
            guard version == 0 else { continue }
            guard let timestamp = SslSignedCertificateTimestamp(wire: one) else { return nil }
            found.append(timestamp)
        }
        return found
    }

    /// A SEQUENCE of at least one element of this tag.
    private static func list<T>(
        _ value: ArraySlice<UInt8>, _ tag: UInt8, _ read: (DerReader.Element) -> T?
    ) -> [T]? {
        guard let content = DerReader.only(DerTag.sequence, value), let elements = DerReader.all(content, tag), !elements.isEmpty
        else { return nil }
        var found: [T] = []
        found.reserveCapacity(elements.count)
        for element in elements {
            guard let one = read(element) else { return nil }
            found.append(one)
        }
        return found
    }
}

extension SslCertificateExtension.Content {
    /// Reads the value of an extension; nil for a kind that is not known here and for a malformed value.
    public init?(oid: String, value: ArraySlice<UInt8>) {
        let content: Self? =
            switch oid {
            case ExtensionOid.basicConstraints: ExtensionValue.basicConstraints(value).map { .basicConstraints($0) }
            case ExtensionOid.keyUsage: ExtensionValue.keyUsage(value).map { .keyUsage($0) }
            case ExtensionOid.extendedKeyUsage: ExtensionValue.objectIdentifiers(value).map { .extendedKeyUsage($0) }
            case ExtensionOid.subjectAlternativeName: ExtensionValue.alternativeNames(value).map { .subjectAlternativeName($0) }
            case ExtensionOid.authorityInformationAccess:
                ExtensionValue.accessDescriptions(value).map { .authorityInformationAccess($0) }
            case ExtensionOid.subjectKeyIdentifier: ExtensionValue.octets(value).map { .subjectKeyIdentifier($0) }
            case ExtensionOid.authorityKeyIdentifier:
                SslAuthorityKeyIdentifier(der: value).map { .authorityKeyIdentifier($0) }
            case ExtensionOid.crlDistributionPoints: ExtensionValue.distributionPoints(value).map { .crlDistributionPoints($0) }
            case ExtensionOid.certificatePolicies: ExtensionValue.policies(value).map { .certificatePolicies($0) }
            case ExtensionOid.nameConstraints: SslNameConstraints(der: value).map { .nameConstraints($0) }
            case ExtensionOid.signedCertificateTimestamps:
                ExtensionValue.timestamps(value).map { .signedCertificateTimestamps($0) }
            case ExtensionOid.tlsFeature: ExtensionValue.tlsFeatures(value).map { .tlsFeatures($0) }
            default: nil
            }
        guard let content else { return nil }
        self = content
    }
}

extension SslAuthorityKeyIdentifier {
    /// Reads the extension, in certificates and revocation lists; nil when it is malformed.
    public init?(der value: ArraySlice<UInt8>) {
        self.init()
        guard let content = DerReader.only(DerTag.sequence, value) else { return nil }
        var reader = DerReader(content)
        keyIdentifier = reader.next(0x80).map { Array($0.content) }
        if let names = reader.next(0xA1) {
            guard let list = GeneralName.list(names.content) else { return nil }
            issuers = list
        }
        if let number = reader.next(0x82) {
            guard DerValue.isInteger(number.content) else { return nil }
            serialNumber = Array(number.content)
        }
        if !reader.isEmpty { return nil }
    }

    /// The directory names among ``issuers`` in comparable form; nil when no issuer is named.
    public var canonicalIssuers: [[UInt8]]? { issuers?.compactMap(\.canonicalDirectory) }
}

extension SslNameConstraints {
    /// Reads the extension; nil when it is malformed, empty, or has limits of depth, which RFC 5280 forbids.
    public init?(der value: ArraySlice<UInt8>) {
        self.init()
        guard let content = DerReader.only(DerTag.sequence, value) else { return nil }
        var reader = DerReader(content)
        if let list = reader.next(0xA0) {
            guard let subtrees = Self.subtrees(list.content) else { return nil }
            permitted = subtrees
        }
        if let list = reader.next(0xA1) {
            guard let subtrees = Self.subtrees(list.content) else { return nil }
            excluded = subtrees
        }
        guard reader.isEmpty, !permitted.isEmpty || !excluded.isEmpty else { return nil }
    }

    private static func subtrees(_ content: ArraySlice<UInt8>) -> [SslAlternativeName]? {
        guard let elements = DerReader.all(content, DerTag.sequence), !elements.isEmpty else { return nil }
        var list: [SslAlternativeName] = []
        list.reserveCapacity(elements.count)
        for element in elements {
            var reader = DerReader(element.content)
            guard let base = reader.next() else { return nil }
            // A minimum of 0 is the default; anything else is forbidden.
            if let minimum = reader.next(0x80) { guard Array(minimum.content) == [0] else { return nil } }
            guard reader.isEmpty, let name = GeneralName.name(base) else { return nil }
            list.append(name)
        }
        return list
    }
}

extension SslDistributionPoint {
    fileprivate init?(content: ArraySlice<UInt8>) {
        self.init(names: [])
        var reader = DerReader(content)
        if let wrapped = reader.next(0xA0) {
            var name = DerReader(wrapped.content)
            guard let choice = name.next(), name.isEmpty else { return nil }
            switch choice.tag {
            case 0xA0:
                guard let list = GeneralName.list(choice.content) else { return nil }
                names = list
            case 0xA1:
                guard let set = DistinguishedName.attributes(choice.content), !set.isEmpty else { return nil }
                relativeName = set.map { SslNameAttribute(oid: $0.oid, value: DistinguishedName.text($0.value)) }
            default: return nil
            }
        }
        if let bits = reader.next(0x81) {
            guard let flags = DerValue.flags(bits.content) else { return nil }
            reasons = flags
        }
        if let list = reader.next(0xA2) {
            guard let found = GeneralName.list(list.content) else { return nil }
            issuers = found
        }
        // Reasons alone name no place and nobody.
        guard reader.isEmpty, !names.isEmpty || !relativeName.isEmpty || !issuers.isEmpty else { return nil }
    }
}

extension SslCertificatePolicy {
    fileprivate init?(content: ArraySlice<UInt8>) {
        var reader = DerReader(content)
        guard let type = reader.next(DerTag.objectIdentifier), let oid = DerValue.objectIdentifier(type.content) else {
            return nil
        }
        self.init(oid: oid)
        guard let list = reader.next(DerTag.sequence) else {
            if reader.isEmpty { return }
            return nil
        }
        guard reader.isEmpty, let qualifiers = DerReader.all(list.content, DerTag.sequence), !qualifiers.isEmpty else {
            return nil
        }
        for qualifier in qualifiers {
            var parts = DerReader(qualifier.content)
            guard let kind = parts.next(DerTag.objectIdentifier).flatMap({ DerValue.objectIdentifier($0.content) }),
                let value = parts.next(), parts.isEmpty
            else { return nil }
            switch kind {
            case "1.3.6.1.5.5.7.2.1":
                guard let uri = DistinguishedName.string(value) else { return nil }
                practiceStatements.append(uri)
            case "1.3.6.1.5.5.7.2.2":
                guard value.tag == DerTag.sequence, let fields = DerReader.all(value.content) else { return nil }
                // A reference to a notice elsewhere is a SEQUENCE; the text is a string.
                notices += fields.compactMap { $0.tag == DerTag.sequence ? nil : DistinguishedName.string($0) }
            default: break
            }
        }
    }
}

extension SslSignedCertificateTimestamp {
    fileprivate init?(wire: WireReader) {
        var reader = wire
        let log = Array(reader.rest.dropFirst().prefix(32))
        guard reader.skip(33), let milliseconds = reader.number(8), let extensions = reader.vector(2),
            let scheme = reader.number(2), let signature = reader.vector(2), reader.isEmpty
        else { return nil }
        self.init(
            logIdentifier: log, milliseconds: UInt64(bitPattern: Int64(milliseconds)), extensions: extensions.rest,
            scheme: SslSignatureScheme(code: UInt16(truncatingIfNeeded: scheme)), signature: signature.rest)
    }
}
