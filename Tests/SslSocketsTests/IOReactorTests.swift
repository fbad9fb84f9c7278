import Glibc
import Testing

@testable import SslSockets

/// Two connected sockets, one of them in a reactor; it leaves the reactor before it is closed.
private final class Watched: Sendable {
    let here: SocketDescriptor
    let there: SocketDescriptor
    let registration: Registration

    init(_ reactor: SslReactor = .shared) throws {
        (here, there) = try connectedDescriptors()
        registration = try reactor.register(here.fd)
    }

    /// Watches a duplicate of a socket whose other end stays with the first.
    init(duplicating other: Watched) throws {
        here = try SocketDescriptor.adopt(fd: dup(other.here.fd))
        there = other.there
        registration = try SslReactor.shared.register(here.fd)
    }

    deinit { registration.deregister() }

    func wait(_ events: IOEvents, _ deadline: Deadline? = nil) async -> WaitOutcome {
        await registration.wait(events, deadline: deadline, isolation: #isolation)
    }

    /// Fills the way out, so that a wait for writing parks.
    func fill() async {
        while here.sendText(String(repeating: "x", count: 4096)) {}
        while case .ready = await wait(.both, .past) {}
    }

    /// Waits until so many tasks are suspended: by yielding, for there is nothing to sleep for.
    func untilParked(_ count: Int) async {
        while registration.parkedWaits < count { await Task.yield() }
    }
}

@Suite("I/O: reactor", .timeLimit(.minutes(2)))
struct IOReactorTests {
    @Test("what is ready already is told without suspending, once")
    func latched() async throws {
        let socket = try Watched()
        #expect(await socket.wait(.write) == .ready(.write))
        #expect(await socket.wait(.write, .past) == .timedOut)
        #expect(socket.there.sendText("x"))
        #expect(await socket.wait(.read) == .ready(.read))
        #expect(socket.here.receiveText() == "x")
        #expect(await socket.wait(.read, .past) == .timedOut)
    }

    @Test("a parked wait is woken by data, and by the peer's end in both directions")
    func readiness() async throws {
        let socket = try Watched()
        async let woken = socket.wait(.read, Deadline(after: .seconds(30)))
        await socket.untilParked(1)
        #expect(socket.there.sendText("data"))
        #expect(await woken == .ready(.read))
        #expect(socket.here.receiveText() == "data")
        async let ended = socket.wait(.read)
        await socket.untilParked(1)
        socket.there.close()
        #expect(await ended == .ready([.read, .hangup]))
        // It stays known that nothing more will come.
        #expect(await socket.wait(.write) == .ready([.write, .hangup]))
    }

    @Test("one task reads while another writes; a third is refused")
    func fullDuplex() async throws {
        let socket = try Watched()
        await socket.fill()
        async let reading = socket.wait(.read)
        async let writing = socket.wait(.write)
        await socket.untilParked(2)
        #expect(await socket.wait(.read) == .busy)
        #expect(socket.there.sendText("y"))
        #expect(await reading == .ready(.read))
        #expect(socket.registration.parkedWaits == 1)
        while socket.there.receiveText() != nil {}
        #expect(await writing == .ready(.write))
    }

    @Test("a deadline ends its own wait only, by the reactor's clock")
    func deadline() async throws {
        let hand = HandClock()
        let own = SslReactor(clock: hand.clock)
        let socket = try Watched(own)
        async let short = socket.wait(.read, Deadline(after: .seconds(60), clock: hand.clock))
        async let long = socket.wait(.read, Deadline(after: .seconds(90), clock: hand.clock))
        await socket.untilParked(2)
        #expect(own.pendingDeadlines <= 1)
        hand.advance(milliseconds: 60_000)
        own.wake()
        #expect(await short == .timedOut)
        #expect(socket.registration.parkedWaits == 1)
        #expect(socket.there.sendText("z"))
        #expect(await long == .ready(.read))
    }

    @Test("waits that keep ending early leave at most one queued deadline, however often they alternate")
    func lazyDeadlines() async throws {
        let hand = HandClock()
        let own = SslReactor(clock: hand.clock)
        let socket = try Watched(own)
        for round in 0..<500 {
            let timeout = Duration.milliseconds(round % 2 == 0 ? 30_000 : 100)
            async let woken = socket.wait(.read, Deadline(after: timeout, clock: hand.clock))
            await socket.untilParked(1)
            #expect(own.pendingDeadlines <= 1)
            hand.advance(milliseconds: 99)
            own.wake()
            #expect(socket.there.sendText("a"))
            #expect(await woken == .ready(.read))
            while socket.here.receiveText() != nil {}
            while case .ready = await socket.wait(.read, .past) {}
        }
        socket.registration.deregister()
        #expect(own.pendingDeadlines == 0)
    }

