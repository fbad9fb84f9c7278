import Glibc
import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

/// A state in which a wait can be left alone for ever.
enum Standstill: String, CaseIterable, Sendable {
    case lookup, connecting, handshake, reading, writing, closing

    /// More than the buffers of both ends take.
    private static let flood = [UInt8](repeating: 0, count: 32_000_000)

    /// What comes before the first wait.
    func begin(_ socket: SslSocket, _ scene: Scene) {
        socket.peerVerifyName = TestIdentity.defaultHost
        guard self == .lookup else { return socket.connectToHostEncrypted(.loopbackIPv4, port: scene.port) }
        let gate = scene.gate
        socket.stage = .lookup(
            HostLookup(host: "slow.example.test", port: scene.port, protocol: .any) { _, _, _ in
                gate.pass()
                return .success([])
            })
        socket.setState(.hostLookup)
    }

    /// What comes after the handshake, where there is one.
    func finish(_ socket: SslSocket) {
        switch self {
        case .lookup, .handshake, .reading: break
        case .connecting: while socket.state == .hostLookup { socket.turn() }
        case .writing: socket.write(Self.flood)
        case .closing:
            socket.write(Self.flood)
            socket.disconnectFromHost()
        }
    }

    /// Brings a socket there.
    func reach(_ socket: SslSocket, _ scene: Scene) async {
        begin(socket, scene)
        if self == .handshake { _ = await socket.waitForConnected() }
        if isEncrypted { _ = await socket.waitForEncrypted() }
        finish(socket)
    }
    @available(*, noasync)
    func reachBlocking(_ socket: SslSocket, _ scene: Scene) {
        begin(socket, scene)
        if self == .handshake { _ = socket.waitForConnected() }
        if isEncrypted { _ = socket.waitForEncrypted() }
        finish(socket)
    }

    private var isEncrypted: Bool { self == .reading || self == .writing || self == .closing }

    /// The wait that cannot end by itself there.
    func wait(_ socket: SslSocket, timeout: Duration?) async -> Bool {
        switch self {
        case .lookup, .connecting: await socket.waitForConnected(timeout: timeout)
        case .handshake: await socket.waitForEncrypted(timeout: timeout)
        case .reading: await socket.waitForReadyRead(timeout: timeout)
        case .writing: await socket.suspend(until: .drained, timeout: timeout)
        case .closing: await socket.waitForDisconnected(timeout: timeout)
        }
    }
    @available(*, noasync)
    func waitBlocking(_ socket: SslSocket, timeout: Duration?) -> Bool {
        switch self {
        case .lookup, .connecting: socket.waitForConnected(timeout: timeout)
        case .handshake: socket.waitForEncrypted(timeout: timeout)
        case .reading: socket.waitForReadyRead(timeout: timeout)
        case .writing: socket.block(until: .drained, timeout: timeout)
        case .closing: socket.waitForDisconnected(timeout: timeout)
        }
    }
}

/// A server that does as little as a standstill needs.
final class Scene: Sendable {
    /// Stops a resolver until the scene ends.
    let gate = OpenGate()
    let port: UInt16
    private let listener: SocketDescriptor
    private let fillers = Lock<[SocketDescriptor]>([])
    private let server: Task<Void, Never>?

    init(_ standstill: Standstill, _ configuration: SslConfiguration) throws {
        let listener = try SocketDescriptor.listener(
            at: SocketAddress(.loopbackIPv4, port: 0), backlog: standstill == .connecting ? 0 : 8)
        self.listener = listener
        let address = try #require(listener.localAddress)
        port = address.port
        switch standstill {
        case .lookup, .handshake: server = nil
        case .connecting:
            server = nil
            // A backlog of n admits n + 1 connections; the next waits for an answer.
            let filler = try SocketDescriptor.stream(family: address.family)
            _ = filler.startConnect(to: address)
            #expect(Poller.wait(fd: filler.fd, events: .write, deadline: Deadline(after: .seconds(10))) == .ready(.write))
            fillers.withLock { $0.append(filler) }
        case .reading, .writing, .closing:
            server = Task {
                guard let registration = try? SslReactor.shared.register(listener.fd) else { return }
                defer { registration.deregister() }
                _ = await registration.wait(.read, deadline: Deadline(after: .seconds(20)), isolation: nil)
                guard case .accepted(let descriptor) = listener.accept() else { return }
                let socket = SslSocket(configuration: configuration)
                // It reads nothing beyond the handshake until the client is gone.
                socket.readBufferSize = 1
                socket.opened(descriptor)
                socket.startServerEncryption()
                _ = await socket.waitForEncrypted(timeout: .seconds(20))
                while !Task.isCancelled { _ = await socket.waitForDisconnected(timeout: .seconds(20)) }
                socket.abort()
            }
        }
    }

