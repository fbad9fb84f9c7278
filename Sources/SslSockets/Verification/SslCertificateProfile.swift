/// How strictly certificates must keep to their standards, beyond what makes a path valid.
///
/// Whatever the profile: signatures, time, names, purpose, CA bits, path lengths, name constraints, certificate policies, unknown critical
/// extensions, revocation lists and the strength of keys (112 bits, no SHA-1) are always checked. The profiles add refusals, never take any
/// away, and give the same answer on every backend. Beyond Qt.
public enum SslCertificateProfile: Sendable, Hashable, CaseIterable {
    /// What RFC 5280 section 6 requires of a path. The default: private authorities often leave out key identifiers or mark extensions
    /// otherwise than RFC 5280 wants, which does no harm.
    case path
    /// Also what RFC 5280 section 4 requires of whoever issues certificates: serial numbers, key identifiers, which extensions
    /// are critical, names. CRLs need a number.
    case rfc5280
    /// Also what the CA/Browser Forum requires of the authorities that browsers trust, as far as it can be seen: version 3, extended key usage,
    /// no common name that is not an alternative name, RSA or NIST curves only. Not for private authorities.
    case webPki
}
