#if GnuTLS
internal import CSslGnuTLS
internal import Glibc
internal import SslBackend
internal import SslValues

/// Issues certificates.
enum GnuTLSIssuing {
    /// Makes a certificate from a template; see `TlsBackend.issueCertificate`.
    static func issue(
        _ template: SslCertificateTemplate, key: any TlsKey, issuer: (certificate: [UInt8], key: any TlsKey)?
    ) throws(SslSocketError) -> [UInt8] {
        guard let signer = (issuer?.key ?? key) as? GnuTLSKey else {
            throw .gnutls(.invalidUserData, "The signing key was made by another backend")
        }
        let parent: GnuTLSCertificate?
        if let issuer { parent = try GnuTLSCertificate(der: issuer.certificate) } else { parent = nil }

        var made: gnutls_x509_crt_t?
        try gnutlsCheck(unsafe gnutls_x509_crt_init(&made), .sslInternal, "No certificate object can be made")
        guard let certificate = unsafe made else { throw .gnutls(.sslInternal, "No certificate object can be made") }
        defer { unsafe gnutls_x509_crt_deinit(certificate) }

        try unsafe fill(certificate, from: template)
        try unsafe setPublicKey(certificate, key)
        if template.hasKeyIdentifiers { try unsafe addKeyIdentifiers(certificate, parent: parent) }
        for item in template.extensions {
            try unsafe add(certificate, item.oid, item.value, isCritical: item.isCritical)
        }
        let hash = signer.hash(wanted: template.hash)
        try gnutlsCheck(
            unsafe gnutls_x509_crt_privkey_sign(certificate, parent?.handle ?? certificate, signer.handle, hash, 0),
            .invalidUserData, "The certificate cannot be signed")
        guard let der = unsafe GnuTLSCertificate.der(of: certificate) else {
            throw .gnutls(.sslInternal, "The certificate cannot be written")
        }
        return der
    }

    /// A certificate that says nothing but a subject: for lists of names that the library only takes as certificates.
    static func carrier(of name: [UInt8]) -> [UInt8] {
        let algorithm = DerWriter.element(DerTag.sequence, DerWriter.element(DerTag.objectIdentifier, [0x2B, 0x65, 0x70]))
        let time = DerWriter.element(DerTag.utcTime, Array("700101000000Z".utf8))
        let key = DerWriter.element(DerTag.bitString, [UInt8](repeating: 0, count: 33))
        let signed = DerWriter.element(
            DerTag.sequence,
            DerWriter.element(0xA0, DerWriter.element(DerTag.integer, [2])) + DerWriter.element(DerTag.integer, [1]) + algorithm
                + name + DerWriter.element(DerTag.sequence, time + time) + name
                + DerWriter.element(DerTag.sequence, algorithm + key))
        let signature = DerWriter.element(DerTag.bitString, [UInt8](repeating: 0, count: 65))
        return DerWriter.element(DerTag.sequence, signed + algorithm + signature)
    }

    private static func fill(_ certificate: gnutls_x509_crt_t, from template: SslCertificateTemplate) throws(SslSocketError) {
        let serial = template.serialNumber
        guard (1...20).contains(serial.count), serial[0] & 0x80 == 0, serial.contains(where: { $0 != 0 }) else {
            throw .gnutls(.invalidUserData, "A serial number must be positive and have 1 to 20 octets")
        }
        try gnutlsCheck(unsafe gnutls_x509_crt_set_version(certificate, 3), .sslInternal, "The version cannot be set")
        try gnutlsCheck(
            unsafe gnutls_x509_crt_set_serial(certificate, serial, serial.count), .invalidUserData,
            "The serial number cannot be set")
        for attribute in template.subject { try unsafe add(certificate, attribute) }
        try gnutlsCheck(
            unsafe gnutls_x509_crt_set_activation_time(certificate, time_t(template.notBefore.secondsSince1970)),
            .invalidUserData, "The start of the validity cannot be set")
        try gnutlsCheck(
            unsafe gnutls_x509_crt_set_expiration_time(certificate, time_t(template.notAfter.secondsSince1970)),
            .invalidUserData, "The end of the validity cannot be set")
        if let constraints = template.basicConstraints {
            try gnutlsCheck(
                unsafe gnutls_x509_crt_set_basic_constraints(
                    certificate, constraints.isAuthority ? 1 : 0, Int32(clamping: constraints.pathLength ?? -1)),
                .invalidUserData, "The basic constraints cannot be set")
        }
        if let usage = template.keyUsage {
            try gnutlsCheck(
                unsafe gnutls_x509_crt_set_key_usage(certificate, GnuTLSKeyUsage.native(bits: usage.rawValue)), .invalidUserData,
                "The key usage cannot be set")
        }
        for purpose in template.extendedKeyUsage {
            try gnutlsCheck(
                unsafe gnutls_x509_crt_set_key_purpose_oid(certificate, purpose, 0), .invalidUserData,
                "The extended key usage \(purpose) cannot be set")
        }
        if !template.alternativeNames.isEmpty {
            let names = DerWriter.element(DerTag.sequence, template.alternativeNames.flatMap(DerWriter.alternativeName))
            // Critical exactly when the subject is empty (RFC 5280 section 4.2.1.6).
            try unsafe add(certificate, "2.5.29.17", names, isCritical: template.subject.isEmpty)
        }
    }

