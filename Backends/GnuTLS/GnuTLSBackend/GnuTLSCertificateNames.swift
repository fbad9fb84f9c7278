#if GnuTLS
internal import SslBackend
internal import SslValues

/// Reads DER (ITU-T X.690): definite lengths and tag numbers below 31 only, which is all that certificates use.
struct DerReader {
    /// One element.
    struct Element {
        let tag: UInt8
        let content: ArraySlice<UInt8>
        /// With tag and length.
        let whole: ArraySlice<UInt8>
    }

    private var rest: ArraySlice<UInt8>

    init(_ octets: ArraySlice<UInt8>) { rest = octets }

    /// Nothing is left.
    var isEmpty: Bool { rest.isEmpty }
    /// The next element's tag; nil at the end.
    var tag: UInt8? { rest.first }

    /// Takes the next element; nil at the end or when it is malformed.
    mutating func next() -> Element? {
        guard let tag = rest.first, tag & 0x1F != 0x1F, rest.count >= 2 else { return nil }
        var position = rest.startIndex + 1
        var length = Int(rest[position])
        position += 1
        if length >= 0x80 {
            let octets = length & 0x7F
            guard (1...4).contains(octets), rest.endIndex - position >= octets else { return nil }
            length = rest[position..<(position + octets)].reduce(0) { $0 << 8 | Int($1) }
            position += octets
        }
        guard rest.endIndex - position >= length else { return nil }
        let element = Element(
            tag: tag, content: rest[position..<(position + length)], whole: rest[rest.startIndex..<(position + length)])
        rest = rest[(position + length)...]
        return element
    }

    /// Takes the next element if it has this tag.
    mutating func next(_ tag: UInt8) -> Element? { rest.first == tag ? next() : nil }
}

/// The tags this backend reads and writes.
enum DerTag {
    static let integer: UInt8 = 0x02
    static let bitString: UInt8 = 0x03
    static let octetString: UInt8 = 0x04
    static let objectIdentifier: UInt8 = 0x06
    static let utf8String: UInt8 = 0x0C
    static let utcTime: UInt8 = 0x17
    static let generalizedTime: UInt8 = 0x18
    static let sequence: UInt8 = 0x30
    static let set: UInt8 = 0x31
}

/// The places of the parts of a certificate in its DER (RFC 5280 section 4.1), found once.
struct CertificateLayout {
    let serialNumber: Range<Int>
    let issuer: Range<Int>
    let subject: Range<Int>
    let publicKeyInfo: Range<Int>
    let notBefore: SslInstant?
    let notAfter: SslInstant?

    /// nil when the octets are not exactly one certificate.
    init?(_ der: [UInt8]) {
        var outer = DerReader(der[...])
        guard let certificate = outer.next(DerTag.sequence), outer.isEmpty else { return nil }
        var parts = DerReader(certificate.content)
        guard let signed = parts.next(DerTag.sequence) else { return nil }
        var fields = DerReader(signed.content)
        // The version is explicitly tagged and absent in version 1.
        _ = fields.next(0xA0)
        guard let serial = fields.next(DerTag.integer), fields.next(DerTag.sequence) != nil,
            let issuer = fields.next(DerTag.sequence), let validity = fields.next(DerTag.sequence),
            let subject = fields.next(DerTag.sequence), let key = fields.next(DerTag.sequence)
        else { return nil }
        var times = DerReader(validity.content)
        notBefore = times.next().flatMap(CertificateText.instant)
        notAfter = times.next().flatMap(CertificateText.instant)
        serialNumber = serial.content.indices
        self.issuer = issuer.whole.indices
        self.subject = subject.whole.indices
        publicKeyInfo = key.whole.indices
    }
}

/// Turns the parts of a certificate into values.
enum CertificateText {
    /// The attributes of a distinguished name in the order in which they stand there.
    static func attributes(ofName der: ArraySlice<UInt8>) -> [SslNameAttribute] {
        var list: [SslNameAttribute] = []
        var outer = DerReader(der)
        guard let name = outer.next(DerTag.sequence) else { return list }
        var sets = DerReader(name.content)
        while let set = sets.next(DerTag.set) {
            var attributes = DerReader(set.content)
            while let attribute = attributes.next(DerTag.sequence) {
                var parts = DerReader(attribute.content)
                guard let type = parts.next(DerTag.objectIdentifier), let oid = objectIdentifier(type.content),
                    let value = parts.next()
                else { continue }
                list.append(SslNameAttribute(oid: oid, value: text(value)))
            }
        }
        return list
    }

