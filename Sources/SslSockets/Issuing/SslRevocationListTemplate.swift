package import SslBackend
public import SslValues

/// What stands in a revocation list to be issued (RFC 5280 section 5): see ``SslCertificateAuthority/revocationList(_:)``.
public struct SslRevocationListTemplate: Sendable, Hashable {
    /// One revoked certificate.
    public struct Entry: Sendable, Hashable {
        /// Its serial number.
        public var serialNumber: [UInt8]
        /// When it was revoked.
        public var revocationDate: SslInstant
        /// Why; ``OcspRevocationReason/none`` and ``OcspRevocationReason/unspecified`` are left out, as RFC 5280 section 5.3.1 wants it.
        public var reason: OcspRevocationReason
        /// Further extensions of the entry, as they are.
        public var extensions: [SslCertificateExtension] = []

        /// Names a certificate.
        public init(serialNumber: [UInt8], revocationDate: SslInstant, reason: OcspRevocationReason = .none) {
            self.serialNumber = serialNumber
            self.revocationDate = revocationDate
            self.reason = reason
        }
    }

    /// The revoked certificates.
    public var entries: [Entry]
    /// When the list is issued.
    public var thisUpdate: SslInstant
    /// When there will be a newer one; nil: it does not say, and then many programs, this library among them, judge nothing by it.
    public var nextUpdate: SslInstant?
    /// The number of the list, which grows with each; nil: none, against RFC 5280 section 5.2.3.
    public var number: UInt64?
    /// The number of the list that this one completes, which makes it a delta.
    public var baseNumber: UInt64?
    /// Names the issuer's key.
    public var hasKeyIdentifier = true
    /// The hash of the signature; Ed25519 and Ed448 keys ignore it.
    public var hash = SslHash.sha256
    /// Further extensions of the list, appended as they are.
    public var extensions: [SslCertificateExtension] = []

    /// A list with its required parts.
    public init(_ entries: [Entry] = [], number: UInt64?, thisUpdate: SslInstant, nextUpdate: SslInstant?) {
        self.entries = entries
        self.number = number
        self.thisUpdate = thisUpdate
        self.nextUpdate = nextUpdate
    }
}

/// Writes revocation lists.
package enum RevocationListWriter {
    /// A list in DER.
    ///
    /// - Parameters:
    ///   - issuer: whose certificates are revoked.
    ///   - signer: the key that signs.
    ///   - publicKeyInfo: the key that must have signed; nil: whatever it may be.
    package static func write(
        _ template: SslRevocationListTemplate, issuer: CertificateFields, signer: any TlsKey, provenBy publicKeyInfo: [UInt8]?
    ) throws(SslSocketError) -> [UInt8] {
        if let end = template.nextUpdate, end < template.thisUpdate {
            throw SslSocketError(.invalidUserData, "The revocation list ends before it begins")
        }
        let algorithm = try SignedData.algorithm(signer, template.hash)
        var entries: [UInt8] = []
        for entry in template.entries {
            guard DerValue.isInteger(entry.serialNumber[...]) else {
                throw SslSocketError(.invalidUserData, "A serial number in a revocation list is malformed")
            }
            var list = entry.extensions
            if entry.reason.rawValue > 0 {
                list.append(
                    SslCertificateExtension(
                        oid: ExtensionOid.reasonCode, isCritical: false,
                        value: DerWriter.enumerated(UInt8(entry.reason.rawValue))))
            }
            entries += DerWriter.sequence(
                DerWriter.integer(octets: entry.serialNumber), try SignedData.time(entry.revocationDate),
                try SignedData.extensions(list))
        }
        let extensions = try SignedData.extensions(try extensions(template, issuer, signer.backend))
        let signed = DerWriter.sequence(
            DerWriter.integer(1), algorithm.der, issuer.subjectDer, try SignedData.time(template.thisUpdate),
            try template.nextUpdate.map { end throws(SslSocketError) in try SignedData.time(end) } ?? [],
            entries.isEmpty ? [] : DerWriter.sequence(entries),
            extensions.isEmpty ? [] : DerWriter.element(0xA0, extensions))
        return try SignedData.write(signed, algorithm, key: signer, provenBy: publicKeyInfo)
    }

    private static func extensions(
        _ template: SslRevocationListTemplate, _ issuer: CertificateFields, _ backend: any TlsBackend
    ) throws(SslSocketError) -> [SslCertificateExtension] {
        var list: [SslCertificateExtension] = []
        if template.hasKeyIdentifier {
            list.append(
                .authorityKeyIdentifier(
                    try SignedData.keyIdentifier(of: issuer, backend)))
        }
        if let number = template.number {
            list.append(
                SslCertificateExtension(oid: ExtensionOid.crlNumber, isCritical: false, value: DerWriter.integer(number)))
        }
        if let base = template.baseNumber {
            list.append(
                SslCertificateExtension(oid: ExtensionOid.deltaCrlIndicator, isCritical: true, value: DerWriter.integer(base)))
        }
        return list + template.extensions
    }
}
