import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

/// What hooks and slots have said, in order, and a way to wait for it.
final class EventLog: Sendable {
    private struct State {
        var entries: [String] = []
        var waiters: [(id: Int, condition: @Sendable ([String]) -> Bool, resume: CheckedContinuation<Bool, Never>)] = []
        var nextId = 0
    }
    private let state = Lock(State())

    func note(_ entry: String) {
        let done = state.withLock { state in
            state.entries.append(entry)
            let entries = state.entries
            let done = state.waiters.filter { $0.condition(entries) }
            state.waiters.removeAll { $0.condition(entries) }
            return done
        }
        for waiter in done { waiter.resume.resume(returning: true) }
    }

    var entries: [String] { state.withLock { $0.entries } }
    func count(_ entry: String) -> Int { entries.count { $0 == entry } }

    /// Suspends until the entries satisfy a condition. False when they do not in time, which is long: only a fault makes anybody wait for it.
    func wait(_ condition: @escaping @Sendable ([String]) -> Bool) async -> Bool {
        let id = state.withLock { state in
            state.nextId += 1
            return state.nextId
        }
        let timer = Task {
            try await Task.sleep(for: .seconds(30))
            let waiter = state.withLock { state in
                defer { state.waiters.removeAll { $0.id == id } }
                return state.waiters.first { $0.id == id }
            }
            waiter?.resume.resume(returning: false)
        }
        defer { timer.cancel() }
        return await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if condition(state.entries) { return true }
                state.waiters.append((id, condition, continuation))
                return false
            }
            if isThere { continuation.resume(returning: true) }
        }
    }

    func wait(for entry: String, times: Int = 1) async -> Bool { await wait { $0.count { $0 == entry } >= times } }
}

extension SslServer {
    /// Notes what the hooks and the signals of the sockets say.
    func observe(_ log: EventLog) {
        onIncomingConnection { _ in
            log.note("incoming")
            return true
        }
        onConnection { socket in
            log.note("started")
            socket.encrypted.connect { _ in log.note("encrypted") }
            socket.sslErrors.connect { _, errors in log.note("sslErrors \(errors.count)") }
            socket.peerVerifyError.connect { _, error in log.note("peerVerifyError \(error.code)") }
            socket.errorOccurred.connect { _, error in log.note("error \(error.code.rawValue)") }
            socket.alertSent.connect { _, alert in log.note("sent \(alert.type)") }
            socket.alertReceived.connect { _, alert in log.note("received \(alert.type)") }
        }
        onPendingConnection { log.note("pending") }
        onAcceptError { log.note("acceptError \($0.code.rawValue)") }
        onHandshakeFailure { peer, error in log.note("failed \(peer?.ip.description ?? "nobody") \(error.code.rawValue)") }
    }
}

/// A pair of backends and a version.
struct ServerCell: Sendable, CustomTestStringConvertible {
    var pair: SocketFixture
    var version: SslProtocol

    static let all = SocketFixture.all.flatMap { pair in
        [SslProtocol.tlsV1_2, .tlsV1_3].map { ServerCell(pair: pair, version: $0) }
    }

    var testDescription: String { "\(pair.testDescription), \(version)" }

    func server(_ identity: TestCertificate = .valid) throws -> SslServer {
        var configuration = try TestCertificates.shared().identity(identity).configuration(backend: pair.server)
        configuration.peerVerifyMode = .verifyNone
        let server = SslServer(configuration: configuration)
        // However busy the machine is.
        server.handshakeTimeout = .seconds(60)
        return server
    }

    /// A client that has begun to connect.
    func client(
        to server: SslServer, name: String = TestIdentity.defaultHost,
        _ change: (inout SslConfiguration) throws -> Void = { _ in }
    ) throws -> SslSocket {
        var configuration = try pair.clientConfiguration()
        configuration.protocol = version
        try change(&configuration)
        let socket = SslSocket(configuration: configuration)
        socket.connectToHostEncrypted("127.0.0.1", port: server.serverPort, peerVerifyName: name)
        return socket
    }
}

/// A client that speaks no TLS by itself.
func plainClient(to server: SslServer) async -> SslSocket {
    let socket = SslSocket()
    socket.connectToHost("127.0.0.1", port: server.serverPort)
    #expect(await socket.waitForConnected())
    return socket
}
