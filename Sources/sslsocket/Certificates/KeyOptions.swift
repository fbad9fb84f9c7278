internal import ArgumentParser
internal import SslSockets

/// Where the key of a new certificate or request comes from and goes.
struct KeyOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The private key; without it one is made.", valueName: "file"))
    var key: String?

    @Option(
        help: ArgumentHelp("Where a key that is made goes: a new file that nobody but its owner can read.", valueName: "file"))
    var keyOut: String?

    @Option(help: "What is made: rsa:BITS, p256, p384, p521, ed25519 or ed448.")
    var keyKind = "p256"

    @Option(
        help: ArgumentHelp(
            "A file whose first line opens the keys that are read, and encrypts the one that is made.", valueName: "file"))
    var passphraseFile: String?

    /// A key was given or is to be made.
    var isGiven: Bool { key != nil || keyOut != nil }

    /// Says what is missing when a key is needed.
    func validateForMaking(_ subject: SubjectOptions) throws {
        if subject.isEmpty { throw ValidationError("Whom is it for? Give --name or --subject.") }
        if (key == nil) == (keyOut == nil) { throw ValidationError("Give either --key or --key-out.") }
    }

    /// The key, read or made. A key that is made is in its file when this returns.
    func load(backend: String?) throws(SslSocketError) -> SslKey {
        if let key { return try read(key, backend: backend) }
        let made = try SslKey.generate(kind(), backend: backend)
        guard let keyOut else { return made }
        let pem: String
        if let passphrase = try passphrase() { pem = try made.pem(passphrase: passphrase) } else { pem = made.pem }
        var octets = Array(pem.utf8)
        defer { octets.wipe() }
        do throws(ToolFailure) {
            try FileWriter.write(octets, to: keyOut, isSecret: true)
        } catch {
            throw SslSocketError(.unreadableFile, error.message)
        }
        return made
    }

    /// Reads a key file.
    func read(_ path: String, backend: String?) throws(SslSocketError) -> SslKey {
        var bytes = try FileReader.read(path)
        return try SslKey(SecretBytes(wiping: &bytes), passphrase: try passphrase(), backend: backend)
    }

    private func passphrase() throws(SslSocketError) -> SecretBytes? {
        guard let passphraseFile else { return nil }
        var content = try FileReader.read(passphraseFile)
        defer { content.wipe() }
        var line = Array(content.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") })
        guard !line.isEmpty else {
            throw SslSocketError(.unreadableFile, "The first line of the file \(passphraseFile) is empty: there is no passphrase")
        }
        return SecretBytes(wiping: &line)
    }

    private func kind() throws(SslSocketError) -> SslKeyKind {
        switch keyKind.lowercased() {
        case "p256": return .ec(.secp256r1)
        case "p384": return .ec(.secp384r1)
        case "p521": return .ec(.secp521r1)
        case "ed25519": return .ed25519
        case "ed448": return .ed448
        case let text:
            guard text.hasPrefix("rsa:"), let bits = Int(text.dropFirst(4)) else {
                throw SslSocketError(
                    .invalidUserData, "\"\(keyKind)\" is no kind of key: rsa:BITS, p256, p384, p521, ed25519 or ed448")
            }
            return .rsa(bits: bits)
        }
    }
}
