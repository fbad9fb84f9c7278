#if OpenSSL
internal import CSslOpenSSL
internal import SslBackend
internal import SslValues

/// The certificate a client shows, chosen when the server asks for one.
extension OpenSSLTransport {
    /// Asked by the engine before a client answers a request for its certificate: 1 to go on, 0 to fail.
    static let chooseCredentials: @convention(c) (OpaquePointer?, UnsafeMutableRawPointer?) -> Int32 = { ssl, _ in
        guard let ssl = unsafe ssl, let transport = unsafe OpenSSLTransport.of(ssl), let source = transport.credentialsSource
        else { return 1 }
        do throws(SslSocketError) {
            let request = unsafe TlsCertificateRequest(
                authorities: requestedAuthorities(ssl), signatureSchemes: requestedSchemes(ssl))
            // What the settings have to show is not meant any more.
            unsafe SSL_certs_clear(ssl)
            if let credentials = try source.credentials(for: request) { try unsafe show(credentials, ssl) }
            return 1
        } catch {
            TlsSigner.noteFailure(error)
            return 0
        }
    }

    private static func show(_ credentials: TlsCredentials, _ ssl: OpaquePointer) throws(SslSocketError) {
        guard let key = credentials.key as? OpenSSLKey else {
            throw SslSocketError(
                .invalidUserData, "A private key was made by the backend \(credentials.key.backend.name)",
                backend: OpenSSLBackend.backendName)
        }
        let chain = try OpenSSLCertificate.parse(credentials.chain)
        guard let leaf = chain.first, unsafe X509_check_private_key(leaf.handle, key.handle) == 1 else {
            throw .openssl(.keyMismatch, "The private key does not belong to the certificate")
        }
        let others = try unsafe OpenSSLCertificate.list(chain.dropFirst())
        defer { unsafe sslopenssl_certificates_free(others) }
        guard unsafe SSL_use_cert_and_key(ssl, leaf.handle, key.handle, others, 1) == 1 else {
            throw .openssl(.invalidUserData, "The certificate cannot be used")
        }
    }

    private static func requestedAuthorities(_ ssl: OpaquePointer) -> [[UInt8]] {
        let list = unsafe SSL_get0_peer_CA_list(ssl)
        return unsafe (0..<max(sslopenssl_names_count(list), 0)).map { index in
            unsafe OpenSSLCertificate.octets { unsafe i2d_X509_NAME(sslopenssl_names_at(list, index), $0) }
        }
    }

    private static func requestedSchemes(_ ssl: OpaquePointer) -> [SslSignatureScheme] {
        let count = unsafe SSL_get_sigalgs(ssl, -1, nil, nil, nil, nil, nil)
        return (0..<max(count, 0)).map { index in
            var signature: UInt8 = 0
            var hash: UInt8 = 0
            _ = unsafe SSL_get_sigalgs(ssl, index, nil, nil, nil, &signature, &hash)
            return SslSignatureScheme(code: UInt16(hash) << 8 | UInt16(signature))
        }
    }
}
#endif
