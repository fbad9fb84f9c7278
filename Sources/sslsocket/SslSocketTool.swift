internal import ArgumentParser
internal import Glibc

/// The command line of the library: compares the backends, connects, serves, and tells what is there.
@main
struct SslSocketTool: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sslsocket",
        abstract: "TLS sockets over the TLS libraries of the system.",
        discussion: """
            Exit status: 0 done; 1 compare found a difference that nothing explains; 2 the peer's certificate was refused; 3 there is no \
            usable backend; 4 the handshake failed; 5 the network failed (refused, name lookup, timeout); 64 wrong usage; 66 a file cannot \
            be read or used; 69 something needed is missing or cannot be done.
            """,
        version: ToolVersion.text,
        subcommands: [
            CompareCommand.self, ConnectCommand.self, ServeCommand.self, BackendsCommand.self, CiphersCommand.self,
            CertCommand.self,
        ])

    static func main() async {
        // A closed pipe is told by write(2), where it can be handled.
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let failure as ToolFailure {
            Console.error("sslsocket: \(failure.message)")
            Glibc.exit(failure.status.rawValue)
        } catch {
            // Help and version are "errors" of the parser that belong on standard output.
            exit(withError: error)
        }
    }
}

/// The version of the tool and the library.
enum ToolVersion {
    static let number = "0.1.0"
    static let text = "sslsocket \(number)"
}
