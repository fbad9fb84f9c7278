public import SslValues

/// Reads DER (ITU-T X.690) and nothing looser: definite lengths in their shortest form, tag numbers below 31, which is all that
/// certificates use. Never reads beyond the end.
public struct DerReader: Sendable {
    /// One element.
    public struct Element: Sendable {
        /// The tag octet: class, constructed bit and number.
        public let tag: UInt8
        /// What is inside.
        public let content: ArraySlice<UInt8>
        /// With tag and length.
        public let whole: ArraySlice<UInt8>
    }

    private var rest: ArraySlice<UInt8>

    /// A reader at the start of `octets`.
    public init(_ octets: ArraySlice<UInt8>) { rest = octets }

    /// Nothing is left.
    public var isEmpty: Bool { rest.isEmpty }
    /// The next element's tag; nil at the end.
    public var tag: UInt8? { rest.first }

    /// Takes the next element; nil at the end or when it is malformed, and then nothing is taken.
    public mutating func next() -> Element? {
        guard let tag = rest.first, tag & 0x1F != 0x1F, rest.count >= 2 else { return nil }
        var position = rest.startIndex + 1
        var length = Int(rest[position])
        position += 1
        if length >= 0x80 {
            let octets = length & 0x7F
            guard (1...4).contains(octets), rest.endIndex - position >= octets else { return nil }
            length = 0
            for index in position..<(position + octets) { length = length << 8 | Int(rest[index]) }
            // The shortest form only.
            guard length >= 0x80, octets == 1 || length >> (8 * (octets - 1)) != 0 else { return nil }
            position += octets
        }
        guard rest.endIndex - position >= length else { return nil }
        let element = Element(
            tag: tag, content: rest[position..<(position + length)], whole: rest[rest.startIndex..<(position + length)])
        rest = rest[(position + length)...]
        return element
    }

    /// Takes the next element if it has this tag.
    public mutating func next(_ tag: UInt8) -> Element? { rest.first == tag ? next() : nil }

    /// The content of the one element with this tag that `octets` are; nil when they are anything else or more.
    public static func only(_ tag: UInt8, _ octets: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        var reader = DerReader(octets)
        guard let element = reader.next(tag), reader.isEmpty else { return nil }
        return element.content
    }

    /// Every element of `octets`; nil when one is malformed or has another tag than `tag`.
    public static func all(_ octets: ArraySlice<UInt8>, _ tag: UInt8? = nil) -> [Element]? {
        var reader = DerReader(octets)
        var list: [Element] = []
        while !reader.isEmpty {
            guard let element = reader.next(), tag == nil || element.tag == tag else { return nil }
            list.append(element)
        }
        return list
    }
}

/// The tags that certificates, revocation lists and keys use.
public enum DerTag {
    /// BOOLEAN.
    public static let boolean: UInt8 = 0x01
    /// INTEGER.
    public static let integer: UInt8 = 0x02
    /// BIT STRING.
    public static let bitString: UInt8 = 0x03
    /// OCTET STRING.
    public static let octetString: UInt8 = 0x04
    /// NULL.
    public static let null: UInt8 = 0x05
    /// OBJECT IDENTIFIER.
    public static let objectIdentifier: UInt8 = 0x06
    /// ENUMERATED.
    public static let enumerated: UInt8 = 0x0A
    /// UTF8String.
    public static let utf8String: UInt8 = 0x0C
    /// UTCTime, with two digits for the year.
    public static let utcTime: UInt8 = 0x17
    /// GeneralizedTime, with four digits for the year.
    public static let generalizedTime: UInt8 = 0x18
    /// SEQUENCE and SEQUENCE OF.
    public static let sequence: UInt8 = 0x30
    /// SET and SET OF.
    public static let set: UInt8 = 0x31
}

/// The values inside elements; nil for whatever DER or RFC 5280 does not allow.
public enum DerValue {
    /// The dotted form of an OBJECT IDENTIFIER. An arc has at most 63 bits.
    public static func objectIdentifier(_ content: ArraySlice<UInt8>) -> String? {
        guard let last = content.last, last & 0x80 == 0 else { return nil }
        var text = ""
        var arc: UInt64 = 0
        var isStart = true
        for octet in content {
            // No leading zeros in an arc.
            guard arc < 1 << 56, !(isStart && octet == 0x80) else { return nil }
            arc = arc << 7 | UInt64(octet & 0x7F)
            isStart = octet & 0x80 == 0
            guard isStart else { continue }
            if text.isEmpty {
                let first = min(arc / 40, 2)
                text = "\(first).\(arc - first * 40)"
            } else {
                text += ".\(arc)"
            }
            arc = 0
        }
        return text
    }

    /// An INTEGER's content octets are there and in their shortest form.
    public static func isInteger(_ content: ArraySlice<UInt8>) -> Bool {
        guard let first = content.first else { return false }
        guard content.count > 1 else { return true }
        let second = content[content.startIndex + 1]
        return !(first == 0 && second < 0x80) && !(first == 0xFF && second >= 0x80)
    }

    /// An INTEGER from 0 to 2^31 - 1.
    public static func smallNumber(_ content: ArraySlice<UInt8>) -> Int? {
        guard isInteger(content), let first = content.first, first < 0x80, content.count <= 4 else { return nil }
        return content.reduce(0) { $0 << 8 | Int($1) }
    }

    /// A BOOLEAN. False is left out where it is the default, but many certificates spell it.
    public static func boolean(_ content: ArraySlice<UInt8>) -> Bool? {
        guard content.count == 1, let octet = content.first, octet == 0 || octet == 0xFF else { return nil }
        return octet == 0xFF
    }

    /// A BIT STRING of at most 16 bits as flags: bit 0 is the first bit of the string.
    public static func flags(_ content: ArraySlice<UInt8>) -> UInt16? {
        guard let unused = content.first, unused < 8, (1...3).contains(content.count), unused == 0 || content.count > 1 else {
            return nil
        }
        if let last = content.dropFirst().last, last & (1 << unused - 1) != 0 { return nil }
        var value: UInt16 = 0
        for (place, octet) in content.dropFirst().enumerated() {
            for bit in 0..<8 where octet & (0x80 >> bit) != 0 { value |= 1 << (8 * place + bit) }
        }
        return value
    }

    /// A UTCTime or GeneralizedTime in the only forms RFC 5280 section 4.1.2.5 allows: UTC, with seconds, without fractions.
    public static func instant(_ element: DerReader.Element) -> SslInstant? {
        guard element.content.last == UInt8(ascii: "Z") else { return nil }
        let digits = element.content.dropLast().map { Int($0) - Int(UInt8(ascii: "0")) }
        guard digits.allSatisfy({ (0...9).contains($0) }) else { return nil }
        let yearDigits: Int
        var year: Int
        switch (element.tag, digits.count) {
        case (DerTag.utcTime, 12):
            yearDigits = 2
            year = digits[0] * 10 + digits[1]
            year += year >= 50 ? 1900 : 2000
        case (DerTag.generalizedTime, 14):
            yearDigits = 4
            year = digits[0..<4].reduce(0) { $0 * 10 + $1 }
        default: return nil
        }
        func two(_ index: Int) -> Int { digits[yearDigits + 2 * index] * 10 + digits[yearDigits + 2 * index + 1] }
        guard two(4) < 60 else { return nil }
        return SslInstant(year: year, month: two(0), day: two(1), hour: two(2), minute: two(3), second: two(4))
    }
}
