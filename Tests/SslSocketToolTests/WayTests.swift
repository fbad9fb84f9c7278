internal import SslSockets
internal import SslTestKit
internal import TestProcesses
internal import Testing

/// The ways to a server that is not simply there: through a proxy, and by STARTTLS.
@Suite struct WayTests {
    /// The arguments of a client of the tool's own server, which is called localhost.
    private func connect(_ server: ToolServer, _ proxy: String) -> [String] {
        ["connect", "localhost:\(server.port)", "--proxy", proxy, "--send", "x"] + server.trust
    }

    @Test(arguments: [SslProxy.Kind.socks5, .httpConnect]) func proxiesAreUsed(_ kind: SslProxy.Kind) async throws {
        let scheme = kind == .socks5 ? "socks5" : "http"
        let server = try await ToolServer(["--reply", "welcome"])
        let open = try TestProxy(kind)
        let plain = try await Tool.run(connect(server, "\(scheme)://127.0.0.1:\(open.port)"))
        #expect(plain.status == 0 && plain.text == "welcome", "\(plain)")
        #expect(open.requests == [TestProxy.Request(target: "localhost:\(server.port)")])
        let closed = try TestProxy(kind, credentials: "al ice:s:ecret")
        let known = try await Tool.run(connect(server, "\(scheme)://al%20ice:s%3Aecret@127.0.0.1:\(closed.port)"))
        #expect(known.status == 0 && known.text == "welcome", "\(known)")
        let stranger = try await Tool.run(connect(server, "\(scheme)://alice:hunter2@127.0.0.1:\(closed.port)"))
        #expect(stranger.status == 5 && stranger.output.isEmpty, "\(stranger)")
        #expect(stranger.errorText.contains("does not accept user and password"))
        #expect(!stranger.errorText.contains("hunter2"))
    }

    @Test func aProxyThatIsNotThereIsFive() async throws {
        let result = try await Tool.run(["connect", "localhost:443", "--proxy", "socks5://127.0.0.1:\(LocalPort.free())"])
        #expect(result.status == 5, "\(result)")
        #expect(result.errorText.contains("The proxy cannot be reached"))
    }

    @Test func aProxyThatCannotBeReadIsNotRepeated() async throws {
        let result = try await Tool.run(["connect", "localhost:443", "--proxy", "ftp://alice:hunter2@proxy:1"])
        #expect(result.status == 64, "\(result)")
        #expect(result.errorText.contains("The URL of the proxy cannot be used: only socks5:// and http:// are supported"))
        #expect(!result.errorText.contains("hunter2"))
    }

    @Test(arguments: SslStartTls.allCases) func startTlsSpeaksEachProtocol(_ kind: SslStartTls) async throws {
        // Each is told by its first words, or by what it asks for when it is the client that begins.
        let greetings: [SslStartTls: (says: String, hears: String)] = [
            .smtp: ("220 ready\r\n", "EHLO [127.0.0.1]\r\n"), .imap: ("* OK ready\r\n", "s1 STARTTLS\r\n"),
            .pop3: ("+OK ready\r\n", "STLS\r\n"), .xmpp: ("", "<?xml version='1.0'?><stream:stream to='localhost'"),
            .ftp: ("220 ready\r\n", "AUTH TLS\r\n"), .postgres: ("", "\u{0}\u{0}\u{0}\u{8}\u{4}"),
            .ldap: ("", "\u{30}\u{1d}\u{02}\u{01}\u{01}\u{77}\u{18}"),
        ]
        let (says, hears) = try #require(greetings[kind])
        let server = try ScriptedPeer([.say(says), .hear(hears.utf8.count), .say("no, never\r\n")])
        let result = try await Tool.run(["connect", "localhost:\(server.port)", "--starttls", kind.rawValue])
        #expect(server.heardTexts == [hears])
        #expect(result.status == 4, "\(result)")
        #expect(result.output.isEmpty)
    }

    @Test func theHelpNamesThem() async throws {
        let help = try await Tool.run(["connect", "--help"])
        #expect(help.text.contains("--proxy <url>"))
        let words = help.text.split { $0 == " " || $0 == "\n" || $0 == "," || $0 == "." }
        for kind in SslStartTls.allCases { #expect(words.contains(Substring(kind.rawValue)), "\(kind)") }
    }
}
