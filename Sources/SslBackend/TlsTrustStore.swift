public import SslValues

/// Where trusted certificates come from.
public struct TlsTrustSources: Sendable, Hashable {
    /// The system's trust store.
    public var includesSystem: Bool
    /// Certificates (DER) trusted besides.
    public var anchors: [[UInt8]]

    /// Makes a description of sources.
    public init(includesSystem: Bool, anchors: [[UInt8]] = []) {
        self.includesSystem = includesSystem
        self.anchors = anchors
    }
}

/// Trusted certificates, loaded once and shared. Immutable.
///
/// The division of labour: the *engine* finds a path from the leaf to a trusted certificate and checks what belongs to the path
/// itself: signatures, CA bits, path lengths, name constraints, algorithm strength at security level 2 (at least 112 bits, no
/// SHA-1 or MD5 signatures). *Time, purpose, names and revocation are checked above*, over the path handed back, so that
/// they are the same on every engine. An engine must therefore not refuse a path for time or extended key usage.
public protocol TlsTrustStore: AnyObject, Sendable {
    /// The backend that made it.
    var backend: any TlsBackend { get }
    /// How many certificates are trusted.
    var count: Int { get }
    /// The trusted certificates, DER, in no particular order. Made anew by each call.
    var certificates: [[UInt8]] { get }

    /// Looks for a path.
    ///
    /// - Trusted certificates need not be roots: a trusted intermediate or leaf ends the path (engines differ by default).
    /// - The order of `chain` beyond the leaf does not matter; duplicates and unrelated certificates are skipped; at most
    ///   16 certificates make a path; cycles end.
    /// - Every problem found is listed, not only the first, once per (code, depth).
    func findPath(_ chain: [any X509Certificate]) -> TlsPath
}

/// What an engine found out about a chain.
public struct TlsPath: Sendable {
    /// Leaf first. Ends with the trusted certificate when ``isAnchored``, otherwise with the last certificate that could be linked.
    public var certificates: [any X509Certificate]
    /// The path ends in a trusted certificate.
    public var isAnchored: Bool
    /// What is wrong.
    public var problems: [TlsPathProblem]

    /// Makes a result.
    public init(certificates: [any X509Certificate], isAnchored: Bool, problems: [TlsPathProblem]) {
        self.certificates = certificates
        self.isAnchored = isAnchored
        self.problems = problems
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
