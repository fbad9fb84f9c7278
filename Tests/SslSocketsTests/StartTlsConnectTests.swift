import SslTestKit
import Testing

@testable import SslSockets

/// Connecting, the dialogue before TLS and the handshake in one call, by both ways of waiting and through proxies.
@Suite("Connecting with STARTTLS")
struct StartTlsConnectTests {
    /// A server that plays the script of this kind and then speaks TLS.
    private func front(_ kind: SslStartTls, before server: EchoServer) throws -> ScriptedPeer {
        var acts: [ScriptedPeer.Act] = []
        for (index, text) in try #require(StartTlsTests.scripts[kind]).enumerated() {
            if index > 0 { acts.append(.hearSome) }
            acts.append(.say(text))
        }
        return try ScriptedPeer(acts + [.relay(server.port)])
    }

    private func client(_ kind: SslStartTls, _ pair: SocketFixture, _ port: UInt16) throws -> ProxyClient {
        ProxyClient(
            configuration: try pair.clientConfiguration(), proxy: .none, host: "127.0.0.1", port: port,
            peerVerifyName: TestIdentity.defaultHost, payload: Array("hello".utf8), startTls: kind)
    }

    @Test("each protocol, in the order of signals of a connection", arguments: SslStartTls.allCases, ProxyDrive.allCases)
    func connects(_ kind: SslStartTls, _ drive: ProxyDrive) async throws {
        for pair in SocketFixture.all {
            let server = try EchoServer(try pair.serverConfiguration())
            let front = try front(kind, before: server)
            let visit = try await client(kind, pair, front.port).visit(drive)
            #expect(visit.echo == Array("hello".utf8), "\(pair): \(visit.message)")
            #expect(
                visit.trace.prefix(7) == [
                    "state hostLookup", "hostFound", "state connecting", "state connected", "connected", "mode sslClient",
                    "encrypted",
                ])
        }
    }

    @Test(
        "through proxies, also where the greeting comes with the proxy's answer", arguments: ProxyWay.allCases,
        ProxyDrive.allCases)
    func throughProxies(_ way: ProxyWay, _ drive: ProxyDrive) async throws {
        let pair = SocketFixture.all[0]
        let server = try EchoServer(try pair.serverConfiguration())
        for kind in [SslStartTls.smtp, .postgres] {
            let front = try front(kind, before: server)
            let proxy = try way.makeProxy()
            var client = try client(kind, pair, front.port)
            client.proxy = way.settings(proxy)
            let visit = await client.visit(drive)
            #expect(visit.echo == Array("hello".utf8), "\(visit.message)")
        }
        let early = try ScriptedPeer([
            .hearHead, .say("HTTP/1.1 200 OK\r\n\r\n+OK ready\r\n"), .hear(6), .say("+OK begin\r\n"), .relay(server.port),
        ])
        var client = try client(.pop3, pair, 110)
        client.proxy = SslProxy(.httpConnect, host: "127.0.0.1", port: early.port)
        let visit = await client.visit(drive)
        #expect(visit.echo == Array("hello".utf8), "\(visit.message)")
    }

    @Test("the one call of async code, and its errors")
    func oneCall() async throws {
        let pair = SocketFixture.all[0]
        let server = try EchoServer(try pair.serverConfiguration())
        let front = try front(.imap, before: server)
        let proxy = try TestProxy(.socks5)
        let socket = try await SslSocket.connect(
            to: TestIdentity.defaultHost, port: front.port, startTls: .imap, proxy: proxy.proxy(),
            configuration: try pair.clientConfiguration())
        #expect(socket.isEncrypted)
        await socket.finish()
        let refusing = try ScriptedPeer([.say("* OK ready\r\n"), .hearSome, .say("s1 NO\r\n"), .hold])
        await #expect(throws: SslSocketError(.handshakeFailed, "")) {
            _ = try await SslSocket.connect(to: "127.0.0.1", port: refusing.port, startTls: .imap)
        }
    }

    @Test("a server that refuses, goes away or says nothing", arguments: ProxyDrive.allCases)
    func failures(_ drive: ProxyDrive) async throws {
        let cases: [([ScriptedPeer.Act], SslSocketError.Code)] = [
            ([.say("+OK ready\r\n"), .hearSome, .say("-ERR never\r\n"), .hold], .handshakeFailed),
            ([.say("+OK rea")], .remoteHostClosed),
            ([.hold], .socketTimeout),
            ([.say("+OK ready\r\n"), .hearSome, .say("+OK go\r\n+OK injected\r\n"), .hold], .unexpectedPlaintext),
        ]
        for (acts, code) in cases {
            let peer = try ScriptedPeer(acts)
            var client = try client(.pop3, SocketFixture.all[0], peer.port)
            if code == .socketTimeout { client.timeout = .milliseconds(100) }
            let visit = await client.visit(drive)
            #expect(visit.error == code, "\(visit.message)")
            #expect(!visit.isEncrypted && visit.echo.isEmpty)
            #expect(visit.trace.contains("state unconnected") == (code != .socketTimeout))
        }
    }

    @Test("what was written before leaves before, in plain text; what is written afterwards does not")
    func order() async throws {
        let pair = SocketFixture.all[0]
        let server = try EchoServer(try pair.serverConfiguration())
        let front = try ScriptedPeer([
            .hear(6), .say("+OK ready\r\n"), .hear(6), .say("+OK begin\r\n"), .relay(server.port),
        ])
        let socket = SslSocket(configuration: try pair.clientConfiguration())
        socket.peerVerifyName = TestIdentity.defaultHost
        socket.connectToHost("127.0.0.1", port: front.port)
        #expect(await socket.waitForConnected(timeout: .seconds(20)))
        socket.write("plain\n")
        socket.startClientEncryption(after: .pop3)
        socket.write("secret")
        #expect(await socket.waitForEncrypted(timeout: .seconds(20)), "\(socket.errorString)")
        #expect(front.heardTexts == ["plain\n", "STLS\r\n"])
        let echo = try await socket.receive(timeout: .seconds(20))
        #expect(echo == Array("secret".utf8))
        await socket.finish()
    }

    @Test("misuse is an error of its own and disturbs nothing; a setting that cannot be honoured is told before anything is said")
    func misuse() async throws {
        let idle = SslSocket()
        idle.startClientEncryption(after: .smtp)
        #expect(idle.error?.code == .operation)
        let peer = try ScriptedPeer([.hearSome, .hold])
        let socket = SslSocket()
        socket.connectToHost("127.0.0.1", port: peer.port)
        #expect(await socket.waitForConnected(timeout: .seconds(20)))
        socket.peerVerifyName = "no name"
        socket.startClientEncryption(after: .postgres)
        #expect(socket.error?.code == .invalidUserData)
        #expect(socket.state == .unconnected)
        #expect(peer.heard.isEmpty)
        socket.peerVerifyName = nil
        socket.connectToHostEncrypted("127.0.0.1", port: peer.port, startTls: .postgres)
        #expect(await socket.waitForConnected(timeout: .seconds(20)))
        socket.startClientEncryption(after: .postgres)
        #expect(socket.error?.code == .operation)
        #expect(socket.state == .connected)
        socket.abort()
    }
}
