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

    @Flag(help: "Exit with 0 even when there are differences that nothing explains.")
    var exitZero = false

    func run() async throws {
        guard !SslBackends.available.isEmpty else {
            throw ToolFailure(.noBackend, "no TLS backend is built in, so there is nothing to compare")
        }
        let count = Comparison.cellCount(filter: filter)
        guard count > 0 else { throw ToolFailure(.usage, "no scenario matches \"\(filter ?? "")\"") }
        let progress = Console.isErrorTerminal ? Progress(total: count) : nil
        let report = await Comparison.run(filter: filter) { progress?.advance("\($0.cell)") }
        progress?.clear()
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
}
