import SslTestKit
import Testing

@testable import SslSockets

/// What a socket does is the same through every kind of proxy.
@Suite("Sockets by five ways")
struct ProxyScenarioTests {
    struct Cell: Sendable, CustomTestStringConvertible {
        let way: ProxyWay
        let drive: ProxyDrive
        let version: SslVersion

        static let all = ProxyWay.allCases.flatMap { way in
            ProxyDrive.allCases.flatMap { drive in
                [SslVersion.tls1_2, .tls1_3].map { Cell(way: way, drive: drive, version: $0) }
            }
        }
        var testDescription: String { "\(way.rawValue) \(drive.rawValue) \(version)" }
    }

    private static let payload = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 9) }

    private func client(_ pair: SocketFixture, _ cell: Cell, _ proxy: TestProxy?, _ server: EchoServer) throws -> ProxyClient {
        var configuration = try pair.clientConfiguration()
        configuration.protocol = SslProtocol(exactly: cell.version)
        configuration.allowedNextProtocols = ["echo/1", "echo/2"]
        // Behind a proxy the host is known by a name that only the proxy can resolve.
        return ProxyClient(
            configuration: configuration, proxy: cell.way.settings(proxy),
            host: cell.way == .direct ? "127.0.0.1" : TestIdentity.defaultHost, port: server.port,
            peerVerifyName: cell.way == .direct ? TestIdentity.defaultHost : nil, payload: Self.payload)
    }

    private func server(_ pair: SocketFixture) throws -> EchoServer {
        var configuration = try pair.serverConfiguration()
        configuration.allowedNextProtocols = ["echo/2"]
        return try EchoServer(configuration)
    }

    @Test("encrypted connect, ALPN, bulk echo, end", arguments: SocketFixture.all, Cell.all)
    func conversation(_ pair: SocketFixture, _ cell: Cell) async throws {
        let server = try server(pair)
        let proxy = try cell.way.makeProxy()
        let client = try client(pair, cell, proxy, server)
        let visit = await client.visit(cell.drive)
        #expect(visit.isEncrypted, "\(visit.message)")
        #expect(visit.version == cell.version)
        #expect(visit.alpn == "echo/2")
        #expect(visit.echo == Self.payload)
        #expect(visit.peerName == client.host)
        #expect(visit.peerAddress == (cell.way == .direct ? SocketAddress(.loopbackIPv4, port: server.port) : nil))
        #expect(server.serverNames == [TestIdentity.defaultHost])
        let found = cell.way == .direct ? ["hostFound"] : []
        #expect(
            visit.trace.filter { $0 != "readChannelFinished" && $0 != "error remoteHostClosed" }
                == ["state hostLookup"] + found + [
                    "state connecting", "state connected", "mode sslClient", "connected", "encrypted", "state closing",
                    "state unconnected", "disconnected",
                ])
        if let proxy {
            #expect(
                proxy.requests == [
                    TestProxy.Request(target: "\(TestIdentity.defaultHost):\(server.port)", credentials: cell.way.credentials)
                ])
        }
    }

    @Test("a certificate of another name is refused", arguments: SocketFixture.all, Cell.all)
    func refusal(_ pair: SocketFixture, _ cell: Cell) async throws {
        let server = try server(pair)
        let proxy = try cell.way.makeProxy()
        var client = try client(pair, cell, proxy, server)
        if cell.way == .direct { client.peerVerifyName = "other.example.test" } else { client.host = "other.example.test" }
        let visit = await client.visit(cell.drive)
        #expect(!visit.isEncrypted)
        #expect(visit.error == .peerVerificationFailed)
        #expect(visit.problems == [.hostNameMismatch])
    }
}
