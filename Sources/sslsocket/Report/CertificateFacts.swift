internal import SslSockets

/// A certificate as the report tells it.
struct CertificateFacts: Encodable {
    let subject: String
    let issuer: String
    let names: [String]
    let serialNumber: String
    let notBefore: String?
    let notAfter: String?
    let keyAlgorithm: String
    let keyBits: Int
    /// SHA-256 of the certificate, hexadecimal.
    let sha256: String?
    /// SHA-256 of the public key, Base64 (RFC 7469).
    let pin: String?

    init(_ certificate: SslCertificate) {
        subject = Self.text(certificate.subject)
        issuer = Self.text(certificate.issuer)
        names = certificate.alternativeNames.map(Self.text)
        serialNumber = Hex.encode(certificate.serialNumber)
        notBefore = certificate.effectiveDate?.description
        notAfter = certificate.expiryDate?.description
        keyAlgorithm = "\(certificate.keyAlgorithm)"
        keyBits = certificate.keyBits
        sha256 = certificate.digest(.sha256).map(Hex.encode)
        pin = certificate.publicKeyPin
    }

    /// One line for people.
    var line: String {
        "\(subject) (\(keyAlgorithm) \(keyBits)), issued by \(issuer), valid until \(notAfter ?? "?")"
    }

    /// A name as RFC 4514 writes it, but in the order of the certificate.
    static func text(_ name: [SslNameAttribute]) -> String {
        name.map { "\(labels[$0.oid] ?? $0.oid)=\(printable($0.value))" }.joined(separator: ", ")
    }

    /// What attributes are called, by their OIDs.
    static let labels = [
        "2.5.4.3": "CN", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.10": "O", "2.5.4.11": "OU",
        "2.5.4.5": "SERIALNUMBER",
        "0.9.2342.19200300.100.1.25": "DC", "1.2.840.113549.1.9.1": "EMAIL",
    ]

    /// An alternative name with its kind.
    static func text(_ name: SslAlternativeName) -> String {
        switch name {
        case .dns(let octets): "DNS:" + printable(octets)
        case .ipAddress(let octets): "IP:" + (IpAddress(octets: octets)?.description ?? Hex.encode(octets))
        case .email(let octets): "email:" + printable(octets)
        case .uri(let octets): "URI:" + printable(octets)
        case .other(let tag, let octets): "other(\(tag)):" + Hex.encode(octets)
        }
    }

    private static func printable(_ octets: [UInt8]) -> String { Printable.text(octets) }
    private static func printable(_ text: String) -> String { Printable.text(text) }
}

/// Hexadecimal.
enum Hex {
    /// Two digits an octet.
    static func encode(_ octets: [UInt8]) -> String {
        octets.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
