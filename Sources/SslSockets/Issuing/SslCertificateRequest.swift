internal import SslBackend
public import SslValues

/// A request for a certificate (PKCS#10, RFC 2986): who asks, for which key, and proof that he has it. A value over its DER form. Beyond Qt.
///
/// The authority that answers decides what stands in the certificate: ``template(accepting:days:)`` takes over what it accepts, and nothing else.
public struct SslCertificateRequest: Sendable {
    /// The DER form.
    public let der: [UInt8]
    /// The subject's attributes in order.
    public let subject: [SslNameAttribute]
    /// The public key a certificate is asked for.
    public let publicKey: SslKey
    /// The extensions that are asked for, in order.
    public let extensions: [SslCertificateExtension]

    /// Makes a request.
    ///
    /// - Parameters:
    ///   - template: what is asked for: the subject and the extensions. Serial number and validity are the authority's business and are not written.
    ///   - key: the private key, which signs the request.
    ///   - backend: the name of the backend that signs; nil for the active one.
    /// - Throws: as ``SslCertificateAuthority/issue(_:for:)``.
    public init(_ template: SslCertificateTemplate, key: SslKey, backend: String? = nil) throws(SslSocketError) {
        let engine = try SslBackends.resolve(backend)
        let handle = try key.handle(for: engine)
        let algorithm = try SignedData.algorithm(handle, template.hash)
        let wanted = try SignedData.extensions(try template.writtenExtensions() + template.extensions)
        let attributes =
            wanted.isEmpty
            ? []
            : DerWriter.sequence(DerWriter.objectIdentifier(Self.extensionRequest) ?? [], DerWriter.element(DerTag.set, wanted))
        let signed = DerWriter.sequence(
            DerWriter.integer(0), try SignedData.name(template.subject), handle.publicKeyInfo, DerWriter.element(0xA0, attributes)
        )
        try self.init(
            der: SignedData.write(signed, algorithm, key: handle, provenBy: handle.publicKeyInfo), backend: engine.name)
    }

    /// Reads one request in DER and checks that it is signed with its own key.
    ///
    /// - Parameter backend: the name of the backend that checks; nil for the active one.
    /// - Throws: ``SslSocketError/Code/invalidUserData`` when it is malformed or not signed with its own key.
    public init(der: [UInt8], backend: String? = nil) throws(SslSocketError) {
        func malformed(_ what: String) -> SslSocketError {
            SslSocketError(.invalidUserData, "The certificate request is malformed: \(what)")
        }
        let engine = try SslBackends.resolve(backend)
        guard let content = DerReader.only(DerTag.sequence, der[...]) else { throw malformed("it is not one DER sequence") }
        var parts = DerReader(content)
        guard let signed = parts.next(DerTag.sequence), let named = parts.next(DerTag.sequence),
            let signature = parts.next(DerTag.bitString), parts.isEmpty, signature.content.first == 0
        else { throw malformed("it is not signed data") }
        var fields = DerReader(signed.content)
        guard fields.next(DerTag.integer).flatMap({ DerValue.smallNumber($0.content) }) == 0 else {
            throw malformed("its version")
        }
        guard let name = fields.next(DerTag.sequence).flatMap({ DistinguishedName($0.whole) }) else {
            throw malformed("its subject")
        }
        guard let key = fields.next(DerTag.sequence) else { throw malformed("its public key") }
        // Some leave out the attributes, which the grammar does not allow.
        let attributes = fields.next(0xA0)?.content ?? []
        guard fields.isEmpty, let list = Self.extensions(attributes) else { throw malformed("its attributes") }
        guard let algorithm = X509SignatureAlgorithm(der: named.whole) else {
            throw SslSocketError(.invalidUserData, "The certificate request is signed in a way that is not known here")
        }
        let open = try engine.makePublicKey(der: Array(key.whole))
        let question = X509Signature(
            signedOctets: signed.whole, algorithm: algorithm, signature: signature.content.dropFirst(),
            publicKeyInfo: open.publicKeyInfo)
        guard engine.isValid(question) else {
            throw SslSocketError(.invalidUserData, "The certificate request is not signed with its own key", backend: engine.name)
        }
        self.der = der
        subject = name.attributes
        publicKey = SslKey(open)
        extensions = list
    }

