/// Records written by hand, for what no engine would send.
public enum RawRecord {
    /// A record of a content type with the legacy version TLS 1.2 (RFC 8446 section 5.1).
    public static func make(type: UInt8, version: UInt16 = 0x0303, _ content: [UInt8]) -> [UInt8] {
        [type] + Wire.number(Int(version), 2) + Wire.vector(content, 2)
    }

    /// An alert in clear text.
    public static func alert(level: UInt8, code: UInt8) -> [UInt8] { make(type: 21, [level, code]) }

    /// A handshake message in clear text.
    public static func handshake(type: UInt8, _ body: [UInt8]) -> [UInt8] {
        make(type: 22, version: 0x0301, [type] + Wire.vector(body, 3))
    }

    /// The header of a record that claims to be longer than any may be (RFC 8446 section 5.2), with a few octets of content.
    public static var oversized: [UInt8] { [23, 3, 3, 0x48, 0x01] + [UInt8](repeating: 0, count: 32) }
}

/// A ClientHello written by hand (RFC 8446 section 4.1.2).
public struct RawClientHello: Sendable {
    /// The version field.
    public var legacyVersion: UInt16 = 0x0303
    /// The supported_versions extension; empty: none.
    public var supportedVersions: [UInt16] = []
    /// The cipher suites.
    public var cipherSuites: [UInt16] = [0xC02B, 0xC02F]
    /// The server name; nil: none.
    public var serverName: String?
    /// The ALPN protocols; empty: none.
    public var applicationProtocols: [String] = []
    /// The groups; empty: none.
    public var groups: [UInt16] = [29, 23]
    /// The signature schemes; empty: none.
    public var signatureSchemes: [UInt16] = [0x0403, 0x0804]
    /// Further extensions: type and content.
    public var extensions: [(type: UInt16, content: [UInt8])] = []

    /// A ClientHello of a plain TLS 1.2 client.
    public init() {}

    /// The body of the message.
    public var body: [UInt8] {
        var out = Wire.number(Int(legacyVersion), 2) + [UInt8](repeating: 0x5A, count: 32)
        out += Wire.vector([], 1)
        out += Wire.vector(cipherSuites.flatMap { Wire.number(Int($0), 2) }, 2)
        out += Wire.vector([0], 1)
        var list: [UInt8] = []
        func add(_ type: UInt16, _ content: [UInt8]) { list += Wire.number(Int(type), 2) + Wire.vector(content, 2) }
        func numbers(_ values: [UInt16]) -> [UInt8] { values.flatMap { Wire.number(Int($0), 2) } }
        if let serverName { add(0, Wire.vector([0] + Wire.vector(Array(serverName.utf8), 2), 2)) }
        if !groups.isEmpty {
            add(10, Wire.vector(numbers(groups), 2))
            add(11, Wire.vector([0], 1))
        }
        if !signatureSchemes.isEmpty { add(13, Wire.vector(numbers(signatureSchemes), 2)) }
        if !applicationProtocols.isEmpty {
            add(16, Wire.vector(applicationProtocols.flatMap { Wire.vector(Array($0.utf8), 1) }, 2))
        }
        if !supportedVersions.isEmpty { add(43, Wire.vector(numbers(supportedVersions), 1)) }
        for item in extensions { add(item.type, item.content) }
        return out + Wire.vector(list, 2)
    }

    /// The message in one record.
    public var record: [UInt8] { RawRecord.handshake(type: 1, body) }
}

/// Numbers and vectors of the presentation language (RFC 8446 section 3).
enum Wire {
    static func number(_ value: Int, _ size: Int) -> [UInt8] {
        (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * (size - 1 - $0))) }
    }

    static func vector(_ content: [UInt8], _ lengthOctets: Int) -> [UInt8] { number(content.count, lengthOctets) + content }
}
