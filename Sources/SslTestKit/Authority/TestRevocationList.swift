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
        var template = SslRevocationListTemplate(
            list.serialNumbers.map { serial in
                var entry = SslRevocationListTemplate.Entry(serialNumber: serial, revocationDate: list.thisUpdate)
                if let reason = list.reason {
                    entry.extensions = [
                        SslCertificateExtension(
                            oid: ExtensionOid.reasonCode, isCritical: false, value: DerWriter.enumerated(reason))
                    ]
                }
                return entry
            },
            number: list.number.map { UInt64($0) }, thisUpdate: list.thisUpdate, nextUpdate: list.nextUpdate)
        template.baseNumber = list.baseNumber.map { UInt64($0) }
        template.hasKeyIdentifier = false
        template.extensions = list.extensions
        return try RevocationListWriter.write(
            template, issuer: CertificateFields(certificate), signer: signer ?? key, provenBy: nil)
    }
}
