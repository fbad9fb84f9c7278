internal import Glibc
internal import SslSockets
internal import SslTestKit
internal import TestProcesses
internal import Testing

extension RealPeers {
    /// Resumption with other programs, and by the keys of other programs.
    @Suite struct ResumptionTests {
        private let request = Array("GET /facts HTTP/1.1\r\nHost: \(TestIdentity.defaultHost)\r\nConnection: close\r\n\r\n".utf8)

        /// Connects a client that keeps its sessions so many times; which connections were resumed.
        private func visit(_ cell: Cell, _ files: CertificateFiles, port: UInt16, times: Int, _ request: [UInt8]) async throws
            -> [Bool]
        {
            var configuration = try cell.client(trusting: files.identity)
            configuration.sessionCache = SslSessionCache()
            var resumed: [Bool] = []
            for _ in 0..<times {
                let talk = await Client(port: port, configuration: configuration, drive: .async).talk(request)
                #expect(talk.failure == nil, "\(talk)")
                resumed.append(talk.isResumed)
            }
            return resumed
        }

        @Test(arguments: Cell.all) func weResumeWithOpensslServer(_ cell: Cell) async throws {
            let files = try CertificateFiles(.valid)
            let port = try LocalPort.free()
            let server = try ChildProcess(
                try ProgramPath.find("openssl", package: "openssl"),
                [
                    "s_server", "-accept", "127.0.0.1:\(port)", "-cert", files.leaf, "-cert_chain", files.chain, "-key",
                    files.key,
                    cell.opensslOption, "-www",
                ], input: .pipe)
            try await server.listening(at: port)
            let resumed = try await visit(cell, files, port: port, times: 3, Array("GET / HTTP/1.0\r\n\r\n".utf8))
            #expect(resumed == [false, true, true])
        }

        @Test(arguments: Cell.all) func weResumeWithNginx(_ cell: Cell) async throws {
            let files = try CertificateFiles(.valid)
            let server = try await Nginx(cell, files)
            #expect(try await visit(cell, files, port: server.port, times: 3, request) == [false, true, true])
        }

        @Test(arguments: Cell.all) func opensslClientResumesWithUs(_ cell: Cell) async throws {
            let files = try CertificateFiles(.valid)
            let folder = try ScratchFolder()
            var configuration = try cell.server(showing: files.identity)
            let ring = try SslTicketKeys()
            configuration.ticketKeys = ring
            let server = try await Server(configuration, .reply("good day\n"))
            func connect(_ options: [String]) async throws -> Bool? {
                let result = try await ChildProcess.run(
                    try ProgramPath.find("openssl", package: "openssl"),
                    [
                        "s_client", "-connect", "127.0.0.1:\(server.port)", "-servername", TestIdentity.defaultHost, "-CAfile",
                        files.anchors, "-verify_return_error", "-quiet", cell.opensslOption,
                    ] + options, input: .pipe)
                #expect(result.status == 0 && result.text == "good day\n", "\(result)")
                return await server.nextVisit()?.isResumed
            }
            let session = folder.file("session")
            #expect(try await connect(["-sess_out", session]) == false)
            #expect(try await connect(["-sess_in", session]) == true)
            try ring.rotate()
            #expect(try await connect(["-sess_in", session]) == true)
            try ring.rotate()
            #expect(try await connect(["-sess_in", session]) == false)
        }

        /// A server of ours and an nginx with the same key resume each other's sessions, whatever the client.
        @Test(
            arguments: SslBackends.available, [SslVersion.tls1_2, .tls1_3]
        ) func nginxAndWeShareKeys(_ client: String, _ version: SslVersion) async throws {
            let name = try #require(
                SslBackends.available.first { SslSocket.isFeatureSupported(.interchangeableTickets, backend: $0) })
            let files = try CertificateFiles(.valid)
            let folder = try ScratchFolder()
            for length in [48, 80] {
                var generator = SystemRandomNumberGenerator()
                let key = try folder.write(
                    (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }, to: "key-\(length)")
                _ = unsafe chmod(key, 0o600)
                let cell = Cell(backend: client, version: version)
                let nginx = try await Nginx(cell, files, settings: "ssl_session_ticket_key \(key);")
                var own = try Cell(backend: name, version: version).server(showing: files.identity)
                own.ticketKeys = try SslTicketKeys(paths: [key], format: .nginx)
                let server = try await Server(own, .reply("good day\n"))
                for ports in [[nginx.port, server.port], [server.port, nginx.port]] {
                    var configuration = try cell.client(trusting: files.identity)
                    for (round, port) in ports.enumerated() {
                        let socket = try await Client(port: port, configuration: configuration, drive: .async).connect()
                        #expect(socket.isSessionResumed == (round == 1), "\(length) octets, \(ports)")
                        // Our server says its word and hangs up without having been asked.
                        try? await socket.send(request)
                        while let octets = try? await socket.receive(), !octets.isEmpty {}
                        configuration.sessionTicket = socket.sessionTicket
                        await socket.finish()
                    }
                }
            }
        }
    }
}
