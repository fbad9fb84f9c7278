#if OpenSSL
internal import CSslOpenSSL
public import SslBackend
public import SslValues

/// OpenSSL 3 behind the contract.
///
/// Everything an openssl.cnf could preset for TLS (options, versions, ciphers, groups, security level) is set explicitly when
/// a context is made, so that the same settings mean the same on every machine. Which providers are active, FIPS for example,
/// stays the machine's choice.
public final class OpenSSLBackend: TlsBackend {
    /// The only instance: the library itself is one per process.
    public static let shared = OpenSSLBackend()

    static let backendName = "openssl"
    /// OpenSSL 3.0.0. Older libraries lack the pause at verification, the decoders and the error details.
    static let minimumVersion = 0x3000_0000

    /// `openssl`.
    public let name = OpenSSLBackend.backendName
    /// For example `OpenSSL 3.0.22 25 Aug 2026`.
    public let libraryVersion = unsafe String(cString: OpenSSL_version(OPENSSL_VERSION))
    /// For example 0x30000160: one octet of major version and patch each, as `OPENSSL_VERSION_NUMBER`.
    public let libraryVersionNumber = Int(OpenSSL_version_num())
    /// The version of the headers.
    public let libraryBuildVersion = unsafe String(cString: sslopenssl_build_version_text())
    /// The version of the headers as `OPENSSL_VERSION_NUMBER`.
    public let libraryBuildVersionNumber = Int(sslopenssl_build_version())
    /// Found out by asking the library that is loaded; made once.
    public var capabilities: TlsCapabilities { OpenSSLCapabilities.found }

    private init() {}

    public func makeContext(_ settings: TlsSettings) throws(SslSocketError) -> any TlsContext {
        guard libraryVersionNumber >= Self.minimumVersion else {
            throw SslSocketError(
                .noBackend, "\(libraryVersion) is too old: OpenSSL 3.0 or newer is needed", backend: Self.backendName)
        }
        return try OpenSSLContext(settings)
    }

    public func systemAnchors() throws(SslSocketError) -> [[UInt8]] {
        OpenSSLSystemTrust.load()
    }

    public func isValid(_ signature: X509Signature) -> Bool { OpenSSLPath.isValid(signature) }

    public func problems(ofPath path: [any X509Certificate]) -> [TlsPathProblem] { OpenSSLPath.problems(of: path) }

    public func makeCertificate(der: [UInt8]) throws(SslSocketError) -> any X509Certificate {
        try OpenSSLCertificate(der: der)
    }

    public func makePrivateKey(der: SecretBytes, passphrase: SecretBytes?) throws(SslSocketError) -> any TlsKey {
        try OpenSSLKey(der: der, passphrase: passphrase)
    }

    public func makePublicKey(der: [UInt8]) throws(SslSocketError) -> TlsPublicKey {
        try OpenSSLKey.publicKey(der: der)
    }

    public func makeExternalKey(_ key: TlsPublicKey, signer: TlsSigner) throws(SslSocketError) -> any TlsKey {
        try OpenSSLKey(key, signer: signer)
    }

    public func generateKey(_ kind: SslKeyKind) throws(SslSocketError) -> any TlsKey {
        try OpenSSLKey(generating: kind)
    }

    public func isSafePrime(_ number: [UInt8]) -> Bool { OpenSSLDiffieHellman.isSafePrime(number) }
}
#endif
