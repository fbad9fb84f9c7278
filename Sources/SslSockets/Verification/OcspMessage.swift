internal import SslBackend
internal import SslValues

/// An OCSP response as it stands on the wire (RFC 6960 section 4.2.1), read by one strict reader for every backend.
struct OcspMessage {
    /// OCSPResponseStatus: 0 is success, and only then there is a ``basic`` response.
    let status: Int
    let basic: Basic?

    /// A BasicOCSPResponse.
    struct Basic {
        let signedOctets: ArraySlice<UInt8>
        /// nil for an algorithm nobody here knows.
        let algorithm: X509SignatureAlgorithm?
        let signature: ArraySlice<UInt8>
        let responder: Responder
        let certificates: [[UInt8]]
        let responses: [Single]
    }

    /// Who signed.
    enum Responder {
        /// The canonical subject.
        case name([UInt8])
        /// The SHA-1 of the public key.
        case keyHash([UInt8])
    }

    /// A SingleResponse.
    struct Single {
        /// nil for a hash nobody here knows.
        let hash: SslHash?
        let issuerNameHash: [UInt8]
        let issuerKeyHash: [UInt8]
        let serialNumber: [UInt8]
        let status: OcspCertificateStatus
        let reason: OcspRevocationReason
        let revocationTime: SslInstant?
        let thisUpdate: SslInstant
        let nextUpdate: SslInstant?
    }

    /// Reads exactly one response; nil when it is malformed, of another type than id-pkix-ocsp-basic, or has a critical extension.
    init?(_ der: [UInt8]) {
        guard let content = DerReader.only(DerTag.sequence, der[...]) else { return nil }
        var reader = DerReader(content)
        guard let code = reader.next(DerTag.enumerated), code.content.count == 1, let number = code.content.first else {
            return nil
        }
        status = Int(number)
        guard number == 0 else {
            basic = nil
            return
        }
        guard let wrapped = reader.next(0xA0), reader.isEmpty, let bytes = DerReader.only(DerTag.sequence, wrapped.content) else {
            return nil
        }
        var parts = DerReader(bytes)
        guard let type = parts.next(DerTag.objectIdentifier),
            DerValue.objectIdentifier(type.content) == "1.3.6.1.5.5.7.48.1.1",
            let octets = parts.next(DerTag.octetString), parts.isEmpty, let response = Basic(octets.content)
        else { return nil }
        basic = response
    }
}

extension OcspMessage.Basic {
    init?(_ der: ArraySlice<UInt8>) {
        guard let content = DerReader.only(DerTag.sequence, der) else { return nil }
        var parts = DerReader(content)
        guard let data = parts.next(DerTag.sequence), let algorithm = parts.next(DerTag.sequence),
            let signature = parts.next(DerTag.bitString), signature.content.first == 0
        else { return nil }
        var certificates: [[UInt8]] = []
        if let wrapped = parts.next(0xA0) {
            guard let list = DerReader.only(DerTag.sequence, wrapped.content),
                let elements = DerReader.all(list, DerTag.sequence)
            else { return nil }
            certificates = elements.map { Array($0.whole) }
        }
        guard parts.isEmpty else { return nil }

        var fields = DerReader(data.content)
        if let version = fields.next(0xA0) {
            guard DerReader.only(DerTag.integer, version.content).flatMap(DerValue.smallNumber) == 0 else { return nil }
        }
        guard let named = fields.next(), let responder = OcspMessage.Responder(named),
            let produced = fields.next(DerTag.generalizedTime),
            DerValue.instant(produced) != nil, let list = fields.next(DerTag.sequence),
            let elements = DerReader.all(list.content, DerTag.sequence)
        else { return nil }
        guard OcspMessage.areHarmless(fields.next(0xA1)), fields.isEmpty else { return nil }
        let responses = elements.compactMap { OcspMessage.Single($0.content) }
        guard responses.count == elements.count else { return nil }
        self.responder = responder
        self.certificates = certificates
        self.responses = responses
        self.algorithm = X509SignatureAlgorithm(der: algorithm.whole)
        self.signature = signature.content.dropFirst()
        signedOctets = data.whole
    }
}

