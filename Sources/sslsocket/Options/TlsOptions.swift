internal import ArgumentParser
internal import SslBackend
internal import SslSockets

/// A version of TLS as an argument.
enum TlsVersionArgument: String, ExpressibleByArgument, CaseIterable {
    case tls12 = "1.2"
    case tls13 = "1.3"
}

/// What clients and servers have in common.
struct TlsOptions: ParsableArguments {
    @Option(help: "The TLS library: gnutls or openssl. Default: the one SSLSOCKET_BACKEND names, or the first that is there.")
    var backend: String?

    @Option(help: ArgumentHelp("The lowest version of TLS.", valueName: "version"))
    var minTls = TlsVersionArgument.tls12

    @Option(help: ArgumentHelp("The highest version of TLS.", valueName: "version"))
    var maxTls = TlsVersionArgument.tls13

    @Option(help: ArgumentHelp("Protocols to agree on by ALPN, best first, for example h2,http/1.1.", valueName: "names"))
    var alpn: String?

    @Option(help: ArgumentHelp("Trust the CA certificates of this file too (PEM).", valueName: "file"))
    var ca: [String] = []

    @Option(help: ArgumentHelp("The certificate chain to show (PEM, its own certificate first).", valueName: "file"))
    var cert: String?

    @Option(
        help: ArgumentHelp("The private key of the certificate (PEM). Default: the file of the certificate.", valueName: "file"))
    var key: String?

    @Option(
        name: .customLong("keylog"),
        help: ArgumentHelp(
            "Append the secrets of connections to this file, for Wireshark. Who reads it can read them.", valueName: "file"))
    var keyLog: String?

    func validate() throws {
        if minTls == .tls13, maxTls == .tls12 { throw ValidationError("--min-tls is above --max-tls.") }
        if key != nil, cert == nil { throw ValidationError("--key needs --cert.") }
        if let alpn, alpn.split(separator: ",", omittingEmptySubsequences: false).contains("") {
            throw ValidationError("--alpn has an empty name.")
        }
    }

    /// The configuration these options come to.
    func configuration() throws(ToolFailure) -> SslConfiguration {
        // An unknown backend is said before any file is read with it.
        let engine = try Self.translating { () throws(SslSocketError) -> any TlsBackend in
            if let backend { return try SslBackends.named(backend) }
            return try SslBackends.active()
        }
        var configuration = SslConfiguration()
        configuration.backend = engine.name
        configuration.protocol = range
        configuration.allowedNextProtocols = alpn.map { $0.split(separator: ",").map(String.init) } ?? []
        configuration.keyLogPath = keyLog
        for file in ca { try load(file) { () throws(SslSocketError) in try configuration.addCaCertificates(fromPath: file) } }
        if let cert {
            try load(cert) { () throws(SslSocketError) in
                try configuration.setCredentials(certificateFile: cert, keyFile: key ?? cert)
            }
        }
        return configuration
    }

    private var range: SslProtocol {
        switch (minTls, maxTls) {
        case (.tls12, .tls12): .tlsV1_2
        case (.tls13, _): .tlsV1_3
        case (.tls12, .tls13): .secureProtocols
        }
    }

    /// Whatever is wrong with a file is a matter of that file.
    private func load(_ file: String, _ body: () throws(SslSocketError) -> Void) throws(ToolFailure) {
        do throws(SslSocketError) {
            try body()
        } catch {
            throw ToolFailure(error.code == .noBackend ? .noBackend : .unreadable, "\(file): \(error)")
        }
    }

    private static func translating<R>(_ body: () throws(SslSocketError) -> R) throws(ToolFailure) -> R {
        do throws(SslSocketError) {
            return try body()
        } catch {
            throw ToolFailure(error)
        }
    }
}
