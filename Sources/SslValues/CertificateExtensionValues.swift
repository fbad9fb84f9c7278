/// What a key may be used for (RFC 5280 section 4.2.1.3).
public struct SslKeyUsage: OptionSet, Sendable, Hashable, CustomStringConvertible {
    /// Bit 0 is the first bit of the BIT STRING: digitalSignature.
    public let rawValue: UInt16

    /// Makes a set of raw bits.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Signs handshakes, and whatever is no certificate and no revocation list.
    public static let digitalSignature = SslKeyUsage(rawValue: 1 << 0)
    /// Signs what its holder must not be able to deny.
    public static let contentCommitment = SslKeyUsage(rawValue: 1 << 1)
    /// Encrypts keys: the RSA key exchange that TLS 1.3 has no more.
    public static let keyEncipherment = SslKeyUsage(rawValue: 1 << 2)
    /// Encrypts data.
    public static let dataEncipherment = SslKeyUsage(rawValue: 1 << 3)
    /// Agrees on keys: static Diffie-Hellman.
    public static let keyAgreement = SslKeyUsage(rawValue: 1 << 4)
    /// Signs certificates.
    public static let certificateSigning = SslKeyUsage(rawValue: 1 << 5)
    /// Signs revocation lists.
    public static let crlSigning = SslKeyUsage(rawValue: 1 << 6)
    /// With ``keyAgreement``: encrypts only.
    public static let encipherOnly = SslKeyUsage(rawValue: 1 << 7)
    /// With ``keyAgreement``: decrypts only.
    public static let decipherOnly = SslKeyUsage(rawValue: 1 << 8)

    /// The names of the bits in RFC 5280, in order.
    public static let names = [
        "digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement", "keyCertSign", "cRLSign",
        "encipherOnly", "decipherOnly",
    ]

    /// The names of the bits that are set, for example `digitalSignature, keyEncipherment`.
    public var description: String {
        Self.names.enumerated().filter { rawValue & 1 << UInt16($0.offset) != 0 }.map(\.element).joined(separator: ", ")
    }
}

/// Which key signed a certificate or a revocation list (RFC 5280 section 4.2.1.1).
public struct SslAuthorityKeyIdentifier: Sendable, Hashable {
    /// The identifier of the issuer's key.
    public var keyIdentifier: [UInt8]?
    /// Names of the issuer's issuer; nil when none is named.
    public var issuers: [SslAlternativeName]?
    /// The serial number of the issuer's certificate.
    public var serialNumber: [UInt8]?

    /// Names a key.
    public init(keyIdentifier: [UInt8]? = nil, issuers: [SslAlternativeName]? = nil, serialNumber: [UInt8]? = nil) {
        self.keyIdentifier = keyIdentifier
        self.issuers = issuers
        self.serialNumber = serialNumber
    }
}

/// Where something about the issuer can be asked (RFC 5280 section 4.2.2.1).
public struct SslAccessDescription: Sendable, Hashable {
    /// What is there, as a dotted OID: ``ocsp`` or ``caIssuers``, or whatever stands there.
    public var method: String
    /// Where it is; nearly always ``SslAlternativeName/uri(_:)``.
    public var location: SslAlternativeName

    /// An OCSP responder.
    public static let ocsp = "1.3.6.1.5.5.7.48.1"
    /// The issuer's certificate.
    public static let caIssuers = "1.3.6.1.5.5.7.48.2"

    /// Puts one together.
    public init(method: String, location: SslAlternativeName) {
        self.method = method
        self.location = location
    }

    /// The location where it is a URI.
    public var uri: String? { location.uriText }
}

/// Where revocation lists are published (RFC 5280 section 4.2.1.13).
public struct SslDistributionPoint: Sendable, Hashable {
    /// Names of the same place; nearly always one ``SslAlternativeName/uri(_:)``.
    public var names: [SslAlternativeName]
    /// What is added to the issuer's name to name the place, instead of ``names``.
    public var relativeName: [SslNameAttribute]
    /// The reasons that the lists there tell, bit 1 = keyCompromise as RFC 5280 numbers them; nil: all.
    public var reasons: UInt16?
    /// Who signs the lists; empty: the issuer of the certificate.
    public var issuers: [SslAlternativeName]

