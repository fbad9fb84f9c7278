internal import ArgumentParser
internal import SslSockets

/// Makes a certificate request, or tells what stands in one.
struct CertCsrCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "csr", abstract: "Make a certificate request, or tell what stands in one and check its signature.",
        discussion: """
            With a file it is read; otherwise a request is made:
              sslsocket cert csr --name www.example.test --key-out www.key --out www.csr
            """)

    @Argument(help: "The request to look at (PEM).")
    var file: String?

    @OptionGroup var subject: SubjectOptions

    @OptionGroup var key: KeyOptions

    @Option(help: ArgumentHelp("Where the request goes. Default: standard output.", valueName: "file"))
    var out: String?

    @Option(help: "The TLS library that signs or checks: gnutls or openssl.")
    var backend: String?

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard file == nil else {
            if !subject.isEmpty || key.isGiven || out != nil {
                throw ValidationError("A request that is looked at is not made: neither --name, --key, --key-out nor --out.")
            }
            return
        }
        try key.validateForMaking(subject)
        if output.json && out == nil { throw ValidationError("With --json the request needs a file: --out.") }
    }

    func run() async throws {
        try FileWriter.refuse(out, among: [key.key, key.keyOut, key.passphraseFile, file])
        let request: SslCertificateRequest
        do throws(SslSocketError) {
            request = if let file { try read(file) } else { try make() }
        } catch {
            throw file != nil && error.code == .invalidUserData
                ? ToolFailure(.unreadable, error.description) : ToolFailure(error)
        }
        if file == nil {
            let pem = Array(request.pem.utf8)
            guard let out else { return Console.write(pem) }
            try FileWriter.write(pem, to: out)
        }
        let facts = RequestFacts(request)
        if output.json { return try Json.print(facts) }
        Console.print("\(facts.subject) (\(facts.keyAlgorithm) \(facts.keyBits)), signed with its own key")
        for line in facts.extensions.map(\.line) { Console.print("  " + line) }
    }

    private func read(_ path: String) throws(SslSocketError) -> SslCertificateRequest {
        try SslCertificateRequest(fromFile: path, backend: backend)
    }

    private func make() throws(SslSocketError) -> SslCertificateRequest {
        let isHost = !subject.name.isEmpty
        let template =
            try isHost ? .server(names: subject.name) : SslCertificateTemplate.client(commonName: subject.commonName ?? "-")
        var wish = try subject.apply(to: template)
        if !isHost {
            wish.extendedKeyUsage = []
            wish.keyUsage = nil
        }
        wish.basicConstraints = nil
        return try SslCertificateRequest(wish, key: key.load(backend: backend), backend: backend)
    }
}
