import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

/// Anything may be done to a socket within any of its slots.
@Suite("What slots may do")
struct SlotSafetyTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let emission: Emission
        let action: SlotAction
        var testDescription: String { "\(action.rawValue) in \(emission.rawValue)" }
    }
    /// So many conversations at once: many only wait, for what their slot has prevented.
    private static let width = 12

    @Test(
        "Every call in every slot leaves a socket that is ended or goes on, and nothing behind", .timeLimit(.minutes(5)),
        arguments: Emission.allCases)
    func product(_ emission: Emission) async throws {
        let gate = TraceGate(width: Self.width)
        try await withThrowingTaskGroup { group in
            for action in SlotAction.allCases {
                for backend in SslBackends.available {
                    for isBlocking in [true, false] {
                        group.addTask {
                            await gate.enter()
                            defer { gate.leave() }
                            try await check(Case(emission: emission, action: action), backend, isBlocking: isBlocking)
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// A server whose certificate has everything wrong with it, and a client that accepts it all the same.
    private func check(_ run: Case, _ backend: String, isBlocking: Bool) async throws {
        let listener = try SocketDescriptor.listener(at: SocketAddress(.loopbackIPv4, port: 0), backlog: 16)
        let port = try #require(listener.localAddress?.port)
        let certificates = try TestCertificates.shared()
        let serverConfiguration = try certificates.identity(.expiredWrongNameUntrusted).configuration(backend: backend)
        var clientConfiguration = try certificates.identity(.valid).trustingConfiguration(backend: backend)
        clientConfiguration.handshakeMustInterruptOnError = true
        let registration = try SslReactor.shared.register(listener.fd)
        // With aboutToClose the client ends the conversation, else the server does.
        let serverEnds = run.emission != .aboutToClose
        let server = Task { await Self.serve(listener, registration, serverConfiguration, ends: serverEnds) }
        let configuration = clientConfiguration
        let report =
            isBlocking
            ? await PlainThread.run { Self.blockingClient(run, configuration, port) }
            : await Self.asyncClient(run, configuration, port)
        registration.deregister()
        await server.value
        // As long as somebody listens nobody else gets the port.
        let left = OpenSockets.count(port: port, besides: listener.fd)
        listener.close()
        let name = "\(run.testDescription), \(backend), \(isBlocking ? "blocking" : "async")"
        #expect(report.calls > 0, "\(name): the slot was never called")
        #expect(report.isGone, "\(name): the socket is still there")
        #expect(report.problems.isEmpty, "\(name): \(report.problems)\n\(report.entries.joined(separator: "\n"))")
        #expect(left == 0, "\(name): a descriptor is left")
    }

    // MARK: The server

    private static func serve(
        _ listener: SocketDescriptor, _ registration: Registration, _ configuration: SslConfiguration, ends: Bool
    ) async {
        await withDiscardingTaskGroup { group in
            while true {
                switch listener.accept() {
                case .accepted(let descriptor): group.addTask { await answer(descriptor, configuration, ends: ends) }
                case .wouldBlock:
                    guard case .ready = await registration.wait(.read, deadline: nil, isolation: nil) else { return }
                case .failed: return
                }
            }
        }
    }

    private static func answer(_ descriptor: SocketDescriptor, _ configuration: SslConfiguration, ends: Bool) async {
        let socket = SslSocket(configuration: configuration)
        socket.opened(descriptor)
        socket.startServerEncryption()
        if await socket.waitForEncrypted(timeout: .seconds(20)) {
            while let piece = try? await socket.receive(timeout: .seconds(20)), !piece.isEmpty {
                _ = try? await socket.send(piece, timeout: .seconds(20))
                if ends { break }
            }
        }
        await socket.finish(timeout: .seconds(20))
    }

    // MARK: The client

    struct Report: Sendable {
        var calls: Int
        var isGone: Bool
        var problems: [String]
        var entries: [String]
    }

    private static func prepare(
        _ run: Case, _ configuration: SslConfiguration, _ port: UInt16
    ) -> (SlotHolder, SignalRecorder) {
        let holder = SlotHolder()
        holder.port = port
        let socket = SslSocket(configuration: configuration)
        holder.socket = socket
        let recorder = SignalRecorder(socket)
        holder.connection = run.emission.connect(socket) { [unowned holder] socket in
            holder.calls += 1
            // A slot that writes for ever makes a conversation that never ends.
            if holder.calls <= 20 { run.action.run(socket, holder) }
        }
        socket.handshakeInterruptedOnError.connect { socket, _ in socket.continueInterruptedHandshake() }
        socket.sslErrors.connect { socket, _ in socket.ignoreSslErrors() }
        socket.connectToHostEncrypted(.loopbackIPv4, port: port)
        return (holder, recorder)
    }

    /// Only where a slot ends what a wait is for does one last so long.
    private static let patience = Duration.seconds(3)
    /// A slot may have connected anew, so there are several rounds.
    private static let rounds = 3

    @available(*, noasync)
    private static func blockingClient(_ run: Case, _ configuration: SslConfiguration, _ port: UInt16) -> Report {
        let (holder, recorder) = prepare(run, configuration, port)
        weak let witness = holder.socket
        for _ in 0..<rounds where holder.socket != nil && holder.socket?.state != .unconnected {
            _ = holder.socket?.waitForEncrypted(timeout: patience)
            holder.socket?.write("hello")
            _ = holder.socket?.waitForReadyRead(timeout: patience)
            if run.emission == .aboutToClose { holder.socket?.close() }
            _ = holder.socket?.waitForDisconnected(timeout: patience)
        }
        holder.socket?.abort()
        return conclude(holder, recorder) { witness == nil }
    }

    private static func asyncClient(_ run: Case, _ configuration: SslConfiguration, _ port: UInt16) async -> Report {
        let (holder, recorder) = prepare(run, configuration, port)
        weak let witness = holder.socket
        for _ in 0..<rounds where holder.socket != nil && holder.socket?.state != .unconnected {
            _ = await holder.socket?.waitForEncrypted(timeout: patience)
            holder.socket?.write("hello")
            _ = await holder.socket?.waitForReadyRead(timeout: patience)
            if run.emission == .aboutToClose { holder.socket?.close() }
            _ = await holder.socket?.waitForDisconnected(timeout: patience)
        }
        holder.socket?.abort()
        return conclude(holder, recorder) { witness == nil }
    }

    private static func conclude(_ holder: SlotHolder, _ recorder: SignalRecorder, _ isGone: () -> Bool) -> Report {
        var problems = Self.problems(recorder.entries)
        if let state = holder.socket?.state, state != .unconnected { problems.append("ended as \(state)") }
        holder.socket = nil
        holder.connection = nil
        return Report(
            calls: holder.calls, isGone: isGone(), problems: problems, entries: recorder.entries.map(\.description))
    }

    /// What no trace may show, whatever slots do.
    private static func problems(_ entries: [SignalRecorder.Entry]) -> [String] {
        var problems: [String] = []
        var state = "unconnected"
        // What may come once a connection; a new one begins with the lookup.
        let once: Set<String> = [
            "hostFound", "connected", "encrypted", "disconnected", "readChannelFinished", "aboutToClose", "modeChanged",
        ]
        var seen: Set<String> = []
        for entry in entries {
            if entry.signal == "stateChanged" {
                if entry.payload == state { problems.append("stateChanged \(state) twice") }
                state = entry.payload
                if state == "hostLookup" { seen = [] }
            }
            if once.contains(entry.signal), !seen.insert(entry.signal).inserted { problems.append("\(entry.signal) twice") }
            if seen.contains("disconnected"), ["readyRead", "encrypted", "bytesWritten", "connected"].contains(entry.signal) {
                problems.append("\(entry.signal) after disconnected")
            }
            if entry.isEncrypted, entry.state == .unconnected { problems.append("encrypted and unconnected in \(entry.signal)") }
        }
        return problems
    }
}
