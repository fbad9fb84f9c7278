#if OpenSSL
internal import CSslOpenSSL
internal import SslBackend
internal import SslValues

/// Signatures, and the library's own verdict on a path.
enum OpenSSLPath {
    /// Checks one signature.
    static func isValid(_ question: X509Signature) -> Bool {
        ERR_clear_error()
        defer { ERR_clear_error() }
        let parsed = unsafe question.publicKeyInfo.withUnsafeBufferPointer { buffer -> OpaquePointer? in
            var cursor = buffer.baseAddress
            return unsafe d2i_PUBKEY(nil, &cursor, buffer.count)
        }
        guard let key = unsafe parsed else { return false }
        defer { unsafe EVP_PKEY_free(key) }
        guard unsafe question.algorithm.fits(OpenSSLKey.algorithm(key)), let context = unsafe EVP_MD_CTX_new() else {
            return false
        }
        defer { unsafe EVP_MD_CTX_free(context) }
        var settings: OpaquePointer?
        guard unsafe EVP_DigestVerifyInit(context, &settings, question.algorithm.hash?.openssl ?? nil, nil, key) == 1 else {
            return false
        }
        guard unsafe setPadding(question.algorithm, settings) else { return false }
        return unsafe question.signedOctets.withUnsafeBufferPointer { signed in
            unsafe question.signature.withUnsafeBufferPointer { signature in
                unsafe EVP_DigestVerify(context, signature.baseAddress, signature.count, signed.baseAddress, signed.count) == 1
            }
        }
    }

    /// Of RSA the padding is chosen by the algorithm, with a salt as long as the hash.
    private static func setPadding(_ algorithm: X509SignatureAlgorithm, _ settings: OpaquePointer?) -> Bool {
        guard case .rsaPss = algorithm else { return true }
        return unsafe EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING) == 1
            && EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, -1) == 1
    }

    /// What the library says of the path with its last certificate as the only trusted one.
    static func problems(of path: [any X509Certificate]) -> [TlsPathProblem] {
        let refusal = [TlsPathProblem(.unspecifiedError, depth: 0)]
        let own = path.compactMap { $0 as? OpenSSLCertificate }
        guard own.count == path.count, let leaf = own.first,
            let trusted = try? unsafe OpenSSLCertificate.list(own.suffix(1))
        else { return refusal }
        defer { unsafe sslopenssl_certificates_free(trusted) }
        guard let others = try? unsafe OpenSSLCertificate.list(own.dropFirst().dropLast()) else { return refusal }
        defer { unsafe sslopenssl_certificates_free(others) }
        ERR_clear_error()
        guard let search = unsafe X509_STORE_CTX_new() else { return refusal }
        defer {
            unsafe X509_STORE_CTX_free(search)
            ERR_clear_error()
        }
        guard unsafe X509_STORE_CTX_init(search, nil, leaf.handle, others) == 1,
            let rules = unsafe X509_STORE_CTX_get0_param(search)
        else { return refusal }
        unsafe X509_STORE_CTX_set0_trusted_stack(search, trusted)
        unsafe X509_VERIFY_PARAM_set_flags(
            rules, UInt(X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME))
        unsafe X509_VERIFY_PARAM_set_auth_level(rules, OpenSSLContext.securityLevel)
        unsafe X509_VERIFY_PARAM_set_depth(rules, Int32(path.count))
        // Common names are no host names, for constraints either.
        unsafe X509_VERIFY_PARAM_set_hostflags(rules, UInt32(X509_CHECK_FLAG_NEVER_CHECK_SUBJECT))
        let found = OpenSSLFoundProblems()
        unsafe X509_STORE_CTX_set_ex_data(search, 0, Unmanaged.passUnretained(found).toOpaque())
        unsafe X509_STORE_CTX_set_verify_cb(search, OpenSSLFoundProblems.record)
        let result = withExtendedLifetime(found) { unsafe X509_verify_cert(search) }
        // Whatever the library found wrong without telling why must not pass for a good path.
        return result <= 0 && found.problems.isEmpty ? refusal : found.problems
    }
}

/// What OpenSSL reports while it looks at a path.
private final class OpenSSLFoundProblems {
    private(set) var problems: [TlsPathProblem] = []

    /// Called for every problem and for every certificate that is fine; always goes on, so that all problems are found.
    static let record: @convention(c) (Int32, OpaquePointer?) -> Int32 = { isFine, search in
        guard isFine == 0, let pointer = unsafe X509_STORE_CTX_get_ex_data(search, 0) else { return 1 }
        let found = unsafe Unmanaged<OpenSSLFoundProblems>.fromOpaque(pointer).takeUnretainedValue()
        let problem = unsafe TlsPathProblem(
            meaning(X509_STORE_CTX_get_error(search)), depth: max(Int(X509_STORE_CTX_get_error_depth(search)), 0))
        if !found.problems.contains(problem) { found.problems.append(problem) }
        return 1
    }

    private static func meaning(_ error: Int32) -> SslErrorCode {
        switch error {
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
            X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
            X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, X509_V_ERR_CERT_UNTRUSTED:
            .unableToGetIssuerCertificate
        case X509_V_ERR_CERT_CHAIN_TOO_LONG, X509_V_ERR_PATH_LENGTH_EXCEEDED: .pathLengthExceeded
        case X509_V_ERR_CERT_SIGNATURE_FAILURE, X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE: .certificateSignatureFailed
        case X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY: .unableToDecodeIssuerPublicKey
        case X509_V_ERR_INVALID_CA, X509_V_ERR_KEYUSAGE_NO_CERTSIGN, X509_V_ERR_INVALID_NON_CA: .invalidCaCertificate
        case X509_V_ERR_PERMITTED_VIOLATION, X509_V_ERR_EXCLUDED_VIOLATION, X509_V_ERR_SUBTREE_MINMAX,
            X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE, X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX,
            X509_V_ERR_UNSUPPORTED_NAME_SYNTAX:
            .nameConstraintViolation
        case X509_V_ERR_EE_KEY_TOO_SMALL, X509_V_ERR_CA_KEY_TOO_SMALL, X509_V_ERR_CA_MD_TOO_WEAK: .weakAlgorithm
        case X509_V_ERR_SUBJECT_ISSUER_MISMATCH: .subjectIssuerMismatch
        case X509_V_ERR_AKID_SKID_MISMATCH, X509_V_ERR_AKID_ISSUER_SERIAL_MISMATCH: .authorityIssuerSerialNumberMismatch
        case X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION: .unhandledCriticalExtension
        case X509_V_ERR_INVALID_EXTENSION: .malformedCertificate
        default: .unspecifiedError
        }
    }
}
#endif
