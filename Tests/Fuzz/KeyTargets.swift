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

    /// PKCS#12 files.
    static let keyBundle = FuzzTarget(name: "key-bundle") {
        let credentials = try TestCertificates.shared().identity(.valid).credentials(backend: SslBackends.available[0])
        let passphrase = SecretBytes(Array("sesame".utf8))
        var seeds: [[UInt8]] = []
        for backend in SslBackends.available {
            seeds.append(
                try SslKeyBundle(key: credentials.key, certificateChain: credentials.chain).pkcs12(
                    passphrase: passphrase, backend: backend))
        }
        return Prepared(seeds: seeds) { input in
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