    @Test("cancellation ends a wait, parked or not yet, and no later one")
    func cancellation() async throws {
        let socket = try Watched()
        let parked = Task { await socket.wait(.read) }
        await socket.untilParked(1)
        parked.cancel()
        #expect(await parked.value == .cancelled)
        let early = Task {
            while !Task.isCancelled { await Task.yield() }
            return await socket.wait(.read)
        }
        early.cancel()
        #expect(await early.value == .cancelled)
        async let later = socket.wait(.read)
        await socket.untilParked(1)
        #expect(socket.there.sendText("x"))
        #expect(await later == .ready(.read))
    }

    @Test("two waits cancelled together, at any moment, both end")
    func cancelledTogether() async throws {
        let socket = try Watched()
        await socket.fill()
        for _ in 0..<2000 {
            let outcomes = await withTaskGroup(of: WaitOutcome.self) { group in
                group.addTask { await socket.wait(.read) }
                group.addTask { await socket.wait(.write) }
                group.cancelAll()
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(outcomes == [.cancelled, .cancelled])
        }
    }

    @Test("deregistering ends parked waits and all later ones")
    func deregistering() async throws {
        let socket = try Watched()
        async let first = socket.wait(.read, Deadline(after: .seconds(60)))
        async let second = socket.wait(.read)
        await socket.untilParked(2)
        socket.registration.deregister()
        #expect(await first == .closed)
        #expect(await second == .closed)
        #expect(await socket.wait(.read) == .closed)
        socket.registration.deregister()
    }

    @Test("a descriptor cannot be registered twice, nor one that is none; afterwards it can again")
    func registeringTwice() throws {
        let socket = try Watched()
        #expect(throws: SslSocketError(.operation, "")) { _ = try SslReactor.shared.register(socket.here.fd) }
        #expect(throws: SslSocketError(.operation, "")) { _ = try SslReactor.shared.register(-1) }
        socket.registration.deregister()
        try SslReactor.shared.register(socket.here.fd).deregister()
    }

    @Test("a thousand registrations wake independently")
    func many() async throws {
        // Four watch duplicates of one socket, within the usual limit of descriptors of a process.
        let sockets = try (0..<250).flatMap { _ in
            let first = try Watched()
            return try [first] + (0..<3).map { _ in try Watched(duplicating: first) }
        }
        await withTaskGroup(of: WaitOutcome.self) { group in
            for socket in sockets { group.addTask { await socket.wait(.read, Deadline(after: .seconds(60))) } }
            for socket in sockets { await socket.untilParked(1) }
            for index in stride(from: 0, to: sockets.count, by: 4) { #expect(sockets[index].there.sendText("!")) }
            for await outcome in group { #expect(outcome == .ready(.read)) }
        }
    }

    @Test("tasks that prefer the reactor run on its one thread, and no wake-up is lost between threads")
    func executor() async throws {
        let threads = Lock<Set<UInt>>([])
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<20_000 {
                        await Task(executorPreference: SslReactor.shared) {
                            threads.withLock { _ = $0.insert(UInt(pthread_self())) }
                        }.value
                    }
                }
            }
        }
        #expect(threads.withLock { $0.count } == 1)
        let here = await Task(executorPreference: globalConcurrentExecutor) { UInt(pthread_self()) }.value
        #expect(!threads.withLock { $0.contains(here) })
    }

    @Test("a wait stays on the actor that began it")
    func isolation() async throws {
        let socket = try Watched()
        let reader = Reader(socket)
        async let text = reader.next()
        await socket.untilParked(1)
        #expect(socket.there.sendText("actor"))
        #expect(await text == "actor")
    }
}

/// Fails the test when a wait returns anywhere but on it.
private actor Reader {
    private let socket: Watched
    init(_ socket: Watched) { self.socket = socket }

    func next() async -> String? {
        while true {
            if let text = socket.here.receiveText() { return text }
            _ = await socket.registration.wait(.read, deadline: nil, isolation: #isolation)
            preconditionIsolated()
        }
    }
}
