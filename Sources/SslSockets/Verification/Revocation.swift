internal import SslBackend
internal import SslValues

/// Judges certificates by revocation lists (RFC 5280 section 6.3), over a path that has been found.
struct Revocation {
    /// What the lists say.
    enum Status {
        case good
        case revoked
        /// No list that holds covers the certificate for all reasons.
        case unknown
    }

    let lists: [RevocationList]
    let time: SslInstant
    let profile: SslCertificateProfile
    let backend: any TlsBackend
    /// The certificates that may have signed lists besides those of the path.
    let offered: [LazyCertificate]
    let signatures: SignatureCache
    /// Whether a certificate that is not on the path is validly issued below the same trusted certificate.
    let isValidSigner: (LazyCertificate, _ anchor: LazyCertificate) -> Bool

    /// Every reason there is: bits 1 to 8 (section 4.2.1.13).
    private static let allReasons: UInt16 = 0x1FE
    /// No certificate needs more distribution points.
    private static let mostPoints = 32
    /// The entry takes back another (section 5.3.1).
    private static let removeFromList = 8

    /// What the lists say about the certificate at `depth` of a path that ends in a trusted one.
    func status(_ path: [LazyCertificate], depth: Int) -> Status {
        let fields = path[depth].fields
        guard var points = DistributionPoint.points(fields), points.count <= Self.mostPoints else { return .unknown }
        // At last the lists of the issuer itself, wherever they were published (section 6.3.3, last paragraph).
        points.append(DistributionPoint())
        var covered: UInt16 = 0
        for point in points {
            for list in lists where list.baseNumber == nil && isInScope(list, fields, point) {
                let reasons = (point.reasons ?? Self.allReasons) & (list.scope?.reasons ?? Self.allReasons) & Self.allReasons
                guard reasons & ~covered != 0, isUsable(list), isSigned(list, path, depth) else { continue }
                if isNamed(fields, by: list, path, depth) { return .revoked }
                covered |= reasons
                if covered == Self.allReasons { return .good }
            }
        }
        return .unknown
    }

    /// Section 6.3.3 (b).
    private func isInScope(_ list: RevocationList, _ fields: CertificateFields, _ point: DistributionPoint) -> Bool {
        if let issuers = point.issuers {
            guard issuers.contains(list.canonicalIssuer), list.scope?.isIndirect == true else { return false }
        } else {
            guard list.canonicalIssuer == fields.canonicalIssuer else { return false }
        }
        guard let scope = list.scope else { return true }
        let isAuthority = fields.basicConstraints?.isAuthority ?? false
        if scope.onlyAttributes || scope.onlyUsers && isAuthority || scope.onlyAuthorities && !isAuthority { return false }
        guard let published = scope.point?.comparable(list.canonicalIssuer) else { return true }
        let wanted =
            point.name?.comparable(point.issuers?.first ?? fields.canonicalIssuer)
            ?? Set((point.issuers ?? [fields.canonicalIssuer]).map(DistributionPointName.directory))
        return !published.isDisjoint(with: wanted)
    }

    /// The list holds now and nothing in it forbids its use.
    private func isUsable(_ list: RevocationList) -> Bool {
        guard !list.hasUnknownCriticalExtension, let end = list.nextUpdate, list.thisUpdate <= time, time <= end else {
            return false
        }
        // Section 5.2.3: every list has a number, which is not critical. Small authorities leave it out.
        return profile == .path || (list.number != nil && !list.isNumberCritical)
    }

    /// The list is signed with the key of the certificate's issuer, or of another certificate of that name that may sign lists.
    private func isSigned(_ list: RevocationList, _ path: [LazyCertificate], _ depth: Int) -> Bool {
        guard let anchor = path.last, KeyStrength.isStrong(list.algorithm) else { return false }
        func hasSigned(_ fields: CertificateFields) -> Bool {
            guard fields.canonicalSubject == list.canonicalIssuer, fields.keyUsage?.contains(.crlSigning) ?? true else {
                return false
            }
            if let wanted = list.keyIdentifier, let there = fields.subjectKeyIdentifier, wanted != there { return false }
            return signatures.isSigned(list, by: fields, backend: backend)
        }
        if path[(depth + 1)...].contains(where: { hasSigned($0.fields) }) { return true }
        return offered.contains { hasSigned($0.fields) && isValidSigner($0, anchor) }
    }

    /// The list, or the newest of its deltas that holds, names the certificate as revoked.
    private func isNamed(_ fields: CertificateFields, by list: RevocationList, _ path: [LazyCertificate], _ depth: Int) -> Bool {
        let deltas = lists.filter { delta in
            guard let base = delta.baseNumber, let number = list.number, let own = delta.number else { return false }
            return delta.canonicalIssuer == list.canonicalIssuer && delta.scopeDer == list.scopeDer
                && delta.keyIdentifier == list.keyIdentifier && !Self.isLess(number, base) && !Self.isLess(own, number)
                && isUsable(delta) && isSigned(delta, path, depth)
        }
        let newest = deltas.max { Self.isLess($0.number ?? [], $1.number ?? []) }
        func reason(_ list: RevocationList?) -> Int? {
            list?.reason(issuer: fields.canonicalIssuer, serialNumber: fields.serialNumber)
        }
        return (reason(newest) ?? reason(list)).map { $0 != Self.removeFromList } ?? false
    }

    private static func isLess(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        a.count != b.count ? a.count < b.count : a.lexicographicallyPrecedes(b)
    }
}
