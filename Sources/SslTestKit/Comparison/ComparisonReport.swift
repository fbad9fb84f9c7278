internal import SslValues

/// The results of a comparison, scenario by scenario.
public struct ComparisonReport: Sendable {
    /// One scenario with all its cells.
    public struct Row: Sendable {
        /// The scenario's name.
        public var id: String
        /// What happens, in a sentence.
        public var title: String
        /// What it is about.
        public var group: ScenarioGroup
        /// The standards it rests on.
        public var references: [String]
        /// The rows of the table of engine differences, as `E23`.
        public var engineRows: [String]
        /// Its cells in order.
        public var cells: [CellResult]
    }

    /// A backend that took part.
    public struct Participant: Sendable, Hashable {
        /// Its name.
        public var name: String
        /// The version of its library, as the library prints it.
        public var libraryVersion: String
        /// The same as the library's own number.
        public var libraryVersionNumber: Int
    }

    /// How many cells came to what.
    public struct Counts: Sendable, Hashable {
        /// Exactly what every backend must do.
        public var agreeing = 0
        /// Known differences, exactly as pinned.
        public var explained = 0
        /// Not run, for a backend declares that it lacks what is needed.
        public var lacking = 0
        /// Differences nobody knows of.
        public var new = 0
        /// Known differences that are not there any more.
        public var vanished = 0

        /// All cells.
        public var total: Int { agreeing + explained + lacking + new + vanished }
    }

    /// The backends that were compared.
    public var backends: [Participant]
    /// The scenarios that were run, in the order of the catalogue.
    public var rows: [Row]

    /// How many cells came to what.
    public var counts: Counts {
        var counts = Counts()
        for cell in rows.flatMap(\.cells) {
            switch cell.verdict {
            case .agrees: counts.agreeing += 1
            case .explained: counts.explained += 1
            case .lacking: counts.lacking += 1
            case .newDifference: counts.new += 1
            case .vanished: counts.vanished += 1
            }
        }
        return counts
    }

    /// How many cells there are.
    public var cellCount: Int { rows.reduce(0) { $0 + $1.cells.count } }
    /// The cells that should fail a test or a command.
    public var failures: [CellResult] { rows.flatMap(\.cells).filter(\.verdict.isFailure) }
    /// True when nothing is new and nothing has vanished.
    public var isAsExpected: Bool { failures.isEmpty }
}
