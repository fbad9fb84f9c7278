internal import SslBackend
public import SslSockets
public import SslValues

/// A TLS client and a TLS server in one thread, connected by memory: deterministic, without sockets, time or waiting.
///
/// ```swift
/// let identity = try TestCertificates.shared().identity(.valid)
/// let pipe = try MemoryPipe(
///     client: identity.trustingConfiguration(), host: identity.host, server: identity.configuration())
/// pipe.run()
/// pipe.client.write(Array("hello".utf8))
/// pipe.run()
/// #expect(pipe.server.received == Array("hello".utf8))
/// ```
public final class MemoryPipe {
    /// The end that begins.
    public let client: PipeEndpoint
    /// The end that answers.
    public let server: PipeEndpoint
    /// What the client sends.
    public var toServer = PipeDirection()
    /// What the server sends.
    public var toClient = PipeDirection()

    /// More rounds than any honest exchange of a test needs.
    private static let mostRounds = 1_000_000

    /// Connects two ends.
    public init(client: PipeEndpoint, server: PipeEndpoint) {
        self.client = client
        self.server = server
    }

    /// Connects a client and a server of these configurations.
    public convenience init(
        client: SslConfiguration, host: String = TestIdentity.defaultHost, server: SslConfiguration
    ) throws(SslSocketError) {
        self.init(
            client: try PipeEndpoint(clientTo: host, configuration: client), server: try PipeEndpoint(server: server))
    }

    /// Carries octets to and fro until neither end goes on and none are on their way.
    ///
    /// Where a policy leaves a question open for some rounds, rounds go on while all else is quiet; `Int.max` rounds end the run.
    public func run() {
        var isQuiet = false
        for _ in 0..<Self.mostRounds {
            var hasMoved = round(isQuiet: isQuiet)
            if !hasMoved && !isQuiet {
                isQuiet = true
                continue
            }
            if !hasMoved { hasMoved = client.hasOpenRounds || server.hasOpenRounds }
            guard hasMoved else { return }
            isQuiet = false
        }
    }

    private func round(isQuiet: Bool) -> Bool {
        var hasMoved = client.work()
        carry(from: client, into: &toServer)
        if let (octets, isEnd) = toServer.deliver(isQuiet: isQuiet) {
            server.take(octets, isEnd: isEnd)
            hasMoved = true
        }
        hasMoved = server.work() || hasMoved
        carry(from: server, into: &toClient)
        if let (octets, isEnd) = toClient.deliver(isQuiet: isQuiet) {
            client.take(octets, isEnd: isEnd)
            hasMoved = true
        }
        return hasMoved
    }

    private func carry(from end: PipeEndpoint, into direction: inout PipeDirection) {
        let octets = end.takeOutput()
        if end.isClosed && direction.faults.losesClosure {
            direction.end()
            return
        }
        direction.send(octets)
        // As a socket does: the stream ends after close_notify, and after a failure.
        if end.isClosed || end.error != nil { direction.end() }
    }

    /// Lets the client say something, has it echoed and ends the connection properly, as far as all that is possible.
    ///
    /// - Returns: true when the client got back what it said.
    @discardableResult
    public func converse(_ octets: [UInt8]) -> Bool {
        run()
        let before = (client: client.received.count, server: server.received.count)
        if client.isEstablished { client.write(octets) }
        run()
        if server.isEstablished { server.write(Array(server.received.dropFirst(before.server))) }
        run()
        let isEchoed = client.isEstablished && Array(client.received.dropFirst(before.client)) == octets
        client.close()
        run()
        return isEchoed
    }
}

extension PipeEndpoint {
    /// A question is open and the policy will answer it in a later round.
    fileprivate var hasOpenRounds: Bool { isUndecided && policy.undecidedRounds != .max && policy.undecidedHelloRounds != .max }
}
