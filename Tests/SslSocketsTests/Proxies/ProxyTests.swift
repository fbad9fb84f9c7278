import SslTestKit
import Testing

@testable import SslSockets

/// Connections through proxies that work, that do not, and that are not there.
@Suite("Sockets and proxies")
struct ProxyTests {
    static let kinds: [SslProxy.Kind] = [.socks5, .httpConnect]

    /// A client that connects to a target that nobody has to be at.
    private func client(
        _ proxy: SslProxy, host: String = "server.example.test", port: UInt16 = 9, timeout: Duration = .seconds(20)
    )
        -> ProxyClient
    {
        ProxyClient(configuration: SslConfiguration(), proxy: proxy, host: host, port: port, isPlain: true, timeout: timeout)
    }

    private func proxy(_ kind: SslProxy.Kind, at port: UInt16, host: String = "127.0.0.1") -> SslProxy {
        SslProxy(kind, host: host, port: port)
    }

    /// How far each kind of dialogue goes before the answer that lets it through.
    private static let opening: [SslProxy.Kind: [ScriptedPeer.Act]] = [
        .socks5: [.hear(3), .say([5, 0]), .hear(26)], .httpConnect: [.hearHead],
    ]
    private static let goAhead: [SslProxy.Kind: [UInt8]] = [
        .socks5: [5, 0, 0, 1, 127, 0, 0, 1, 0, 9], .httpConnect: Array("HTTP/1.1 200 OK\r\nVia: x\r\n\r\n".utf8),
    ]

    // MARK: Proxies that are not there

    @Test("nobody listens", arguments: kinds, ProxyDrive.allCases)
    func refused(_ kind: SslProxy.Kind, _ drive: ProxyDrive) async throws {
        let nobody = try DeadPort()
        let visit = await client(proxy(kind, at: nobody.number)).visit(drive)
        #expect(visit.error == .proxyConnectionRefused)
        #expect(visit.trace == ["state hostLookup", "state connecting", "error proxyConnectionRefused", "state unconnected"])
    }

    @Test("its name is unknown", arguments: kinds, ProxyDrive.allCases)
    func notFound(_ kind: SslProxy.Kind, _ drive: ProxyDrive) async throws {
        let visit = await client(proxy(kind, at: 1080, host: "no-such-proxy.invalid")).visit(drive)
        #expect(visit.error == .proxyNotFound)
        #expect(visit.trace == ["state hostLookup", "error proxyNotFound", "state unconnected"])
    }

    @Test("it says nothing", arguments: kinds, ProxyDrive.allCases)
    func silent(_ kind: SslProxy.Kind, _ drive: ProxyDrive) async throws {
        let peer = try ScriptedPeer([.hold])
        let visit = await client(proxy(kind, at: peer.port), timeout: .milliseconds(100)).visit(drive)
        #expect(visit.error == .proxyConnectionTimeout)
        #expect(visit.message.contains("through the proxy took longer"))
        // A timeout leaves the socket as it is; whoever waits again may still succeed.
        #expect(visit.trace == ["state hostLookup", "state connecting", "error proxyConnectionTimeout"])
    }

    @Test("it closes, after whichever octet", arguments: kinds, ProxyDrive.allCases)
    func closesEarly(_ kind: SslProxy.Kind, _ drive: ProxyDrive) async throws {
        let goAhead = try #require(Self.goAhead[kind])
        let opening = try #require(Self.opening[kind])
        for count in 0..<goAhead.count {
            let peer = try ScriptedPeer(opening + [.say(Array(goAhead.prefix(count)))])
            let visit = await client(proxy(kind, at: peer.port)).visit(drive)
            #expect(visit.error == .proxyConnectionClosed, "after \(count) octets: \(visit.message)")
            #expect(visit.trace == ["state hostLookup", "state connecting", "error proxyConnectionClosed", "state unconnected"])
        }
    }

