import Glibc
import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

/// Directories of certificates in files named by hash.
@Suite("Directories of trusted certificates")
struct TrustDirectoryTests {
    static let backends = SslBackends.available

    private static func pem(_ der: [UInt8]) throws -> String { try SslCertificate(der: der).pem }

    private static func stem(_ certificate: [UInt8], _ backend: any TlsBackend) throws -> String {
        try #require(HashedDirectory.fileStem(of: CertificateFields(certificate).subjectDer, backend: backend))
    }

    private static func configuration(_ backend: any TlsBackend, _ directories: String...) -> SslConfiguration {
        var configuration = SslConfiguration()
        configuration.backend = backend.name
        configuration.usesSystemCaCertificates = false
        configuration.caCertificateDirectories = directories
        return configuration
    }

    private static func verify(_ identity: TestIdentity, _ configuration: SslConfiguration) throws -> [SslErrorCode] {
        let chain = try identity.chain.map { try SslCertificate(der: $0, backend: configuration.backend) }
        return try SslCertificate.verify(chain, hostName: identity.host, configuration: configuration).map(\.code)
    }

    @Test("The name of a file is the hash that OpenSSL computes")
    func hashes() throws {
        func name(_ attributes: [(String, UInt8, [UInt8])]) -> [UInt8] {
            Der.sequence(
                attributes.flatMap { Der.element(0x31, Der.sequence(Der.oid($0.0), Der.element($0.1, $0.2))) })
        }
        let root: [(String, UInt8, [UInt8])] = [
            ("2.5.4.6", 0x13, Array("US".utf8)), ("2.5.4.10", 0x13, Array("Internet Security Research Group".utf8)),
            ("2.5.4.3", 0x13, Array("ISRG Root X1".utf8)),
        ]
        // The same in other cases, blanks and types has the same hash.
        let other: [(String, UInt8, [UInt8])] = [
            ("2.5.4.6", 0x16, Array("us".utf8)), ("2.5.4.10", 0x0C, Array(" internet  SECURITY research Group\t".utf8)),
            ("2.5.4.3", 0x1E, "ISRG Root X1".utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }),
        ]
        for backend in SslBackends.all {
            #expect(HashedDirectory.fileStem(of: name(root), backend: backend) == "4042bcee")
            #expect(HashedDirectory.fileStem(of: name(other), backend: backend) == "4042bcee")
            #expect(HashedDirectory.fileStem(of: [1, 2, 3], backend: backend) == nil)
        }
    }

    @Test("The directory of the system, which OpenSSL made: every file has the name that is looked for")
    func systemDirectory() throws {
        let backend = try #require(SslBackends.all.first)
        var checked = 0
        for der in try backend.systemAnchors() {
            let fields = try CertificateFields(der)
            let found = HashedDirectory.at("/etc/ssl/certs").certificates(
                named: fields.canonicalSubject, encoded: fields.subjectDer, backend: backend)
            checked += found.contains { $0.fields.der == der } ? 1 : 0
        }
        #expect(checked >= 40)
    }

    @Test("A certificate is found when a path needs it, also one that is put in later", arguments: SslBackends.available)
    func onDemand(name: String) throws {
        let backend = try SslBackends.named(name)
        let identity = try TestAuthority.makeRoot("Directory Root").makeIntermediate("Directory Authority").issue()
        let stem = try Self.stem(identity.anchors[0], backend)
        let files = try ScratchFiles()
        let configuration = Self.configuration(backend, files.path)
        let store = try configuration.trustStore()
        #expect(try Self.verify(identity, configuration) == [.unableToGetLocalIssuerCertificate])
        // Another certificate of that hash, and no certificate at all, do no harm.
        try files.write("\(stem).0", Self.pem(TestAuthority.makeRoot("Another").certificate))
        try files.write("\(stem).1", "nothing")
        try files.write("\(stem).2", Self.pem(identity.anchors[0]))
        #expect(try Self.verify(identity, configuration).isEmpty)
        #expect(store.count == 0 && store.certificates.contains(identity.anchors[0]))
        // What was found stays; nothing is read twice.
        let isGone = unsafe unlink("\(files.path)/\(stem).2") == 0
        #expect(isGone)
        #expect(try Self.verify(identity, configuration).isEmpty)
    }

    @Test("Only files named by hash are trusted", arguments: SslBackends.available)
    func otherFiles(name: String) throws {
        let backend = try SslBackends.named(name)
        let identity = try TestAuthority.makeRoot("Loose Root").issue()
        let stem = try Self.stem(identity.anchors[0], backend)
        let files = try ScratchFiles()
        for file in ["root.pem", "\(stem).r0", "\(stem)", "\(stem).0x", "\(stem).1", "0\(stem).0"] {
            try files.write(file, Self.pem(identity.anchors[0]))
        }
        #expect(
            try Self.verify(identity, Self.configuration(backend, files.path)) == [.unableToGetLocalIssuerCertificate])
        #expect(
            try Self.verify(identity, Self.configuration(backend, files.path + "/none")) == [
                .unableToGetLocalIssuerCertificate
            ])
    }

    @Test("Directories are part of what is trusted: in comparisons, and replaced by a list of certificates")
    func values() throws {
        var one = SslConfiguration()
        let two = one
        one.caCertificateDirectories = ["/nowhere"]
        #expect(one != two && one.usesSystemCaCertificates)
        one.setCaCertificates([])
        #expect(one.caCertificateDirectories.isEmpty && !one.usesSystemCaCertificates)
    }
}