    /// Puts one together.
    public init(
        names: [SslAlternativeName], relativeName: [SslNameAttribute] = [], reasons: UInt16? = nil,
        issuers: [SslAlternativeName] = []
    ) {
        self.names = names
        self.relativeName = relativeName
        self.reasons = reasons
        self.issuers = issuers
    }

    /// The names that are URIs.
    public var uris: [String] { names.compactMap(\.uriText) }
}

/// A policy that a certificate was issued under (RFC 5280 section 4.2.1.4).
public struct SslCertificatePolicy: Sendable, Hashable {
    /// The dotted OID; `2.5.29.32.0` for any policy.
    public var oid: String
    /// Where certification practice statements are published.
    public var practiceStatements: [String]
    /// Texts that are to be shown to whoever relies on the certificate.
    public var notices: [String]

    /// Names a policy.
    public init(oid: String, practiceStatements: [String] = [], notices: [String] = []) {
        self.oid = oid
        self.practiceStatements = practiceStatements
        self.notices = notices
    }
}

/// Which names the certificates below a CA may have (RFC 5280 section 4.2.1.10).
///
/// A subtree of IP addresses is the address and the mask behind each other: 8 or 32 octets.
public struct SslNameConstraints: Sendable, Hashable {
    /// Names of a kind that stands here must be in one of its subtrees.
    public var permitted: [SslAlternativeName]
    /// No name may be in one of these.
    public var excluded: [SslAlternativeName]

    /// Puts constraints together.
    public init(permitted: [SslAlternativeName] = [], excluded: [SslAlternativeName] = []) {
        self.permitted = permitted
        self.excluded = excluded
    }
}

/// A promise of a log to publish the certificate (RFC 6962 section 3.2). Its signature is not checked here.
public struct SslSignedCertificateTimestamp: Sendable, Hashable {
    /// The SHA-256 of the log's public key: 32 octets.
    public var logIdentifier: [UInt8]
    /// When the promise was made, in milliseconds since 1970-01-01T00:00:00Z.
    public var milliseconds: UInt64
    /// Extensions of the log, undecoded; empty today.
    public var extensions: [UInt8]
    /// How the log signed.
    public var scheme: SslSignatureScheme
    /// The log's signature.
    public var signature: [UInt8]

    /// Puts one together.
    public init(
        logIdentifier: [UInt8], milliseconds: UInt64, extensions: [UInt8], scheme: SslSignatureScheme, signature: [UInt8]
    ) {
        self.logIdentifier = logIdentifier
        self.milliseconds = milliseconds
        self.extensions = extensions
        self.scheme = scheme
        self.signature = signature
    }

    /// ``milliseconds`` in whole seconds.
    public var time: SslInstant { SslInstant(secondsSince1970: Int64(milliseconds / 1000)) }
}

extension SslAlternativeName {
    /// The text of a URI; nil for another kind of name, and for octets that are no text.
    public var uriText: String? {
        guard case .uri(let octets) = self else { return nil }
        return String(validating: octets, as: UTF8.self)
    }
}

extension SslCertificateExtension {
    /// What an extension of a known kind says.
    @nonexhaustive
    public enum Content: Sendable, Hashable {
        /// Whether the key may sign certificates.
        case basicConstraints(SslBasicConstraints)
        /// What the key may be used for.
        case keyUsage(SslKeyUsage)
        /// Purposes as dotted OIDs, for example that of ``SslPurpose/serverAuthentication``.
        case extendedKeyUsage([String])
        /// Names of the subject.
        case subjectAlternativeName([SslAlternativeName])
        /// Where something about the issuer can be asked.
        case authorityInformationAccess([SslAccessDescription])
        /// Which key the subject has.
        case subjectKeyIdentifier([UInt8])
        /// Which key the issuer signed with.
        case authorityKeyIdentifier(SslAuthorityKeyIdentifier)
        /// Where revocation lists are published.
        case crlDistributionPoints([SslDistributionPoint])
        /// The policies it was issued under.
        case certificatePolicies([SslCertificatePolicy])
        /// Which names the certificates below may have.
        case nameConstraints(SslNameConstraints)
        /// Promises of logs.
        case signedCertificateTimestamps([SslSignedCertificateTimestamp])
        /// The TLS extensions a server with this certificate must answer (RFC 7633); 5 means that it must staple its status.
        case tlsFeatures([UInt16])
    }
}
