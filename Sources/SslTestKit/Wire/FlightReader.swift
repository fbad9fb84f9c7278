/// Reads what an end has sent as far as it is in clear text.
public struct FlightReader: Sendable {
    /// One record.
    public struct Record: Sendable {
        /// The content type.
        public var type: UInt8
        /// The content, encrypted or not.
        public var content: [UInt8]
    }

    /// One handshake message.
    public struct Message: Sendable {
        /// The type, for example 1 for a ClientHello.
        public var type: UInt8
        /// The body.
        public var body: [UInt8]
    }

    /// The records, the last one left out when it is incomplete.
    public let records: [Record]

    /// Cuts a transcript into records.
    public init(_ transcript: [UInt8]) {
        var list: [Record] = []
        var rest = transcript[...]
        while rest.count >= 5 {
            let start = rest.startIndex
            let length = Int(rest[start + 3]) << 8 | Int(rest[start + 4])
            guard rest.count >= 5 + length else { break }
            list.append(Record(type: rest[start], content: Array(rest[(start + 5)..<(start + 5 + length)])))
            rest = rest.dropFirst(5 + length)
        }
        records = list
    }

    /// The handshake messages before the first change of the cipher.
    public var messages: [Message] {
        var octets: [UInt8] = []
        for record in records {
            guard record.type == 22 else { break }
            octets += record.content
        }
        var list: [Message] = []
        var rest = octets[...]
        while rest.count >= 4 {
            let start = rest.startIndex
            let length = Int(rest[start + 1]) << 16 | Int(rest[start + 2]) << 8 | Int(rest[start + 3])
            guard rest.count >= 4 + length else { break }
            list.append(Message(type: rest[start], body: Array(rest[(start + 4)..<(start + 4 + length)])))
            rest = rest.dropFirst(4 + length)
        }
        return list
    }

    /// The distinguished names in a TLS 1.2 CertificateRequest (RFC 5246 section 7.4.4); nil when there is none.
    public var requestedAuthorities: [[UInt8]]? {
        guard let request = messages.first(where: { $0.type == 13 }) else { return nil }
        var reader = Reader(request.body)
        guard reader.vector(1) != nil, reader.vector(2) != nil, let list = reader.vector(2) else { return nil }
        var names = Reader(list)
        var result: [[UInt8]] = []
        while let name = names.vector(2) { result.append(name) }
        return result
    }

    /// The types of the extensions of the ClientHello; empty when there is none.
    public var extensionTypes: [Int] { extensions.map(\.type) }

    private var extensions: [(type: Int, content: [UInt8])] {
        guard let hello = messages.first(where: { $0.type == 1 }) else { return [] }
        var reader = Reader(hello.body)
        guard reader.skip(34), reader.vector(1) != nil, reader.vector(2) != nil, reader.vector(1) != nil,
            let list = reader.vector(2)
        else { return [] }
        var items = Reader(list)
        var result: [(type: Int, content: [UInt8])] = []
        while let type = items.number(2), let content = items.vector(2) { result.append((type, content)) }
        return result
    }

    /// The groups a TLS 1.3 ClientHello sends key shares for (RFC 8446 section 4.2.8); nil without the extension.
    public var keyShareGroups: [Int]? {
        guard let found = extensions.first(where: { $0.type == 51 }) else { return nil }
        var inner = Reader(found.content)
        guard let shares = inner.vector(2) else { return nil }
        var entries = Reader(shares)
        var groups: [Int] = []
        while let group = entries.number(2), entries.vector(2) != nil { groups.append(group) }
        return groups
    }

    private struct Reader {
        var rest: ArraySlice<UInt8>
        init(_ octets: [UInt8]) { rest = octets[...] }

        mutating func number(_ size: Int) -> Int? {
            guard rest.count >= size else { return nil }
            defer { rest = rest.dropFirst(size) }
            return rest.prefix(size).reduce(0) { $0 << 8 | Int($1) }
        }

        mutating func skip(_ count: Int) -> Bool {
            guard rest.count >= count else { return false }
            rest = rest.dropFirst(count)
            return true
        }

        mutating func vector(_ lengthOctets: Int) -> [UInt8]? {
            guard let length = number(lengthOctets), rest.count >= length else { return nil }
            defer { rest = rest.dropFirst(length) }
            return Array(rest.prefix(length))
        }
    }
}