    @Test("what answers is no proxy", arguments: kinds, ProxyDrive.allCases)
    func garbage(_ kind: SslProxy.Kind, _ drive: ProxyDrive) async throws {
        for text in ["SSH-2.0-server\r\n", "\u{0}\u{0}\u{0}\u{0}", "220 mail\r\n", "\u{15}\u{3}\u{1}\u{0}\u{2}\u{2}\u{28}"] {
            let peer = try ScriptedPeer([.say(text), .hold])
            let visit = await client(proxy(kind, at: peer.port)).visit(drive)
            #expect(visit.error == .proxyProtocol, "\(text): \(visit.message)")
        }
    }

    @Test("an answer without end", arguments: ProxyDrive.allCases)
    func endless(_ drive: ProxyDrive) async throws {
        let peer = try ScriptedPeer([.hearHead, .say("HTTP/1.1 200 " + String(repeating: "x", count: 100_000)), .hold])
        let visit = await client(proxy(.httpConnect, at: peer.port)).visit(drive)
        #expect(visit.error == .proxyProtocol)
    }

    @Test("a proxy without a place, and hosts it cannot be told", arguments: kinds)
    func wrongUse(_ kind: SslProxy.Kind) {
        let socket = SslSocket()
        for (proxy, host, code) in [
            (SslProxy(kind, host: "", port: 1), "h", SslSocketError.Code.invalidUserData),
            (SslProxy(kind, host: "h", port: 0), "h", .invalidUserData),
            (SslProxy(kind, host: "127.0.0.1", port: 1), "a\r\nb", .hostNotFound),
            (
                SslProxy(kind, host: "127.0.0.1", port: 1, user: "a\u{0}", password: String(repeating: "x", count: 3000)), "h",
                .invalidUserData
            ),
        ] {
            socket.proxy = proxy
            socket.connectToHost(host, port: 1)
            #expect(socket.error?.code == code, "\(host)")
            #expect(socket.state == .unconnected)
        }
    }

    // MARK: Targets

    @Test("the proxy cannot reach the host", arguments: kinds, ProxyDrive.allCases)
    func unreachableTarget(_ kind: SslProxy.Kind, _ drive: ProxyDrive) async throws {
        let proxy = try TestProxy(kind)
        let nobody = try DeadPort()
        let visit = await client(proxy.proxy(), host: "127.0.0.1", port: nobody.number).visit(drive)
        #expect(visit.error == .connectionRefused)
        #expect(visit.message.contains("proxy did not connect to 127.0.0.1:\(nobody.number)"))
    }

    @Test("addresses are found without the proxy's help, and known as the peer's", arguments: kinds, ["127.0.0.1", "::1"])
    func addresses(_ kind: SslProxy.Kind, _ host: String) async throws {
        let server = try ScriptedPeer(ipv6: host == "::1", [.hear(5), .say("hello"), .hold])
        let port = server.port
        let proxy = try TestProxy(kind)
        var client = client(proxy.proxy(), host: host, port: port)
        client.payload = Array("hello".utf8)
        let visit = await client.visit(.async)
        #expect(visit.echo == client.payload)
        #expect(visit.peerAddress == SocketAddress(try #require(IpAddress(host)), port: port))
        #expect(visit.trace.prefix(5) == ["state hostLookup", "hostFound", "state connecting", "state connected", "connected"])
        #expect(proxy.requests.map(\.target) == [host == "::1" ? "[::1]:\(port)" : "127.0.0.1:\(port)"])
    }

    @Test("what the host says at once is read as its own, plain", arguments: kinds, ProxyDrive.allCases)
    func earlyPlain(_ kind: SslProxy.Kind, _ drive: ProxyDrive) async throws {
        let script = try #require(Self.opening[kind]) + [.say(try #require(Self.goAhead[kind]) + Array("hello".utf8)), .hold]
        let peer = try ScriptedPeer(script)
        var client = client(proxy(kind, at: peer.port))
        // Nothing echoes: what is read is what came with the proxy's answer.
        client.payload = Array("12345".utf8)
        let visit = await client.visit(drive)
        #expect(visit.echo == Array("hello".utf8))
        #expect(visit.trace.contains("connected"))
    }

