import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

/// A certificate as a value: what it says, and how it is read and written.
@Suite("Certificates as values")
struct CertificateValueTests {
    /// A certificate with a bit of everything.
    private static func make() throws -> (authority: TestAuthority, identity: TestIdentity, serial: [UInt8]) {
        let authority = try TestAuthority.makeRoot("Value Root")
        let serial: [UInt8] = [0x4A, 0xBC, 0xDE, 0xF0, 0x12, 0x34, 0x56, 0x78, 0x9A, 0xBC, 0xDE, 0xF0, 1, 2, 3, 4, 5, 6, 7, 8]
        let identity = try authority.issue(TestAuthority.Leaf(commonName: "First Name")) { template in
            template.serialNumber = serial
            template.subject = [
                SslNameAttribute(oid: "2.5.4.6", value: "DE"), SslNameAttribute(oid: "2.5.4.10", value: "Müller & Söhne"),
                SslNameAttribute(oid: "2.5.4.3", value: "First Name"), SslNameAttribute(oid: "2.5.4.3", value: "Second Name"),
            ]
        }
        return (authority, identity, serial)
    }

    @Test("What a certificate says", arguments: SslBackends.available)
    func facts(backend: String) throws {
        let (authority, identity, serial) = try Self.make()
        let certificate = try SslCertificate(der: identity.chain[0], backend: backend)
        let root = try SslCertificate(der: authority.certificate, backend: backend)
        #expect(certificate.version == 3)
        #expect(certificate.serialNumber == serial)
        #expect(certificate.subjectInfo("2.5.4.3") == ["First Name", "Second Name"])
        #expect(certificate.subjectInfo("2.5.4.10") == ["Müller & Söhne"])
        #expect(certificate.subjectInfo("2.5.4.7").isEmpty)
        #expect(certificate.issuerInfo("2.5.4.3") == ["Value Root"])
        #expect(certificate.issuerInfo("2.5.4.6").isEmpty)
        #expect(Set(certificate.subject.map(\.oid)) == ["2.5.4.6", "2.5.4.10", "2.5.4.3"])
        #expect(certificate.issuer == [SslNameAttribute(oid: "2.5.4.3", value: "Value Root")])
        #expect(certificate.subjectDisplayName == "First Name" && certificate.issuerDisplayName == "Value Root")
        #expect("\(certificate)" == "First Name")
        #expect(
            certificate.effectiveDate == authority.validity.lowerBound && certificate.expiryDate == authority.validity.upperBound)
        #expect(certificate.alternativeNames == [.dns(Array(TestIdentity.defaultHost.utf8))])
        #expect(certificate.keyAlgorithm == .ec && certificate.keyBits == 256)
        #expect(certificate.publicKeyInfo == identity.key.publicKeyInfo)
        #expect(!certificate.isSelfSigned && root.isSelfSigned)
        #expect(certificate.text().contains("First Name"))
    }

    @Test("The display name is the common name, or else the organisation", arguments: SslBackends.available)
    func displayName(backend: String) throws {
        let authority = try TestAuthority.makeRoot("Value Root")
        let identity = try authority.issue { template in
            template.subject = [
                SslNameAttribute(oid: "2.5.4.6", value: "DE"), SslNameAttribute(oid: "2.5.4.10", value: "Organisation"),
            ]
        }
        #expect(try SslCertificate(der: identity.chain[0], backend: backend).subjectDisplayName == "Organisation")
    }

    @Test("Digests are those of the DER form, SHA-256 unless told otherwise", arguments: SslBackends.available)
    func digest(backend: String) throws {
        let (_, identity, _) = try Self.make()
        let certificate = try SslCertificate(der: identity.chain[0], backend: backend)
        let engine = try SslBackends.named(backend)
        #expect(certificate.digest() == certificate.digest(.sha256))
        for (hash, size) in [(SslHash.sha1, 20), (.sha256, 32), (.sha384, 48), (.sha512, 64)] {
            let digest = try #require(certificate.digest(hash))
            #expect(digest.count == size)
            #expect(digest == engine.digest(certificate.der, hash))
        }
    }

    @Test("PEM and DER are read and written back the same", arguments: SslBackends.available)
    func encodings(backend: String) throws {
        let (authority, identity, _) = try Self.make()
        let certificate = try SslCertificate(der: identity.chain[0], backend: backend)
        let root = try SslCertificate(der: authority.certificate, backend: backend)
        #expect(certificate.der == identity.chain[0])
        #expect(
            certificate.pem.hasPrefix("-----BEGIN CERTIFICATE-----\n") && certificate.pem.hasSuffix("-----END CERTIFICATE-----\n")
        )
        #expect(try SslCertificate(pem: certificate.pem, backend: backend) == certificate)
        #expect(try SslCertificate(pem: certificate.pem, backend: backend).pem == certificate.pem)
        #expect(try SslCertificate(certificate.der, format: .der, backend: backend) == certificate)
        let both = "text before\n\(certificate.pem)between\n\(root.pem)after"
        #expect(try SslCertificate.certificates(Array(both.utf8), backend: backend) == [certificate, root])
        #expect(try SslCertificate(Array(both.utf8), backend: backend) == certificate)
        #expect(try SslCertificate.certificates(Array("no certificate".utf8), backend: backend).isEmpty)
        let files = try ScratchFiles()
        let file = try files.write("both.pem", both)
        #expect(try SslCertificate.certificates(fromFile: file, backend: backend) == [certificate, root])
    }

    @Test("Garbage is refused in both forms", arguments: SslBackends.available)
    func garbage(backend: String) {
        let noise = (0..<300).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) }
        for format in [SslEncodingFormat.pem, .der] {
            for bytes in [noise, [], Array("-----BEGIN CERTIFICATE-----\n".utf8), [0x30, 0x82, 0xFF, 0xFF]] {
                #expect(throws: SslSocketError(.invalidUserData, "")) {
                    try SslCertificate(bytes, format: format, backend: backend)
                }
            }
        }
    }

    @Test("Certificates are equal when their octets are, on whatever backend, and hash alike")
    func equality() throws {
        let (authority, identity, _) = try Self.make()
        let copies = try SslBackends.available.map { try SslCertificate(der: identity.chain[0], backend: $0) }
        let root = try SslCertificate(der: authority.certificate)
        for copy in copies {
            #expect(copy == copies[0] && copy.hashValue == copies[0].hashValue)
            #expect(copy != root)
        }
        #expect(Set(copies + [root]).count == 2)
    }
}
