internal import SslBackend
public import SslValues

/// A certificate with its private key, which issues certificates, revocation lists and OCSP responses: for tests and for small authorities of one's own.
///
/// ```swift
/// let key = try SslKey.generate(.ec(.secp384r1))
/// let root = try SslCertificate.selfSigned(.authority(commonName: "Example Root"), key: key)
/// let authority = try SslCertificateAuthority(certificate: root, key: key)
/// let serverKey = try SslKey.generate(.ec(.secp256r1))
/// let server = try authority.issue(.server(names: ["www.example.org"]), for: serverKey)
/// ```
///
/// It checks no policy: what stands in a template is issued. A key that lives elsewhere signs as well as one that is here.
public struct SslCertificateAuthority: Sendable {
    /// The certificate of the authority.
    public let certificate: SslCertificate
    /// Its private key.
    public let key: SslKey
    /// The backend that signs.
    private let backend: any TlsBackend
    private let handle: any TlsKey

    /// Puts one together.
    ///
    /// - Parameter backend: the name of the backend that signs; nil for the active one.
    /// - Throws: ``SslSocketError/Code/keyMismatch`` when the key is not the certificate's, ``SslSocketError/Code/noBackend``.
    public init(certificate: SslCertificate, key: SslKey, backend: String? = nil) throws(SslSocketError) {
        self.backend = try SslBackends.resolve(backend)
        handle = try key.handle(for: self.backend)
        guard key.publicKeyInfo == certificate.publicKeyInfo else {
            throw SslSocketError(.keyMismatch, "The private key of the authority does not belong to its certificate")
        }
        self.certificate = certificate
        self.key = key
    }

    /// Issues a certificate.
    ///
    /// - Parameters:
    ///   - template: everything that stands in it.
    ///   - subject: the key it is for; only the public half is needed.
    /// - Throws: ``SslSocketError/Code/invalidUserData`` for what cannot stand in a certificate, ``SslSocketError/Code/unsupportedOperation`` when the key
    ///   cannot sign so.
    public func issue(_ template: SslCertificateTemplate, for subject: SslKey) throws(SslSocketError) -> SslCertificate {
        let der = try CertificateWriter.write(
            template, publicKeyInfo: subject.publicKeyInfo, issuer: certificate.parsed.fields, signer: handle)
        return SslCertificate(try backend.makeCertificate(der: der))
    }

    /// Issues a list of revoked certificates (RFC 5280 section 5).
    ///
    /// - Throws: as ``issue(_:for:)``.
    public func revocationList(_ template: SslRevocationListTemplate) throws(SslSocketError) -> SslRevocationList {
        try SslRevocationList(
            der: RevocationListWriter.write(
                template, issuer: certificate.parsed.fields, signer: handle, provenBy: certificate.publicKeyInfo))
    }

    /// Makes an OCSP response (RFC 6960), for a server to staple: see ``SslOcspStapler``.
    ///
    /// - Parameters:
    ///   - template: what it says of which certificates, all of this authority.
    ///   - responder: who signs, with a certificate that this authority has issued for the purpose `1.3.6.1.5.5.7.3.9`; nil: this authority itself.
    /// - Returns: the response in DER.
    /// - Throws: as ``issue(_:for:)``.
    public func ocspResponse(
        _ template: SslOcspResponseTemplate, responder: SslCertificateAuthority? = nil
    ) throws(SslSocketError) -> [UInt8] {
        let signer = responder ?? self
        return try OcspResponseWriter(
            issuer: certificate.parsed.fields, responder: signer.certificate.parsed.fields, key: signer.handle
        ).write(template)
    }
}

extension SslCertificate {
    /// Makes a certificate that is signed with its own key: of a root, or of a server that is trusted by itself.
    ///
    /// - Parameters:
    ///   - template: everything that stands in it.
    ///   - key: the private key.
    ///   - backend: the name of the backend that signs; nil for the active one.
    /// - Throws: as ``SslCertificateAuthority/issue(_:for:)``.
    public static func selfSigned(
        _ template: SslCertificateTemplate, key: SslKey, backend: String? = nil
    ) throws(SslSocketError) -> SslCertificate {
        let engine = try SslBackends.resolve(backend)
        let der = try CertificateWriter.issue(template, key: key.handle(for: engine), issuer: nil)
        return SslCertificate(try engine.makeCertificate(der: der))
    }
}
