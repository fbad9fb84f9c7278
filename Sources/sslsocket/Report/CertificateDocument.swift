internal import SslSockets

/// Certificates as `cert inspect --json` and `cert make --json` tell them.
struct CertificateDocument: Encodable {
    let schema = 1
    let certificates: [CertificateDetails]

    init(_ certificates: [SslCertificate]) { self.certificates = certificates.map { CertificateDetails($0) } }
}

/// Everything a certificate says.
struct CertificateDetails: Encodable {
    let facts: CertificateFacts
    let version: Int
    let isSelfSigned: Bool
    /// Dotted OID.
    let signatureAlgorithm: String
    let extensions: [ExtensionFacts]

    private enum Key: String, CodingKey { case version, isSelfSigned, signatureAlgorithm, extensions }

    init(_ certificate: SslCertificate) {
        facts = CertificateFacts(certificate)
        version = certificate.version
        isSelfSigned = certificate.isSelfSigned
        signatureAlgorithm = certificate.signatureAlgorithm
        extensions = certificate.extensions.map { ExtensionFacts($0) }
    }

    func encode(to encoder: any Encoder) throws {
        try facts.encode(to: encoder)
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(version, forKey: .version)
        try container.encode(isSelfSigned, forKey: .isSelfSigned)
        try container.encode(signatureAlgorithm, forKey: .signatureAlgorithm)
        try container.encode(extensions, forKey: .extensions)
    }
}

/// A certificate request as `cert csr --json` tells it.
struct RequestFacts: Encodable {
    let schema = 1
    let subject: String
    let names: [String]
    let keyAlgorithm: String
    let keyBits: Int
    let extensions: [ExtensionFacts]

    init(_ request: SslCertificateRequest) {
        subject = CertificateFacts.text(request.subject)
        names = request.alternativeNames.map { CertificateFacts.text($0) }
        keyAlgorithm = "\(request.publicKey.algorithm)"
        keyBits = request.publicKey.length
        extensions = request.extensions.map { ExtensionFacts($0) }
    }
}

/// One extension.
struct ExtensionFacts: Encodable {
    let name: String
    let oid: String
    let isCritical: Bool
    /// What it says, each statement a text; nil for one that is not decoded.
    let content: [String]?
    /// Its octets in hexadecimal.
    let value: String

    init(_ one: SslCertificateExtension) {
        name = one.name
        oid = one.oid
        isCritical = one.isCritical
        content = one.content.map(Self.statements)
        value = Hex.encode(one.value)
    }

    /// One line for people.
    var line: String { "\(name)\(isCritical ? " (critical)" : ""): \(content?.joined(separator: "; ") ?? value)" }

    private static func statements(_ content: SslCertificateExtension.Content) -> [String] {
        switch content {
        case .basicConstraints(let constraints):
            [constraints.isAuthority ? "an authority" : "no authority"]
                + (constraints.pathLength.map { ["at most \($0) authorities below"] } ?? [])
        case .keyUsage(let usage): [usage.description]
        case .extendedKeyUsage(let list): list.map { purposes[$0] ?? $0 }
        case .subjectAlternativeName(let names): names.map { CertificateFacts.text($0) }
        case .authorityInformationAccess(let list):
            list.map { access in
                let method =
                    access.method == SslAccessDescription.ocsp
                    ? "OCSP" : access.method == SslAccessDescription.caIssuers ? "issuer" : access.method
                return "\(method) \(CertificateFacts.text(access.location))"
            }
        case .subjectKeyIdentifier(let octets): [Hex.encode(octets)]
        case .authorityKeyIdentifier(let authority):
            [authority.keyIdentifier.map(Hex.encode), authority.serialNumber.map { "serial number \(Hex.encode($0))" }]
                .compactMap { $0 } + (authority.issuers ?? []).map { CertificateFacts.text($0) }
        case .crlDistributionPoints(let points):
            points.map { point in
                (point.names + point.issuers).map { CertificateFacts.text($0) }.joined(separator: ", ")
                    + CertificateFacts.text(point.relativeName)
            }
        case .certificatePolicies(let policies):
            policies.map { ([$0.oid] + ($0.practiceStatements + $0.notices).map { Printable.text($0) }).joined(separator: " ") }
        case .nameConstraints(let constraints):
            constraints.permitted.map { "permitted " + CertificateFacts.text($0) }
                + constraints.excluded.map { "excluded " + CertificateFacts.text($0) }
        case .signedCertificateTimestamps(let list):
            list.map { "log \(Hex.encode($0.logIdentifier)) at \($0.time)" }
        case .tlsFeatures(let list): list.map { $0 == 5 ? "must staple its status" : "TLS extension \($0)" }
        @unknown default: []
        }
    }

    private static let purposes = [
        "1.3.6.1.5.5.7.3.1": "server", "1.3.6.1.5.5.7.3.2": "client", "1.3.6.1.5.5.7.3.3": "code signing",
        "1.3.6.1.5.5.7.3.4": "e-mail", "1.3.6.1.5.5.7.3.8": "time stamps", "1.3.6.1.5.5.7.3.9": "OCSP", "2.5.29.37.0": "any",
    ]
}
