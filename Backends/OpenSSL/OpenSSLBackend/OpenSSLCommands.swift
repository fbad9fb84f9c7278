#if OpenSSL
internal import CSslOpenSSL
internal import SslBackend
internal import SslValues

/// The settings of `TlsSettings.backendOptions`: commands of OpenSSL's configuration language (`SSL_CONF_cmd`), by their names in files.
///
/// They are applied last and so override what the other settings said. What another setting says better, or what would take a decision away
/// from the layers above (certificates, keys, verification, files), is not among them; compression and renegotiation stay off.
enum OpenSSLCommands {
    /// The commands.
    static let names = [
        "CipherString", "Ciphersuites", "ClientSignatureAlgorithms", "Curves", "Groups", "MaxProtocol", "MinProtocol", "Options",
        "RecordPadding", "SignatureAlgorithms",
    ]

    /// Applies commands in the order of their names; fails with the first that is unknown or does not take its value.
    static func apply(_ options: [String: String], to context: OpaquePointer, role: SslRole) throws(SslSocketError) {
        guard !options.isEmpty else { return }
        guard let commands = unsafe SSL_CONF_CTX_new() else {
            throw .openssl(.sslInternal, "The backend options cannot be read")
        }
        defer { unsafe SSL_CONF_CTX_free(commands) }
        let end = role == .client ? SSL_CONF_FLAG_CLIENT : SSL_CONF_FLAG_SERVER
        unsafe SSL_CONF_CTX_set_flags(commands, UInt32(SSL_CONF_FLAG_FILE | SSL_CONF_FLAG_SHOW_ERRORS | end))
        unsafe SSL_CONF_CTX_set_ssl_ctx(commands, context)
        for (name, value) in options.sorted(by: { $0.key < $1.key }) {
            guard names.contains(name) else {
                throw OpenSSLOptions.refusal(
                    "backendOptions[\(name)]", "there is no such option; there are \(names.joined(separator: ", "))")
            }
            ERR_clear_error()
            guard unsafe SSL_CONF_cmd(commands, name, value) > 0 else { throw refusal(name, value) }
        }
        ERR_clear_error()
        guard unsafe SSL_CONF_CTX_finish(commands) == 1 else {
            throw OpenSSLOptions.refusal("backendOptions", OpenSSLError.take().text)
        }
        unsafe sslopenssl_keep_off(context)
    }

    private static func refusal(_ name: String, _ value: String) -> SslSocketError {
        let reason = OpenSSLError.take()
        var error = OpenSSLOptions.refusal("backendOptions[\(name)]", "OpenSSL does not take the value \"\(value)\"")
        error.nativeCode = Int(truncatingIfNeeded: reason.number)
        error.nativeMessage = reason.text
        return error
    }
}
#endif
