#if OpenSSL
internal import CSslOpenSSL
internal import SslBackend
internal import SslValues

/// Names, times and identifiers out of OpenSSL's structures.
enum OpenSSLNames {
    /// A name's attributes in order.
    static func attributes(_ name: OpaquePointer?) -> [SslNameAttribute] {
        unsafe (0..<max(X509_NAME_entry_count(name), 0)).compactMap { i in
            guard let entry = unsafe X509_NAME_get_entry(name, i) else { return nil }
            return unsafe SslNameAttribute(
                oid: dotted(X509_NAME_ENTRY_get_object(entry)), value: text(X509_NAME_ENTRY_get_data(entry)))
        }
    }

    /// A string of any ASN.1 type as text; the octets in hexadecimal behind `#` (RFC 4514 section 2.4) when it is none.
    private static func text(_ string: UnsafeMutablePointer<ASN1_STRING>?) -> String {
        var utf8: UnsafeMutablePointer<UInt8>?
        let length = unsafe ASN1_STRING_to_UTF8(&utf8, string)
        guard length >= 0, let start = unsafe utf8 else {
            ERR_clear_error()
            let digits = Array("0123456789abcdef")
            return unsafe octets(string).reduce(into: "#") { $0 += "\(digits[Int($1 >> 4)])\(digits[Int($1 & 15)])" }
        }
        defer { unsafe sslopenssl_free(start) }
        return unsafe String(decoding: UnsafeBufferPointer(start: start, count: Int(length)), as: UTF8.self)
    }

    /// The content octets of a string.
    static func octets(_ string: UnsafeMutablePointer<ASN1_STRING>?) -> [UInt8] {
        guard let string = unsafe string, let start = unsafe ASN1_STRING_get0_data(string) else { return [] }
        return unsafe Array(UnsafeBufferPointer(start: start, count: Int(ASN1_STRING_length(string))))
    }