    /// A string of any of ASN.1's types; what is none is written as RFC 4514 section 2.4 does, `#` and hexadecimal.
    static func text(_ element: DerReader.Element) -> String {
        let octets = element.content
        switch element.tag {
        case DerTag.utf8String, 0x12, 0x13, 0x16, 0x1A: return String(decoding: octets, as: UTF8.self)
        case 0x14: return String(String.UnicodeScalarView(octets.map { Unicode.Scalar($0) }))
        case 0x1E where octets.count % 2 == 0:
            return String(decoding: units(octets, size: 2).map { UInt16($0) }, as: UTF16.self)
        case 0x1C where octets.count % 4 == 0: return String(decoding: units(octets, size: 4), as: UTF32.self)
        default: return "#" + element.whole.map { hex($0) }.joined()
        }
    }

    private static func units(_ octets: ArraySlice<UInt8>, size: Int) -> [UInt32] {
        stride(from: octets.startIndex, to: octets.endIndex, by: size).map { start in
            octets[start..<(start + size)].reduce(0) { $0 << 8 | UInt32($1) }
        }
    }

    private static func hex(_ octet: UInt8) -> String { (octet < 16 ? "0" : "") + String(octet, radix: 16) }

    /// The dotted form of an OBJECT IDENTIFIER; nil when it is malformed or a part does not fit 63 bits.
    static func objectIdentifier(_ content: ArraySlice<UInt8>) -> String? {
        guard let last = content.last, last & 0x80 == 0 else { return nil }
        var parts: [Int] = []
        var part = 0
        for octet in content {
            guard part < 1 << 55 else { return nil }
            part = part << 7 | Int(octet & 0x7F)
            if octet & 0x80 == 0 {
                if parts.isEmpty {
                    let first = min(part / 40, 2)
                    parts = [first, part - first * 40]
                } else {
                    parts.append(part)
                }
                part = 0
            }
        }
        return parts.map { String($0) }.joined(separator: ".")
    }

    /// A UTCTime or GeneralizedTime in the only forms RFC 5280 section 4.1.2.5 allows; nil otherwise.
    static func instant(_ element: DerReader.Element) -> SslInstant? {
        var digits = element.content.map { Int($0) - Int(UInt8(ascii: "0")) }
        guard digits.popLast() == Int(UInt8(ascii: "Z")) - Int(UInt8(ascii: "0")), digits.allSatisfy({ (0...9).contains($0) })
        else { return nil }
        func number(_ range: Range<Int>) -> Int { digits[range].reduce(0) { $0 * 10 + $1 } }
        let yearDigits: Int
        var year: Int
        switch (element.tag, digits.count) {
        case (DerTag.utcTime, 12):
            yearDigits = 2
            year = number(0..<2)
            year += year >= 50 ? 1900 : 2000
        case (DerTag.generalizedTime, 14):
            yearDigits = 4
            year = number(0..<4)
        default: return nil
        }
        func two(_ index: Int) -> Int { number((yearDigits + 2 * index)..<(yearDigits + 2 * index + 2)) }
        return SslInstant(year: year, month: two(0), day: two(1), hour: two(2), minute: two(3), second: two(4))
    }

    /// The GeneralNames of an alternative name extension (RFC 5280 section 4.2.1.6); nil when it is malformed.
    static func alternativeNames(_ value: ArraySlice<UInt8>) -> [SslAlternativeName]? {
        var outer = DerReader(value)
        guard let list = outer.next(DerTag.sequence), outer.isEmpty else { return nil }
        var names: [SslAlternativeName] = []
        var reader = DerReader(list.content)
        while !reader.isEmpty {
            guard let name = reader.next(), name.tag & 0xC0 == 0x80 else { return nil }
            let octets = Array(name.content)
            switch name.tag {
            case 0x81: names.append(.email(octets))
            case 0x82: names.append(.dns(octets))
            case 0x86: names.append(.uri(octets))
            case 0x87: names.append(.ipAddress(octets))
            default: names.append(.other(tag: Int(name.tag & 0x1F), octets))
            }
        }
        return names
    }
}
#endif
