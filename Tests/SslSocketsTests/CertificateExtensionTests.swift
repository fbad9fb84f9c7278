import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

/// The extensions of a certificate: their octets, and what they say.
@Suite("Extensions of certificates")
struct CertificateExtensionTests {
    private static func uri(_ text: String) -> SslAlternativeName { .uri(Array(text.utf8)) }

    private static func oid(_ dotted: String) throws -> [UInt8] { try #require(DerWriter.objectIdentifier(dotted)) }

    /// Two octets of length, then the octets.
    private static func vector(_ octets: [UInt8]) -> [UInt8] { [UInt8(octets.count >> 8), UInt8(octets.count & 255)] + octets }

    private static let timestamp =
        [0] + [UInt8](repeating: 7, count: 32) + [0, 0, 1, 0x8B, 0xCF, 0xE5, 0x68, 0] + [0, 0] + [4, 3] + vector([1, 2, 3])

    /// One extension of every kind that is decoded, and two that are not.
    private static func make() throws -> [SslCertificateExtension] {
        let ocsp = DerWriter.sequence(try oid("1.3.6.1.5.5.7.48.1"), DerWriter.alternativeName(uri("http://ocsp.test/")))
        let issuer = DerWriter.sequence(try oid("1.3.6.1.5.5.7.48.2"), DerWriter.alternativeName(uri("http://ca.test/ca.crt")))
        let place = DerWriter.element(
            0xA0, DerWriter.element(0xA0, DerWriter.alternativeName(uri("http://ca.test/a.crl"))))
        let point = DerWriter.sequence(place, [0x81, 0x02, 0x01, 0x06])
        let relative = DerWriter.sequence(
            DerWriter.element(
                0xA0,
                DerWriter.element(0xA1, DerWriter.sequence(try oid("2.5.4.3"), DerWriter.element(0x0C, Array("part".utf8))))))
        let statement = DerWriter.sequence(
            try oid("1.3.6.1.5.5.7.2.1"), DerWriter.element(0x16, Array("http://ca.test/cps".utf8)))
        let notice = DerWriter.sequence(
            try oid("1.3.6.1.5.5.7.2.2"), DerWriter.sequence(DerWriter.element(0x0C, Array("Trust no one".utf8))))
        let policies = DerWriter.sequence(
            DerWriter.sequence(try oid("2.23.140.1.2.1")),
            DerWriter.sequence(try oid("1.2.3.4.5"), DerWriter.sequence(statement, notice)))
        let unknownVersion = vector([1, 9, 9])
        return [
            SslCertificateExtension(
                oid: "1.3.6.1.5.5.7.1.1", isCritical: false, value: DerWriter.sequence(ocsp, issuer)),
            SslCertificateExtension(oid: "2.5.29.31", isCritical: false, value: DerWriter.sequence(point, relative)),
            SslCertificateExtension(oid: "2.5.29.32", isCritical: false, value: policies),
            NameConstraints.permitting(domain: "example.test"),
            SslCertificateExtension(
                oid: "1.3.6.1.4.1.11129.2.4.2", isCritical: false,
                value: DerWriter.octetString(vector(vector(timestamp) + unknownVersion))),
            SslCertificateExtension(
                oid: "1.3.6.1.5.5.7.1.24", isCritical: false, value: DerWriter.sequence(DerWriter.integer(5))),
            SslCertificateExtension(oid: "1.2.3.4.5.6", isCritical: true, value: [0x0C, 0x02, 0x68, 0x69]),
            SslCertificateExtension(oid: "2.5.29.36", isCritical: false, value: DerWriter.sequence([0x80, 0x01, 0x00])),
        ]
    }

    private static func certificate(
        backend: String, extensions: [SslCertificateExtension]
    ) throws -> (SslCertificate, issuer: SslCertificate) {
        let root = try TestAuthority.makeRoot("Extension Root")
        let authority = try root.makeIntermediate("Extension Authority", pathLength: 2) { $0.extensions = extensions }
        return try (
            SslCertificate(der: authority.certificate, backend: backend), SslCertificate(der: root.certificate, backend: backend)
        )
    }

    @Test("Every extension is there, with its octets, and in order", arguments: SslBackends.available)
    func list(backend: String) throws {
        let added = try Self.make()
        let (certificate, _) = try Self.certificate(backend: backend, extensions: added)
        let extensions = certificate.extensions
        #expect(added.allSatisfy { extensions.contains($0) })
        #expect(extensions.map(\.oid).suffix(added.count) == added.map(\.oid)[...])
        #expect(extensions.count == added.count + 4)
        #expect(extensions.filter(\.isCritical).map(\.oid).sorted() == ["1.2.3.4.5.6", "2.5.29.15", "2.5.29.19", "2.5.29.30"])
    }

    @Test("What the known kinds say", arguments: SslBackends.available)
    func contents(backend: String) throws {
        let (certificate, issuer) = try Self.certificate(backend: backend, extensions: Self.make())
        func content(_ name: String) throws -> SslCertificateExtension.Content? {
            try #require(certificate.extensions.first { $0.name == name }).content
        }
        #expect(try content("basicConstraints") == .basicConstraints(SslBasicConstraints(isAuthority: true, pathLength: 2)))
        #expect(try content("keyUsage") == .keyUsage([.certificateSigning, .crlSigning]))
        let subjectKey = try #require(certificate.subjectKeyIdentifier)
        #expect(subjectKey.count == 20)
        #expect(try content("subjectKeyIdentifier") == .subjectKeyIdentifier(subjectKey))
        #expect(
            try content("authorityKeyIdentifier")
                == .authorityKeyIdentifier(SslAuthorityKeyIdentifier(keyIdentifier: issuer.subjectKeyIdentifier)))
        let access = [
            SslAccessDescription(method: SslAccessDescription.ocsp, location: Self.uri("http://ocsp.test/")),
            SslAccessDescription(method: SslAccessDescription.caIssuers, location: Self.uri("http://ca.test/ca.crt")),
        ]
        #expect(try content("authorityInfoAccess") == .authorityInformationAccess(access))
        let points = [
            SslDistributionPoint(names: [Self.uri("http://ca.test/a.crl")], reasons: 1 << 5 | 1 << 6),
            SslDistributionPoint(names: [], relativeName: [SslNameAttribute(oid: "2.5.4.3", value: "part")]),
        ]
        #expect(try content("crlDistributionPoints") == .crlDistributionPoints(points))
        let policies = [
            SslCertificatePolicy(oid: "2.23.140.1.2.1"),
            SslCertificatePolicy(oid: "1.2.3.4.5", practiceStatements: ["http://ca.test/cps"], notices: ["Trust no one"]),
        ]
        #expect(try content("certificatePolicies") == .certificatePolicies(policies))
        #expect(
            try content("nameConstraints")
                == .nameConstraints(SslNameConstraints(permitted: [.dns(Array("example.test".utf8))])))
        #expect(try content("tlsfeature") == .tlsFeatures([5]))
        guard case .signedCertificateTimestamps(let promises) = try content("ct_precert_scts") else {
            Issue.record("no promises of logs")
            return
        }
        #expect(promises.count == 1)
        #expect(promises.first?.logIdentifier == [UInt8](repeating: 7, count: 32))
        #expect(promises.first?.milliseconds == 0x018B_CFE5_6800)
        #expect(promises.first?.time == SslInstant(secondsSince1970: 1_700_000_000))
        #expect(promises.first?.scheme == SslSignatureScheme(code: 0x0403) && promises.first?.signature == [1, 2, 3])

