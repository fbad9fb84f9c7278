internal import Glibc

/// Something about another program went wrong.
public struct ProcessFailure: Error, CustomStringConvertible {
    /// What.
    public let description: String
    /// Makes a failure.
    public init(_ description: String) { self.description = description }
}

/// What became of a program.
public struct ProcessResult: Sendable, CustomStringConvertible {
    /// The exit status; 128 and the number of the signal for one that was killed.
    public let status: Int32
    /// What it wrote.
    public let output: [UInt8]
    /// What it wrote to standard error.
    public let errors: [UInt8]

    /// The output as text.
    public var text: String { String(decoding: output, as: UTF8.self) }
    /// Standard error as text.
    public var errorText: String { String(decoding: errors, as: UTF8.self) }
    /// All of it, for messages.
    public var description: String { "status \(status)\n--- output\n\(text.prefix(4000))\n--- errors\n\(errorText.prefix(4000))" }
}

/// Another program, watched. It is killed, with everything it started, when the last reference goes.
///
/// Waiting never blocks a thread of the cooperative pool, for the peer of the program may run there.
public final class ChildProcess: Sendable {
    /// Where standard input comes from.
    public enum Input: Sendable {
        /// There is none.
        case none
        /// A pipe that stays open until ``ChildProcess/closeInput()``.
        case pipe
        /// A file.
        case file(String)
    }

    /// The number the system knows it by.
    public let processIdentifier: Int32
    private let watch: ProcessWatch
    private let command: String

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - program: its path.
    ///   - environment: variables to set besides those of this process; an empty value removes one.
    ///   - outputFile: where standard output goes instead of being collected.
    public init(
        _ program: String, _ arguments: [String], input: Input = .none, environment: [String: String] = [:],
        outputFile: String? = nil, folder: String? = nil
    ) throws(ProcessFailure) {
        command = ([program] + arguments).joined(separator: " ")
        let spawned = try Spawn.start(
            program, arguments, input: input, environment: environment, outputFile: outputFile, folder: folder)
        processIdentifier = spawned.identifier
        watch = ProcessWatch(spawned)
    }

    deinit { watch.kill() }

    /// Waits until the program has ended.
    public func result(within limit: Duration = .seconds(60)) async throws(ProcessFailure) -> ProcessResult {
        guard let state = await watch.wait(limit, until: { $0.status != nil }), let status = state.status else {
            throw ProcessFailure("\(command) did not end within \(limit)\n\(watch.snapshot)")
        }
        return ProcessResult(status: status, output: state.output, errors: state.errors)
    }

    /// Waits until the program has written `text`, to standard output or standard error, and returns all of both.
    @discardableResult
    public func output(containing text: String, within limit: Duration = .seconds(30)) async throws(ProcessFailure) -> String {
        let wanted = Array(text.utf8)
        let state = await watch.wait(limit) { state in
            state.status != nil || Self.contains(state.output, wanted) || Self.contains(state.errors, wanted)
        }
        if let state, Self.contains(state.output, wanted) || Self.contains(state.errors, wanted) {
            return String(decoding: state.output + state.errors, as: UTF8.self)
        }
        throw ProcessFailure("\(command) did not write \"\(text)\"\n\(watch.snapshot)")
    }

    /// Waits until something listens at the port.
    public func listening(at port: UInt16, within limit: Duration = .seconds(30)) async throws(ProcessFailure) {
        let watch = watch
        let isThere = await Background.run { () -> Bool in
            let end = ContinuousClock.now + limit
            while ContinuousClock.now < end, watch.snapshot.isRunning {
                if LocalPort.isListening(port) { return true }
                // Nothing tells from outside when another program begins to listen; asking is all there is.
                usleep(10_000)
            }
            return false
        }
        guard isThere else { throw ProcessFailure("\(command) does not listen at port \(port)\n\(watch.snapshot)") }
    }

    /// Writes to standard input; blocks no task.
    public func write(_ bytes: [UInt8]) async throws(ProcessFailure) {
        let watch = watch
        guard await Background.run({ watch.write(bytes) }) else { throw ProcessFailure("\(command) takes no more input") }
    }

    /// Writes a text to standard input.
    public func write(_ text: String) async throws(ProcessFailure) { try await write(Array(text.utf8)) }

    /// Ends standard input.
    public func closeInput() { watch.closeInput() }

    /// Sends a signal to the program alone.
    public func signal(_ number: Int32) { _ = Glibc.kill(processIdentifier, number) }

    /// Kills the program and everything it started.
    public func kill() { watch.kill() }

    /// Starts a program and waits for its end.
    public static func run(
        _ program: String, _ arguments: [String], input: Input = .none, environment: [String: String] = [:],
        outputFile: String? = nil, folder: String? = nil, within limit: Duration = .seconds(60)
    ) async throws(ProcessFailure) -> ProcessResult {
        let child = try ChildProcess(
            program, arguments, input: input, environment: environment, outputFile: outputFile, folder: folder)
        return try await child.result(within: limit)
    }

    private static func contains(_ bytes: [UInt8], _ wanted: [UInt8]) -> Bool {
        bytes.firstRange(of: wanted) != nil
    }
}
