import SslTestKit
import Testing

@testable import SslSockets

@Suite("Certificate errors")
struct SslErrorTests {
    /// Qt's codes and the sentences for people.
    static let codes: [(SslErrorCode, Int, String)] = [
        (.unspecifiedError, -1, "The certificate could not be verified"),
        (.noError, 0, "No error"),
        (.unableToGetIssuerCertificate, 1, "An issuer certificate in the chain could not be found"),
        (.unableToDecryptCertificateSignature, 2, "The certificate signature could not be decrypted"),
        (.unableToDecodeIssuerPublicKey, 3, "The public key of the issuer could not be read"),
        (.certificateSignatureFailed, 4, "The signature of the certificate is invalid"),
        (.certificateNotYetValid, 5, "The certificate is not yet valid"),
        (.certificateExpired, 6, "The certificate has expired"),
        (.invalidNotBeforeField, 7, "The start of the certificate's validity is malformed"),
        (.invalidNotAfterField, 8, "The end of the certificate's validity is malformed"),
        (.selfSignedCertificate, 9, "The certificate is self-signed and untrusted"),
        (.selfSignedCertificateInChain, 10, "The root certificate of the chain is self-signed and untrusted"),
        (.unableToGetLocalIssuerCertificate, 11, "The issuer of the certificate is not among the trusted certificates"),
        (.unableToVerifyFirstCertificate, 12, "The certificate could not be verified: its issuer is unknown"),
        (.certificateRevoked, 13, "The certificate has been revoked"),
        (.invalidCaCertificate, 14, "A certificate in the chain was used as a CA but is none"),
        (.pathLengthExceeded, 15, "A path length limit in the chain is exceeded"),
        (.invalidPurpose, 16, "The certificate may not be used for this purpose"),
        (.certificateUntrusted, 17, "The root certificate is not trusted for this purpose"),
        (.certificateRejected, 18, "The root certificate is rejected for this purpose"),
        (.subjectIssuerMismatch, 19, "The issuer's name does not match"),
        (.authorityIssuerSerialNumberMismatch, 20, "The issuer's key identifier or serial number does not match"),
        (.noPeerCertificate, 21, "The peer did not present any certificate"),
        (.hostNameMismatch, 22, "The host name did not match any of the valid hosts for this certificate"),
        (.noSslSupport, 23, "No TLS library is available"),
        (.certificateBlacklisted, 24, "The peer certificate is blacklisted"),
        (.certificateStatusUnknown, 25, "The revocation status of the certificate is not known"),
        (.ocspNoResponseFound, 26, "No OCSP status response found"),
        (.ocspMalformedRequest, 27, "The OCSP status request had invalid syntax"),
        (.ocspMalformedResponse, 28, "OCSP response contains an unexpected number of SingleResponse structures"),
        (.ocspInternalError, 29, "OCSP responder reached an inconsistent internal state"),
        (.ocspTryLater, 30, "OCSP responder was unable to return a status for the requested certificate"),
        (.ocspSigRequired, 31, "The OCSP server requires the client to sign the request"),
        (.ocspUnauthorized, 32, "The client is not authorized to ask this OCSP server"),
        (.ocspResponseCannotBeTrusted, 33, "The OCSP responder's identity cannot be verified"),
        (.ocspResponseCertIdUnknown, 34, "The OCSP response is about another certificate"),
        (.ocspResponseExpired, 35, "The certificate status response has expired"),
        (.ocspStatusUnknown, 36, "The OCSP responder does not know the status of the certificate"),
    ]

    @Test("Each code has Qt's number and a sentence of its own")
    func numbers() {
        for (code, number, sentence) in Self.codes {
            #expect(code.rawValue == number)
            #expect(SslErrorCode(rawValue: number) == code)
            #expect(code.message == sentence)
            #expect(SslError(code).errorString == sentence)
        }
        #expect(Set(SslErrorCode.allCases.map(\.message)).count == SslErrorCode.allCases.count)
        #expect(Set(Self.codes.map(\.1)) == Set(-1...36))
        #expect(Set(SslErrorCode.allCases.map(\.rawValue)).isSuperset(of: -1...36))
    }

    @Test("Every code is kept, with a certificate and without")
    func making() throws {
        let certificate = try SslCertificate(der: TestCertificates.shared().identity(.valid).chain[0])
        for (code, _, sentence) in Self.codes {
            let bare = SslError(code)
            #expect(bare.code == code)
            #expect(bare.certificate == nil)
            #expect(bare.depth == 0)
            #expect("\(bare)" == sentence)
            let full = SslError(code, certificate: certificate, depth: 2)
            #expect(full.code == code)
            #expect(full.certificate == certificate)
            #expect(full.depth == 2)
            #expect("\(full)" == "\(sentence): \(certificate.subjectDisplayName) (depth 2)")
        }
    }

    @Test("Equal are those with the same code and certificate, wherever they stand; equal ones hash equal")
    func equality() throws {
        let certificates = try TestCertificates.shared()
        let one = try SslCertificate(der: certificates.identity(.valid).chain[0])
        let other = try SslCertificate(der: certificates.identity(.expired).chain[0])
        let error = SslError(.selfSignedCertificate, certificate: one)
        #expect(error == SslError(.selfSignedCertificate, certificate: one, depth: 3))
        #expect(error.hashValue == SslError(.selfSignedCertificate, certificate: one, depth: 3).hashValue)
        #expect(error != SslError(.selfSignedCertificate, certificate: other))
        #expect(error != SslError(.selfSignedCertificate))
        #expect(error != SslError(.certificateExpired, certificate: one))
        #expect(Set([error, SslError(.selfSignedCertificate, certificate: one), SslError(.certificateExpired)]).count == 2)
    }
}
