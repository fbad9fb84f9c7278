internal import SslBackend
internal import SslSockets

/// Cipher suites, as `ciphers --json` writes them. `docs/schema/ciphers.schema.json` describes it.
struct CipherList: Encodable {
    struct Suite: Encodable {
        /// The two octets on the wire, as in `0x1301`.
        let code: String
        /// The name of the IANA registry.
        let name: String
        let opensslName: String
        let gnutlsName: String
        /// `TLSv1.2` or `TLSv1.3`.
        let version: String
        let keyExchange: String
        let authentication: String
        let encryption: String
        let bits: Int
        /// Offered when no list is given, by every backend that has it; those with a pre-shared key only where there is one.
        let isDefault: Bool
        /// The backends that have it.
        let backends: [String]
    }

    let schema = 1
    var tool = ToolVersion.text
    /// The names of all backends.
    let backends: [String]
    let suites: [Suite]

    init(_ ciphers: [SslCipher], backends: [any TlsBackend]) {
        self.backends = backends.map(\.name)
        suites = ciphers.map { cipher in
            let hex = String(cipher.code, radix: 16, uppercase: true)
            return Suite(
                code: "0x" + String(repeating: "0", count: 4 - hex.count) + hex, name: cipher.name,
                opensslName: cipher.opensslName, gnutlsName: cipher.gnutlsName, version: cipher.protocolString,
                keyExchange: cipher.keyExchangeMethod, authentication: cipher.authenticationMethod,
                encryption: cipher.encryptionMethod, bits: cipher.usedBits, isDefault: Self.isDefault(cipher),
                backends: backends.filter { $0.capabilities.cipherSuites.contains(cipher) }.map(\.name))
        }
    }

    /// Offered when no list is given.
    static func isDefault(_ cipher: SslCipher) -> Bool {
        SslCipher.defaults.contains(cipher) || SslCipher.preSharedKeyDefaults.contains(cipher)
    }

    /// The same for people.
    func text(_ style: Style) -> String {
        var table = Table()
        let heads = ["code", "IANA", "OpenSSL", "GnuTLS", "version", "bits"] + backends
        table.add(heads.map { Table.Cell($0, paint: style.strong) })
        for suite in suites {
            let names = [suite.code, suite.name, suite.opensslName, suite.gnutlsName, suite.version, "\(suite.bits)"]
            table.add(
                names.map { Table.Cell($0) }
                    + backends.map { name in
                        guard suite.backends.contains(name) else { return Table.Cell("no", paint: style.notable) }
                        return suite.isDefault ? Table.Cell("default", paint: style.good) : Table.Cell("yes")
                    })
        }
        return table.lines.map { $0 + "\n" }.joined()
    }
}
