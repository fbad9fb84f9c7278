import CSslLinux
import Glibc
import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

/// One step of one end of a conversation, the same for both ways of waiting.
enum TraceStep: Sendable {
    /// Something that does not wait.
    case act(@Sendable (SslSocket) -> Void)
    /// Waits until TCP is up.
    case connected
    /// Waits for the end of the handshake.
    case encrypted
    /// The same, with so many milliseconds to do so.
    case encryptedWithin(Int)
    /// Waits until so many octets can be read or none will come, and takes them.
    case received(Int)
    /// Waits until everything written is gone.
    case written
    /// Waits for the end of the connection.
    case disconnected
    /// As if the peer had gone while nobody looked: ends the own direction, which no octet can overtake, and waits until the peer has ended its own.
    /// Octets that were not read stay. Ending both directions at once would reset the connection when the rest of the peer's flight comes.
    case lose

    static func write(_ text: String) -> TraceStep { .act { $0.write(text) } }
    static func write(_ count: Int) -> TraceStep { .act { $0.write([UInt8](repeating: 0x61, count: count)) } }
    static let startClient = TraceStep.act { $0.startClientEncryption() }
    static let startServer = TraceStep.act { $0.startServerEncryption() }
    static let disconnect = TraceStep.act { $0.disconnectFromHost() }
    static let close = TraceStep.act { $0.close() }
    static let abort = TraceStep.act { $0.abort() }
    static let resume = TraceStep.act { $0.resume() }
    /// The end of TCP's stream, without a word about it in TLS.
    static let shutdown = TraceStep.act { _ = Glibc.shutdown($0.socketDescriptor, Int32(SHUT_WR)) }
}

/// Longer than anything here takes on the slowest machine; only a fault waits for it.
private let patience = Duration.seconds(20)

extension SslSocket {
    @available(*, noasync)
    func perform(_ step: TraceStep) {
        switch step {
        case .act(let body): body(self)
        case .connected: _ = waitForConnected(timeout: patience)
        case .encrypted: _ = waitForEncrypted(timeout: patience)
        case .encryptedWithin(let time): _ = waitForEncrypted(timeout: .milliseconds(time))
        case .received(let count):
            while bytesAvailable < count { guard waitForReadyRead(timeout: patience) else { break } }
            _ = read(count)
        case .written:
            while bytesToWrite + encryptedBytesToWrite > 0 { guard waitForBytesWritten(timeout: patience) else { break } }
        case .disconnected: _ = waitForDisconnected(timeout: patience)
        case .lose:
            let descriptor = endWriting()
            while !Self.isEnded(descriptor, within: 1000) {}
        }
    }

    func performSuspending(_ step: TraceStep) async {
        switch step {
        case .act(let body): body(self)
        case .connected: _ = await waitForConnected(timeout: patience)
        case .encrypted: _ = await waitForEncrypted(timeout: patience)
        case .encryptedWithin(let time): _ = await waitForEncrypted(timeout: .milliseconds(time))
        case .received(let count):
            while bytesAvailable < count { guard await waitForReadyRead(timeout: patience) else { break } }
            _ = read(count)
        case .written:
            while bytesToWrite + encryptedBytesToWrite > 0 { guard await waitForBytesWritten(timeout: patience) else { break } }
        case .disconnected: _ = await waitForDisconnected(timeout: patience)
        case .lose:
            let descriptor = endWriting()
            while !Self.isEnded(descriptor, within: 0) { await Task.yield() }
        }
    }

    private func endWriting() -> Int32 {
        _ = Glibc.shutdown(socketDescriptor, Int32(SHUT_WR))
        return socketDescriptor
    }

    /// The peer has ended its direction, whatever of it is still to be read.
    private static func isEnded(_ descriptor: Int32, within milliseconds: Int32) -> Bool {
        var entry = pollfd(fd: descriptor, events: ssllinux_pollrdhup(), revents: 0)
        return unsafe poll(&entry, 1, milliseconds) != 0
    }
}

/// A conversation and the exact traces of both its ends.
struct TraceScenario: Sendable {
    let name: String
    /// Changes the configurations.
    var client: @Sendable (inout SslConfiguration) throws -> Void = { _ in }
    var server: @Sendable (inout SslConfiguration) throws -> Void = { _ in }
    var identity = TestCertificate.valid
    /// What the client's certificate is proven against.
    var host = TestIdentity.defaultHost
    /// Connects slots to the sockets before anything happens.
    var clientSlots: @Sendable (SslSocket) -> Void = { _ in }
    var serverSlots: @Sendable (SslSocket) -> Void = { _ in }
    /// The server's steps for each connection in turn; none when nobody listens.
    var serverSteps: [[TraceStep]]
    /// The client's steps, which know the port.
    var clientSteps: @Sendable (_ port: UInt16) -> [TraceStep]
    /// What must come out.
    var clientTrace: @Sendable (TraceCell) -> [String]
    var serverTrace: @Sendable (TraceCell) -> [String] = { _ in [] }
}

