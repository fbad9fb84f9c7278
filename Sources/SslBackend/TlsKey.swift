public import SslValues

/// A private key in an engine's hands. Immutable; the secret is wiped when the last reference goes.
public protocol TlsKey: AnyObject, Sendable {
    /// The backend that made it; only its own contexts can use it.
    var backend: any TlsBackend { get }
    /// The kind.
    var algorithm: SslKeyAlgorithm { get }
    /// The size in bits: the modulus of RSA, the field of a curve.
    var bits: Int { get }
    /// The public half as SubjectPublicKeyInfo, DER.
    var publicKeyInfo: [UInt8] { get }
    /// The private half as unencrypted PKCS#8, DER. Fails for a key that cannot leave its place.
    func pkcs8() throws(SslSocketError) -> SecretBytes

    /// The private half in the form that its kind had before PKCS#8, DER: PKCS#1 for RSA, SEC 1 for EC, a sequence of numbers for DSA.
    ///
    /// - Throws: ``SslSocketError/Code/unsupportedOperation`` for a kind that never had one, or a key that cannot leave its place.
    func traditional() throws(SslSocketError) -> SecretBytes

    /// Signs: handshakes, certificates and everything else.
    ///
    /// - Parameters:
    ///   - input: what ``X509SignatureAlgorithm/hash`` makes of the message; the message itself for algorithms without one.
    ///   - algorithm: must fit the kind of key.
    /// - Returns: the signature as certificates and TLS have it; ECDSA and DSA in DER.
    /// - Throws: ``SslSocketError/Code/unsupportedOperation`` for an algorithm that does not fit or that the library lacks,
    ///   ``SslSocketError/Code/invalidUserData`` for an input of a wrong length, and the reason of a key that lives elsewhere.
    func sign(hashed input: [UInt8], by algorithm: X509SignatureAlgorithm) throws(SslSocketError) -> [UInt8]
}
