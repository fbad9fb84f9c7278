internal import SslValues

/// The name a peer must prove: a DNS name or an IP address, told apart before anything is compared, because `10.0.0.1` in a
/// dNSName is no proof for the address (RFC 9525 section 4.4).
package enum PeerName: Sendable, Hashable {
    /// A DNS name in lower case, ASCII only, without a trailing dot.
    case dns(String)
    /// 4 or 16 octets.
    case ipAddress([UInt8])

    /// Classifies a host as it was given by a user; throws for one that can be neither.
    package init(_ host: String) throws(SslSocketError) {
        if let address = IpAddress(host) {
            self = .ipAddress(address.octets)
            return
        }
        guard let name = Self.normalized(host) else {
            throw SslSocketError(
                .invalidUserData,
                "\"\(host)\" is not a host name that a certificate can prove: use letters, digits, hyphens and dots, "
                    + "and the xn-- form of international names")
        }
        self = .dns(name)
    }

    /// What a client sends as server name: a DNS name, never an address (RFC 6066 section 3).
    package var serverName: String? {
        if case .dns(let name) = self { return name }
        return nil
    }

    /// Lower case, no trailing dot, labels of 1 to 63 letters, digits, hyphens and underscores; nil for anything else.
    private static func normalized(_ host: String) -> String? {
        var name = host.lowercased()
        if name.hasSuffix(".") { name.removeLast() }
        guard !name.isEmpty, name.utf8.count <= 253 else { return nil }
        for label in name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) {
            guard (1...63).contains(label.count), label.allSatisfy(isLabelOctet) else { return nil }
        }
        return name
    }

    private static func isLabelOctet(_ octet: UInt8) -> Bool {
        switch octet {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// True when one of the alternative names of a certificate proves this name (RFC 9525 section 6).
    ///
    /// Only alternative names count, never the common name. A wildcard is the whole left-most label, stands for exactly one
    /// label and needs two more to its right.
    package func isProven(by names: [SslAlternativeName]) -> Bool {
        names.contains { name in
            switch (self, name) {
            case (.ipAddress(let wanted), .ipAddress(let presented)): wanted == presented
            case (.dns(let wanted), .dns(let presented)): Self.matches(wanted, presented)
            default: false
            }
        }
    }

    private static func matches(_ wanted: String, _ presented: [UInt8]) -> Bool {
        guard presented.count <= 255 else { return false }
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
}
