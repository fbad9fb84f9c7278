import Glibc
import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

/// Rings of ticket keys: rotation by time, files and their forms, and who resumes what.
@Suite struct TicketKeyTests {
    private static let hour: Int64 = 3600

    /// A clock that a test moves.
    private final class Hands: Sendable {
        private let seconds = Lock<Int64>(1000)
        var clock: MonotonicClock { MonotonicClock { MonotonicTime(nanoseconds: self.seconds.withLock { $0 } * 1_000_000_000) } }
        func move(_ by: Int64) { seconds.withLock { $0 += by } }
    }

    private func names(_ ring: SslTicketKeys, _ backend: String, purpose: [UInt8] = [1]) throws -> (
        current: [UInt8], others: [[UInt8]]
    ) {
        let source = TicketKeySource(ring, purpose: purpose, backend: try SslBackends.named(backend))
        let keys = try #require(source.keys)
        return (keys.current.name, keys.others.map(\.name))
    }

    // MARK: Time

    @Test(
        "Generated keys are replaced by time, and a key opens tickets as long as it sealed them", arguments: SslBackends.available
    )
    func rotation(backend: String) throws {
        let hands = Hands()
        let ring = try SslTicketKeys(rotationInterval: .seconds(12 * Self.hour), clock: hands.clock)
        let first = try names(ring, backend)
        #expect(first.others.isEmpty)
        hands.move(12 * Self.hour - 1)
        #expect(try names(ring, backend).current == first.current)
        hands.move(1)
        let second = try names(ring, backend)
        #expect(second.current != first.current && second.others == [first.current])
        hands.move(12 * Self.hour)
        let third = try names(ring, backend)
        #expect(third.others == [second.current])
        // Nobody asked for two intervals: the key of then has been too old for long.
        hands.move(24 * Self.hour)
        let late = try names(ring, backend)
        #expect(late.current != third.current && late.others.isEmpty)
    }

    @Test("Rotation asked for, and intervals that make no sense", arguments: SslBackends.available)
    func explicitRotation(backend: String) throws {
        let ring = try SslTicketKeys()
        let first = try names(ring, backend).current
        try ring.rotate()
        let second = try names(ring, backend)
        #expect(second.current != first && second.others == [first])
        #expect(ring.format == .sslsocket && ring.failure == nil && "\(ring)" == "2 ticket keys")
        #expect(throws: SslSocketError(.invalidUserData, "")) { try SslTicketKeys(rotationInterval: .milliseconds(999)) }
    }

    @Test("Keys depend on what the tickets stand for, not on the backend")
    func purposes() throws {
        let ring = try SslTicketKeys()
        let names = try SslBackends.available.map { try self.names(ring, $0).current }
        #expect(Set(names).count == 1 && names.first?.count == 16)
        let backend = try #require(SslBackends.available.first)
        #expect(try self.names(ring, backend, purpose: [2]).current != names.first)
    }

    @Test("A server's own keys rotate while connections come and go", arguments: SocketFixture.all)
    func servesAcrossRotation(pair: SocketFixture) throws {
        let hands = Hands()
        var server = try pair.serverConfiguration()
        server.ticketKeys = try SslTicketKeys(rotationInterval: .seconds(12 * Self.hour), clock: hands.clock)
        var client = try pair.clientConfiguration()
        func connect() throws -> Bool {
            let pipe = try MemoryPipe(client: client, server: server)
            #expect(pipe.converse([1, 2, 3]))
            client.sessionTicket = pipe.client.tickets.last ?? client.sessionTicket
            return pipe.client.connection.facts.isResumed
        }
        #expect(try !connect())
        #expect(try connect())
        hands.move(12 * Self.hour)
        #expect(try connect())
        hands.move(48 * Self.hour)
        #expect(try !connect())
    }

