import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

@Suite("Diffie-Hellman parameters")
struct DiffieHellmanTests {
    /// A safe prime of 2048 bits that nobody else uses, with the generator 2.
    static let own = """
        -----BEGIN DH PARAMETERS-----
        MIIBCAKCAQEA0v1H3utqk/EiGf7YV5b4QpiYEF2pbFh8eBfMFiWGSiZKGrZX1AO6
        rJ6OzpNXQBHH1IjVMjcGhw2iTN2KiPQSH/Xkjer88WDG1GiXGVN0uJIWoNfgc043
        hyAC1wIX6i4KlK6lTjrhQUTQOsI1/zSj1wzp2sF3vVe5osBZ4yyDeaDJRV0ibdnL
        xYl0EFBsuCCfbxvjrkAtc3ejJ6laVtdCI6J10QxHRQzXJGDxTOZtYgBOj0CTZ1Mn
        GLGHXbSh5Irp1vnFR9SusTKVtVAnJzh1zwG60BUbVGr3fis8wdxvI/PcC0ir/xf0
        DzqezPGxzFFgQ9+xRVByvjVaGp23vmmyPwIBAg==
        -----END DH PARAMETERS-----
        """
    /// A safe prime of 512 bits.
    static let small = """
        -----BEGIN DH PARAMETERS-----
        MEYCQQDrJtXOsHtKnxiqfOGB4kEZ9U/S4Vu1+ZjV9Uiei2CkalhqOP2q+kjRCeLK
        wD7susBvw1H8C3Rk53GkklCNodH3AgEC
        -----END DH PARAMETERS-----
        """

    @Test("The default is a group of 2048 bits and passes the check of every backend", arguments: SslBackends.available)
    func defaultIsValid(backend: String) throws {
        let parameters = SslDiffieHellmanParameters.default
        #expect(parameters.bits == 2048)
        #expect(try SslDiffieHellmanParameters(parameters.der, format: .der, backend: backend) == parameters)
        // The value knows this group; the backend must find the same by itself.
        let prime = Array(parameters.der.dropFirst(9).prefix(256))
        #expect(prime.first == 0xFF && prime.last == 0xFF)
        #expect(try SslBackends.named(backend).isSafePrime(prime))
        #expect("\(parameters)" == "Diffie-Hellman parameters, 2048 bits")
    }

    @Test("PEM and DER give the same value, which can be written again", arguments: SslBackends.available)
    func encodings(backend: String) throws {
        let fromPem = try SslDiffieHellmanParameters(Array(Self.own.utf8), backend: backend)
        let fromDer = try SslDiffieHellmanParameters(fromPem.der, format: .der, backend: backend)
        #expect(fromPem == fromDer)
        #expect(fromPem.hashValue == fromDer.hashValue)
        #expect(fromPem.bits == 2048)
        #expect(fromPem != .default)
        #expect(try SslDiffieHellmanParameters(Array(fromPem.pem.utf8), backend: backend) == fromPem)
    }

