import SslTestKit
import Testing

@testable import SslSockets

/// How application data is cut into records, as the other end sees it.
@Suite("Record sizes")
struct RecordSettingsTests {
    @Test("What is out of range is refused when it is used", arguments: SslBackends.available)
    func range(backend: String) throws {
        var configuration = SslConfiguration()
        configuration.backend = backend
        #expect(configuration.maximumRecordSize == 16_384 && configuration.recordPadding == 0)
        for (size, padding, isGood) in [
            (512, 0, true), (16_384, 16_384, true), (511, 0, false), (16_385, 0, false), (512, -1, false), (512, 16_385, false),
        ] {
            configuration.maximumRecordSize = size
            configuration.recordPadding = padding
            if isGood {
                try configuration.validate(for: .client)
            } else {
                #expect(throws: SslSocketError(.invalidUserData, "")) { try configuration.validate(for: .client) }
            }
        }
    }

    @Test("A configuration chosen by the server name brings its own sizes", arguments: SocketFixture.all)
    func chosen(pair: SocketFixture) throws {
        let identity = try TestCertificates.shared().identity(.valid)
        var small = try identity.configuration(backend: pair.server)
        small.maximumRecordSize = 1024
        small.recordPadding = 256
        let chosen = small
        let client = try PipeEndpoint(
            clientTo: identity.host, configuration: identity.trustingConfiguration(backend: pair.client))
        let server = try PipeEndpoint(server: identity.configuration(backend: pair.server), clientHello: { _ in .use(chosen) })
        let pipe = MemoryPipe(client: client, server: server)
        pipe.run()
        let before = pipe.toClient.transcript.count
        pipe.server.write([UInt8](repeating: 7, count: 2500))
        pipe.run()
        #expect(pipe.client.received == [UInt8](repeating: 7, count: 2500))
        let records = FlightReader(Array(pipe.toClient.transcript.dropFirst(before))).records
        #expect(records.count == 3 && records.last?.content.count == 512 + 16)
        #expect(records.allSatisfy { $0.content.count <= 1024 + 17 })
    }
}
