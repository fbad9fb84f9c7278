internal import SslBackend
internal import SslValues

/// What stands in a CRL (RFC 5280 section 5.1), read once.
final class RevocationList: Sendable {
    /// Whom an entry is about.
    struct Key: Hashable {
        /// The issuer of the certificate, in comparable form.
        let issuer: [UInt8]
        let serialNumber: [UInt8]
    }

    let der: [UInt8]
    let issuer: DistinguishedName
    let canonicalIssuer: [UInt8]
    let thisUpdate: SslInstant
    let nextUpdate: SslInstant?
    /// The reason of each entry; 0 without one.
    let entries: [Key: Int]
    /// The extensions of the list itself.
    let scope: RevocationScope?
    /// The scope undecoded: a delta has the same as its base.
    let scopeDer: [UInt8]?
    let number: [UInt8]?
    let isNumberCritical: Bool
    /// The number of the list that a delta completes.
    let baseNumber: [UInt8]?
    let keyIdentifier: [UInt8]?
    /// A critical extension of the list or of an entry is not understood, so that the list must not be used (sections 5.2 and 5.3).
    let hasUnknownCriticalExtension: Bool
    let signedOctets: ArraySlice<UInt8>
    let signature: ArraySlice<UInt8>
    let algorithm: X509SignatureAlgorithm?

    /// Reads exactly one list.
    init(_ der: [UInt8]) throws(SslSocketError) {
        func malformed(_ what: String) -> SslSocketError {
            SslSocketError(.invalidUserData, "The revocation list is malformed: \(what)")
        }
        guard let content = DerReader.only(DerTag.sequence, der[...]) else { throw malformed("it is not one DER sequence") }
        var parts = DerReader(content)
        guard let signed = parts.next(DerTag.sequence), let outer = parts.next(DerTag.sequence),
            let signature = parts.next(DerTag.bitString), parts.isEmpty, signature.content.first == 0
        else { throw malformed("it is not signed data") }
        var fields = DerReader(signed.content)
        var version = 1
        if let number = fields.next(DerTag.integer) {
            guard DerValue.smallNumber(number.content) == 1 else { throw malformed("its version is not 2") }
            version = 2
        }
        guard let inner = fields.next(DerTag.sequence), inner.whole == outer.whole else {
            throw malformed("its signature algorithm")
        }
        guard let name = fields.next(DerTag.sequence), let issuer = DistinguishedName(name.whole) else {
            throw malformed("its issuer")
        }
        guard let start = fields.next().flatMap(DerValue.instant) else { throw malformed("its date") }
        var end: SslInstant?
        if fields.tag == DerTag.utcTime || fields.tag == DerTag.generalizedTime {
            guard let found = fields.next().flatMap(DerValue.instant) else { throw malformed("its next date") }
            end = found
        }
        let canonical = issuer.canonical
        var known = Entries(issuer: canonical, mayHaveExtensions: version == 2)
        if let list = fields.next(DerTag.sequence) {
            guard known.read(list.content) else { throw malformed("its entries") }
        }
        var extensions = Extensions()
        if let wrapped = fields.next(0xA0) {
            guard version == 2, let list = DerReader.only(DerTag.sequence, wrapped.content), extensions.read(list) else {
                throw malformed("its extensions")
            }
        }
        guard fields.isEmpty else { throw malformed("something stands behind its last field") }
        self.der = der
        self.issuer = issuer
        canonicalIssuer = canonical
        thisUpdate = start
        nextUpdate = end
        entries = known.reasons
        scope = extensions.scope
        scopeDer = extensions.scopeDer
        number = extensions.number
        isNumberCritical = extensions.isNumberCritical
        baseNumber = extensions.baseNumber
        keyIdentifier = extensions.keyIdentifier
        hasUnknownCriticalExtension = known.hasUnknownCriticalExtension || extensions.hasUnknownCriticalExtension
        signedOctets = signed.whole
        self.signature = signature.content.dropFirst()
        algorithm = X509SignatureAlgorithm(der: outer.whole)
    }

    /// The reason a certificate is named with; nil when it is not.
    func reason(issuer: [UInt8], serialNumber: [UInt8]) -> Int? { entries[Key(issuer: issuer, serialNumber: serialNumber)] }

    // MARK: Reading

