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

    /// Signs octets as certificates and revocation lists are signed.
    ///
    /// - Throws: ``SslSocketError/Code/invalidUserData`` when the algorithm does not fit the key, or the library does not have it.
    func sign(_ octets: [UInt8], _ algorithm: X509SignatureAlgorithm) throws(SslSocketError) -> [UInt8]

    /// The private half in the form that its kind had before PKCS#8, DER: PKCS#1 for RSA, SEC 1 for EC, a sequence of numbers for DSA.
    ///
    /// - Throws: ``SslSocketError/Code/unsupportedOperation`` for a kind that never had one, or a key that cannot leave its place.
    func traditional() throws(SslSocketError) -> SecretBytes
    /// A signature in the form TLS has it on the wire.
    ///
    /// - Parameters:
    ///   - input: what ``SslSignatureScheme/hash`` makes of the message; the message itself for schemes without a hash.
    ///   - scheme: must fit the kind of key.
    /// - Throws: ``SslSocketError/Code/unsupportedOperation`` for a scheme that does not fit or that the library lacks,
    ///   ``SslSocketError/Code/invalidUserData`` for an input of a wrong length.
    func sign(_ input: [UInt8], _ scheme: SslSignatureScheme) throws(SslSocketError) -> [UInt8]
}
