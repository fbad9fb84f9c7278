import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

/// A stream that ends after each octet of each flight in turn. Nobody may hang, take it for a proper end, or be satisfied with half a handshake.
@Suite("Handshakes that are cut")
struct HandshakeCutTests {
    @Test(
        "A stream that ends after any octet of any flight is a truncation for both ends", .timeLimit(.minutes(2)),
        arguments: ServerCell.all, [true, false])
    func everywhere(cell: ServerCell, isUp: Bool) throws {
        // One certificate, so that the flight is short.
        var identity = try TestCertificates.shared().identity(.leafAnchor)
        identity.chain = [identity.chain[0]]
        var client = try identity.trustingConfiguration(backend: cell.pair.client)
        client.protocol = cell.version
        var server = try identity.configuration(backend: cell.pair.server)
        server.peerVerifyMode = .verifyNone
        func pipe(cutAfter octets: Int?) throws -> (pipe: MemoryPipe, sent: Int) {
            let pipe = try MemoryPipe(client: client, host: identity.host, server: server)
            if isUp { pipe.toServer.faults.cutAfter = octets } else { pipe.toClient.faults.cutAfter = octets }
            pipe.run()
            return (pipe, (isUp ? pipe.toServer : pipe.toClient).transcript.count)
        }
        let (whole, length) = try pipe(cutAfter: nil)
        #expect(whole.client.isEstablished && whole.server.isEstablished)
        for octets in 0...length {
            let (pipe, sent) = try pipe(cutAfter: octets)
            // A signature may be some octets shorter than the first one was.
            if sent < octets { continue }
            for (name, end) in [("client", pipe.client), ("server", pipe.server)] {
                let isSound = end.error?.code == .truncated && !end.isClosedByPeer && end.received.isEmpty
                #expect(isSound, "after \(octets) of \(sent) octets the \(name) has \(SideReport(end).summary)")
            }
            // What an end has to have before it may be established: the other's Finished, which ends its flight.
            let victim = isUp ? pipe.server : pipe.client
            if octets < Self.octetsOfHandshake(whole, isUp: isUp) - Self.leeway {
                #expect(!victim.isEstablished, "after \(octets) of \(sent) octets")
            }
        }
    }

    /// By so much signatures differ in length.
    private static let leeway = 8

    /// How many octets one end sends up to its Finished. A ticket may follow it: in TLS 1.3 the client needs none, so that only octets before it
    /// count; in TLS 1.2 it stands before the Finished.
    private static func octetsOfHandshake(_ pipe: MemoryPipe, isUp: Bool) -> Int {
        let transcript = isUp ? pipe.toServer.transcript : pipe.toClient.transcript
        let isTls13 = pipe.client.connection.facts.version == .tls1_3
        guard isTls13, !isUp else { return transcript.count }
        // The last records are tickets, all of them after the Finished.
        return transcript.count - pipe.client.tickets.count * 1024
    }
}
