internal import SslSockets
internal import SslTestKit

/// A comparison for people: a line for each scenario, version and way of transport, a column for each pair of backends.
struct ComparisonText {
    let report: ComparisonReport
    let style: Style

    var text: String {
        var lines = [report.backends.map { "\($0.name) \($0.libraryVersion)" }.joined(separator: ", "), ""]
        lines += table.lines
        lines.append("")
        lines += explanations
        lines += failures
        lines.append(summary)
        return lines.joined(separator: "\n") + "\n"
    }

    private struct Pair: Hashable {
        let client: String
        let server: String
    }
    private struct Line: Hashable {
        let version: SslVersion
        let transport: ScenarioTransport
    }

    private var pairs: [Pair] {
        let names = report.backends.map(\.name)
        return names.flatMap { client in names.map { (client, $0) } }.map { Pair(client: $0.0, server: $0.1) }
    }

    private var table: Table {
        var table = Table()
        let pairs = pairs
        table.add(
            [Table.Cell("scenario", paint: style.strong), Table.Cell("")]
                + pairs.map { Table.Cell("\($0.client)→\($0.server)", paint: style.strong) } + [Table.Cell("")])
        for row in report.rows {
            var lines: [Line] = []
            for result in row.cells {
                let line = Line(version: result.cell.version, transport: result.cell.transport)
                if !lines.contains(line) { lines.append(line) }
            }
            for line in lines {
                let results = row.cells.filter { $0.cell.version == line.version && $0.cell.transport == line.transport }
                let way = line.transport == .memory ? "" : " \(line.transport.rawValue)"
                var cells = [Table.Cell(row.id), Table.Cell("\(line.version)\(way)", paint: style.faint)]
                for pair in pairs {
                    let result = results.first { $0.cell.client == pair.client && $0.cell.server == pair.server }
                    cells.append(result.map(cell) ?? Table.Cell("", paint: style.faint))
                }
                cells.append(Table.Cell(mark(results), paint: style.notable))
                table.add(cells)
            }
        }
        return table
    }

    private func cell(_ result: CellResult) -> Table.Cell {
        let words = short(result)
        return switch result.verdict {
        case .agrees: Table.Cell(words, paint: style.good)
        case .explained: Table.Cell(words, paint: style.notable)
        case .lacking: Table.Cell(words, paint: style.faint)
        case .newDifference, .vanished: Table.Cell("!! " + words, paint: style.bad)
        }
    }

    /// The outcome in few words: of both ends where they differ.
    private func short(_ result: CellResult) -> String {
        guard let outcome = result.outcome else { return "lacking" }
        let ends = [outcome.client, outcome.server].filter { $0 != "-" }
        let words = Set(ends).count == 1 ? ends[0] : ends.joined(separator: " | ")
        let cut = words.count > Self.widest ? words.prefix(Self.widest - 1) + "…" : words[...]
        return cut == "ok" ? "ok \(milliseconds(result.milliseconds))" : String(cut)
    }
    private static let widest = 34

    private func milliseconds(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10) ms"
    }

    private func mark(_ results: [CellResult]) -> String {
        let isExplained = results.contains { if case .explained = $0.verdict { true } else { false } }
        let isNew = results.contains(where: \.verdict.isFailure)
        return isNew ? "≠ new" : isExplained ? "≠ explained" : ""
    }

    private var explanations: [String] {
        var lines: [String] = []
        for row in report.rows {
            var told: Set<String> = []
            for result in row.cells {
                switch result.verdict {
                case .explained(let difference) where told.insert(difference.reason).inserted:
                    lines.append("\(style.notable("≠")) \(row.id): \(difference.outcome): \(difference.reason)")
                case .lacking(let feature, let backend, let reason) where told.insert(backend + feature).inserted:
                    lines.append("\(style.faint("-")) \(row.id): \(backend) lacks \(feature): \(reason)")
                default: break
                }
            }
        }
        return lines.isEmpty ? [] : lines + [""]
    }

    private var failures: [String] {
        let failures = report.failures
        return failures.isEmpty ? [] : failures.map { style.bad("!! \($0)") } + [""]
    }

    private var summary: String {
        let counts = report.counts
        let text =
            "\(report.rows.count) scenarios, \(counts.total) cells on \(pairs.count) pairs: \(counts.agreeing) agree, "
            + "\(counts.explained + counts.new + counts.vanished) differ (\(counts.explained) explained, \(counts.new) new, "
            + "\(counts.vanished) vanished), \(counts.lacking) lacking"
        return report.isAsExpected ? style.good(text) : style.bad(text)
    }
}
