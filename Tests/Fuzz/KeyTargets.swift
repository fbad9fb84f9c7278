import SslBackend
import SslTestKit

@testable import SslSockets

extension FuzzTarget {
    private static let kinds: [SslKeyKind] = [.rsa(bits: 2048), .ec(.secp256r1), .ed25519]

    /// Private keys in PEM and DER, open and encrypted, new and old.
    static let privateKey = FuzzTarget(name: "private-key") {
        var seeds: [[UInt8]] = []
        let passphrase = SecretBytes(Array("sesame".utf8))
        for kind in kinds {
            let key = try SslKey.generate(kind)
            seeds += [Array(key.pem.utf8), key.der.copy]
            if let old = try? key.pem(passphrase: passphrase, encryption: .legacyAes128) { seeds.append(Array(old.utf8)) }
            if let old = try? key.pem(passphrase: passphrase, encryption: .legacyTripleDes) { seeds.append(Array(old.utf8)) }
        }
        // Six rounds instead of 600,000: what takes long is not what is looked for.
        let sealed = try SslKey.generate(.ec(.secp256r1)).der(passphrase: passphrase)
        let rounds = DerWriter.integer(600_000)
        if let place = sealed.indices.first(where: { sealed[$0...].starts(with: rounds) }) {
            var quick = sealed
            quick.replaceSubrange((place + 2)..<(place + rounds.count), with: [0, 0, 6].suffix(rounds.count - 2))
            seeds.append(quick)
        }
        return Prepared(seeds: seeds) { input in
            for backend in SslBackends.all.map(\.name) {
                for format in [SslEncodingFormat.pem, .der] {
                    for passphrase in [nil, "sesame"] {
                        guard let key = try? SslKey(input, format: format, passphrase: passphrase, backend: backend) else {
                            continue
                        }
                        require(key.type == .privateKey && !key.publicKeyInfo.isEmpty, "a key without a public half")
                        // What was read can be written, and read again as the same.
                        let again = try? SslKey(key.der, format: .der, backend: backend)
                        require(again == key, "another key after writing and reading")
                    }
                }
            }
        }
    }

    /// Public keys in PEM and DER.
    static let publicKey = FuzzTarget(name: "public-key") {
        let keys = try kinds.map { try SslKey.generate($0).publicKey }
        return Prepared(seeds: keys.flatMap { [Array($0.pem.utf8), $0.publicKeyInfo] }) { input in
            for backend in SslBackends.all.map(\.name) {
                for format in [SslEncodingFormat.pem, .der] {
                    guard let key = try? SslKey(publicKey: input, format: format, backend: backend) else { continue }
                    require(key.type == .publicKey, "a private key from a public one")
                    _ = "\(key) \(key.algorithm) \(key.length) \(key.pem)"
                }
            }
        }
    }

    /// A PKCS#12 file with passphrase "sesame" and one round, for the libraries write files with many thousands: what takes long is not what is looked for.
    /// Its certificate is for one day in 2026, which matters to nobody who only reads it.
    private static let quickBundle = """
        MIID9gIBAzCCA7AGCSqGSIb3DQEHAaCCA6EEggOdMIIDmTCCAlEGCSqGSIb3DQEHBqCCAkIwggI+AgEAMIICNwYJKoZIhvcNAQcBMFYGCSqGSIb3DQEF
        DTBJMCgGCSqGSIb3DQEFDDAbBAg7frXetp/DaQIBATAMBggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBKgQQIwaAFVTSOcr0NIG3KabLAYCCAdD0SiGsuaAh
        79N1LtbgRDjzYlGu9OFmrplYiWCZv4wx5IHx7F4Xy1TAib3u8fhcmBzl4WDuAti/PWqltQ3KTTETH/7/a2I7xf0HsDG+4hsXDZEDWQ5I3jk5uA6XKi6R
        ctgN9JeEqvJkrtS/lDeutBWNdfwH5fnha8dqYSt3zhVpl7URI/GEKNdeOVQjtzygUJO/wqxYlqm4wSR2/8EudX3kp2ODOG4kloZjsYwOwQ0cOQqJolbf
        rSdNf3FC7rRtylJns8o1EG8UYX26a/hgxpxTsHXIWpNYJBFLtVNLf5BXssLoR0zHccr9M+kXYZYTyNbKA1tVnWthIUVJYWXquw24qItgiPH1TgoHYvds
        yVWBnuE3SLCUu/89SrSOmEvzBrxZlj3eUr73AsWSs8xzGn/9UX8d/pHBqBDx8O/zyNexwtxW0obVGlno1CrBgNcyCZy88m+AMtw2GYvjtEJ48EGKt5w3
        Ym8PJgZt512L3EkPpnDbwBP+6LF9d84Ng3U9H/NPvADU3YixYZmxENzHD3gQY1wIk7W2emuiaLDT1yrHZzmPLZUni6BSGBr35zF8iHxQSfX1748krhxT
        MY1IKn6FNUd60BHPRJOg39kVB9sMQzCCAUAGCSqGSIb3DQEHAaCCATEEggEtMIIBKTCCASUGCyqGSIb3DQEMCgECoIHuMIHrMFYGCSqGSIb3DQEFDTBJ
        MCgGCSqGSIb3DQEFDDAbBAgohPZTeEqCYAIBATAMBggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBKgQQpWdTbt7vkqxWop9KT3jflwSBkI21b4KJHbd1shU3
        4rQeYCuraKO9zE9Mw5NwKi1/V2XvlAPNcD4HAutUUPYKIx/2mfrro172lfHYozZMuisuCkljFG0goJ4wbSpL/vC7HcyngaJK3UiZrsKroJm2NBJCPL6g
        zpStTcIJF/NF0/gKR4MTuPvlPWVhqdgo6yW24eqDVsRex4FNjraMlmqHFKAsWjElMCMGCSqGSIb3DQEJFTEWBBTUiTdbrBJV5CMxqKBhaCabw88u9DA9
        MDEwDQYJYIZIAWUDBAIBBQAEIC3pRYdAdjjcJd+CINDnnq8QF0917JY/dQwNVC5PjO64BAgnKHzJ4RyKig==
        """

    /// PKCS#12 files.
    static let keyBundle = FuzzTarget(name: "key-bundle") {
        guard let seed = Pem.decodeBase64(Array(quickBundle.utf8.filter { $0 != 0x0A })) else {
            throw SslSocketError(.invalidUserData, "The seed is no Base64")
        }
        for backend in SslBackends.available {
            let passphrase = SecretBytes(Array("sesame".utf8))
            require(
                (try? SslKeyBundle(pkcs12: SecretBytes(seed), passphrase: passphrase, backend: backend))?.key != nil,
                "the seed is bad")
        }
        return Prepared(seeds: [seed]) { input in
            for backend in SslBackends.available {
                for passphrase in [[], Array("sesame".utf8)] {
                    guard
                        let bundle = try? SslKeyBundle(
                            pkcs12: SecretBytes(input), passphrase: SecretBytes(passphrase), backend: backend)
                    else { continue }
                    _ = bundle.certificateChain.map(\.description)
                }
            }
        }
    }
}