extension OcspMessage.Responder {
    init?(_ element: DerReader.Element) {
        switch element.tag {
        case 0xA1:
            guard let name = DistinguishedName(element.content) else { return nil }
            self = .name(name.canonical)
        case 0xA2:
            guard let hash = DerReader.only(DerTag.octetString, element.content) else { return nil }
            self = .keyHash(Array(hash))
        default: return nil
        }
    }
}

extension OcspMessage.Single {
    init?(_ content: ArraySlice<UInt8>) {
        var reader = DerReader(content)
        guard let identifier = reader.next(DerTag.sequence), let status = reader.next() else { return nil }
        var parts = DerReader(identifier.content)
        guard let algorithm = parts.next(DerTag.sequence), let name = parts.next(DerTag.octetString),
            let key = parts.next(DerTag.octetString), let serial = parts.next(DerTag.integer), parts.isEmpty,
            DerValue.isInteger(serial.content)
        else { return nil }
        hash = Self.hash(algorithm.content)
        issuerNameHash = Array(name.content)
        issuerKeyHash = Array(key.content)
        serialNumber = Array(serial.content)

        var reason = OcspRevocationReason.none
        var revoked: SslInstant?
        switch status.tag {
        case 0x80: self.status = .good
        case 0x82: self.status = .unknown
        case 0xA1:
            self.status = .revoked
            var details = DerReader(status.content)
            guard let time = details.next(DerTag.generalizedTime), let instant = DerValue.instant(time) else { return nil }
            revoked = instant
            if let wrapped = details.next(0xA0) {
                guard let code = DerReader.only(DerTag.enumerated, wrapped.content), code.count == 1, let number = code.first
                else {
                    return nil
                }
                reason = OcspRevocationReason(rawValue: Int(number)) ?? .unspecified
            }
            guard details.isEmpty else { return nil }
        default: return nil
        }
        self.reason = reason
        revocationTime = revoked

        guard let this = reader.next(DerTag.generalizedTime).flatMap(DerValue.instant) else { return nil }
        thisUpdate = this
        var next: SslInstant?
        if let wrapped = reader.next(0xA0) {
            var inner = DerReader(wrapped.content)
            guard let time = inner.next(DerTag.generalizedTime), inner.isEmpty, let instant = DerValue.instant(time) else {
                return nil
            }
            next = instant
        }
        nextUpdate = next
        guard OcspMessage.areHarmless(reader.next(0xA1)), reader.isEmpty else { return nil }
    }

    private static func hash(_ algorithm: ArraySlice<UInt8>) -> SslHash? {
        var reader = DerReader(algorithm)
        switch reader.next(DerTag.objectIdentifier).flatMap({ DerValue.objectIdentifier($0.content) }) {
        case "1.3.14.3.2.26": return .sha1
        case "2.16.840.1.101.3.4.2.1": return .sha256
        case "2.16.840.1.101.3.4.2.2": return .sha384
        case "2.16.840.1.101.3.4.2.3": return .sha512
        default: return nil
        }
    }
}

extension OcspMessage {
    /// Well-formed extensions, none of them critical: what nobody here understands may be passed over.
    static func areHarmless(_ wrapped: DerReader.Element?) -> Bool {
        guard let wrapped else { return true }
        guard let list = DerReader.only(DerTag.sequence, wrapped.content), let elements = DerReader.all(list, DerTag.sequence)
        else {
            return false
        }
        return elements.allSatisfy { element in
            var reader = DerReader(element.content)
            guard reader.next(DerTag.objectIdentifier) != nil else { return false }
            if let flag = reader.next(DerTag.boolean) { guard DerValue.boolean(flag.content) == false else { return false } }
            return reader.next(DerTag.octetString) != nil && reader.isEmpty
        }
    }
}
