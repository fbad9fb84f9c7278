internal import ArgumentParser
internal import SslBackend
internal import SslSockets

/// Tells which backends there are and what each can do.
struct BackendsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backends", abstract: "Tell which TLS libraries are there, and what each of them can do.")

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let all = SslBackends.all
        let active = try? SslBackends.active().name
        if output.json {
            try Json.print(BackendsReport(all, active: active))
        } else {
            Console.write(Array(BackendsText(backends: all, active: active, style: output.style).text.utf8))
        }
        guard !all.isEmpty else {
            throw ToolFailure(
                .noBackend,
                "no TLS backend is built in; install libgnutls28-dev and nettle-dev, or libssl-dev, and build again:\n"
                    + "  apt-get install libgnutls28-dev nettle-dev libssl-dev")
        }
        do throws(SslSocketError) {
            _ = try SslBackends.active()
        } catch {
            throw ToolFailure(error)
        }
    }
}