    /// Ends whatever is left of it, and returns how many descriptors of connections are still there.
    func end() async -> Int {
        gate.open()
        server?.cancel()
        await server?.value
        fillers.withLock { fillers in
            for filler in fillers { filler.close() }
            fillers = []
        }
        // As long as somebody listens nobody else gets the port.
        let left = OpenSockets.count(port: port, besides: listener.fd)
        listener.close()
        return left
    }
}

/// Holds threads back until it is opened.
final class OpenGate: Sendable {
    private let ends: (read: Int32, write: Int32)
    private let isOpen = Lock(false)

    init() {
        var pair: [Int32] = [-1, -1]
        _ = unsafe pipe(&pair)
        ends = (pair[0], pair[1])
    }

    deinit {
        open()
        close(ends.read)
    }

    /// The end of the stream wakes all who wait.
    func open() {
        let isFirst = isOpen.withLock { isOpen -> Bool in
            defer { isOpen = true }
            return !isOpen
        }
        if isFirst { close(ends.write) }
    }

    func pass() { _ = Poller.wait(fd: ends.read, events: .read, deadline: nil) }
}

/// Timeouts and cancellation in every state: the wait ends, the connection stays as it is, and afterwards nothing is left of it.
@Suite("Waits that come to nothing")
@MainActor
struct UnfinishedWaitTests {
    /// How the wait ends.
    enum Ending: String, CaseIterable, Sendable { case timeout, cancellation, abort, letGo }

    @Test(
        "A wait that ends early leaves the connection as it is, and a connection given up leaves nothing",
        .timeLimit(.minutes(2)), arguments: Standstill.allCases, Ending.allCases)
    func suspended(standstill: Standstill, ending: Ending) async throws {
        for pair in SocketFixture.all {
            let scene = try Scene(standstill, pair.serverConfiguration())
            let witness = Witness()
            let outcome = try await Self.run(standstill, ending, pair, scene, witness)
            let expected =
                switch ending {
                case .timeout, .letGo: "false, error socketTimeout, as before"
                case .cancellation: "false, error cancelled, as before"
                case .abort: "\(standstill == .closing), no error, changed"
                }
            #expect(outcome == expected, "\(standstill) \(ending) \(pair)")
            let isGone = await witness.isGone()
            #expect(isGone, "\(standstill) \(ending) \(pair): \(witness.left) left")
            let left = await scene.end()
            #expect(left == 0, "\(standstill) \(ending) \(pair): a descriptor is left")
        }
    }

    private static func run(
        _ standstill: Standstill, _ ending: Ending, _ pair: SocketFixture, _ scene: Scene, _ witness: Witness
    ) async throws -> String {
        let socket = SslSocket(configuration: try pair.clientConfiguration())
        await standstill.reach(socket, scene)
        let state = socket.state
        let outcome = await end(standstill, ending, socket)
        witness.watch(socket)
        let change = socket.state == state ? "as before" : "changed"
        if ending != .letGo { socket.abort() }
        return "\(outcome), \(change)"
    }

    private static func end(
        _ standstill: Standstill, _ ending: Ending, _ socket: SslSocket
    ) async -> String {
        let done: Bool
        switch ending {
        case .timeout, .letGo:
            _ = await standstill.wait(socket, timeout: .zero)
            done = await standstill.wait(socket, timeout: .milliseconds(5))
        case .cancellation, .abort:
            let waiting = Task { @MainActor in await standstill.wait(socket, timeout: .seconds(60)) }
            while (socket.registration?.parkedWaits ?? 0) == 0 { await Task.yield() }
            if ending == .abort { socket.abort() } else { waiting.cancel() }
            done = await waiting.value
        }
        return "\(done), \(socket.error.map { "error \($0.code.rawValue)" } ?? "no error")"
    }

