import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

/// Chains whose handshake message is larger than a record and larger than the buffers of a socket.
@Suite("Large certificate chains")
struct LargeChainTests {
    /// Where the octets are.
    enum Bulk: String, CaseIterable, Sendable {
        /// A leaf with thousands of names.
        case names
        /// Ten intermediates with much to say.
        case authorities
    }

    /// An identity whose certificates have at least so many octets in all, and little more.
    private static func identity(_ bulk: Bulk, _ octets: Int, usages: [String]? = nil) throws -> TestIdentity {
        var leaf = TestAuthority.Leaf()
        if let usages { leaf.usages = usages }
        let root = try TestCertificates.shared().root
        switch bulk {
        case .names:
            leaf.names += (0..<(octets / 25)).map { number in
                let digits = "\(number)"
                return .dns(Array(("host-" + String(repeating: "0", count: 5 - digits.count) + digits + ".example.test").utf8))
            }
            return try root.issue(leaf)
        case .authorities:
            // An extension nobody knows, of the numbers kept for examples (RFC 5612).
            let padding = SslCertificateExtension(
                oid: "1.3.6.1.4.1.32473.1", isCritical: false, value: [4, 0] + [UInt8](repeating: 0, count: octets / 10))
            var authority = root
            for level in 1...10 {
                authority = try authority.makeIntermediate("Test Large \(level)") { $0.extensions = [padding] }
            }
            return try authority.issue(leaf)
        }
    }

    private struct Ends {
        var client: SslConfiguration
        var server: SslConfiguration

        /// A conversation.
        func pipe() throws -> MemoryPipe {
            let pipe = try MemoryPipe(client: client, server: server)
            pipe.converse([1, 2, 3])
            return pipe
        }
    }

    /// A server that shows its chain, and a client that may show one.
    private static func ends(_ cell: ServerCell, server shown: TestIdentity, client presented: TestIdentity? = nil) throws -> Ends
    {
        var ends = try Ends(
            client: shown.trustingConfiguration(backend: cell.pair.client), server: shown.configuration(backend: cell.pair.server)
        )
        ends.client.protocol = cell.version
        ends.server.peerVerifyMode = .verifyNone
        if let presented {
            ends.client.credentials = [try presented.credentials(backend: cell.pair.client)]
            ends.server.caCertificates = try presented.anchorCertificates(backend: cell.pair.server)
            ends.server.peerVerifyMode = .verifyPeer
        }
        return ends
    }

    private static func client(_ bulk: Bulk, _ octets: Int) throws -> TestIdentity {
        try identity(bulk, octets, usages: [SslPurpose.clientAuthentication.objectIdentifier])
    }

    private static func tell(_ pipe: MemoryPipe) -> String {
        "\(SideReport(pipe.client).summary) | \(SideReport(pipe.server).summary)"
    }

    private static func isGood(_ pipe: MemoryPipe) -> Bool {
        pipe.client.error == nil && pipe.server.error == nil && pipe.server.received == [1, 2, 3] && pipe.client.isClosed
    }

    @Test("A chain of a client is resumed, or too large for a ticket and none is sent", arguments: ServerCell.all, Bulk.allCases)
    func tickets(cell: ServerCell, bulk: Bulk) throws {
        let shown = try TestCertificates.shared().identity(.valid)
        // One engine puts the client's whole chain into the ticket of TLS 1.2, the other its certificate, and the chain where it fits.
        let isKeptWhole = cell.pair.server == "gnutls"
        for octets in [20_000, 40_000, 80_000] {
            let presented = try Self.client(bulk, octets)
            var ends = try Self.ends(cell, server: shown, client: presented)
            let isLarge = bulk == .names || isKeptWhole
            let first = try ends.pipe()
            // Before TLS 1.3 the engines put it into the ticket by themselves, and the handshake fails when it does not fit.
            if cell.version == .tlsV1_2, isLarge, octets > 65_536 {
                #expect(first.server.error?.code == .handshakeFailed && !first.server.isEstablished, "\(Self.tell(first))")
                #expect(first.client.error?.code == .alertReceived && !first.client.isEstablished, "\(Self.tell(first))")
                ends.server.options.insert(.disableSessionTickets)
                let pipe = try ends.pipe()
                #expect(Self.isGood(pipe), "\(octets) without tickets: \(Self.tell(pipe))")
                continue
            }
            #expect(Self.isGood(first), "\(octets): \(Self.tell(first))")
            #expect(first.server.connection.peerCertificates.map(\.der) == presented.chain)
            let getsTicket = cell.version == .tlsV1_2 || octets < 32_768
            #expect(first.client.tickets.count == (getsTicket ? 1 : 0), "\(octets)")
            ends.client.sessionTicket = first.client.tickets.last
            let second = try ends.pipe()
            #expect(Self.isGood(second), "\(octets), again: \(Self.tell(second))")
            #expect(second.server.connection.facts.isResumed == (getsTicket && (isLarge || octets < 32_768)), "\(octets), again")
        }
    }

