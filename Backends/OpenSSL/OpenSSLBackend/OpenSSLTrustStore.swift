#if OpenSSL
internal import CSslOpenSSL
internal import Glibc
internal import SslBackend
internal import SslValues

/// An `X509_STORE`.
@safe
final class OpenSSLTrustStore: TlsTrustStore {
    /// A path has at most so many certificates.
    private static let longestPath = 16

    // Filled by the initializer only; OpenSSL locks it while it looks up.
    nonisolated(unsafe) private let store: OpaquePointer
    let count: Int
    var backend: any TlsBackend { OpenSSLBackend.shared }

    init(_ sources: TlsTrustSources) throws(SslSocketError) {
        ERR_clear_error()
        guard let made = unsafe X509_STORE_new() else { throw .openssl(.sslInternal, "No trust store could be made") }
        do throws(SslSocketError) {
            if sources.includesSystem {
                guard unsafe OpenSSLSystemTrust.load(into: made) > 0 else {
                    throw SslSocketError(
                        .unreadableFile, "The system has no trusted certificates where OpenSSL looks for them",
                        backend: OpenSSLBackend.backendName)
                }
            }
            for anchor in try OpenSSLCertificate.parse(sources.anchors) {
                guard unsafe X509_STORE_add_cert(made, anchor.handle) == 1 else {
                    throw SslSocketError.openssl(.invalidUserData, "A trusted certificate could not be added")
                }
            }
            // Not how many were added: the same certificate twice is kept once.
            count = unsafe Int(sslopenssl_store_count(made))
            unsafe store = unsafe made
        } catch {
            unsafe X509_STORE_free(made)
            throw error
        }
    }

    deinit { unsafe X509_STORE_free(store) }

    var certificates: [[UInt8]] {
        guard let list = unsafe X509_STORE_get1_all_certs(store) else { return [] }
        defer { unsafe sslopenssl_certificates_free(list) }
        return unsafe (0..<sslopenssl_certificates_count(list)).compactMap { place in
            guard let handle = unsafe sslopenssl_certificates_at(list, place) else { return nil }
            return unsafe OpenSSLCertificate.octets { unsafe i2d_X509(handle, $0) }
        }
    }

    // MARK: Paths

    func findPath(_ chain: [any X509Certificate]) -> TlsPath {
        let nothing = TlsPath(
            certificates: Array(chain.prefix(1)), isAnchored: false, problems: [TlsPathProblem(.unspecifiedError, depth: 0)])
        var own: [OpenSSLCertificate] = []
        for certificate in chain {
            // A certificate of another backend is parsed once more.
            if let certificate = certificate as? OpenSSLCertificate {
                own.append(certificate)
            } else if let parsed = try? OpenSSLCertificate(der: certificate.der) {
                own.append(parsed)
            } else if own.isEmpty {
                return TlsPath(
                    certificates: Array(chain.prefix(1)), isAnchored: false,
                    problems: [TlsPathProblem(.malformedCertificate, depth: 0)])
            }
        }
        guard let leaf = own.first, let others = try? unsafe OpenSSLCertificate.list(own.dropFirst()) else { return nothing }
        defer { unsafe sslopenssl_certificates_free(others) }
        ERR_clear_error()
        guard let search = unsafe X509_STORE_CTX_new() else { return nothing }
        defer {
            unsafe X509_STORE_CTX_free(search)
            ERR_clear_error()
        }
        guard unsafe X509_STORE_CTX_init(search, store, leaf.handle, others) == 1,
            let rules = unsafe X509_STORE_CTX_get0_param(search)
        else { return nothing }
        // The time is checked above, so its errors are dropped below; but the search may prefer a certificate that is valid
        // now to an older one of the same name and key, which X509_V_FLAG_NO_CHECK_TIME would keep it from.
        unsafe X509_VERIFY_PARAM_set_flags(rules, UInt(X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN))
        unsafe X509_VERIFY_PARAM_set_auth_level(rules, OpenSSLContext.securityLevel)
        // The library counts the intermediates only.
        unsafe X509_VERIFY_PARAM_set_depth(rules, Int32(Self.longestPath - 2))
        let found = OpenSSLFoundProblems()
        unsafe X509_STORE_CTX_set_ex_data(search, 0, Unmanaged.passUnretained(found).toOpaque())
        unsafe X509_STORE_CTX_set_verify_cb(search, OpenSSLFoundProblems.record)
        let result = withExtendedLifetime(found) { unsafe X509_verify_cert(search) }

        let built = unsafe X509_STORE_CTX_get0_chain(search)
        var certificates: [any X509Certificate] = []
        for i in unsafe 0..<sslopenssl_certificates_count(built) {
            guard let handle = unsafe sslopenssl_certificates_at(built, i),
                let one = try? unsafe OpenSSLCertificate(sharing: handle)
            else {
                found.add(.malformedCertificate, depth: Int(i))
                found.isAnchored = false
                break
            }
            certificates.append(one)
        }
        if certificates.isEmpty { certificates = [leaf] }
        // Whatever the library found wrong without telling why must not pass for a good path.
        if result <= 0 && found.problems.isEmpty { found.add(.unspecifiedError, depth: 0) }
        return TlsPath(
            certificates: certificates, isAnchored: found.isAnchored && result > 0,
            problems: found.finish(length: certificates.count))
    }
}

