public import SslValues

/// One problem with a peer's certificate (`QSslError`). Equal when code and certificate are.
public struct SslError: Error, Sendable, CustomStringConvertible {
    /// What is wrong (`error`).
    public var code: SslErrorCode
    /// The certificate it is wrong with (`certificate`); nil when there is none, or for a rule that names none.
    public var certificate: SslCertificate?
    /// Where in the chain: 0 is the peer's own certificate.
    public var depth: Int

    /// Makes an error value, for example to ignore it.
    public init(_ code: SslErrorCode, certificate: SslCertificate? = nil, depth: Int = 0) {
        self.code = code
        self.certificate = certificate
        self.depth = depth
    }

    /// A sentence for a person (`errorString`).
    public var errorString: String { code.message }

    /// The sentence with the certificate's name.
    public var description: String {
        guard let certificate else { return errorString }
        return "\(errorString): \(certificate.subjectDisplayName) (depth \(depth))"
    }
}

extension SslError: Hashable {
    public static func == (a: SslError, b: SslError) -> Bool { a.code == b.code && a.certificate == b.certificate }
    public func hash(into hasher: inout Hasher) {
        hasher.combine(code)
        hasher.combine(certificate)
    }
}
