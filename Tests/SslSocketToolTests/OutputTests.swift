internal import TestProcesses
internal import Testing

@testable internal import sslsocket

/// Colours, standard error, and an output that nobody reads.
@Suite struct OutputTests {
    private static let escape = "\u{1B}["

    @Test func aPipeGetsNoColours() async throws {
        let result = try await Tool.run(["backends"])
        #expect(result.status == 0 && !result.text.contains(Self.escape))
    }

    @Test func anExplicitChoiceCountsMostOfAll() async throws {
        let always = try await Tool.run(["backends", "--color", "always"], environment: ["NO_COLOR": "1"])
        #expect(always.text.contains(Self.escape))
        #expect(!Style(.never, isTerminal: true).isColored)
    }

    /// script(1) gives the tool a terminal.
    @Test func aTerminalGetsColoursUnlessNoColorIsSet() async throws {
        let script = try ProgramPath.find("script", package: "bsdutils")
        let command = ["-qec", "\(Tool.path) backends", "/dev/null"]
        let colored = try await ChildProcess.run(
            script, command, environment: ["NO_COLOR": "", "TERM": "xterm", "SSLSOCKET_BACKEND": ""])
        #expect(colored.text.contains(Self.escape), "\(colored)")
        let plain = try await ChildProcess.run(
            script, command, environment: ["NO_COLOR": "1", "TERM": "xterm", "SSLSOCKET_BACKEND": ""])
        #expect(plain.text.contains("library") && !plain.text.contains(Self.escape))
    }

    /// The reader of the pipe has gone before anything is written.
    @Test func anOutputNobodyReadsEndsQuietly() async throws {
        let bash = try ProgramPath.find("bash", package: "bash")
        let result = try await ChildProcess.run(
            bash, ["-c", #"exec {fd}> >(exit); wait $!; "$0" backends >&$fd; echo "status $?""#, Tool.path])
        #expect(result.text == "status 0\n")
        #expect(result.errors.isEmpty, "\(result)")
    }

    @Test(arguments: Tool.backends) func verboseLinesStandOnStandardError(_ backend: String) async throws {
        let server = try await ToolServer(backend: backend)
        let client = try await Tool.run(["connect", server.endpoint, "--backend", backend, "--verbose"] + server.trust)
        #expect(client.errorText.split(separator: "\n").allSatisfy { $0.hasPrefix("* ") }, "\(client)")
        #expect(client.errorText.contains("* Connected to ") && client.errorText.contains("* TLSv1.3, "))
    }

    @Test(arguments: Tool.backends) func acceptingAnybodyIsLoud(_ backend: String) async throws {
        let server = try await ToolServer(backend: backend)
        let client = try await Tool.run(["connect", server.endpoint, "--backend", backend, "--no-verify"])
        #expect(client.status == 0, "\(client)")
        #expect(client.errorText.contains("WARNING"))
        #expect(client.text.contains("verified  NO") && client.text.contains("unableToGetLocalIssuerCertificate"))
    }

    @Test func endpointsAreReadStrictly() {
        #expect(Endpoint(argument: "[::1]:443")?.host == "::1")
        #expect(Endpoint(argument: "example.org:443")?.host == "example.org")
        #expect(Endpoint(argument: "192.0.2.1:1")?.port == 1)
        #expect(Endpoint(argument: "[fe80::1%lo]:443")?.host == "fe80::1%lo")
        for wrong in [
            "", ":", ":443", "host", "host:", "host:x", "host:-1", "host:0", "host:65536", "::1:443", "[::1]", "[]:1", "[::1:443",
        ] {
            #expect(Endpoint(argument: wrong) == nil, "\(wrong)")
        }
    }

    @Test func tablesAreAlignedByWhatIsSeen() {
        var table = Table()
        table.add([Table.Cell("a") { "\u{1B}[1m\($0)\u{1B}[0m" }, Table.Cell("b")])
        table.add([Table.Cell("long"), Table.Cell("c")])
        #expect(table.lines == ["\u{1B}[1ma\u{1B}[0m     b", "long  c"])
    }
}
