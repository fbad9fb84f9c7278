internal import SslBackend
internal import SslValues

/// The name constraints of a CA (RFC 5280 section 4.2.1.10): which names the certificates below it may have.
struct NameConstraints {
    /// One subtree of names.
    enum Subtree {
        /// Lower case; a leading dot means subdomains only.
        case dns([UInt8])
        /// A mailbox, a host, or with a leading dot the hosts of a domain.
        case email([UInt8])
        /// A host, or with a leading dot the hosts of a domain.
        case uri([UInt8])
        case ipAddress([UInt8], mask: [UInt8])
        /// The sets of a distinguished name in comparable form.
        case directory([[UInt8]])
        /// A kind of names that is not looked into: the tag of the GeneralName.
        case unsupported(Int)
    }

    private(set) var permitted: [Subtree] = []
    private(set) var excluded: [Subtree] = []
    /// A dNSName begins with a dot, for which RFC 5280 has no meaning.
    private(set) var hasLeadingDot = false

    /// How many comparisons of a name with a subtree a path may cost: a CA and a leaf with thousands each would cost millions.
    static let mostComparisons = 1 << 18

    /// Reads the extension; nil when it is malformed, has limits of depth, which RFC 5280 forbids, or names that are none.
    init?(_ value: ArraySlice<UInt8>) {
        guard let names = SslNameConstraints(der: value), let permitted = subtrees(names.permitted),
            let excluded = subtrees(names.excluded)
        else { return nil }
        self.permitted = permitted
        self.excluded = excluded
    }

    private mutating func subtrees(_ names: [SslAlternativeName]) -> [Subtree]? {
        var list: [Subtree] = []
        for name in names {
            guard let subtree = subtree(name) else { return nil }
            list.append(subtree)
        }
        return list
    }

    private mutating func subtree(_ name: SslAlternativeName) -> Subtree? {
        switch name {
        case .dns(let octets):
            let name = Self.lower(octets)
            guard name.isEmpty || Self.isHost(name, mayLeadWithDot: true) else { return nil }
            if name.first == UInt8(ascii: ".") { hasLeadingDot = true }
            return .dns(name)
        case .email(let octets):
            let parts = octets.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
            guard parts.count <= 2, let host = parts.last, parts.count == 1 || !parts[0].isEmpty,
                host.isEmpty && parts.count == 1 || Self.isHost(Self.lower(host), mayLeadWithDot: parts.count == 1)
            else { return nil }
            return .email(octets)
        case .uri(let octets):
            let host = Self.lower(octets)
            guard host.isEmpty || Self.isHost(host, mayLeadWithDot: true) else { return nil }
            return .uri(host)
        case .ipAddress(let octets):
            guard octets.count == 8 || octets.count == 32 else { return nil }
            let mask = Array(octets.suffix(octets.count / 2))
            guard Self.isPrefix(mask) else { return nil }
            return .ipAddress(Array(octets.prefix(octets.count / 2)), mask: mask)
        case .other(tag: 4, _):
            guard let directory = name.directoryName else { return nil }
            return .directory(directory.canonicalSets)
        case .other(let tag, _): return .unsupported(tag)
        }
    }

    /// Ones, then zeros.
    private static func isPrefix(_ mask: [UInt8]) -> Bool {
        guard let place = mask.firstIndex(where: { $0 != 0xFF }) else { return true }
        return (~mask[place] & (~mask[place] &+ 1)) == 0 && mask[(place + 1)...].allSatisfy { $0 == 0 }
    }

    // MARK: Checking

    /// Every name of a certificate that a constraint may be about.
    struct Names {
        private(set) var list: [SslAlternativeName]
        private(set) var directories: [[[UInt8]]] = []

        /// The alternative names, the subject, and the mail addresses inside it; and the common names where they are taken for host names, so that
        /// nobody passes the constraints by with one.
        init(_ fields: CertificateFields, usesCommonName: Bool) {
            list = fields.alternativeNames ?? []
            directories = list.compactMap { $0.directoryName?.canonicalSets }
            guard let subject = fields.subjectName, !subject.sets.isEmpty else { return }
            directories.append(subject.canonicalSets)
            for attribute in subject.sets.joined() where attribute.oid == "1.2.840.113549.1.9.1" {
                guard let text = DistinguishedName.string(attribute.value) else { continue }
                list.append(.email(Array(text.utf8)))
            }
            list += PeerIdentity(fields, usesCommonName: usesCommonName).commonNames.map { .dns(Array($0.utf8)) }
        }

        var count: Int { list.count + directories.count }
    }

    /// How many comparisons a check of these names costs.
    func cost(_ names: Names) -> Int { (permitted.count + excluded.count) * names.count }

    /// Every name is in a permitted subtree of its kind, if there are any of its kind, and in no excluded one.
    func permits(_ names: Names) -> Bool {
        names.list.allSatisfy { name in
            let relevant = permitted.compactMap { Self.contains($0, name, isPermission: true) }
            return (relevant.isEmpty || relevant.contains(true))
                && !excluded.contains { Self.contains($0, name, isPermission: false) ?? false }
        }
            && names.directories.allSatisfy { sets in
                let relevant = permitted.compactMap { Self.contains($0, sets) }
                return (relevant.isEmpty || relevant.contains(true)) && !excluded.contains { Self.contains($0, sets) ?? false }
            }
    }

