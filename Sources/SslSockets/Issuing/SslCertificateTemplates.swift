internal import SslBackend
public import SslValues

/// Templates for the usual certificates. Each has a random serial number, begins to hold an hour ago, for clocks that differ, and can be changed before
/// it is issued.
extension SslCertificateTemplate {
    /// For a certification authority.
    ///
    /// - Parameters:
    ///   - commonName: its name.
    ///   - pathLength: how many authorities may follow below it; nil: any number.
    ///   - days: how long it holds from now.
    public static func authority(
        commonName: String, pathLength: Int? = nil, days: Int = 3650
    ) throws(SslSocketError) -> SslCertificateTemplate {
        var template = try make(commonName, days: days)
        template.basicConstraints = SslBasicConstraints(isAuthority: true, pathLength: pathLength)
        template.keyUsage = [.certificateSigning, .crlSigning]
        return template
    }

    /// For a server.
    ///
    /// - Parameters:
    ///   - names: host names, of which `*.` may stand in front of one, and IP addresses. The first is the common name, too.
    ///   - days: how long it holds from now.
    /// - Throws: ``SslSocketError/Code/invalidUserData`` for no names, or one that is neither a host name nor an address.
    public static func server(names: [String], days: Int = 90) throws(SslSocketError) -> SslCertificateTemplate {
        guard let first = names.first else {
            throw SslSocketError(.invalidUserData, "The certificate of a server needs the name of a host")
        }
        var template = try make(first, days: days)
        for name in names { template.alternativeNames.append(try SslAlternativeName(host: name)) }
        template.extendedKeyUsage = [SslPurpose.serverAuthentication.objectIdentifier]
        template.makeLeaf()
        return template
    }

    /// For a client.
    ///
    /// - Parameters:
    ///   - commonName: who it is.
    ///   - email: its mail address; nil: none.
    ///   - days: how long it holds from now.
    public static func client(
        commonName: String, email: String? = nil, days: Int = 90
    ) throws(SslSocketError) -> SslCertificateTemplate {
        var template = try make(commonName, days: days)
        if let email, case .email(let address) = try PeerName(email: email) {
            template.alternativeNames = [.email(Array(address.utf8))]
        }
        template.extendedKeyUsage = [SslPurpose.clientAuthentication.objectIdentifier]
        template.makeLeaf()
        return template
    }

    /// 16 random octets: nobody can foresee the number, and none is ever given twice.
    public static func randomSerialNumber() throws(SslSocketError) -> [UInt8] {
        var octets = try KeyEncryption.randomOctets(16)
        octets[0] = octets[0] & 0x3F | 0x40
        return octets
    }

    private static func make(_ commonName: String, days: Int) throws(SslSocketError) -> SslCertificateTemplate {
        guard (1...3_000_000).contains(days) else {
            throw SslSocketError(.invalidUserData, "A certificate cannot hold for \(days) days")
        }
        return SslCertificateTemplate(
            subject: [SslNameAttribute(oid: "2.5.4.3", value: commonName)], serialNumber: try randomSerialNumber(),
            notBefore: TlsClock.now.adding(seconds: -3600), notAfter: TlsClock.now.adding(days: Int64(days)))
    }

    private mutating func makeLeaf() {
        basicConstraints = SslBasicConstraints(isAuthority: false)
        keyUsage = .digitalSignature
    }
}

extension SslAlternativeName {
    /// A host name, with `*.` in front of it or not, or an IP address, as certificates name hosts. International names get their ASCII form.
    ///
    /// - Throws: ``SslSocketError/Code/invalidUserData`` for what is neither.
    public init(host: String) throws(SslSocketError) {
        let isWildcard = host.hasPrefix("*.")
        switch try PeerName(isWildcard ? String(host.dropFirst(2)) : host) {
        case .ipAddress(let octets) where !isWildcard: self = .ipAddress(octets)
        case .dns(let name): self = .dns(Array(((isWildcard ? "*." : "") + name).utf8))
        default: throw SslSocketError(.invalidUserData, "\"\(host)\" is neither a host name nor an address")
        }
    }
}
