internal import SslBackend
internal import SslSockets
internal import SslTestKit
internal import Testing

/// Certificates as the contract wants them: what is issued is what was asked for, and the same octets say the same on every backend.
@Suite("Certificates of a backend")
struct CertificateContractTests {
    /// Everything a certificate says, in one comparable list.
    private func facts(_ certificate: any X509Certificate) -> [String: String] {
        var facts: [String: String] = [
            "version": "\(certificate.version)", "serial": "\(certificate.serialNumber)",
            "subjectDer": "\(certificate.subjectDer)",
            "issuerDer": "\(certificate.issuerDer)", "subject": "\(certificate.subject)", "issuer": "\(certificate.issuer)",
            "notBefore": "\(String(describing: certificate.notBefore))",
            "notAfter": "\(String(describing: certificate.notAfter))",
            "names": "\(String(describing: certificate.alternativeNames))",
            "extendedKeyUsage": "\(String(describing: certificate.extendedKeyUsage))",
            "keyUsage": "\(String(describing: certificate.keyUsage))",
            "basicConstraints": "\(String(describing: certificate.basicConstraints))",
            "subjectKeyIdentifier": "\(String(describing: certificate.subjectKeyIdentifier))",
            "authorityKeyIdentifier": "\(String(describing: certificate.authorityKeyIdentifier))",
            "publicKeyInfo": "\(certificate.publicKeyInfo)", "keyAlgorithm": "\(certificate.keyAlgorithm)",
            "keyBits": "\(certificate.keyBits)", "signatureAlgorithm": certificate.signatureAlgorithm,
            "extensions": "\(certificate.extensions)", "isSelfIssued": "\(certificate.isSelfIssued)",
        ]
        for hash in SslHash.allCases { facts["digest \(hash)"] = "\(String(describing: certificate.digest(hash)))" }
        return facts
    }

    @Test("The same octets say the same on every backend", arguments: BackendUnderTest.all, TestCertificate.allCases)
    func agreement(_ issuer: BackendUnderTest, _ kind: TestCertificate) throws {
        let identity = try issuer.certificates().identity(kind)
        for der in identity.chain + identity.anchors {
            var reference: [String: String]?
            for reader in BackendUnderTest.all {
                let certificate = try reader.backend.makeCertificate(der: der)
                #expect(certificate.der == der)
                #expect(!certificate.text().isEmpty)
                let said = facts(certificate)
                if let reference {
                    for (key, value) in said where reference[key] != value {
                        Issue.record(
                            "\(reader.testDescription) reads \(key) as \(value), the first backend as \(reference[key] ?? "nothing")"
                        )
                    }
                }
                reference = reference ?? said
            }
        }
    }

    @Test("What is issued is what was asked for", arguments: BackendUnderTest.all)
    func template(_ one: BackendUnderTest) throws {
        let start = try #require(SslInstant(year: 2024, month: 2, day: 29, hour: 1, minute: 2, second: 3))
        let end = try #require(SslInstant(year: 2051, month: 12, day: 31, hour: 23, minute: 59, second: 59))
        let subject = [
            SslNameAttribute(oid: "2.5.4.6", value: "DE"), SslNameAttribute(oid: "2.5.4.10", value: "Bücher & Söhne"),
            SslNameAttribute(oid: "2.5.4.3", value: "one"), SslNameAttribute(oid: "2.5.4.3", value: "two"),
        ]
        var template = SslCertificateTemplate(subject: subject, serialNumber: [0x7F, 1, 2, 3], notBefore: start, notAfter: end)
        let names: [SslAlternativeName] = [
            .dns(Array("a.example.test".utf8)), .ipAddress([192, 0, 2, 1]), .email(Array("a@example.test".utf8)),
            .uri(Array("https://example.test/".utf8)), .ipAddress([UInt8](repeating: 0xFE, count: 16)),
            .dns(Array("*.b.test".utf8)),
        ]
        template.alternativeNames = names
        template.basicConstraints = SslBasicConstraints(isAuthority: true, pathLength: 3)
        template.keyUsage = [.digitalSignature, .certificateSigning, .decipherOnly]
        template.extendedKeyUsage = ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.9", "1.2.3.4.5"]
        template.hash = .sha384
        let own = SslCertificateExtension(oid: "1.2.3.4", isCritical: false, value: [4, 2, 1, 2])
        template.extensions = [own]
        let key = try one.backend.generateKey(.ec(.secp256r1))
        let certificate = try one.backend.makeCertificate(der: CertificateWriter.issue(template, key: key, issuer: nil))
        #expect(certificate.version == 3)
        #expect(certificate.serialNumber == [0x7F, 1, 2, 3])
        #expect(certificate.subject == subject)
        #expect(certificate.issuer == subject)
        #expect(certificate.notBefore == start)
        #expect(certificate.notAfter == end)
        #expect(certificate.alternativeNames == names)
        #expect(certificate.basicConstraints == SslBasicConstraints(isAuthority: true, pathLength: 3))
        #expect(certificate.keyUsage == template.keyUsage)
        #expect(certificate.extendedKeyUsage == template.extendedKeyUsage)
        #expect(certificate.signatureAlgorithm == "1.2.840.10045.4.3.3")
        #expect(certificate.extensions.contains(own))
        #expect(certificate.publicKeyInfo == key.publicKeyInfo)
        #expect(certificate.subjectKeyIdentifier != nil)
    }

