#if OpenSSL
internal import CSslOpenSSL
internal import SslBackend
internal import SslValues

/// Makes certificates.
enum OpenSSLIssuing {
    static func issue(
        _ template: SslCertificateTemplate, key: any TlsKey, issuer: (certificate: [UInt8], key: any TlsKey)?
    ) throws(SslSocketError) -> [UInt8] {
        let subjectKey = try own(key)
        let signer = try own(issuer?.key ?? key)
        var authority: OpenSSLCertificate?
        if let octets = issuer?.certificate {
            let parsed = try OpenSSLCertificate(der: octets)
            guard unsafe X509_check_private_key(parsed.handle, signer.handle) == 1 else {
                throw .openssl(.keyMismatch, "The issuer's private key does not belong to its certificate")
            }
            authority = parsed
        }
        ERR_clear_error()
        guard let certificate = unsafe X509_new() else { throw .openssl(.sslInternal, "No certificate could be made") }
        defer { unsafe X509_free(certificate) }
        // Version 3 is written as 2.
        guard unsafe X509_set_version(certificate, 2) == 1, unsafe X509_set_pubkey(certificate, subjectKey.handle) == 1 else {
            throw .openssl(.invalidUserData, "The key cannot stand in a certificate")
        }
        try unsafe setSerialNumber(certificate, template.serialNumber)
        try unsafe setNames(certificate, template.subject, authority)
        try unsafe setTime(template.notBefore, X509_getm_notBefore(certificate))
        try unsafe setTime(template.notAfter, X509_getm_notAfter(certificate))
        for one in try unsafe extensions(template, certificate, authority) { try unsafe add(one, to: certificate) }
        let usesHash = signer.algorithm != .ed25519 && signer.algorithm != .ed448
        guard unsafe X509_sign(certificate, signer.handle, usesHash ? template.hash.openssl : nil) > 0 else {
            throw .openssl(.invalidUserData, "The certificate cannot be signed with this key and hash")
        }
        return unsafe OpenSSLCertificate.encode(certificate)
    }

    private static func own(_ key: any TlsKey) throws(SslSocketError) -> OpenSSLKey {
        guard let key = key as? OpenSSLKey else {
            throw SslSocketError(
                .invalidUserData, "A private key was made by the backend \(key.backend.name)",
                backend: OpenSSLBackend.backendName
            )
        }
        return key
    }

    // MARK: Fields

    private static func setSerialNumber(_ certificate: OpaquePointer, _ octets: [UInt8]) throws(SslSocketError) {
        guard (1...20).contains(octets.count), octets[0] < 0x80, octets.contains(where: { $0 != 0 }) else {
            throw SslSocketError(
                .invalidUserData, "A serial number is positive and has 1 to 20 octets", backend: OpenSSLBackend.backendName)
        }
        let number = unsafe BN_bin2bn(octets, Int32(octets.count), nil)
        defer { unsafe BN_free(number) }
        let integer = unsafe BN_to_ASN1_INTEGER(number, nil)
        defer { unsafe ASN1_INTEGER_free(integer) }
        guard unsafe integer != nil, unsafe X509_set_serialNumber(certificate, integer) == 1 else {
            throw .openssl(.sslInternal, "The serial number could not be set")
        }
    }

    private static func setNames(
        _ certificate: OpaquePointer, _ attributes: [SslNameAttribute], _ authority: OpenSSLCertificate?
    ) throws(SslSocketError) {
        guard let name = unsafe X509_NAME_new() else { throw .openssl(.sslInternal, "No name could be made") }
        defer { unsafe X509_NAME_free(name) }
        for attribute in attributes {
            let type = unsafe OBJ_txt2obj(attribute.oid, 1)
            defer { unsafe ASN1_OBJECT_free(type) }
            let value = Array(attribute.value.utf8)
            // The library picks the string type the attribute is to have.
            guard unsafe type != nil,
                unsafe X509_NAME_add_entry_by_OBJ(name, type, MBSTRING_FLAG, value, Int32(value.count), -1, 0) == 1
            else {
                throw .openssl(.invalidUserData, "The attribute \(attribute.oid)=\(attribute.value) cannot stand in a name")
            }
        }
        let issuer = unsafe authority.map { unsafe X509_get_subject_name($0.handle) } ?? name
        guard unsafe X509_set_subject_name(certificate, name) == 1, unsafe X509_set_issuer_name(certificate, issuer) == 1
        else {
            throw .openssl(.sslInternal, "The names could not be set")
        }
    }

    private static func setTime(_ instant: SslInstant, _ time: UnsafeMutablePointer<ASN1_TIME>?) throws(SslSocketError) {
        // Takes UTCTime before 2050 and GeneralizedTime after it (RFC 5280 section 4.1.2.5).
        guard unsafe ASN1_TIME_set(time, Int(instant.secondsSince1970)) != nil else {
            throw .openssl(.invalidUserData, "\(instant) cannot stand in a certificate")
        }
    }

    // MARK: Extensions

