internal import ArgumentParser
internal import SslSockets

/// Where pre-shared keys come from, for clients and servers.
struct PreSharedKeyOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Pre-shared keys: a line identity:hexadecimal-key each, as psktool of GnuTLS writes them; /dev/stdin and /dev/fd/3 for open descriptors.",
            valueName: "file"))
    var pskFile: String?

    @Option(help: ArgumentHelp("The hash that TLS 1.3 binds pre-shared keys to: sha256 or sha384.", valueName: "hash"))
    var pskHash = PskHash.sha256

    /// The hash of a key as an argument.
    enum PskHash: String, ExpressibleByArgument, CaseIterable {
        case sha256, sha384

        var hash: SslHash { self == .sha256 ? .sha256 : .sha384 }
    }

    /// The keys of the file; none without one.
    func keys() throws(ToolFailure) -> [SslPreSharedKey] {
        guard let pskFile else { return [] }
        return try PreSharedKeyFile.read(pskFile, hash: pskHash.hash)
    }
}

/// The one key of a client.
struct ClientKeyOptions: ParsableArguments {
    @OptionGroup var source: PreSharedKeyOptions

    @Option(help: ArgumentHelp("The identity of the pre-shared key. Default: the only one of --psk-file.", valueName: "name"))
    var pskIdentity: String?

    @Option(
        help: ArgumentHelp(
            "The pre-shared key in hexadecimal digits. Every user of this machine can see it in the list of processes: for tests only, and --psk-file otherwise.",
            valueName: "digits"))
    var pskKey: String?

    func validate() throws {
        if pskKey != nil, source.pskFile != nil { throw ValidationError("--psk-key and --psk-file exclude each other.") }
        if pskKey != nil, pskIdentity == nil { throw ValidationError("--psk-key needs --psk-identity.") }
        if pskIdentity != nil, pskKey == nil, source.pskFile == nil {
            throw ValidationError("--psk-identity needs --psk-file, or --psk-key.")
        }
    }

    /// The key; nil when none is asked for.
    func key() throws(ToolFailure) -> SslPreSharedKey? {
        if let pskKey, let pskIdentity {
            guard var octets = Hex.decode(Array(pskKey.utf8)) else {
                throw ToolFailure(.usage, "--psk-key is not in hexadecimal digits")
            }
            do throws(SslSocketError) {
                return try SslPreSharedKey(
                    identity: pskIdentity, key: SecretBytes(wiping: &octets), hash: source.pskHash.hash)
            } catch {
                throw ToolFailure(error)
            }
        }
        guard let file = source.pskFile else { return nil }
        let keys = try source.keys()
        guard let pskIdentity else {
            guard keys.count == 1 else {
                throw ToolFailure(.usage, "\(file) has \(keys.count) keys: say with --psk-identity which of them")
            }
            return keys.first
        }
        guard let key = keys.first(where: { $0.identity == Array(pskIdentity.utf8) }) else {
            throw ToolFailure(.unreadable, "\(file): there is no key of the identity \"\(pskIdentity)\"")
        }
        return key
    }
}
