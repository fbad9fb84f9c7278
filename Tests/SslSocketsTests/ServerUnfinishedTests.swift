import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

/// A server that ends while its clients are at something leaves no descriptor, no task and no socket behind.
@Suite("Servers that end early")
struct ServerUnfinishedTests {
    /// What a client is at.
    enum Client: String, CaseIterable, Sendable {
        /// It has said nothing.
        case silent
        /// It has begun a record and does not go on.
        case halfHello
        /// It is encrypted and says nothing.
        case idle
        /// It is encrypted and does not read what the server sends.
        case deaf
    }
    enum Ending: String, CaseIterable, Sendable { case cancellation, shutdown }

    /// A socket of the server, not kept alive.
    private struct Watch: @unchecked Sendable {
        weak var socket: SslSocket?
    }

    @Test(
        "Whatever a client is at, the end of the server leaves nothing of its connection", .timeLimit(.minutes(1)),
        arguments: Client.allCases, Ending.allCases)
    func end(kind: Client, ending: Ending) async throws {
        for cell in ServerCell.all {
            let server = try cell.server()
            let log = EventLog()
            let watches = Lock<[Watch]>([])
            server.onIncomingConnection { _ in
                log.note("incoming")
                return true
            }
            server.onConnection { socket in
                let watch = Watch(socket: socket)
                watches.withLock { $0.append(watch) }
                log.note("started")
            }
            try server.listen(host: "127.0.0.1")
            let port = server.serverPort
            let run = Task {
                try await server.run { socket in
                    log.note("serving")
                    if kind == .deaf { try? await socket.send([UInt8](repeating: 0, count: 32_000_000)) }
                    _ = try? await socket.receive()
                    socket.abort()
                    log.note("served")
                }
            }
            let client: SslSocket
            switch kind {
            case .silent:
                client = await plainClient(to: server)
                #expect(await log.wait(for: "incoming"))
            case .halfHello:
                client = await plainClient(to: server)
                client.write([22, 3, 1])
                client.flush()
                #expect(await log.wait(for: "started"))
            case .idle, .deaf:
                client = try cell.client(to: server)
                client.readBufferSize = 1
                #expect(await client.waitForEncrypted())
                #expect(await log.wait(for: "serving"))
            }
            switch ending {
            case .cancellation: run.cancel()
            case .shutdown: await server.shutdown(timeout: .milliseconds(5))
            }
            try await run.value
            let what = "\(kind), \(ending), \(cell.testDescription)"
            #expect(log.count("served") == log.count("serving"), "\(what): a task goes on")
            let deadline = Deadline(at: MonotonicTime.now.adding(.seconds(10)))
            while watches.withLock({ $0.contains { $0.socket != nil } }), !deadline.isDue(at: .now) { await Task.yield() }
            #expect(watches.withLock { $0.allSatisfy { $0.socket == nil } }, "\(what): a socket is still there")
            client.abort()
            #expect(OpenSockets.count(port: port, besides: server.socketDescriptor) == 0, "\(what): a descriptor is left")
            server.close()
        }
    }
}