    @Test(
        "What is too large for an engine is refused with an alert, and both ends say so", arguments: ServerCell.all, Bulk.allCases
    )
    func limits(cell: ServerCell, bulk: Bulk) throws {
        let valid = try TestCertificates.shared().identity(.valid)
        // A message of 110 kB is beyond the 102400 octets one engine receives, and within the 131072 the other has for a handshake.
        let large = try Self.ends(cell, server: Self.identity(bulk, 110_000)).pipe()
        #expect(Self.isGood(large) == (cell.pair.client == "gnutls"), "\(Self.tell(large))")
        var refused = try [
            Self.ends(cell, server: Self.identity(bulk, 200_000)),
            Self.ends(cell, server: valid, client: Self.client(bulk, 200_000)),
        ].map { try $0.pipe() }
        if !Self.isGood(large) { refused.append(large) }
        for pipe in refused {
            let codes = [pipe.client.error?.code, pipe.server.error?.code]
            #expect(codes.allSatisfy { $0 == .handshakeFailed || $0 == .alertReceived }, "\(Self.tell(pipe))")
            #expect(codes.contains(.handshakeFailed), "\(Self.tell(pipe))")
            #expect(pipe.client.received.isEmpty && pipe.server.received.isEmpty && !pipe.server.isEstablished)
            // Who refused says what was too large.
            let words = [pipe.client.error, pipe.server.error].compactMap { $0?.nativeMessage }
            #expect(words.contains { $0.contains("too large") || $0.contains("excessive") }, "\(words)")
        }
    }

    @Test(
        "A chain of 90 kB of a server and one of 50 kB of a client arrive through small buffers", .timeLimit(.minutes(1)),
        arguments: ServerCell.all, Bulk.allCases)
    func throughSockets(cell: ServerCell, bulk: Bulk) async throws {
        let valid = try TestCertificates.shared().identity(.valid)
        for (shown, presented) in [(try Self.identity(bulk, 90_000), nil), (valid, try Self.client(bulk, 50_000))] {
            let ends = try Self.ends(cell, server: shown, client: presented)
            let server = SslServer(configuration: ends.server)
            server.handshakeTimeout = .seconds(60)
            server.onConnection(Self.narrow)
            let seen = Lock<[[UInt8]]>([])
            try server.listen(host: "127.0.0.1")
            let run = Task {
                try await server.run { socket in
                    seen.withLock { $0 = socket.peerCertificateChain.map(\.der) }
                    let bytes = (try? await socket.receive(timeout: .seconds(30))) ?? []
                    try? await socket.send(bytes, timeout: .seconds(30))
                    await socket.finish(timeout: .seconds(30))
                }
            }
            for driver in Driver.allCases {
                seen.withLock { $0 = [] }
                let (port, client) = (server.serverPort, ends.client)
                let report =
                    switch driver {
                    case .async: await Self.converse(client, port)
                    case .blocking: await PlainThread.run { Self.converseBlocking(client, port) }
                    }
                #expect(
                    report.error == nil && report.echo == Array("hello".utf8), "\(driver): \(String(describing: report.error))")
                #expect(report.chain == shown.chain && seen.withLock { $0 } == presented?.chain ?? [], "\(driver)")
            }
            await server.shutdown()
            try await run.value
        }
    }

    /// Much less than a flight fits.
    private static func narrow(_ socket: SslSocket) {
        socket.setSocketOption(.sendBufferSize, to: 8192)
        socket.setSocketOption(.receiveBufferSize, to: 8192)
    }

    private struct Report: Sendable {
        var chain: [[UInt8]] = []
        var echo: [UInt8] = []
        var error: SslSocketError?
    }

    private static func converse(_ configuration: SslConfiguration, _ port: UInt16) async -> Report {
        let socket = SslSocket(configuration: configuration)
        narrow(socket)
        socket.connectToHostEncrypted("127.0.0.1", port: port, peerVerifyName: TestIdentity.defaultHost)
        var report = Report()
        do throws(SslSocketError) {
            guard await socket.waitForEncrypted() else { return Report(error: socket.error) }
            report.chain = socket.peerCertificateChain.map(\.der)
            try await socket.send("hello", timeout: .seconds(30))
            report.echo = try await socket.receive(timeout: .seconds(30))
            await socket.finish()
        } catch {
            report.error = error
        }
        return report
    }

    @available(*, noasync)
    private static func converseBlocking(_ configuration: SslConfiguration, _ port: UInt16) -> Report {
        let socket = SslSocket(configuration: configuration)
        narrow(socket)
        socket.connectToHostEncrypted("127.0.0.1", port: port, peerVerifyName: TestIdentity.defaultHost)
        guard socket.waitForEncrypted() else { return Report(error: socket.error) }
        var report = Report(chain: socket.peerCertificateChain.map(\.der))
        socket.write("hello")
        while report.echo.count < 5, socket.waitForReadyRead() { report.echo += socket.readAll() }
        socket.disconnectFromHost()
        if socket.state != .unconnected { _ = socket.waitForDisconnected() }
        return report
    }
}
