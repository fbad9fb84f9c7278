internal import SslBackend
internal import SslSockets
public import SslValues

/// What an OCSP response that a ``TestAuthority`` makes says (RFC 6960 section 4.2.1): right in every way, but for what is changed.
public struct TestOcspResponse: Sendable {
    /// What it says about the certificate.
    public enum Status: Sendable, Hashable {
        case good
        /// Revoked an hour ago, for this reason; nil: none is given.
        case revoked(reason: UInt8?)
        case unknown
    }
    /// What it says about the certificate.
    public var status = Status.good
    /// OCSPResponseStatus; anything but 0 leaves out everything else.
    public var responseStatus: UInt8 = 0
    /// When the status was known to be right.
    public var thisUpdate = SslInstant.now.adding(seconds: -600)
    /// When there will be a newer one; nil: it does not say.
    public var nextUpdate: SslInstant? = SslInstant.now.adding(seconds: 3600)
    /// The hash of the certificate's identification.
    public var hash = SslHash.sha1
    /// How often the same answer stands there.
    public var count = 1
    /// Names the responder by its key instead of its name.
    public var namesResponderByKey = false
    /// The authority whose name and key identify the certificate; nil for the one that makes the response.
    public var issuer: TestAuthority?
    /// Who signs; nil for the authority itself.
    public var signer: TestAuthority?
    /// Flips a bit of the signature.
    public var isDamaged = false

    /// A good response.
    public init() {}
}

extension TestAuthority {
    /// Makes an OCSP response about a certificate (DER).
    public func ocspResponse(
        for leaf: [UInt8], _ content: TestOcspResponse = TestOcspResponse()
    ) throws(SslSocketError) -> [UInt8] {
        guard content.responseStatus == 0 else {
            return DerWriter.sequence(DerWriter.enumerated(content.responseStatus))
        }
        let signer = content.signer ?? self
        var answer = SslOcspResponseTemplate.Answer(
            serialNumber: try CertificateFields(leaf).serialNumber, status: .good, thisUpdate: content.thisUpdate,
            nextUpdate: content.nextUpdate)
        switch content.status {
        case .good: break
        case .unknown: answer.status = .unknown
        case .revoked(let reason):
            answer.status = .revoked
            answer.reason = reason.flatMap { OcspRevocationReason(rawValue: Int($0)) } ?? .none
            answer.revocationTime = content.thisUpdate.adding(seconds: -3600)
        }
        var template = SslOcspResponseTemplate(Array(repeating: answer, count: content.count))
        template.producedAt = content.thisUpdate
        template.identifierHash = content.hash
        template.namesResponderByKey = content.namesResponderByKey
        let writer = OcspResponseWriter(
            issuer: try CertificateFields((content.issuer ?? self).certificate),
            responder: try CertificateFields(signer.certificate), key: signer.key)
        var response = try writer.write(template)
        if content.isDamaged, let place = Self.endOfSignature(response, signer.certificate) { response[place] ^= 1 }
        return response
    }

    /// The signature stands right before the certificate of the responder, which is the last thing in a response.
    private static func endOfSignature(_ response: [UInt8], _ certificate: [UInt8]) -> Int? {
        let certificates = DerWriter.element(0xA0, DerWriter.sequence(certificate))
        let place = response.count - certificates.count - 1
        return response.indices.contains(place) ? place : nil
    }

    /// An authority's delegate for OCSP: a certificate with id-kp-OCSPSigning below it.
    public func makeResponder(
        _ name: String = "Test Responder", validity: ClosedRange<SslInstant>? = nil,
        usages: [String] = ["1.3.6.1.5.5.7.3.9"]
    ) throws(SslSocketError) -> TestAuthority {
        try makeIntermediate(name, validity: validity) {
            $0.basicConstraints = SslBasicConstraints(isAuthority: false)
            $0.keyUsage = .digitalSignature
            $0.extendedKeyUsage = usages
        }
    }
}
