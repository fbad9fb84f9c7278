public import SslValues

/// A distinguished name (RFC 5280 section 4.1.2.4): a sequence of sets of attributes.
public struct DistinguishedName: Sendable {
    /// One attribute, undecoded.
    public struct Attribute: Sendable {
        /// Dotted OID of the type.
        public let oid: String
        /// The value with tag and length.
        public let value: DerReader.Element
    }
    /// The sets in order. Nearly always each holds one attribute.
    public let sets: [[Attribute]]

    /// Reads a Name; nil when it is malformed. An empty name is a name.
    public init?(_ der: ArraySlice<UInt8>) {
        guard let content = DerReader.only(DerTag.sequence, der), let elements = DerReader.all(content, DerTag.set) else {
            return nil
        }
        var sets: [[Attribute]] = []
        sets.reserveCapacity(elements.count)
        for element in elements {
            guard let set = Self.attributes(element.content), !set.isEmpty else { return nil }
            sets.append(set)
        }
        self.sets = sets
    }

    /// The attributes of one set; nil when it is malformed.
    public static func attributes(_ content: ArraySlice<UInt8>) -> [Attribute]? {
        guard let elements = DerReader.all(content, DerTag.sequence) else { return nil }
        var list: [Attribute] = []
        for element in elements {
            var reader = DerReader(element.content)
            guard let type = reader.next(DerTag.objectIdentifier), let oid = DerValue.objectIdentifier(type.content),
                let value = reader.next(), reader.isEmpty, isValue(value)
            else { return nil }
            list.append(Attribute(oid: oid, value: value))
        }
        return list
    }

    /// A string of a type that names are written in (X.520), in its encoding; or a BIT STRING or SEQUENCE, which some attributes are.
    private static func isValue(_ value: DerReader.Element) -> Bool {
        switch value.tag {
        case DerTag.utf8String: String(validating: value.content, as: UTF8.self) != nil
        case 0x1E: value.content.count % 2 == 0
        case 0x1C: value.content.count % 4 == 0
        case 0x12, 0x13, 0x14, 0x16, 0x1A, DerTag.sequence: true
        case DerTag.bitString: value.content.first.map { $0 < 8 } ?? false
        default: false
        }
    }

    /// The attributes in the order in which they stand there, as text.
    public var attributes: [SslNameAttribute] {
        sets.flatMap { $0.map { SslNameAttribute(oid: $0.oid, value: Self.text($0.value)) } }
    }

    /// A string of any of ASN.1's types; what is none is written as RFC 4514 section 2.4 does, `#` and hexadecimal.
    public static func text(_ element: DerReader.Element) -> String {
        string(element) ?? ("#" + element.whole.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
    }

    /// The text of a string type; nil for what is no string.
    public static func string(_ element: DerReader.Element) -> String? {
        let octets = element.content
        switch element.tag {
        // UTF8String, NumericString, PrintableString, IA5String, VisibleString.
        case DerTag.utf8String, 0x12, 0x13, 0x16, 0x1A: return String(decoding: octets, as: UTF8.self)
        // TeletexString, which everybody writes as Latin-1.
        case 0x14: return String(String.UnicodeScalarView(octets.map { Unicode.Scalar($0) }))
        case 0x1E where octets.count % 2 == 0:
            return String(decoding: units(octets, size: 2).map { UInt16($0) }, as: UTF16.self)
        case 0x1C where octets.count % 4 == 0: return String(decoding: units(octets, size: 4), as: UTF32.self)
        default: return nil
        }
    }

    private static func units(_ octets: ArraySlice<UInt8>, size: Int) -> [UInt32] {
        stride(from: octets.startIndex, to: octets.endIndex, by: size).map { start in
            octets[start..<(start + size)].reduce(0) { $0 << 8 | UInt32($1) }
        }
    }

    // MARK: Comparing

    /// The name in a form in which equal names (RFC 5280 section 7.1) have equal octets: text in lower case, blanks at the ends
    /// dropped and inside made one, whichever string type it was written in. Other values stay as they are.
    public var canonical: [UInt8] { sets.flatMap { Self.canonical($0) } }

    /// The same for each set: a name is in the subtree of another when this list starts with the other's.
    public var canonicalSets: [[UInt8]] { sets.map(Self.canonical) }

    /// The same for one set, whose attributes have no order.
    public static func canonical(_ set: [Attribute]) -> [UInt8] {
        let parts = set.map { attribute in
            Array(attribute.oid.utf8) + [UInt8(ascii: "=")] + canonical(attribute.value)
        }
        let sorted = parts.count < 2 ? parts : parts.sorted { $0.lexicographicallyPrecedes($1) }
        var result: [UInt8] = []
        for part in sorted {
            result.append(UInt8(truncatingIfNeeded: part.count >> 16))
            result.append(UInt8(truncatingIfNeeded: part.count >> 8))
            result.append(UInt8(truncatingIfNeeded: part.count))
            result += part
        }
        result.append(0xFF)
        return result
    }

    private static func canonical(_ value: DerReader.Element) -> [UInt8] {
        let isPlain = value.content.allSatisfy { $0 < 0x80 } && [DerTag.utf8String, 0x12, 0x13, 0x16, 0x1A].contains(value.tag)
        let octets: [UInt8]
        if isPlain {
            octets = value.content.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        } else if let text = string(value), !text.unicodeScalars.contains("\u{FFFD}") {
            // Text that cannot be decoded is equal to itself only.
            octets = Array(text.lowercased().utf8)
        } else {
            return Array(value.whole)
        }
        var result: [UInt8] = []
        result.reserveCapacity(octets.count)
        for octet in octets {
            let isBlank = octet == 0x20 || (0x09...0x0D).contains(octet)
            if isBlank, result.isEmpty || result.last == 0x20 { continue }
            result.append(isBlank ? 0x20 : octet)
        }
        if result.last == 0x20 { result.removeLast() }
        return result
    }
}
