import SslBackend
import SslTestKit

@testable import SslSockets

extension FuzzTarget {
    /// A host as a user writes it, and a name as a certificate has it, one a line.
    static let name = FuzzTarget(name: "name") {
        let pairs = [
            "www.example.com\n*.example.com", "bücher.example\nxn--bcher-kva.example", "192.0.2.1\n192.0.2.1", "2001:db8::1\n*",
            "例え.テスト.\nxn--r8jz45g.xn--zckzah", "jane@example.com\njane@EXAMPLE.com", "a_b.example\n*.*.example",
        ]
        return Prepared(seeds: pairs.map { Array($0.utf8) }) { input in
            let lines = input.split(separator: UInt8(ascii: "\n"), maxSplits: 1, omittingEmptySubsequences: false)
            let host = String(decoding: lines[0], as: UTF8.self)
            let presented = lines.count > 1 ? Array(lines[1]) : []
            _ = InternationalName.punycode(host.unicodeScalars.map(\.value))
            if let name = try? PeerName(email: host) { _ = name.isProven(by: [.email(presented)]) }
            guard let name = try? PeerName(host) else { return }
            switch name {
            case .dns(let text):
                require(text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }, "\(text) is no ASCII name")
                require((try? PeerName(text)) == name, "\(text) is not its own normal form")
                require(name.isProven(by: [.dns(Array(text.utf8))]), "\(text) does not prove itself")
                let isProven = name.isProven(by: [.dns(presented)])
                let isWildcard = presented.starts(with: Array("*.".utf8))
                require(
                    !isProven || isWildcard || PeerName.normalized(String(decoding: presented, as: UTF8.self)) == text,
                    "\(text) is proven by \(presented)")
                require(!isProven || !presented.contains(0), "a zero octet proves \(text)")
                require(
                    !name.isProven(by: [.ipAddress(presented), .email(presented), .uri(presented)]), "another kind proves \(text)"
                )
            case .ipAddress(let octets):
                require(octets.count == 4 || octets.count == 16, "an address of \(octets.count) octets")
                require(!name.isProven(by: [.dns(presented)]), "a DNS name proves an address")
                require(name.serverName == nil, "an address as server name")
            case .email: require(false, "a host became a mail address")
            }
        }
    }

    /// What servers and proxies say before TLS: the same end, whatever pieces it comes in.
    static let dialogue = FuzzTarget(name: "dialogue") {
        let target = try ProxyTarget("example.org", port: 443)
        let password = SecretBytes(Array("password".utf8))
        let http = try ProxyCredentials(user: "user", password: password, for: .httpConnect)
        let socks = try ProxyCredentials(user: "user", password: password, for: .socks5)
        let makers: [() -> any Dialogue] =
            [
                { HttpConnectDialogue(to: target, credentials: http) }, { Socks5Dialogue(to: target, credentials: socks) },
                { HttpConnectDialogue(to: target, credentials: nil) }, { Socks5Dialogue(to: target, credentials: nil) },
            ]
            + [SslStartTls.smtp, .imap, .pop3, .xmpp, .ftp, .postgres, .ldap].map { kind in
                { kind.dialogue(with: "example.org", from: nil) }
            }
        let said = [
            "HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic realm=\"r\"\r\nContent-Length: 2\r\n\r\nabHTTP/1.1 200 OK\r\n\r\n",
            "\u{5}\u{2}\u{1}\u{0}\u{5}\u{0}\u{0}\u{1}\u{7F}\u{0}\u{0}\u{1}\u{0}\u{50}", "HTTP/1.1 200 OK\r\n\r\n",
            "\u{5}\u{0}\u{5}\u{0}\u{0}\u{3}\u{1}a\u{0}\u{50}", "220 hi\r\n250-hi\r\n250 STARTTLS\r\n220 go\r\n",
            "* OK hi\r\nS1 OK go\r\n", "+OK hi\r\n+OK go\r\n",
            "<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:client' "
                + "from='example.org' id='x' version='1.0'><stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
                + "</stream:features><proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
            "220 hi\r\n234 go\r\n", "S", "0\u{C}\u{2}\u{1}\u{1}x\u{7}\n\u{1}\u{0}\u{4}\u{0}\u{4}\u{0}",
        ]
        return Prepared(seeds: said.enumerated().map { [UInt8($0.offset)] + Array($0.element.utf8) }) { input in
            guard let kind = input.first else { return }
            let octets = Array(input.dropFirst())
            let make = makers[Int(kind) % makers.count]
            require(
                outcome(make(), octets, oneByOne: false) == outcome(make(), octets, oneByOne: true), "pieces make a difference")
        }
    }

    /// What a dialogue says and how it ends. What it says may only be sent after all octets were there.
    private static func outcome(_ start: any Dialogue, _ octets: [UInt8], oneByOne: Bool) -> String {
        var dialogue = start
        var received = ByteQueue()
        var said: [UInt8] = []
        func goOn() -> String? {
            while true {
                do throws(SslSocketError) {
                    switch try dialogue.proceed(&received) {
                    case .say(let octets): said += octets
                    case .listen: return nil
                    case .done: return "done"
                    case .needsCredentials(let realm, let keeps): return "credentials \(realm) \(keeps)"
                    }
                } catch {
                    return "error \(error.code)"
                }
            }
        }
        if let end = goOn() { return "\(said) \(end)" }
        for chunk in oneByOne ? octets.map({ [$0] }) : [octets] {
            received.append(chunk)
            if let end = goOn() { return "\(said) \(end)" }
        }
        return "\(said) waits"
    }
}
