import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

/// Certificates, requests, revocation lists and OCSP responses that are made here.
@Suite("Issuing")
struct IssuingTests {
    static let kinds: [SslKeyKind] = [.rsa(bits: 2048), .ec(.secp256r1), .ec(.secp384r1), .ec(.secp521r1), .ed25519, .ed448]

    private static func authority(
        _ kind: SslKeyKind = .ec(.secp256r1), backend: String
    ) throws -> SslCertificateAuthority {
        let key = try SslKey(TestKeys.key(kind, "Issuing Root", backend: SslBackends.named(backend)))
        let root = try SslCertificate.selfSigned(.authority(commonName: "Issuing Root"), key: key, backend: backend)
        return try SslCertificateAuthority(certificate: root, key: key, backend: backend)
    }

    private static func key(_ backend: String, _ label: String = "issued") throws -> SslKey {
        try SslKey(TestKeys.key(.ec(.secp256r1), label, backend: SslBackends.named(backend)))
    }

    private static func problems(
        _ chain: [SslCertificate], _ root: SslCertificate, hostName: String = "", purpose: SslPurpose? = .serverAuthentication,
        lists: [SslRevocationList] = [], backend: String
    ) throws -> [SslErrorCode] {
        var configuration = SslConfiguration()
        configuration.backend = backend
        configuration.usesSystemCaCertificates = false
        configuration.caCertificates = [root]
        configuration.certificateRevocationLists = lists
        configuration.certificateProfile = .rfc5280
        return try SslCertificate.verify(chain, hostName: hostName, purpose: purpose, configuration: configuration).map(\.code)
    }

