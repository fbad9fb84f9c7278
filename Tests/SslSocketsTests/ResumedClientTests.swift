import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

/// A resumed session shows no certificate anew: a server whose demands have grown since must not be content with the old ones.
@Suite("Resumption by clients of a server that has changed")
struct ResumedClientTests {
    private static let usages = [SslPurpose.clientAuthentication.objectIdentifier]

    /// What a server demands of its clients.
    enum Demand: String, CaseIterable, Sendable {
        /// A certificate that is good.
        case verify
        /// The same, and nobody is asked about clients without one.
        case require
        /// Any certificate at all.
        case requireAny

        func apply(_ configuration: inout SslConfiguration) {
            configuration.peerVerifyMode = self == .requireAny ? .queryPeer : .verifyPeer
            configuration.missingCertificateIsFatal = self != .verify
        }
    }

    /// Two connections in a row, the second with the ticket of the first, to a server that has been changed in between.
    private static func reconnect(
        _ cell: ServerCell, client shown: TestIdentity?, server: (inout SslConfiguration) throws -> Void,
        change: (_ client: inout SslConfiguration, _ server: inout SslConfiguration) throws -> Void
    ) throws -> (first: MemoryPipe, second: MemoryPipe) {
        let identity = try TestCertificates.shared().identity(.valid)
        var configuration = try identity.configuration(backend: cell.pair.server)
        configuration.caCertificates = try identity.anchorCertificates(backend: cell.pair.server)
        try server(&configuration)
        var client = try identity.trustingConfiguration(backend: cell.pair.client)
        client.protocol = cell.version
        if let shown { client.credentials = [try shown.credentials(backend: cell.pair.client)] }
        let first = try MemoryPipe(client: client, host: identity.host, server: configuration)
        #expect(first.converse([1, 2, 3]), "\(SideReport(first.client).summary) | \(SideReport(first.server).summary)")
        client.sessionTicket = first.client.tickets.last
        #expect(client.sessionTicket != nil)
        try change(&client, &configuration)
        let second = try MemoryPipe(client: client, host: identity.host, server: configuration)
        second.converse([1, 2, 3])
        return (first, second)
    }

    private static func expectRefused(_ pipe: MemoryPipe, _ location: SourceLocation = #_sourceLocation) {
        let report = SideReport(pipe.server)
        #expect(!pipe.server.isEstablished && pipe.server.error != nil, "\(report.summary)", sourceLocation: location)
        #expect(pipe.server.received.isEmpty && pipe.client.received.isEmpty, "\(report.summary)", sourceLocation: location)
        #expect(pipe.client.error != nil, "\(SideReport(pipe.client).summary)", sourceLocation: location)
    }

    @Test("A session without a certificate does not serve where one is demanded", arguments: ServerCell.all, Demand.allCases)
    func withoutCertificate(cell: ServerCell, demand: Demand) throws {
        for mode in [SslPeerVerifyMode.verifyNone, .queryPeer, .autoVerifyPeer] {
            let (_, second) = try Self.reconnect(cell, client: nil) {
                $0.peerVerifyMode = mode
            } change: {
                demand.apply(&$1)
            }
            Self.expectRefused(second)
            // Nobody accepts such a client by name either: the verdict is asked for as in a full handshake, or the engine refuses.
            if demand == .verify { #expect(second.server.connection.peerErrors.map(\.code) == [.noPeerCertificate]) }
        }
    }

    @Test("A session of a certificate that was tolerated does not serve where it has to be good", arguments: ServerCell.all)
    func toleratedCertificate(cell: ServerCell) throws {
        let shown = try TestCertificates.shared().identity(.untrustedClient)
        let (first, second) = try Self.reconnect(cell, client: shown) {
            $0.peerVerifyMode = .queryPeer
        } change: {
            $1.peerVerifyMode = .verifyPeer
        }
        #expect(first.server.connection.peerErrors.map(\.code) == [.unableToGetLocalIssuerCertificate])
        Self.expectRefused(second)
        #expect(second.server.connection.peerErrors.map(\.code) == [.unableToGetLocalIssuerCertificate])
    }

    @Test(
        "A session of a certificate that was good does not serve where its authority is trusted no more",
        arguments: ServerCell.all)
    func lostTrust(cell: ServerCell) throws {
        let shown = try TestCertificates.shared().identity(.client)
        let (first, second) = try Self.reconnect(cell, client: shown) {
            $0.peerVerifyMode = .verifyPeer
        } change: {
            let other = try TestAuthority.makeRoot("Test Other Client Root").certificate
            $1.caCertificates = [try SslCertificate(der: other, backend: cell.pair.server)]
        }
        #expect(first.server.connection.peerErrors.isEmpty)
        Self.expectRefused(second)
    }

    @Test("A client that has its certificate no more does not offer the session it got with it", arguments: ServerCell.all)
    func certificateLaidDown(cell: ServerCell) throws {
        let shown = try TestCertificates.shared().identity(.client)
        let (first, second) = try Self.reconnect(cell, client: shown) {
            $0.peerVerifyMode = .verifyPeer
        } change: { client, _ in
            client.credentials = []
        }
        #expect(first.server.connection.peerCertificates.map(\.der) == shown.chain)
        Self.expectRefused(second)
    }

    @Test("A server that asks no more lets everybody in, with a certificate and without", arguments: ServerCell.all)
    func nothingDemanded(cell: ServerCell) throws {
        let shown = try TestCertificates.shared().identity(.client)
        for client in [shown, nil] {
            let (_, second) = try Self.reconnect(cell, client: client) {
                $0.peerVerifyMode = client == nil ? .queryPeer : .verifyPeer
            } change: {
                $1.peerVerifyMode = .verifyNone
            }
            #expect(second.server.error == nil && second.server.received == [1, 2, 3], "\(SideReport(second.server).summary)")
        }
    }
}
