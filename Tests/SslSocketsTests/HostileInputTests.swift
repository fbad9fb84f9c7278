import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

/// What fuzzing found once: it must not come back.
@Suite("Hostile input")
struct HostileInputTests {
    static let backends = SslBackends.available

    @Test("A damaged session is refused or of no use, and nothing crashes", arguments: backends, [SslProtocol.tlsV1_2, .tlsV1_3])
    func damagedSession(backend: String, version: SslProtocol) throws {
        let identity = try TestCertificates.shared().identity(.valid)
        var client = try identity.trustingConfiguration(backend: backend)
        client.protocol = version
        var server = try identity.configuration(backend: backend)
        server.peerVerifyMode = .verifyNone
        let pipe = try MemoryPipe(client: client, server: server)
        pipe.converse([1, 2, 3])
        let good = try #require(pipe.client.tickets.first).secret.copy
        let context = try client.context(role: .client)
        _ = try context.makeSession(TlsSessionParameters(serverName: identity.host, resumption: good))
        var random = Damage(seed: 8446)
        var refused = 0
        for round in 0..<200 {
            let octets = round < 60 ? Array(good.prefix(round * good.count / 60)) : random.damage(good)
            do throws(SslSocketError) {
                _ = try context.makeSession(TlsSessionParameters(serverName: identity.host, resumption: octets))
            } catch {
                refused += 1
                #expect(error.code == .invalidUserData)
            }
        }
        #expect(refused > 20)
        if backend == "gnutls" { #expect(refused >= 195) }
    }

    @Test("A file that asks for hours of work on a passphrase is refused at once", arguments: backends)
    func costlyPassphrase(backend: String) throws {
        let passphrase = SecretBytes(Array("sesame".utf8))
        let sealed = try SslKey.generate(.ec(.secp256r1), backend: backend).der(passphrase: passphrase)
        #expect(!KeyDerivationCost.isExcessive(sealed))
        let rounds = DerWriter.integer(600_000)
        let place = try #require(sealed.indices.first { sealed[$0...].starts(with: rounds) })
        var costly = sealed
        // As long as before: 8,388,607 rounds are many, but some ask for them; negative is nonsense.
        costly.replaceSubrange((place + 2)..<(place + rounds.count), with: [0x7F, 0xFF, 0xFF])
        #expect(!KeyDerivationCost.isExcessive(costly))
        costly.replaceSubrange((place + 2)..<(place + rounds.count), with: [0xFF, 0xFF, 0xFE])
        #expect(throws: SslSocketError.self) { try SslKey(costly, format: .der, passphrase: "sesame", backend: backend) }
        // The proof of integrity of a PKCS#12 file (RFC 7292 section 4): salt, then rounds.
        let proof = Der.sequence(Der.sequence(), Der.element(0x04, [1, 2, 3, 4]), Der.integer([0x7F, 0xFF, 0xFF, 0xFF]))
        let content = Der.sequence(Der.oid("1.2.840.113549.1.7.1"), Der.element(0xA0, Der.element(0x04, Der.sequence())))
        let file = Der.sequence(Der.integer([3]), content, proof)
        #expect(KeyDerivationCost.isExcessive(file))
        let error = #expect(throws: SslSocketError.self) {
            try SslKeyBundle(pkcs12: SecretBytes(file), passphrase: passphrase, backend: backend)
        }
        #expect(error?.message.contains("rounds") == true)
    }

    @Test("Containers in containers without end are no trouble")
    func deep() {
        var octets = Der.integer([1])
        for _ in 0..<2000 { octets = Der.sequence(octets) }
        #expect(!KeyDerivationCost.isExcessive(octets))
        for backend in Self.backends {
            #expect(throws: SslSocketError.self) { try SslCertificate(der: octets, backend: backend) }
            #expect(throws: SslSocketError.self) { try SslKey(octets, format: .der, passphrase: "x", backend: backend) }
        }
        #expect(throws: SslSocketError.self) { try SslRevocationList(der: octets) }
    }
}
