internal import ArgumentParser
internal import SslSockets

/// Makes a certificate.
struct CertMakeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "make", abstract: "Make a certificate: self-signed, or signed by an authority.",
        discussion: """
            Without --issuer the certificate signs itself; with --ca it is that of an authority. A key is made unless --key or --request brings \
            one. A key file is new and nobody but its owner can read it.

            An authority and a server of it:
              sslsocket cert make --ca --name "My CA" --key-out ca.key --out ca.pem
              sslsocket cert make --name www.example.test --issuer ca.pem --issuer-key ca.key --key-out www.key --out www.pem
            """)

    @OptionGroup var subject: SubjectOptions

    @Flag(help: "For an authority.")
    var ca = false

    @Flag(help: "For a client.")
    var client = false

    @Option(help: "How many authorities may follow below this one. Default: any number.")
    var pathLength: Int?

    @Option(help: "For how many days it holds. Default: 3650 for an authority, 90 for others.")
    var days: Int?

    @Option(
        help: ArgumentHelp("Answer a certificate request: its key, its subject and its alternative names.", valueName: "file"))
    var request: String?

    @Option(help: ArgumentHelp("The certificate of the authority that signs.", valueName: "file"))
    var issuer: String?

    @Option(help: ArgumentHelp("The private key of that authority.", valueName: "file"))
    var issuerKey: String?

    @OptionGroup var key: KeyOptions

    @Option(help: ArgumentHelp("Where the certificate goes. Default: standard output.", valueName: "file"))
    var out: String?

    @Option(help: "The TLS library that signs: gnutls or openssl.")
    var backend: String?

    @OptionGroup var output: OutputOptions

    func validate() throws {
        if (issuer == nil) != (issuerKey == nil) { throw ValidationError("--issuer and --issuer-key belong together.") }
        if ca && client { throw ValidationError("Give either --ca or --client.") }
        if !ca && pathLength != nil { throw ValidationError("--path-length is for --ca.") }
        if output.json && out == nil { throw ValidationError("With --json the certificate needs a file: --out.") }
        guard request != nil else { return try key.validateForMaking(subject) }
        if issuer == nil { throw ValidationError("A request is answered by an authority: --issuer and --issuer-key.") }
        if key.isGiven || !subject.isEmpty {
            throw ValidationError("A request brings its own key and names: neither --key, --key-out nor --name.")
        }
    }

    func run() async throws {
        try FileWriter.refuse(out, among: [key.key, key.keyOut, key.passphraseFile, request, issuer, issuerKey])
        let made: SslCertificate
        do throws(SslSocketError) {
            made = try make()
        } catch {
            throw ToolFailure(error)
        }
        let pem = Array(made.pem.utf8)
        if let out { try FileWriter.write(pem, to: out) } else { Console.write(pem) }
        if output.json {
            try Json.print(CertificateDocument([made]))
        } else if out != nil {
            Console.print(CertificateFacts(made).line)
        }
    }

    private func make() throws(SslSocketError) -> SslCertificate {
        let authority = try authority()
        if let request, let authority {
            let read = try SslCertificateRequest(fromFile: request, backend: backend)
            var template = try template(names: ["-"])
            template.subject = read.subject
            // A request whose names are malformed is refused, and not answered by a certificate without any.
            template.alternativeNames = try read.template().alternativeNames
            return try authority.issue(template, for: read.publicKey)
        }
        let template = try subject.apply(to: template(names: subject.name))
        let ownKey = try key.load(backend: backend)
        if let authority { return try authority.issue(template, for: ownKey) }
        return try SslCertificate.selfSigned(template, key: ownKey, backend: backend)
    }

    private func authority() throws(SslSocketError) -> SslCertificateAuthority? {
        guard let issuer, let issuerKey else { return nil }
        guard let certificate = try SslCertificate.certificates(fromFile: issuer, backend: backend).first else { return nil }
        return try SslCertificateAuthority(
            certificate: certificate, key: key.read(issuerKey, backend: backend), backend: backend)
    }

    private func template(names: [String]) throws(SslSocketError) -> SslCertificateTemplate {
        let name = names.first ?? subject.commonName ?? ""
        if ca { return try .authority(commonName: name, pathLength: pathLength, days: days ?? 3650) }
        if client || request != nil {
            var template = try SslCertificateTemplate.client(commonName: name, days: days ?? 90)
            if !client { template.extendedKeyUsage = [SslPurpose.serverAuthentication.objectIdentifier] }
            return template
        }
        return try .server(names: names, days: days ?? 90)
    }
}

/// Whom a certificate is for.
struct SubjectOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A name: of a host, which may begin with *., or an address; with --ca or --client anything. May be given several times for hosts.",
            valueName: "name"))
    var name: [String] = []

    @Option(
        help: ArgumentHelp(
            "The subject, for example \"C=DE, O=Example, CN=www.example.test\". Default: the first name as CN.",
            valueName: "attributes"))
    var subject: String?

    /// Nothing was given.
    var isEmpty: Bool { name.isEmpty && subject == nil }

    /// The common name in the subject.
    var commonName: String? { (try? attributes())?.first { $0.oid == "2.5.4.3" }?.value }

    /// The template with the subject in it.
    func apply(to template: SslCertificateTemplate) throws(SslSocketError) -> SslCertificateTemplate {
        guard subject != nil else { return template }
        var template = template
        template.subject = try attributes()
        return template
    }

    private func attributes() throws(SslSocketError) -> [SslNameAttribute] {
        var list: [SslNameAttribute] = []
        for part in (subject ?? "").split(separator: ",") {
            let pair = part.split(separator: "=", maxSplits: 1).map { $0.trimmed }
            guard pair.count == 2, let oid = Self.oid(pair[0]) else {
                throw SslSocketError(.invalidUserData, "--subject is a list like \"O=Example, CN=name\", not \"\(part)\"")
            }
            list.append(SslNameAttribute(oid: oid, value: pair[1]))
        }
        return list
    }

    private static func oid(_ label: String) -> String? {
        CertificateFacts.labels.first { $0.value == label.uppercased() }?.key
            ?? (label.allSatisfy { $0.isNumber || $0 == "." } ? label : nil)
    }
}

extension Substring {
    /// Without blanks at the ends.
    fileprivate var trimmed: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
