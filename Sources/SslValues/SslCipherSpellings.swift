/// How other libraries spell the names of cipher suites, for whoever brings a list of them along.
extension SslCipher {
    /// The name OpenSSL and Qt have for it, for example `ECDHE-RSA-AES128-GCM-SHA256`; the IANA name for a suite of TLS 1.3 and for one
    /// this library has no name for.
    public var opensslName: String {
        guard let row, !isTls13 else { return name }
        return Self.opensslName(row.name)
    }

    /// The name older versions of GnuTLS had for it, for example `TLS_ECDHE_RSA_AES_128_GCM_SHA256`; newer ones have the IANA name, as have the
    /// suites of TLS 1.3.
    public var gnutlsName: String {
        guard let row, !isTls13 else { return name }
        return Self.gnutlsName(row.name)
    }

    /// The codes by every spelling of their names.
    static let codes: [String: UInt16] = {
        var codes: [String: UInt16] = [:]
        for row in table {
            codes[row.name] = row.code
            guard row.code >> 8 != 0x13 else { continue }
            codes[opensslName(row.name)] = row.code
            codes[gnutlsName(row.name)] = row.code
        }
        return codes
    }()

    /// OpenSSL leaves out `TLS`, `WITH`, the key exchange of plain RSA, `CBC` and the hash of ChaCha20, and joins a cipher with its key size.
    private static func opensslName(_ name: String) -> String {
        let words = name.split(separator: "_").dropFirst()
        let agreement = words.prefix { $0 != "WITH" }.map(String.init)
        var parts = agreement == ["RSA"] ? [] : agreement
        for word in words.drop(while: { $0 != "WITH" }).dropFirst() where word != "CBC" {
            if parts.last == "POLY1305" { break }
            if parts.last == "AES" { parts[parts.count - 1] += word } else { parts.append(String(word)) }
        }
        return parts.joined(separator: "-")
    }

    /// GnuTLS left out `WITH` before version 3.7.4, and wrote SHA-1 as such.
    private static func gnutlsName(_ name: String) -> String {
        var words = name.split(separator: "_").filter { $0 != "WITH" }
        if words.last == "SHA" { words[words.count - 1] = "SHA1" }
        return words.joined(separator: "_")
    }
}
