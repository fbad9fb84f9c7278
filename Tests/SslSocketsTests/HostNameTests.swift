internal import SslBackend
internal import SslSockets
internal import Testing

/// Host names against the names of certificates: the pattern table of Qt's `wildcardCertificateNames` and what RFC 9525 adds.
@Suite("Host names")
struct HostNameTests {
    static func proves(_ pattern: String, _ host: String) -> Bool {
        guard let name = try? PeerName(host) else { return false }
        return name.isProven(by: [.dns(Array(pattern.utf8))])
    }

    @Test(
        "a name or a wildcard proves",
        arguments: [
            ("www.example.com", "www.example.com"), ("www.example.com", "WWW.EXAMPLE.COM"),
            ("*.example.com", "www.example.com"), ("*.example.com", "WWW.example.COM"),
            ("xn--kcry6tjko.example.org", "xn--kcry6tjko.example.org"),
            ("*.xn--kcry6tjko.example.org", "xn--kcr.xn--kcry6tjko.example.org"),
            ("*.example.com", "a-b.example.com"), ("example.com.", "example.com"), ("example.com", "example.com."),
            ("*.Example.Com", "www.example.com"), ("localhost", "localhost"), ("*.example.com", "xn--bcher-kva.example.com"),
            ("xn--bcher-kva.example", "bücher.example"), ("XN--BCHER-KVA.example", "BÜCHER.example"),
            ("*.example.com", "bücher.example.com"),
            ("under_score.example.com", "under_score.example.com"),
        ])
    func proven(pattern: String, host: String) { #expect(Self.proves(pattern, host)) }

    @Test(
        "does not prove",
        arguments: [
            ("xn--kcry6tjko.example.org", "xn--kcry6tjko.example.com"), ("*.example.com", "example.com"),
            ("*.example.com", "www.foo.example.com"),
            ("f*.example.com", "foo.example.com"), ("*oo.example.com", "foo.example.com"), ("f*o.example.com", "foo.example.com"),
            ("www.*.example.com", "www.foo.example.com"), ("*.*.example.com", "www.foo.example.com"), ("*", "localhost"),
            ("*.com", "example.com"),
            ("*.*", "example.com"), ("xn--*.example.com", "xn--bcher-kva.example.com"), ("**.example.com", "foo.example.com"),
            ("*.example.com", ".example.com"), ("*.0.2.1", "192.0.2.1"), ("192.0.2.1", "192.0.2.1"), ("*.2.0.192", "1.2.0.192"),
            ("example.com\0.evil.test", "example.com"), ("example.com\0", "example.com"), (" example.com", "example.com"),
            ("", "example.com"), (".", "example.com"), ("*.", "example.com"), ("bücher.example", "xn--bcher-kva.example"),
            ("example.com..", "example.com"), ("*.example.com..", "a.example.com"), ("exam\u{212A}ple.com", "examkple.com"),
        ])
    func notProven(pattern: String, host: String) { #expect(!Self.proves(pattern, host)) }

    @Test("Octets that are no text prove nothing")
    func octets() throws {
        let name = try PeerName("example.com")
        #expect(!name.isProven(by: [.dns([0xFF, 0xFE]), .dns([]), .dns([UInt8](repeating: 0x61, count: 300))]))
    }

    @Test(
        "International names have the ASCII form that IDNA gives them",
        arguments: [
            ("bücher.example", "xn--bcher-kva.example"), ("münchen.de", "xn--mnchen-3ya.de"), ("straße.de", "xn--strae-oqa.de"),
            ("例え.テスト", "xn--r8jz45g.xn--zckzah"), ("παράδειγμα.δοκιμή", "xn--hxajbheg2az3al.xn--jxalpdlp"),
            ("испытание.рф", "xn--80akhbyknj4f.xn--p1ai"), ("ИСПЫТАНИЕ.РФ", "xn--80akhbyknj4f.xn--p1ai"),
            ("中国.cn", "xn--fiqs8s.cn"),
            ("실례.테스트", "xn--9n2bp8q.xn--9t4b11yi5a"), ("דוגמה.טעסט", "xn--6dbbec0c.xn--deba0ad"),
            ("مثال.إختبار", "xn--mgbh0fb.xn--kgbechtv"),
            ("faß.de", "xn--fa-hia.de"), ("Faß.DE", "xn--fa-hia.de"), ("βόλος.com", "xn--nxasmm1c.com"),
            ("a1é.example", "xn--a1-cja.example"),
        ])
    func international(host: String, ascii: String) throws {
        #expect(try PeerName(host) == .dns(ascii))
        #expect(try PeerName(host).serverName == ascii)
        #expect(try PeerName(ascii) == .dns(ascii))
    }

    @Test(
        "What needs more rules than there are here is refused, never guessed",
        arguments: [
            "b\u{75}\u{308}cher.example",  // a letter and a combining mark
            "\u{FF45}xample.com",  // a wide letter
            "a\u{200D}b.example", "a\u{200C}b.example",  // joiners
            "a\u{AD}b.example",  // a soft hyphen
            "\u{2460}.example", "\u{FDFA}.example",  // a circled digit, a ligature
            "☃.example", "😜.example", "a。b",  // symbols, and a full stop that is none
            "-bü.example", "bü-.example", "aa--bü.example",  // hyphens where A-labels keep them
            "א1.example", "1א.example", "אa.example",  // right-to-left letters among others
            "ไทย่.example",  // a vowel sign
            "\u{1100}\u{1161}.example",  // Hangul to be composed
            "\u{130}.example",  // a letter that folds into two
            String(repeating: "ü", count: 64) + ".example",
        ])
    func refused(host: String) { #expect(throws: SslSocketError.self) { try PeerName(host) } }

    @Test("Mail addresses keep the case of their first half")
    func mail() throws {
        let name = try PeerName(email: "Jane@Example.COM")
        #expect(name.isProven(by: [.email(Array("Jane@example.com".utf8))]))
        #expect(!name.isProven(by: [.email(Array("jane@example.com".utf8))]))
        #expect(!name.isProven(by: [.dns(Array("example.com".utf8))]))
        for bad in ["", "jane", "@example.com", "jane@", "jane@a b", "jane@exa\0mple.com"] {
            #expect(throws: SslSocketError.self) { try PeerName(email: bad) }
        }
    }
}
