internal import SslBackend
public import SslValues

/// A certificate revocation list (RFC 5280 section 5): a value over its DER form. Beyond Qt.
///
/// Reading one does not check its signature; that happens when a certificate is judged by it.
public struct SslRevocationList: Sendable {
    let parsed: RevocationList

    /// Reads one list in DER.
    ///
    /// - Throws: ``SslSocketError/Code/invalidUserData`` when it is malformed.
    public init(der: [UInt8]) throws(SslSocketError) { parsed = try RevocationList(der) }

    /// Reads the first list of a PEM text.
    public init(pem: String) throws(SslSocketError) {
        guard let first = try Self.revocationLists(Array(pem.utf8)).first else {
            throw SslSocketError(.invalidUserData, "There is no revocation list in the data")
        }
        self = first
    }

    /// Reads every list of `bytes`, in order; DER holds exactly one.
    public static func revocationLists(
        _ bytes: [UInt8], format: SslEncodingFormat = .pem
    ) throws(SslSocketError) -> [SslRevocationList] {
        let list: [[UInt8]]
        switch format {
        case .der: list = [bytes]
        case .pem: list = try Pem.blocks(in: bytes, labels: ["X509 CRL"]).map(\.der)
        }
        var result: [SslRevocationList] = []
        for der in list { result.append(try SslRevocationList(der: der)) }
        return result
    }

    /// Reads every list of a file, PEM or DER.
    ///
    /// - Throws: ``SslSocketError/Code/unreadableFile``, ``SslSocketError/Code/invalidUserData`` when it is malformed or there is none.
    public static func revocationLists(
        fromFile path: String, format: SslEncodingFormat = .pem
    ) throws(SslSocketError) -> [SslRevocationList] {
        let list = try revocationLists(FileReader.read(path), format: format)
        if list.isEmpty { throw SslSocketError(.invalidUserData, "There is no revocation list in the file \(path)") }
        return list
    }

    /// The DER form.
    public var der: [UInt8] { parsed.der }
    /// The PEM form.
    public var pem: String { Pem.encode(parsed.der, label: "X509 CRL") }
    /// The issuer's attributes in order.
    public var issuer: [SslNameAttribute] { parsed.issuer.attributes }
    /// When it was issued.
    public var thisUpdate: SslInstant { parsed.thisUpdate }
    /// Until when it holds; nil when it does not say, and then no certificate is judged by it.
    public var nextUpdate: SslInstant? { parsed.nextUpdate }
    /// How many certificates it names.
    public var count: Int { parsed.entries.count }
    /// It names only what has changed since another list (a delta CRL).
    public var isDelta: Bool { parsed.baseNumber != nil }
}

extension SslRevocationList: Hashable, CustomStringConvertible {
    public static func == (a: SslRevocationList, b: SslRevocationList) -> Bool { a.parsed === b.parsed || a.der == b.der }
    public func hash(into hasher: inout Hasher) { hasher.combine(der) }
    /// The issuer, and until when it holds.
    public var description: String {
        let name = issuer.last { $0.oid == "2.5.4.3" } ?? issuer.last
        return "CRL of \(name?.value ?? "nobody"), next \(nextUpdate.map { "\($0)" } ?? "unknown")"
    }
}

/// Which certificates of a chain must be proven not to be revoked, by the lists of the configuration. Beyond Qt.
///
/// A list proves something only when it is signed by whom it should be, holds at the time, has the certificate in its scope, and has no
/// critical extension that is not understood. A certificate without such a list is refused with
/// ``SslErrorCode/certificateStatusUnknown``: an attacker who can keep the list away must not gain by it.
public enum SslRevocationPolicy: Sendable, Hashable, CaseIterable {
    /// ``chain`` once there is a list, ``off`` without any. The default.
    case automatic
    /// Lists are not looked at.
    case off
    /// The peer's own certificate.
    case leaf
    /// Every certificate but the trusted one.
    case chain
    /// Whatever a list that holds names as revoked is refused; what no list covers counts as good. **Weaker: a list that was kept away
    /// or has expired is not missed.**
    case listed
}
