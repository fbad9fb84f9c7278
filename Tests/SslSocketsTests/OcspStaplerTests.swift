import SslTestKit
import Testing

@testable import SslSockets

/// A clock that stands still until it is told to ring.
private final class ManualTimer: Sendable {
    private let asked: AsyncStream<SslInstant>
    private let ask: AsyncStream<SslInstant>.Continuation
    private let bell: AsyncStream<Void>
    private let ringing: AsyncStream<Void>.Continuation
    private let ended: AsyncStream<Void>
    private let end: AsyncStream<Void>.Continuation

    init() {
        (asked, ask) = AsyncStream.makeStream()
        (bell, ringing) = AsyncStream.makeStream()
        (ended, end) = AsyncStream.makeStream()
    }

    /// What a stapler waits with.
    var timer: SslOcspStapler.Timer {
        { [ask, bell, end] due in
            ask.yield(due)
            var bells = bell.makeAsyncIterator()
            _ = await bells.next()
            if Task.isCancelled {
                end.yield()
                throw CancellationError()
            }
        }
    }

    /// The time the stapler waits for now.
    func due() async throws -> SslInstant {
        var times = asked.makeAsyncIterator()
        return try #require(await times.next())
    }

    /// That time has come.
    func ring() { ringing.yield() }

    /// The stapler waits no more.
    func waitForEnd() async {
        var ends = ended.makeAsyncIterator()
        _ = await ends.next()
    }
}

/// A responder that gives what it was told to, once each.
private final class TestResponder: Sendable {
    private let answers = Lock<[Result<[UInt8], SslSocketError>]>([])

    func give(_ answer: Result<[UInt8], SslSocketError>) { answers.withLock { $0.append(answer) } }

    func answer() throws -> [UInt8] {
        try answers.withLock { answers in
            guard !answers.isEmpty else { throw SslSocketError(.socketTimeout, "The responder says nothing") }
            return try answers.removeFirst().get()
        }
    }
}

@Suite("Renewing what is stapled")
struct OcspStaplerTests {
    private let now = SslInstant.now
    private let failures = Lock<[SslSocketError]>([])

