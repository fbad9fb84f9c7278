import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

/// The cache of clients' sessions: bounds, one use, failures, many tasks.
@Suite struct SessionCacheTests {
    private func key(_ name: String, port: UInt16 = 443) -> SslSessionCache.Key {
        SslSessionCache.Key(
            terms: SessionTerms(backend: "b", libraryVersion: "v", name: .dns(name), isVerified: true, settings: [1]), port: port)
    }

    private func ticket(_ key: SslSessionCache.Key, _ number: UInt8, oneUse: Bool = true, lifetime: Int = 600) -> SslSessionTicket
    {
        SslSessionTicket(
            terms: key.terms, secret: SecretBytes([number]), peerChain: [],
            validity: SslInstant.now.adding(days: -1)...SslInstant.now.adding(days: 1), received: .now, judged: .now,
            isForOneUse: oneUse, lifetimeHint: lifetime)
    }

    @Test("The newest ticket is taken first, and each only once")
    func taking() {
        let cache = SslSessionCache()
        let one = key("one.test")
        for number: UInt8 in 1...3 { cache.put(ticket(one, number), one, at: .now) }
        #expect(cache.count == 3 && cache.description == "session cache (3 of 1000 tickets)")
        #expect(cache.take(key("one.test", port: 444), at: .now) == nil && cache.take(key("two.test"), at: .now) == nil)
        let taken = (0..<4).map { _ in cache.take(one, at: .now)?.secret }
        #expect(taken == [SecretBytes([3]), SecretBytes([2]), SecretBytes([1]), nil] && cache.count == 0)
        // A ticket for many uses takes the place of the one before it.
        for number: UInt8 in 1...3 { cache.put(ticket(one, number, oneUse: false), one, at: .now) }
        #expect(cache.count == 1 && cache.take(one, at: .now)?.secret == SecretBytes([3]))
    }

    @Test("What has expired is neither put in nor given out, and goes")
    func expiry() {
        let cache = SslSessionCache()
        let one = key("one.test")
        cache.put(ticket(one, 1, lifetime: 60), one, at: .now)
        cache.put(ticket(one, 2, lifetime: 600), one, at: .now)
        cache.put(ticket(one, 3, lifetime: 60), one, at: SslInstant.now.adding(seconds: 100))
        #expect(cache.count == 2)
        #expect(cache.take(one, at: SslInstant.now.adding(seconds: 100))?.secret == SecretBytes([2]))
        #expect(cache.count == 0)
        // Of another server's terms.
        cache.put(ticket(key("two.test"), 4), one, at: .now)
        #expect(cache.count == 0)
    }

    @Test("It never holds more than it may, and what was not used for the longest goes first")
    func bounds() {
        let cache = SslSessionCache(capacity: 6, capacityPerServer: 2)
        for number: UInt8 in 1...5 { cache.put(ticket(key("one.test"), number), key("one.test"), at: .now) }
        #expect(cache.count == 2)
        #expect(cache.take(key("one.test"), at: .now)?.secret == SecretBytes([5]))
        for server in 2...6 { cache.put(ticket(key("\(server).test"), 9), key("\(server).test"), at: .now) }
        #expect(cache.count == 6)
        #expect(cache.take(key("one.test"), at: .now) != nil && cache.count == 5)
        cache.put(ticket(key("one.test"), 1), key("one.test"), at: .now)
        cache.put(ticket(key("7.test"), 1), key("7.test"), at: .now)
        #expect(cache.count == 6 && cache.take(key("2.test"), at: .now) == nil && cache.take(key("3.test"), at: .now) != nil)
        cache.purge(key("7.test"))
        #expect(cache.count == 4 && cache.take(key("7.test"), at: .now) == nil)
        cache.removeAll()
        #expect(cache.count == 0)
        let least = SslSessionCache(capacity: -5, capacityPerServer: 0)
        #expect(least.capacity == 1 && least.capacityPerServer == 1)
        for server in 1...10 { least.put(ticket(key("\(server).test"), 1), key("\(server).test"), at: .now) }
        #expect(least.count == 1 && least.take(key("10.test"), at: .now) != nil)
        #expect(SslSessionCache.shared == .shared && least != .shared)
    }

