internal import ArgumentParser
internal import SslSockets

/// Certificates without a connection.
struct CertCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cert", abstract: "Make, look at and judge certificates, without a connection.",
        subcommands: [CertVerifyCommand.self, CertInspectCommand.self, CertMakeCommand.self, CertCsrCommand.self])
}

/// Tells what stands in a file of certificates.
struct CertInspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Tell what stands in the certificates of a file (PEM, or one in DER).")

    @Argument(help: "The file.")
    var file: String

    @Option(help: "The TLS library that reads it: gnutls or openssl.")
    var backend: String?

    @Flag(help: "Print the library's own full dump of each.")
    var text = false

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let certificates = try CertificateFile.certificates(file, backend: backend)
        if output.json {
            try Json.print(CertificateDocument(certificates))
        } else if text {
            for certificate in certificates { Console.print(certificate.text()) }
        } else {
            for certificate in certificates {
                let facts = CertificateFacts(certificate)
                Console.print(facts.line)
                if !facts.names.isEmpty { Console.print("  names: " + facts.names.joined(separator: ", ")) }
                Console.print("  serial number: \(facts.serialNumber), valid from \(facts.notBefore ?? "?")")
                if let digest = facts.sha256 { Console.print("  SHA-256: \(digest)") }
                if let pin = facts.pin { Console.print("  pin: sha256//\(pin)") }
                for one in certificate.extensions { Console.print("  " + ExtensionFacts(one).line) }
            }
        }
    }
}