    /// A response from `start` to `end` seconds from now.
    private func response(_ start: Int64 = -600, _ end: Int64? = 7200) throws -> [UInt8] {
        let shared = try TestCertificates.shared()
        var content = TestOcspResponse()
        content.thisUpdate = now.adding(seconds: start)
        content.nextUpdate = end.map { now.adding(seconds: $0) }
        return try shared.intermediate.ocspResponse(for: #require(shared.identity(.valid).chain.first), content)
    }

    private func listen(_ stapler: SslOcspStapler) {
        stapler.onRefreshFailure { [failures] error in failures.withLock { $0.append(error) } }
    }

    @Test("A closure is asked at once, and then when half of the time is over")
    func rhythm() async throws {
        let (timer, responder) = (ManualTimer(), TestResponder())
        try await TlsClock.$fixed.withValue(now) {
            let stapler = SslOcspStapler(timer: timer.timer) { try responder.answer() }
            listen(stapler)
            #expect(try await timer.due() == now)
            #expect(stapler.response == nil)
            // What there is, how long it is valid, and when it is renewed.
            for (end, delay) in [(7200, 3600), (100, 60), (30, 60), (30 * 86_400, 86_400), (nil, 3600)] as [(Int64?, Int64)] {
                let fresh = try response(-600, end)
                responder.give(.success(fresh))
                timer.ring()
                #expect(try await timer.due() == now.adding(seconds: delay), "\(end ?? 0)")
                #expect(stapler.response == fresh)
            }
            #expect(failures.withLock { $0.isEmpty })
        }
    }

    @Test("After a failure the old response is stapled as long as it is valid, and then nothing")
    func failing() async throws {
        let (timer, responder) = (ManualTimer(), TestResponder())
        try await TlsClock.$fixed.withValue(now) {
            let stapler = SslOcspStapler(timer: timer.timer) { try responder.answer() }
            listen(stapler)
            _ = try await timer.due()
            timer.ring()
            // Nothing is there yet: again in a minute, and loudly.
            #expect(try await timer.due() == now.adding(seconds: 60))
            #expect(failures.withLock { $0.last?.message.contains("nothing is stapled") } == true)
            let good = try response(-600, 7200)
            responder.give(.success(good))
            timer.ring()
            _ = try await timer.due()
            for (bad, words) in [
                (try response(-7200, -1), "expired"), (try response(61, 7200), "valid only from"), ([1, 2, 3], "not an OCSP"),
            ] {
                responder.give(.success(bad))
                timer.ring()
                #expect(try await timer.due() == now.adding(seconds: 3600))
                #expect(stapler.response == good)
                let message = failures.withLock { $0.last?.message } ?? ""
                #expect(message.contains(words) && message.contains("until \(now.adding(seconds: 7200))"), "\(message)")
            }
            responder.give(.failure(SslSocketError(.network, "The wire is cut")))
            await #expect(throws: SslSocketError(.network, "")) { try await stapler.refresh() }
            #expect(failures.withLock(\.count) == 5)
            #expect(stapler.response == good)
            TlsClock.$fixed.withValue(now.adding(seconds: 7201)) { #expect(stapler.response == nil) }
            responder.give(.success(try response(-1, 9000)))
            try await stapler.refresh()
            TlsClock.$fixed.withValue(now.adding(seconds: 7201)) { #expect(stapler.response != nil) }
        }
    }

    @Test("A file that was replaced counts without a call; a broken one does not")
    func file() async throws {
        let timer = ManualTimer()
        let files = try ScratchFiles()
        let (old, new) = (try response(-600, 7200), try response(-300, 7300))
        let path = try files.write("status", old)
        try await TlsClock.$fixed.withValue(now) {
            let stapler = try SslOcspStapler(file: path, timer: timer.timer)
            listen(stapler)
            #expect(try await timer.due() == now.adding(seconds: 3600))
            try files.write("status", "half of a resp")
            timer.ring()
            _ = try await timer.due()
            #expect(stapler.response == old && failures.withLock(\.count) == 1)
            try files.write("status", new)
            timer.ring()
            _ = try await timer.due()
            #expect(stapler.response == new && failures.withLock(\.count) == 1)
            try files.write("status", old)
            try stapler.reload()
            #expect(stapler.response == old)
        }
    }

    @Test("A stapler that nobody needs any more stops")
    func stopping() async throws {
        let timer = ManualTimer()
        var stapler: SslOcspStapler? = SslOcspStapler(timer: timer.timer) { [] }
        #expect(stapler?.response == nil)
        _ = try await timer.due()
        stapler = nil
        await timer.waitForEnd()
    }

    @Test("Without a source there is nothing to renew from")
    func withoutSource() async throws {
        await #expect(throws: SslSocketError(.operation, "")) { try await SslOcspStapler().refresh() }
        await #expect(throws: SslSocketError(.operation, "")) { try await SslOcspStapler(response: response()).refresh() }
    }

    @Test("The system's clock wakes a stapler that has nothing yet", .timeLimit(.minutes(1)))
    func systemClock() async throws {
        let fresh = try response()
        let (asked, ask) = AsyncStream.makeStream(of: Void.self)
        let stapler = SslOcspStapler {
            ask.yield()
            return fresh
        }
        var questions = asked.makeAsyncIterator()
        await questions.next()
        #expect(stapler.response == nil || stapler.response == fresh)
    }

    @Test("A running server staples what was renewed", arguments: VersionedPair.all)
    func running(cell: VersionedPair) async throws {
        let (timer, responder) = (ManualTimer(), TestResponder())
        let stapler = SslOcspStapler(timer: timer.timer) { try responder.answer() }
        var configuration = try cell.pair.serverConfiguration()
        configuration.protocol = SslProtocol(exactly: cell.version)
        configuration.credentials[0].stapler = stapler
        let server = SslServer(configuration: configuration)
        try server.listen(host: "127.0.0.1")
        let running = Task {
            try await server.run { socket in
                _ = try? await socket.receive()
                await socket.finish()
            }
        }
        var client = try cell.pair.clientConfiguration()
        client.protocol = SslProtocol(exactly: cell.version)
        client.ocspStaplingEnabled = true
        for start in [-500, -400] as [Int64] {
            _ = try await timer.due()
            responder.give(.success(try response(start)))
            timer.ring()
            // It waits again when it has taken the response.
            let due = try await timer.due()
            #expect(due > now)
            let socket = SslSocket(configuration: client)
            socket.connectToHostEncrypted("127.0.0.1", port: server.serverPort, peerVerifyName: TestIdentity.defaultHost)
            #expect(await socket.waitForEncrypted(), "\(socket.errorString)")
            #expect(socket.ocspResponses.first?.thisUpdate == now.adding(seconds: start))
            socket.abort()
            // The next round begins where this one ended.
            timer.ring()
        }
        server.close()
        try await running.value
    }
}
