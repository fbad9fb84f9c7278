#if GnuTLS
internal import CSslGnuTLS
public import SslBackend
public import SslValues

/// The backend over GnuTLS, the TLS library of the GNU project (LGPL 2.1 or later).
public final class GnuTLSBackend: TlsBackend {
    /// The only instance.
    public static let shared = GnuTLSBackend()

    /// The oldest library this backend works with: before 3.6.14 session tickets were encrypted with a key of zeros
    /// (CVE-2020-13777).
    static let minimumVersion = "3.6.14"

    /// nil when the library that is loaded can be used, otherwise why it cannot.
    private let refusal: String?

    private init() {
        let fits = unsafe gnutls_check_version(Self.minimumVersion) != nil
        refusal = fits ? nil : "GnuTLS \(Self.loadedVersion) is loaded, but at least \(Self.minimumVersion) is needed"
    }

    private static var loadedVersion: String {
        guard let text = unsafe gnutls_check_version(nil) else { return "unknown" }
        return unsafe String(cString: text)
    }

    /// `gnutls`.
    public var name: String { gnutlsName }
    /// For example `GnuTLS 3.7.9`.
    public var libraryVersion: String { "GnuTLS " + Self.loadedVersion }
    /// For example 0x030709.
    public var libraryVersionNumber: Int {
        Self.loadedVersion.split(separator: ".").prefix(3).reduce(0) { number, part in
            number << 8 | (Int(part.prefix { $0.isNumber }) ?? 0)
        }
    }
    /// For example `GnuTLS 3.7.9`.
    public var libraryBuildVersion: String { "GnuTLS " + GNUTLS_VERSION }
    /// For example 0x030709.
    public var libraryBuildVersionNumber: Int { Int(GNUTLS_VERSION_NUMBER) }
    /// What works with the library that is loaded.
    public var capabilities: TlsCapabilities { GnuTLSCapabilities.all }

    public func makeContext(_ settings: TlsSettings) throws(SslSocketError) -> any TlsContext {
        try checkLibrary()
        return try GnuTLSContext(settings)
    }

    public func systemAnchors() throws(SslSocketError) -> [[UInt8]] {
        try checkLibrary()
        return try GnuTLSSystemTrust.load()
    }

    public func isValid(_ signature: X509Signature) -> Bool { GnuTLSPath.isValid(signature) }

    public func problems(ofPath path: [any X509Certificate]) -> [TlsPathProblem] { GnuTLSPath.problems(of: path) }

    public func makeCertificate(der: [UInt8]) throws(SslSocketError) -> any X509Certificate {
        try checkLibrary()
        return try GnuTLSCertificate(der: der)
    }

    public func makePrivateKey(der: SecretBytes, passphrase: SecretBytes?) throws(SslSocketError) -> any TlsKey {
        try checkLibrary()
        return try GnuTLSKey(der: der, passphrase: passphrase)
    }

    public func makePublicKey(der: [UInt8]) throws(SslSocketError) -> TlsPublicKey {
        try checkLibrary()
        return try GnuTLSKey.publicKey(der: der)
    }

    public func makeExternalKey(_ key: TlsPublicKey, signer: TlsSigner) throws(SslSocketError) -> any TlsKey {
        try checkLibrary()
        return try GnuTLSKey(key, signer: signer)
    }

    public func makeTokenKey(uri: String, pin: @escaping TlsTokenPin) throws(SslSocketError) -> any TlsKey {
        try checkLibrary()
        return try GnuTLSToken.key(uri, pin)
    }

    public func makeTokenCertificate(uri: String, pin: @escaping TlsTokenPin) throws(SslSocketError) -> [UInt8] {
        try checkLibrary()
        return try GnuTLSToken.certificate(uri, pin)
    }

    public func generateKey(_ kind: SslKeyKind) throws(SslSocketError) -> any TlsKey {
        try checkLibrary()
        return try GnuTLSKey(generating: kind)
    }

    public func isSafePrime(_ number: [UInt8]) -> Bool { GnuTLSDiffieHellman.isSafePrime(number) }

    private func checkLibrary() throws(SslSocketError) {
        if let refusal { throw .gnutls(.noBackend, refusal) }
    }
}
#endif