    private static func contains(_ subtree: Subtree, _ sets: [[UInt8]]) -> Bool? {
        guard case .directory(let base) = subtree else { return nil }
        return sets.count >= base.count && Array(sets.prefix(base.count)) == base
    }

    /// Whether the name is in the subtree; nil when they are of different kinds. What cannot be told is told as a violation.
    private static func contains(_ subtree: Subtree, _ name: SslAlternativeName, isPermission: Bool) -> Bool? {
        switch (subtree, name) {
        case (.dns(let base), .dns(let octets)): host(lower(octets), isIn: base, isPermission: isPermission)
        case (.email(let base), .email(let octets)): mailbox(octets, isIn: base) ?? !isPermission
        case (.uri(let base), .uri(let octets)):
            hostOfUri(octets).map {
                base.first == UInt8(ascii: ".") ? $0.count > base.count && $0.hasSuffix(base) : base.isEmpty || $0 == base
            }
                ?? !isPermission
        case (.ipAddress(let base, let mask), .ipAddress(let octets)):
            if octets.count != 4 && octets.count != 16 {
                !isPermission
            } else if octets.count == base.count {
                base.indices.allSatisfy { octets[$0] & mask[$0] == base[$0] & mask[$0] }
            } else {
                // The other family: permitting one does not permit the other, excluding one does not exclude it.
                isPermission ? false : nil
            }
        case (.unsupported(let kind), .other(let tag, _)) where kind == tag: !isPermission
        default: nil
        }
    }

    private static func host(_ name: [UInt8], isIn base: [UInt8], isPermission: Bool) -> Bool {
        let isWildcard = name.starts(with: [UInt8(ascii: "*"), UInt8(ascii: ".")])
        let plain = isWildcard ? Array(name.dropFirst(2)) : name
        guard isHost(plain, mayLeadWithDot: false) else { return !isPermission }
        if base.isEmpty { return true }
        let suffix = base.first == UInt8(ascii: ".") ? base : [UInt8(ascii: ".")] + base
        if name.hasSuffix(suffix) || (name == base) { return true }
        // A wildcard stands for every name one label below: it must not reach into an excluded subtree.
        guard isWildcard, !isPermission else { return false }
        return suffix.dropFirst().drop { $0 != UInt8(ascii: ".") }.dropFirst().elementsEqual(plain)
    }

    /// nil when the address is none.
    private static func mailbox(_ address: [UInt8], isIn base: [UInt8]) -> Bool? {
        guard let at = address.lastIndex(of: UInt8(ascii: "@")), at > 0 else { return nil }
        let host = lower(address[(at + 1)...])
        guard isHost(host, mayLeadWithDot: false) else { return nil }
        if let place = base.firstIndex(of: UInt8(ascii: "@")) {
            // Of a mailbox only the host ignores case (RFC 5280 section 7.5).
            return address[..<at] == base[..<place] && host == lower(base[(place + 1)...])
        }
        let domain = lower(base)
        if domain.isEmpty { return true }
        return domain.first == UInt8(ascii: ".") ? host.count > domain.count && host.hasSuffix(domain) : host == domain
    }

    /// The host of a URI; nil for one without, or with an address or a user's name, to which no constraint can apply.
    private static func hostOfUri(_ uri: [UInt8]) -> [UInt8]? {
        guard let colon = uri.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        let rest = uri[(colon + 1)...]
        guard rest.starts(with: Array("//".utf8)) else { return nil }
        var authority = rest.dropFirst(2).prefix { ![UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#")].contains($0) }
        // Libraries differ about the host behind a user's name; no certificate needs one.
        if authority.contains(UInt8(ascii: "@")) { return nil }
        if let port = authority.lastIndex(of: UInt8(ascii: ":")) { authority = authority[..<port] }
        let host = lower(authority)
        guard isHost(host, mayLeadWithDot: false), IpAddress(String(decoding: host, as: UTF8.self)) == nil else { return nil }
        return host
    }

    static func lower(_ octets: some Sequence<UInt8>) -> [UInt8] { octets.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 } }

    /// Labels of letters, digits, hyphens and underscores.
    static func isHost(_ name: [UInt8], mayLeadWithDot: Bool) -> Bool {
        let dot = UInt8(ascii: ".")
        let plain = mayLeadWithDot && name.first == dot ? name.dropFirst() : name[...]
        guard !plain.isEmpty, plain.count <= 253 else { return false }
        return plain.split(separator: dot, omittingEmptySubsequences: false).allSatisfy { label in
            (1...63).contains(label.count)
                && label.allSatisfy { octet in
                    switch octet {
                    case 0x61...0x7A, 0x30...0x39, UInt8(ascii: "-"), UInt8(ascii: "_"): true
                    default: false
                    }
                }
        }
    }
}

extension [UInt8] {
    fileprivate func hasSuffix(_ suffix: some Collection<UInt8>) -> Bool {
        count >= suffix.count && self.suffix(suffix.count).elementsEqual(suffix)
    }
}
