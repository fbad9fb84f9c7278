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

    /// An INTEGER from its content octets.
    public static func integer(octets: [UInt8]) -> [UInt8] { element(DerTag.integer, octets) }

    /// An ENUMERATED below 128.
    public static func enumerated(_ value: UInt8) -> [UInt8] { element(DerTag.enumerated, [value & 0x7F]) }

    /// A BIT STRING of named bits, bit 0 first, without trailing zero bits (X.690 section 11.2.2).
    public static func flags(_ bits: UInt16) -> [UInt8] {
        var octets: [UInt8] = [0, 0]
        for bit in 0..<16 where bits & (1 << bit) != 0 { octets[bit / 8] |= 0x80 >> (bit % 8) }
        while octets.last == 0 { octets.removeLast() }
        return element(DerTag.bitString, [UInt8(octets.last?.trailingZeroBitCount ?? 0)] + octets)
    }

    /// A UTCTime from 1950 to 2049 and else a GeneralizedTime, as RFC 5280 section 4.1.2.5 wants it; nil outside of the years 0 to 9999.
    public static func time(_ instant: SslInstant) -> [UInt8]? {
        guard let long = generalizedTime(instant) else { return nil }
        let year = long.dropFirst(2).prefix(4).reduce(0) { $0 * 10 + Int($1) - 0x30 }
        return (1950..<2050).contains(year) ? element(DerTag.utcTime, Array(long.dropFirst(4))) : long
    }

    /// A GeneralizedTime; nil outside of the years 0 to 9999.
    public static func generalizedTime(_ instant: SslInstant) -> [UInt8]? {
        let digits = instant.description.utf8.filter { (0x30...0x39).contains($0) }
        guard digits.count == 14, instant.secondsSince1970 >= -62_167_219_200 else { return nil }
        return element(DerTag.generalizedTime, digits + [UInt8(ascii: "Z")])
    }

    /// An Extension (RFC 5280 section 4.1); nil when its OID is none.
    public static func `extension`(_ one: SslCertificateExtension) -> [UInt8]? {
        guard let type = objectIdentifier(one.oid) else { return nil }
        return sequence(type, one.isCritical ? element(DerTag.boolean, [0xFF]) : [], octetString(one.value))
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