    private static func extensions(
        _ template: SslCertificateTemplate, _ certificate: OpaquePointer, _ authority: OpenSSLCertificate?
    ) throws(SslSocketError) -> [SslCertificateExtension] {
        var list: [SslCertificateExtension] = []
        func append(_ oid: String, isCritical: Bool = false, _ value: [UInt8]) {
            list.append(SslCertificateExtension(oid: oid, isCritical: isCritical, value: value))
        }
        if let constraints = template.basicConstraints {
            var content: [UInt8] = []
            // FALSE is the default and therefore not written in DER.
            if constraints.isAuthority { content += der(DerTag.boolean, [0xFF]) }
            if let length = constraints.pathLength {
                guard (0..<128).contains(length) else {
                    throw SslSocketError(
                        .invalidUserData, "A path length of \(length) makes no sense", backend: OpenSSLBackend.backendName)
                }
                content += der(DerTag.integer, [UInt8(length)])
            }
            append("2.5.29.19", isCritical: true, der(DerTag.sequence, content))
        }
        if let usage = template.keyUsage { append("2.5.29.15", isCritical: true, der(DerTag.bitString, bits(usage.rawValue))) }
        if !template.extendedKeyUsage.isEmpty {
            var content: [UInt8] = []
            for oid in template.extendedKeyUsage { content += try identifier(oid) }
            append("2.5.29.37", der(DerTag.sequence, content))
        }
        if !template.alternativeNames.isEmpty {
            // A certificate without a subject is known by its alternative names alone (RFC 5280 section 4.2.1.6).
            append(
                "2.5.29.17", isCritical: template.subject.isEmpty,
                der(DerTag.sequence, template.alternativeNames.flatMap(name)))
        }
        if template.hasKeyIdentifiers {
            let own = unsafe keyIdentifier(certificate)
            append("2.5.29.14", der(DerTag.octetString, own))
            let issuers = authority.map { unsafe $0.subjectKeyIdentifier ?? keyIdentifier($0.handle) } ?? own
            append("2.5.29.35", der(DerTag.sequence, der(0x80, issuers)))
        }
        return list + template.extensions
    }

    private static func add(_ one: SslCertificateExtension, to certificate: OpaquePointer) throws(SslSocketError) {
        let type = unsafe OBJ_txt2obj(one.oid, 1)
        defer { unsafe ASN1_OBJECT_free(type) }
        let data = unsafe ASN1_OCTET_STRING_new()
        defer { unsafe ASN1_OCTET_STRING_free(data) }
        guard unsafe type != nil, unsafe ASN1_OCTET_STRING_set(data, one.value, Int32(one.value.count)) == 1,
            let made = unsafe X509_EXTENSION_create_by_OBJ(nil, type, one.isCritical ? 1 : 0, data)
        else { throw .openssl(.invalidUserData, "The extension \(one.oid) cannot be made") }
        defer { unsafe X509_EXTENSION_free(made) }
        guard unsafe X509_add_ext(certificate, made, -1) == 1 else {
            throw .openssl(.sslInternal, "The extension \(one.oid) could not be added")
        }
    }

    /// SHA-1 over the key's bits, as RFC 5280 section 4.2.1.2 (1) describes; an identifier, not a protection.
    private static func keyIdentifier(_ certificate: OpaquePointer) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: Int(EVP_MAX_MD_SIZE)) { buffer, count in
            var length: UInt32 = 0
            count = unsafe X509_pubkey_digest(certificate, EVP_sha1(), buffer.baseAddress, &length) == 1 ? Int(length) : 0
        }
    }

    // MARK: DER

    private static func der(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        switch content.count {
        case ..<0x80: [tag, UInt8(content.count)] + content
        case ..<0x100: [tag, 0x81, UInt8(content.count)] + content
        case ..<0x1_0000: [tag, 0x82, UInt8(content.count >> 8), UInt8(content.count & 0xFF)] + content
        default:
            [tag, 0x84] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: content.count >> $0) } + content
        }
    }

    /// The content of a BIT STRING of named bits: without trailing zero bits (X.690 section 11.2.2).
    private static func bits(_ usage: UInt16) -> [UInt8] {
        var octets: [UInt8] = [0, 0]
        for bit in 0..<16 where usage & (1 << bit) != 0 { octets[bit / 8] |= 0x80 >> (bit % 8) }
        while octets.last == 0 { octets.removeLast() }
        return [UInt8(octets.last?.trailingZeroBitCount ?? 0)] + octets
    }

    private static func name(_ name: SslAlternativeName) -> [UInt8] {
        switch name {
        case .email(let octets): der(0x81, octets)
        case .dns(let octets): der(0x82, octets)
        case .uri(let octets): der(0x86, octets)
        case .ipAddress(let octets): der(0x87, octets)
        case .other(let tag, let octets):
            // Names that are structures: otherName, x400Address, directoryName, ediPartyName.
            der(UInt8(truncatingIfNeeded: ([0, 3, 4, 5].contains(tag) ? 0xA0 : 0x80) | (tag & 0x1F)), octets)
        }
    }

    private static func identifier(_ oid: String) throws(SslSocketError) -> [UInt8] {
        let object = unsafe OBJ_txt2obj(oid, 1)
        defer { unsafe ASN1_OBJECT_free(object) }
        let octets = unsafe object == nil ? [] : OpenSSLCertificate.octets { unsafe i2d_ASN1_OBJECT(object, $0) }
        guard !octets.isEmpty else { throw .openssl(.invalidUserData, "\(oid) is not an object identifier") }
        return octets
    }
}
#endif
