public import SslValues

/// What stands in a certificate (RFC 5280 section 4.1), read once by one strict reader for every backend, so that the same octets
/// are a certificate on all of them or on none, and say the same.
///
/// The library of a backend reads the certificate too, for its signature and its key.
public final class CertificateFields: Sendable {
    /// One extension by its place.
    struct Extension: Sendable {
        let oid: String
        let isCritical: Bool
        let value: Range<Int>
    }

    /// The certificate itself.
    public let der: [UInt8]
    /// 1, 2 or 3.
    public let version: Int
    let extensionPlaces: [Extension]
    private let signedRange: Range<Int>
    private let serialRange: Range<Int>
    private let issuerRange: Range<Int>
    private let subjectRange: Range<Int>
    private let keyRange: Range<Int>
    private let algorithmRange: Range<Int>
    private let signatureRange: Range<Int>
    /// Start of the validity.
    public let notBefore: SslInstant
    /// End of the validity.
    public let notAfter: SslInstant
    /// The subject in comparable form: ``DistinguishedName/canonical``.
    public let canonicalSubject: [UInt8]
    /// The issuer in comparable form.
    public let canonicalIssuer: [UInt8]

    /// Reads exactly one certificate.
    ///
    /// - Throws: ``SslSocketError/Code/invalidUserData`` naming what is malformed: the structure, an extension that stands there twice
    ///   (RFC 5280 section 4.2), or one of those every layer relies on (names, key identifiers, usages, basic constraints): taken
    ///   for missing, a limit it sets would be lost.
    public init(_ der: [UInt8]) throws(SslSocketError) {
        func malformed(_ what: String) -> SslSocketError {
            SslSocketError(.invalidUserData, "The certificate is malformed: \(what)")
        }
        guard let content = DerReader.only(DerTag.sequence, der[...]) else { throw malformed("it is not one DER sequence") }
        var parts = DerReader(content)
        guard let signed = parts.next(DerTag.sequence), let algorithm = parts.next(DerTag.sequence),
            let signature = parts.next(DerTag.bitString), parts.isEmpty, signature.content.first == 0
        else { throw malformed("it is not signed data") }
        var fields = DerReader(signed.content)
        var version = 1
        if let wrapped = fields.next(0xA0) {
            guard let number = DerReader.only(DerTag.integer, wrapped.content).flatMap(DerValue.smallNumber),
                (1...2).contains(number)
            else {
                throw malformed("its version is neither 2 nor 3")
            }
            version = number + 1
        }
        guard let serial = fields.next(DerTag.integer), DerValue.isInteger(serial.content) else {
            throw malformed("its serial number")
        }
        // What is signed names the algorithm too, or it could be exchanged (RFC 5280 section 4.1.1.2).
        guard let inner = fields.next(DerTag.sequence), inner.whole == algorithm.whole, Self.isAlgorithm(inner.content) else {
            throw malformed("its signature algorithm")
        }
        guard let issuer = fields.next(DerTag.sequence), let issuerName = DistinguishedName(issuer.whole) else {
            throw malformed("its issuer")
        }
        guard let validity = fields.next(DerTag.sequence), let times = DerReader.all(validity.content), times.count == 2,
            let start = DerValue.instant(times[0]), let end = DerValue.instant(times[1])
        else { throw malformed("its validity") }
        guard let subject = fields.next(DerTag.sequence), let subjectName = DistinguishedName(subject.whole) else {
            throw malformed("its subject")
        }
        guard let key = fields.next(DerTag.sequence), Self.isPublicKeyInfo(key.content) else { throw malformed("its public key") }
        // The unique identifiers of version 2, which nobody uses.
        for tag: UInt8 in [0x81, 0x82] where fields.tag == tag {
            guard fields.next() != nil, version > 1 else { throw malformed("its unique identifiers") }
        }
        var extensions: [Extension] = []
        if let wrapped = fields.next(0xA3) {
            guard version == 3, let list = DerReader.only(DerTag.sequence, wrapped.content), let found = Self.extensions(list)
            else {
                throw malformed("its extensions")
            }
            extensions = found
        }
        guard fields.isEmpty else { throw malformed("something stands behind its last field") }
        self.der = der
        self.version = version
        extensionPlaces = extensions
        signedRange = signed.whole.indices
        serialRange = serial.content.indices
        issuerRange = issuer.whole.indices
        subjectRange = subject.whole.indices
        keyRange = key.whole.indices
        algorithmRange = algorithm.whole.indices
        signatureRange = signature.content.indices.dropFirst()
        notBefore = start
        notAfter = end
        let isSelfIssued = subject.whole == issuer.whole
        let canonical = subjectName.canonical
        canonicalSubject = canonical
        canonicalIssuer = isSelfIssued ? canonical : issuerName.canonical
        if let culprit = malformedExtension { throw malformed("its extension \(culprit)") }
    }