    private static func add(_ certificate: gnutls_x509_crt_t, _ attribute: SslNameAttribute) throws(SslSocketError) {
        // The library spells only the types it knows, and a refused one would leave a half-made name behind.
        let isKnown = unsafe gnutls_x509_dn_oid_known(attribute.oid) != 0
        let text = Array(attribute.value.utf8)
        let value = isKnown ? text : DerWriter.element(DerTag.utf8String, text)
        let native = unsafe gnutls_x509_crt_set_dn_by_oid(
            certificate, attribute.oid, isKnown ? 0 : 1, value, UInt32(value.count))
        try gnutlsCheck(native, .invalidUserData, "The subject attribute \(attribute.oid) cannot be set")
    }

    private static func add(
        _ certificate: gnutls_x509_crt_t, _ oid: String, _ value: [UInt8], isCritical: Bool
    ) throws(SslSocketError) {
        try gnutlsCheck(
            unsafe gnutls_x509_crt_set_extension_by_oid(certificate, oid, value, value.count, isCritical ? 1 : 0),
            .invalidUserData, "The extension \(oid) cannot be set")
    }

    private static func setPublicKey(_ certificate: gnutls_x509_crt_t, _ key: any TlsKey) throws(SslSocketError) {
        var made: gnutls_pubkey_t?
        try gnutlsCheck(unsafe gnutls_pubkey_init(&made), .sslInternal, "No public key object can be made")
        guard let publicKey = unsafe made else { throw .gnutls(.sslInternal, "No public key object can be made") }
        defer { unsafe gnutls_pubkey_deinit(publicKey) }
        let native = unsafe key.publicKeyInfo.withUnsafeBytes { octets in
            var datum = unsafe gnutls_datum_t(borrowing: octets)
            return unsafe gnutls_pubkey_import(publicKey, &datum, GNUTLS_X509_FMT_DER)
        }
        try gnutlsCheck(native, .invalidUserData, "The public key cannot be read")
        try gnutlsCheck(
            unsafe gnutls_x509_crt_set_pubkey(certificate, publicKey), .invalidUserData, "The public key cannot be set")
    }

    /// RFC 5280 section 4.2.1.1 and 4.2.1.2: the SHA-1 of the public key names it; an issuer's own identifier is repeated.
    private static func addKeyIdentifiers(
        _ certificate: gnutls_x509_crt_t, parent: GnuTLSCertificate?
    ) throws(SslSocketError) {
        let own = try unsafe keyIdentifier(certificate)
        try gnutlsCheck(
            unsafe gnutls_x509_crt_set_subject_key_id(certificate, own, own.count), .invalidUserData,
            "The subject key identifier cannot be set")
        let authority: [UInt8]
        if let parent {
            if let named = parent.subjectKeyIdentifier {
                authority = named
            } else {
                authority = unsafe try keyIdentifier(parent.handle)
            }
        } else {
            authority = own
        }
        try gnutlsCheck(
            unsafe gnutls_x509_crt_set_authority_key_id(certificate, authority, authority.count), .invalidUserData,
            "The authority key identifier cannot be set")
    }

    private static func keyIdentifier(_ certificate: gnutls_x509_crt_t) throws(SslSocketError) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 20)
        var size = buffer.count
        try gnutlsCheck(
            unsafe gnutls_x509_crt_get_key_id(certificate, GNUTLS_KEYID_USE_SHA1.rawValue, &buffer, &size), .invalidUserData,
            "The key identifier cannot be computed")
        return Array(buffer.prefix(size))
    }
}

extension GnuTLSKey {
    /// The hash a signature of this key uses: Ed25519 and Ed448 have their own.
    fileprivate func hash(wanted: SslHash) -> gnutls_digest_algorithm_t {
        switch algorithm {
        case .ed25519: GNUTLS_DIG_SHA512
        case .ed448: GNUTLS_DIG_SHAKE_256
        default: wanted.gnutls
        }
    }
}
#endif
