internal import SslSockets
internal import TestProcesses
internal import Testing

@testable internal import SslTestKit
@testable internal import sslsocket

/// The comparison as a web page.
@Suite struct HtmlTests {
    private static let evil = "<script>alert(1)</script> & \"'\u{1B}[31m"

    /// A report with every verdict, and words that would do harm where they are not escaped.
    private func report() -> ComparisonReport {
        let outcome = ScenarioOutcome(
            client: "ok \(Self.evil)", server: "alertReceived, got bad_record_mac",
            details: ["client: \(Self.evil)", "server: a detail", "both"])
        let difference = ScenarioDifference(outcome: outcome, reason: "because \(Self.evil)", morePermissive: "harmless")
        let verdicts: [CellVerdict] = [
            .agrees, .explained(difference), .lacking(feature: Self.evil, backend: "a", reason: Self.evil),
            .newDifference(expected: .ok), .vanished(difference),
        ]
        let rows = verdicts.enumerated().map { index, verdict in
            let cell = ScenarioCell(scenario: "made-up-\(index)", client: "a", server: "a", version: .tls1_3)
            return ComparisonReport.Row(
                id: "made-up-\(index)", title: Self.evil, group: .clientCertificates, references: ["RFC 8446"],
                engineRows: ["E1"],
                cells: [CellResult(cell: cell, outcome: outcome, verdict: verdict, milliseconds: 1.25)])
        }
        return ComparisonReport(
            backends: [ComparisonReport.Participant(name: "a", libraryVersion: Self.evil, libraryVersionNumber: 1)], rows: rows)
    }

    private func page(timings: [HandshakeTiming] = []) -> String {
        HtmlReport(
            report: report(), timings: timings,
            machine: Machine(hardware: Self.evil, system: "Linux", isDebugBuild: false),
            date: SslInstant(secondsSince1970: 0)
        ).text
    }

    /// Every tag that is opened is closed, in order; nothing but the known ones is there.
    private func checkWellFormed(_ page: String) throws {
        var open: [Substring] = []
        var rest = page[...]
        let known: Set<Substring> = [
            "html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "dl", "dt", "dd", "div", "p", "b", "span", "nav",
            "a",
            "table", "thead", "tbody", "tr", "th", "td", "small", "section", "details", "summary", "ul", "li", "pre", "svg",
            "rect",
        ]
        while let start = rest.firstIndex(of: "<") {
            let end = try #require(rest[start...].firstIndex(of: ">"))
            let tag = rest[rest.index(after: start)..<end]
            rest = rest[rest.index(after: end)...]
            if tag.hasPrefix("!DOCTYPE") || tag.hasPrefix("meta ") { continue }
            if tag.hasPrefix("/") {
                #expect(open.popLast() == tag.dropFirst())
            } else {
                let name = tag.prefix { $0 != " " }
                #expect(known.contains(name), "\(tag)")
                open.append(name)
            }
        }
        #expect(open.isEmpty)
    }

    @Test func nothingFromOutsideIsMarkup() throws {
        let timing = try #require(
            HandshakeTiming(client: Self.evil, server: "a", version: .tls1_2, milliseconds: [2, 1, 4, 3]))
        let page = page(timings: [timing])
        #expect(!page.contains("<script") && !page.contains("\u{1B}"))
        #expect(page.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;&#39;\u{FFFD}[31m"))
        try checkWellFormed(page)
    }

    @Test func itNeedsNothingElse() {
        let page = page()
        for word in ["http:", "https:", "src=", "url(", "@import", "<link", "javascript", "onclick"] {
            #expect(!page.contains(word), "\(word)")
        }
        #expect(page.contains("default-src 'none'") && page.contains("prefers-color-scheme: dark"))
    }

    @Test func everyVerdictHasItsPlace() {
        let page = page()
        #expect(page.contains("Not everything is as expected: 2 of 5 runs."))
        #expect(page.contains("What nothing explains") && page.contains("Why that does no harm:"))
        #expect(page.contains("href=\"#D1\"") && page.contains("id=\"D1\""))
        #expect(page.contains("a lacks ") && page.contains("1970-01-01T00:00:00Z"))
        #expect(page.contains("Client certificates"))
        for index in 0..<5 {
            #expect(page.contains("href=\"#s-made-up-\(index)\"") && page.contains("id=\"s-made-up-\(index)\""))
        }
        #expect(page.contains("a detail"))
    }

    @Test func percentilesAreMeasuredValues() throws {
        let timing = try #require(
            HandshakeTiming(client: "a", server: "b", version: .tls1_3, milliseconds: [5, 1, 4, 2, 3, 6, 7, 8, 9, 10]))
        #expect(timing.percentile(0.5) == 5 && timing.percentile(0.9) == 9)
        #expect(timing.percentile(0) == 1 && timing.percentile(1) == 10)
        #expect(HandshakeTiming(client: "a", server: "b", version: .tls1_3, milliseconds: []) == nil)
        let page = page(timings: [timing])
        #expect(page.contains("10 full handshakes for each bar") && page.contains("p50 5.00 ms, p90 9.00 ms"))
        #expect(page.contains("width=\"55.6\"") && page.contains("width=\"100.0\""))
        #expect(!self.page().contains("Times of handshakes"))
    }

    @Test func theDateIsTheBuildsOrTheClocks() {
        #expect(ReportDate.read("1000000000") == SslInstant(secondsSince1970: 1_000_000_000))
        for wrong in [nil, "", "x", "-1", "99999999999999"] {
            #expect(ReportDate.read(wrong).secondsSince1970 >= 1_500_000_000)
        }
    }

    @Test func theToolWritesThePageAndTheSameAsJson() async throws {
        let folder = try ScratchFolder()
        let result = try await Tool.run(
            ["compare", "--filter", "wrong-name", "--handshakes", "3", "--html", folder.file("page.html")],
            environment: ["SOURCE_DATE_EPOCH": "1000000000"], within: .seconds(120))
        #expect(result.status == 0, "\(result)")
        let page = String(decoding: try #require(folder.read("page.html")), as: UTF8.self)
        try checkWellFormed(page)
        #expect(page.contains("2001-09-09T01:46:40Z") && page.contains("3 full handshakes"))
        for pair in Tool.pairs { #expect(page.contains("\(pair.client) → \(pair.server)")) }
        let json = try #require(folder.read("page.html.json"))
        #expect(try JsonSchema(named: "compare").problems(with: json) == [])
        let timings = try JsonValue(json)["timings"]?.elements ?? []
        #expect(timings.count == 2 * Tool.pairs.count)
        #expect(timings.allSatisfy { $0["handshakes"] == .number(3) })
        let unwritable = try await Tool.run(["compare", "--filter", "wrong-name", "--html", "/no/such/folder/page"])
        #expect(unwritable.status == 66)
        #expect(try await Tool.run(["compare", "--handshakes", "-1"]).status == 64)
    }
}
