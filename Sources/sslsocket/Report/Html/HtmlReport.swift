internal import SslSockets
internal import SslTestKit

/// A comparison as one page that needs nothing else: no scripts, no links to elsewhere, for light and dark screens and for paper.
struct HtmlReport {
    let report: ComparisonReport
    let timings: [HandshakeTiming]
    let machine: Machine
    /// When it was made.
    let date: SslInstant

    /// The whole page.
    var text: String {
        let title = "TLS backends compared"
        let head =
            "<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
            + "<meta name=\"color-scheme\" content=\"light dark\">\n"
            // Nothing but the style below may have any effect, whatever slipped through.
            + "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
            + Html.element("title", Html.text(title)) + "\n<style>\n\(HtmlStyle.text)</style>\n"
        var body = Html.element("h1", Html.text(title)) + "\n" + header + summary + contents
        body += HtmlFailures(report: report).text
        body += HtmlTimings(timings: timings, isDebugBuild: machine.isDebugBuild).text
        body += matrix
        body += HtmlDifferences(report: report).text
        body += HtmlRuns(report: report).text
        return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n\(head)</head>\n<body>\n\(body)</body>\n</html>\n"
    }

    private var header: String {
        func fact(_ name: String, _ value: String) -> String {
            Html.element("div", Html.element("dt", Html.text(name)) + Html.element("dd", Html.text(value)))
        }
        let facts =
            report.backends.map { fact($0.name, $0.libraryVersion) }.joined() + fact("Machine", machine.hardware)
            + fact("System", machine.system)
            + fact("Made by", "\(ToolVersion.text)\(machine.isDebugBuild ? ", debug build" : "")")
            + fact("Made at", date.description)
        return Html.element("dl", ["class": "facts"], facts) + "\n"
    }

    private var summary: String {
        let counts = report.counts
        func tile(_ count: Int, _ words: String, _ kind: String) -> String {
            Html.element(
                "div", ["class": "tile \(count == 0 ? "none" : kind)"],
                Html.element("b", "\(count)") + Html.element("span", Html.text(words)))
        }
        let tiles =
            tile(counts.agreeing, "✓ agree", "good") + tile(counts.explained, "≠ differ, explained", "notable")
            + tile(counts.lacking, "– lacking", "faint") + tile(counts.new, "✗ differ, new", "bad")
            + tile(counts.vanished, "✗ known ones vanished", "bad")
        let verdict =
            report.isAsExpected
            ? "Everything is as expected: \(report.rows.count) scenarios, \(counts.total) runs."
            : "Not everything is as expected: \(counts.new + counts.vanished) of \(counts.total) runs."
        return Html.element("p", ["class": report.isAsExpected ? "verdict good" : "verdict bad"], Html.text(verdict)) + "\n"
            + Html.element("div", ["class": "tiles"], tiles) + "\n"
    }

    private var groups: [ScenarioGroup] {
        ScenarioGroup.allCases.filter { group in report.rows.contains { $0.group == group } }
    }

    private var contents: String {
        var links = [("differences", "Differences"), ("runs", "Every run")]
        if !timings.isEmpty { links.insert(("times", "Times"), at: 0) }
        links.insert(contentsOf: groups.map { ("g-" + $0.rawValue, Html.words($0.rawValue)) }, at: timings.isEmpty ? 0 : 1)
        return Html.element(
            "nav", links.map { Html.element("a", ["href": "#" + $0.0], Html.text($0.1)) }.joined(separator: " ")) + "\n"
    }

    private var matrix: String {
        let legend =
            "A row is a scenario and a column a pair, client → server. A cell tells what the client came to, or the server where only that "
            + "has something to tell, and the milliseconds of one run; 1.2 and 1.3 are versions of TLS. A scenario's name leads to the "
            + "words of both ends."
        let (names, numbers) = (report.backends.map(\.name), DifferenceNumbers(report))
        var text = Html.element("h2", "Scenarios") + Html.element("p", ["class": "faint"], Html.text(legend)) + "\n"
        for group in groups {
            let rows = report.rows.filter { $0.group == group }
            text += HtmlMatrix(group: group, rows: rows, backends: names, numbers: numbers).text
        }
        return text
    }
}