    /// Reads the first request of a PEM text: see ``init(der:backend:)``.
    ///
    /// - Throws: ``SslSocketError/Code/invalidUserData`` also when there is none.
    public init(pem: String, backend: String? = nil) throws(SslSocketError) {
        try self.init(pem: Array(pem.utf8), backend: backend)
    }

    /// Reads the first request of a file: see ``init(der:backend:)``.
    ///
    /// - Throws: ``SslSocketError/Code/unreadableFile`` besides.
    public init(fromFile path: String, format: SslEncodingFormat = .pem, backend: String? = nil) throws(SslSocketError) {
        let bytes = try FileReader.read(path)
        switch format {
        case .pem: try self.init(pem: bytes, backend: backend)
        case .der: try self.init(der: bytes, backend: backend)
        }
    }

    private init(pem: [UInt8], backend: String?) throws(SslSocketError) {
        guard let first = try Pem.blocks(in: pem, labels: ["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"]).first else {
            throw SslSocketError(.invalidUserData, "There is no certificate request in the data")
        }
        try self.init(der: first.der, backend: backend)
    }

    /// The PEM form.
    public var pem: String { Pem.encode(der, label: "CERTIFICATE REQUEST") }

    /// The alternative names that are asked for; empty for none.
    public var alternativeNames: [SslAlternativeName] {
        for case .subjectAlternativeName(let names) in extensions.compactMap(\.content) { return names }
        return []
    }

    /// The dotted OID of the alternative names, which is all that ``template(accepting:days:)`` accepts by default.
    public static let alternativeNamesOid = ExtensionOid.subjectAlternativeName

    /// A template with the subject and the accepted extensions of the request, for the authority to complete and to issue for ``publicKey``.
    ///
    /// - Parameters:
    ///   - accepting: the dotted OIDs of the extensions that are taken over as they were asked for. Everything else the authority adds by itself; what makes an
    ///     authority of the subject should never be accepted from outside. Default: the alternative names.
    ///   - days: how long the certificate holds from now.
    /// - Throws: ``SslSocketError/Code/invalidUserData`` when an accepted extension is malformed.
    public func template(
        accepting: Set<String> = [alternativeNamesOid], days: Int = 90
    ) throws(SslSocketError) -> SslCertificateTemplate {
        var template = try SslCertificateTemplate.client(commonName: "-", days: days)
        template.subject = subject
        template.keyUsage = nil
        template.extendedKeyUsage = []
        for one in extensions where accepting.contains(one.oid) {
            switch one.content {
            case .subjectAlternativeName(let names): template.alternativeNames = names
            case .keyUsage(let usage): template.keyUsage = usage
            case .extendedKeyUsage(let usages): template.extendedKeyUsage = usages
            case .basicConstraints(let constraints): template.basicConstraints = constraints
            case .subjectKeyIdentifier, .authorityKeyIdentifier: break
            case nil where ExtensionOid.decoded.contains(one.oid):
                throw SslSocketError(.invalidUserData, "The certificate request asks for a malformed extension \(one.name)")
            default: template.extensions.append(one)
            }
        }
        return template
    }

    private static let extensionRequest = "1.2.840.113549.1.9.14"

    /// The extensions in the attributes; nil when malformed, or when an attribute that asks for some stands twice.
    private static func extensions(_ attributes: ArraySlice<UInt8>) -> [SslCertificateExtension]? {
        guard let list = DerReader.all(attributes, DerTag.sequence) else { return nil }
        var found: [SslCertificateExtension]?
        for attribute in list {
            var reader = DerReader(attribute.content)
            guard let type = reader.next(DerTag.objectIdentifier), let values = reader.next(DerTag.set), reader.isEmpty else {
                return nil
            }
            guard DerValue.objectIdentifier(type.content) == extensionRequest else { continue }
            guard found == nil, let wanted = DerReader.only(DerTag.sequence, values.content),
                let read = CertificateFields.extensionList(wanted)
            else { return nil }
            found = read
        }
        return found ?? []
    }
}

extension SslCertificateRequest: Hashable, CustomStringConvertible {
    public static func == (a: SslCertificateRequest, b: SslCertificateRequest) -> Bool { a.der == b.der }
    public func hash(into hasher: inout Hasher) { hasher.combine(der) }
    /// The subject.
    public var description: String { subject.map { "\($0.oid)=\($0.value)" }.joined(separator: ", ") }
}
