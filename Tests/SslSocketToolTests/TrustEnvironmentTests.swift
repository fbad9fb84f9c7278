internal import SslBackend
internal import SslTestKit
internal import TestProcesses
internal import Testing

@testable internal import SslSockets

/// `SSL_CERT_FILE` and `SSL_CERT_DIR` replace the system's store on every backend.
@Suite struct TrustEnvironmentTests {
    private static func verify(
        _ backend: String, _ files: CertificateFiles, _ environment: [String: String]
    ) async throws -> ProcessResult {
        try await Tool.run(
            ["cert", "verify", "--backend", backend, "--leaf", files.chain, "--name", "dns:\(files.identity.host)"],
            // What the tests run with is no part of them.
            environment: ["SSL_CERT_FILE": "", "SSL_CERT_DIR": ""].merging(environment) { $1 })
    }

    @Test(arguments: Tool.backends) func aFileReplacesTheSystemsStore(_ backend: String) async throws {
        let files = try CertificateFiles(.valid)
        #expect(try await Self.verify(backend, files, [:]).text.hasPrefix("REJECT\nUnableToGetLocalIssuerCertificate"))
        let trusting = try await Self.verify(backend, files, ["SSL_CERT_FILE": files.anchors])
        #expect(trusting.status == 0 && trusting.text == "ACCEPT\n", "\(trusting)")
        // The system's own are not trusted besides: a store without the right one is no help.
        let other = try CertificateFiles(.selfSigned)
        #expect(try await Self.verify(backend, files, ["SSL_CERT_FILE": other.leaf]).status == 1)
    }

    @Test(arguments: Tool.backends) func aDirectoryIsLookedIntoByHash(_ backend: String) async throws {
        let files = try CertificateFiles(.valid)
        let folder = try ScratchFolder()
        let root = files.identity.anchors[0]
        let stem = HashedDirectory.fileStem(
            of: try CertificateFields(root).subjectDer, backend: try SslBackends.named(backend))
        _ = try folder.write(SslCertificate(der: root).pem, to: "\(try #require(stem)).0")
        let trusting = try await Self.verify(backend, files, ["SSL_CERT_DIR": "/nonexistent:" + folder.path])
        #expect(trusting.status == 0 && trusting.text == "ACCEPT\n", "\(trusting)")
    }

    @Test(arguments: Tool.backends) func nothingThereIsAnError(_ backend: String) async throws {
        let files = try CertificateFiles(.valid)
        let folder = try ScratchFolder()
        let result = try await Self.verify(backend, files, ["SSL_CERT_DIR": folder.path])
        #expect(result.status > 1 && result.errorText.contains("SSL_CERT_DIR"), "\(result)")
    }
}