    @Test(
        "A ticket opens nothing at a server of other names, nor at one that asks for pre-shared keys",
        arguments: SocketFixture.all)
    func otherServers(pair: SocketFixture) throws {
        let ring = try SslTicketKeys()
        let root = try TestAuthority.makeRoot("Ticket Root")
        var both = TestAuthority.Leaf()
        both.names.append(.dns(Array("other.example.test".utf8)))
        let (one, other) = (try root.issue(), try root.issue(both))
        var client = try one.trustingConfiguration(backend: pair.client)
        func connect(_ server: SslConfiguration) throws -> MemoryPipe {
            var server = server
            server.ticketKeys = ring
            let pipe = try MemoryPipe(client: client, server: server)
            #expect(pipe.converse([1, 2, 3]))
            return pipe
        }
        let server = try one.configuration(backend: pair.server)
        client.sessionTicket = try connect(server).client.tickets.last
        #expect(try connect(server).client.connection.facts.isResumed)
        // The same names, as after a renewal.
        #expect(try connect(root.issue().configuration(backend: pair.server)).client.connection.facts.isResumed)
        #expect(try !connect(other.configuration(backend: pair.server)).client.connection.facts.isResumed)
        var keyed = server
        keyed.preSharedKeys = [
            try SslPreSharedKey(identity: "somebody", key: SecretBytes([UInt8](repeating: 7, count: 32)))
        ]
        #expect(try !connect(keyed).client.connection.facts.isResumed)
    }

    // MARK: Files

    private static func base64(_ seed: UInt8, _ count: Int = 64) -> String {
        String(decoding: Pem.encodeBase64([UInt8](repeating: seed, count: count)), as: UTF8.self)
    }

    @Test("A file is read again when it has changed, at most once a second", arguments: SslBackends.available)
    func reread(backend: String) throws {
        let folder = try ScratchFiles()
        let hands = Hands()
        let path = try folder.write("keys", "# ours\n\ncurrent \(Self.base64(1))\r\n  next\t\(Self.base64(2))\n")
        let ring = try SslTicketKeys(paths: [path], format: .sslsocket, clock: hands.clock)
        let first = try names(ring, backend)
        #expect(first.others.count == 1)
        try folder.write("keys", "previous \(Self.base64(1))\ncurrent \(Self.base64(2))\nnext \(Self.base64(3))")
        #expect(try names(ring, backend).current == first.current)
        hands.move(1)
        let second = try names(ring, backend)
        #expect(second.current == first.others[0] && second.others.first == first.current && second.others.count == 2)
        // A file that makes no sense changes nothing, and that is told; so is its recovery.
        try folder.write("keys", "current nonsense\n")
        hands.move(1)
        #expect(try names(ring, backend) == second)
        #expect(ring.failure?.code == .invalidUserData)
        #expect(throws: SslSocketError(.invalidUserData, "")) { try ring.rotate() }
        _ = unsafe unlink(path)
        hands.move(1)
        #expect(try names(ring, backend) == second)
        #expect(ring.failure?.code == .unreadableFile)
        try folder.write("keys", "current \(Self.base64(3))\n")
        hands.move(1)
        #expect(try names(ring, backend).current == second.others.last)
        #expect(ring.failure == nil)
    }

    @Test("Files that are no ring are refused, with the line and without a word of the keys")
    func wrongFiles() throws {
        let folder = try ScratchFiles()
        let key = Self.base64(7)
        let wrong: [(String, String)] = [
            ("", "no current"), ("next \(key)\n", "no current"), ("current \(key)\ncurrent \(key)\n", "line 2"),
            ("\n\ncurrent\n", "line 3"), ("current \(key) \(key)\n", "line 1"), ("present \(key)\n", "line 1"),
            ("current \(Self.base64(7, 31))\n", "31"), ("current \(Self.base64(7, 257))\n", "257"), ("current *\n", "line 1"),
            (key, "line 1"),
            ("current \(key)\n" + String(repeating: "previous \(key)\n", count: 16), "more than 16"),
            (String(repeating: "#", count: 70_000), "65536"),
        ]
        for (content, word) in wrong {
            let path = try folder.write("keys", content)
            do throws(SslSocketError) {
                _ = try SslTicketKeys(path: path)
                Issue.record("\(content.prefix(30)) was taken")
            } catch {
                #expect(error.code == .invalidUserData && error.message.contains(word), "\(error)")
                #expect(!error.message.contains(key.prefix(20)))
            }
        }
        #expect(throws: SslSocketError(.unreadableFile, "")) { try SslTicketKeys(path: "\(folder.path)/missing") }
        #expect(throws: SslSocketError(.unreadableFile, "")) { try SslTicketKeys(path: folder.path) }
        #expect(throws: SslSocketError(.invalidUserData, "")) { try SslTicketKeys(paths: [], format: .nginx) }
        let path = try folder.write("keys", "current \(key)")
        #expect(throws: SslSocketError(.invalidUserData, "")) { try SslTicketKeys(paths: [path, path], format: .sslsocket) }
    }

