public import SslValues

/// Where trusted certificates come from.
public struct TlsTrustSources: Sendable, Hashable {
    /// The system's trust store.
    public var includesSystem: Bool
    /// Certificates (DER) trusted besides.
    public var anchors: [[UInt8]]
    /// Directories of certificates in files named by hash, trusted besides and read when a path needs them.
    public var directories: [String]

    /// Makes a description of sources.
    public init(includesSystem: Bool, anchors: [[UInt8]] = [], directories: [String] = []) {
        self.includesSystem = includesSystem
        self.anchors = anchors
        self.directories = directories
    }
}

/// Trusted certificates, loaded once and shared. Immutable.
///
/// The division of labour: *which* certificates are tried and whether a path of them is acceptable is decided above the engines,
/// in one place, so that it is the same on all of them. The *engine* checks signatures
/// (``TlsBackend/isValid(_:)``), and no path is accepted that it does not accept too (``TlsBackend/problems(ofPath:)``).
public protocol TlsTrustStore: AnyObject, Sendable {
    /// The backend whose library checks paths that end here.
    var backend: any TlsBackend { get }
    /// How many certificates are trusted, those in directories not counted.
    var count: Int { get }
    /// The trusted certificates, DER, in no particular order. Made anew by each call.
    var certificates: [[UInt8]] { get }
    /// The trusted certificates of a subject.
    ///
    /// - Parameters:
    ///   - canonicalName: the name in its comparable form (``DistinguishedName/canonical``).
    ///   - der: the name as it stands in a certificate, for stores that look it up elsewhere.
    func anchors(named canonicalName: [UInt8], encoded der: [UInt8]) -> [LazyCertificate]
}

/// A signature and what is needed to check it.
public struct X509Signature: Sendable {
    /// The octets that were signed.
    public var signedOctets: ArraySlice<UInt8>
    /// The algorithm.
    public var algorithm: X509SignatureAlgorithm
    /// The signature.
    public var signature: ArraySlice<UInt8>
    /// The SubjectPublicKeyInfo of the signer, DER.
    public var publicKeyInfo: [UInt8]

    /// Puts a question together.
    public init(
        signedOctets: ArraySlice<UInt8>, algorithm: X509SignatureAlgorithm, signature: ArraySlice<UInt8>, publicKeyInfo: [UInt8]
    ) {
        self.signedOctets = signedOctets
        self.algorithm = algorithm
        self.signature = signature
        self.publicKeyInfo = publicKeyInfo
    }
}

/// One thing that is wrong with a chain.
public struct TlsPathProblem: Sendable, Hashable {
    /// What.
    public var code: SslErrorCode
    /// With which certificate of the path: 0 is the leaf.
    public var depth: Int

    /// Makes a problem.
    public init(_ code: SslErrorCode, depth: Int) {
        self.code = code
        self.depth = depth
    }
}
