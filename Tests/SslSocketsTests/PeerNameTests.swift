import SslBackend
import Testing

@testable import SslSockets

@Suite("Names a certificate must prove (RFC 9525)")
struct PeerNameTests {
    static let matching: [(String, String)] = [
        ("example.com", "example.com"), ("EXAMPLE.com", "example.COM"), ("example.com.", "example.com"),
        ("example.com", "example.com."),
        ("www.example.com", "*.example.com"), ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("a_b.example.com", "a_b.example.com"),
        ("_srv.example.com", "*.example.com"),
    ]
    static let different: [(String, String)] = [
        ("example.com", "example.org"), ("example.com", "www.example.com"), ("example.com", "*.example.com"),
        ("a.b.example.com", "*.example.com"),
        ("foo.example.com", "f*.example.com"), ("foo.example.com", "*oo.example.com"), ("foo.example.com", "foo.*.com"),
        ("example.com", "*.com"),
        ("example.com", "*"), ("example.com", "*.*"), ("foo.example.com", "**.example.com"), ("example.com", ""),
        ("example.com", ".example.com"),
        ("a.example.com", ".example.com"), ("example.com", "example.com\0.evil.org"), ("foo.example.com", "*.example.com\0"),
        ("example.com", "example..com"), ("www.example.com", "*..example.com"),
    ]

    @Test("is proven by", arguments: matching)
    func matches(host: String, presented: String) throws {
        #expect(try PeerName(host).isProven(by: [.dns(Array(presented.utf8))]))
    }

    @Test("is not proven by", arguments: different)
    func differs(host: String, presented: String) throws {
        #expect(try !PeerName(host).isProven(by: [.dns(Array(presented.utf8))]))
    }

    @Test("an address is proven by an address only")
    func addresses() throws {
        let name = try PeerName("192.0.2.1")
        #expect(name.isProven(by: [.ipAddress([192, 0, 2, 1])]))
        #expect(!name.isProven(by: [.dns(Array("192.0.2.1".utf8))]))
        #expect(!name.isProven(by: [.ipAddress([192, 0, 2, 2]), .ipAddress([])]))
        #expect(name.serverName == nil)
        let six = try PeerName("2001:db8::1")
        #expect(six.isProven(by: [.ipAddress([0x20, 1, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [1])]))
        #expect(try !PeerName("example.com").isProven(by: [.ipAddress([192, 0, 2, 1])]))
    }

    @Test("no other kind of name proves a host")
    func otherKinds() throws {
        let octets = Array("example.com".utf8)
        #expect(try !PeerName("example.com").isProven(by: [.email(octets), .uri(octets), .other(tag: 8, octets)]))
        #expect(try !PeerName("example.com").isProven(by: []))
    }

    @Test(
        "what cannot be a host is refused",
        arguments: [
            "", "a b", "example..com", ".example.com", "b\u{FC}\u{301}cher.example", "a\0b", "-",
            String(repeating: "a", count: 64), "192.0.2.1.",
        ])
    func improper(host: String) {
        if host == "-" { return #expect((try? PeerName(host)) != nil) }
        #expect(throws: SslSocketError.self) { try PeerName(host) }
    }
}
