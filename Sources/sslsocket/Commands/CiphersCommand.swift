internal import ArgumentParser
internal import SslBackend
internal import SslSockets

/// Tells the cipher suites, side by side.
struct CiphersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ciphers", abstract: "Tell the cipher suites: their names here and there, and which TLS library has them.",
        discussion: """
            The order is that of preference. A backend's column says "default" for a suite that is offered when no list is given, "yes" for one \
            that can be asked for, and "no" for one the library does not have.
            """)

    @Argument(help: ArgumentHelp("Only suites one of whose names contains this; capitals do not matter.", valueName: "part"))
    var part: String?

    @Option(help: ArgumentHelp("Only suites of this version of TLS.", valueName: "version"))
    var tls: TlsVersionArgument?

    @Flag(help: "Only suites that are offered when no list is given.")
    var defaults = false

    @Flag(help: "Only suites that need a pre-shared key.")
    var psk = false

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let backends = SslBackends.all
        let list = CipherList(SslCipher.all.filter(isWanted), backends: backends)
        guard !list.suites.isEmpty else { throw ToolFailure(.unavailable, "no cipher suite is like that") }
        if output.json {
            try Json.print(list)
        } else {
            Console.write(Array(list.text(output.style).utf8))
        }
    }

    private func isWanted(_ cipher: SslCipher) -> Bool {
        if let tls, cipher.isTls13 != (tls == .tls13) { return false }
        if defaults, !CipherList.isDefault(cipher) { return false }
        if psk, !cipher.needsPreSharedKey { return false }
        guard let part = part?.uppercased() else { return true }
        return [cipher.name, cipher.opensslName, cipher.gnutlsName].contains { $0.uppercased().contains(part) }
    }
}
