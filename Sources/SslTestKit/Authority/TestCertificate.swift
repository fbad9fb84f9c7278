/// The kinds of identity that ``TestCertificates`` makes, each good, or wrong in exactly the way its name says.
public enum TestCertificate: String, Sendable, Hashable, CaseIterable {
    // MARK: Good ones
    /// A P-256 leaf below an intermediate below the root.
    case valid
    /// The same with an RSA key of 2048 bits.
    case rsa
    /// The same with an Ed25519 key.
    case ed25519
    /// The same with a P-384 key, below an RSA root.
    case p384UnderRsa
    /// For clients.
    case client

    // MARK: Time
    /// Its validity has ended.
    case expired
    /// Its validity begins tomorrow.
    case notYetValid
    /// The intermediate has expired.
    case expiredIntermediate
    /// Expired, for another name, and of an unknown authority.
    case expiredWrongNameUntrusted
    /// A client's, expired.
    case expiredClient

    // MARK: Names
    /// For another name.
    case wrongName
    /// `*.example.test`.
    case wildcard
    /// `serv*.example.test`.
    case partialWildcard
    /// `*.test`.
    case topLevelWildcard
    /// An iPAddress of 192.0.2.1.
    case ipAddress
    /// An iPAddress of 2001:db8::1.
    case ipv6Address
    /// A dNSName that holds 192.0.2.1 as text, and the same as common name.
    case ipInDnsName
    /// The host as common name and no alternative name.
    case commonNameOnly
    /// The host as common name and an e-mail address as the only alternative name.
    case emailOnly
    /// The A-label form of an international name.
    case internationalName
    /// The host in capitals.
    case upperCaseName

    // MARK: Chains
    /// The intermediate is not sent.
    case missingIntermediate
    /// Of an authority that nobody trusts.
    case untrusted
    /// The same, and its root is sent.
    case untrustedWithRoot
    /// A client's of an authority that nobody trusts.
    case untrustedClient
    /// Self-signed.
    case selfSigned
    /// The peer trusts nothing at all.
    case nothingTrusted
    /// The peer trusts the intermediate and not the root.
    case intermediateAnchor
    /// The peer trusts the leaf and nothing else.
    case leafAnchor
    /// A new root, cross-signed by an expired old one; the peer trusts both.
    case crossSigned
    /// The same; the peer trusts only the old root.
    case crossSignedOldRoot
    /// Root before intermediate.
    case outOfOrder
    /// The leaf is sent twice.
    case duplicateLeaf
    /// A certificate is sent that has nothing to do with the others.
    case unrelatedExtra
    /// The root is sent too.
    case redundantRoot
    /// Two intermediates that signed each other, and no root.
    case cycle
    /// Eight intermediates.
    case longChain
    /// Eighteen intermediates, more than a path may have.
    case tooLongChain

    // MARK: Constraints
    /// Only for clients.
    case clientOnly
    /// Only for servers, shown by a client.
    case serverOnlyClient
    /// anyExtendedKeyUsage.
    case anyUsage
    /// A leaf that demands that its status is stapled (RFC 7633).
    case mustStaple
    /// The key may sign certificates and nothing else.
    case certificateSigningOnly
    /// The issuer is not a CA.
    case issuerNotAuthority
    /// The issuer's key may not sign certificates.
    case issuerCannotSign
    /// An intermediate below one that allows none.
    case pathLength
    /// The intermediate is constrained to another domain.
    case nameConstraint
    /// The leaf's signature uses SHA-1.
    case sha1
    /// The leaf's key is RSA with 1024 bits.
    case weakKey
}
