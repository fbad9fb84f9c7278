#if GnuTLS
internal import CSslGnuTLS
internal import SslBackend
internal import SslValues

/// Signatures, and the library's own verdict on a path.
enum GnuTLSPath {
    /// Checks one signature.
    static func isValid(_ question: X509Signature) -> Bool {
        guard let algorithm = question.algorithm.gnutls else { return false }
        var made: gnutls_pubkey_t?
        guard unsafe gnutls_pubkey_init(&made) == 0, let key = unsafe made else { return false }
        defer { unsafe gnutls_pubkey_deinit(key) }
        let imported = unsafe question.publicKeyInfo.withUnsafeBytes { octets in
            var datum = unsafe gnutls_datum_t(borrowing: octets)
            return unsafe gnutls_pubkey_import(key, &datum, GNUTLS_X509_FMT_DER)
        }
        guard imported == 0 else { return false }
        return unsafe question.signedOctets.withUnsafeBytes { signed in
            unsafe question.signature.withUnsafeBytes { signature in
                var data = unsafe gnutls_datum_t(borrowing: signed)
                var value = unsafe gnutls_datum_t(borrowing: signature)
                // The strength is judged above, by the same table for every library.
                return unsafe gnutls_pubkey_verify_data2(key, algorithm, sslgnutls_signature_flags(), &data, &value) >= 0
            }
        }
    }

    /// What the library says of the path with its last certificate as the only trusted one.
    ///
    /// It compares names octet by octet, where RFC 5280 section 7.1 ignores case and blanks, counts self-issued certificates as it should not, and
    /// knows neither policy constraints nor every form of name constraints. What it says of these is left to the rules above, which have
    /// been applied to the path, but then each signature is checked by itself.
    static func problems(of path: [any X509Certificate]) -> [TlsPathProblem] {
        let own = path.compactMap { $0 as? GnuTLSCertificate }
        guard own.count == path.count, let anchor = own.last else { return [TlsPathProblem(.unspecifiedError, depth: 0)] }
        // A trusted leaf passes the library unseen; there is no signature to check.
        let list: [gnutls_x509_crt_t?] = unsafe (own.count > 1 ? own.dropLast() : own[...]).map { unsafe $0.handle }
        var trusted: gnutls_x509_crt_t? = unsafe anchor.handle
        var status: UInt32 = 0
        let native = unsafe gnutls_x509_crt_list_verify(
            list, UInt32(list.count), &trusted, 1, nil, 0, sslgnutls_path_flags(), &status)
        guard native >= 0 else { return [TlsPathProblem(.unspecifiedError, depth: 0)] }
        if status == 0 { return [] }
        var leftToOthers = GNUTLS_CERT_INVALID.rawValue | GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE.rawValue
        let links = zip(own, own.dropFirst())
        if links.contains(where: { $0.fields.issuerDer != $1.fields.subjectDer }) {
            leftToOthers |= GNUTLS_CERT_SIGNER_NOT_FOUND.rawValue
        }
        let rest = status & ~leftToOthers
        if rest == 0 {
            return links.enumerated().compactMap { depth, link in
                isSigned(link.0.fields, by: link.1.fields) ? nil : TlsPathProblem(.certificateSignatureFailed, depth: depth)
            }
        }
        let named = meanings.filter { rest & $0.0 != 0 }.map { TlsPathProblem($0.1, depth: 0) }
        return named.isEmpty ? [TlsPathProblem(.unspecifiedError, depth: 0)] : named
    }

    private static func isSigned(_ subject: CertificateFields, by issuer: CertificateFields) -> Bool {
        guard let algorithm = X509SignatureAlgorithm(der: subject.signatureAlgorithmDer) else { return false }
        return isValid(
            X509Signature(
                signedOctets: subject.signedOctets, algorithm: algorithm, signature: subject.signature,
                publicKeyInfo: issuer.publicKeyInfo))
    }

    private static let meanings: [(UInt32, SslErrorCode)] = [
        (GNUTLS_CERT_SIGNATURE_FAILURE.rawValue, .certificateSignatureFailed),
        (GNUTLS_CERT_SIGNER_NOT_FOUND.rawValue, .unableToGetIssuerCertificate),
        (GNUTLS_CERT_SIGNER_NOT_CA.rawValue, .invalidCaCertificate),
        (GNUTLS_CERT_INSECURE_ALGORITHM.rawValue, .weakAlgorithm),
    ]
}

extension X509SignatureAlgorithm {
    /// The library's number; nil for a combination it does not have.
    var gnutls: gnutls_sign_algorithm_t? {
        switch self {
        case .rsaPkcs1(.md5): GNUTLS_SIGN_RSA_MD5
        case .rsaPkcs1(.sha1): GNUTLS_SIGN_RSA_SHA1
        case .rsaPkcs1(.sha224): GNUTLS_SIGN_RSA_SHA224
        case .rsaPkcs1(.sha256): GNUTLS_SIGN_RSA_SHA256
        case .rsaPkcs1(.sha384): GNUTLS_SIGN_RSA_SHA384
        case .rsaPkcs1(.sha512): GNUTLS_SIGN_RSA_SHA512
        case .rsaPss(.sha256): GNUTLS_SIGN_RSA_PSS_SHA256
        case .rsaPss(.sha384): GNUTLS_SIGN_RSA_PSS_SHA384
        case .rsaPss(.sha512): GNUTLS_SIGN_RSA_PSS_SHA512
        case .ecdsa(.sha1): GNUTLS_SIGN_ECDSA_SHA1
        case .ecdsa(.sha224): GNUTLS_SIGN_ECDSA_SHA224
        case .ecdsa(.sha256): GNUTLS_SIGN_ECDSA_SHA256
        case .ecdsa(.sha384): GNUTLS_SIGN_ECDSA_SHA384
        case .ecdsa(.sha512): GNUTLS_SIGN_ECDSA_SHA512
        case .dsa(.sha1): GNUTLS_SIGN_DSA_SHA1
        case .dsa(.sha224): GNUTLS_SIGN_DSA_SHA224
        case .dsa(.sha256): GNUTLS_SIGN_DSA_SHA256
        case .ed25519: GNUTLS_SIGN_EDDSA_ED25519
        case .ed448: GNUTLS_SIGN_EDDSA_ED448
        default: nil
        }
    }
}
#endif
