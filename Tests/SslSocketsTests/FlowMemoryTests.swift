import Glibc
import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

/// The memory that a connection needs, in a process where nothing else happens.
@Suite("Flow: memory")
struct FlowMemoryTests {
    @Test("A fast sender and a slow reader need constant memory", arguments: DeviceCell.all)
    func constantMemory(cell: DeviceCell) async throws {
        let client = cell.fixture.client
        let server = cell.fixture.server
        let version = cell.version.map { $0 == .tlsV1_3 ? 13 : 12 } ?? 0
        await #expect(processExitsWith: .success) {
            [client = client as String, server = server as String, version = version as Int] in
            let fixture = SocketFixture(client: client, server: server)
            let cell = DeviceCell(fixture: fixture, version: version == 0 ? nil : version == 13 ? .tlsV1_3 : .tlsV1_2)
            try await FlowMemoryTests.transfer(cell)
        }
    }

    private static func transfer(_ cell: DeviceCell) async throws {
        let total = 60_000_000
        let piece = [UInt8](repeating: 6, count: 1_000_000)
        let pair = try await SocketPair(cell)
        let client = pair.client
        client.readBufferSize = 100_000
        nonisolated(unsafe) let server = pair.server
        let sending = Task {
            var most = 0
            unsafe server.bytesWritten.connect { socket, _ in most = max(most, socket.bytesToWrite + socket.encryptedBytesToWrite)
            }
            for _ in 0..<(total / piece.count) { try await unsafe server.send(piece) }
            return most
        }
        var got = 0
        var start = 0
        while got < total {
            got += try await client.receive(upTo: 10_000).count
            try #require(client.bytesAvailable <= 100_000)
            if start == 0, got > total / 10 { start = residentOctets() }
        }
        let most = try await sending.value
        #expect(most <= SocketOutput.limit + 2 * TlsConnection.longestRecord)
        #expect(start > 0 && residentOctets() - start < 4_000_000)
    }

    /// The memory of this process that is in use, in octets.
    private static func residentOctets() -> Int {
        guard let file = unsafe fopen("/proc/self/statm", "r") else { return 0 }
        defer { unsafe fclose(file) }
        var text = [CChar](repeating: 0, count: 128)
        guard unsafe fgets(&text, 128, file) != nil else { return 0 }
        let fields = String(decoding: text.map { UInt8(bitPattern: $0) }.prefix { $0 != 0 }, as: UTF8.self).split(separator: " ")
        return fields.count > 1 ? (Int(fields[1]) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE))) : 0
    }
}
