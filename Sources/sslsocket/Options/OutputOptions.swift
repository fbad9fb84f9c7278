internal import ArgumentParser

/// How a command tells its results.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Write JSON, and nothing else, to standard output.")
    var json = false

    @Option(help: "Use colours: auto, always or never. Auto obeys the terminal and NO_COLOR.")
    var color = ColorChoice.auto

    /// The style of standard output.
    var style: Style { Style(color, isTerminal: Console.isOutputTerminal) }
    /// The style of standard error.
    var errorStyle: Style { Style(color, isTerminal: Console.isErrorTerminal) }
}
