public import SslValues

/// Writes DER (ITU-T X.690).
public enum DerWriter {
    /// One element.
    public static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] { [tag] + length(content.count) + content }

    /// A SEQUENCE of elements that are written already.
    public static func sequence(_ parts: [UInt8]...) -> [UInt8] { element(0x30, parts.flatMap { $0 }) }

    /// An OCTET STRING.
    public static func octetString(_ octets: [UInt8]) -> [UInt8] { element(0x04, octets) }

    /// A BIT STRING of whole octets.
    public static func bitString(_ octets: [UInt8]) -> [UInt8] { element(0x03, [0] + octets) }

    /// NULL.
    public static var null: [UInt8] { [0x05, 0x00] }

    /// An INTEGER that is not negative.
    public static func integer(_ value: UInt64) -> [UInt8] {
        let content = octets(of: value).drop { $0 == 0 }
        return element(0x02, (content.first ?? 0x80) >= 0x80 ? [0] + Array(content) : Array(content))
    }

    /// An OBJECT IDENTIFIER from its dotted form; nil when that is none.
    public static func objectIdentifier(_ dotted: String) -> [UInt8]? {
        let parts = dotted.split(separator: ".", omittingEmptySubsequences: false)
        let arcs = parts.compactMap { UInt64($0) }
        guard arcs.count == parts.count, arcs.count >= 2, arcs[0] <= 2, arcs[1] < (arcs[0] == 2 ? 1 << 32 : 40) else {
            return nil
        }
        var content: [UInt8] = []
        for arc in [arcs[0] * 40 + arcs[1]] + arcs.dropFirst(2) {
            var octets = [UInt8(arc & 0x7F)]
            var rest = arc >> 7
            while rest > 0 {
                octets.append(UInt8(rest & 0x7F) | 0x80)
                rest >>= 7
            }
            content += octets.reversed()
        }
        return element(0x06, content)
    }

    /// One GeneralName (RFC 5280 section 4.2.1.6): of the other kinds only a registered identifier is not constructed.
    public static func alternativeName(_ name: SslAlternativeName) -> [UInt8] {
        switch name {
        case .email(let octets): element(0x81, octets)
        case .dns(let octets): element(0x82, octets)
        case .uri(let octets): element(0x86, octets)
        case .ipAddress(let octets): element(0x87, octets)
        case .other(let tag, let octets): element((tag == 8 ? 0x80 : 0xA0) | UInt8(tag & 0x1F), octets)
        }
    }

    private static func length(_ count: Int) -> [UInt8] {
        guard count >= 0x80 else { return [UInt8(count)] }
        let size = octets(of: UInt64(count)).drop { $0 == 0 }
        return [0x80 | UInt8(size.count)] + size
    }

    /// The octets of a number, big-endian.
    private static func octets(of value: UInt64) -> [UInt8] {
        stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: value >> UInt64($0)) }
    }
}
