internal import Glibc
internal import SslTestKit
internal import TestProcesses
internal import Testing

/// `--keylog`, and the environment that has no say.
@Suite struct KeyLogTests {
    @Test(arguments: Tool.pairs) func onlyTheOptionCounts(_ pair: Pair) async throws {
        let folder = try ScratchFolder()
        let (environment, ours, theirs) = (folder.file("environment"), folder.file("client"), folder.file("server"))
        let server = try await ToolServer(
            ["--keylog", theirs, "--reply", "x"], backend: pair.server, environment: ["SSLKEYLOGFILE": environment])
        let connect = ["connect", server.endpoint, "--backend", pair.client, "--send", "x"] + server.trust
        let silent = try await Tool.run(connect, environment: ["SSLKEYLOGFILE": environment])
        #expect(silent.status == 0, "\(silent)")
        #expect(unsafe access(environment, F_OK) != 0 && access(ours, F_OK) != 0)
        let logging = try await Tool.run(connect + ["--keylog", ours])
        #expect(logging.status == 0, "\(logging)")
        #expect(unsafe access(ours, R_OK) == 0 && access(theirs, R_OK) == 0)
        let unwritable = try await Tool.run(connect + ["--keylog", folder.file("missing/file")])
        #expect(unwritable.status != 0 && unwritable.errorText.contains("key log"), "\(unwritable)")
    }
}
