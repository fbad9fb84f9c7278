#if GnuTLS
internal import CSslGnuTLS
internal import SslBackend

/// What can be seen of an encrypted private key (RFC 5958 section 3) without its passphrase.
struct GnuTLSKeyEnvelope {
    private let ciphertext: ArraySlice<UInt8>
    private let der: [UInt8]

    /// nil when the octets do not begin like an EncryptedPrivateKeyInfo: with an AlgorithmIdentifier, where all other forms have a version number.
    init?(_ der: [UInt8]) {
        var reader = DerReader(der[...])
        guard let outer = reader.next(DerTag.sequence) else { return nil }
        var parts = DerReader(outer.content)
        guard parts.next(DerTag.sequence) != nil, let text = parts.next(DerTag.octetString) else { return nil }
        ciphertext = text.content
        self.der = der
    }

    /// The library's number for how the key is encrypted; nil when it does not know that way.
    private var schema: UInt32? {
        unsafe der.withUnsafeBytes { octets in
            var datum = unsafe gnutls_datum_t(borrowing: octets)
            var schema: UInt32 = 0
            guard unsafe gnutls_pkcs8_info(&datum, GNUTLS_X509_FMT_DER, &schema, nil, nil, nil, nil, nil) == 0 else { return nil }
            return schema
        }
    }

    /// Whether the library can open it, given the passphrase: it knows the cipher, and the ciphertext is whole blocks of it. The library does not
    /// look, and the one below it ends the process when it is given a part of a block.
    var isReadable: Bool {
        guard let schema else { return false }
        return Self.isWhole(ciphertext.count, schema)
    }

    /// So many octets can be ciphertext of this cipher.
    static func isWhole(_ count: Int, _ schema: UInt32) -> Bool {
        let size: Int
        switch gnutls_pkcs_encrypt_flags_t(rawValue: schema) {
        case GNUTLS_PKCS_PKCS12_ARCFOUR: size = 1
        case GNUTLS_PKCS_PBES2_AES_128, GNUTLS_PKCS_PBES2_AES_192, GNUTLS_PKCS_PBES2_AES_256: size = 16
        default: size = 8
        }
        return count > 0 && count % size == 0
    }
}
#endif