/// What OpenSSL reports while it looks for a path.
private final class OpenSSLFoundProblems {
    private(set) var problems: [TlsPathProblem] = []
    /// No error said that the path does not end in the store.
    var isAnchored = true
    private var isIncomplete = false
    private var isTooLong = false

    func add(_ code: SslErrorCode, depth: Int) {
        let problem = TlsPathProblem(code, depth: max(depth, 0))
        if !problems.contains(problem) { problems.append(problem) }
    }

    /// The problems in the order of the path.
    func finish(length: Int) -> [TlsPathProblem] {
        // The issuer that is missing is the one of the last certificate found, wherever the library was when it noticed.
        // A path that was cut off for its length is only told to be too long.
        if isIncomplete && !isTooLong { add(.unableToGetLocalIssuerCertificate, depth: length - 1) }
        return problems.sorted { ($0.depth, $0.code.rawValue) < ($1.depth, $1.code.rawValue) }
    }

    /// Called for every problem and for every certificate that is fine; always goes on, so that all problems are found.
    static let record: @convention(c) (Int32, OpaquePointer?) -> Int32 = { isFine, search in
        guard isFine == 0, let pointer = unsafe X509_STORE_CTX_get_ex_data(search, 0) else { return 1 }
        let found = unsafe Unmanaged<OpenSSLFoundProblems>.fromOpaque(pointer).takeUnretainedValue()
        unsafe found.note(X509_STORE_CTX_get_error(search), depth: Int(X509_STORE_CTX_get_error_depth(search)))
        return 1
    }

