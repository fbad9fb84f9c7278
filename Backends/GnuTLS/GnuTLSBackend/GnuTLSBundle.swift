#if GnuTLS
internal import CSslGnuTLS
public import SslBackend
public import SslValues

// PKCS#12 files (RFC 7292).
extension GnuTLSBackend {
    public func readBundle(pkcs12: SecretBytes, passphrase: SecretBytes) throws(SslSocketError) -> TlsKeyBundle {
        let file = try GnuTLSBundleFile()
        let native = unsafe pkcs12.withBytes { octets in
            var datum = unsafe gnutls_datum_t(borrowing: octets)
            return unsafe gnutls_pkcs12_import(file.handle, &datum, GNUTLS_X509_FMT_DER, 0)
        }
        try gnutlsCheck(native, .invalidUserData, "The PKCS#12 file cannot be read")
        let password = try GnuTLSKey.cString(passphrase)
        // Nothing is decrypted before the file has proven to come from somebody who knows the passphrase.
        let proof = unsafe password.withBytes { text in
            unsafe gnutls_pkcs12_verify_mac(file.handle, text.assumingMemoryBound(to: CChar.self).baseAddress)
        }
        if proof == GNUTLS_E_MAC_VERIFY_FAILED {
            throw .gnutls(.wrongPassphrase, "The passphrase does not open the PKCS#12 file", proof)
        }
        try gnutlsCheck(proof, .invalidUserData, "The integrity of the PKCS#12 file cannot be checked")
        var bundle = TlsKeyBundle(key: nil, certificates: [])
        var index: Int32 = 0
        while let bag = try file.bag(index) {
            try bag.open(password)
            try bag.collect(into: &bundle, passphrase)
            index += 1
        }
        return bundle
    }

    public func writeBundle(
        _ bundle: TlsKeyBundle, name: String, passphrase: SecretBytes
    ) throws(SslSocketError) -> SecretBytes {
        let file = try GnuTLSBundleFile()
        let password = try GnuTLSKey.cString(passphrase)
        if let key = bundle.key {
            let bag = try GnuTLSBag()
            try bag.add(key, under: password, name)
            try gnutlsCheck(unsafe gnutls_pkcs12_set_bag(file.handle, bag.handle), .sslInternal, "No PKCS#12 file could be made")
        }
        if !bundle.certificates.isEmpty {
            let bag = try GnuTLSBag()
            for (place, certificate) in bundle.certificates.enumerated() {
                try bag.add(certificate, isOwn: place == 0 && bundle.key != nil, name)
            }
            let native = unsafe password.withBytes { text in
                unsafe gnutls_pkcs12_bag_encrypt(
                    bag.handle, text.assumingMemoryBound(to: CChar.self).baseAddress, GNUTLS_PKCS_PBES2_AES_256.rawValue)
            }
            try gnutlsCheck(native, .sslInternal, "The certificates could not be encrypted")
            try gnutlsCheck(unsafe gnutls_pkcs12_set_bag(file.handle, bag.handle), .sslInternal, "No PKCS#12 file could be made")
        }
        let sealed = unsafe password.withBytes { text in
            unsafe gnutls_pkcs12_generate_mac2(
                file.handle, GNUTLS_MAC_SHA256, text.assumingMemoryBound(to: CChar.self).baseAddress)
        }
        try gnutlsCheck(sealed, .sslInternal, "The PKCS#12 file could not be sealed")
        var out = unsafe gnutls_datum_t()
        let native = unsafe gnutls_pkcs12_export2(file.handle, GNUTLS_X509_FMT_DER, &out)
        defer { unsafe sslgnutls_wipe_and_free(&out) }
        try gnutlsCheck(native, .sslInternal, "The PKCS#12 file could not be written")
        return unsafe SecretBytes(UnsafeRawBufferPointer(start: out.data, count: Int(out.size)))
    }
}

/// The library's object for a file.
@safe
private final class GnuTLSBundleFile {
    let handle: gnutls_pkcs12_t

    init() throws(SslSocketError) {
        var made: gnutls_pkcs12_t?
        try gnutlsCheck(unsafe gnutls_pkcs12_init(&made), .sslInternal, "No PKCS#12 object can be made")
        guard let handle = unsafe made else { throw .gnutls(.sslInternal, "No PKCS#12 object can be made") }
        unsafe self.handle = unsafe handle
    }

    deinit { unsafe gnutls_pkcs12_deinit(handle) }

    /// The bag at a place; nil behind the last.
    func bag(_ index: Int32) throws(SslSocketError) -> GnuTLSBag? {
        let bag = try GnuTLSBag()
        let native = unsafe gnutls_pkcs12_get_bag(handle, index, bag.handle)
        if native == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE { return nil }
        try gnutlsCheck(native, .invalidUserData, "The PKCS#12 file cannot be read")
        return bag
    }
}

/// The library's object for a part of a file.
@safe
private final class GnuTLSBag {
    let handle: gnutls_pkcs12_bag_t

    init() throws(SslSocketError) {
        var made: gnutls_pkcs12_bag_t?
        try gnutlsCheck(unsafe gnutls_pkcs12_bag_init(&made), .sslInternal, "No PKCS#12 object can be made")
        guard let handle = unsafe made else { throw .gnutls(.sslInternal, "No PKCS#12 object can be made") }
        unsafe self.handle = unsafe handle
    }

    deinit { unsafe gnutls_pkcs12_bag_deinit(handle) }

