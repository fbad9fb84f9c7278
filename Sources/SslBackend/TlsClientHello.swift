internal import SslValues

/// What a ClientHello says (RFC 8446 section 4.1.2), read from the wire before the engine sees it, so that credentials can be
/// chosen by name on every engine alike.
///
/// Parsing is lenient: what cannot be read leaves ``isMalformed`` set and the rest empty. It is the engine that judges the octets.
public struct TlsClientHello: Sendable, Hashable {
    /// The version field, at most TLS 1.2.
    public var legacyVersion: UInt16 = 0
    /// The supported_versions extension; empty without.
    public var supportedVersions: [UInt16] = []
    /// The cipher suites in the client's order, as they stand there (with signalling values and GREASE).
    public var cipherSuites: [UInt16] = []
    /// The server name in lower case; nil without, or when it is not a plausible DNS name (RFC 6066 section 3).
    public var serverName: String?
    /// The ALPN protocols in the client's order.
    public var applicationProtocols: [[UInt8]] = []
    /// The groups in the client's order.
    public var groups: [UInt16] = []
    /// The signature schemes in the client's order.
    public var signatureSchemes: [UInt16] = []
    /// The TLS 1.2 session ticket; nil without the extension.
    public var sessionTicket: [UInt8]?
    /// The identities of the TLS 1.3 pre_shared_key extension: tickets and names.
    public var preSharedKeyIdentities: [[UInt8]] = []
    /// The obfuscated ages of these, in the same order. A ticket's is zero only by chance, that of an external key always
    /// (RFC 8446 section 4.2.11), which tells the two apart.
    public var preSharedKeyAges: [UInt32] = []
    /// The client announces early data.
    public var hasEarlyData = false
    /// Some part could not be read.
    public var isMalformed = false

    /// Nothing said.
    public init() {}

    /// What the first octets of a stream are.
    public enum Reading: Sendable {
        /// Not all of it is there.
        case incomplete
        /// A ClientHello, or a handshake message that tries to be one.
        case hello(TlsClientHello)
        /// Not a TLS handshake.
        case notTls
    }

    /// Larger first messages are not collected but reported as malformed.
    static let largestMessage = 65_536

    /// Reads the ClientHello from the records at the start of a stream.
    public static func read(records: UnsafeRawBufferPointer) -> Reading {
        var position = 0
        var needed = 4
        var message: [UInt8] = []
        while message.count < needed {
            guard records.count > position else { return .incomplete }
            guard unsafe records[position] == 22 else { return position == 0 ? .notTls : .hello(.malformed) }
            // A record's first two version octets tell TLS from chance at the first opportunity.
            if records.count > position + 1, unsafe records[position + 1] != 3 {
                return position == 0 ? .notTls : .hello(.malformed)
            }
            guard records.count >= position + 5 else { return .incomplete }
            let length = unsafe Int(records[position + 3]) << 8 | Int(records[position + 4])
            guard length > 0, length <= 16_384 + 256 else { return .hello(.malformed) }
            guard records.count >= position + 5 + length else { return .incomplete }
            unsafe message.append(contentsOf: records[(position + 5)..<(position + 5 + length)])
            position += 5 + length
            if message.count >= 4 {
                guard message[0] == 1 else { return .hello(.malformed) }
                needed = 4 + (Int(message[1]) << 16 | Int(message[2]) << 8 | Int(message[3]))
                if needed > largestMessage { return .hello(.malformed) }
            }
        }
        return .hello(TlsClientHello(body: message[4..<needed]))
    }

    private static var malformed: TlsClientHello {
        var hello = TlsClientHello()
        hello.isMalformed = true
        return hello
    }

