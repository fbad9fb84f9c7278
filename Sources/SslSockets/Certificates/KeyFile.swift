internal import SslBackend
internal import SslValues

/// Reads keys in all the forms that files have them in. The engines read DER; what stands around it is the same for all of them.
enum KeyFile {
    private static let privateLabels: Set<String> = [
        "PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY",
    ]

    /// The first private key of a file.
    static func privateKey(
        _ bytes: SecretBytes, format: SslEncodingFormat, passphrase: SecretBytes?, backend: any TlsBackend
    ) throws(SslSocketError) -> any TlsKey {
        guard format == .pem else { return try read(bytes, passphrase, backend) }
        guard let block = try Pem.secretBlocks(in: bytes, labels: privateLabels).first else {
            throw SslSocketError(.invalidUserData, "There is no private key in the data")
        }
        guard let information = block.headers["DEK-Info"] else {
            guard block.headers["Proc-Type"] == nil else {
                throw SslSocketError(.invalidUserData, "The encrypted private key does not say how it is encrypted")
            }
            return try read(block.der, passphrase, backend)
        }
        let sealed = try LegacyKeyEncryption(information)
        guard let passphrase else {
            throw SslSocketError(.wrongPassphrase, "The private key is encrypted and no passphrase is given")
        }
        let opened = try sealed.open(block.der, passphrase: passphrase, backend: backend)
        do throws(SslSocketError) {
            return try backend.makePrivateKey(der: opened, passphrase: nil)
        } catch {
            // One wrong passphrase in 256 leaves something that looks like padding.
            throw SslSocketError(.wrongPassphrase, "The passphrase does not open the private key", backend: backend.name)
        }
    }

    private static func read(
        _ der: SecretBytes, _ passphrase: SecretBytes?, _ backend: any TlsBackend
    ) throws(SslSocketError) -> any TlsKey {
        if passphrase != nil { try requireBearableCost(der) }
        return try backend.makePrivateKey(der: der, passphrase: passphrase)
    }

    /// Refuses a file that would be worked on for minutes or hours.
    static func requireBearableCost(_ der: SecretBytes) throws(SslSocketError) {
        var copy = der.copy
        defer { copy.wipe() }
        guard !KeyDerivationCost.isExcessive(copy) else {
            throw SslSocketError(
                .invalidUserData,
                "The file asks for more than \(KeyDerivationCost.mostRounds) rounds of deriving a key from the passphrase")
        }
    }

    /// The first public key of a file.
    static func publicKey(
        _ bytes: [UInt8], format: SslEncodingFormat, backend: any TlsBackend
    ) throws(SslSocketError) -> TlsPublicKey {
        guard format == .pem else { return try backend.makePublicKey(der: bytes) }
        guard let block = try Pem.blocks(in: bytes, labels: ["PUBLIC KEY", "RSA PUBLIC KEY"]).first else {
            throw SslSocketError(.invalidUserData, "There is no public key in the data")
        }
        guard block.label == "RSA PUBLIC KEY" else { return try backend.makePublicKey(der: block.der) }
        // PKCS#1 has the numbers alone (RFC 8017 appendix A.1.1); the engines want the kind told, too.
        return try backend.makePublicKey(
            der: DerWriter.sequence(DerWriter.sequence(KeyOid.rsaEncryption, DerWriter.null), DerWriter.bitString(block.der)))
    }
}

/// The object identifiers that key files name, in DER.
enum KeyOid {
    /// rsaEncryption, 1.2.840.113549.1.1.1
    static let rsaEncryption: [UInt8] = [0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01]
    /// id-PBES2, 1.2.840.113549.1.5.13
    static let pbes2: [UInt8] = [0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x05, 0x0D]
    /// id-PBKDF2, 1.2.840.113549.1.5.12
    static let pbkdf2: [UInt8] = [0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x05, 0x0C]
    /// id-hmacWithSHA256, 1.2.840.113549.2.9
    static let hmacWithSha256: [UInt8] = [0x06, 0x08, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x02, 0x09]
    /// aes256-CBC-PAD, 2.16.840.1.101.3.4.1.42
    static let aes256Cbc: [UInt8] = [0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2A]
}