    @Test("The same in a thread that blocks", .timeLimit(.minutes(2)), arguments: Standstill.allCases)
    func blocked(standstill: Standstill) async throws {
        for pair in SocketFixture.all {
            let scene = try Scene(standstill, pair.serverConfiguration())
            let configuration = try pair.clientConfiguration()
            let report = await PlainThread.run { Self.block(standstill, configuration, scene) }
            #expect(report == "false socketTimeout, as before, false, unconnected, alone", "\(standstill) \(pair)")
            let left = await scene.end()
            #expect(left == 0, "\(standstill) \(pair): a descriptor is left")
        }
    }

    @available(*, noasync)
    nonisolated private static func block(_ standstill: Standstill, _ configuration: SslConfiguration, _ scene: Scene) -> String {
        let witness = Witness()
        return blockWatched(standstill, configuration, scene, witness) + (witness.left.isEmpty ? ", alone" : ", left")
    }

    @available(*, noasync)
    nonisolated private static func blockWatched(
        _ standstill: Standstill, _ configuration: SslConfiguration, _ scene: Scene, _ witness: Witness
    ) -> String {
        let socket = SslSocket(configuration: configuration)
        standstill.reachBlocking(socket, scene)
        let state = socket.state
        let first = standstill.waitBlocking(socket, timeout: .milliseconds(5))
        var report = "\(first) \(socket.error.map { $0.code.rawValue } ?? "no error")"
        report += socket.state == state ? ", as before" : ", changed"
        report += ", \(standstill.waitBlocking(socket, timeout: .zero))"
        witness.watch(socket)
        socket.abort()
        return report + ", \(socket.state)"
    }

    @Test("Two tasks may wait at once, one to read and one to write; a third is told so", arguments: SocketFixture.all)
    func crowd(pair: SocketFixture) async throws {
        let scene = try Scene(.reading, pair.serverConfiguration())
        let socket = SslSocket(configuration: try pair.clientConfiguration())
        await Standstill.reading.reach(socket, scene)
        let first = Task { @MainActor in await socket.waitForReadyRead(timeout: .seconds(30)) }
        let second = Task { @MainActor in await socket.waitForDisconnected(timeout: .seconds(30)) }
        while (socket.registration?.parkedWaits ?? 0) < 2 { await Task.yield() }
        #expect(!(await socket.waitForReadyRead(timeout: .seconds(30))))
        #expect(socket.error?.code == .operationInProgress)
        socket.abort()
        #expect(!(await first.value))
        #expect(await second.value)
        // After the end nothing is waited for.
        #expect(!(await socket.waitForConnected()))
        #expect(!(await socket.waitForEncrypted()))
        #expect(!(await socket.waitForReadyRead()))
        #expect(!(await socket.waitForBytesWritten()))
        #expect(!(await socket.waitForDisconnected()))
        #expect(await scene.end() == 0)
    }
}

/// Whether anything of a socket is left.
final class Witness {
    private weak var socket: SslSocket?
    private weak var connection: TlsConnection?
    private weak var registration: Registration?

    func watch(_ socket: SslSocket) {
        self.socket = socket
        connection = socket.connection
        registration = socket.registration
    }

    /// Whether all is gone. The reactor's thread may hold for a moment what it has just resumed.
    func isGone() async -> Bool {
        let deadline = Deadline(at: MonotonicTime.now.adding(.seconds(10)))
        while !left.isEmpty {
            if deadline.isDue(at: .now) { return false }
            await Task.yield()
        }
        return true
    }

    /// What there still is.
    var left: [String] {
        var left: [String] = []
        if socket != nil { left.append("the socket") }
        if connection != nil { left.append("the connection") }
        if registration != nil { left.append("the registration") }
        return left
    }
}
