internal import SslBackend
internal import SslValues

/// StartTLS of LDAP (RFC 4511 section 4.14): an extended request and its response in BER.
struct LdapDialogue: Dialogue {
    private enum Phase { case request, response, end }
    private var phase = Phase.request

    /// 1.3.6.1.4.1.1466.20037 in the text form that LDAP uses.
    private static let name = Array("1.3.6.1.4.1.1466.20037".utf8)
    private static let messageId: UInt8 = 1
    /// An honest response has less than 100 octets, and a message for a person.
    private static let longest = 8192

    mutating func proceed(_ received: inout ByteQueue) throws(SslSocketError) -> DialogueStep {
        switch phase {
        case .request:
            phase = .response
            let operation = Ber.element(0x77, Ber.element(0x80, Self.name))
            return .say(Ber.element(0x30, Ber.element(0x02, [Self.messageId]) + operation))
        case .response:
            guard let message = try wholeMessage(&received) else { return .listen }
            try check(message)
            phase = .end
            return .done
        case .end: return .done
        }
    }

    /// Takes exactly one LDAPMessage: what follows is left.
    private func wholeMessage(_ received: inout ByteQueue) throws(SslSocketError) -> ArraySlice<UInt8>? {
        guard let tag = received.octet(at: 0) else { return nil }
        guard tag == 0x30 else { throw SslSocketError(.handshakeFailed, "What answered is no LDAP server") }
        guard let head = received.peek(min(received.count, 6)), let (start, length) = try Ber.length(head[...]) else {
            return nil
        }
        guard length <= Self.longest else { throw SslSocketError(.handshakeFailed, "The LDAP server's answer is too long") }
        guard received.count >= start + length else { return nil }
        return received.take(start + length)[start...]
    }

    private func check(_ message: ArraySlice<UInt8>) throws(SslSocketError) {
        var rest = message
        guard let id = try Ber.take(0x02, &rest), id.elementsEqual([Self.messageId]), let response = try Ber.take(0x78, &rest)
        else {
            throw SslSocketError(.handshakeFailed, "The LDAP server did not answer the request for encryption")
        }
        // Controls may follow; nothing else.
        if !rest.isEmpty { guard try Ber.take(0xA0, &rest) != nil, rest.isEmpty else { throw Ber.malformed } }
        rest = response
        guard let code = try Ber.take(0x0A, &rest), let result = code.first, code.count == 1,
            try Ber.take(0x04, &rest) != nil, let words = try Ber.take(0x04, &rest)
        else { throw Ber.malformed }
        _ = try Ber.take(0xA3, &rest)
        let responseName = try Ber.take(0x8A, &rest)
        _ = try Ber.take(0x8B, &rest)
        guard rest.isEmpty else { throw Ber.malformed }
        guard result == 0 else {
            let said = words.isEmpty ? "" : ": \(DialogueWords.quoted(String(decoding: words, as: UTF8.self)))"
            throw SslSocketError(
                .handshakeFailed, "The LDAP server refuses encryption with the result \(result)\(said)", nativeCode: Int(result))
        }
        // Left out, or the same as asked for (RFC 4511 section 4.14.2).
        if let responseName, !responseName.elementsEqual(Self.name) { throw Ber.malformed }
    }
}

/// As much of BER as LDAP uses: one octet of tag, definite lengths (RFC 4511 section 5.1).
private enum Ber {
    static let malformed = SslSocketError(.handshakeFailed, "The LDAP server's answer is malformed")

    /// An element of at most 127 octets.
    static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] { [tag, UInt8(clamping: content.count)] + content }

    /// Where the content of the element at the beginning starts and how long it is; nil when that is not there yet.
    static func length(_ octets: ArraySlice<UInt8>) throws(SslSocketError) -> (start: Int, length: Int)? {
        let head = octets.prefix(6)
        guard let first = head.dropFirst().first else { return nil }
        if first < 0x80 { return (2, Int(first)) }
        let count = Int(first & 0x7F)
        guard (1...4).contains(count) else { throw malformed }
        let digits = head.dropFirst(2).prefix(count)
        guard digits.count == count else { return nil }
        return (2 + count, digits.reduce(0) { $0 << 8 | Int($1) })
    }

    /// Takes the element at the beginning, if it has the tag; nil when it has another, or there is none.
    static func take(_ tag: UInt8, _ octets: inout ArraySlice<UInt8>) throws(SslSocketError) -> ArraySlice<UInt8>? {
        guard octets.first == tag else { return nil }
        guard let (start, length) = try length(octets), octets.count >= start + length else { throw malformed }
        defer { octets = octets.dropFirst(start + length) }
        return octets.dropFirst(start).prefix(length)
    }
}
