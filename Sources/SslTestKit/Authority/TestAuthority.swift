internal import Glibc
public import SslBackend
internal import SslSockets
public import SslValues

/// A certification authority for tests, made at run time: nothing is checked in that could expire.
///
/// ```swift
/// let root = try TestAuthority.makeRoot()
/// let server = try root.makeIntermediate().issue(TestAuthority.Leaf(names: [.dns("localhost")]))
/// ```
public struct TestAuthority: Sendable {
    /// The backend that signs.
    public let backend: any TlsBackend
    /// The authority's certificate, DER.
    public let certificate: [UInt8]
    /// The authority's key.
    public let key: any TlsKey
    /// The authorities above, nearest first, up to the root: DER.
    public let issuers: [[UInt8]]
    /// The start and end of the validity that issued certificates get.
    public let validity: ClosedRange<SslInstant>

    /// The certificates a server sends between its own and the root: this authority's first, the root left out.
    public var intermediates: [[UInt8]] { issuers.isEmpty ? [] : [certificate] + issuers.dropLast() }
    /// The root's certificate.
    public var root: [UInt8] { issuers.last ?? certificate }

    private init(
        backend: any TlsBackend, certificate: [UInt8], key: any TlsKey, issuers: [[UInt8]], validity: ClosedRange<SslInstant>
    ) {
        self.backend = backend
        self.certificate = certificate
        self.key = key
        self.issuers = issuers
        self.validity = validity
    }

    // MARK: Making authorities

    /// From a day ago to thirty days from now.
    public static var currentValidity: ClosedRange<SslInstant> {
        let now = SslInstant.now
        return now.adding(days: -1)...now.adding(days: 30)
    }

    /// The key usage of an authority.
    public static let authorityUsage: SslKeyUsage = [.certificateSigning, .crlSigning]

    /// Makes a self-signed root.
    ///
    /// - Parameters:
    ///   - name: the common name; also the label of the key, so that two roots of one name and kind share it.
    ///   - kind: the kind of key.
    ///   - backend: who signs; nil for the first backend that can generate keys.
    ///   - customize: changes the template before it is signed.
    public static func makeRoot(
        _ name: String = "Test Root", key kind: SslKeyKind = .ec(.secp256r1), backend: (any TlsBackend)? = nil,
        validity: ClosedRange<SslInstant>? = nil, customize: (inout SslCertificateTemplate) -> Void = { _ in }
    ) throws(SslSocketError) -> TestAuthority {
        let backend = if let backend { backend } else { try issuingBackend() }
        let validity = validity ?? currentValidity
        let key = try TestKeys.key(kind, name, backend: backend)
        var template = authorityTemplate(name, validity, pathLength: nil)
        customize(&template)
        let certificate = try CertificateWriter.issue(template, key: key, issuer: nil)
        return TestAuthority(backend: backend, certificate: certificate, key: key, issuers: [], validity: currentValidity)
    }

    /// Makes an authority below this one.
    public func makeIntermediate(
        _ name: String = "Test Intermediate", key kind: SslKeyKind = .ec(.secp256r1), pathLength: Int? = nil,
        validity: ClosedRange<SslInstant>? = nil, customize: (inout SslCertificateTemplate) -> Void = { _ in }
    ) throws(SslSocketError) -> TestAuthority {
        let key = try TestKeys.key(kind, name, backend: backend)
        var template = Self.authorityTemplate(name, validity ?? self.validity, pathLength: pathLength)
        customize(&template)
        let certificate = try CertificateWriter.issue(template, key: key, issuer: (self.certificate, self.key))
        return TestAuthority(
            backend: backend, certificate: certificate, key: key, issuers: [self.certificate] + issuers, validity: self.validity)
    }

    /// The first backend that can generate keys.
    public static func issuingBackend() throws(SslSocketError) -> any TlsBackend {
        let able = SslBackends.all.first {
            $0.capabilities.features.contains(.keyGeneration)
        }
        guard let able else {
            throw SslSocketError(.noBackend, "No backend can generate keys, so no test authority can be made")
        }
        return able
    }

