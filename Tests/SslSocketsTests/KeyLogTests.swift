import Glibc
import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

/// Secrets written down for looking into connections. That they decrypt one is shown with Wireshark's tshark in RealPeerTests.
@Suite("Key log files")
struct KeyLogTests {
    private func pipe(
        _ pair: SocketFixture, _ version: SslProtocol, client: String? = nil, server: String? = nil
    ) throws -> MemoryPipe {
        var clientConfiguration = try pair.clientConfiguration()
        clientConfiguration.protocol = version
        clientConfiguration.keyLogPath = client
        var serverConfiguration = try pair.serverConfiguration()
        serverConfiguration.keyLogPath = server
        return try MemoryPipe(client: clientConfiguration, server: serverConfiguration)
    }

    private func lines(_ path: String) throws -> [String] {
        let text = String(decoding: try FileReader.read(path), as: UTF8.self)
        #expect(text.hasSuffix("\n"))
        return text.split(separator: "\n").map(String.init)
    }

    private func mode(_ path: String) -> UInt32 {
        var facts = stat()
        return unsafe stat(path, &facts) == 0 ? facts.st_mode & 0o7777 : 0
    }

    @Test(
        "Both ends write the same secrets, whole lines for the owner alone", arguments: SocketFixture.all,
        [SslProtocol.tlsV1_2, .tlsV1_3])
    func sameSecrets(pair: SocketFixture, version: SslProtocol) throws {
        let files = try ScratchFiles()
        let (client, server) = ("\(files.path)/client", "\(files.path)/server")
        let pipe = try pipe(pair, version, client: client, server: server)
        #expect(pipe.converse(Array("hello".utf8)))
        let ours = try lines(client)
        #expect(Set(ours) == Set(try lines(server)) && Set(ours).count == ours.count)
        let labels: Set<String> =
            version == .tlsV1_2
            ? ["CLIENT_RANDOM"]
            : [
                "CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0",
                "SERVER_TRAFFIC_SECRET_0", "EXPORTER_SECRET",
            ]
        #expect(Set(ours.map { String($0.prefix { $0 != " " }) }) == labels)
        #expect(ours.allSatisfy { $0.split(separator: " ").count == 3 })
        #expect(mode(client) == 0o600 && mode(server) == 0o600)
    }

    @Test("Another connection adds its lines; a file that is there keeps its mode", arguments: SslBackends.available)
    func appends(backend: String) throws {
        let files = try ScratchFiles()
        let path = try files.write("log", "# mine\n")
        #expect(unsafe chmod(path, 0o640) == 0)
        let pair = SocketFixture(client: backend, server: backend)
        for round in 1...2 {
            #expect(try pipe(pair, .tlsV1_3, client: path).converse([1]))
            #expect(try lines(path).count == 1 + round * 5)
        }
        #expect(try lines(path).first == "# mine" && mode(path) == 0o640)
    }

    @Test("Nothing is written unless it was asked for", arguments: SocketFixture.all)
    func offByDefault(pair: SocketFixture) throws {
        #expect(SslConfiguration().keyLogPath == nil)
        #expect(try !pair.clientConfiguration().context(role: .client).settings.logsKeys)
        let files = try ScratchFiles()
        let path = "\(files.path)/server"
        let pipe = try pipe(pair, .tlsV1_3, server: path)
        #expect(pipe.converse([1]))
        #expect(try lines(path).count == 5)
    }

    @Test("A file that cannot be written stops the connection before it begins", arguments: SslBackends.available)
    func unwritable(backend: String) throws {
        let files = try ScratchFiles()
        let pair = SocketFixture(client: backend, server: backend)
        for path in ["\(files.path)/missing/log", "\(files.path)/"] {
            #expect(throws: SslSocketError(.unreadableFile, "")) { try pipe(pair, .tlsV1_3, client: path) }
            #expect(throws: SslSocketError(.unreadableFile, "")) { try pipe(pair, .tlsV1_3, server: path) }
        }
    }

    @Test("A program with more rights than its user writes none")
    func privileged() throws {
        let files = try ScratchFiles()
        let path = "\(files.path)/log"
        #expect(throws: SslSocketError(.socketAccess, "")) { try KeyLogFile(path, isPrivileged: true) }
        #expect(unsafe access(path, F_OK) != 0)
        #expect(try KeyLogFile(nil, isPrivileged: true) == nil)
    }
}
