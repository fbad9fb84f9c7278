internal import SslBackend

/// Writes DER for tests, malformed where they want it.
package enum Der {
    /// Tag, length, content.
    package static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] { DerWriter.element(tag, content) }

    /// A SEQUENCE.
    package static func sequence(_ parts: [UInt8]...) -> [UInt8] { element(DerTag.sequence, parts.flatMap { $0 }) }

    /// An INTEGER from its content octets.
    package static func integer(_ content: [UInt8]) -> [UInt8] { DerWriter.integer(octets: content) }

    /// An Extension.
    package static func `extension`(_ oid: String, isCritical: Bool, _ value: [UInt8]) -> [UInt8] {
        sequence(self.oid(oid), isCritical ? element(DerTag.boolean, [0xFF]) : [], DerWriter.octetString(value))
    }

    /// An OBJECT IDENTIFIER in its dotted form; nothing for what is none.
    package static func oid(_ dotted: String) -> [UInt8] { DerWriter.objectIdentifier(dotted) ?? [] }
}
