internal import SslSockets
internal import SslTestKit

/// Every run with the words of both ends, folded up by scenario.
struct HtmlRuns {
    let report: ComparisonReport

    var text: String {
        Html.element("h2", ["id": "runs"], "Every run") + "\n" + report.rows.map(scenario).joined()
    }

    private func scenario(_ row: ComparisonReport.Row) -> String {
        let head = ["Pair", "Version", "Verdict", "Client", "Server", "Time"].map { Html.element("th", ["scope": "col"], $0) }
        var lines = ""
        for result in row.cells {
            let way = result.cell.transport == .memory ? "" : ", \(result.cell.transport.rawValue)"
            let cells = [
                ("Pair", Html.text("\(result.cell.client) → \(result.cell.server)")),
                ("Version", Html.text("\(result.cell.version)\(way)")), ("Verdict", HtmlVerdict(result).html),
                ("Client", words(result, "client: ", result.outcome?.client)),
                ("Server", words(result, "server: ", result.outcome?.server)),
                ("Time", result.outcome == nil ? "" : Html.milliseconds(result.milliseconds) + " ms"),
            ]
            lines += Html.element("tr", cells.map { Html.element("td", ["data-pair": $0.0], $0.1) }.joined()) + "\n"
        }
        let sources = (row.references + row.engineRows).joined(separator: ", ")
        // The anchor stands inside, for a browser unfolds what a link leads into.
        let anchor = Html.element(
            "p", ["id": Html.anchor(row.id), "class": "faint"],
            Html.text(row.title) + (sources.isEmpty ? "" : " (" + Html.text(sources) + ")"))
        let table =
            Html.open("table", ["class": "cases"]) + Html.element("thead", Html.element("tr", head.joined()))
            + "\n<tbody>\n\(lines)</tbody></table>"
        return Html.element("details", Html.element("summary", Html.text(row.id)) + anchor + table) + "\n"
    }

    /// What an end came to, and the texts of its errors.
    private func words(_ result: CellResult, _ end: String, _ outcome: String?) -> String {
        guard let outcome else { return "" }
        let details = result.outcome?.details ?? []
        let own = details.filter { $0.hasPrefix(end) }.map { String($0.dropFirst(end.count)) }
        // What belongs to neither end stands with the client.
        let common = end == "client: " ? details.filter { !$0.hasPrefix("client: ") && !$0.hasPrefix("server: ") } : []
        let text = (own + common).joined(separator: "; ")
        return Html.element("span", Html.text(outcome)) + (text.isEmpty ? "" : Html.element("small", Html.text(text)))
    }
}
