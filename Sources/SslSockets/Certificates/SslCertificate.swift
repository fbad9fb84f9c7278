package import SslBackend
public import SslValues

/// An X.509 certificate (`QSslCertificate`): a value over its DER form.
///
/// Two certificates are equal when their DER forms are. What a certificate says is read by a backend when first asked for,
/// and is the same on every backend, but for ``text()``.
public struct SslCertificate: Sendable {
    /// The parsed form, shared by the copies of a value.
    private final class Handle: Sendable {
        let parsed: any X509Certificate
        init(_ parsed: any X509Certificate) { self.parsed = parsed }
    }
    private let handle: Handle

    /// The certificate in the hands of the backend that parsed it.
    package var parsed: any X509Certificate { handle.parsed }

    package init(_ parsed: any X509Certificate) { handle = Handle(parsed) }

    /// Reads the first certificate of `bytes` (`QSslCertificate(data, format)`).
    ///
    /// - Parameter backend: the name of the backend that reads it; nil for the active one.
    /// - Throws: ``SslSocketError/Code/invalidUserData`` when there is none or it is malformed, ``SslSocketError/Code/noBackend``.
    public init(_ bytes: [UInt8], format: SslEncodingFormat = .pem, backend: String? = nil) throws(SslSocketError) {
        guard let first = try Self.certificates(bytes, format: format, backend: backend).first else {
            throw SslSocketError(.invalidUserData, "There is no certificate in the data")
        }
        self = first
    }

    /// Reads the first certificate of a PEM text.
    public init(pem: String, backend: String? = nil) throws(SslSocketError) {
        try self.init(Array(pem.utf8), format: .pem, backend: backend)
    }

    /// Reads one certificate in DER.
    public init(der: [UInt8], backend: String? = nil) throws(SslSocketError) {
        try self.init(der, format: .der, backend: backend)
    }

    /// Reads every certificate of `bytes`, in order (`QSslCertificate::fromData`); DER holds exactly one.
    public static func certificates(
        _ bytes: [UInt8], format: SslEncodingFormat = .pem, backend: String? = nil
    ) throws(SslSocketError) -> [SslCertificate] {
        let engine = try SslBackends.resolve(backend)
        let list: [[UInt8]]
        switch format {
        case .der: list = [bytes]
        case .pem:
            list = try Pem.blocks(in: bytes, labels: ["CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"]).map(\.der)
        }
        var result: [SslCertificate] = []
        for der in list { result.append(SslCertificate(try engine.makeCertificate(der: der))) }
        return result
    }

    /// Reads every certificate of a file (`QSslCertificate::fromPath` with a fixed string).
    ///
    /// - Throws: ``SslSocketError/Code/unreadableFile``, and as ``certificates(_:format:backend:)``.
    public static func certificates(
        fromFile path: String, format: SslEncodingFormat = .pem, backend: String? = nil
    ) throws(SslSocketError) -> [SslCertificate] {
        let list = try certificates(FileReader.read(path), format: format, backend: backend)
        if list.isEmpty { throw SslSocketError(.invalidUserData, "There is no certificate in the file \(path)") }
        return list
    }

    /// Reads a certificate in a PKCS#11 token, by its URI (RFC 7512): for example `pkcs11:token=server;object=www;type=cert`. Lacking on OpenSSL.
    ///
    /// - Parameter pin: asked for the PIN if the token wants one; most show certificates to everybody.
    /// - Throws: as ``SslKey/init(pkcs11:backend:pin:)``.
    public init(
        pkcs11 uri: String, backend: String? = nil, pin: @escaping @Sendable (SslTokenPinQuestion) -> SecretBytes? = { _ in nil }
    ) throws(SslSocketError) {
        let engine = try SslBackends.resolve(backend)
        self.init(try engine.makeCertificate(der: engine.makeTokenCertificate(uri: uri, pin: pin)))
    }

    // MARK: The encoded forms

    /// The DER form (`toDer`).
    public var der: [UInt8] { parsed.der }
    /// The PEM form (`toPem`).
    public var pem: String { Pem.encode(parsed.der, label: "CERTIFICATE") }
    /// A dump for people (`toText`); the words differ between backends.
    public func text() -> String { parsed.text() }

    /// A digest of the DER form (`digest`); Qt's default is MD5, ours SHA-256. nil when the library has no such hash.
    public func digest(_ hash: SslHash = .sha256) -> [UInt8]? { parsed.digest(hash) }

    // MARK: What it says

    /// 1, 2 or 3 (`version`).
    public var version: Int { parsed.version }
    /// The serial number's octets, big-endian (`serialNumber`).
    public var serialNumber: [UInt8] { parsed.serialNumber }
    /// Start of the validity (`effectiveDate`); nil when malformed.
    public var effectiveDate: SslInstant? { parsed.notBefore }
    /// End of the validity (`expiryDate`); nil when malformed.
    public var expiryDate: SslInstant? { parsed.notAfter }
    /// The subject's attributes in order: dotted OID and text.
    public var subject: [SslNameAttribute] { parsed.subject }
    /// The issuer's attributes in order.
    public var issuer: [SslNameAttribute] { parsed.issuer }
    /// The subject's values of one attribute, for example `2.5.4.3` for common names (`subjectInfo`).
    public func subjectInfo(_ oid: String) -> [String] { parsed.subject.filter { $0.oid == oid }.map(\.value) }
    /// The issuer's values of one attribute (`issuerInfo`).
    public func issuerInfo(_ oid: String) -> [String] { parsed.issuer.filter { $0.oid == oid }.map(\.value) }
    /// The first common name, or the first attribute at all (`subjectDisplayName`).
    public var subjectDisplayName: String { Self.displayName(parsed.subject) }
    /// The same of the issuer (`issuerDisplayName`).
    public var issuerDisplayName: String { Self.displayName(parsed.issuer) }
    /// The alternative names in order (`subjectAlternativeNames`); empty without the extension.
    public var alternativeNames: [SslAlternativeName] { parsed.alternativeNames ?? [] }
    /// The kind of the public key.
    public var keyAlgorithm: SslKeyAlgorithm { parsed.keyAlgorithm }
    /// The size of the public key in bits.
    public var keyBits: Int { parsed.keyBits }
    /// The SubjectPublicKeyInfo, DER: what a pin is made of (RFC 7469).
    public var publicKeyInfo: [UInt8] { parsed.publicKeyInfo }
    /// Subject and issuer are the same name (`isSelfSigned`).
    public var isSelfSigned: Bool { parsed.isSelfIssued }

    /// True for one of the certificates that are known to have been issued by fraud or mistake (`isBlacklisted`): a fixed list of serial numbers with
    /// names. A client reports it as ``SslErrorCode/certificateBlacklisted`` in every verify mode.
    public var isBlacklisted: Bool { FraudulentCertificates.contains(parsed.fields) }

    private static func displayName(_ attributes: [SslNameAttribute]) -> String {
        (attributes.first { $0.oid == "2.5.4.3" } ?? attributes.first { $0.oid == "2.5.4.10" } ?? attributes.first)?.value ?? ""
    }
}

extension SslCertificate: Hashable, CustomStringConvertible {
    public static func == (a: SslCertificate, b: SslCertificate) -> Bool { a.handle === b.handle || a.der == b.der }
    public func hash(into hasher: inout Hasher) { hasher.combine(der) }
    /// The display name of the subject.
    public var description: String { subjectDisplayName }
}

extension SslCertificate {
    /// The same certificate in the hands of `backend`.
    func parsed(by backend: any TlsBackend) throws(SslSocketError) -> any X509Certificate {
        try backend.makeCertificate(der: der)
    }
}