    @Test("Many tasks put, take and purge at once: no ticket for one use is given out twice, and the bounds hold")
    func manyTasks() async {
        let cache = SslSessionCache(capacity: 50, capacityPerServer: 8)
        let servers = (0..<10).map { key("\($0).test") }
        await withTaskGroup(of: [SecretBytes].self) { group in
            for task in 0..<8 {
                group.addTask {
                    var taken: [SecretBytes] = []
                    for round in 0..<100 {
                        let place = servers[(task + round) % servers.count]
                        // A secret of its own for each.
                        let one = SslSessionTicket(
                            terms: place.terms, secret: SecretBytes([UInt8(task), UInt8(round)]), peerChain: [],
                            validity: SslInstant.now.adding(days: -1)...SslInstant.now.adding(days: 1), received: .now,
                            judged: .now,
                            isForOneUse: true, lifetimeHint: 600)
                        cache.put(one, place, at: .now)
                        if round % 3 == 0, let found = cache.take(place, at: .now) { taken.append(found.secret) }
                        if round % 50 == 0 { cache.purge(place) }
                        #expect(cache.count <= 50)
                    }
                    return taken
                }
            }
            var all: [[UInt8]] = []
            for await taken in group { all += taken.map(\.copy) }
            #expect(Set(all).count == all.count && !all.isEmpty)
        }
        var left = 0
        for server in servers { while cache.take(server, at: .now) != nil { left += 1 } }
        #expect(left <= 50 && cache.count == 0)
    }

    @Test("Nothing is kept where it is switched off, or asked for otherwise", arguments: SocketFixture.all)
    func switchedOff(pair: SocketFixture) throws {
        let changes: [@Sendable (inout SslConfiguration) -> Void] = [
            { $0.setSslOption(.disableSessionPersistence, true) }, { $0.setSslOption(.disableSessionSharing, true) },
            { $0.setSslOption(.disableSessionTickets, true) }, { $0.ocspStaplingEnabled = true },
        ]
        for change in changes {
            let cache = SslSessionCache()
            var client = try pair.clientConfiguration()
            client.sessionCache = cache
            change(&client)
            let pipe = try MemoryPipe(client: client, server: try pair.serverConfiguration())
            pipe.converse([1])
            #expect(cache.count == 0)
        }
        #expect(try pair.clientConfiguration().sessionCache == nil)
    }

    @Test("A server that was accepted in spite of errors leaves nothing in the cache", arguments: SocketFixture.all)
    func tolerated(pair: SocketFixture) throws {
        let cache = SslSessionCache()
        let identity = try TestCertificates.shared().identity(.expired)
        var client = try identity.trustingConfiguration(backend: pair.client)
        client.sessionCache = cache
        let pipe = try MemoryPipe(client: client, host: identity.host, server: try identity.configuration(backend: pair.server))
        pipe.client.policy.accepts = .all
        #expect(pipe.converse([1]) && !pipe.client.tickets.isEmpty && cache.count == 0)
    }

    @Test("A damaged session in the cache does not stand in the way", arguments: SocketFixture.all)
    func damaged(pair: SocketFixture) throws {
        let cache = SslSessionCache()
        var client = try pair.clientConfiguration()
        client.sessionCache = cache
        let server = try pair.serverConfiguration()
        let terms = try #require(
            client.sessionTerms(.dns(TestIdentity.defaultHost), client.context(role: .client)))
        let place = SslSessionCache.Key(terms: terms, port: 0)
        cache.put(
            SslSessionTicket(
                terms: terms, secret: SecretBytes([1, 2, 3]), peerChain: [],
                validity: SslInstant.now.adding(days: -1)...SslInstant.now.adding(days: 1), received: .now, judged: .now,
                isForOneUse: true, lifetimeHint: 600), place, at: .now)
        #expect(cache.count == 1)
        let pipe = try MemoryPipe(client: client, server: server)
        #expect(pipe.converse([1]) && !pipe.client.connection.facts.isResumed && cache.count == 1)
    }

    @Test("Sockets of many tasks share a cache over TCP", arguments: SocketFixture.all, [SslProtocol.tlsV1_2, .tlsV1_3])
    func sockets(pair: SocketFixture, version: SslProtocol) async throws {
        var configuration = try pair.serverConfiguration()
        configuration.protocol = version
        configuration.sessionTicketCount = 2
        let server = SslServer(configuration: configuration)
        try server.listen(host: "127.0.0.1")
        let serving = Task {
            try await server.run { (socket: sending SslSocket) in
                try? await socket.send("hello")
                await socket.finish()
            }
        }
        let cache = SslSessionCache()
        var client = try pair.clientConfiguration()
        client.sessionCache = cache
        let (settings, port) = (client, server.serverPort)
        /// Whether the connection was resumed.
        @Sendable func connect() async throws -> Bool {
            let socket = SslSocket(configuration: settings)
            socket.connectToHostEncrypted("127.0.0.1", port: port, peerVerifyName: TestIdentity.defaultHost)
            guard await socket.waitForEncrypted(timeout: .seconds(30)) else {
                throw socket.error ?? SslSocketError(.operation, "")
            }
            let isResumed = socket.isSessionResumed
            #expect(try await socket.receive() == Array("hello".utf8))
            await socket.finish()
            return isResumed
        }
        #expect(try await !connect())
        #expect(try await connect())
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 { group.addTask { for _ in 0..<4 { _ = try await connect() } } }
            try await group.waitForAll()
        }
        #expect(try await connect())
        #expect(cache.count > 0 && cache.count <= 4)
        server.close()
        try await serving.value
    }
}
