internal import SslSockets
internal import SslTestKit

/// The table of one group of scenarios.
struct HtmlMatrix {
    let group: ScenarioGroup
    let rows: [ComparisonReport.Row]
    let backends: [String]
    let numbers: DifferenceNumbers

    var text: String {
        let pairs = backends.flatMap { client in backends.map { (client, $0) } }
        let heads = pairs.map { Html.element("th", ["scope": "col"], Html.text("\($0.0) → \($0.1)")) }.joined()
        var lines = ""
        for row in rows {
            let cells = pairs.map { client, server in
                Html.element(
                    "td", ["data-pair": "\(client) → \(server)"],
                    cell(row.cells.filter { $0.cell.client == client && $0.cell.server == server }))
            }.joined()
            let name =
                Html.element("a", ["href": "#" + Html.anchor(row.id)], Html.text(row.id))
                + Html.element("small", Html.text(row.title))
            lines += Html.element("tr", Html.element("th", ["scope": "row"], name) + cells) + "\n"
        }
        return Html.element("h3", ["id": "g-" + group.rawValue], Html.text(Html.words(group.rawValue)))
            + Html.open("table", ["class": "matrix"]) + "\n"
            + Html.element("thead", Html.element("tr", Html.element("th", ["scope": "col"], "Scenario") + heads))
            + "\n<tbody>\n\(lines)</tbody></table>\n"
    }

    /// One pair: a line for each outcome, with the versions it is of where there is more than one.
    private func cell(_ results: [CellResult]) -> String {
        guard !results.isEmpty else { return Html.element("span", ["class": "faint", "title": "not run"], "·") }
        var order: [String] = []
        var byOutcome: [String: [CellResult]] = [:]
        for result in results {
            let key = HtmlVerdict(result).html + number(result)
            if byOutcome[key] == nil { order.append(key) }
            byOutcome[key, default: []].append(result)
        }
        return order.map { key in
            let same = byOutcome[key] ?? []
            let label =
                order.count == 1
                ? "" : Html.element("small", ["class": "label"], Html.text(versions(same, of: results))) + " "
            return Html.element("div", label + key + time(same))
        }.joined()
    }

    /// A link to the explanation of a difference.
    private func number(_ result: CellResult) -> String {
        guard case .explained(let difference) = result.verdict, let number = numbers[difference.reason] else { return "" }
        return " " + Html.element("a", ["href": "#D\(number)"], "D\(number)")
    }

    private func versions(_ some: [CellResult], of all: [CellResult]) -> String {
        var list: [String] = []
        for result in some {
            let ofVersion = all.filter { $0.cell.version == result.cell.version }.count
            let isWhole = some.filter { $0.cell.version == result.cell.version }.count == ofVersion
            let version = "\(result.cell.version)"
            let name =
                (version.hasPrefix("TLSv") ? String(version.dropFirst(4)) : version)
                + (isWhole ? "" : " \(result.cell.transport.rawValue)")
            if !list.contains(name) { list.append(name) }
        }
        return list.joined(separator: ", ")
    }

    private func time(_ results: [CellResult]) -> String {
        let times = results.filter { $0.outcome != nil }.map(\.milliseconds)
        guard let low = times.min(), let high = times.max() else { return "" }
        let text = Self.tenths(low) == Self.tenths(high) ? Self.tenths(low) : "\(Self.tenths(low))–\(Self.tenths(high))"
        return " " + Html.element("small", ["class": "time"], "\(text) ms")
    }

    private static func tenths(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return tenths >= 1000 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    }
}

/// What became of a cell, as a mark and a word, so that colour is never all there is.
struct HtmlVerdict {
    private let mark: String
    private let word: String
    private let kind: String

    init(_ result: CellResult) {
        switch result.verdict {
        case .agrees: (mark, kind) = ("✓", "good")
        case .explained: (mark, kind) = ("≠", "notable")
        case .lacking: (mark, kind) = ("–", "faint")
        case .newDifference, .vanished: (mark, kind) = ("✗", "bad")
        }
        word = result.outcome.map { Self.word($0.client == "-" ? $0.server : $0.client) } ?? "lacking"
    }

    /// Mark and word as HTML.
    var html: String { Html.element("span", ["class": kind], "\(mark) \(Html.text(word))") }

    /// The class of an outcome: its first words, in everyday ones where it has a code.
    private static func word(_ outcome: String) -> String {
        let head = outcome.prefix { $0 != "," && $0 != "[" }.split(separator: " ").prefix(3).joined(separator: " ")
        for (code, word) in words where head.hasPrefix(code) { return word }
        return head.count > 24 ? head.prefix(23) + "…" : head
    }

    private static let words = [
        ("ok despite", "ok, ignored"), ("ok", "ok"), ("peerVerificationFailed", "refused"), ("alertReceived", "alert"),
        ("handshakeFailed", "failed"), ("cannot start", "not started"), ("cannot be set", "not set up"),
        ("remoteHostClosed", "closed"),
    ]
}
