/// How one cell stands to what was expected of it.
public enum CellVerdict: Sendable, Hashable {
    /// Exactly what every backend must do.
    case agrees
    /// A known difference, exactly as pinned.
    case explained(ScenarioDifference)
    /// A backend declares that it lacks what the scenario needs: which feature of which backend, and why.
    case lacking(feature: String, backend: String, reason: String)
    /// Neither what is expected nor a known difference.
    case newDifference(expected: ScenarioOutcome)
    /// A known difference is not there any more: the pin has to go.
    case vanished(ScenarioDifference)

    /// True when a test should fail.
    public var isFailure: Bool {
        switch self {
        case .agrees, .explained, .lacking: false
        case .newDifference, .vanished: true
        }
    }
}

/// One cell that was run.
public struct CellResult: Sendable, Hashable, CustomStringConvertible {
    /// Which.
    public var cell: ScenarioCell
    /// What happened; nil when a feature was lacking and nothing was run.
    public var outcome: ScenarioOutcome?
    /// What is to be thought of it.
    public var verdict: CellVerdict
    /// How long it took, in milliseconds of wall time.
    public var milliseconds: Double

    /// Puts a result together.
    public init(cell: ScenarioCell, outcome: ScenarioOutcome?, verdict: CellVerdict, milliseconds: Double) {
        self.cell = cell
        self.outcome = outcome
        self.verdict = verdict
        self.milliseconds = milliseconds
    }

    /// One line, two when something is wrong.
    public var description: String {
        let happened =
            outcome.map { "\($0)" + ($0.details.isEmpty ? "" : " (\($0.details.joined(separator: "; ")))") } ?? "not run"
        return switch verdict {
        case .agrees: "\(cell): \(happened)"
        case .explained(let difference): "\(cell): \(happened), which is explained: \(difference.reason)"
        case .lacking(let feature, let backend, let reason): "\(cell): \(backend) lacks \(feature): \(reason)"
        case .newDifference(let expected): "\(cell): \(happened)\n  expected \(expected)"
        case .vanished(let difference):
            "\(cell): \(happened)\n  a known difference has vanished: \(difference.outcome): \(difference.reason)"
        }
    }
}
