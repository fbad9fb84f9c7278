/// What is wrong with a peer's certificate (`QSslError::SslError`). The raw values are Qt's.
@nonexhaustive
public enum SslErrorCode: Int, Sendable, Hashable, CaseIterable {
    /// Something the other codes do not express; the message says what.
    case unspecifiedError = -1
    /// Nothing wrong.
    case noError = 0
    /// An issuer in the middle of the chain is missing.
    case unableToGetIssuerCertificate = 1
    /// The bytes of a signature cannot be processed.
    case unableToDecryptCertificateSignature = 2
    /// An issuer's public key cannot be read.
    case unableToDecodeIssuerPublicKey = 3
    /// A signature is wrong.
    case certificateSignatureFailed = 4
    /// The certificate is not valid yet.
    case certificateNotYetValid = 5
    /// The certificate has expired.
    case certificateExpired = 6
    /// The start of the validity is malformed.
    case invalidNotBeforeField = 7
    /// The end of the validity is malformed.
    case invalidNotAfterField = 8
    /// The peer's certificate is self-signed and not trusted.
    case selfSignedCertificate = 9
    /// The chain ends in a self-signed certificate that is not trusted.
    case selfSignedCertificateInChain = 10
    /// The issuer is not among the trusted certificates.
    case unableToGetLocalIssuerCertificate = 11
    /// Only the leaf is there and its issuer is unknown.
    case unableToVerifyFirstCertificate = 12
    /// The certificate is revoked.
    case certificateRevoked = 13
    /// An issuer is not a certification authority.
    case invalidCaCertificate = 14
    /// A path length limit of a CA (RFC 5280 section 4.2.1.9), or the configured verification depth, is exceeded.
    case pathLengthExceeded = 15
    /// Key usage or extended key usage does not allow this use.
    case invalidPurpose = 16
    /// The root is not trusted for this purpose.
    case certificateUntrusted = 17
    /// The root is explicitly rejected for this purpose.
    case certificateRejected = 18
    /// The name of the issuer does not fit.
    case subjectIssuerMismatch = 19
    /// Key identifier or serial number of the issuer do not fit.
    case authorityIssuerSerialNumberMismatch = 20
    /// The peer sent no certificate although one is required.
    case noPeerCertificate = 21
    /// The certificate is for another name.
    case hostNameMismatch = 22
    /// No TLS library is there.
    case noSslSupport = 23
    /// The certificate is on the built-in list of abused certificates.
    case certificateBlacklisted = 24
    /// The revocation status is not known.
    case certificateStatusUnknown = 25
    /// The peer stapled no OCSP response although one was asked for.
    case ocspNoResponseFound = 26
    /// The OCSP responder answered that the request was malformed.
    case ocspMalformedRequest = 27
    /// The stapled response does not contain exactly one status.
    case ocspMalformedResponse = 28
    /// The OCSP responder answered that it failed.
    case ocspInternalError = 29
    /// The OCSP responder answered that it has no status at the moment.
    case ocspTryLater = 30
    /// The OCSP responder demands signed requests.
    case ocspSigRequired = 31
    /// The OCSP responder does not answer this client.
    case ocspUnauthorized = 32
    /// The signature of the response does not come from the issuer or a responder it appointed (RFC 6960 section 4.2.2.2).
    case ocspResponseCannotBeTrusted = 33
    /// The response is about another certificate.
    case ocspResponseCertIdUnknown = 34
    /// The response is out of its validity.
    case ocspResponseExpired = 35
    /// The responder does not know the certificate.
    case ocspStatusUnknown = 36
    /// A name constraint of a CA (RFC 5280 section 4.2.1.10) forbids this certificate. Beyond Qt's codes.
    case nameConstraintViolation = 100
    /// A key is too small or a signature algorithm too weak for the security level. Beyond Qt's codes.
    case weakAlgorithm = 101
    /// A certificate cannot be parsed. Beyond Qt's codes.
    case malformedCertificate = 102
    /// A CA requires a certificate policy that the path does not have (RFC 5280 section 6.1). Beyond Qt's codes.
    case policyViolation = 103
    /// A certificate has a critical extension that is not understood (RFC 5280 section 4.2). Beyond Qt's codes.
    case unhandledCriticalExtension = 104
    /// No key of the path is one of the pinned. Beyond Qt's codes.
    case publicKeyPinMismatch = 105

