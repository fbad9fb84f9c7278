internal import SslSockets
internal import SslTestKit

/// A comparison, as `compare --json` writes it. `docs/schema/compare.schema.json` describes it.
struct ComparisonDocument: Encodable {
    struct Backend: Encodable {
        let name: String
        let version: String
    }
    struct Counts: Encodable {
        let cells: Int
        let agreeing: Int
        let explained: Int
        let lacking: Int
        let new: Int
        let vanished: Int
    }
    struct Outcome: Encodable {
        let client: String
        let server: String

        init(_ outcome: ScenarioOutcome) {
            client = outcome.client
            server = outcome.server
        }
    }
    struct Cell: Encodable {
        let client: String
        let server: String
        let version: String
        let transport: String
        /// `agrees`, `explained`, `lacking`, `new` or `vanished`.
        let verdict: String
        let outcome: Outcome?
        let expected: Outcome?
        let details: [String]
        /// Why a difference is known, or what is lacking.
        let explanation: String?
        let milliseconds: Double
    }
    struct Scenario: Encodable {
        let id: String
        let title: String
        let group: String
        let references: [String]
        let engineRows: [String]
        let cells: [Cell]
    }

    /// The times of handshakes on one pair.
    struct Timing: Encodable {
        let client: String
        let server: String
        let version: String
        let handshakes: Int
        /// Milliseconds within which half and nine tenths of them were done.
        let p50: Double
        let p90: Double

        init(_ timing: HandshakeTiming) {
            client = timing.client
            server = timing.server
            version = timing.version.description
            handshakes = timing.milliseconds.count
            p50 = (timing.percentile(0.5) * 1000).rounded() / 1000
            p90 = (timing.percentile(0.9) * 1000).rounded() / 1000
        }
    }

    let schema = 1
    var tool = ToolVersion.text
    let backends: [Backend]
    let counts: Counts
    let scenarios: [Scenario]
    /// Missing when none were measured.
    let timings: [Timing]?

    init(_ report: ComparisonReport, timings measured: [HandshakeTiming] = []) {
        timings = measured.isEmpty ? nil : measured.map(Timing.init)
        backends = report.backends.map { Backend(name: $0.name, version: $0.libraryVersion) }
        let counted = report.counts
        counts = Counts(
            cells: counted.total, agreeing: counted.agreeing, explained: counted.explained, lacking: counted.lacking,
            new: counted.new,
            vanished: counted.vanished)
        scenarios = report.rows.map { row in
            Scenario(
                id: row.id, title: row.title, group: row.group.rawValue, references: row.references, engineRows: row.engineRows,
                cells: row.cells.map(Self.cell))
        }
    }

    private static func cell(_ result: CellResult) -> Cell {
        var expected: Outcome?
        var explanation: String?
        let verdict: String
        switch result.verdict {
        case .agrees: verdict = "agrees"
        case .explained(let difference):
            verdict = "explained"
            explanation = difference.reason
        case .lacking(let feature, let backend, let reason):
            verdict = "lacking"
            explanation = "\(backend) lacks \(feature): \(reason)"
        case .newDifference(let outcome):
            verdict = "new"
            expected = Outcome(outcome)
        case .vanished(let difference):
            verdict = "vanished"
            expected = Outcome(difference.outcome)
            explanation = difference.reason
        }
        return Cell(
            client: result.cell.client, server: result.cell.server, version: result.cell.version.description,
            transport: result.cell.transport.rawValue, verdict: verdict, outcome: result.outcome.map(Outcome.init),
            expected: expected,
            details: result.outcome?.details ?? [], explanation: explanation,
            // A thousandth of a millisecond is more than the clock's worth.
            milliseconds: (result.milliseconds * 1000).rounded() / 1000)
    }
}
