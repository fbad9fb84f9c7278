internal import SslBackend
internal import SslValues

/// One tag with its attributes.
struct XmppTag: Equatable {
    enum Kind { case declaration, start, end, empty }
    let kind: Kind
    let name: String
    let attributes: [String: String]
    /// All of it, to be quoted.
    let text: String

    /// How long the tag at the beginning is; nil when its end is not there yet. A `>` between quotes is no end.
    static func length(at received: borrowing ByteQueue, limit: Int) throws(SslSocketError) -> Int? {
        var quote: UInt8?
        let octets = unsafe received.readable
        for place in 0..<octets.count {
            let octet = unsafe octets[place]
            guard place < limit else {
                throw SslSocketError(.handshakeFailed, "The XMPP server talks without end before STARTTLS")
            }
            switch (octet, quote) {
            case (UInt8(ascii: ">"), nil): return place + 1
            case (UInt8(ascii: "<"), _) where place > 0:
                throw SslSocketError(.handshakeFailed, "What the XMPP server sent is no XML")
            case (UInt8(ascii: "'"), nil), (UInt8(ascii: "\""), nil): quote = octet
            case (_, let open?) where octet == open: quote = nil
            default: break
            }
        }
        return nil
    }

    /// Reads `<name a='1' b="2">`, `</name>`, `<name/>` or `<?xml …?>`.
    init(_ octets: [UInt8]) throws(SslSocketError) {
        guard let text = String(validating: octets, as: UTF8.self) else {
            throw SslSocketError(.handshakeFailed, "What the XMPP server sent is not UTF-8")
        }
        self.text = text
        var rest = octets.dropFirst().dropLast()
        if rest.first == UInt8(ascii: "?") {
            guard rest.last == UInt8(ascii: "?"), rest.count > 1 else { throw DialogueWords.unexpected(text) }
            rest = rest.dropFirst().dropLast()
            kind = .declaration
        } else if rest.first == UInt8(ascii: "/") {
            rest = rest.dropFirst()
            kind = .end
        } else if rest.last == UInt8(ascii: "/") {
            rest = rest.dropLast()
            kind = .empty
        } else {
            kind = .start
        }
        let name = rest.prefix(while: Self.isNameOctet)
        self.name = String(decoding: name, as: UTF8.self)
        guard !name.isEmpty, kind != .declaration || self.name == "xml" else { throw DialogueWords.unexpected(text) }
        attributes = try Self.attributes(rest.dropFirst(name.count), of: text)
        guard kind != .end || attributes.isEmpty else { throw DialogueWords.unexpected(text) }
    }

    private static func attributes(_ octets: ArraySlice<UInt8>, of text: String) throws(SslSocketError) -> [String: String] {
        var found: [String: String] = [:]
        var rest = octets
        while true {
            let isApart = rest.first.map(isSpace) ?? false
            rest = rest.drop(while: isSpace)
            if rest.isEmpty { return found }
            let name = rest.prefix(while: isNameOctet)
            rest = rest.dropFirst(name.count).drop(while: isSpace)
            guard isApart, !name.isEmpty, rest.popFirst() == UInt8(ascii: "=") else { throw DialogueWords.unexpected(text) }
            rest = rest.drop(while: isSpace)
            guard let quote = rest.popFirst(), quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
                throw DialogueWords.unexpected(text)
            }
            let value = rest.prefix { $0 != quote }
            rest = rest.dropFirst(value.count)
            guard rest.popFirst() != nil,
                found.updateValue(String(decoding: value, as: UTF8.self), forKey: String(decoding: name, as: UTF8.self)) == nil
            else { throw DialogueWords.unexpected(text) }
        }
    }

    private static func isSpace(_ octet: UInt8) -> Bool { [0x20, 0x09, 0x0A, 0x0D].contains(octet) }

    private static func isNameOctet(_ octet: UInt8) -> Bool {
        switch octet {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: ":"),
            0x80...:
            true
        default: false
        }
    }
}