    /// One extension.
    private static func fields(_ element: DerReader.Element) -> (oid: String, isCritical: Bool, value: ArraySlice<UInt8>)? {
        var reader = DerReader(element.content)
        guard let type = reader.next(DerTag.objectIdentifier), let oid = DerValue.objectIdentifier(type.content) else {
            return nil
        }
        var isCritical = false
        if let flag = reader.next(DerTag.boolean) {
            guard let value = DerValue.boolean(flag.content) else { return nil }
            isCritical = value
        }
        guard let value = reader.next(DerTag.octetString), reader.isEmpty else { return nil }
        return (oid, isCritical, value.content)
    }

    private struct Entries {
        /// Whose certificates the entries are about: in an indirect list, until an entry names another (section 5.3.3).
        var issuer: [UInt8]
        let mayHaveExtensions: Bool
        var reasons: [Key: Int] = [:]
        var hasUnknownCriticalExtension = false

        init(issuer: [UInt8], mayHaveExtensions: Bool) {
            self.issuer = issuer
            self.mayHaveExtensions = mayHaveExtensions
        }

        mutating func read(_ content: ArraySlice<UInt8>) -> Bool {
            var reader = DerReader(content)
            while !reader.isEmpty {
                guard let entry = reader.next(DerTag.sequence) else { return false }
                var parts = DerReader(entry.content)
                guard let serial = parts.next(DerTag.integer), DerValue.isInteger(serial.content),
                    parts.next().flatMap(DerValue.instant) != nil
                else { return false }
                var reason = 0
                if let list = parts.next(DerTag.sequence) {
                    guard mayHaveExtensions, let found = read(extensions: list.content) else { return false }
                    reason = found
                }
                guard parts.isEmpty else { return false }
                reasons[Key(issuer: issuer, serialNumber: Array(serial.content))] = reason
            }
            return true
        }

        /// The reason; nil when something is malformed.
        private mutating func read(extensions: ArraySlice<UInt8>) -> Int? {
            guard let elements = DerReader.all(extensions, DerTag.sequence) else { return nil }
            var reason = 0
            for element in elements {
                guard let one = RevocationList.fields(element) else { return nil }
                switch one.oid {
                case ExtensionOid.reasonCode:
                    guard let code = DerReader.only(DerTag.enumerated, one.value).flatMap(DerValue.smallNumber) else {
                        return nil
                    }
                    reason = code
                case ExtensionOid.certificateIssuer:
                    guard let names = DerReader.only(DerTag.sequence, one.value).flatMap(GeneralName.list),
                        let directory = names.compactMap(\.canonicalDirectory).first
                    else { return nil }
                    issuer = directory
                default: if one.isCritical { hasUnknownCriticalExtension = true }
                }
            }
            return reason
        }
    }

    private struct Extensions {
        var scope: RevocationScope?
        var scopeDer: [UInt8]?
        var number: [UInt8]?
        var isNumberCritical = false
        var baseNumber: [UInt8]?
        var keyIdentifier: [UInt8]?
        var hasUnknownCriticalExtension = false

        mutating func read(_ list: ArraySlice<UInt8>) -> Bool {
            guard let elements = DerReader.all(list, DerTag.sequence) else { return false }
            var seen: Set<String> = []
            for element in elements {
                guard let one = RevocationList.fields(element), seen.insert(one.oid).inserted, read(one) else { return false }
            }
            return true
        }

        private mutating func read(_ one: (oid: String, isCritical: Bool, value: ArraySlice<UInt8>)) -> Bool {
            switch one.oid {
            case ExtensionOid.crlNumber:
                number = Self.positive(one.value)
                isNumberCritical = one.isCritical
                return number != nil
            case ExtensionOid.deltaCrlIndicator:
                baseNumber = Self.positive(one.value)
                return baseNumber != nil
            case ExtensionOid.issuingDistributionPoint:
                scope = RevocationScope(one.value)
                scopeDer = Array(one.value)
                return scope != nil
            case ExtensionOid.authorityKeyIdentifier:
                guard let authority = SslAuthorityKeyIdentifier(der: one.value) else { return false }
                keyIdentifier = authority.keyIdentifier
            default: if one.isCritical { hasUnknownCriticalExtension = true }
            }
            return true
        }

        /// An INTEGER from 0 without leading zeros, so that longer is larger; at most 20 octets (section 5.2.3).
        private static func positive(_ value: ArraySlice<UInt8>) -> [UInt8]? {
            guard let content = DerReader.only(DerTag.integer, value), DerValue.isInteger(content), content.count <= 20,
                let first = content.first, first < 0x80
            else { return nil }
            return Array(content.drop { $0 == 0 })
        }
    }
}

