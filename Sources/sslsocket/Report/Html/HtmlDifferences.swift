internal import SslSockets
internal import SslTestKit

/// The known differences, each reason once, beside what both ends said and what all others come to; and what is lacking.
struct HtmlDifferences {
    let report: ComparisonReport

    private struct Case {
        let scenario: ComparisonReport.Row
        let result: CellResult
        let difference: ScenarioDifference
    }

    var text: String {
        Html.element("h2", ["id": "differences"], "Differences, explained") + "\n" + (cases.isEmpty ? none : explained) + lacks
    }

    private var none: String { Html.element("p", "There are none.") + "\n" }

    private var cases: [Case] {
        report.rows.flatMap { row in
            row.cells.compactMap { result in
                guard case .explained(let difference) = result.verdict else { return nil }
                return Case(scenario: row, result: result, difference: difference)
            }
        }
    }

    private var explained: String {
        let byReason = Dictionary(grouping: cases, by: \.difference.reason)
        return DifferenceNumbers(report).reasons.enumerated().map { index, reason in
            block(index + 1, reason, byReason[reason] ?? [])
        }.joined()
    }

    private func block(_ number: Int, _ reason: String, _ cases: [Case]) -> String {
        var content = Html.element("p", Html.element("b", "D\(number)") + " " + Html.text(reason))
        if let harmless = cases.compactMap(\.difference.morePermissive).first {
            content += Html.element("p", Html.element("b", "Why that does no harm:") + " " + Html.text(harmless))
        }
        // The same words of the same pair in many versions and ways are one line.
        var lines: [String] = []
        for one in cases {
            let expected = ScenarioCatalogue.scenario(one.scenario.id)?.expectation.outcome(for: one.result.cell.version)
            let cells =
                cell("Scenario", Html.element("a", ["href": "#" + Html.anchor(one.scenario.id)], Html.text(one.scenario.id)))
                + cell("Pair", Html.text("\(one.result.cell.client) → \(one.result.cell.server), \(one.result.cell.version)"))
                + cell("Client", both(one.result.outcome?.client, expected?.client))
                + cell("Server", both(one.result.outcome?.server, expected?.server))
            let line = Html.element("tr", cells)
            if !lines.contains(line) { lines.append(line) }
        }
        let head = ["Scenario", "Pair", "Client", "Server"].map { Html.element("th", ["scope": "col"], $0) }.joined()
        let table =
            Html.open("table", ["class": "cases"]) + Html.element("thead", Html.element("tr", head)) + "\n<tbody>\n"
            + lines.joined(separator: "\n") + "\n</tbody></table>"
        content +=
            lines.count > 4
            ? Html.element("details", Html.element("summary", "\(lines.count) places where it shows") + table) : table
        return Html.element("section", ["class": "difference", "id": "D\(number)"], content) + "\n"
    }

    private func cell(_ name: String, _ content: String) -> String { Html.element("td", ["data-pair": name], content) }

    /// What was said here, and what is said elsewhere.
    private func both(_ here: String?, _ elsewhere: String?) -> String {
        let here = here ?? "-"
        guard let elsewhere, elsewhere != here else { return Html.element("span", Html.text(here)) }
        return Html.element("span", ["class": "notable"], Html.text(here))
            + Html.element("small", "elsewhere: " + Html.text(elsewhere))
    }

    private var lacks: String {
        var order: [String] = []
        var scenarios: [String: [String]] = [:]
        for row in report.rows {
            for result in row.cells {
                guard case .lacking(let feature, let backend, let reason) = result.verdict else { continue }
                let key = Html.element("b", Html.text("\(backend) lacks \(feature)")) + Html.text(": \(reason)")
                if scenarios[key] == nil { order.append(key) }
                if scenarios[key]?.contains(row.id) != true { scenarios[key, default: []].append(row.id) }
            }
        }
        guard !order.isEmpty else { return "" }
        let items = order.map { key in
            let links = (scenarios[key] ?? []).map { Html.element("a", ["href": "#" + Html.anchor($0)], Html.text($0)) }
            return Html.element("li", key + Html.element("small", links.joined(separator: ", ")))
        }
        return Html.element("h3", "What a backend lacks") + Html.element("ul", ["class": "lacks"], items.joined()) + "\n"
    }
}

/// The reasons of known differences, numbered as they first appear.
struct DifferenceNumbers {
    /// The reasons in order.
    private(set) var reasons: [String] = []

    init(_ report: ComparisonReport) {
        for result in report.rows.flatMap(\.cells) {
            guard case .explained(let difference) = result.verdict, self[difference.reason] == nil else { continue }
            reasons.append(difference.reason)
        }
    }

    /// The number of a reason, from 1.
    subscript(_ reason: String) -> Int? { reasons.firstIndex(of: reason).map { $0 + 1 } }
}

/// What nothing explains. It comes first, for it is what somebody has to look at.
struct HtmlFailures {
    let report: ComparisonReport

    var text: String {
        let failures = report.failures
        guard !failures.isEmpty else { return "" }
        let items = failures.map { result in
            Html.element(
                "li",
                Html.element("a", ["href": "#" + Html.anchor(result.cell.scenario)], Html.text(result.cell.scenario)) + " "
                    + Html.element("pre", Html.text(result.description)))
        }
        return Html.element("h2", "What nothing explains") + Html.element("ul", ["class": "failures"], items.joined()) + "\n"
    }
}
