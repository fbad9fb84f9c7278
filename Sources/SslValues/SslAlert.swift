/// How serious an alert is (`QSsl::AlertLevel`). TLS 1.3 treats every alert but `closeNotify` and `userCancelled` as fatal,
/// whatever level stands on the wire.
public enum SslAlertLevel: UInt8, Sendable, Hashable {
    /// The connection may go on.
    case warning = 1
    /// The connection ends.
    case fatal = 2
    /// Not a level of the protocol.
    case unknown = 0
}

/// The alert codes of TLS (RFC 8446 section 6 and the older ones of RFC 5246 section 7.2), `QSsl::AlertType`.
public enum SslAlertType: UInt8, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    /// The sender will write no more (RFC 8446 section 6.1). It ends the sender's direction properly.
    case closeNotify = 0
    /// A message that does not belong here.
    case unexpectedMessage = 10
    /// A record could not be decrypted or was altered.
    case badRecordMac = 20
    /// A record is longer than is allowed.
    case recordOverflow = 22
    /// A compressed record could not be unpacked; TLS 1.3 has no compression.
    case decompressionFailure = 30
    /// Nothing acceptable is common to both ends.
    case handshakeFailure = 40
    /// SSL 3.0 only: a client has no certificate.
    case noCertificate = 41
    /// A certificate is damaged or its signature is wrong.
    case badCertificate = 42
    /// A certificate is of a kind the sender cannot use.
    case unsupportedCertificate = 43
    /// A certificate was revoked by its issuer.
    case certificateRevoked = 44
    /// A certificate is out of its validity.
    case certificateExpired = 45
    /// A certificate is not acceptable for another reason.
    case certificateUnknown = 46
    /// A field of the handshake contradicts another or is out of range.
    case illegalParameter = 47
    /// The chain does not lead to a CA the sender trusts.
    case unknownCa = 48
    /// The certificate is valid, but its owner may not connect.
    case accessDenied = 49
    /// A message could not be parsed.
    case decodeError = 50
    /// A cryptographic step of the handshake failed, for example the check of a signature.
    case decryptError = 51
    /// From the time of export ciphers; never sent today.
    case exportRestriction = 60
    /// The version is known, but not accepted.
    case protocolVersion = 70
    /// What the peer offers is weaker than the sender demands.
    case insufficientSecurity = 71
    /// Something failed at the sender that is not the peer's doing.
    case internalError = 80
    /// The client tried an older version although both know a newer one (RFC 7507).
    case inappropriateFallback = 86
    /// The handshake was given up for a reason outside the protocol; `close_notify` follows.
    case userCancelled = 90
    /// The sender does not renegotiate (TLS 1.2 and older).
    case noRenegotiation = 100
    /// An extension that must be there is not.
    case missingExtension = 109
    /// An extension the sender did not offer.
    case unsupportedExtension = 110
    /// A certificate could not be fetched from the URL that was given (RFC 6066).
    case certificateUnobtainable = 111
    /// The server does not serve the name the client asked for (RFC 6066 section 3).
    case unrecognizedName = 112
    /// A stapled OCSP response is invalid or not acceptable (RFC 6066 section 8).
    case badCertificateStatusResponse = 113
    /// A certificate does not match its announced hash (RFC 6066).
    case badCertificateHashValue = 114
    /// The identity of a pre-shared key is not known (RFC 4279, RFC 8446).
    case unknownPskIdentity = 115
    /// A client certificate is required and none was given (TLS 1.3).
    case certificateRequired = 116
    /// None of the offered ALPN protocols is served (RFC 7301).
    case noApplicationProtocol = 120
    /// A code this library has no name for; never sent.
    case unknownAlertMessage = 255

    /// The alert of a wire code; ``unknownAlertMessage`` for a code without a name.
    public init(code: UInt8) { self = SslAlertType(rawValue: code) ?? .unknownAlertMessage }

    /// The name of the RFC, for example `bad_certificate`.
    public var description: String {
        switch self {
        case .closeNotify: "close_notify"
        case .unexpectedMessage: "unexpected_message"
        case .badRecordMac: "bad_record_mac"
        case .recordOverflow: "record_overflow"
        case .decompressionFailure: "decompression_failure"
        case .handshakeFailure: "handshake_failure"
        case .noCertificate: "no_certificate"
        case .badCertificate: "bad_certificate"
        case .unsupportedCertificate: "unsupported_certificate"
        case .certificateRevoked: "certificate_revoked"
        case .certificateExpired: "certificate_expired"
        case .certificateUnknown: "certificate_unknown"
        case .illegalParameter: "illegal_parameter"
        case .unknownCa: "unknown_ca"
        case .accessDenied: "access_denied"
        case .decodeError: "decode_error"
        case .decryptError: "decrypt_error"
        case .exportRestriction: "export_restriction"
        case .protocolVersion: "protocol_version"
        case .insufficientSecurity: "insufficient_security"
        case .internalError: "internal_error"
        case .inappropriateFallback: "inappropriate_fallback"
        case .userCancelled: "user_cancelled"
        case .noRenegotiation: "no_renegotiation"
        case .missingExtension: "missing_extension"
        case .unsupportedExtension: "unsupported_extension"
        case .certificateUnobtainable: "certificate_unobtainable"
        case .unrecognizedName: "unrecognized_name"
        case .badCertificateStatusResponse: "bad_certificate_status_response"
        case .badCertificateHashValue: "bad_certificate_hash_value"
        case .unknownPskIdentity: "unknown_psk_identity"
        case .certificateRequired: "certificate_required"
        case .noApplicationProtocol: "no_application_protocol"
        case .unknownAlertMessage: "unknown_alert_message"
        }
    }
}

/// One alert that was sent or received.
public struct SslAlert: Sendable, Hashable, CustomStringConvertible {
    /// Warning or fatal, as it stood on the wire.
    public var level: SslAlertLevel
    /// What the alert says.
    public var type: SslAlertType

    /// Makes an alert value.
    public init(_ level: SslAlertLevel, _ type: SslAlertType) {
        self.level = level
        self.type = type
    }

    /// For example `fatal bad_certificate`.
    public var description: String { "\(level) \(type)" }
}
