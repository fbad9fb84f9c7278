package import SslBackend
package import SslValues

/// Writes certificates (RFC 5280 section 4.1); the backend of the key signs them.
package enum CertificateWriter {
    /// Issues a certificate: signed by `issuer`, or self-signed with `key` when `issuer` is nil.
    ///
    /// - Parameters:
    ///   - template: everything that stands in the certificate.
    ///   - key: the key of the subject; only its public half enters the certificate.
    ///   - issuer: the CA's certificate (DER) and private key.
    /// - Returns: the certificate in DER.
    /// - Throws: ``SslSocketError/Code/invalidUserData`` for what cannot stand in a certificate, ``SslSocketError/Code/keyMismatch`` when the issuer's key
    ///   does not belong to its certificate, ``SslSocketError/Code/unsupportedOperation`` when the key cannot sign so.
    package static func issue(
        _ template: SslCertificateTemplate, key: any TlsKey, issuer: (certificate: [UInt8], key: any TlsKey)?
    ) throws(SslSocketError) -> [UInt8] {
        guard let issuer else { return try write(template, publicKeyInfo: key.publicKeyInfo, issuer: nil, signer: key) }
        let parent = try CertificateFields(issuer.certificate)
        return try write(template, publicKeyInfo: key.publicKeyInfo, issuer: parent, signer: issuer.key)
    }

    /// The same for a subject of whom only the public half is there.
    static func write(
        _ template: SslCertificateTemplate, publicKeyInfo: [UInt8], issuer: CertificateFields?, signer: any TlsKey
    ) throws(SslSocketError) -> [UInt8] {
        let serial = template.serialNumber
        guard (1...20).contains(serial.count), let first = serial.first, first < 0x80, serial.contains(where: { $0 != 0 }) else {
            throw SslSocketError(.invalidUserData, "A serial number is positive and has 1 to 20 octets")
        }
        guard template.notBefore <= template.notAfter else {
            throw SslSocketError(.invalidUserData, "The validity ends before it begins")
        }
        let algorithm = try SignedData.algorithm(signer, template.hash)
        let subject = try SignedData.name(template.subject)
        let validity = DerWriter.sequence(try SignedData.time(template.notBefore), try SignedData.time(template.notAfter))
        var extensions = try template.writtenExtensions()
        if template.hasKeyIdentifiers {
            let own = try SignedData.keyIdentifier(publicKeyInfo, signer.backend)
            let above =
                if let issuer { try SignedData.keyIdentifier(of: issuer, signer.backend) } else { own }
            extensions.append(
                SslCertificateExtension(
                    oid: ExtensionOid.subjectKeyIdentifier, isCritical: false, value: DerWriter.octetString(own)))
            extensions.append(.authorityKeyIdentifier(above))
        }
        let written = try SignedData.extensions(extensions + template.extensions)
        let signed = DerWriter.sequence(
            DerWriter.element(0xA0, DerWriter.integer(2)), DerWriter.integer(octets: minimal(serial)), algorithm.der,
            issuer?.subjectDer ?? subject, validity, subject, publicKeyInfo,
            written.isEmpty ? [] : DerWriter.element(0xA3, written))
        return try SignedData.write(
            signed, algorithm, key: signer, provenBy: issuer?.publicKeyInfo ?? publicKeyInfo)
    }

    /// Without the leading zeros that DER does not allow.
    static func minimal(_ number: [UInt8]) -> [UInt8] {
        var octets = number.drop { $0 == 0 }
        if (octets.first ?? 0x80) >= 0x80 { octets = [0] + octets }
        return Array(octets)
    }
}

extension SslCertificateTemplate {
    /// The extensions that have members of their own, but for the key identifiers.
    func writtenExtensions() throws(SslSocketError) -> [SslCertificateExtension] {
        var list: [SslCertificateExtension] = []
        func append(_ oid: String, isCritical: Bool = false, _ value: [UInt8]) {
            list.append(SslCertificateExtension(oid: oid, isCritical: isCritical, value: value))
        }
        if let basicConstraints {
            if let length = basicConstraints.pathLength, !(0..<128).contains(length) {
                throw SslSocketError(.invalidUserData, "A path length is 0 to 127, not \(length)")
            }
            // FALSE is the default and therefore not written in DER.
            append(
                ExtensionOid.basicConstraints, isCritical: true,
                DerWriter.sequence(
                    basicConstraints.isAuthority ? DerWriter.element(DerTag.boolean, [0xFF]) : [],
                    basicConstraints.pathLength.map { DerWriter.integer(UInt64($0)) } ?? []))
        }
        if let keyUsage { append(ExtensionOid.keyUsage, isCritical: true, DerWriter.flags(keyUsage.rawValue)) }
        if !extendedKeyUsage.isEmpty {
            var content: [UInt8] = []
            for oid in extendedKeyUsage {
                guard let identifier = DerWriter.objectIdentifier(oid) else {
                    throw SslSocketError(.invalidUserData, "\"\(oid)\" is not the object identifier of a usage")
                }
                content += identifier
            }
            append(ExtensionOid.extendedKeyUsage, DerWriter.sequence(content))
        }
        if !alternativeNames.isEmpty {
            // A certificate without a subject is known by its alternative names alone (RFC 5280 section 4.2.1.6).
            append(
                ExtensionOid.subjectAlternativeName, isCritical: subject.isEmpty,
                DerWriter.sequence(alternativeNames.flatMap(DerWriter.alternativeName)))
        }
        return list
    }
}

extension SslCertificateExtension {
    /// The extension that names the issuer's key.
    static func authorityKeyIdentifier(_ identifier: [UInt8]) -> SslCertificateExtension {
        SslCertificateExtension(
            oid: ExtensionOid.authorityKeyIdentifier, isCritical: false,
            value: DerWriter.sequence(DerWriter.element(0x80, identifier)))
    }
}
