internal import ArgumentParser
internal import SslSockets

/// The server.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve TLS: an echo, a small web page, or a fixed reply.",
        discussion: """
            Without --cert a certificate is made on the spot, for localhost, 127.0.0.1 and ::1, by an authority that nobody trusts; its pin \
            is printed, and --write-ca writes the authority's certificate for clients to trust. With --psk-file none is made unless \
            --write-ca asks for it.
            """)

    @Option(help: ArgumentHelp("The address to listen at; :: for all.", valueName: "address"))
    var host = "::"

    @Option(help: ArgumentHelp("The port to listen at; 0 for any free one.", valueName: "port"))
    var port: UInt16 = 4433

    @Flag(help: "Send back what comes (the default).")
    var echo = false

    @Flag(help: "Answer each HTTP request with the facts of the connection.")
    var http = false

    @Option(help: ArgumentHelp("Send this text to everybody and end the connection.", valueName: "text"))
    var reply: String?

    @OptionGroup var tls: TlsOptions
    @OptionGroup var output: OutputOptions

    @OptionGroup var preSharedKeys: PreSharedKeyOptions

    @Option(help: ArgumentHelp("What clients of TLS 1.2 are told about the pre-shared key they should use.", valueName: "text"))
    var pskHint: String?

    @Option(
        help: ArgumentHelp(
            "Staple this OCSP response (DER) to the certificate. The file is read again in time: replace it, and the new one counts without a restart.",
            valueName: "file"))
    var ocspResponse: String?

    @Option(
        help: ArgumentHelp(
            "Show another certificate to clients that ask for this name, or for *.name; may be given more than once.",
            valueName: "name=cert,key"))
    var sni: [ServerNameArgument] = []

    @Flag(help: "Refuse clients that show no certificate, or one that --ca does not vouch for.")
    var requireClientCert = false

    @Option(
        name: .customLong("ticket-keys"),
        help: ArgumentHelp(
            "Seal session tickets with the keys of this file, which servers can share. Default: keys of its own.",
            valueName: "file"))
    var ticketKeys: String?

    @Option(
        name: .customLong("write-ca"),
        help: ArgumentHelp("Write the certificate of the authority made on the spot into this file.", valueName: "file"))
    var writeCa: String?

    @Option(help: ArgumentHelp("End after so many connections.", valueName: "count"))
    var maxConnections: Int?

    @Option(help: ArgumentHelp("Serve no more than so many at once; others wait. Default: no limit.", valueName: "count"))
    var maxClients: Int?

    @Option(help: ArgumentHelp("How long a client may be silent, and its handshake may take.", valueName: "seconds"))
    var handshakeTimeout = 5.0

    @Option(
        help: ArgumentHelp(
            "How long connections may go on after SIGTERM or SIGINT; a second signal ends at once.", valueName: "seconds"))
    var grace = 10.0

    @Flag(help: "End after one connection.")
    var once = false

    func validate() throws {
        if [echo, http, reply != nil].filter({ $0 }).count > 1 {
            throw ValidationError("--echo, --http and --reply exclude each other.")
        }
        if once, maxConnections != nil { throw ValidationError("--once and --max-connections exclude each other.") }
        if let maxConnections, maxConnections < 1 { throw ValidationError("--max-connections must be at least 1.") }
        if let maxClients, maxClients < 1 { throw ValidationError("--max-clients must be at least 1.") }
        guard handshakeTimeout > 0, handshakeTimeout <= 86_400 else {
            throw ValidationError("--handshake-timeout must be above 0 and at most 86400 seconds.")
        }
        guard grace >= 0, grace <= 86_400 else { throw ValidationError("--grace must be from 0 to 86400 seconds.") }
        if writeCa != nil, tls.cert != nil {
            throw ValidationError("--write-ca needs a certificate made on the spot: leave --cert out.")
        }
        if pskHint != nil, preSharedKeys.pskFile == nil { throw ValidationError("--psk-hint needs --psk-file.") }
        if ocspResponse != nil, tls.cert == nil {
            throw ValidationError("--ocsp-response needs --cert: it is about one certificate.")
        }
        if requireClientCert, tls.ca.isEmpty {
            throw ValidationError("--require-client-cert needs --ca: whose certificates are good?")
        }
    }

    func run() async throws {
        var configuration = try tls.configuration()
        // Clients are judged by the given authorities alone: the system's sign for servers.
        configuration.usesSystemCaCertificates = false
        configuration.peerVerifyMode = requireClientCert ? .verifyPeer : tls.ca.isEmpty ? .verifyNone : .queryPeer
        configuration.requestedAuthorities = configuration.caCertificates
        configuration.preSharedKeys = try preSharedKeys.keys()
        configuration.preSharedKeyIdentityHint = Array((pskHint ?? "").utf8)
        let log = ServiceLog(output)
        if let ocspResponse { configuration.credentials[0].stapler = try stapler(ocspResponse, log) }
        do {
            if tls.cert == nil, writeCa != nil || preSharedKeys.pskFile == nil {
                let made = try SelfMadeCertificate(backend: configuration.backend)
                configuration.credentials = [made.credentials]
                if let writeCa { try FileWriter.write(Array(made.authority.pem.utf8), to: writeCa) }
            }
            if let ticketKeys { configuration.ticketKeys = try SslTicketKeys(path: ticketKeys) }
            let server = SslServer(configuration: configuration)
            server.maxConnections = maxClients
            server.handshakeTimeout = .seconds(handshakeTimeout)
            for name in sni { try add(name, to: server) }
            try server.listen(host: host, port: port)
            try announce(server, pin: configuration.localCertificate?.publicKeyPin)
            let limit = once ? 1 : maxConnections
            try await Service(server: server, answer: answer, log: log).run(
                limit: limit, grace: .seconds(grace))
        } catch let error as SslSocketError {
            throw ToolFailure(error)
        }
    }

    private func stapler(_ file: String, _ log: ServiceLog) throws(ToolFailure) -> SslOcspStapler {
        do throws(SslSocketError) {
            let stapler = try SslOcspStapler(file: file)
            stapler.onRefreshFailure { log.renewalFailed($0) }
            return stapler
        } catch {
            throw ToolFailure(.unreadable, "\(file): \(error)")
        }
    }

    /// The settings of the server with another certificate, which nothing is stapled to.
    private func add(_ name: ServerNameArgument, to server: SslServer) throws {
        var configuration = server.sslConfiguration
        do throws(SslSocketError) {
            try configuration.setCredentials(certificateFile: name.certificate, keyFile: name.key)
        } catch {
            throw ToolFailure(.unreadable, "\(name.certificate), \(name.key): \(error)")
        }
        try server.setConfiguration(configuration, forServerName: name.name)
    }

    private var answer: Service.Answer { http ? .http : reply.map { .text($0) } ?? .echo }

    private func announce(_ server: SslServer, pin: String?) throws(ToolFailure) {
        let address = server.serverAddress?.description ?? "\(host):\(port)"
        if output.json {
            try Json.printLine(Announcement(listening: address, port: Int(server.serverPort), pin: pin))
        } else {
            if let pin { Console.print("pin sha256//\(pin)") }
            Console.print("listening on \(address)")
        }
    }
}

/// The line of JSON that says where a server listens. `docs/schema/serve.schema.json` describes it.
struct Announcement: Encodable {
    let schema = 1
    let listening: String
    let port: Int
    let pin: String?
}