        // The same as members of the certificate.
        #expect(certificate.keyUsage == [.certificateSigning, .crlSigning] && certificate.extendedKeyUsage == nil)
        #expect(certificate.basicConstraints == SslBasicConstraints(isAuthority: true, pathLength: 2))
        #expect(certificate.authorityKeyIdentifier?.keyIdentifier == issuer.subjectKeyIdentifier)
        #expect(certificate.authorityInformationAccess == access && access[0].uri == "http://ocsp.test/")
        #expect(certificate.crlDistributionPoints == points && points[0].uris == ["http://ca.test/a.crl"])
        #expect(certificate.certificatePolicies == policies)
        #expect(certificate.signedCertificateTimestamps == promises)
        #expect(certificate.tlsFeatures == [5])
        #expect(certificate.extensionContent("2.5.29.37") == nil)
    }

    @Test("Names and usages of a leaf", arguments: SslBackends.available)
    func leaf(backend: String) throws {
        let identity = try TestCertificates.shared().identity(.valid)
        let certificate = try SslCertificate(der: identity.chain[0], backend: backend)
        #expect(certificate.extendedKeyUsage == ["1.3.6.1.5.5.7.3.1"])
        #expect(certificate.extensionContent("2.5.29.37") == .extendedKeyUsage(["1.3.6.1.5.5.7.3.1"]))
        #expect(certificate.extensionContent("2.5.29.17") == .subjectAlternativeName(certificate.alternativeNames))
        #expect(certificate.basicConstraints == SslBasicConstraints(isAuthority: false))
        #expect(certificate.signatureAlgorithm == "1.2.840.10045.4.3.2")
        #expect("\(try #require(certificate.keyUsage))" == "digitalSignature")
        #expect(certificate.certificatePolicies.isEmpty && certificate.crlDistributionPoints.isEmpty)
        #expect(certificate.authorityInformationAccess.isEmpty && certificate.signedCertificateTimestamps.isEmpty)
        #expect(certificate.tlsFeatures.isEmpty)
    }

    @Test("An unknown kind is not supported and keeps its octets; its name is its OID", arguments: SslBackends.available)
    func unknown(backend: String) throws {
        let (certificate, _) = try Self.certificate(backend: backend, extensions: Self.make())
        let own = try #require(certificate.extensions.first { $0.oid == "1.2.3.4.5.6" })
        #expect(!own.isSupported && own.content == nil && own.isCritical)
        #expect(own.name == "1.2.3.4.5.6" && own.value == [0x0C, 0x02, 0x68, 0x69])
        // Known by name only.
        let limits = try #require(certificate.extensions.first { $0.oid == "2.5.29.36" })
        #expect(!limits.isSupported && limits.name == "policyConstraints" && !limits.isCritical)
        #expect(certificate.extensions.filter(\.isSupported).count == 10)
    }

    @Test("A malformed value says nothing and crashes nothing")
    func malformed() throws {
        var random = Damage(seed: 8)
        var readable = 0
        for one in try Self.make() + [SslCertificateExtension(oid: "2.5.29.35", isCritical: false, value: [0x30, 0x00])] {
            let damaged = SslCertificateExtension(oid: one.oid, isCritical: false, value: one.value + [0])
            #expect(damaged.content == nil && !damaged.isSupported, "\(one.name)")
            #expect(SslCertificateExtension(oid: one.oid, isCritical: false, value: []).content == nil)
            for _ in 0..<500 where one.isSupported {
                let octets = random.damage(one.value)
                if SslCertificateExtension(oid: one.oid, isCritical: false, value: octets).isSupported { readable += 1 }
            }
        }
        #expect(readable > 0)
    }

    @Test("A policy that stands twice, and a point that names nothing, are malformed")
    func odd() throws {
        let policy = DerWriter.sequence(try Self.oid("1.2.3"))
        func content(_ oid: String, _ value: [UInt8]) -> SslCertificateExtension.Content? {
            SslCertificateExtension(oid: oid, isCritical: false, value: value).content
        }
        #expect(content("2.5.29.32", DerWriter.sequence(policy, policy)) == nil)
        #expect(content("2.5.29.32", DerWriter.sequence(policy)) != nil)
        #expect(content("2.5.29.31", DerWriter.sequence(DerWriter.sequence([0x81, 0x02, 0x01, 0x06]))) == nil)
        #expect(content("2.5.29.31", DerWriter.sequence()) == nil)
        #expect(content("2.5.29.30", DerWriter.sequence()) == nil)
        #expect(content("1.3.6.1.5.5.7.1.24", DerWriter.sequence(DerWriter.integer(70_000))) == nil)
    }

    @Test("Validities that end far in the future", arguments: SslBackends.available)
    func farFuture(backend: String) throws {
        for year in [2050, 2107, 9999] {
            let end = try #require(SslInstant(year: year, month: 12, day: 31, hour: 23, minute: 59, second: 59))
            let root = try TestAuthority.makeRoot("Far Root", validity: TestAuthority.currentValidity.lowerBound...end)
            let certificate = try SslCertificate(der: root.certificate, backend: backend)
            #expect(certificate.expiryDate == end)
            #expect(certificate.effectiveDate == TestAuthority.currentValidity.lowerBound)
        }
    }

    @Test("Many threads read one certificate", arguments: SslBackends.available)
    func threads(backend: String) async throws {
        let (certificate, _) = try Self.certificate(backend: backend, extensions: Self.make())
        @Sendable func facts() -> [String] {
            [
                "\(certificate.subject)", "\(certificate.issuer)", "\(certificate.extensions.map(\.content))",
                "\(String(describing: certificate.digest()))", certificate.text(), certificate.pem, "\(certificate.publicKey)",
                "\(certificate.isSelfSigned)", "\(certificate.isBlacklisted)", "\(certificate.hashValue)",
            ]
        }
        let reference = facts()
        let same = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    await PlainThread.run { (0..<50).filter { _ in facts() == reference }.count }
                }
            }
            return await group.reduce(0, +)
        }
        #expect(same == 400)
    }
}
