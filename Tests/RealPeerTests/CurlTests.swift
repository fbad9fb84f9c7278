internal import SslSockets
internal import SslTestKit
internal import TestProcesses
internal import Testing

extension RealPeers {
    /// curl to our server, with either TLS library.
    @Suite struct CurlTests {
        @Test(arguments: Curl.allCases) func theFlavoursAreWhatTheyAreTakenFor(_ curl: Curl) async throws {
            #expect(try await curl.version().contains(curl.rawValue))
        }

        @Test(arguments: Curl.allCases, Cell.all) func sixtyFourMebibytesDown(_ curl: Curl, _ cell: Cell) async throws {
            let payload = try await Payload.shared()
            let files = try CertificateFiles(.valid)
            let folder = try ScratchFolder()
            let server = try await Server(cell.server(showing: files.identity, alpn: ["http/1.1"]), .http(folder: folder))
            let transfer = Curl.Transfer(cell: cell, port: server.port, anchors: files.anchors, output: folder.file("received"))
            let result = try await curl.run(transfer)
            #expect(result.status == 0, "\(result)")
            let visit = await server.nextVisit()
            #expect(visit?.version == cell.version && visit?.alpn == "http/1.1" && visit?.serverName == TestIdentity.defaultHost)
            #expect(try await Checksum.sha256(ofFile: folder.file("received")) == payload.checksum)
        }

        @Test(arguments: Curl.allCases, Cell.all) func sixtyFourMebibytesUp(_ curl: Curl, _ cell: Cell) async throws {
            let payload = try await Payload.shared()
            let files = try CertificateFiles(.rsa)
            let folder = try ScratchFolder()
            let server = try await Server(cell.server(showing: files.identity), .http(folder: folder))
            let result = try await curl.run(
                Curl.Transfer(
                    cell: cell, port: server.port, anchors: files.anchors, output: folder.file("answer"), upload: payload.path))
            #expect(result.status == 0, "\(result)")
            #expect(folder.read("answer") == Array("stored\n".utf8))
            #expect(try await Checksum.sha256(ofFile: folder.file("uploaded")) == payload.checksum)
        }

        @Test(arguments: Curl.allCases, Cell.all) func mutualAuthentication(_ curl: Curl, _ cell: Cell) async throws {
            let files = try CertificateFiles(.valid)
            let certificate = try CertificateFiles(.client)
            let folder = try ScratchFolder()
            let server = try await Server(
                cell.server(showing: files.identity, clients: certificate.identity), .http(folder: folder))
            var transfer = Curl.Transfer(cell: cell, port: server.port, anchors: files.anchors, output: folder.file("received"))
            let without = try await curl.run(transfer)
            #expect(without.status != 0, "\(without)")
            transfer.certificate = certificate
            let shown = try await curl.run(transfer)
            #expect(shown.status == 0, "\(shown)")
            #expect(await server.nextVisit()?.client == "Test Client")
        }

        @Test(arguments: Curl.allCases, Cell.all) func itRefusesUs(_ curl: Curl, _ cell: Cell) async throws {
            let files = try CertificateFiles(.wrongName)
            let folder = try ScratchFolder()
            let server = try await Server(cell.server(showing: files.identity), .http(folder: folder))
            let result = try await curl.run(
                Curl.Transfer(cell: cell, port: server.port, anchors: files.anchors, output: folder.file("received")))
            // CURLE_PEER_FAILED_VERIFICATION
            #expect(result.status == 60, "\(result)")
        }
    }
}