/// One run of a scenario.
struct TraceCell: Sendable, CustomTestStringConvertible {
    let scenario: TraceScenario
    let pair: SocketFixture
    let version: SslVersion
    let isBlocking: Bool

    var testDescription: String { "\(scenario.name), \(pair), \(version), \(isBlocking ? "blocking" : "async")" }

    /// Runs both ends and returns their traces.
    func run() async throws -> (client: [String], server: [String]) {
        let certificates = try TestCertificates.shared()
        var clientConfiguration = try certificates.identity(.valid).trustingConfiguration(backend: pair.client)
        var serverConfiguration = try certificates.identity(scenario.identity).configuration(backend: pair.server)
        serverConfiguration.peerVerifyMode = .verifyNone
        clientConfiguration.protocol = SslProtocol(exactly: version)
        serverConfiguration.protocol = SslProtocol(exactly: version)
        try scenario.client(&clientConfiguration)
        try scenario.server(&serverConfiguration)
        let listener = try SocketDescriptor.listener(at: SocketAddress(.loopbackIPv4, port: 0), backlog: 8)
        let port = try #require(listener.localAddress?.port)
        if scenario.serverSteps.isEmpty { listener.close() }
        defer { listener.close() }
        let (client, server) = (clientConfiguration, serverConfiguration)
        if isBlocking {
            async let clientTrace = PlainThread.run { blockingClient(client, port) }
            async let serverTrace = PlainThread.run { blockingServer(server, listener) }
            return await (clientTrace, serverTrace)
        }
        async let clientTrace = asyncClient(client, port)
        async let serverTrace = asyncServer(server, listener)
        return try await (clientTrace, serverTrace)
    }

    private func makeClient(_ configuration: SslConfiguration) -> (SslSocket, SignalRecorder) {
        let socket = SslSocket(configuration: configuration)
        socket.peerVerifyName = scenario.host
        let recorder = SignalRecorder(socket)
        scenario.clientSlots(socket)
        return (socket, recorder)
    }

    @available(*, noasync)
    private func blockingClient(_ configuration: SslConfiguration, _ port: UInt16) -> [String] {
        let (socket, recorder) = makeClient(configuration)
        for step in scenario.clientSteps(port) { socket.perform(step) }
        return recorder.trace
    }

    private func asyncClient(_ configuration: SslConfiguration, _ port: UInt16) async -> [String] {
        let (socket, recorder) = makeClient(configuration)
        for step in scenario.clientSteps(port) { await socket.performSuspending(step) }
        return recorder.trace
    }

    @available(*, noasync)
    private func blockingServer(_ configuration: SslConfiguration, _ listener: SocketDescriptor) -> [String] {
        var trace: [String] = []
        for steps in scenario.serverSteps {
            guard case .ready = Poller.wait(fd: listener.fd, events: .read, deadline: Deadline(after: patience)) else { break }
            guard case .accepted(let descriptor) = listener.accept() else { break }
            let socket = SslSocket(configuration: configuration)
            let recorder = SignalRecorder(socket)
            scenario.serverSlots(socket)
            socket.setSocketDescriptor(dup(descriptor.fd))
            descriptor.close()
            for step in steps { socket.perform(step) }
            trace += recorder.trace
        }
        return trace
    }

    private func asyncServer(_ configuration: SslConfiguration, _ listener: SocketDescriptor) async throws -> [String] {
        var trace: [String] = []
        guard !scenario.serverSteps.isEmpty else { return [] }
        let registration = try SslReactor.shared.register(listener.fd)
        defer { registration.deregister() }
        for steps in scenario.serverSteps {
            guard let descriptor = await Self.accept(listener, registration) else { break }
            let socket = SslSocket(configuration: configuration)
            let recorder = SignalRecorder(socket)
            scenario.serverSlots(socket)
            socket.setSocketDescriptor(dup(descriptor.fd))
            descriptor.close()
            for step in steps { await socket.performSuspending(step) }
            trace += recorder.trace
        }
        return trace
    }

    private static func accept(_ listener: SocketDescriptor, _ registration: Registration) async -> SocketDescriptor? {
        while true {
            if case .accepted(let descriptor) = listener.accept() { return descriptor }
            guard case .ready = await registration.wait(.read, deadline: Deadline(after: patience), isolation: nil) else {
                return nil
            }
        }
    }
}
