#if GnuTLS
internal import CSslGnuTLS
internal import Glibc
internal import SslBackend
internal import SslValues

/// What can be seen of an encrypted private key without its passphrase.
enum GnuTLSKeyEnvelope {
    /// Whether the octets say of themselves that they are encrypted: a PKCS#8 EncryptedPrivateKeyInfo begins with an
    /// AlgorithmIdentifier where all other forms have a version number (RFC 5208), PEM says it in its header (RFC 7468, RFC 1421).
    static func isEncrypted(_ octets: UnsafeRawBufferPointer, _ format: SslEncodingFormat) -> Bool {
        switch format {
        case .pem: return unsafe octets.place(of: "BEGIN ENCRYPTED PRIVATE KEY") != nil || isLegacy(octets)
        case .der:
            var reader = DerReader(unsafe [UInt8](octets)[...])
            guard let outer = reader.next(DerTag.sequence) else { return false }
            var parts = DerReader(outer.content)
            return parts.next(DerTag.sequence) != nil && parts.next(DerTag.octetString) != nil
        }
    }

    /// Tells a wrong passphrase from damage: the frame around the ciphertext can be read, so it is the content that cannot.
    static func isReadable(_ octets: UnsafeRawBufferPointer, _ format: SslEncodingFormat, _ native: Int32) -> Bool {
        if unsafe format == .pem && isLegacy(octets) { return native == GNUTLS_E_DECRYPTION_FAILED }
        return unsafe schema(octets, format) != nil
    }

    /// Whether the ciphertext can be one of its cipher. The library does not look, and the one below it ends the process
    /// when it is given a part of a block.
    static func hasWholeBlocks(_ octets: UnsafeRawBufferPointer, _ format: SslEncodingFormat) -> Bool {
        if format == .pem {
            guard unsafe hasWholeLegacyBlocks(octets) else { return false }
            if unsafe octets.place(of: "BEGIN ENCRYPTED PRIVATE KEY") == nil { return true }
        }
        guard let cipher = unsafe schema(octets, format), let der = unsafe der(octets, format) else { return false }
        var reader = DerReader(der[...])
        guard let outer = reader.next(DerTag.sequence) else { return false }
        var parts = DerReader(outer.content)
        guard parts.next(DerTag.sequence) != nil, let text = parts.next(DerTag.octetString) else { return false }
        let size: Int
        switch gnutls_pkcs_encrypt_flags_t(rawValue: cipher) {
        case GNUTLS_PKCS_PKCS12_ARCFOUR: size = 1
        case GNUTLS_PKCS_PBES2_AES_128, GNUTLS_PKCS_PBES2_AES_192, GNUTLS_PKCS_PBES2_AES_256: size = 16
        default: size = 8
        }
        return !text.content.isEmpty && text.content.count % size == 0
    }

    // MARK: The old form of OpenSSL (RFC 1421): its header names cipher and vector, and the library looks for nothing else

    private static func isLegacy(_ octets: UnsafeRawBufferPointer) -> Bool {
        unsafe octets.place(of: "DEK-Info: ") != nil
    }

    /// Looks at the body of every key of this form, whichever of them the library will take.
    private static func hasWholeLegacyBlocks(_ octets: UnsafeRawBufferPointer) -> Bool {
        var rest = unsafe octets
        while let header = unsafe rest.place(of: "DEK-Info: ") {
            unsafe rest = unsafe UnsafeRawBufferPointer(rebasing: rest[(header + 10)...])
            let size = unsafe rest.place(of: "DES-") == 0 ? 8 : 16
            // The first line is the rest of the header.
            let lines = unsafe [UInt8](rest).split(separator: UInt8(ascii: "\n")).dropFirst()
            guard let count = decodedCount(lines), count > 0, count % size == 0 else { return false }
        }
        return true
    }

    /// How many octets the base64 lines up to the end mark stand for; nil when they are not base64.
    private static func decodedCount(_ lines: ArraySlice<ArraySlice<UInt8>>) -> Int? {
        var digits = 0
        var padding = 0
        for line in lines {
            if line.first == UInt8(ascii: "-") {
                return (digits + padding) % 4 == 0 && padding < 3 ? digits * 6 / 8 : nil
            }
            for octet in line {
                switch octet {
                case UInt8(ascii: "\r"): break
                case UInt8(ascii: "="): padding += 1
                case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
                    guard padding == 0 else { return nil }
                    digits += 1
                default: return nil
                }
            }
        }
        return nil
    }

    // MARK: PKCS#8

    /// The library's number for how a PKCS#8 key is encrypted; nil when it cannot be read.
    private static func schema(_ octets: UnsafeRawBufferPointer, _ format: SslEncodingFormat) -> UInt32? {
        var datum = unsafe gnutls_datum_t(borrowing: octets)
        var schema: UInt32 = 0
        guard unsafe gnutls_pkcs8_info(&datum, format.gnutls, &schema, nil, nil, nil, nil, nil) == 0 else { return nil }
        return schema
    }

    private static func der(_ octets: UnsafeRawBufferPointer, _ format: SslEncodingFormat) -> [UInt8]? {
        guard format == .pem else { return unsafe [UInt8](octets) }
        var datum = unsafe gnutls_datum_t(borrowing: octets)
        var out = unsafe gnutls_datum_t()
        guard unsafe gnutls_pem_base64_decode2("ENCRYPTED PRIVATE KEY", &datum, &out) == 0 else { return nil }
        defer { unsafe sslgnutls_free(out.data) }
        return unsafe out.octets
    }
}

extension UnsafeRawBufferPointer {
    /// Where the octets hold this text first.
    fileprivate func place(of text: StaticString) -> Int? {
        let length = text.utf8CodeUnitCount
        guard let start = baseAddress, count >= length else { return nil }
        return (0...(count - length)).first { unsafe memcmp(start + $0, text.utf8Start, length) == 0 }
    }
}
#endif
