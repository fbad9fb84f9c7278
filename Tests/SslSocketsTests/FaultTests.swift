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
        var client = End()
        var server = End()
        var octets = (toServer: 0, toClient: 0)
        var description: String { "client \(client); server \(server)" }
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
        let result = Lock(End())
        server.onHandshakeFailure { _, error in result.withLock { $0.error = error } }
        try server.listen(host: "127.0.0.1")
        let relay = try FaultRelay(to: server.serverPort, toServer: toServer, toClient: toClient)
        let log = EventLog()
        server.onIncomingConnection { _ in
            log.note("incoming")
            return true
        }
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
        // Whoever has not been accepted by now never will be.
        await server.shutdown(timeout: patience)
        try await run.value
        return Outcome(client: end, server: result.withLock { $0 }, octets: relay.received)
    }

    /// What must hold whatever the wire does.
    private func expectSound(_ outcome: Outcome, _ what: String, location: SourceLocation = #_sourceLocation) {
        for end in [outcome.client, outcome.server] {
            #expect(Self.message.starts(with: end.received), "\(what): wrong octets; \(outcome)", sourceLocation: location)
            let isWhole = end.isEncrypted && end.received.count == Self.message.count
            #expect(
                end.error != nil || isWhole, "\(what): a broken end taken for a proper one; \(outcome)", sourceLocation: location)
        }
    }

    @Test("Without a fault and octet by octet everything arrives", arguments: ServerCell.all)
    func octetwise(cell: ServerCell) async throws {
        for (up, down) in [(nil, nil), (RelayFault.octetwise, nil), (nil, RelayFault.octetwise), (.octetwise, .octetwise)] {
            let outcome = try await converse(cell, toServer: up, toClient: down)
            #expect(outcome.client.received == Self.message && outcome.client.error == nil, "\(outcome)")
            #expect(outcome.server.received == Self.message && outcome.server.error == nil, "\(outcome)")
        }
    }

    @Test("A wire that is cut, anywhere", arguments: ServerCell.all)
    func cut(cell: ServerCell) async throws {
        let whole = try await converse(cell).octets
        for (point, isUp) in Self.points(whole.toServer).map({ ($0, true) }) + Self.points(whole.toClient).map({ ($0, false) }) {
            let fault = RelayFault.cut(after: point)
            let outcome = try await converse(cell, toServer: isUp ? fault : nil, toClient: isUp ? nil : fault)
            let what = "\(fault) to the \(isUp ? "server" : "client")"
            expectSound(outcome, what)
            // The client had not received the end.
            let codes: [SslSocketError.Code] = [.truncated, .network, .remoteHostClosed]
            #expect(codes.contains(outcome.client.error?.code ?? .operation), "\(what): \(outcome)")
            if outcome.client.isEncrypted { #expect(outcome.client.error?.code != .remoteHostClosed, "\(what): \(outcome)") }
        }
    }

    @Test("A wire that is reset, anywhere", arguments: ServerCell.all)
    func reset(cell: ServerCell) async throws {
        let whole = try await converse(cell).octets
        for (point, isUp) in Self.points(whole.toServer).map({ ($0, true) }) + Self.points(whole.toClient).map({ ($0, false) }) {
            let fault = RelayFault.reset(after: point)
            let outcome = try await converse(cell, toServer: isUp ? fault : nil, toClient: isUp ? nil : fault)
            let what = "\(fault) to the \(isUp ? "server" : "client")"
            expectSound(outcome, what)
            // Whoever was sending when it came has used the system's word for it up, and finds the end without close_notify.
            #expect(outcome.client.error?.code == .network || outcome.client.error?.code == .truncated, "\(what): \(outcome)")
        }
    }

    /// Points in the handshake closely, in the data at some places; never the last octets, which are the end itself.
    private static func points(_ total: Int) -> [Int] {
        let handshake = [1, 5, 6, 100, 400, 900]
        return (handshake + [total / 2, total - 2_000]).filter { $0 < total - 100 }
    }

    @Test("A wire that stands still ends by the time, on both sides", arguments: ServerCell.all)
    func stall(cell: ServerCell) async throws {
        let short = Duration.milliseconds(150)
        // In the handshake the server waits no longer than its handshakeTimeout; the client then finds the end.
        for point in [1, 6, 100] {
            let outcome = try await converse(cell, toServer: .stall(after: point), serverPatience: short, serverHandshake: short)
            expectSound(outcome, "stall at \(point) to the server")
            #expect(outcome.server.error?.code == .socketTimeout, "\(outcome)")
            #expect(!outcome.client.isEncrypted || cell.version == .tlsV1_3, "\(outcome)")
        }
        for point in [0, 1, 6, 100] {
            let outcome = try await converse(cell, toClient: .stall(after: point), handshake: short)
            expectSound(outcome, "stall at \(point) to the client")
            #expect(outcome.client.error?.code == .socketTimeout, "\(outcome)")
        }
        let outcome = try await converse(cell, toClient: .stall(after: 20_000), patience: short)
        expectSound(outcome, "stall in the data")
        #expect(outcome.client.isEncrypted && outcome.client.error?.code == .socketTimeout, "\(outcome)")
    }

    @Test("A turned bit, anywhere", arguments: ServerCell.all)
    func flip(cell: ServerCell) async throws {
        let whole = try await converse(cell).octets
        for (total, isUp) in [(whole.toServer, true), (whole.toClient, false)] {
            for octet in [0, 1, 3, 5, 20, 80, 300, 700, total / 2, total - 3_000] where octet < total - 200 {
                let fault = RelayFault.flip(octet: octet, bit: octet % 8)
                // A length that has grown makes the other side wait for octets that never come.
                let patience = Duration.milliseconds(400)
                let outcome = try await converse(
                    cell, toServer: isUp ? fault : nil, toClient: isUp ? nil : fault, patience: patience, serverPatience: patience
                )
                let what = "\(fault) to the \(isUp ? "server" : "client")"
                expectSound(outcome, what)
                // What is protected cannot change unnoticed.
                if octet >= total / 2 {
                    let victim = isUp ? outcome.server : outcome.client
                    #expect(victim.error != nil && victim.received.count < Self.message.count, "\(what): \(outcome)")
                }
            }
        }
    }

    /// The first records of application data, in both versions and both directions, are among these.
    private static let records = 0...5

    @Test("Records left out, repeated and swapped", arguments: ServerCell.all)
    func records(cell: ServerCell) async throws {
        let patience = Duration.milliseconds(400)
        for number in Self.records {
            for fault in [RelayFault.dropRecord(number), .repeatRecord(number), .swapRecords(number)] {
                for isUp in [true, false] {
                    let outcome = try await converse(
                        cell, toServer: isUp ? fault : nil, toClient: isUp ? nil : fault, patience: patience, handshake: patience,
                        serverPatience: patience, serverHandshake: patience)
                    expectSound(outcome, "\(fault) to the \(isUp ? "server" : "client")")
                }
            }
        }
    }

    @Test("Without close_notify the end is a truncation", arguments: ServerCell.all)
    func withoutCloseNotify(cell: ServerCell) async throws {
        let outcome = try await converse(cell, toClient: .withoutCloseNotify)
        #expect(outcome.client.received == Self.message)
        #expect(outcome.client.error?.code == .truncated, "\(outcome)")
    }
}