    @Test("what the host says at once is TLS where TLS is spoken", arguments: kinds, ProxyDrive.allCases)
    func earlyTls(_ kind: SslProxy.Kind, _ drive: ProxyDrive) async throws {
        // A fatal alert in the same piece as the proxy's answer: lost it would be a wait, taken for plain text another error.
        let alert: [UInt8] = [21, 3, 3, 0, 2, 2, 40]
        let script = try #require(Self.opening[kind]) + [.say(try #require(Self.goAhead[kind]) + alert), .hold]
        let peer = try ScriptedPeer(script)
        for backend in SslBackends.available {
            var client = client(proxy(kind, at: peer.port))
            client.configuration.backend = backend
            client.isPlain = false
            let visit = await client.visit(drive)
            #expect(visit.error == .alertReceived, "\(visit.message)")
        }
    }

    // MARK: Credentials

    @Test("the slot is asked once, with the realm, and the connection goes on", arguments: kinds, ProxyDrive.allCases)
    func asks(_ kind: SslProxy.Kind, _ drive: ProxyDrive) async throws {
        let pair = SocketFixture.all[0]
        let server = try EchoServer(try pair.serverConfiguration())
        for (first, user, keepsConnection) in [
            ("", "", true), ("", "", false), ("wrong", "alice", true), ("wrong", "alice", false),
        ] {
            let proxy = try TestProxy(kind, credentials: "alice:secret", keepsRefusedConnections: keepsConnection)
            var client = client(proxy.proxy(user: user, password: first), port: server.port)
            client.configuration = try pair.clientConfiguration()
            client.isPlain = false
            client.payload = [1, 2, 3]
            client.answers = [("alice", "secret")]
            let visit = await client.visit(drive)
            #expect(visit.echo == [1, 2, 3], "\(visit.message)")
            #expect(visit.asked == [kind == .socks5 ? "" : "a realm"])
            // Nobody outside notices that it took two attempts.
            #expect(visit.trace.prefix(3) == ["state hostLookup", "state connecting", "state connected"])
            #expect(
                proxy.requests.last
                    == TestProxy.Request(target: "server.example.test:\(server.port)", credentials: "alice:secret"))
        }
    }

    @Test("wrong once more is the end: nobody is asked twice", arguments: kinds, ProxyDrive.allCases)
    func wrongPassword(_ kind: SslProxy.Kind, _ drive: ProxyDrive) async throws {
        for keepsConnection in [true, false] {
            let proxy = try TestProxy(kind, credentials: "alice:secret", keepsRefusedConnections: keepsConnection)
            var client = client(proxy.proxy(user: "alice", password: "wrong"))
            client.answers = [("alice", "wrong again"), ("alice", "secret")]
            let visit = await client.visit(drive)
            #expect(visit.error == .proxyAuthenticationRequired)
            #expect(visit.asked.count == 1)
            #expect(proxy.requests.map(\.credentials) == ["alice:wrong", "alice:wrong again"])
            #expect(!visit.message.contains("wrong again"))
            #expect(
                visit.trace == ["state hostLookup", "state connecting", "error proxyAuthenticationRequired", "state unconnected"])
        }
    }

    @Test("without an answer the connection fails", arguments: kinds, ProxyDrive.allCases)
    func noAnswer(_ kind: SslProxy.Kind, _ drive: ProxyDrive) async throws {
        let proxy = try TestProxy(kind, credentials: "alice:secret")
        let visit = await client(proxy.proxy()).visit(drive)
        #expect(visit.error == .proxyAuthenticationRequired)
        #expect(visit.asked.count == 1)
    }

    @Test("ending the connection in the slot is safe, and beginning another", arguments: kinds, [false, true])
    func endsInSlot(_ kind: SslProxy.Kind, _ connectsAgain: Bool) async throws {
        let proxy = try TestProxy(kind, credentials: "alice:secret")
        let server = try ScriptedPeer([.hold])
        let socket = SslSocket()
        socket.proxy = proxy.proxy()
        socket.proxyAuthenticationRequired.connect { socket, authenticator in
            authenticator.fillIn(user: "alice", password: "secret")
            socket.abort()
            guard connectsAgain else { return }
            socket.proxy = .none
            socket.connectToHost("127.0.0.1", port: server.port)
        }
        socket.connectToHost("127.0.0.1", port: server.port)
        // The wait was for the connection that has ended.
        #expect(!(await socket.waitForConnected(timeout: .seconds(20))))
        if connectsAgain { #expect(await socket.waitForConnected(timeout: .seconds(20)), "\(socket.errorString)") }
        #expect(proxy.requests.count == 1)
        socket.abort()
    }

    @Test("a disconnect in the slot is remembered until the tunnel stands", arguments: kinds)
    func disconnectsInSlot(_ kind: SslProxy.Kind) async throws {
        let proxy = try TestProxy(kind, credentials: "alice:secret")
        let server = try ScriptedPeer([.hold])
        let socket = SslSocket()
        let trace = Trace(socket)
        socket.proxy = proxy.proxy()
        socket.proxyAuthenticationRequired.connect { socket, authenticator in
            authenticator.fillIn(user: "alice", password: "secret")
            socket.disconnectFromHost()
        }
        socket.connectToHost("127.0.0.1", port: server.port)
        #expect(await socket.waitForDisconnected(timeout: .seconds(20)))
        #expect(proxy.requests.count == 2)
        #expect(trace.entries.filter { ["connected", "disconnected"].contains($0) } == ["connected", "disconnected"])
    }

    // MARK: Which proxy

    @Test("a good proxy, then a bad one, and back", arguments: kinds, ProxyDrive.allCases)
    func resetProxy(_ kind: SslProxy.Kind, _ drive: ProxyDrive) async throws {
        let pair = SocketFixture.all[0]
        let server = try EchoServer(try pair.serverConfiguration())
        let good = try TestProxy(kind)
        let nobody = try DeadPort()
        let bad = proxy(kind, at: nobody.number)
        let configuration = try pair.clientConfiguration()
        // One socket all the way.
        let results: [Bool]
        switch drive {
        case .async:
            let socket = SslSocket(configuration: configuration)
            var found: [Bool] = []
            for proxy in [good.proxy(), bad, good.proxy(), .none] {
                socket.proxy = proxy
                socket.connectToHostEncrypted(TestIdentity.defaultHost, port: server.port)
                found.append(await socket.waitForEncrypted(timeout: .seconds(20)))
                socket.abort()
            }
            results = found
        case .blocking:
            results = await PlainThread.run {
                let socket = SslSocket(configuration: configuration)
                return [good.proxy(), bad, good.proxy(), .none].map { proxy in
                    socket.proxy = proxy
                    socket.connectToHostEncrypted(TestIdentity.defaultHost, port: server.port)
                    defer { socket.abort() }
                    return socket.waitForEncrypted(timeout: .seconds(20))
                }
            }
        }
        // Without a proxy nobody finds the name.
        #expect(results == [true, false, true, false])
        #expect(good.requests.count == 2)
    }

    @Test("changing the proxy does nothing to a connection under way")
    func changingIt() async throws {
        let proxy = try TestProxy(.socks5)
        let server = try ScriptedPeer([.hold])
        let socket = SslSocket()
        #expect(socket.proxy == .default)
        socket.proxy = proxy.proxy()
        socket.connectToHost("a.example.test", port: server.port)
        socket.proxy = .none
        #expect(await socket.waitForConnected(timeout: .seconds(20)))
        #expect(proxy.requests.map(\.target) == ["a.example.test:\(server.port)"])
    }

    @Test("the convenience of one call, and its error", arguments: kinds)
    func oneCall(_ kind: SslProxy.Kind) async throws {
        let pair = SocketFixture.all[0]
        let server = try EchoServer(try pair.serverConfiguration())
        let proxy = try TestProxy(kind)
        let socket = try await SslSocket.connect(
            to: TestIdentity.defaultHost, port: server.port, proxy: proxy.proxy(), configuration: try pair.clientConfiguration())
        #expect(socket.isEncrypted)
        await socket.finish()
        let nobody = try DeadPort()
        await #expect(throws: SslSocketError(.proxyConnectionRefused, "")) {
            _ = try await SslSocket.connect(to: "h", port: 1, proxy: self.proxy(kind, at: nobody.number))
        }
    }
}