    /// An identifier, and parameters or none.
    private static func isAlgorithm(_ content: ArraySlice<UInt8>) -> Bool {
        var reader = DerReader(content)
        guard let type = reader.next(DerTag.objectIdentifier), DerValue.objectIdentifier(type.content) != nil else {
            return false
        }
        return reader.isEmpty || reader.next() != nil && reader.isEmpty
    }

    /// An algorithm and a key in whole octets.
    private static func isPublicKeyInfo(_ content: ArraySlice<UInt8>) -> Bool {
        var reader = DerReader(content)
        guard let algorithm = reader.next(DerTag.sequence), isAlgorithm(algorithm.content),
            let key = reader.next(DerTag.bitString), reader.isEmpty
        else { return false }
        return key.content.first == 0 && key.content.count > 1
    }

    private static func extensions(_ list: ArraySlice<UInt8>) -> [Extension]? {
        guard let elements = DerReader.all(list, DerTag.sequence), !elements.isEmpty else { return nil }
        var found: [Extension] = []
        found.reserveCapacity(elements.count)
        var seen: Set<String> = []
        for element in elements {
            var reader = DerReader(element.content)
            guard let type = reader.next(DerTag.objectIdentifier), let oid = DerValue.objectIdentifier(type.content),
                seen.insert(oid).inserted
            else { return nil }
            var isCritical = false
            if let flag = reader.next(DerTag.boolean) {
                guard let value = DerValue.boolean(flag.content) else { return nil }
                isCritical = value
            }
            guard let value = reader.next(DerTag.octetString), reader.isEmpty else { return nil }
            found.append(Extension(oid: oid, isCritical: isCritical, value: value.content.indices))
        }
        return found
    }

    /// The extensions in the content of an Extensions sequence; nil when it is malformed, empty, or one stands there twice.
    public static func extensionList(_ content: ArraySlice<UInt8>) -> [SslCertificateExtension]? {
        // A copy of its own, so that places are those of its octets.
        let octets = Array(content)
        return extensions(octets[...])?.map {
            SslCertificateExtension(oid: $0.oid, isCritical: $0.isCritical, value: Array(octets[$0.value]))
        }
    }

    // MARK: Fields

    /// The serial number's content octets.
    public var serialNumber: [UInt8] { Array(der[serialRange]) }
    /// The subject, DER.
    public var subjectDer: [UInt8] { Array(der[subjectRange]) }
    /// The issuer, DER.
    public var issuerDer: [UInt8] { Array(der[issuerRange]) }
    /// The subject, read.
    public var subjectName: DistinguishedName? { DistinguishedName(der[subjectRange]) }
    /// The issuer, read.
    public var issuerName: DistinguishedName? { DistinguishedName(der[issuerRange]) }
    /// The SubjectPublicKeyInfo, DER.
    public var publicKeyInfo: [UInt8] { Array(der[keyRange]) }
    /// What the signature is over.
    public var signedOctets: ArraySlice<UInt8> { der[signedRange] }
    /// The signature.
    public var signature: ArraySlice<UInt8> { der[signatureRange] }
    /// The AlgorithmIdentifier of the signature, DER.
    public var signatureAlgorithmDer: ArraySlice<UInt8> { der[algorithmRange] }
    /// Subject and issuer are the same name.
    public var isSelfIssued: Bool { canonicalSubject == canonicalIssuer }
    /// The subject has no attribute.
    public var hasEmptySubject: Bool { canonicalSubject.isEmpty }

    /// The dotted OID of the signature algorithm; empty when it is malformed.
    public var signatureAlgorithm: String {
        var reader = DerReader(DerReader.only(DerTag.sequence, signatureAlgorithmDer) ?? [])
        return reader.next(DerTag.objectIdentifier).flatMap { DerValue.objectIdentifier($0.content) } ?? ""
    }

    // MARK: Extensions

    /// Every extension in order.
    public var extensions: [SslCertificateExtension] {
        extensionPlaces.map { SslCertificateExtension(oid: $0.oid, isCritical: $0.isCritical, value: Array(der[$0.value])) }
    }

    /// The content of an extension; nil without it.
    public func extensionValue(_ oid: String) -> ArraySlice<UInt8>? {
        extensionPlaces.first { $0.oid == oid }.map { der[$0.value] }
    }

    /// Whether an extension is critical; nil without it.
    public func isCritical(_ oid: String) -> Bool? { extensionPlaces.first { $0.oid == oid }?.isCritical }

    /// The dotted OIDs of the critical extensions.
    public var criticalExtensions: [String] { extensionPlaces.filter(\.isCritical).map(\.oid) }
}