    // MARK: Issuing

    /// What a certificate for an end of a connection says.
    public struct Leaf: Sendable {
        /// The common name.
        public var commonName: String
        /// The alternative names; empty: no extension.
        public var names: [SslAlternativeName]
        /// The extended key usages as dotted OIDs; empty: no extension.
        public var usages: [String]
        /// The kind of the key.
        public var keyKind: SslKeyKind
        /// The validity; nil for the authority's default.
        public var validity: ClosedRange<SslInstant>?

        /// A server certificate for ``TestIdentity/defaultHost`` with a P-256 key, but for what is said otherwise.
        public init(
            commonName: String = "Test Server", names: [SslAlternativeName] = [.dns(Array(TestIdentity.defaultHost.utf8))],
            usages: [String] = [SslPurpose.serverAuthentication.objectIdentifier], keyKind: SslKeyKind = .ec(.secp256r1),
            validity: ClosedRange<SslInstant>? = nil
        ) {
            self.commonName = commonName
            self.names = names
            self.usages = usages
            self.keyKind = keyKind
            self.validity = validity
        }
    }

    /// Issues a certificate and returns it with its chain and key; the peer trusts the root.
    public func issue(
        _ leaf: Leaf = Leaf(), host: String = TestIdentity.defaultHost,
        customize: (inout SslCertificateTemplate) -> Void = { _ in }
    ) throws(SslSocketError) -> TestIdentity {
        let key = try TestKeys.key(leaf.keyKind, "leaf", backend: backend)
        return try issue(leaf, key: key, host: host, customize: customize)
    }

    /// Issues a certificate for a key of one's own.
    public func issue(
        _ leaf: Leaf, key: any TlsKey, host: String = TestIdentity.defaultHost,
        customize: (inout SslCertificateTemplate) -> Void = { _ in }
    ) throws(SslSocketError) -> TestIdentity {
        let validity = leaf.validity ?? self.validity
        var template = SslCertificateTemplate(
            subject: Self.name(leaf.commonName), serialNumber: Self.nextSerial(), notBefore: validity.lowerBound,
            notAfter: validity.upperBound)
        template.alternativeNames = leaf.names
        template.basicConstraints = SslBasicConstraints(isAuthority: false)
        // digitalSignature signs handshakes; keyEncipherment is for RSA key exchange.
        template.keyUsage = key.algorithm == .rsa ? [.digitalSignature, .keyEncipherment] : .digitalSignature
        template.extendedKeyUsage = leaf.usages
        customize(&template)
        let certificate = try CertificateWriter.issue(template, key: key, issuer: (self.certificate, self.key))
        return TestIdentity(
            chain: [certificate] + intermediates, key: try SslKey(key.pkcs8(), format: .der, backend: backend.name),
            anchors: [root], host: host)
    }

    /// A distinguished name of one common name.
    package static func name(_ commonName: String) -> [SslNameAttribute] {
        [SslNameAttribute(oid: "2.5.4.3", value: commonName)]
    }

    /// What the certificate of an authority says.
    package static func authorityTemplate(
        _ name: String, _ validity: ClosedRange<SslInstant>, pathLength: Int?
    ) -> SslCertificateTemplate {
        var template = SslCertificateTemplate(
            subject: self.name(name), serialNumber: nextSerial(), notBefore: validity.lowerBound, notAfter: validity.upperBound)
        template.basicConstraints = SslBasicConstraints(isAuthority: true, pathLength: pathLength)
        template.keyUsage = authorityUsage
        return template
    }

    private static let serials = Lock<UInt64>(0)

    /// Nine octets, different at each call: the same issuer must not give a number twice (RFC 5280 section 4.1.2.2).
    package static func nextSerial() -> [UInt8] {
        let number = serials.withLock { count -> UInt64 in
            count += 1
            return UInt64(bitPattern: SslInstant.now.secondsSince1970) << 24 | count
        }
        return [1] + (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * UInt64($0))) }
    }
}
