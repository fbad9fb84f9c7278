import Glibc
import SslSockets

/// One end of a benchmark: the work of the command line over `SslSockets`, driven as `--opt drive` says.
@main
enum Peer {
    static func main() {
        let options = Options(CommandLine.arguments)
        let configuration = makeConfiguration(options)
        guard options.isAsync else {
            switch options.role {
            case .server: BlockingServer(options, configuration).run()
            case .client: BlockingClient(options, configuration).run()
            }
            return
        }
        if options.usesReactor {
            Task.detached(executorPreference: SslReactor.shared) { await runAsync(options, configuration) }
        } else {
            Task.detached { await runAsync(options, configuration) }
        }
        while true { pause() }
    }

    private static func runAsync(_ options: Options, _ configuration: SslConfiguration) async {
        do throws(SslSocketError) {
            switch options.role {
            case .server: try await AsyncServer(options, configuration).run()
            case .client: try await AsyncClient(options, configuration).run()
            }
        } catch {
            die("\(error)")
        }
        exit(0)
    }
}

extension SslSocket {
    /// What was negotiated, in a few words.
    var negotiated: String { "\(sessionProtocol) \(sessionCipher?.name ?? "")" }
}
