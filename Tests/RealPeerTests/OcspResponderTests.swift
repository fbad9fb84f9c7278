internal import SslBackend
internal import SslSockets
internal import SslTestKit
internal import TestProcesses
internal import Testing

/// The responder of OpenSSL over HTTP, for the certificates below the test kit's intermediate.
private struct OcspResponder {
    private let folder = try? ScratchFolder()
    private let process: ChildProcess
    private let port: UInt16
    private let request: [UInt8]

    /// One that calls the certificate good, or revoked.
    init(_ files: CertificateFiles, isRevoked: Bool = false) async throws {
        let openssl = try ProgramPath.find("openssl", package: "openssl")
        let folder = try #require(folder)
        let authority = try TestCertificates.shared().intermediate
        let issuer = try folder.write(SslCertificate(der: authority.certificate).pem, to: "ca.pem")
        let key = try SslKey(authority.key.pkcs8(), format: .der, backend: authority.backend.name)
        let keyFile = try folder.write(key.pem, to: "ca.key")
        try Self.writeIndex(folder, files, isRevoked: isRevoked)
        let asked = try await ChildProcess.run(
            openssl, ["ocsp", "-issuer", issuer, "-cert", files.leaf, "-no_nonce", "-reqout", folder.file("request")])
        request = try #require(folder.read("request"), "\(asked)")
        port = try LocalPort.free()
        process = try ChildProcess(
            openssl,
            [
                "ocsp", "-index", folder.file("index.txt"), "-port", "\(port)", "-rsigner", issuer, "-rkey", keyFile, "-CA",
                issuer, "-nmin", "10",
            ])
        try await process.listening(at: port)
    }

    /// OpenSSL's list of certificates: state, end, time of revocation, serial number, file, subject.
    private static func writeIndex(_ folder: ScratchFolder, _ files: CertificateFiles, isRevoked: Bool) throws {
        let certificate = try SslCertificate(der: try #require(files.identity.chain.first))
        let serial = certificate.serialNumber.map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }.joined()
        let line = [
            isRevoked ? "R" : "V", "491231235959Z", isRevoked ? "200101000000Z,superseded" : "", serial, "unknown", "/CN=x",
        ]
        try folder.write(line.joined(separator: "\t") + "\n", to: "index.txt")
    }

    /// Asks it, as RFC 6960 appendix A says.
    func ask() async throws -> [UInt8] {
        let socket = SslSocket()
        socket.connectToHost("127.0.0.1", port: port)
        guard await socket.waitForConnected() else { throw try #require(socket.error) }
        let head =
            "POST / HTTP/1.0\r\nHost: 127.0.0.1\r\nContent-Type: application/ocsp-request\r\nContent-Length: \(request.count)\r\n\r\n"
        try await socket.send(Array(head.utf8) + request)
        var answer: [UInt8] = []
        while true {
            let octets = try await socket.receive(timeout: .seconds(30))
            if octets.isEmpty { break }
            answer += octets
        }
        let end = try #require(answer.firstRange(of: Array("\r\n\r\n".utf8)))
        return Array(answer[end.upperBound...])
    }
}

extension RealPeers {
    /// A stapler that asks a responder.
    @Suite struct OcspResponderTests {
        @Test(arguments: Cell.all) func whatTheResponderSaysIsStapled(_ cell: Cell) async throws {
            let files = try CertificateFiles(.valid)
            let responder = try await OcspResponder(files)
            let stapler = SslOcspStapler { try await responder.ask() }
            try await stapler.refresh()
            var configuration = try cell.server(showing: files.identity)
            configuration.credentials[0].stapler = stapler
            let server = try await Server(configuration, .echo(5))
            var insisting = try cell.client(trusting: files.identity)
            insisting.ocspStaplingEnabled = true
            let client = Client(port: server.port, configuration: insisting, drive: .async)
            let greeting = Array("hello".utf8)
            let good = await client.talk(greeting, length: 5)
            #expect(good.failure == nil && good.text == "hello", "\(good)")
            // The same server, which nobody starts again.
            let revoking = try await OcspResponder(files, isRevoked: true)
            try await stapler.update(revoking.ask())
            let revoked = await client.talk(greeting, length: 5)
            #expect(revoked.errors == [.certificateRevoked] && revoked.failure?.alert == .certificateRevoked, "\(revoked)")
        }
    }
}
