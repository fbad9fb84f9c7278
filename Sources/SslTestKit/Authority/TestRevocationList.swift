public import SslBackend
internal import SslSockets
public import SslValues

/// What stands in a revocation list that a ``TestAuthority`` issues (RFC 5280 section 5).
public struct TestRevocationList: Sendable {
    /// The serial numbers of the certificates it names.
    public var serialNumbers: [[UInt8]]
    /// When it was issued.
    public var thisUpdate: SslInstant
    /// Until when it holds; nil: it does not say.
    public var nextUpdate: SslInstant?
    /// The number of the list; nil: it has none.
    public var number: UInt8? = 1
    /// The number of the list it completes, which makes it a delta.
    public var baseNumber: UInt8?
    /// The reason that stands with each entry; nil: none.
    public var reason: UInt8?
    /// Further extensions of the list, as they are.
    public var extensions: [SslCertificateExtension] = []

    /// A list that holds from a day ago to thirty days from now, but for what is said otherwise.
    public init(
        _ serialNumbers: [[UInt8]] = [], validity: ClosedRange<SslInstant> = TestAuthority.currentValidity
    ) {
        self.serialNumbers = serialNumbers
        thisUpdate = validity.lowerBound
        nextUpdate = validity.upperBound
    }
}

extension TestAuthority {
    /// Issues a revocation list.
    ///
    /// - Parameter signer: the key that signs; nil for this authority's own. Another makes a forgery.
    /// - Returns: the list in DER.
    public func revocationList(_ list: TestRevocationList = TestRevocationList(), signer: (any TlsKey)? = nil)
        throws(SslSocketError) -> [UInt8]
    {
        let key = signer ?? self.key
        let (algorithm, identifier): (X509SignatureAlgorithm, [UInt8]) =
            switch key.algorithm {
            case .rsa: (.rsaPkcs1(.sha256), Der.sequence(Der.oid("1.2.840.113549.1.1.11"), [0x05, 0x00]))
            case .ed25519: (.ed25519, Der.sequence(Der.oid("1.3.101.112")))
            default: (.ecdsa(.sha256), Der.sequence(Der.oid("1.2.840.10045.4.3.2")))
            }
        var content = Der.integer([1]) + identifier + (try CertificateFields(certificate)).subjectDer + Der.time(list.thisUpdate)
        if let end = list.nextUpdate { content += Der.time(end) }
        let entries = list.serialNumbers.map { serial in
            let reason = list.reason.map { reason in
                Der.sequence(Der.extension("2.5.29.21", isCritical: false, Der.element(0x0A, [reason])))
            }
            return Der.sequence(Der.integer(serial), Der.time(list.thisUpdate), reason ?? [])
        }
        if !entries.isEmpty { content += Der.sequence(entries.flatMap { $0 }) }
        var extensions: [[UInt8]] = []
        if let number = list.number { extensions.append(Der.extension("2.5.29.20", isCritical: false, Der.integer([number]))) }
        if let base = list.baseNumber { extensions.append(Der.extension("2.5.29.27", isCritical: true, Der.integer([base]))) }
        for one in list.extensions { extensions.append(Der.extension(one.oid, isCritical: one.isCritical, one.value)) }
        if !extensions.isEmpty { content += Der.element(0xA0, Der.sequence(extensions.flatMap { $0 })) }
        let signed = Der.sequence(content)
        let signature = try key.sign(signed, algorithm)
        return Der.sequence(signed, identifier, Der.element(0x03, [0] + signature))
    }
}

/// Writes DER.
package enum Der {
    /// Tag, length, content.
    package static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        var length: [UInt8] = []
        var rest = content.count
        while rest > 0 || length.isEmpty {
            length.insert(UInt8(rest & 0xFF), at: 0)
            rest >>= 8
        }
        return [tag] + (content.count < 0x80 ? length : [0x80 | UInt8(length.count)] + length) + content
    }

    /// A SEQUENCE.
    package static func sequence(_ parts: [UInt8]...) -> [UInt8] { element(0x30, parts.flatMap { $0 }) }

    /// A positive INTEGER, or the content octets of any.
    package static func integer(_ content: [UInt8]) -> [UInt8] { element(0x02, content) }

    /// An OBJECT IDENTIFIER in its dotted form.
    package static func oid(_ dotted: String) -> [UInt8] {
        let arcs = dotted.split(separator: ".").compactMap { UInt64($0) }
        var content: [UInt8] = []
        for arc in [(arcs.first ?? 0) * 40 + (arcs.dropFirst().first ?? 0)] + arcs.dropFirst(2) {
            var octets = [UInt8(arc & 0x7F)]
            var rest = arc >> 7
            while rest > 0 {
                octets.insert(UInt8(rest & 0x7F) | 0x80, at: 0)
                rest >>= 7
            }
            content += octets
        }
        return element(0x06, content)
    }

    /// A GeneralizedTime, or before 2050 a UTCTime.
    package static func time(_ instant: SslInstant) -> [UInt8] {
        let digits = instant.description.utf8.filter { (0x30...0x39).contains($0) }
        let isLate = Array(digits.prefix(4)).lexicographicallyPrecedes(Array("2050".utf8)) == false
        return element(isLate ? 0x18 : 0x17, (isLate ? digits : Array(digits.dropFirst(2))) + [UInt8(ascii: "Z")])
    }

    /// An Extension.
    package static func `extension`(_ oid: String, isCritical: Bool, _ value: [UInt8]) -> [UInt8] {
        sequence(self.oid(oid), isCritical ? [0x01, 0x01, 0xFF] : [], element(0x04, value))
    }
}
