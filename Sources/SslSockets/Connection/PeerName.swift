package import SslBackend
package import SslValues

/// A name a peer must prove: a DNS name or an IP address, told apart before anything is compared, because `10.0.0.1` in a
/// dNSName is no proof for the address (RFC 9525 section 4.4); or a mail address.
package enum PeerName: Sendable, Hashable {
    /// A DNS name in lower case, ASCII only, without a trailing dot.
    case dns(String)
    /// 4 or 16 octets.
    case ipAddress([UInt8])
    /// A mail address with its host in lower case.
    case email(String)

    /// Classifies a host as it was given by a user; throws for one that can be neither name nor address.
    ///
    /// International names are taken in Unicode and in their `xn--` form; one dot at the end is dropped; a zero octet is refused.
    package init(_ host: String) throws(SslSocketError) {
        if let address = IpAddress(host) {
            self = .ipAddress(address.octets)
            return
        }
        // An address with a dot at its end is neither.
        guard let name = Self.normalized(host), IpAddress(name) == nil else {
            throw SslSocketError(
                .invalidUserData,
                "\"\(host)\" is not a host name that a certificate can prove: use letters, digits, hyphens and dots, "
                    + "and the xn-- form of names beyond simple letters")
        }
        self = .dns(name)
    }

    /// A mail address; throws for what is none.
    package init(email address: String) throws(SslSocketError) {
        guard let at = address.lastIndex(of: "@"), at != address.startIndex, !address.utf8.contains(0),
            let host = Self.normalized(String(address[address.index(after: at)...]))
        else { throw SslSocketError(.invalidUserData, "\"\(address)\" is not a mail address") }
        self = .email(address[...at] + host)
    }

    /// What a client sends as server name: a DNS name, never an address (RFC 6066 section 3).
    package var serverName: String? {
        if case .dns(let name) = self { return name }
        return nil
    }

    /// Lower case, no trailing dot, labels of 1 to 63 letters, digits, hyphens and underscores, international ones in their ASCII form;
    /// nil for anything else.
    static func normalized(_ host: String) -> String? {
        var labels = host.split(separator: ".", omittingEmptySubsequences: false)
        if labels.count > 1, labels.last == "" { labels.removeLast() }
        var result: [String] = []
        for label in labels {
            guard let ascii = label.utf8.allSatisfy({ $0 < 0x80 }) ? label.lowercased() : InternationalName.ascii(label),
                (1...63).contains(ascii.utf8.count), ascii.utf8.allSatisfy(isLabelOctet)
            else { return nil }
            result.append(ascii)
        }
        let name = result.joined(separator: ".")
        return name.utf8.count <= 253 ? name : nil
    }

    private static func isLabelOctet(_ octet: UInt8) -> Bool {
        switch octet {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    // MARK: Proof

    /// True when what a certificate says about its subject proves this name (RFC 9525 section 6).
    package func isProven(by identity: PeerIdentity) -> Bool {
        if isProven(by: identity.alternativeNames) { return true }
        guard case .dns(let wanted) = self else { return false }
        return identity.commonNames.contains { Self.matches(wanted, Array($0.utf8)) }
    }

    /// True when one of the alternative names of a certificate proves this name.
    ///
    /// Only alternative names count, never the common name. A wildcard is the whole left-most label, stands for exactly one
    /// label, an international one too, and needs two more to its right.
    package func isProven(by names: [SslAlternativeName]) -> Bool {
        names.contains { name in
            switch (self, name) {
            case (.ipAddress(let wanted), .ipAddress(let presented)): wanted == presented
            case (.dns(let wanted), .dns(let presented)): Self.matches(wanted, presented)
            case (.email(let wanted), .email(let presented)): Self.matches(mail: wanted, presented)
            default: false
            }
        }
    }

    private static func matches(_ wanted: String, _ presented: [UInt8]) -> Bool {
        guard presented.count <= 255, presented.allSatisfy({ $0 < 0x80 }) else { return false }
        var pattern = String(decoding: presented, as: UTF8.self).lowercased()
        if pattern.hasSuffix(".") { pattern.removeLast() }
        if pattern.hasPrefix("*.") {
            let suffix = pattern.dropFirst(2)
            guard normalized(String(suffix)) == String(suffix), suffix.contains("."), let dot = wanted.firstIndex(of: ".") else {
                return false
            }
            return wanted[wanted.index(after: dot)...] == suffix
        }
        return normalized(pattern) == pattern && pattern == wanted
    }

    /// The part before the at sign is compared as it stands, the host without case (RFC 5280 section 7.5).
    private static func matches(mail wanted: String, _ presented: [UInt8]) -> Bool {
        guard presented.allSatisfy({ $0 < 0x80 }), let name = try? PeerName(email: String(decoding: presented, as: UTF8.self))
        else {
            return false
        }
        return name == .email(wanted)
    }
}

/// What a certificate says about whose it is.
package struct PeerIdentity: Sendable {
    /// The alternative names.
    package var alternativeNames: [SslAlternativeName]
    /// The common names, where they count: by the user's wish, and only in a certificate without a DNS name or address.
    package var commonNames: [String] = []

    /// Reads a certificate.
    package init(_ fields: CertificateFields, usesCommonName: Bool) {
        alternativeNames = fields.alternativeNames ?? []
        let hasNames = alternativeNames.contains { name in
            switch name {
            case .dns, .ipAddress: true
            default: false
            }
        }
        if usesCommonName && !hasNames {
            commonNames = (fields.subjectName?.attributes ?? []).filter { $0.oid == "2.5.4.3" }.map(\.value)
        }
    }
}