    /// Reads the body of a ClientHello message, without the four octets of the handshake header.
    init(body: ArraySlice<UInt8>) {
        var reader = WireReader(body)
        guard let version = reader.number(2), reader.skip(32), reader.vector(1) != nil, var suites = reader.vector(2),
            reader.vector(1) != nil
        else {
            isMalformed = true
            return
        }
        legacyVersion = UInt16(version)
        while let suite = suites.number(2) { cipherSuites.append(UInt16(suite)) }
        if !suites.isEmpty { isMalformed = true }
        if reader.isEmpty { return }
        guard var extensions = reader.vector(2), reader.isEmpty else {
            isMalformed = true
            return
        }
        while !extensions.isEmpty {
            guard let type = extensions.number(2), let content = extensions.vector(2) else {
                isMalformed = true
                return
            }
            if !readExtension(type, content) { isMalformed = true }
        }
    }

    private mutating func readExtension(_ type: Int, _ content: WireReader) -> Bool {
        var content = content
        switch type {
        case 0: return readServerName(&content)
        case 10: return Self.readNumbers(&content, lengthOctets: 2, into: &groups)
        case 13: return Self.readNumbers(&content, lengthOctets: 2, into: &signatureSchemes)
        case 16:
            guard var list = content.vector(2) else { return false }
            while let name = list.vector(1) { applicationProtocols.append(name.rest) }
            return list.isEmpty
        case 35: sessionTicket = content.rest
        case 41:
            guard var list = content.vector(2) else { return false }
            while let identity = list.vector(2), let age = list.number(4) {
                preSharedKeyIdentities.append(identity.rest)
                preSharedKeyAges.append(UInt32(truncatingIfNeeded: age))
            }
            return list.isEmpty
        case 42: hasEarlyData = true
        case 43: return Self.readNumbers(&content, lengthOctets: 1, into: &supportedVersions)
        default: break
        }
        return true
    }

    private mutating func readServerName(_ content: inout WireReader) -> Bool {
        guard var list = content.vector(2) else { return false }
        while let kind = list.number(1), let name = list.vector(2) {
            guard kind == 0, serverName == nil else { continue }
            serverName = Self.hostName(name.rest)
        }
        return list.isEmpty
    }

    /// A DNS name of letters, digits, hyphens, underscores and dots, in lower case and without a trailing dot.
    private static func hostName(_ octets: [UInt8]) -> String? {
        guard (1...255).contains(octets.count) else { return nil }
        var name: [UInt8] = []
        for octet in octets {
            switch octet {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): name.append(octet | 0x20)
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
                UInt8(ascii: "."),
                UInt8(ascii: "_"):
                name.append(octet)
            default: return nil
            }
        }
        if name.last == UInt8(ascii: ".") { name.removeLast() }
        return name.isEmpty ? nil : String(decoding: name, as: UTF8.self)
    }

    private static func readNumbers(_ content: inout WireReader, lengthOctets: Int, into list: inout [UInt16]) -> Bool {
        guard var numbers = content.vector(lengthOctets) else { return false }
        while let number = numbers.number(2) { list.append(UInt16(number)) }
        return numbers.isEmpty
    }
}

/// Reads big-endian numbers and length-prefixed vectors (RFC 8446 section 3), never beyond the end.
struct WireReader {
    private var octets: ArraySlice<UInt8>

    init(_ octets: ArraySlice<UInt8>) { self.octets = octets }

    var isEmpty: Bool { octets.isEmpty }
    var rest: [UInt8] { Array(octets) }

    mutating func number(_ size: Int) -> Int? {
        guard octets.count >= size else { return nil }
        var value = 0
        for octet in octets.prefix(size) { value = value << 8 | Int(octet) }
        octets = octets.dropFirst(size)
        return value
    }

    mutating func skip(_ count: Int) -> Bool {
        guard octets.count >= count else { return false }
        octets = octets.dropFirst(count)
        return true
    }

    mutating func vector(_ lengthOctets: Int) -> WireReader? {
        guard let length = number(lengthOctets), octets.count >= length else { return nil }
        defer { octets = octets.dropFirst(length) }
        return WireReader(octets.prefix(length))
    }
}