    @Test("A file that others can read or write is refused", arguments: [0o640, 0o604, 0o620, 0o602, 0o610] as [mode_t])
    func openFiles(mode: mode_t) throws {
        let folder = try ScratchFiles()
        let path = try folder.write("keys", "current \(Self.base64(1))")
        _ = try SslTicketKeys(path: path)
        _ = unsafe chmod(path, mode)
        do throws(SslSocketError) {
            _ = try SslTicketKeys(path: path)
            Issue.record("it was taken")
        } catch {
            #expect(error.code == .unreadableFile && error.message.contains("chmod 600"))
        }
    }

    @Test("The next key becomes the current one, which becomes the previous one", arguments: SslBackends.available)
    func fileRotation(backend: String) throws {
        let folder = try ScratchFiles()
        let path = "\(folder.path)/keys"
        try SslTicketKeys.rotateFile(path)
        let first = try names(SslTicketKeys(path: path), backend)
        #expect(first.others.count == 1)
        try SslTicketKeys.rotateFile(path)
        let second = try names(SslTicketKeys(path: path), backend)
        #expect(second.current == first.others[0] && second.others.count == 2 && second.others[0] == first.current)
        try SslTicketKeys.rotateFile(path)
        let third = try names(SslTicketKeys(path: path), backend)
        #expect(third.current == second.others[1] && third.others.count == 2 && third.others[0] == second.current)
        var status = stat()
        #expect(unsafe stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
        // What is no ring is not written over.
        try folder.write("keys", "something else")
        #expect(throws: SslSocketError(.invalidUserData, "")) { try SslTicketKeys.rotateFile(path) }
        #expect(throws: SslSocketError(.unreadableFile, "")) { try SslTicketKeys.rotateFile("\(folder.path)/no/such/keys") }
    }

