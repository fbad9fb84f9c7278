import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

/// Connections over a wire that does what it should not. Nobody may hang, crash, hand on a wrong octet, or take a broken end for a proper one.
@Suite("Faults of the wire")
struct FaultTests {
    /// What an end came to.
    struct End: Sendable, CustomStringConvertible {
        var isEncrypted = false
        var received: [UInt8] = []
        /// nil when the stream was ended properly.
        var error: SslSocketError?
        var description: String {
            "\(isEncrypted ? "encrypted" : "not encrypted"), \(received.count) octets, \(error?.code.rawValue ?? "proper end")"
        }
    }
    struct Outcome: Sendable, CustomStringConvertible {
        var client: End
        /// nil when the server was never done with the client.
        var server: End?
        var octets = (toServer: 0, toClient: 0)
        var description: String { "client \(client); server \(server.map { "\($0)" } ?? "not done")" }
    }

    /// What each side says.
    private static let message = (0..<40_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
    /// Nobody waits so long unless the wire stands still.
    private static let patience = Duration.seconds(20)

    /// A conversation over a relay: the client sends its message and ends; the server sends back what came and ends.
    private func converse(
        _ cell: ServerCell, toServer: RelayFault? = nil, toClient: RelayFault? = nil, patience: Duration = Self.patience,
        handshake: Duration = Self.patience,
        serverPatience: Duration = Self.patience,
        serverHandshake: Duration = Self.patience
    ) async throws -> Outcome {
        let server = try cell.server()
        server.handshakeTimeout = serverHandshake
        let result = Lock<End?>(nil)
        let log = EventLog()
        server.onHandshakeFailure { _, error in
            result.withLock { $0 = End(error: error) }
            log.note("done")
        }
        try server.listen(host: "127.0.0.1")
        let relay = try FaultRelay(to: server.serverPort, toServer: toServer, toClient: toClient)
        let run = Task {
            try await server.run { socket in
                var end = End(isEncrypted: true)
                socket.allowsHalfClosure = true
                do throws(SslSocketError) {
                    while end.received.count < Self.message.count {
                        let bytes = try await socket.receive(timeout: serverPatience)
                        if bytes.isEmpty { break }
                        end.received += bytes
                        try await socket.send(bytes, timeout: serverPatience)
                    }
                    await socket.finish(timeout: serverPatience)
                } catch {
                    end.error = error
                    socket.abort()
                }
                result.withLock { [end] in $0 = end }
                log.note("done")
            }
        }
        let wire = Task { await relay.run() }
        var configuration = try cell.pair.clientConfiguration()
        configuration.protocol = cell.version
        let client = SslSocket(configuration: configuration)
        client.connectToHostEncrypted("127.0.0.1", port: relay.port, peerVerifyName: TestIdentity.defaultHost)
        var end = End()
        do throws(SslSocketError) {
            if await client.waitForEncrypted(timeout: handshake) {
                end.isEncrypted = true
                try await client.send(Self.message, timeout: patience)
                while true {
                    let bytes = try await client.receive(timeout: patience)
                    if bytes.isEmpty { break }
                    end.received += bytes
                }
                await client.finish(timeout: patience)
            } else {
                end.error = client.error
            }
        } catch {
            end.error = error
        }
        client.abort()
        await wire.value
        // The relay has connected to the server, which may not have looked yet. A server that shuts down drops whoever waits to be accepted and
        // whoever has said nothing, and tells nobody.
        _ = await log.wait(for: "done")
        await server.shutdown(timeout: patience)
        try await run.value
        return Outcome(client: end, server: result.withLock { $0 }, octets: relay.received)
    }

    /// So many conversations go on at a time: most of their time is spent waiting for a time to be over.
    private static let width = 6

    private func forEach<Item: Sendable>(
        _ items: [Item], _ body: @escaping @Sendable (Item) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, item) in items.enumerated() {
                if index >= Self.width { try await group.next() }
                group.addTask { try await body(item) }
            }
            try await group.waitForAll()
        }
    }

    /// A fault in one direction.
    private struct OneWay: Sendable, CustomStringConvertible {
        var fault: RelayFault
        var isUp: Bool
        var toServer: RelayFault? { isUp ? fault : nil }
        var toClient: RelayFault? { isUp ? nil : fault }
        var description: String { "\(fault) to the \(isUp ? "server" : "client")" }
    }

    /// What must hold whatever the wire does.
    private func expectSound(_ outcome: Outcome, _ what: String, location: SourceLocation = #_sourceLocation) {
        #expect(outcome.server != nil, "\(what): the server is not done; \(outcome)", sourceLocation: location)
        for end in [outcome.client, outcome.server].compactMap(\.self) {
            #expect(Self.message.starts(with: end.received), "\(what): wrong octets; \(outcome)", sourceLocation: location)
            let isWhole = end.isEncrypted && end.received.count == Self.message.count
            #expect(
                end.error != nil || isWhole, "\(what): a broken end taken for a proper one; \(outcome)", sourceLocation: location)
        }
    }

    @Test("Without a fault and octet by octet everything arrives", .timeLimit(.minutes(1)), arguments: ServerCell.all)
    func octetwise(cell: ServerCell) async throws {
        for (up, down) in [(nil, nil), (RelayFault.octetwise, nil), (nil, RelayFault.octetwise), (.octetwise, .octetwise)] {
            let outcome = try await converse(cell, toServer: up, toClient: down)
            #expect(outcome.client.received == Self.message && outcome.client.error == nil, "\(outcome)")
            #expect(outcome.server?.received == Self.message && outcome.server?.error == nil, "\(outcome)")
        }
    }

    @Test("A wire that is cut, anywhere", .timeLimit(.minutes(1)), arguments: ServerCell.all)
    func cut(cell: ServerCell) async throws {
        try await forEach(Self.points(converse(cell).octets) { .cut(after: $0) }) { way in
            let outcome = try await converse(cell, toServer: way.toServer, toClient: way.toClient)
            expectSound(outcome, "\(way)")
            // The client had not received the end.
            let codes: [SslSocketError.Code] = [.truncated, .network, .remoteHostClosed]
            #expect(codes.contains(outcome.client.error?.code ?? .operation), "\(way): \(outcome)")
            if outcome.client.isEncrypted { #expect(outcome.client.error?.code != .remoteHostClosed, "\(way): \(outcome)") }
        }
    }

    @Test("A wire that is reset, anywhere", .timeLimit(.minutes(1)), arguments: ServerCell.all)
    func reset(cell: ServerCell) async throws {
        try await forEach(Self.points(converse(cell).octets) { .reset(after: $0) }) { way in
            let outcome = try await converse(cell, toServer: way.toServer, toClient: way.toClient)
            expectSound(outcome, "\(way)")
            // Whoever was sending when it came has used the system's word for it up, and finds the end without close_notify.
            #expect(outcome.client.error?.code == .network || outcome.client.error?.code == .truncated, "\(way): \(outcome)")
        }
    }

    /// Points in the handshake closely, in the data at some places, in both directions; never the last octets, which are the end itself.
    private static func points(
        _ octets: (toServer: Int, toClient: Int), _ fault: (Int) -> RelayFault
    ) -> [OneWay] {
        [(octets.toServer, true), (octets.toClient, false)].flatMap { total, isUp in
            [1, 5, 6, 100, 400, 900, total / 2, total - 2_000].filter { $0 < total - 100 }.map {
                OneWay(fault: fault($0), isUp: isUp)
            }
        }
    }

    @Test("A wire that stands still ends by the time, on both sides", .timeLimit(.minutes(1)), arguments: ServerCell.all)
    func stall(cell: ServerCell) async throws {
        let short = Duration.milliseconds(150)
        // In the handshake the server waits no longer than its handshakeTimeout; the client then finds the end.
        try await forEach([1, 6, 100]) { point in
            let outcome = try await converse(cell, toServer: .stall(after: point), serverPatience: short, serverHandshake: short)
            expectSound(outcome, "stall at \(point) to the server")
            #expect(outcome.server?.error?.code == .socketTimeout, "\(outcome)")
            #expect(!outcome.client.isEncrypted || cell.version == .tlsV1_3, "\(outcome)")
        }
        try await forEach([0, 1, 6, 100]) { point in
            let outcome = try await converse(cell, toClient: .stall(after: point), handshake: short)
            expectSound(outcome, "stall at \(point) to the client")
            #expect(outcome.client.error?.code == .socketTimeout, "\(outcome)")
        }
        let outcome = try await converse(cell, toClient: .stall(after: 20_000), patience: short)
        expectSound(outcome, "stall in the data")
        #expect(outcome.client.isEncrypted && outcome.client.error?.code == .socketTimeout, "\(outcome)")
    }

    /// Long enough for any handshake. Whoever waits for octets that never come waits so long.
    private static let shortPatience = Duration.milliseconds(400)

    /// A conversation in which a fault may make both ends wait for octets that never come.
    private func converseImpatiently(_ cell: ServerCell, _ way: OneWay) async throws -> Outcome {
        try await converse(
            cell, toServer: way.toServer, toClient: way.toClient, patience: Self.shortPatience, handshake: Self.shortPatience,
            serverPatience: Self.shortPatience, serverHandshake: Self.shortPatience)
    }

    @Test("A turned bit, anywhere", .timeLimit(.minutes(1)), arguments: ServerCell.all)
    func flip(cell: ServerCell) async throws {
        let whole = try await converse(cell).octets
        for (total, isUp) in [(whole.toServer, true), (whole.toClient, false)] {
            let octets = [0, 1, 3, 5, 20, 80, 300, 700, total / 2, total - 3_000].filter { $0 < total - 200 }
            try await forEach(octets) { octet in
                let way = OneWay(fault: .flip(octet: octet, bit: octet % 8), isUp: isUp)
                let outcome = try await converseImpatiently(cell, way)
                expectSound(outcome, "\(way)")
                // What is protected cannot change unnoticed.
                if octet >= total / 2, let victim = isUp ? outcome.server : outcome.client {
                    #expect(victim.error != nil && victim.received.count < Self.message.count, "\(way): \(outcome)")
                }
            }
        }
    }

    @Test("Records left out, repeated and swapped", .timeLimit(.minutes(1)), arguments: ServerCell.all)
    func records(cell: ServerCell) async throws {
        // The first records of application data, in both versions and both directions, are among these.
        let ways = (0...5).flatMap { number in
            [RelayFault.dropRecord(number), .repeatRecord(number), .swapRecords(number)].flatMap { fault in
                [true, false].map { OneWay(fault: fault, isUp: $0) }
            }
        }
        try await forEach(ways) { way in expectSound(try await converseImpatiently(cell, way), "\(way)") }
    }

    @Test("Without close_notify the end is a truncation", .timeLimit(.minutes(1)), arguments: ServerCell.all)
    func withoutCloseNotify(cell: ServerCell) async throws {
        let outcome = try await converse(cell, toClient: .withoutCloseNotify)
        #expect(outcome.client.received == Self.message)
        #expect(outcome.client.error?.code == .truncated, "\(outcome)")
    }
}