    private func note(_ error: Int32, depth: Int) {
        switch error {
        // Time is checked above.
        case X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED, X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD,
            X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD:
            break
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
            X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
            isAnchored = false
            isIncomplete = true
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
            isAnchored = false
            add(.selfSignedCertificate, depth: depth)
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
            isAnchored = false
            add(.selfSignedCertificateInChain, depth: depth)
        case X509_V_ERR_CERT_CHAIN_TOO_LONG:
            isAnchored = false
            isTooLong = true
            add(.pathLengthExceeded, depth: depth)
        case X509_V_ERR_CERT_UNTRUSTED:
            isAnchored = false
            add(.certificateUntrusted, depth: depth)
        case X509_V_ERR_CERT_REJECTED:
            isAnchored = false
            add(.certificateRejected, depth: depth)
        case X509_V_ERR_CERT_SIGNATURE_FAILURE: add(.certificateSignatureFailed, depth: depth)
        case X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE: add(.unableToDecryptCertificateSignature, depth: depth)
        case X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY: add(.unableToDecodeIssuerPublicKey, depth: depth)
        case X509_V_ERR_INVALID_CA, X509_V_ERR_KEYUSAGE_NO_CERTSIGN, X509_V_ERR_INVALID_NON_CA:
            add(.invalidCaCertificate, depth: depth)
        case X509_V_ERR_PATH_LENGTH_EXCEEDED: add(.pathLengthExceeded, depth: depth)
        case X509_V_ERR_PERMITTED_VIOLATION, X509_V_ERR_EXCLUDED_VIOLATION, X509_V_ERR_SUBTREE_MINMAX,
            X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE, X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX,
            X509_V_ERR_UNSUPPORTED_NAME_SYNTAX:
            add(.nameConstraintViolation, depth: depth)
        case X509_V_ERR_EE_KEY_TOO_SMALL, X509_V_ERR_CA_KEY_TOO_SMALL, X509_V_ERR_CA_MD_TOO_WEAK:
            add(.weakAlgorithm, depth: depth)
        case X509_V_ERR_SUBJECT_ISSUER_MISMATCH: add(.subjectIssuerMismatch, depth: depth)
        case X509_V_ERR_AKID_SKID_MISMATCH, X509_V_ERR_AKID_ISSUER_SERIAL_MISMATCH:
            add(.authorityIssuerSerialNumberMismatch, depth: depth)
        case X509_V_ERR_INVALID_EXTENSION: add(.malformedCertificate, depth: depth)
        // An unknown critical extension among them (RFC 5280 section 4.2).
        default: add(.unspecifiedError, depth: depth)
        }
    }
}

/// The certificates the system trusts.
private enum OpenSSLSystemTrust {
    /// Loads them all, so that their number is known and no look-up reads a file later. Returns how many.
    ///
    /// As the library itself does, it takes the file and the directory named by `SSL_CERT_FILE` and `SSL_CERT_DIR`, or else
    /// those the distribution compiled in; the directory, which holds the same certificates once more, only if the file
    /// gave none.
    static func load(into store: OpaquePointer) -> Int {
        let file = unsafe variable(X509_get_default_cert_file_env())
        let directory = unsafe variable(X509_get_default_cert_dir_env())
        var count = 0
        if let path = unsafe file ?? text(X509_get_default_cert_file()) { count += unsafe load(file: path, into: store) }
        guard count == 0 || directory != nil, let path = unsafe directory ?? text(X509_get_default_cert_dir()) else {
            return count
        }
        for one in path.split(separator: ":") { count += unsafe load(directory: String(one), into: store) }
        return count
    }

    /// Not in a program that runs with another user's rights.
    private static func variable(_ name: UnsafePointer<CChar>?) -> String? {
        guard let name = unsafe name else { return nil }
        return unsafe text(sslopenssl_environment(name))
    }

    private static func text(_ string: UnsafePointer<CChar>?) -> String? { unsafe string.map { unsafe String(cString: $0) } }

    private static func load(file: String, into store: OpaquePointer) -> Int {
        guard let bio = unsafe BIO_new_file(file, "r") else {
            ERR_clear_error()
            return 0
        }
        defer { unsafe BIO_free(bio) }
        var count = 0
        // Also takes OpenSSL's own "TRUSTED CERTIFICATE", whose rules then hold.
        while let certificate = unsafe PEM_read_bio_X509_AUX(bio, nil, nil, nil) {
            if unsafe X509_STORE_add_cert(store, certificate) == 1 { count += 1 }
            unsafe X509_free(certificate)
        }
        ERR_clear_error()
        return count
    }

    /// The files named by hash, as `openssl rehash` makes them; everything else in there is not meant to be trusted.
    private static func load(directory: String, into store: OpaquePointer) -> Int {
        guard let stream = unsafe opendir(directory) else { return 0 }
        defer { unsafe closedir(stream) }
        var count = 0
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            let parts = name.split(separator: ".", omittingEmptySubsequences: false)
            guard parts.count == 2, parts[0].count == 8, parts[0].allSatisfy(\.isHexDigit), !parts[1].isEmpty,
                parts[1].allSatisfy(\.isNumber)
            else { continue }
            count += unsafe load(file: directory + "/" + name, into: store)
        }
        return count
    }
}
#endif
