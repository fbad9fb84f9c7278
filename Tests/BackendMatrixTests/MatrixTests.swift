internal import Glibc
internal import SslSockets
internal import SslTestKit
internal import Testing

/// Every scenario on every pair of backends. The environment variable `SSLSOCKET_MATRIX` restricts the run to the cells whose description
/// contains its value, for example `gnutls→openssl TLSv1.3` or `expired`.
@Suite("The backend matrix")
struct MatrixTests {
    static let cells: [MatrixCell] = {
        let filter = unsafe getenv("SSLSOCKET_MATRIX").map { unsafe String(cString: $0) }
        return Comparison.cells(filter: filter).map(MatrixCell.init)
    }()
    static let tally = Tally(expected: cells.count)
    /// The runner starts all cells at once; a thousand of them would keep those that wait for the network from their turn.
    static let gate = Gate(width: 2)

    @Test("Each cell comes to exactly what is pinned", .timeLimit(.minutes(2)), arguments: cells)
    func cell(_ cell: MatrixCell) async {
        await Self.gate.enter()
        defer { Self.gate.leave() }
        let result = await Comparison.run(cell.cell)
        #expect(!result.verdict.isFailure, "\(result)")
        Self.tally.count(result)
    }
}

/// A cell as it is named in the runner's output.
struct MatrixCell: Sendable, CustomTestStringConvertible {
    let cell: ScenarioCell
    var testDescription: String { cell.description }
}

/// Counts the cells and says at the last one how many there were: the runner counts tests, not cells.
final class Tally: Sendable {
    private let expected: Int
    private let counts = Lock((run: 0, lacking: 0))

    init(expected: Int) { self.expected = expected }

    func count(_ result: CellResult) {
        let (run, lacking) = counts.withLock { counts in
            if result.outcome == nil { counts.lacking += 1 } else { counts.run += 1 }
            return counts
        }
        guard run + lacking == expected else { return }
        let line = "\(run) cells run" + (lacking > 0 ? ", \(lacking) more lack a declared feature" : "") + "\n"
        // Where the runner writes too, so that its closing line comes after ours.
        unsafe Array(line.utf8).withUnsafeBytes { _ = unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}

/// Lets so many in at a time.
final class Gate: Sendable {
    private let state: Lock<(free: Int, waiting: [CheckedContinuation<Void, Never>])>

    init(width: Int) { state = Lock((width, [])) }

    func enter() async {
        await withCheckedContinuation { continuation in
            let enters = state.withLock { state -> Bool in
                if state.free > 0 {
                    state.free -= 1
                    return true
                }
                state.waiting.append(continuation)
                return false
            }
            if enters { continuation.resume() }
        }
    }

    func leave() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            if state.waiting.isEmpty {
                state.free += 1
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.resume()
    }
}