/// Which certificates a list is about: the issuing distribution point (RFC 5280 section 5.2.5).
struct RevocationScope: Sendable {
    var point: DistributionPointName?
    var onlyUsers = false
    var onlyAuthorities = false
    var onlyAttributes = false
    var isIndirect = false
    /// nil: all.
    var reasons: UInt16?

    init?(_ value: ArraySlice<UInt8>) {
        guard let content = DerReader.only(DerTag.sequence, value), let elements = DerReader.all(content) else { return nil }
        for element in elements {
            switch element.tag {
            case 0xA0:
                guard let name = DistributionPointName(element.content) else { return nil }
                point = name
            case 0x83:
                guard let flags = DerValue.flags(element.content) else { return nil }
                reasons = flags
            case 0x81, 0x82, 0x84, 0x85:
                guard let flag = DerValue.boolean(element.content) else { return nil }
                switch element.tag {
                case 0x81: onlyUsers = flag
                case 0x82: onlyAuthorities = flag
                case 0x84: isIndirect = flag
                default: onlyAttributes = flag
                }
            default: return nil
            }
        }
        // At most one of the three (section 5.2.5).
        if [onlyUsers, onlyAuthorities, onlyAttributes].filter({ $0 }).count > 1 { return nil }
    }
}

/// The name of a place where lists are published (RFC 5280 section 4.2.1.13).
enum DistributionPointName: Sendable {
    case full([SslAlternativeName])
    /// The set that is added to the issuer's name, in comparable form.
    case relative([UInt8])

    init?(_ content: ArraySlice<UInt8>) {
        var reader = DerReader(content)
        guard let choice = reader.next(), reader.isEmpty else { return nil }
        switch choice.tag {
        case 0xA0:
            guard let names = GeneralName.list(choice.content) else { return nil }
            self = .full(names)
        case 0xA1:
            guard let set = DistinguishedName.attributes(choice.content), !set.isEmpty else { return nil }
            self = .relative(DistinguishedName.canonical(set))
        default: return nil
        }
    }

    /// The names in comparable form, given the name that a relative one is added to.
    func comparable(_ issuer: [UInt8]) -> Set<[UInt8]> {
        switch self {
        case .relative(let set): [Self.directory(issuer + set)]
        case .full(let names):
            Set(
                names.map { name in
                    if let canonical = name.canonicalDirectory { return Self.directory(canonical) }
                    return switch name {
                    case .dns(let octets): [2] + octets
                    case .email(let octets): [1] + octets
                    case .uri(let octets): [6] + octets
                    case .ipAddress(let octets): [7] + octets
                    case .other(let tag, let octets): [0xF0, UInt8(truncatingIfNeeded: tag)] + octets
                    }
                })
        }
    }

    static func directory(_ canonical: [UInt8]) -> [UInt8] { [4] + canonical }
}

/// One place of a certificate's CRL distribution points.
struct DistributionPoint: Sendable {
    var name: DistributionPointName?
    /// nil: all.
    var reasons: UInt16?
    /// The canonical names of whoever issues the list when it is not the certificate's issuer.
    var issuers: [[UInt8]]?

    /// The distribution points of a certificate; empty without the extension, nil when it is malformed.
    static func points(_ fields: CertificateFields) -> [DistributionPoint]? {
        guard let value = fields.extensionValue(ExtensionOid.crlDistributionPoints) else { return [] }
        guard let content = DerReader.only(DerTag.sequence, value), let elements = DerReader.all(content, DerTag.sequence) else {
            return nil
        }
        var list: [DistributionPoint] = []
        for element in elements {
            var reader = DerReader(element.content)
            var point = DistributionPoint()
            if let name = reader.next(0xA0) {
                guard let parsed = DistributionPointName(name.content) else { return nil }
                point.name = parsed
            }
            if let reasons = reader.next(0x81) {
                guard let flags = DerValue.flags(reasons.content) else { return nil }
                point.reasons = flags
            }
            if let issuers = reader.next(0xA2) {
                guard let names = GeneralName.list(issuers.content) else { return nil }
                point.issuers = names.compactMap(\.canonicalDirectory)
            }
            guard reader.isEmpty, point.name != nil || point.issuers != nil else { return nil }
            list.append(point)
        }
        return list
    }
}