    /// A sentence for a person.
    public var message: String {
        switch self {
        case .unspecifiedError: "The certificate could not be verified"
        case .noError: "No error"
        case .unableToGetIssuerCertificate: "An issuer certificate in the chain could not be found"
        case .unableToDecryptCertificateSignature: "The certificate signature could not be decrypted"
        case .unableToDecodeIssuerPublicKey: "The public key of the issuer could not be read"
        case .certificateSignatureFailed: "The signature of the certificate is invalid"
        case .certificateNotYetValid: "The certificate is not yet valid"
        case .certificateExpired: "The certificate has expired"
        case .invalidNotBeforeField: "The start of the certificate's validity is malformed"
        case .invalidNotAfterField: "The end of the certificate's validity is malformed"
        case .selfSignedCertificate: "The certificate is self-signed and untrusted"
        case .selfSignedCertificateInChain: "The root certificate of the chain is self-signed and untrusted"
        case .unableToGetLocalIssuerCertificate: "The issuer of the certificate is not among the trusted certificates"
        case .unableToVerifyFirstCertificate: "The certificate could not be verified: its issuer is unknown"
        case .certificateRevoked: "The certificate has been revoked"
        case .invalidCaCertificate: "A certificate in the chain was used as a CA but is none"
        case .pathLengthExceeded: "A path length limit in the chain is exceeded"
        case .invalidPurpose: "The certificate may not be used for this purpose"
        case .certificateUntrusted: "The root certificate is not trusted for this purpose"
        case .certificateRejected: "The root certificate is rejected for this purpose"
        case .subjectIssuerMismatch: "The issuer's name does not match"
        case .authorityIssuerSerialNumberMismatch: "The issuer's key identifier or serial number does not match"
        case .noPeerCertificate: "The peer did not present any certificate"
        case .hostNameMismatch: "The host name did not match any of the valid hosts for this certificate"
        case .noSslSupport: "No TLS library is available"
        case .certificateBlacklisted: "The peer certificate is blacklisted"
        case .certificateStatusUnknown: "The revocation status of the certificate is not known"
        case .ocspNoResponseFound: "No OCSP status response found"
        case .ocspMalformedRequest: "The OCSP status request had invalid syntax"
        case .ocspMalformedResponse: "OCSP response contains an unexpected number of SingleResponse structures"
        case .ocspInternalError: "OCSP responder reached an inconsistent internal state"
        case .ocspTryLater: "OCSP responder was unable to return a status for the requested certificate"
        case .ocspSigRequired: "The OCSP server requires the client to sign the request"
        case .ocspUnauthorized: "The client is not authorized to ask this OCSP server"
        case .ocspResponseCannotBeTrusted: "The OCSP responder's identity cannot be verified"
        case .ocspResponseCertIdUnknown: "The OCSP response is about another certificate"
        case .ocspResponseExpired: "The certificate status response has expired"
        case .ocspStatusUnknown: "The OCSP responder does not know the status of the certificate"
        case .nameConstraintViolation: "A name constraint in the chain forbids this certificate"
        case .weakAlgorithm: "A key or signature algorithm in the chain is too weak"
        case .malformedCertificate: "A certificate in the chain is malformed"
        case .policyViolation: "A certificate policy that the chain requires is missing"
        case .unhandledCriticalExtension: "A certificate has a critical extension that is not understood"
        case .publicKeyPinMismatch: "None of the pinned public keys is in the chain"
        }
    }
}
