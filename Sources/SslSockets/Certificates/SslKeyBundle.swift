internal import SslBackend
public import SslValues

/// A private key with its certificates, as PKCS#12 files hold them (RFC 7292; `QSslCertificate::importPkcs12`).
public struct SslKeyBundle: Sendable {
    /// The private key; nil in a file of certificates alone.
    public var key: SslKey?
    /// The certificate of the key and the chain of its issuers, as far as the file has them, leaf first.
    public var certificateChain: [SslCertificate]
    /// Every other certificate, in the order of the file.
    public var otherCertificates: [SslCertificate]

    /// Puts one together, for example to write it.
    public init(key: SslKey?, certificateChain: [SslCertificate], otherCertificates: [SslCertificate] = []) {
        self.key = key
        self.certificateChain = certificateChain
        self.otherCertificates = otherCertificates
    }

    /// Reads a file.
    ///
    /// Its integrity, which the passphrase protects too, is checked before anything is decrypted; a file that does not protect it is refused. RC2, which files of
    /// old programs use for certificates, needs the legacy module of OpenSSL.
    /// - Throws: ``SslSocketError/Code/wrongPassphrase``, ``SslSocketError/Code/invalidUserData`` for a damaged file or a key that is none of its
    ///   certificates', ``SslSocketError/Code/unsupportedOperation`` for a cipher the library does not have.
    public init(pkcs12 bytes: SecretBytes, passphrase: SecretBytes, backend: String? = nil) throws(SslSocketError) {
        try KeyFile.requireBearableCost(bytes)
        let bundle = try SslBackends.resolve(backend).readBundle(pkcs12: bytes, passphrase: passphrase)
        var rest: [SslCertificate] = []
        for der in bundle.certificates { rest.append(try SslCertificate(der: der, backend: backend)) }
        guard let handle = bundle.key else {
            self.init(key: nil, certificateChain: [], otherCertificates: rest)
            return
        }
        let key = try SslKey(handle)
        var chain: [SslCertificate] = []
        var next = rest.firstIndex { $0.publicKeyInfo == key.publicKeyInfo }
        if next == nil, !rest.isEmpty {
            throw SslSocketError(.keyMismatch, "The private key of the PKCS#12 file belongs to none of its certificates")
        }
        while let index = next {
            let certificate = rest.remove(at: index)
            chain.append(certificate)
            next = certificate.isSelfSigned ? nil : rest.firstIndex { $0.parsed.subjectDer == certificate.parsed.issuerDer }
        }
        self.init(key: key, certificateChain: chain, otherCertificates: rest)
    }

    /// Reads a file: see ``init(pkcs12:passphrase:backend:)``.
    ///
    /// - Throws: ``SslSocketError/Code/unreadableFile`` besides.
    public init(fromFile path: String, passphrase: String, backend: String? = nil) throws(SslSocketError) {
        var bytes = try FileReader.read(path)
        try self.init(pkcs12: SecretBytes(wiping: &bytes), passphrase: SecretBytes(Array(passphrase.utf8)), backend: backend)
    }

    /// Writes a file, key and certificates encrypted with AES-256.
    ///
    /// - Parameters:
    ///   - passphrase: encrypts the file and protects its integrity.
    ///   - name: what programs show for it; empty for none.
    public func pkcs12(passphrase: SecretBytes, name: String = "", backend: String? = nil) throws(SslSocketError) -> [UInt8] {
        let engine = try SslBackends.resolve(backend)
        let handle = try key.map { key throws(SslSocketError) in try key.handle(for: engine) }
        if let key, let own = certificateChain.first, own.publicKeyInfo != key.publicKeyInfo {
            throw SslSocketError(.keyMismatch, "The private key does not belong to the first certificate of the chain")
        }
        let bundle = TlsKeyBundle(key: handle, certificates: (certificateChain + otherCertificates).map(\.der))
        return try engine.writeBundle(bundle, name: name, passphrase: passphrase).copy
    }

    /// Key and chain, for ``SslConfiguration/credentials``.
    public var credentials: SslCredentials { SslCredentials(chain: certificateChain, key: key) }
}

extension SslConfiguration {
    /// Loads a chain and its key from a PKCS#12 file: see ``SslKeyBundle``.
    public mutating func setCredentials(pkcs12File path: String, passphrase: String) throws(SslSocketError) {
        let bundle = try SslKeyBundle(fromFile: path, passphrase: passphrase, backend: backend)
        guard bundle.key != nil else {
            throw SslSocketError(.invalidUserData, "There is no private key in the file \(path)")
        }
        credentials = [bundle.credentials]
    }
}
