internal import SslBackend
internal import SslTestKit
internal import Testing

/// The ClientHello as it is read before an engine sees it.
@Suite("TlsClientHello")
struct ClientHelloTests {
    private static func read(_ octets: [UInt8]) -> TlsClientHello.Reading {
        unsafe octets.withUnsafeBytes { unsafe TlsClientHello.read(records: $0) }
    }

    private static func hello(_ octets: [UInt8]) -> TlsClientHello? {
        if case .hello(let hello) = read(octets) { return hello }
        return nil
    }

    private static var full: RawClientHello {
        var raw = RawClientHello()
        raw.supportedVersions = [0x7A7A, 0x0304, 0x0303]
        raw.cipherSuites = [0x1301, 0xC02B, 0x00FF]
        raw.serverName = "WWW.Example.Test."
        raw.applicationProtocols = ["h2", "http/1.1"]
        raw.extensions = [(type: 35, content: [1, 2, 3]), (type: 42, content: [])]
        return raw
    }

    @Test("Everything it says")
    func everything() throws {
        let hello = try #require(Self.hello(Self.full.record))
        #expect(!hello.isMalformed)
        #expect(hello.legacyVersion == 0x0303)
        #expect(hello.supportedVersions == [0x7A7A, 0x0304, 0x0303])
        #expect(hello.cipherSuites == [0x1301, 0xC02B, 0x00FF])
        #expect(hello.serverName == "www.example.test")
        #expect(hello.applicationProtocols == [Array("h2".utf8), Array("http/1.1".utf8)])
        #expect(hello.groups == [29, 23])
        #expect(hello.signatureSchemes == [0x0403, 0x0804])
        #expect(hello.sessionTicket == [1, 2, 3])
        #expect(hello.hasEarlyData)
    }

    @Test("Pre-shared key identities")
    func identities() throws {
        var raw = RawClientHello()
        // Two identities with their ages, then one binder.
        raw.extensions = [(type: 41, content: [0, 15, 0, 2, 7, 8, 0, 0, 0, 1, 0, 1, 9, 0, 0, 0, 2, 0, 2, 1, 0xAA])]
        let hello = try #require(Self.hello(raw.record))
        #expect(hello.preSharedKeyIdentities == [[7, 8], [9]])
        #expect(hello.preSharedKeyAges == [1, 2])
    }

    @Test("Cut anywhere, it is incomplete; whole, it is there")
    func incomplete() {
        let record = Self.full.record
        for count in 0..<record.count {
            guard case .incomplete = Self.read(Array(record.prefix(count))) else {
                Issue.record("\(count) octets of \(record.count) are taken for a whole ClientHello")
                return
            }
        }
        #expect(Self.hello(record + [22, 3, 3]) != nil)
    }

    @Test("Spread over many records", arguments: [1, 2, 3, 5, 50])
    func fragments(_ size: Int) throws {
        let message = Array(Self.full.record.dropFirst(5))
        var octets: [UInt8] = []
        var rest = message[...]
        while !rest.isEmpty {
            octets += RawRecord.make(type: 22, version: 0x0301, Array(rest.prefix(size)))
            rest = rest.dropFirst(size)
        }
        let hello = try #require(Self.hello(octets))
        #expect(!hello.isMalformed)
        #expect(hello.serverName == "www.example.test")
        guard case .incomplete = Self.read(Array(octets.dropLast())) else {
            Issue.record("the last octet was not missed")
            return
        }
    }

    @Test(
        "What is not TLS", arguments: ["GET / HTTP/1.1\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "\u{16}ab", "\u{17}\u{3}\u{3}", "\u{0}"])
    func notTls(_ text: String) {
        guard case .notTls = Self.read(Array(text.utf8)) else {
            Issue.record("\(text.debugDescription) was taken for TLS")
            return
        }
    }

    @Test("Records and messages beyond every size are malformed, and not waited for")
    func oversize() {
        #expect(Self.hello([22, 3, 1, 0x48, 0x00])?.isMalformed == true)
        #expect(Self.hello([22, 3, 1, 0, 0])?.isMalformed == true)
        #expect(Self.hello(RawRecord.make(type: 22, [1, 0x7F, 0xFF, 0xFF]))?.isMalformed == true)
    }

    @Test("Another handshake message, or another record between two fragments, is malformed")
    func outOfTurn() {
        #expect(Self.hello(RawRecord.handshake(type: 2, RawClientHello().body))?.isMalformed == true)
        let message = Array(RawClientHello().record.dropFirst(5))
        let split = RawRecord.make(type: 22, Array(message.prefix(10))) + RawRecord.alert(level: 1, code: 0)
        #expect(Self.hello(split)?.isMalformed == true)
    }

    @Test("Cutting the body anywhere is malformed or leaves extensions out, and never crashes")
    func cutBody() {
        let body = Self.full.body
        for count in 0..<body.count {
            guard let hello = Self.hello(RawRecord.handshake(type: 1, Array(body.prefix(count)))) else {
                Issue.record("nothing was read from a body of \(count) octets")
                continue
            }
            #expect(hello.isMalformed || hello.applicationProtocols.isEmpty)
        }
    }

    @Test("Flipping any octet never crashes")
    func flipped() {
        let record = Self.full.record
        for index in 0..<record.count {
            for mask: UInt8 in [0x01, 0x80, 0xFF] {
                var damaged = record
                damaged[index] ^= mask
                _ = Self.read(damaged)
            }
        }
    }

    @Test("Names that are none", arguments: ["", ".", "a b", "bücher.test", "a\u{0}b", String(repeating: "a", count: 256)])
    func names(_ name: String) throws {
        var raw = RawClientHello()
        raw.serverName = name
        #expect(try #require(Self.hello(raw.record)).serverName == nil)
    }

    @Test("Without any extension")
    func noExtensions() throws {
        let body: [UInt8] = [3, 3] + [UInt8](repeating: 1, count: 32) + [0, 0, 2, 0xC0, 0x2B, 1, 0]
        let hello = try #require(Self.hello(RawRecord.handshake(type: 1, body)))
        #expect(!hello.isMalformed)
        #expect(hello.cipherSuites == [0xC02B])
        #expect(hello.serverName == nil)
    }
}
