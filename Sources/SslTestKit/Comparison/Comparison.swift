internal import Glibc
internal import SslBackend
internal import SslSockets
internal import SslValues

/// Runs the scenarios of the catalogue on every pair of backends and compares what happens with what must happen.
public enum Comparison {
    /// The cells whose description contains `filter`, in the order of the catalogue; nil for all.
    ///
    /// - Parameter backends: the names of the backends to pair; nil for all there are. An unknown name has no cells.
    public static func cells(filter: String? = nil, backends: [String]? = nil) -> [ScenarioCell] {
        let names = SslBackends.available.filter { backends?.contains($0) ?? true }
        let all = ScenarioCatalogue.all.flatMap { $0.cells(backends: names) }
        guard let filter, !filter.isEmpty else { return all }
        return all.filter { "\($0)".contains(filter) }
    }

    /// How many cells there are.
    public static func cellCount(filter: String? = nil, backends: [String]? = nil) -> Int {
        cells(filter: filter, backends: backends).count
    }

    /// Runs the cells, as many at a time as there are processors. The report's order does not depend on which ends first.
    ///
    /// - Parameters:
    ///   - filter: a part of the cells' descriptions, for example a scenario's name or `gnutls→openssl TLSv1.3`; nil for all.
    ///   - backends: the names of the backends to pair; nil for all there are. An unknown name has no cells.
    ///   - progress: is told of each cell when it has been run, on any thread.
    public static func run(
        filter: String? = nil, backends: [String]? = nil, progress: (@Sendable (CellResult) -> Void)? = nil
    ) async -> ComparisonReport {
        let known = SslBackends.all
        let chosen = known.filter { backend in backends?.contains(backend.name) ?? true }
        let cells = cells(filter: filter, backends: chosen.map(\.name))
        var results = [CellResult?](repeating: nil, count: cells.count)
        await withTaskGroup(of: (Int, CellResult).self) { group in
            var next = 0
            func addOne() {
                guard next < cells.count else { return }
                let index = next
                let cell = cells[index]
                next += 1
                group.addTask { (index, await run(cell)) }
            }
            for _ in 0..<max(Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))), 1) { addOne() }
            while let (index, result) = await group.next() {
                results[index] = result
                progress?(result)
                addOne()
            }
        }
        let participants = chosen.map {
            ComparisonReport.Participant(
                name: $0.name, libraryVersion: $0.libraryVersion, libraryVersionNumber: $0.libraryVersionNumber)
        }
        return ComparisonReport(backends: participants, rows: rows(results.compactMap { $0 }))
    }

    private static func rows(_ results: [CellResult]) -> [ComparisonReport.Row] {
        let byScenario = Dictionary(grouping: results, by: \.cell.scenario)
        return ScenarioCatalogue.all.compactMap { scenario in
            byScenario[scenario.id].map { cells in
                ComparisonReport.Row(
                    id: scenario.id, title: scenario.title, group: scenario.group, references: scenario.references,
                    engineRows: scenario.engineRows.map { "E\($0)" }, cells: cells)
            }
        }
    }

    /// Runs one cell and judges it.
    public static func run(_ cell: ScenarioCell) async -> CellResult {
        guard let scenario = ScenarioCatalogue.scenario(cell.scenario) else {
            let none = ScenarioOutcome(client: "there is no such scenario", server: "there is no such scenario")
            return CellResult(cell: cell, outcome: nil, verdict: .newDifference(expected: none), milliseconds: 0)
        }
        return await run(cell, of: scenario)
    }

    /// Runs one cell of a scenario, of the catalogue or of one's own, and judges it.
    public static func run(_ cell: ScenarioCell, of scenario: Scenario) async -> CellResult {
        let ends = SslBackends.all.filter { $0.name == cell.client || $0.name == cell.server }
        if let lacking = lacking(scenario, cell, ends) {
            return CellResult(cell: cell, outcome: nil, verdict: lacking, milliseconds: 0)
        }
        let clock = ContinuousClock()
        let start = clock.now
        let outcome = await scenario.run(cell)
        let (seconds, attoseconds) = (clock.now - start).components
        let versions = Dictionary(uniqueKeysWithValues: ends.map { ($0.name, $0.libraryVersionNumber) })
        return CellResult(
            cell: cell, outcome: outcome,
            verdict: judge(outcome, cell: cell, expectation: scenario.expectation, libraryVersions: versions),
            milliseconds: Double(seconds) * 1e3 + Double(attoseconds) / 1e15)
    }

    private static func lacking(_ scenario: Scenario, _ cell: ScenarioCell, _ ends: [any TlsBackend]) -> CellVerdict? {
        for backend in ends {
            for feature in scenario.features where !backend.capabilities.features.contains(feature) {
                let reason = backend.capabilities.lacks[feature] ?? "no reason is given"
                return .lacking(feature: feature.rawValue, backend: backend.name, reason: reason)
            }
            if !backend.capabilities.versions.contains(cell.version) {
                return .lacking(
                    feature: cell.version.description, backend: backend.name, reason: "the library does not have this version")
            }
        }
        return nil
    }

    /// Compares what happened with what must happen. A difference that is pinned must be there, exactly.
    public static func judge(
        _ outcome: ScenarioOutcome, cell: ScenarioCell, expectation: ScenarioExpectation, libraryVersions: [String: Int]
    ) -> CellVerdict {
        let expected = expectation.outcome(for: cell.version)
        guard let difference = expectation.differences.first(where: { $0.applies(to: cell, libraryVersions: libraryVersions) })
        else {
            return outcome == expected ? .agrees : .newDifference(expected: expected)
        }
        if outcome == difference.outcome { return .explained(difference) }
        return outcome == expected ? .vanished(difference) : .newDifference(expected: difference.outcome)
    }
}