    @Test("Trailing octets, missing octets and garbage are refused", arguments: BackendUnderTest.all)
    func garbage(_ one: BackendUnderTest) throws {
        let der = try one.certificates().root.certificate
        var bad: [[UInt8]] = [
            der + [0], der + der, [], [0x30], Array("no certificate".utf8), [UInt8](repeating: 0x30, count: 4000),
        ]
        for count in stride(from: 1, to: der.count, by: 7) { bad.append(Array(der.prefix(count))) }
        for octets in bad {
            let error = errorOf { () throws(SslSocketError) in _ = try one.backend.makeCertificate(der: octets) }
            #expect(error?.code == .invalidUserData, "\(octets.count) octets: \(error.map { "\($0)" } ?? "accepted")")
        }
    }

    @Test("Flipping any octet of a certificate never crashes", arguments: BackendUnderTest.all)
    func flipped(_ one: BackendUnderTest) throws {
        let der = try one.certificates().identity(.ipAddress).chain[0]
        for index in der.indices {
            var damaged = der
            damaged[index] ^= 0x41
            guard let certificate = try? one.backend.makeCertificate(der: damaged) else { continue }
            _ = facts(certificate)
            _ = certificate.text()
        }
    }

    @Test("A flipped signature is found by every backend", arguments: BackendUnderTest.all)
    func signature(_ one: BackendUnderTest) throws {
        let identity = try one.certificates().identity(.valid)
        let issuer = try CertificateFields(identity.chain[1])
        func isSigned(_ der: [UInt8]) throws -> Bool {
            let fields = try CertificateFields(der)
            let algorithm = try #require(X509SignatureAlgorithm(der: fields.signatureAlgorithmDer))
            return one.backend.isValid(
                X509Signature(
                    signedOctets: fields.signedOctets, algorithm: algorithm, signature: fields.signature,
                    publicKeyInfo: issuer.publicKeyInfo))
        }
        #expect(try isSigned(identity.chain[0]))
        var damaged = identity.chain[0]
        damaged[damaged.count - 1] ^= 1
        #expect(try !isSigned(damaged))
        let good = try ([identity.chain[0], identity.chain[1]] + identity.anchors).map {
            try one.backend.makeCertificate(der: $0)
        }
        #expect(one.backend.problems(ofPath: good).isEmpty)
        let bad = [try one.backend.makeCertificate(der: damaged)] + good.dropFirst()
        #expect(one.backend.problems(ofPath: bad).map(\.code) == [.certificateSignatureFailed])
        // Without the certificate in the middle there is no path.
        #expect(!one.backend.problems(ofPath: [good[0], good[2]]).isEmpty)
    }

    @Test("Templates that cannot be written are refused", arguments: BackendUnderTest.all)
    func templates(_ one: BackendUnderTest) throws {
        let key = try one.backend.generateKey(.ec(.secp256r1))
        var good = SslCertificateTemplate(
            subject: TestNames.subject, serialNumber: [1], notBefore: .now, notAfter: .now.adding(days: 1))
        #expect(errorOf { () throws(SslSocketError) in _ = try CertificateWriter.issue(good, key: key, issuer: nil) } == nil)
        good.serialNumber = []
        #expect(errorOf { () throws(SslSocketError) in _ = try CertificateWriter.issue(good, key: key, issuer: nil) } != nil)
        good.serialNumber = [1]
        good.subject = [SslNameAttribute(oid: "not an identifier", value: "x")]
        #expect(errorOf { () throws(SslSocketError) in _ = try CertificateWriter.issue(good, key: key, issuer: nil) } != nil)
    }

    @Test("A trust store counts its anchors and refuses what is no certificate", arguments: BackendUnderTest.all)
    func trust(_ one: BackendUnderTest) throws {
        let root = try one.certificates().root.certificate
        #expect(try one.backend.makeTrustStore(TlsTrustSources(includesSystem: false)).count == 0)
        #expect(try one.backend.makeTrustStore(TlsTrustSources(includesSystem: false, anchors: [root])).count == 1)
        let error = errorOf { () throws(SslSocketError) in
            _ = try one.backend.makeTrustStore(TlsTrustSources(includesSystem: false, anchors: [[1, 2, 3]]))
        }
        #expect(error?.code == .invalidUserData)
    }
}

/// A name for templates.
enum TestNames {
    static let subject = [SslNameAttribute(oid: "2.5.4.3", value: "test")]
}
