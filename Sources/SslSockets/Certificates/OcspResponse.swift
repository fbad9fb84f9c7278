public import SslValues

/// What a responder says about a certificate (`QOcspCertificateStatus`).
public enum OcspCertificateStatus: Sendable, Hashable {
    /// Not revoked.
    case good
    /// Revoked.
    case revoked
    /// The responder does not know it.
    case unknown
}

/// Why a certificate was revoked (`QOcspRevocationReason`). The raw values are those of RFC 5280 section 5.3.1; Qt's number 7 for
/// ``removeFromCrl`` is none of them.
public enum OcspRevocationReason: Int, Sendable, Hashable, CaseIterable {
    /// It is not revoked, or no reason is given.
    case none = -1
    /// For a reason that is not told.
    case unspecified = 0
    /// Its private key is in other hands.
    case keyCompromise = 1
    /// The authority's private key is in other hands.
    case caCompromise = 2
    /// The name or another fact in it has changed.
    case affiliationChanged = 3
    /// There is a newer one.
    case superseded = 4
    /// It is not needed any more.
    case cessationOfOperation = 5
    /// For the time being.
    case certificateHold = 6
    /// It was on hold and is not any more.
    case removeFromCrl = 8
    /// It says what its holder may do, and he may not any more. Beyond Qt.
    case privilegeWithdrawn = 9
    /// The private key of an attribute authority is in other hands. Beyond Qt.
    case aaCompromise = 10
}

/// The status of a certificate that its server has stapled (`QOcspResponse`, RFC 6960): see ``SslSocket/ocspResponses``.
public struct OcspResponse: Sendable, Hashable {
    /// What the responder says (`certificateStatus`).
    public internal(set) var certificateStatus = OcspCertificateStatus.unknown
    /// Why, where it is revoked (`revocationReason`).
    public internal(set) var revocationReason = OcspRevocationReason.none
    /// Since when it is revoked; nil when it is not. Beyond Qt.
    public internal(set) var revocationTime: SslInstant?
    /// The certificate that signed the response (`responder`): the issuer's, or one the issuer has empowered; nil when neither did.
    public internal(set) var responder: SslCertificate?
    /// The certificate it is about (`subject`): the server's own; nil when it is about another.
    public internal(set) var subject: SslCertificate?
    /// The time at which the status was known to be right; nil when malformed. Beyond Qt.
    public internal(set) var thisUpdate: SslInstant?
    /// When there will be a newer one; nil when the responder does not say. Beyond Qt.
    public internal(set) var nextUpdate: SslInstant?

    /// One that says nothing: the status is unknown.
    public init() {}
}

extension SslSocket {
    /// What the server stapled about its certificate (`ocspResponses`), from the moment it is verified: at most one. Empty unless
    /// ``SslConfiguration/ocspStaplingEnabled`` asked for it, and for a response that cannot be read. It is there also when it was refused.
    public var ocspResponses: [OcspResponse] { connection?.ocspResponses ?? [] }
}
