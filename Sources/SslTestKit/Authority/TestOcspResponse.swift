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
        guard content.responseStatus == 0 else { return Der.sequence(Der.element(0x0A, [content.responseStatus])) }
        let issuer = content.issuer ?? self
        let signer = content.signer ?? self
        let issuerFields = try CertificateFields(issuer.certificate)
        let signerFields = try CertificateFields(signer.certificate)
        guard let name = backend.digest(issuerFields.subjectDer, content.hash),
            let key = backend.digest(Self.keyBits(issuerFields), content.hash),
            let responderKey = backend.digest(Self.keyBits(signerFields), .sha1)
        else { throw SslSocketError(.sslInternal, "A digest could not be made") }
        let oid = content.hash == .sha256 ? "2.16.840.1.101.3.4.2.1" : "1.3.14.3.2.26"
        let identifier = Der.sequence(
            Der.sequence(Der.oid(oid), [0x05, 0x00]), Der.element(0x04, name), Der.element(0x04, key),
            Der.integer(try CertificateFields(leaf).serialNumber))
        let status: [UInt8] =
            switch content.status {
            case .good: [0x80, 0x00]
            case .unknown: [0x82, 0x00]
            case .revoked(let reason):
                Der.element(
                    0xA1,
                    Self.time(content.thisUpdate.adding(seconds: -3600))
                        + (reason.map { Der.element(0xA0, Der.element(0x0A, [$0])) } ?? []))
            }
        let single = Der.sequence(
            identifier, status, Self.time(content.thisUpdate),
            content.nextUpdate.map { Der.element(0xA0, Self.time($0)) } ?? [])
        let responder =
            content.namesResponderByKey
            ? Der.element(0xA2, Der.element(0x04, responderKey)) : Der.element(0xA1, signerFields.subjectDer)
        let data = Der.sequence(
            responder, Self.time(content.thisUpdate),
            Der.element(0x30, [[UInt8]](repeating: single, count: content.count).flatMap { $0 }))
        let (algorithm, algorithmDer): (X509SignatureAlgorithm, [UInt8]) =
            signer.key.algorithm == .rsa
            ? (.rsaPkcs1(.sha256), Der.sequence(Der.oid("1.2.840.113549.1.1.11"), [0x05, 0x00]))
            : (.ecdsa(.sha256), Der.sequence(Der.oid("1.2.840.10045.4.3.2")))
        var signature = try signer.key.sign(data, algorithm)
        if content.isDamaged, let last = signature.indices.last { signature[last] ^= 1 }
        let basic = Der.sequence(
            data, algorithmDer, Der.element(0x03, [0] + signature),
            Der.element(0xA0, Der.sequence(signer.certificate)))
        return Der.sequence(
            Der.element(0x0A, [0]),
            Der.element(0xA0, Der.sequence(Der.oid("1.3.6.1.5.5.7.48.1.1"), Der.element(0x04, basic))))
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

    private static func keyBits(_ fields: CertificateFields) -> [UInt8] {
        var reader = DerReader(DerReader.only(DerTag.sequence, fields.publicKeyInfo[...]) ?? [])
        _ = reader.next(DerTag.sequence)
        return Array((reader.next(DerTag.bitString)?.content ?? []).dropFirst())
    }

    private static func time(_ instant: SslInstant) -> [UInt8] {
        Der.element(0x18, instant.description.utf8.filter { (0x30...0x39).contains($0) } + [UInt8(ascii: "Z")])
    }
}
