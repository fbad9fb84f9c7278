import CSslLinux
import Glibc
import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

/// The two ways of waiting.
enum Driver: Sendable, CaseIterable {
    /// In a thread of its own.
    case blocking
    /// In a task.
    case async
}

/// Runs tasks in one plain thread, so that they may block.
final class ThreadExecutor: TaskExecutor {
    private let jobs = Lock<[UnownedJob]>([])
    private let isOver = Lock(false)
    private let wakeup = ssllinux_eventfd(0)

    init() {
        Task { [self] in await PlainThread.run { [self] in run() } }
    }

    deinit { close(wakeup) }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        jobs.withLock { $0.append(job) }
        wake()
    }

    /// Ends the thread, when all jobs are done.
    func finish() {
        isOver.withLock { $0 = true }
        wake()
    }

    private func wake() {
        var count: UInt64 = 1
        _ = unsafe write(wakeup, &count, 8)
    }

    private func run() {
        while true {
            let due = jobs.withLock { jobs in
                defer { jobs = [] }
                return jobs
            }
            for job in due { unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
            guard due.isEmpty else { continue }
            if isOver.withLock({ $0 }) { return }
            _ = Poller.wait(fd: wakeup, events: .read, deadline: nil)
            var count: UInt64 = 0
            _ = unsafe read(wakeup, &count, 8)
        }
    }
}

/// A socket and the way it waits.
struct DrivenSocket {
    let socket: SslSocket
    let driver: Driver

    func waitForEncrypted() async -> Bool {
        driver == .async ? await socket.waitForEncrypted() : blocking { $0.waitForEncrypted() }
    }
    func waitForReadyRead(timeout: Duration = .seconds(30)) async -> Bool {
        driver == .async ? await socket.waitForReadyRead(timeout: timeout) : blocking { $0.waitForReadyRead(timeout: timeout) }
    }
    func waitForBytesWritten() async -> Bool {
        driver == .async ? await socket.waitForBytesWritten() : blocking { $0.waitForBytesWritten() }
    }
    func waitForDisconnected() async -> Bool {
        driver == .async ? await socket.waitForDisconnected() : blocking { $0.waitForDisconnected() }
    }

    private func blocking(_ body: (SslSocket) -> Bool) -> Bool { body(socket) }

    /// Writes and sends everything.
    func writeAll(_ bytes: [UInt8]) async {
        #expect(socket.write(bytes) == bytes.count)
        while socket.bytesToWrite > 0 || socket.encryptedBytesToWrite > 0 {
            guard await waitForBytesWritten() else { return }
        }
    }

    /// Reads until so much is there, or the end.
    func readAll(_ count: Int) async -> [UInt8] {
        var all: [UInt8] = []
        while true {
            all += socket.readAll()
            if all.count >= count { return all }
            guard await waitForReadyRead() else { return all + socket.readAll() }
        }
    }

    /// Waits for the end, reading what still comes.
    func waitForEnd() async {
        while socket.state != .unconnected {
            socket.skip(.max)
            if socket.state != .unconnected { _ = await waitForDisconnected() }
        }
    }
}

extension SocketFixture {
    /// A client and a server that are connected and not encrypted, each in a thread or a task of its own.
    func meet(
        _ driver: Driver, server serve: @escaping @Sendable (DrivenSocket) async throws -> Void,
        client body: @escaping @Sendable (DrivenSocket) async throws -> Void
    ) async throws {
        let (listener, address) = try listeningDescriptor()
        let (serverSettings, clientSettings) = (try serverConfiguration(), try clientConfiguration())
        let executors = driver == .blocking ? [ThreadExecutor(), ThreadExecutor()] : []
        defer { executors.forEach { $0.finish() } }
        let client = Task(executorPreference: executors.first) {
            let socket = SslSocket(configuration: clientSettings)
            socket.peerVerifyName = TestIdentity.defaultHost
            socket.connectToHost(address.ip, port: address.port)
            #expect(await socket.waitForConnected())
            try await body(DrivenSocket(socket: socket, driver: driver))
            socket.abort()
        }
        let server = Task(executorPreference: executors.last) {
            guard case .ready = try await SslReactor.shared.register(listener.fd).wait(.read, deadline: nil, isolation: nil),
                case .accepted(let descriptor) = listener.accept()
            else { throw SslSocketError(.network, "nobody connected") }
            let socket = SslSocket(configuration: serverSettings)
            socket.opened(descriptor)
            try await serve(DrivenSocket(socket: socket, driver: driver))
            socket.abort()
        }
        try await server.value
        try await client.value
        listener.close()
    }

    /// As ``meet(_:server:client:)``, encrypted.
    func meetEncrypted(
        _ driver: Driver, server serve: @escaping @Sendable (DrivenSocket) async throws -> Void,
        client body: @escaping @Sendable (DrivenSocket) async throws -> Void
    ) async throws {
        try await meet(driver) { server in
            server.socket.startServerEncryption()
            #expect(await server.waitForEncrypted())
            try await serve(server)
        } client: { client in
            client.socket.startClientEncryption()
            #expect(await client.waitForEncrypted(), "\(client.socket.errorString)")
            try await body(client)
        }
    }
}
