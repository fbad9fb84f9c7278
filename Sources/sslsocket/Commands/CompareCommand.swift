internal import ArgumentParser
internal import SslSockets
internal import SslTestKit

/// The main job: every scenario on every pair of backends.
struct CompareCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Compare the TLS libraries: run every scenario on each pair of client and server.",
        discussion: """
            Each cell of the table is what happened between a client on one backend and a server on another. A difference between backends \
            is either known and explained, or makes the exit status 1.
            """)

    @OptionGroup var output: OutputOptions

    @Option(
        help: ArgumentHelp(
            "Run only the cells whose description contains this, for example a scenario's name.", valueName: "substring"))
    var filter: String?

    @Option(
        help: ArgumentHelp(
            "Write the comparison as a web page too, with the times of handshakes, and beside it the same as JSON (FILE.json).",
            valueName: "file"))
    var html: String?

    @Option(help: ArgumentHelp("How many handshakes are timed for each bar of --html; 0 for none.", valueName: "count"))
    var handshakes = 50

    @Flag(help: "Exit with 0 even when there are differences that nothing explains.")
    var exitZero = false

    func validate() throws {
        guard (0...100_000).contains(handshakes) else { throw ValidationError("--handshakes must be from 0 to 100000.") }
    }

    func run() async throws {
        guard !SslBackends.available.isEmpty else {
            throw ToolFailure(.noBackend, "no TLS backend is built in, so there is nothing to compare")
        }
        let count = Comparison.cellCount(filter: filter)
        guard count > 0 else { throw ToolFailure(.usage, "no scenario matches \"\(filter ?? "")\"") }
        let progress = Console.isErrorTerminal ? Progress(total: count) : nil
        let report = await Comparison.run(filter: filter) { progress?.advance("\($0.cell)") }
        progress?.clear()
        if let html { try await write(report, to: html) }
        if output.json {
            try Json.print(ComparisonDocument(report))
        } else {
            Console.write(Array(ComparisonText(report: report, style: output.style).text.utf8))
        }
        if !report.isAsExpected && !exitZero {
            let counts = report.counts
            throw ToolFailure(.difference, "\(counts.new) new differences, \(counts.vanished) known ones vanished")
        }
    }

    private func write(_ report: ComparisonReport, to file: String) async throws {
        if Console.isErrorTerminal { Console.errorPart("timing handshakes") }
        let timings = handshakes > 0 ? await Comparison.timeHandshakes(count: handshakes) : []
        if Console.isErrorTerminal { Console.errorPart("\r\u{1B}[K") }
        let page = HtmlReport(report: report, timings: timings, machine: Machine(), date: ReportDate.now)
        try FileWriter.write(Array(page.text.utf8), to: file)
        try Json.write(ComparisonDocument(report, timings: timings), toFile: file + ".json")
    }
}