    @Test("What is too small, no safe prime or has a trivial generator is unsafe", arguments: SslBackends.available)
    func unsafe(backend: String) throws {
        func refusal(_ der: [UInt8]) -> SslSocketError? {
            do {
                _ = try SslDiffieHellmanParameters(der, format: .der, backend: backend)
                return nil
            } catch {
                return error
            }
        }
        #expect(throws: SslSocketError(.unsafeParameters, "")) {
            try SslDiffieHellmanParameters(Array(Self.small.utf8), backend: backend)
        }
        let good = SslDiffieHellmanParameters.default.der
        // The generator is the last octet; 1 and the prime less 1 are trivial.
        #expect(refusal(good.dropLast() + [1])?.code == .unsafeParameters)
        // One octet of the prime changed: no prime any more. (The last digits stay odd.)
        var composite = good
        composite[100] ^= 0x10
        let error = try #require(refusal(composite))
        #expect(error.code == .unsafeParameters)
        #expect(error.message.contains("safe prime"))
        // 2^2203 - 1 is prime and half of it is not.
        let mersenne = [0x07] + [UInt8](repeating: 0xFF, count: 275)
        #expect(refusal(Self.encode(mersenne))?.code == .unsafeParameters)
        #expect(try !SslBackends.named(backend).isSafePrime(mersenne))
    }

    @Test("Primes, and numbers that only look like it, are told apart alike", arguments: SslBackends.available)
    func primality(backend: String) throws {
        let engine = try SslBackends.named(backend)
        for (number, isSafe): (UInt32, Bool) in [
            (5, true), (7, true), (11, true), (13, false), (23, true), (47, true), (59, true), (9, false), (561, false),
            (1, false),
            (4, false), (2, false), (3, false), (2579, true), (65_537, false), (4_294_967_291, false), (4_294_967_087, true),
        ] {
            let octets = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }.drop { $0 == 0 }
            #expect(engine.isSafePrime(Array(octets)) == isSafe, "\(number)")
        }
        #expect(!engine.isSafePrime([]))
    }

    @Test("What is malformed is refused as such and never crashes", arguments: SslBackends.available)
    func malformed(backend: String) throws {
        let good = SslDiffieHellmanParameters.default.der
        var cases: [[UInt8]] = [
            [], [0x30], [0x30, 0], [0x30, 3, 2, 1, 5], good + [0], Array(good.dropLast()), [0x31] + good.dropFirst(),
        ]
        cases.append(Array("garbage".utf8))
        // A negative prime, and one with two zero octets before it.
        var negative = good
        negative.remove(at: 8)
        cases.append(negative)
        for length in 0..<12 { cases.append(Array(good.prefix(length))) }
        for bytes in cases {
            #expect(throws: SslSocketError(.invalidUserData, "")) {
                try SslDiffieHellmanParameters(bytes, format: .der, backend: backend)
            }
        }
        #expect(throws: SslSocketError(.invalidUserData, "")) {
            try SslDiffieHellmanParameters(Array("no PEM".utf8), backend: backend)
        }
        #expect(throws: SslSocketError(.unreadableFile, "")) {
            try SslDiffieHellmanParameters(fromFile: "/no/such/file", backend: backend)
        }
    }

    // MARK: In connections

    private func setup(
        _ pair: SocketFixture, cipher: String = "DHE-RSA-AES128-GCM-SHA256", _ parameters: SslDiffieHellmanParameters?
    ) throws -> MemoryPipe {
        let identity = try TestCertificates.shared().identity(.rsa)
        var client = try identity.trustingConfiguration(backend: pair.client)
        var server = try identity.configuration(backend: pair.server)
        client.protocol = .tlsV1_2
        server.protocol = .tlsV1_2
        try client.setCiphers(cipher)
        try server.setCiphers(cipher)
        server.diffieHellmanParameters = parameters
        return try MemoryPipe(client: client, server: server)
    }

    @Test("DHE works with the backend's choice, the default group and one's own", arguments: SocketFixture.all)
    func dheServer(pair: SocketFixture) throws {
        let own = try SslDiffieHellmanParameters(Array(Self.own.utf8), backend: pair.server)
        for parameters in [nil, .default, own] {
            let pipe = try setup(pair, parameters)
            #expect(
                pipe.converse(Array("hello".utf8)),
                "\(parameters == nil ? "automatic" : parameters == .default ? "default" : "own"): \(String(describing: pipe.server.error)), \(String(describing: pipe.client.error))"
            )
            #expect(pipe.client.connection.facts.cipher?.opensslName == "DHE-RSA-AES128-GCM-SHA256")
            #expect(pipe.client.connection.facts.diffieHellmanBits == 2048)
            if let parameters {
                // The prime stands in the ServerKeyExchange as it is.
                let prime = Array(parameters.der.dropFirst(9).prefix(256))
                #expect(Self.contains(prime, in: pipe.toClient.transcript))
            }
        }
    }

    @Test("ECDHE has no finite field", arguments: SocketFixture.all)
    func ecdheServer(pair: SocketFixture) throws {
        let pipe = try setup(pair, cipher: "ECDHE-RSA-AES128-GCM-SHA256", .default)
        #expect(pipe.converse(Array("hello".utf8)))
        #expect(pipe.client.connection.facts.group == .x25519)
        #expect(pipe.client.connection.facts.diffieHellmanBits == nil)
        #expect(pipe.server.connection.facts.diffieHellmanBits == nil)
    }

    private static func contains(_ part: [UInt8], in whole: [UInt8]) -> Bool {
        guard whole.count >= part.count else { return false }
        return (0...(whole.count - part.count)).contains {
            whole[$0] == part[0] && whole[$0..<($0 + part.count)].elementsEqual(part)
        }
    }

    private static func encode(_ prime: [UInt8]) -> [UInt8] {
        let content = [0x02, 0x82, UInt8(prime.count >> 8), UInt8(prime.count & 0xFF)] + prime + [0x02, 0x01, 0x02]
        return [0x30, 0x82, UInt8(content.count >> 8), UInt8(content.count & 0xFF)] + content
    }
}
