internal import Glibc
internal import SslSockets
internal import TestProcesses

/// The built tool.
enum Tool {
    /// It lies beside the program that runs the tests.
    static let path: String = {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = unsafe buffer.withUnsafeMutableBytes { buffer in
            unsafe buffer.assumingMemoryBound(to: CChar.self).baseAddress.map {
                unsafe readlink("/proc/self/exe", $0, buffer.count)
            } ?? 0
        }
        let program = String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self)
        return program.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/") + "/sslsocket"
    }()

    /// Runs it to its end. Colours and the choice of a backend do not depend on who runs the tests.
    static func run(
        _ arguments: [String], input: ChildProcess.Input = .none, environment: [String: String] = [:],
        within limit: Duration = .seconds(60)
    ) async throws -> ProcessResult {
        try await ChildProcess.run(
            path, arguments, input: input, environment: cleaned(environment), within: limit)
    }

    /// Starts it.
    static func start(
        _ arguments: [String], input: ChildProcess.Input = .none, environment: [String: String] = [:]
    ) throws -> ChildProcess {
        try ChildProcess(path, arguments, input: input, environment: cleaned(environment))
    }

    private static func cleaned(_ environment: [String: String]) -> [String: String] {
        ["NO_COLOR": "", "SSLSOCKET_BACKEND": "", "TERM": "xterm"].merging(environment) { $1 }
    }

    /// The backends under test.
    static let backends = SslBackends.available
    /// Each with each.
    static let pairs = backends.flatMap { client in backends.map { Pair(client: client, server: $0) } }
}

/// A client's and a server's backend.
struct Pair: Sendable, CustomStringConvertible {
    let client: String
    let server: String
    var description: String { "\(client)→\(server)" }
}

/// A running `sslsocket serve` at a free port, with a certificate made on the spot unless its arguments name one.
final class ToolServer: Sendable {
    let process: ChildProcess
    let folder: ScratchFolder
    let port: UInt16
    /// What it printed before it listened.
    let greeting: String

    /// - Parameter descriptorLimit: how many files the process may have open; nil for as many as this one.
    init(
        _ arguments: [String] = [], backend: String? = nil, ownCertificate: Bool = true, descriptorLimit: Int? = nil,
        environment: [String: String] = [:]
    ) async throws {
        folder = try ScratchFolder()
        var all = ["serve", "--port", "0"] + arguments
        if let backend { all += ["--backend", backend] }
        if ownCertificate { all += ["--write-ca", folder.file("ca.pem")] }
        process =
            if let descriptorLimit {
                try ChildProcess(
                    "/bin/sh", ["-c", "ulimit -n \(descriptorLimit); exec \"$0\" \"$@\"", Tool.path] + all,
                    environment: ["NO_COLOR": ""])
            } else {
                try Tool.start(all, environment: environment)
            }
        greeting = try await process.output(containing: "listening on ")
        // The line may not be complete yet when its beginning is there.
        let whole = try await process.output(containing: "]:")
        let digits = whole.split(separator: "]:").last.map { $0.prefix { $0.isNumber } } ?? ""
        guard let number = UInt16(digits) else { throw ProcessFailure("no port in \(whole)") }
        port = number
    }

    /// Where to connect.
    var endpoint: String { "localhost:\(port)" }
    /// The arguments of a client that trusts this server.
    var trust: [String] { ["--no-system-ca", "--ca", folder.file("ca.pem")] }
}