    @Test("Many threads ask a ring that is being rotated")
    func manyThreads() async throws {
        let ring = try SslTicketKeys()
        let backend = try #require(SslBackends.available.first)
        let source = TicketKeySource(ring, purpose: [], backend: try SslBackends.named(backend))
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<8 {
                group.addTask {
                    for _ in 0..<200 {
                        if number == 0 { try? ring.rotate() }
                        let keys = source.keys
                        #expect(
                            keys?.current.name.count == 16 && keys?.others.contains { $0.name == keys?.current.name } == false)
                    }
                }
            }
        }
    }

    // MARK: Keys of other programs

    @Test("The forms of nginx and HAProxy")
    func foreignForms() throws {
        let folder = try ScratchFiles()
        let short = (0..<48).map { UInt8($0) }
        let long = (100..<180).map { UInt8($0) }
        let backend = try SslBackends.named(#require(SslBackends.available.last))
        func keys(_ ring: SslTicketKeys) throws -> TlsTicketKeySet {
            let source = TicketKeySource(ring, purpose: [9], backend: backend)
            #expect(source.isInterchangeable)
            return try #require(source.keys)
        }
        let one = try folder.write("one", long)
        let two = try folder.write("two", short)
        let nginx = try keys(SslTicketKeys(paths: [one, two], format: .nginx))
        // nginx has the key for HMAC first when there are 80 octets.
        #expect(nginx.current.name == Array(long[..<16]) && nginx.current.encryption == SecretBytes(Array(long[48...])))
        #expect(nginx.current.authentication == SecretBytes(Array(long[16..<48])))
        #expect(nginx.others.map(\.name) == [Array(short[..<16])])
        #expect(nginx.others[0].encryption == SecretBytes(Array(short[16..<32])))
        func line(_ seed: UInt8) -> String {
            String(decoding: Pem.encodeBase64([UInt8](repeating: seed, count: 16) + Array(long[16...])), as: UTF8.self)
        }
        let lines = try folder.write("lines", [1, 2, 3, 4].map(line).joined(separator: "\n"))
        let haproxy = try keys(SslTicketKeys(paths: [lines], format: .haproxy))
        #expect(haproxy.current.name == [UInt8](repeating: 3, count: 16))
        #expect(haproxy.current.encryption == SecretBytes(Array(long[16..<48])))
        #expect(haproxy.others.compactMap(\.name.first) == [1, 2, 4])
        let few = try folder.write("few", [1, 2].map(line).joined(separator: "\n"))
        #expect(throws: SslSocketError(.invalidUserData, "")) { try SslTicketKeys(paths: [few], format: .haproxy) }
        let odd = try folder.write("odd", [UInt8](repeating: 1, count: 64))
        #expect(throws: SslSocketError(.invalidUserData, "")) { try SslTicketKeys(paths: [odd], format: .nginx) }
    }

    @Test(
        "Keys of other programs work where the library takes them, and only without certificates of clients",
        arguments: SocketFixture.all)
    func foreignKeys(pair: SocketFixture) throws {
        let folder = try ScratchFiles()
        let path = try folder.write("key", [UInt8](repeating: 5, count: 80))
        let ring = try SslTicketKeys(paths: [path], format: .nginx)
        var server = try pair.serverConfiguration()
        server.ticketKeys = ring
        #expect(throws: SslSocketError(.invalidUserData, "")) { try server.validate(for: .server) }
        server.peerVerifyMode = .verifyNone
        guard try SslBackends.named(pair.server).capabilities.features.contains(.interchangeableTickets) else {
            do throws(SslSocketError) {
                try server.validate(for: .server)
                Issue.record("it was taken")
            } catch {
                #expect(error.code == .unsupportedFeature && error.backend == pair.server)
                #expect(error.message.contains("interchangeableTickets"))
            }
            return
        }
        var client = try pair.clientConfiguration()
        let first = try MemoryPipe(client: client, server: server)
        #expect(first.converse([1]))
        client.sessionTicket = first.client.tickets.last
        var other = server
        other.ticketKeys = try SslTicketKeys(paths: [path], format: .nginx)
        let second = try MemoryPipe(client: client, server: other)
        #expect(second.converse([1]) && second.client.connection.facts.isResumed)
    }

    @Test("The number of tickets has bounds", arguments: SslBackends.available)
    func ticketCount(backend: String) throws {
        var server = try TestCertificates.shared().identity(.valid).configuration(backend: backend)
        #expect(server.sessionTicketCount == 1 && server.ticketKeys == nil)
        for count in [-1, 17] {
            server.sessionTicketCount = count
            #expect(throws: SslSocketError(.invalidUserData, "")) { try server.validate(for: .server) }
        }
        for count in [0, 16] {
            server.sessionTicketCount = count
            try server.validate(for: .server)
        }
    }

    @Test("A server keeps no sessions: without tickets nothing is resumed", arguments: SocketFixture.all)
    func stateless(pair: SocketFixture) throws {
        var client = try pair.clientConfiguration()
        client.protocol = .tlsV1_2
        let server = try pair.serverConfiguration()
        let first = try MemoryPipe(client: client, server: server)
        #expect(first.converse([1]))
        var second = client
        second.sessionTicket = first.client.tickets.last
        // The client would still know the session by its number, and the server would have to.
        var deaf = server
        deaf.setSslOption(.disableSessionTickets, true)
        let pipe = try MemoryPipe(client: second, server: deaf)
        #expect(pipe.converse([1]) && !pipe.client.connection.facts.isResumed)
    }
}
