import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

/// Whole traces of both ends: the same on every pair of backends, whichever way the socket is driven.
@Suite("Traces of signals")
struct TraceTests {
    static let scenarios = TraceScenario.connecting + TraceScenario.verifying + TraceScenario.ending

    static let cells: [TraceCell] = scenarios.flatMap { scenario in
        SocketFixture.all.flatMap { pair in
            [SslVersion.tls1_2, .tls1_3].flatMap { version in
                [true, false].map { TraceCell(scenario: scenario, pair: pair, version: version, isBlocking: $0) }
            }
        }
    }
    /// The runner starts all cells at once; so many threads that block would keep each other from their turn.
    private static let gate = TraceGate(width: 4)

    @Test("Each conversation signals exactly this", .timeLimit(.minutes(1)), arguments: cells)
    func trace(cell: TraceCell) async throws {
        await Self.gate.enter()
        defer { Self.gate.leave() }
        let (client, server) = try await cell.run()
        let expectedClient = cell.scenario.clientTrace(cell)
        let expectedServer = cell.scenario.serverTrace(cell)
        #expect(client == expectedClient, "the client signalled \(client.joined(separator: "\n"))")
        #expect(server == expectedServer, "the server signalled \(server.joined(separator: "\n"))")
    }

    @Test("Names are unique")
    func names() {
        #expect(Set(Self.scenarios.map(\.name)).count == Self.scenarios.count)
    }
}

/// Lets so many in at a time.
final class TraceGate: Sendable {
    private let state: Lock<(free: Int, waiting: [CheckedContinuation<Void, Never>])>

    init(width: Int) { state = Lock((width, [])) }

    func enter() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state -> Bool in
                if state.free > 0 {
                    state.free -= 1
                    return true
                }
                state.waiting.append(continuation)
                return false
            }
            if isFree { continuation.resume() }
        }
    }

    func leave() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard state.waiting.isEmpty else { return state.waiting.removeFirst() }
            state.free += 1
            return nil
        }
        next?.resume()
    }
}
