internal import ArgumentParser
internal import SslSockets

/// The client.
struct ConnectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connect",
        abstract: "Connect to a TLS server, check its certificate and tell what was negotiated.",
        discussion: """
            Without --send and --interactive it connects, prints the facts and ends the connection. With one of them, what the server says \
            goes to standard output and the facts, with --verbose, to standard error.
            """)

    @Argument(help: ArgumentHelp("Where to connect; IPv6 addresses in brackets: [::1]:443.", valueName: "host:port"))
    var endpoint: Endpoint

    @OptionGroup var tls: TlsOptions
    @OptionGroup var preSharedKey: ClientKeyOptions
    @OptionGroup var output: OutputOptions

    @Option(help: ArgumentHelp("The name to send and to find in the certificate. Default: the host.", valueName: "host"))
    var name: String?

    @Flag(name: .customLong("no-system-ca"), help: "Trust only the certificates of --ca, not the system's.")
    var noSystemCa = false

    @Flag(help: "Ask the server to staple the status of its certificate (OCSP), and insist on a good one.")
    var ocsp = false

    @Flag(help: "Accept any certificate. Anyone may then be the server.")
    var noVerify = false

    @Option(
        help: ArgumentHelp(
            "Begin in plain text and switch to TLS: \(SslStartTls.allCases.map(\.rawValue).joined(separator: ", ")).",
            valueName: "protocol"))
    var starttls: SslStartTls?

    @Option(
        help: ArgumentHelp(
            "Connect through a proxy: socks5://[user:password@]host:port or http://[user:password@]host:port.", valueName: "url"))
    var proxy: String?

    @Option(
        help: ArgumentHelp(
            "Resume the session in this file, if it is there and can be used, and keep the new one in it. It holds secrets. Servers of TLS 1.3 send it with their first answer: use --send.",
            valueName: "file"))
    var session: String?

    @Option(help: ArgumentHelp("Send this text and print what comes back.", valueName: "text"))
    var send: String?

    @Option(help: ArgumentHelp("After --send, end when nothing more has come for so many seconds.", valueName: "seconds"))
    var wait = 2.0

    @Flag(help: "Send standard input and print what comes back, until the server ends the connection.")
    var interactive = false

    @Option(help: ArgumentHelp("How long connecting, the handshake and the first answer may each take.", valueName: "seconds"))
    var timeout = 30.0

    @Option(help: ArgumentHelp("Write the facts of the connection into this file, as JSON.", valueName: "file"))
    var report: String?

    @Flag(help: "Tell each step on standard error.")
    var verbose = false

    func validate() throws {
        guard timeout > 0, timeout <= 86_400 else { throw ValidationError("--timeout must be above 0, and at most a day.") }
        guard wait > 0, wait <= 86_400 else { throw ValidationError("--wait must be above 0, and at most a day.") }
        if send != nil, interactive { throw ValidationError("--send and --interactive exclude each other.") }
        if interactive, output.json { throw ValidationError("--interactive cannot go with --json: both need standard output.") }
        if let proxy { _ = try readProxy(proxy) }
        if noVerify, noSystemCa { throw ValidationError("--no-system-ca says whom to trust, --no-verify to trust anyone.") }
    }

    /// Not a type of argument of its own: the parser would repeat what it cannot read, and a password may stand in it.
    private func readProxy(_ url: String) throws -> SslProxy {
        do throws(SslSocketError) {
            return try SslProxy(url: url)
        } catch {
            throw ValidationError(error.message)
        }
    }

    func run() async throws {
        var configuration = try tls.configuration()
        configuration.usesSystemCaCertificates = !noSystemCa
        configuration.ocspStaplingEnabled = ocsp
        configuration.preSharedKeys = try preSharedKey.key().map { [$0] } ?? []
        if noVerify {
            // Judged all the same, so that the report can tell what would have been wrong.
            configuration.peerVerifyMode = .queryPeer
            Console.error(
                output.errorStyle.bad(
                    "sslsocket: WARNING: --no-verify: the server may be anyone, and so may everybody on the way"))
        }
        if let proxy { SslProxy.applicationProxy = try readProxy(proxy) }
        let keeper = try session.map { path throws(ToolFailure) in try SessionKeeper(path) }
        configuration.sessionTicket = keeper?.ticket
        let client = ConnectClient(
            endpoint: endpoint, configuration: configuration, name: name, starttls: starttls, timeout: .seconds(timeout))
        let socket = client.makeSocket()
        keeper?.attach(to: socket)
        if verbose { VerboseLog.attach(to: socket, style: output.errorStyle) }
        var failure = await client.connect(socket)
        let facts = SessionFacts(socket)
        if verbose, let facts { VerboseLog.tell(facts, socket) }
        var connection = ConnectionReport(socket, endpoint: endpoint, facts: facts)
        if failure == nil {
            let (answer, late) = await converse(socket)
            connection.answer = answer.map { String(decoding: $0, as: UTF8.self) }
            failure = late
        }
        if let failure { connection.fail(failure) }
        try keeper?.save()
        if let report { try Json.write(connection, toFile: report) }
        if output.json {
            try Json.print(connection)
        } else if facts != nil, send == nil, !interactive {
            Console.write(Array(connection.text(output.style).utf8))
        }
        if let failure {
            for problem in connection.errors where failure.code == .peerVerificationFailed {
                Console.error("sslsocket: \(problem.name): \(problem.message) (depth \(problem.depth))")
            }
            throw ToolFailure(ExitStatus(failure, wasEncrypted: facts != nil), "\(endpoint): \(failure)")
        }
    }

    /// What is asked for on the encrypted connection, and its end.
    private func converse(_ socket: sending SslSocket) async -> (answer: [UInt8]?, failure: SslSocketError?) {
        if interactive { return (nil, await InteractiveSession(socket).run()) }
        guard let send else {
            await socket.finish(timeout: .seconds(timeout))
            return (nil, nil)
        }
        var exchange = Exchange(socket: socket, keepsAnswer: output.json, timeout: .seconds(timeout), quiet: .seconds(wait))
        let failure = await exchange.run(send)
        return (output.json ? exchange.answer : nil, failure)
    }
}

extension Endpoint: CustomStringConvertible {
    var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
