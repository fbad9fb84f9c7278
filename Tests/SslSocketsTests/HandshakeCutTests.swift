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
        // The length of a handshake without what follows it.
        server.options.insert(.disableSessionTickets)
        let bare = try MemoryPipe(client: client, host: identity.host, server: server)
        bare.run()
        let handshake = (isUp ? bare.toServer : bare.toClient).transcript.count
        server.options.remove(.disableSessionTickets)
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
            // Nobody is satisfied before the other's Finished is there.
            let victim = isUp ? pipe.server : pipe.client
            if octets < handshake - Self.leeway { #expect(!victim.isEstablished, "after \(octets) of \(sent) octets") }
        }
    }

    /// By so much signatures differ in length.
    private static let leeway = 8
}
