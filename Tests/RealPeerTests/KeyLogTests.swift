internal import SslSockets
internal import SslTestKit
internal import TestProcesses
internal import Testing

extension RealPeers {
    /// Wireshark's tshark reads connections of ours, given the secrets that we wrote down.
    @Suite struct KeyLogTests {
        /// What tshark finds of HTTP in a connection that was not encrypted for it.
        private func read(_ capture: String, keyLog: String) async throws -> String {
            let tshark = try ProgramPath.find("tshark", package: "tshark")
            let result = try await ChildProcess.run(
                tshark,
                [
                    "-r", capture, "-o", "tls.keylog_file:\(keyLog)", "-Y", "http", "-T", "fields", "-e", "http.request.uri",
                    "-e", "http.response.code",
                ])
            #expect(result.status == 0, "\(result)")
            return result.text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        }

        /// - Parameter role: which end is under test and writes its secrets down; the other is of another backend where there is one.
        @Test(arguments: Cell.all, [SslRole.client, .server]) func tsharkReadsUs(_ cell: Cell, _ role: SslRole) async throws {
            let identity = try TestCertificates.shared().identity(.valid)
            let other = Cell(backend: SslBackends.available.last { $0 != cell.backend } ?? cell.backend, version: cell.version)
            let folder = try ScratchFolder()
            let log = folder.file("keys")
            var client = try (role == .client ? cell : other).client(trusting: identity)
            var server = try (role == .server ? cell : other).server(showing: identity)
            if role == .client { client.keyLogPath = log } else { server.keyLogPath = log }
            var talk = Capture.Recording(
                client: try PipeEndpoint(clientTo: identity.host, configuration: client),
                server: try PipeEndpoint(server: server))
            talk.run()
            talk.client.write(Array("GET /first HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
            talk.run()
            talk.server.write(Array("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi".utf8))
            talk.run()
            if cell.version == .tls1_3 {
                // The secrets that follow from those in the file.
                try talk.client.updateKeys()
                talk.run()
            }
            talk.client.write(Array("GET /second HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
            talk.run()
            talk.server.write(Array("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n".utf8))
            talk.run()
            #expect(talk.client.error == nil && talk.server.error == nil)
            let capture = try folder.write(talk.capture.file, to: "capture.pcap")
            #expect(try await read(capture, keyLog: log) == "/first 200 /second 404")
            // It is the file that makes it legible.
            let empty = try folder.write([], to: "nothing")
            #expect(try await read(capture, keyLog: empty) == "")
        }
    }
}
