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
    case closeNotify = 0
    case unexpectedMessage = 10
    case badRecordMac = 20
    case recordOverflow = 22
    case decompressionFailure = 30
    case handshakeFailure = 40
    case noCertificate = 41
    case badCertificate = 42
    case unsupportedCertificate = 43
    case certificateRevoked = 44
    case certificateExpired = 45
    case certificateUnknown = 46
    case illegalParameter = 47
    case unknownCa = 48
    case accessDenied = 49
    case decodeError = 50
    case decryptError = 51
    case exportRestriction = 60
    case protocolVersion = 70
    case insufficientSecurity = 71
    case internalError = 80
    case inappropriateFallback = 86
    case userCancelled = 90
    case noRenegotiation = 100
    case missingExtension = 109
    case unsupportedExtension = 110
    case certificateUnobtainable = 111
    case unrecognizedName = 112
    case badCertificateStatusResponse = 113
    case badCertificateHashValue = 114
    case unknownPskIdentity = 115
    case certificateRequired = 116
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
