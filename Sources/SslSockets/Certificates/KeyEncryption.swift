internal import CSslLinux
internal import Glibc
internal import SslBackend
internal import SslValues

/// PKCS#8 encrypted with PBES2 (RFC 8018 section 6.2): AES-256 in CBC mode, the key derived by PBKDF2 with HMAC-SHA-256.
enum KeyEncryption {
    /// What guessing a passphrase costs: about a fifth of a second on one core.
    static let iterations = 600_000

    /// EncryptedPrivateKeyInfo (RFC 5958 section 3), DER.
    static func seal(
        pkcs8: SecretBytes, passphrase: SecretBytes, backend: any TlsBackend
    ) throws(SslSocketError) -> [UInt8] {
        let salt = try randomOctets(16)
        let vector = try randomOctets(16)
        let key = try backend.deriveKey(.sha256, passphrase: passphrase, salt: salt, iterations: iterations, length: 32)
        let text = try backend.runCipher(.aes256, .encrypt, padded(pkcs8, to: 16), key: key, vector: vector)
        let derivation = DerWriter.sequence(
            KeyOid.pbkdf2,
            DerWriter.sequence(
                DerWriter.octetString(salt), DerWriter.integer(UInt64(iterations)),
                DerWriter.sequence(KeyOid.hmacWithSha256, DerWriter.null)))
        let cipher = DerWriter.sequence(KeyOid.aes256Cbc, DerWriter.octetString(vector))
        return DerWriter.sequence(
            DerWriter.sequence(KeyOid.pbes2, DerWriter.sequence(derivation, cipher)), DerWriter.octetString(text.copy))
    }

    /// With the padding of RFC 8018 section 6.1.1: always there, and saying how long it is.
    static func padded(_ bytes: SecretBytes, to block: Int) -> SecretBytes {
        let count = block - bytes.count % block
        var octets = [UInt8](repeating: UInt8(count), count: bytes.count + count)
        unsafe bytes.withBytes { source in
            unsafe octets.withUnsafeMutableBytes { unsafe $0.copyMemory(from: source) }
        }
        return SecretBytes(wiping: &octets)
    }

    /// Without its padding; nil when that is none.
    static func unpadded(_ bytes: SecretBytes, from block: Int) -> SecretBytes? {
        unsafe bytes.withBytes { octets -> SecretBytes? in
            guard let last = unsafe octets.last, (1...block).contains(Int(last)), octets.count >= Int(last),
                unsafe octets.suffix(Int(last)).allSatisfy({ $0 == last })
            else { return nil }
            return unsafe SecretBytes(UnsafeRawBufferPointer(rebasing: octets.dropLast(Int(last))))
        }
    }

    /// Octets from the system's generator.
    static func randomOctets(_ count: Int) throws(SslSocketError) -> [UInt8] {
        var octets = [UInt8](repeating: 0, count: count)
        guard unsafe getentropy(&octets, count) == 0 else {
            throw SslSocketError(.socketResource, "The system gives no random octets", systemError: errno)
        }
        return octets
    }
}

/// How OpenSSL encrypted keys in PEM files before PKCS#8: the header `DEK-Info` names cipher and initialization vector, whose first octets salt the
/// passphrase, and MD5 makes the key of both, once. **Guessing such a passphrase is cheap.**
struct LegacyKeyEncryption {
    let cipher: TlsBlockCipher
    let vector: [UInt8]

    private static let names: [(name: String, cipher: TlsBlockCipher)] = [
        ("DES-CBC", .des), ("DES-EDE3-CBC", .tripleDes), ("RC2-CBC", .rc2), ("RC2-64-CBC", .rc2With64Bits),
        ("RC2-40-CBC", .rc2With40Bits), ("AES-128-CBC", .aes128), ("AES-192-CBC", .aes192), ("AES-256-CBC", .aes256),
    ]

    /// Reads the header, for example `AES-128-CBC,00112233445566778899AABBCCDDEEFF`.
    init(_ header: String) throws(SslSocketError) {
        let parts = header.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count == 2, let vector = Self.octets(hexadecimal: parts[1]) else {
            throw SslSocketError(.invalidUserData, "The encrypted private key does not say how it is encrypted")
        }
        guard let known = Self.names.first(where: { $0.name == parts[0].uppercased() }) else {
            throw SslSocketError(
                .unsupportedOperation, "The private key is encrypted with a cipher that is not read here: \(parts[0].prefix(40))")
        }
        guard vector.count == known.cipher.blockLength else {
            throw SslSocketError(
                .invalidUserData, "The encrypted private key is damaged: its initialization vector has a wrong length")
        }
        cipher = known.cipher
        self.vector = vector
    }

    /// A new one.
    init(_ cipher: TlsBlockCipher) throws(SslSocketError) {
        self.cipher = cipher
        vector = try KeyEncryption.randomOctets(cipher.blockLength)
    }

    /// The lines that stand before the content.
    var headers: [String] {
        let name = Self.names.first { $0.cipher == cipher }?.name ?? ""
        let text = vector.map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }.joined()
        return ["Proc-Type: 4,ENCRYPTED", "DEK-Info: \(name),\(text)"]
    }

    func open(
        _ text: SecretBytes, passphrase: SecretBytes, backend: any TlsBackend
    ) throws(SslSocketError) -> SecretBytes {
        guard text.count > 0, text.count % cipher.blockLength == 0 else {
            throw SslSocketError(.invalidUserData, "The encrypted private key is cut off or damaged")
        }
        let plain = try backend.runCipher(cipher, .decrypt, text, key: key(passphrase, backend), vector: vector)
        guard let opened = KeyEncryption.unpadded(plain, from: cipher.blockLength) else {
            throw SslSocketError(.wrongPassphrase, "The passphrase does not open the private key", backend: backend.name)
        }
        return opened
    }

    func seal(
        _ bytes: SecretBytes, passphrase: SecretBytes, backend: any TlsBackend
    ) throws(SslSocketError) -> [UInt8] {
        let padded = KeyEncryption.padded(bytes, to: cipher.blockLength)
        return try backend.runCipher(cipher, .encrypt, padded, key: key(passphrase, backend), vector: vector).copy
    }

    /// MD5 over the previous digest, the passphrase and the salt, until there are octets enough.
    private func key(_ passphrase: SecretBytes, _ backend: any TlsBackend) throws(SslSocketError) -> SecretBytes {
        var key = [UInt8](repeating: 0, count: cipher.keyLength)
        var digest: [UInt8] = []
        defer {
            key.wipe()
            digest.wipe()
        }
        var done = 0
        while done < key.count {
            var input: [UInt8] = []
            input.reserveCapacity(digest.count + passphrase.count + 8)
            input += digest
            unsafe passphrase.withBytes { unsafe input.append(contentsOf: $0) }
            input += vector.prefix(8)
            defer { input.wipe() }
            guard let next = backend.digest(input, .md5) else {
                throw SslSocketError(
                    .unsupportedOperation, "The library does not offer MD5 here, which keys encrypted in the old way need",
                    backend: backend.name)
            }
            digest.wipe()
            digest = next
            for octet in digest.prefix(key.count - done) {
                key[done] = octet
                done += 1
            }
        }
        return SecretBytes(key)
    }

    private static func octets(hexadecimal text: Substring) -> [UInt8]? {
        guard text.utf8.count % 2 == 0, text.utf8.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }) else { return nil }
        var octets: [UInt8] = []
        var rest = text[...]
        while !rest.isEmpty {
            guard let octet = UInt8(rest.prefix(2), radix: 16) else { return nil }
            octets.append(octet)
            rest = rest.dropFirst(2)
        }
        return octets
    }
}
