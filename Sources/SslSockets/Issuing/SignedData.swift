internal import SslBackend
internal import SslValues

/// What certificates, requests, revocation lists and OCSP responses are: octets, how they are signed, the signature.
enum SignedData {
    /// How a key signs.
    ///
    /// - Throws: ``SslSocketError/Code/unsupportedOperation`` for a key that signs nothing, or not with this hash.
    static func algorithm(_ key: any TlsKey, _ hash: SslHash) throws(SslSocketError) -> X509SignatureAlgorithm {
        guard let algorithm = X509SignatureAlgorithm(key: key.algorithm, hash: hash) else {
            throw SslSocketError(
                .unsupportedOperation, "A key of the kind \(key.algorithm) signs no certificates", backend: key.backend.name)
        }
        // A pair that has no name, such as ECDSA with MD5, could not be read back.
        guard X509SignatureAlgorithm(der: algorithm.der[...]) == algorithm else {
            throw SslSocketError(
                .unsupportedOperation, "A key of the kind \(key.algorithm) signs nothing with \(hash)", backend: key.backend.name)
        }
        return algorithm
    }

    /// Signs the octets of a SEQUENCE that name the same algorithm inside, and puts algorithm and signature behind them.
    ///
    /// - Parameter publicKeyInfo: the key that readers will check the signature with; nil: whatever it may be.
    /// - Throws: ``SslSocketError/Code/keyMismatch`` when the signature is not of that key.
    static func write(
        _ signed: [UInt8], _ algorithm: X509SignatureAlgorithm, key: any TlsKey, provenBy publicKeyInfo: [UInt8]?,
        following: [UInt8] = []
    ) throws(SslSocketError) -> [UInt8] {
        let signature = try key.sign(signed, algorithm)
        if let publicKeyInfo {
            let question = X509Signature(
                signedOctets: signed[...], algorithm: algorithm, signature: signature[...], publicKeyInfo: publicKeyInfo)
            guard key.backend.isValid(question) else {
                throw SslSocketError(
                    .keyMismatch, "The private key of the issuer does not belong to its certificate", backend: key.backend.name)
            }
        }
        return DerWriter.sequence(signed, algorithm.der, DerWriter.bitString(signature), following)
    }

    /// The octets of the BIT STRING in a SubjectPublicKeyInfo, which identifiers of keys are made of.
    static func keyBits(_ publicKeyInfo: [UInt8]) -> [UInt8] {
        var reader = DerReader(DerReader.only(DerTag.sequence, publicKeyInfo[...]) ?? [])
        _ = reader.next(DerTag.sequence)
        return Array((reader.next(DerTag.bitString)?.content ?? []).dropFirst())
    }

    /// A key's identifier: its SHA-1 (RFC 5280 section 4.2.1.2 (1)), or where a library has none the beginning of its SHA-256 (RFC 7093 section 2 (1)).
    /// It protects nothing.
    static func keyIdentifier(
        _ publicKeyInfo: [UInt8], _ backend: any TlsBackend
    ) throws(SslSocketError) -> [UInt8] {
        let bits = keyBits(publicKeyInfo)
        guard let digest = backend.digest(bits, .sha1) ?? backend.digest(bits, .sha256) else {
            throw SslSocketError(
                .unsupportedOperation, "The library offers no hash for key identifiers", backend: backend.name)
        }
        return Array(digest.prefix(20))
    }

    /// The identifier that an issuer's certificate gives its key, or the usual one.
    static func keyIdentifier(
        of issuer: CertificateFields, _ backend: any TlsBackend
    ) throws(SslSocketError) -> [UInt8] {
        if let named = issuer.subjectKeyIdentifier { return named }
        return try keyIdentifier(issuer.publicKeyInfo, backend)
    }

    /// Extensions as certificates and lists have them, without the tag around them; empty for none.
    static func extensions(_ list: [SslCertificateExtension]) throws(SslSocketError) -> [UInt8] {
        var content: [UInt8] = []
        for one in list {
            guard let der = DerWriter.extension(one) else {
                throw SslSocketError(.invalidUserData, "\"\(one.oid)\" is not the object identifier of an extension")
            }
            content += der
        }
        return content.isEmpty ? [] : DerWriter.sequence(content)
    }

    /// A time as certificates have it.
    static func time(_ instant: SslInstant) throws(SslSocketError) -> [UInt8] {
        guard let der = DerWriter.time(instant) else {
            throw SslSocketError(.invalidUserData, "\(instant) cannot stand in a certificate: its year has four digits")
        }
        return der
    }

    /// A Name, each attribute in a set of its own (RFC 5280 section 4.1.2.4).
    static func name(_ attributes: [SslNameAttribute]) throws(SslSocketError) -> [UInt8] {
        var content: [UInt8] = []
        for attribute in attributes {
            guard let type = DerWriter.objectIdentifier(attribute.oid), let value = text(attribute) else {
                throw SslSocketError(
                    .invalidUserData, "The attribute \(attribute.oid)=\"\(attribute.value)\" cannot stand in a name")
            }
            content += DerWriter.element(DerTag.set, DerWriter.sequence(type, value))
        }
        return DerWriter.sequence(content)
    }

    /// The string types that RFC 5280 appendix A.1 prescribes; UTF-8 for all the others.
    private static func text(_ attribute: SslNameAttribute) -> [UInt8]? {
        let octets = Array(attribute.value.utf8)
        guard !octets.isEmpty else { return nil }
        switch attribute.oid {
        case "2.5.4.6":
            return octets.count == 2 && octets.allSatisfy(isPrintable) ? DerWriter.element(0x13, octets) : nil
        case "2.5.4.5", "2.5.4.46": return octets.allSatisfy(isPrintable) ? DerWriter.element(0x13, octets) : nil
        case "1.2.840.113549.1.9.1", "0.9.2342.19200300.100.1.25":
            return octets.allSatisfy { $0 < 0x80 } ? DerWriter.element(0x16, octets) : nil
        default: return DerWriter.element(DerTag.utf8String, octets)
        }
    }

    /// PrintableString (X.680 section 41.4).
    private static func isPrintable(_ octet: UInt8) -> Bool {
        switch octet {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: " '()+,-./:=?".utf8.contains(octet)
        }
    }
}
