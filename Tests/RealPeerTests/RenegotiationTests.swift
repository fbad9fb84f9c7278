internal import SslSockets
internal import SslTestKit
internal import TestProcesses
internal import Testing

extension RealPeers {
    /// Peers that want to renegotiate (TLS 1.2), or new keys (TLS 1.3).
    @Suite struct RenegotiationTests {
        private static let backends = SslBackends.available

        /// What a socket's slots have heard; it lives in the isolation of the socket.
        private final class Log {
            var alerts: [SslAlert] = []
            var updates = 0

            init(_ socket: SslSocket) {
                socket.alertSent.connect { [self] _, alert in alerts.append(alert) }
                socket.keysUpdated.connect { [self] _ in updates += 1 }
            }
        }

        /// Serves one client until its end.
        private func serveOne(_ server: SslServer) async throws -> (alerts: [SslAlert], updates: Int, received: String) {
            let socket = try await server.accept()
            let log = Log(socket)
            var received: [UInt8] = []
            try await socket.send("ready\n")
            while let octets = try? await socket.receive(timeout: .seconds(30)), !octets.isEmpty {
                received += octets
                try await socket.send("heard " + String(decoding: octets, as: UTF8.self))
            }
            socket.abort()
            return (log.alerts, log.updates, String(decoding: received, as: UTF8.self))
        }

        private func client(of server: SslServer, _ cell: Cell, _ files: CertificateFiles) throws -> ChildProcess {
            try ChildProcess(
                ProgramPath.find("openssl", package: "openssl"),
                ["s_client", "-connect", "127.0.0.1:\(server.serverPort)", "-CAfile", files.anchors, cell.opensslOption],
                input: .pipe)
        }

        @Test(arguments: backends) func aClientAsks(_ backend: String) async throws {
            let cell = Cell(backend: backend, version: .tls1_2)
            let files = try CertificateFiles(.valid)
            let server = SslServer(configuration: try cell.server(showing: files.identity))
            try server.listen(host: "127.0.0.1")
            async let visit = serveOne(server)
            let client = try client(of: server, cell, files)
            try await client.output(containing: "ready")
            try await client.write("before\n")
            // It takes for a command only what begins a line and a read.
            try await client.output(containing: "heard before")
            try await client.write("R\n")
            let result = try await client.result()
            // It takes the refusal for fatal, and says so.
            #expect((result.text + result.errorText).contains("no renegotiation"), "\(result)")
            let seen = try await visit
            #expect(seen.alerts.first == SslAlert(.warning, .noRenegotiation), "\(seen)")
            #expect(seen.received == "before\n")
            server.close()
        }

        @Test(arguments: backends) func aServerAsks(_ backend: String) async throws {
            let cell = Cell(backend: backend, version: .tls1_2)
            let files = try CertificateFiles(.valid)
            let port = try LocalPort.free()
            let server = try ChildProcess(
                ProgramPath.find("openssl", package: "openssl"),
                [
                    "s_server", "-accept", "127.0.0.1:\(port)", "-cert", files.leaf, "-cert_chain", files.chain, "-key",
                    files.key, cell.opensslOption,
                ], input: .pipe)
            try await server.listening(at: port)
            let socket = try await Client(port: port, configuration: cell.client(trusting: files.identity), drive: .async)
                .connect()
            let log = Log(socket)
            try await server.output(containing: "CIPHER is")
            try await server.write("before\n")
            var received = try await socket.receive(timeout: .seconds(30))
            try await server.write("r\n")
            while let octets = try? await socket.receive(timeout: .seconds(30)), !octets.isEmpty { received += octets }
            #expect(String(decoding: received, as: UTF8.self) == "before\n")
            #expect(log.alerts.first == SslAlert(.warning, .noRenegotiation), "\(log.alerts)")
        }

        @Test(arguments: backends) func aClientWantsNewKeys(_ backend: String) async throws {
            let cell = Cell(backend: backend, version: .tls1_3)
            let files = try CertificateFiles(.valid)
            let server = SslServer(configuration: try cell.server(showing: files.identity))
            try server.listen(host: "127.0.0.1")
            async let visit = serveOne(server)
            let client = try client(of: server, cell, files)
            try await client.output(containing: "ready")
            // It asks us to follow.
            try await client.write("K\n")
            try await client.output(containing: "KEYUPDATE")
            try await client.write("between\n")
            try await client.output(containing: "heard between")
            try await client.write("Q\n")
            let result = try await client.result()
            #expect(result.status == 0, "\(result)")
            let seen = try await visit
            #expect(seen.updates == 1 && seen.received == "between\n", "\(seen)")
            server.close()
        }
    }
}