    @Test("An authority of every kind of key issues what every backend verifies", arguments: SslBackends.available, kinds)
    func chains(backend: String, kind: SslKeyKind) throws {
        let authority = try Self.authority(kind, backend: backend)
        let middleKey = try Self.key(backend, "middle")
        let middle = try authority.issue(.authority(commonName: "Issuing Middle", pathLength: 0), for: middleKey)
        let below = try SslCertificateAuthority(certificate: middle, key: middleKey, backend: backend)
        let leaf = try below.issue(
            .server(names: ["www.example.test", "*.example.test", "192.0.2.1", "2001:db8::1"]), for: Self.key(backend))
        #expect(leaf.issuer == middle.subject && leaf.authorityKeyIdentifier?.keyIdentifier == middle.subjectKeyIdentifier)
        for judge in SslBackends.available {
            for host in ["www.example.test", "other.example.test", "192.0.2.1", "2001:db8::1"] {
                #expect(
                    try Self.problems([leaf, middle], authority.certificate, hostName: host, backend: judge) == [], "\(judge)")
            }
            #expect(
                try Self.problems([leaf, middle], authority.certificate, hostName: "example.test", backend: judge)
                    == [.hostNameMismatch])
        }
    }

    @Test("Templates say what their names promise", arguments: SslBackends.available)
    func templates(backend: String) throws {
        let authority = try Self.authority(backend: backend)
        #expect(authority.certificate.isSelfSigned && authority.certificate.version == 3)
        #expect(authority.certificate.basicConstraints == SslBasicConstraints(isAuthority: true))
        #expect(authority.certificate.keyUsage == [.certificateSigning, .crlSigning])
        let server = try authority.issue(.server(names: ["a.test", "Bücher.test"], days: 7), for: Self.key(backend))
        #expect(server.alternativeNames == [.dns(Array("a.test".utf8)), .dns(Array("xn--bcher-kva.test".utf8))])
        #expect(server.extendedKeyUsage == ["1.3.6.1.5.5.7.3.1"] && server.keyUsage == .digitalSignature)
        #expect(server.subjectDisplayName == "a.test" && !server.isSelfSigned)
        let start = try #require(server.effectiveDate)
        let end = try #require(server.expiryDate)
        #expect(end.secondsSince1970 - start.secondsSince1970 == 7 * 86_400 + 3600)
        let client = try authority.issue(.client(commonName: "Alice", email: "alice@Example.test"), for: Self.key(backend))
        #expect(client.extendedKeyUsage == ["1.3.6.1.5.5.7.3.2"])
        #expect(client.alternativeNames == [.email(Array("alice@example.test".utf8))])
        #expect(server.serialNumber != client.serialNumber && server.serialNumber.count == 16)
        #expect(
            try Self.problems([client], authority.certificate, purpose: .clientAuthentication, backend: backend) == [])
        for names in [[], ["not a host"], ["*.192.0.2.1"], ["a.test", ""]] {
            #expect(throws: SslSocketError(.invalidUserData, "")) { try SslCertificateTemplate.server(names: names) }
        }
        #expect(throws: SslSocketError(.invalidUserData, "")) { try SslCertificateTemplate.client(commonName: "x", email: "x") }
        #expect(throws: SslSocketError(.invalidUserData, "")) { try SslCertificateTemplate.authority(commonName: "x", days: 0) }
    }

    @Test("What cannot stand in a certificate is refused", arguments: SslBackends.available)
    func refused(backend: String) throws {
        let authority = try Self.authority(backend: backend)
        let key = try Self.key(backend)
        func refuses(_ change: (inout SslCertificateTemplate) -> Void) throws {
            var template = try SslCertificateTemplate.server(names: ["a.test"])
            change(&template)
            #expect(throws: SslSocketError(.invalidUserData, "")) { try authority.issue(template, for: key) }
        }
        try refuses { $0.serialNumber = [] }
        try refuses { $0.serialNumber = [0] }
        try refuses { $0.serialNumber = [0x80] }
        try refuses { $0.serialNumber = [UInt8](repeating: 1, count: 21) }
        try refuses { $0.notAfter = $0.notBefore.adding(seconds: -1) }
        try refuses { $0.notAfter = SslInstant(secondsSince1970: 1 << 40) }
        try refuses { $0.notBefore = SslInstant(secondsSince1970: -(1 << 40)) }
        try refuses { $0.subject = [SslNameAttribute(oid: "2.5.4.6", value: "Germany")] }
        try refuses { $0.subject = [SslNameAttribute(oid: "2.5.4.3", value: "")] }
        try refuses { $0.subject = [SslNameAttribute(oid: "1.2.840.113549.1.9.1", value: "é@a.test")] }
        try refuses { $0.extendedKeyUsage = ["server"] }
        try refuses { $0.extensions = [SslCertificateExtension(oid: "x", isCritical: false, value: [5, 0])] }
        try refuses { $0.basicConstraints = SslBasicConstraints(isAuthority: true, pathLength: -1) }
        // The same extension twice.
        try refuses { $0.extensions = [SslCertificateExtension(oid: "2.5.29.15", isCritical: true, value: [3, 2, 7, 0x80])] }
        // ECDSA with MD5 has no name.
        var template = try SslCertificateTemplate.server(names: ["a.test"])
        template.hash = .md5
        #expect(throws: SslSocketError(.unsupportedOperation, "")) { try authority.issue(template, for: key) }
    }

    @Test("A key that is not the authority's is refused", arguments: SslBackends.available)
    func foreignKey(backend: String) throws {
        let authority = try Self.authority(backend: backend)
        #expect(throws: SslSocketError(.keyMismatch, "")) {
            try SslCertificateAuthority(certificate: authority.certificate, key: Self.key(backend), backend: backend)
        }
        // Also where the key says that it is: a function that signs with another.
        let other = try Self.key(backend)
        let liar = try SslKey(signingFor: authority.key.publicKey) {
            try other.sign(digest: $0, with: $1, backend: backend)
        }
        let fake = try SslCertificateAuthority(certificate: authority.certificate, key: liar, backend: backend)
        #expect(throws: SslSocketError(.keyMismatch, "")) { try fake.issue(.server(names: ["a.test"]), for: other) }
        #expect(throws: SslSocketError(.invalidUserData, "")) {
            try SslCertificate.selfSigned(.server(names: ["a.test"]), key: other.publicKey, backend: backend)
        }
    }

    @Test("A key that lives elsewhere issues", arguments: SslBackends.available, kinds)
    func externalKey(backend: String, kind: SslKeyKind) throws {
        let here = try SslKey(TestKeys.key(kind, "elsewhere", backend: SslBackends.named(backend)))
        let elsewhere = try SslKey(signingFor: here.publicKey) { try here.sign(digest: $0, with: $1, backend: backend) }
        let root = try SslCertificate.selfSigned(.authority(commonName: "Elsewhere"), key: elsewhere, backend: backend)
        let authority = try SslCertificateAuthority(certificate: root, key: elsewhere, backend: backend)
        let leaf = try authority.issue(.server(names: ["a.test"]), for: Self.key(backend))
        #expect(try Self.problems([leaf], root, hostName: "a.test", backend: backend) == [])
        let request = try SslCertificateRequest(.server(names: ["a.test"]), key: elsewhere, backend: backend)
        #expect(request.publicKey == here.publicKey)
    }

    // MARK: Requests

    @Test("A request in PEM and DER is read by every backend", arguments: SslBackends.available, kinds)
    func requests(backend: String, kind: SslKeyKind) throws {
        let key = try SslKey(TestKeys.key(kind, "request", backend: SslBackends.named(backend)))
        var template = try SslCertificateTemplate.server(names: ["a.test", "192.0.2.7"])
        template.subject = [SslNameAttribute(oid: "2.5.4.6", value: "DE"), SslNameAttribute(oid: "2.5.4.3", value: "Näme")]
        template.extensions = [SslCertificateExtension(oid: "1.2.3.4", isCritical: false, value: [5, 0])]
        let request = try SslCertificateRequest(template, key: key, backend: backend)
        #expect(request.pem.hasPrefix("-----BEGIN CERTIFICATE REQUEST-----\n"))
        let files = try ScratchFiles()
        let file = try files.write("request.pem", "text before\n" + request.pem)
        for reader in SslBackends.available {
            for read in [
                try SslCertificateRequest(der: request.der, backend: reader),
                try SslCertificateRequest(pem: request.pem, backend: reader),
                try SslCertificateRequest(fromFile: file, backend: reader),
            ] {
                #expect(read == request && read.hashValue == request.hashValue)
                #expect(read.subject == template.subject && read.publicKey == key.publicKey)
                #expect(read.alternativeNames == template.alternativeNames)
                #expect(
                    read.extensions.map(\.oid) == ["2.5.29.19", "2.5.29.15", "2.5.29.37", "2.5.29.17", "1.2.3.4"], "\(reader)")
                #expect("\(read)" == "2.5.4.6=DE, 2.5.4.3=Näme")
            }
        }
    }

    @Test("The authority takes over what it accepts, and nothing else", arguments: SslBackends.available)
    func accepting(backend: String) throws {
        let authority = try Self.authority(backend: backend)
        var wish = try SslCertificateTemplate.authority(commonName: "Mallory")
        wish.alternativeNames = [.dns(Array("a.test".utf8))]
        wish.extensions = [SslCertificateExtension(oid: "1.2.3.4", isCritical: false, value: [5, 0])]
        let request = try SslCertificateRequest(wish, key: Self.key(backend), backend: backend)
        let careful = try authority.issue(request.template(), for: request.publicKey)
        #expect(careful.basicConstraints == SslBasicConstraints(isAuthority: false))
        #expect(careful.keyUsage == nil && careful.extensions.allSatisfy { $0.oid != "1.2.3.4" })
        #expect(careful.alternativeNames == wish.alternativeNames && careful.subject == wish.subject)
        let generous = try authority.issue(
            request.template(accepting: ["2.5.29.19", "2.5.29.15", "2.5.29.17", "1.2.3.4"], days: 5), for: request.publicKey)
        #expect(generous.basicConstraints == SslBasicConstraints(isAuthority: true))
        #expect(generous.keyUsage == wish.keyUsage && generous.extensions.contains(wish.extensions[0]))
        let nothing = try authority.issue(request.template(accepting: []), for: request.publicKey)
        #expect(nothing.alternativeNames.isEmpty)
        // What is accepted must be readable.
        wish.alternativeNames = []
        wish.extensions = [SslCertificateExtension(oid: "2.5.29.17", isCritical: false, value: [0x30, 0x00])]
        let odd = try SslCertificateRequest(wish, key: Self.key(backend), backend: backend)
        #expect(throws: SslSocketError(.invalidUserData, "")) { try odd.template() }
    }

    @Test("A request that is not signed with its own key, or damaged, is refused", arguments: SslBackends.available)
    func badRequests(backend: String) throws {
        let good = try SslCertificateRequest(.server(names: ["a.test"]), key: Self.key(backend), backend: backend)
        let other = try SslCertificateRequest(
            .server(names: ["a.test"]), key: Self.key(backend, "another"), backend: backend)
        // The key of one and the signature of the other: they are as long as each other, but for the DER of ECDSA.
        let place = good.der.count - 80
        let mixed = good.der.prefix(place) + other.der.dropFirst(place)
        #expect(throws: SslSocketError(.invalidUserData, "")) { try SslCertificateRequest(der: Array(mixed), backend: backend) }
        var random = Damage(seed: 2986)
        for _ in 0..<2000 {
            let damaged = random.damage(good.der)
            guard damaged != good.der else { continue }
            // Whatever is still accepted says the same about the key.
            if let read = try? SslCertificateRequest(der: damaged, backend: backend) {
                #expect(read.publicKey == good.publicKey && read.subject == good.subject)
            }
        }
        for octets in [[], good.der + [0], Array("no request".utf8)] {
            #expect(throws: SslSocketError(.invalidUserData, "")) { try SslCertificateRequest(der: octets, backend: backend) }
        }
        #expect(throws: SslSocketError(.invalidUserData, "")) { try SslCertificateRequest(pem: "nothing", backend: backend) }
        #expect(throws: SslSocketError(.unreadableFile, "")) {
            try SslCertificateRequest(fromFile: "/nowhere/request.pem", backend: backend)
        }
    }

    // MARK: Revocation

    @Test("A list revokes what it names", arguments: SslBackends.available)
    func revocationLists(backend: String) throws {
        let authority = try Self.authority(backend: backend)
        let good = try authority.issue(.server(names: ["a.test"]), for: Self.key(backend))
        let bad = try authority.issue(.server(names: ["b.test"]), for: Self.key(backend))
        let now = SslInstant.now
        var template = SslRevocationListTemplate(
            [.init(serialNumber: bad.serialNumber, revocationDate: now.adding(days: -1), reason: .keyCompromise)], number: 300,
            thisUpdate: now.adding(seconds: -60), nextUpdate: now.adding(days: 1))
        let list = try authority.revocationList(template)
        #expect(list.count == 1 && list.nextUpdate == template.nextUpdate && list.thisUpdate == template.thisUpdate)
        #expect(list.parsed.number == [1, 44] && list.parsed.keyIdentifier == authority.certificate.subjectKeyIdentifier)
        for judge in SslBackends.available {
            #expect(try Self.problems([good], authority.certificate, lists: [list], backend: judge) == [])
            #expect(try Self.problems([bad], authority.certificate, lists: [list], backend: judge) == [.certificateRevoked])
        }
        #expect(try SslRevocationList(pem: list.pem) == list)
        template.nextUpdate = template.thisUpdate.adding(seconds: -1)
        #expect(throws: SslSocketError(.invalidUserData, "")) { try authority.revocationList(template) }
        template.nextUpdate = nil
        template.entries[0].serialNumber = []
        #expect(throws: SslSocketError(.invalidUserData, "")) { try authority.revocationList(template) }
    }

    @Test("An OCSP response, of the authority itself or of a responder, is accepted", arguments: SslBackends.available)
    func ocspResponses(backend: String) throws {
        let authority = try Self.authority(backend: backend)
        let leaf = try authority.issue(.server(names: ["a.test"]), for: Self.key(backend))
        let responderKey = try Self.key(backend, "responder")
        var template = try SslCertificateTemplate.client(commonName: "Responder")
        template.extendedKeyUsage = ["1.3.6.1.5.5.7.3.9"]
        let responder = try SslCertificateAuthority(
            certificate: authority.issue(template, for: responderKey), key: responderKey, backend: backend)
        var revoked = SslOcspResponseTemplate.good(leaf)
        revoked.answers[0].status = .revoked
        revoked.answers[0].reason = .superseded
        for judge in SslBackends.all {
            let judgement = OcspJudgement(
                time: .now, backend: judge, leaf: leaf.parsed.fields, issuers: [authority.certificate.parsed.fields])
            for signer in [nil, responder] {
                let good = try judgement.judge(authority.ocspResponse(.good(leaf), responder: signer))
                #expect(good.problems == [], "\(judge.name)")
                #expect(good.responses.first?.responder == (signer ?? authority).certificate)
                let bad = try judgement.judge(authority.ocspResponse(revoked, responder: signer))
                #expect(bad.problems == [.certificateRevoked])
                #expect(bad.responses.first?.revocationReason == .superseded)
                #expect(bad.responses.first?.revocationTime == revoked.answers[0].thisUpdate)
            }
            // Nobody else can speak for the authority's certificates.
            let stranger = try SslCertificateAuthority(
                certificate: .selfSigned(template, key: responderKey, backend: backend), key: responderKey, backend: backend)
            #expect(
                try judgement.judge(authority.ocspResponse(.good(leaf), responder: stranger)).problems
                    == [.ocspResponseCannotBeTrusted])
        }
        #expect(throws: SslSocketError(.invalidUserData, "")) { try authority.ocspResponse(SslOcspResponseTemplate([])) }
    }
}
