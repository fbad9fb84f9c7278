import SslTestKit
import Testing

@testable import SslSockets

/// Certificates that look like those of the list: only serial number and name count.
@Suite("Fraudulent certificates")
struct BlacklistTests {
    private func identity(
        _ commonName: String, serial: [UInt8], issuer: String = "Test Root", kind: SslKeyKind = .ec(.secp256r1)
    ) throws -> TestIdentity {
        try TestAuthority.makeRoot(issuer).issue(TestAuthority.Leaf(commonName: commonName, keyKind: kind)) {
            $0.serialNumber = serial
        }
    }

    @Test("Serial number and common name together make a certificate fraudulent", arguments: SslBackends.available)
    func recognised(backend: String) throws {
        func isBlacklisted(_ identity: TestIdentity) throws -> Bool {
            try SslCertificate(der: identity.chain[0], backend: backend).isBlacklisted
        }
        #expect(try isBlacklisted(identity("*.EGO.GOV.TR", serial: [0x08, 0x27])))
        #expect(try isBlacklisted(identity("e-islem.kktcmerkezbankasi.org", serial: [0x08, 0x64])))
        #expect(try isBlacklisted(identity("AC DG Trésor SSL", serial: [0x03, 0x1D, 0xA7])))
        // A number that begins with a set bit has a zero octet before it.
        let google: [UInt8] = [
            0x00, 0xF5, 0xC8, 0x6A, 0xF3, 0x61, 0x62, 0xF1, 0x3A, 0x64, 0xF5, 0x4F, 0x6D, 0xC9, 0x58, 0x7C, 0x06,
        ]
        #expect(try isBlacklisted(identity("www.google.com", serial: google)))
        // The issuer's name counts as well.
        let comodo: [UInt8] = [0x72, 0x03, 0x21, 0x05, 0xC5, 0x0C, 0x08, 0x57, 0x3D, 0x8E, 0xA5, 0x30, 0x4E, 0xFE, 0xE8, 0xB0]
        #expect(try isBlacklisted(identity("any", serial: comodo, issuer: "UTN-USERFirst-Hardware")))
        #expect(try !isBlacklisted(identity("any", serial: comodo)))
        #expect(try !isBlacklisted(identity("*.EGO.GOV.TR", serial: [0x08, 0x28])))
        #expect(try !isBlacklisted(identity("another", serial: [0x08, 0x27])))
        for der in try TestCertificates.shared().identity(.valid).chain {
            #expect(try !SslCertificate(der: der, backend: backend).isBlacklisted)
        }
        #expect(try SslConfiguration.systemCaCertificates(backend: backend).allSatisfy { !$0.isBlacklisted })
    }

    @Test("A client refuses it, and reports it in the modes that refuse nothing", arguments: SocketFixture.all)
    func refused(pair: SocketFixture) throws {
        let identity = try identity("*.EGO.GOV.TR", serial: [0x08, 0x27])
        for mode in [SslPeerVerifyMode.autoVerifyPeer, .verifyPeer, .queryPeer, .verifyNone] {
            var client = try identity.trustingConfiguration(backend: pair.client)
            client.peerVerifyMode = mode
            let pipe = try MemoryPipe(client: client, server: identity.configuration(backend: pair.server))
            let isEchoed = pipe.converse(Array("hello".utf8))
            #expect(pipe.client.connection.peerErrors.map(\.code) == [.certificateBlacklisted], "\(mode)")
            #expect(pipe.client.connection.peerErrors.first?.depth == 0)
            #expect(isEchoed == (mode == .queryPeer || mode == .verifyNone), "\(mode)")
            if !isEchoed { #expect(pipe.client.error?.code == .peerVerificationFailed) }
        }
    }

    @Test("A socket signals it although it verifies nothing", arguments: SocketFixture.all)
    func signalled(pair: SocketFixture) async throws {
        let identity = try identity("*.EGO.GOV.TR", serial: [0x08, 0x27])
        let server = try identity.configuration(backend: pair.server)
        try await pair.withPlainPair { socket in
            socket.sslConfiguration = server
            socket.startServerEncryption()
            _ = await socket.waitForEncrypted()
            _ = try? await socket.receive()
        } _: { socket in
            let trace = Trace(socket)
            #expect(await socket.waitForConnected())
            socket.peerVerifyMode = .verifyNone
            socket.startClientEncryption()
            #expect(await socket.waitForEncrypted())
            #expect(socket.sslHandshakeErrors.map(\.code) == [.certificateBlacklisted])
            #expect(trace.entries.suffix(3) == ["peerVerifyError certificateBlacklisted", "sslErrors 1", "encrypted"])
        }
    }
}
