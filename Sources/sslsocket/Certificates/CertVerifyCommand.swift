internal import ArgumentParser
internal import Glibc
internal import SslSockets

/// Judges a chain, or a stream of them.
struct CertVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Judge a certificate chain as a handshake would.",
        discussion: """
            Prints ACCEPT or REJECT, and then the name of each problem in a line; the exit status is 0 or 1.

            With --batch each line of standard input is a JSON object with id, roots, intermediates, leaf and crls (PEM), crl_check (leaf or \
            chain), time (RFC 3339), purpose, names, max_depth and profile; each is answered by a line with id, result and errors.
            """)

    @Flag(help: "Judge one JSON object of each line of standard input.")
    var batch = false

    @Option(help: "The TLS library: gnutls or openssl. Default: the one SSLSOCKET_BACKEND names, or the first that is there.")
    var backend: String?

    @Option(help: ArgumentHelp("The trusted certificates. Default: those of the system.", valueName: "file"))
    var roots: String?

    @Option(help: ArgumentHelp("More certificates to build a path from.", valueName: "file"))
    var intermediates: String?

    @Option(
        help: ArgumentHelp("The certificate to judge, first in the file; others behind it are intermediates.", valueName: "file"))
    var leaf: String?

    @Option(help: ArgumentHelp("Revocation lists.", valueName: "file"))
    var crl: [String] = []

    @Option(help: "Which certificates need a list: automatic, off, leaf, chain or listed.")
    var crlCheck = "automatic"

    @Option(help: ArgumentHelp("The time to judge at, as in RFC 3339. Default: now.", valueName: "time"))
    var time: String?

    @Option(help: "What the certificate must be good for: server, client or any.")
    var purpose = "server"

    @Option(help: ArgumentHelp("A name it must prove: dns:NAME, ip:ADDRESS or email:ADDRESS.", valueName: "name"))
    var name: [String] = []

    @Option(help: ArgumentHelp("The most intermediates between the certificate and the trusted one.", valueName: "number"))
    var maxDepth: Int?

    @Option(help: "How strictly to keep to the standards: path, rfc5280 or webpki.")
    var profile = "path"

    func validate() throws {
        if batch != (leaf == nil) { throw ValidationError("Give either --batch or --leaf.") }
        if let maxDepth, maxDepth < 0 { throw ValidationError("--max-depth is below 0.") }
    }

    func run() async throws {
        if batch { return try runBatch() }
        guard let leaf else { throw ToolFailure(.usage, "--leaf is missing") }
        var question = ChainQuestion()
        question.backend = backend
        question.chain = try CertificateFile.certificates(leaf, backend: backend)
        if let intermediates { question.chain += try CertificateFile.certificates(intermediates, backend: backend) }
        if let roots { question.roots = try CertificateFile.certificates(roots, backend: backend) }
        for file in crl { question.revocationLists += try CertificateFile.revocationLists(file) }
        try question.setRevocationPolicy(crlCheck)
        try question.setPurpose(purpose)
        try question.setProfile(profile)
        if let time { try question.setTime(time) }
        for text in name {
            guard let colon = text.firstIndex(of: ":") else {
                throw ToolFailure(.usage, "--name is dns:NAME, ip:ADDRESS or email:ADDRESS, not \"\(text)\"")
            }
            try question.addName(kind: String(text[..<colon]), value: String(text[text.index(after: colon)...]))
        }
        question.maxIntermediates = maxDepth
        let answer = try question.answer()
        Console.print(answer.isEmpty ? "ACCEPT" : "REJECT")
        for one in answer { Console.print(one) }
        if !answer.isEmpty { Glibc.exit(1) }
    }

    /// One object a line, answered in order at once.
    private func runBatch() throws(ToolFailure) {
        // An unknown backend is said before anything is read.
        do throws(SslSocketError) {
            if let backend { _ = try SslBackends.named(backend) }
        } catch {
            throw ToolFailure(error)
        }
        while let line = readLine() {
            if line.utf8.allSatisfy({ $0 == 0x20 }) { continue }
            try Json.printLine(BatchChain.answer(line, backend: backend))
        }
    }
}