    /// An object identifier in digits and dots; empty when there is none.
    static func dotted(_ identifier: OpaquePointer?) -> String {
        guard let identifier = unsafe identifier else { return "" }
        let length = unsafe Int(OBJ_obj2txt(nil, 0, identifier, 1))
        guard length > 0 else { return "" }
        var buffer = [CChar](repeating: 0, count: length + 1)
        unsafe OBJ_obj2txt(&buffer, Int32(buffer.count), identifier, 1)
        return String(decoding: buffer.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// A time; nil when it is malformed.
    static func instant(_ time: UnsafePointer<ASN1_TIME>?) -> SslInstant? {
        var parts = unsafe tm()
        guard unsafe ASN1_TIME_to_tm(time, &parts) == 1 else {
            ERR_clear_error()
            return nil
        }
        return unsafe SslInstant(
            year: Int(parts.tm_year) + 1900, month: Int(parts.tm_mon) + 1, day: Int(parts.tm_mday), hour: Int(parts.tm_hour),
            minute: Int(parts.tm_min), second: Int(parts.tm_sec))
    }
}

// MARK: - DER

/// Reads tag, length and content of DER (X.690), never beyond the end.
struct DerReader {
    private var octets: ArraySlice<UInt8>

    init(_ octets: ArraySlice<UInt8>) { self.octets = octets }

    var isEmpty: Bool { octets.isEmpty }

    /// The next value; nil at the end and when what follows is malformed. Tags beyond 30 do not occur here.
    mutating func next() -> (tag: UInt8, content: ArraySlice<UInt8>)? {
        var rest = octets
        guard let tag = rest.popFirst(), tag & 0x1F != 0x1F, let first = rest.popFirst() else { return nil }
        var length = Int(first)
        if first >= 0x80 {
            guard (0x81...0x84).contains(first) else { return nil }
            length = 0
            for _ in 0x80..<first {
                guard let octet = rest.popFirst() else { return nil }
                length = length << 8 | Int(octet)
            }
            // The shortest form only.
            guard length >= 0x80, first == 0x81 || length >> (8 * (Int(first) - 0x81)) != 0 else { return nil }
        }
        guard rest.count >= length else { return nil }
        octets = rest.dropFirst(length)
        return (tag, rest.prefix(length))
    }

    /// The next value if it has this tag.
    mutating func next(_ tag: UInt8) -> ArraySlice<UInt8>? {
        var ahead = self
        guard let value = ahead.next(), value.tag == tag else { return nil }
        self = ahead
        return value.content
    }

    /// The content of the one value that `octets` are.
    static func only(_ tag: UInt8, _ octets: [UInt8]) -> ArraySlice<UInt8>? {
        var reader = DerReader(octets[...])
        guard let content = reader.next(tag), reader.isEmpty else { return nil }
        return content
    }
}

/// The tags that occur here.
enum DerTag {
    static let boolean: UInt8 = 0x01
    static let integer: UInt8 = 0x02
    static let bitString: UInt8 = 0x03
    static let octetString: UInt8 = 0x04
    static let objectIdentifier: UInt8 = 0x06
    static let sequence: UInt8 = 0x30
}

// MARK: - Extensions

/// The extensions the layers above ask for. One that is malformed or stands there twice (RFC 5280 section 4.2 forbids it)
/// fails the parse: taken for missing, a limit it sets would be lost.
struct OpenSSLDecodedExtensions: Sendable {
    private(set) var alternativeNames: [SslAlternativeName]?
    private(set) var extendedKeyUsage: [String]?
    private(set) var keyUsage: UInt16?
    private(set) var basicConstraints: SslBasicConstraints?
    private(set) var subjectKeyIdentifier: [UInt8]?
    private(set) var authorityKeyIdentifier: [UInt8]?

    init(_ extensions: [SslCertificateExtension]) throws(SslSocketError) {
        var seen: Set<String> = []
        for one in extensions {
            guard seen.insert(one.oid).inserted else { throw Self.malformed(one.oid, "stands there twice") }
            guard read(one) else { throw Self.malformed(one.oid, "is malformed") }
        }
    }

    private static func malformed(_ oid: String, _ what: String) -> SslSocketError {
        SslSocketError(
            .invalidUserData, "The certificate's extension \(oid) \(what)", backend: OpenSSLBackend.backendName)
    }

    private mutating func read(_ one: SslCertificateExtension) -> Bool {
        switch one.oid {
        case "2.5.29.14":
            return Self.read(DerReader.only(DerTag.octetString, one.value).map { Array($0) }, &subjectKeyIdentifier)
        case "2.5.29.15": return Self.read(Self.bits(one.value), &keyUsage)
        case "2.5.29.17": return Self.read(Self.names(one.value), &alternativeNames)
        case "2.5.29.19": return Self.read(Self.constraints(one.value), &basicConstraints)
        case "2.5.29.35":
            guard let content = DerReader.only(DerTag.sequence, one.value) else { return false }
            var reader = DerReader(content)
            authorityKeyIdentifier = reader.next(0x80).map { Array($0) }
            return true
        case "2.5.29.37": return Self.read(Self.identifiers(one.value), &extendedKeyUsage)
        default: return true
        }
    }

    private static func read<Value>(_ value: Value?, _ target: inout Value?) -> Bool {
        target = value
        return value != nil
    }

    /// Bit 0 is the first bit of the string.
    private static func bits(_ octets: [UInt8]) -> UInt16? {
        guard let content = DerReader.only(DerTag.bitString, octets), let unused = content.first, unused < 8 else {
            return nil
        }
        var value: UInt16 = 0
        for (i, octet) in content.dropFirst().prefix(2).enumerated() {
            for bit in 0..<8 where octet & (0x80 >> bit) != 0 { value |= 1 << (8 * i + bit) }
        }
        return value
    }

    private static func names(_ octets: [UInt8]) -> [SslAlternativeName]? {
        guard let content = DerReader.only(DerTag.sequence, octets) else { return nil }
        var reader = DerReader(content)
        var names: [SslAlternativeName] = []
        while !reader.isEmpty {
            guard let (tag, value) = reader.next(), tag & 0xC0 == 0x80 else { return nil }
            switch tag {
            case 0x81: names.append(.email(Array(value)))
            case 0x82: names.append(.dns(Array(value)))
            case 0x86: names.append(.uri(Array(value)))
            case 0x87: names.append(.ipAddress(Array(value)))
            default: names.append(.other(tag: Int(tag & 0x1F), Array(value)))
            }
        }
        return names
    }

    private static func constraints(_ octets: [UInt8]) -> SslBasicConstraints? {
        guard let content = DerReader.only(DerTag.sequence, octets) else { return nil }
        var reader = DerReader(content)
        var constraints = SslBasicConstraints(isAuthority: false)
        if let flag = reader.next(DerTag.boolean) {
            guard flag.count == 1 else { return nil }
            constraints.isAuthority = flag.first != 0
        }
        if let number = reader.next(DerTag.integer) {
            guard let first = number.first, first < 0x80, number.count <= 4 else { return nil }
            constraints.pathLength = number.reduce(0) { $0 << 8 | Int($1) }
        }
        return reader.isEmpty ? constraints : nil
    }

    private static func identifiers(_ octets: [UInt8]) -> [String]? {
        guard let content = DerReader.only(DerTag.sequence, octets) else { return nil }
        var reader = DerReader(content)
        var identifiers: [String] = []
        while !reader.isEmpty {
            guard let value = reader.next(DerTag.objectIdentifier), let text = dotted(value) else { return nil }
            identifiers.append(text)
        }
        return identifiers
    }

    /// An object identifier's content octets in digits and dots.
    private static func dotted(_ content: ArraySlice<UInt8>) -> String? {
        var arcs: [UInt64] = []
        var arc: UInt64 = 0
        var isOpen = false
        for octet in content {
            guard arc < 1 << 56, isOpen || octet != 0x80 else { return nil }
            arc = arc << 7 | UInt64(octet & 0x7F)
            isOpen = octet & 0x80 != 0
            if isOpen { continue }
            if arcs.isEmpty {
                let first = min(arc / 40, 2)
                arcs = [first, arc - first * 40]
            } else {
                arcs.append(arc)
            }
            arc = 0
        }
        return isOpen || arcs.isEmpty ? nil : arcs.map(String.init).joined(separator: ".")
    }
}
#endif