    /// What stands at a place; the library says it as a plain number.
    private func type(_ index: UInt32) -> gnutls_pkcs12_bag_type_t {
        gnutls_pkcs12_bag_type_t(rawValue: UInt32(bitPattern: unsafe gnutls_pkcs12_bag_get_type(handle, index)))
    }

    private func data(_ index: UInt32) throws(SslSocketError) -> SecretBytes {
        var datum = unsafe gnutls_datum_t()
        let native = unsafe gnutls_pkcs12_bag_get_data(handle, index, &datum)
        try gnutlsCheck(native, .invalidUserData, "The PKCS#12 file cannot be read")
        return unsafe SecretBytes(UnsafeRawBufferPointer(start: datum.data, count: Int(datum.size)))
    }

    /// Decrypts the bag if it is encrypted as a whole.
    func open(_ password: SecretBytes) throws(SslSocketError) {
        guard type(0) == GNUTLS_BAG_ENCRYPTED else { return }
        var schema: UInt32 = 0
        let known = unsafe gnutls_pkcs12_bag_enc_info(handle, &schema, nil, nil, nil, nil, nil)
        guard known == 0 else {
            throw .gnutls(.unsupportedOperation, "The PKCS#12 file is encrypted in a way GnuTLS does not know", known)
        }
        // The library does not look, and the one below it ends the process when it is given a part of a block.
        let content = try data(0).copy
        guard let length = Self.ciphertextLength(content), GnuTLSKeyEnvelope.isWhole(length, schema) else {
            throw .gnutls(.invalidUserData, "A part of the PKCS#12 file is cut off or damaged")
        }
        let native = unsafe password.withBytes { text in
            unsafe gnutls_pkcs12_bag_decrypt(handle, text.assumingMemoryBound(to: CChar.self).baseAddress)
        }
        try gnutlsCheck(native, .invalidUserData, "A part of the PKCS#12 file cannot be decrypted")
    }

    /// EncryptedData of RFC 2315 section 13, with its ciphertext in one piece.
    private static func ciphertextLength(_ der: [UInt8]) -> Int? {
        var reader = DerReader(der[...])
        guard let outer = reader.next(DerTag.sequence) else { return nil }
        var parts = DerReader(outer.content)
        guard parts.next(DerTag.integer) != nil, let info = parts.next(DerTag.sequence) else { return nil }
        var fields = DerReader(info.content)
        guard fields.next(DerTag.objectIdentifier) != nil, fields.next(DerTag.sequence) != nil else { return nil }
        return fields.next(0x80)?.content.count
    }

    /// Takes what the bag holds; kinds of content that are neither keys nor certificates are of no use here.
    func collect(into bundle: inout TlsKeyBundle, _ passphrase: SecretBytes) throws(SslSocketError) {
        let count = unsafe gnutls_pkcs12_bag_get_count(handle)
        try gnutlsCheck(count, .invalidUserData, "The PKCS#12 file cannot be read")
        for index in 0..<UInt32(count) {
            switch type(index) {
            case GNUTLS_BAG_CERTIFICATE: bundle.certificates.append(try data(index).copy)
            case GNUTLS_BAG_PKCS8_KEY where bundle.key == nil:
                bundle.key = try GnuTLSKey(der: data(index), passphrase: nil)
            case GNUTLS_BAG_PKCS8_ENCRYPTED_KEY where bundle.key == nil:
                bundle.key = try GnuTLSKey(der: data(index), passphrase: passphrase)
            default: break
            }
        }
    }

    // MARK: Writing

    /// Ties a key to its certificate.
    private static let ownId: [UInt8] = [1]

    func add(_ key: any TlsKey, under password: SecretBytes, _ name: String) throws(SslSocketError) {
        guard let key = key as? GnuTLSKey else {
            throw .gnutls(.invalidUserData, "The key is in the hands of another backend")
        }
        let secret = try key.pkcs8(encryptedUnder: password)
        let index = unsafe secret.withBytes { octets in
            var datum = unsafe gnutls_datum_t(borrowing: octets)
            return unsafe gnutls_pkcs12_bag_set_data(handle, GNUTLS_BAG_PKCS8_ENCRYPTED_KEY, &datum)
        }
        try describe(gnutlsCheck(index, .sslInternal, "The key could not be put into the PKCS#12 file"), isOwn: true, name)
    }

    func add(_ certificate: [UInt8], isOwn: Bool, _ name: String) throws(SslSocketError) {
        let index = unsafe certificate.withUnsafeBytes { octets in
            var datum = unsafe gnutls_datum_t(borrowing: octets)
            return unsafe gnutls_pkcs12_bag_set_data(handle, GNUTLS_BAG_CERTIFICATE, &datum)
        }
        try describe(
            gnutlsCheck(index, .sslInternal, "A certificate could not be put into the PKCS#12 file"), isOwn: isOwn, name)
    }

    private func describe(_ index: Int32, isOwn: Bool, _ name: String) throws(SslSocketError) {
        guard isOwn else { return }
        let native = unsafe Self.ownId.withUnsafeBytes { octets in
            var datum = unsafe gnutls_datum_t(borrowing: octets)
            return unsafe gnutls_pkcs12_bag_set_key_id(handle, UInt32(index), &datum)
        }
        try gnutlsCheck(native, .sslInternal, "The PKCS#12 file could not be made")
        guard !name.isEmpty else { return }
        try gnutlsCheck(
            unsafe gnutls_pkcs12_bag_set_friendly_name(handle, UInt32(index), name), .invalidUserData,
            "The name cannot stand in a PKCS#12 file")
    }
}
#endif
