internal import SslBackend
internal import SslSockets
internal import SslTestKit
internal import Testing

/// Damaged certificates: the backends take the same ones, and read the same in them. Deterministic, and bounded by a number of cases.
@Suite("Backends agree about certificates")
struct CertificateAgreementTests {
    /// Certificates to start from: the test kit's, and those of the system where there are any.
    static let originals: [[UInt8]] = {
        var list: [[UInt8]] = []
        for kind in TestCertificate.allCases {
            guard let identity = try? TestCertificates.shared().identity(kind) else { continue }
            for der in identity.chain + identity.anchors where !list.contains(der) { list.append(der) }
        }
        for backend in SslBackends.all.prefix(1) {
            list += (try? backend.systemAnchors()) ?? []
        }
        return list
    }()

    /// What a backend makes of octets, or the reason it gives for refusing them.
    private static func reading(_ der: [UInt8], _ backend: any TlsBackend) -> (values: [String]?, reason: String) {
        let value: SslCertificate
        do throws(SslSocketError) {
            value = SslCertificate(try backend.makeCertificate(der: der))
        } catch {
            return (nil, error.nativeMessage.isEmpty ? error.message : error.nativeMessage)
        }
        let fields = value.parsed.fields
        return (
            [
                "\(value.version)", "\(value.serialNumber)", "\(value.subject)", "\(value.issuer)",
                value.subjectDisplayName, value.issuerDisplayName, value.description,
                "\(value.subject.flatMap { value.subjectInfo($0.oid) })", "\(value.issuer.flatMap { value.issuerInfo($0.oid) })",
                "\(String(describing: value.effectiveDate))", "\(String(describing: value.expiryDate))",
                "\(value.alternativeNames)", "\(value.keyAlgorithm)", "\(value.keyBits)", "\(value.publicKeyInfo)",
                "\(value.extensions)", "\(value.isSelfSigned) \(value.isBlacklisted)",
                "\(String(describing: value.digest())) \(String(describing: value.digest(.sha1)))",
                "\(String(describing: value.publicKeyPin))", value.pem, "\(value.hashValue)",
                "\(fields.publicKey) \(fields.signatureAlgorithm) \(fields.criticalExtensions) \(String(describing: fields.keyUsage))",
            ], ""
        )
    }

    @Test("Certificates as they are: every backend takes them and reads the same")
    func untouched() throws {
        #expect(Self.originals.count >= 40)
        for der in Self.originals {
            let readings = SslBackends.all.map { Self.reading(der, $0).values }
            let name = (try? CertificateFields(der))?.subjectName?.attributes.last?.value ?? "?"
            for reading in readings { #expect(reading != nil && reading == readings[0], "\(name)") }
        }
    }

    /// Of damaged certificates that the common reader takes, a library may refuse some for what it alone looks at: OpenSSL decodes the parameters of
    /// algorithms, the strings of names and the bits of keys, GnuTLS the whole structure by its grammar. That is safe: a certificate that cannot be read
    /// is part of no path. The words are those of the libraries.
    private static let knownReasons = [
        "gnutls": ["ASN1 parser: Error in TAG.", "ASN1 parser: Error in DER parsing."],
        "openssl": [
            "header too long", "sequence length mismatch", "invalid object encoding", "mstring", "wrong tag",
            "type not primitive", "too long",
            "invalid bit string bits left", "The certificate is not in DER", "invalid utf8string",
        ],
    ]

    @Test("Damaged certificates: every backend that takes one reads the same, and refuses only for known reasons")
    func damaged() {
        var random = Damage(seed: 20_261_121)
        var taken = 0
        var refused = 0
        for round in 0..<2500 {
            let der = random.damage(Self.originals[round % Self.originals.count])
            let isCommon = (try? CertificateFields(der)) != nil
            let readings = SslBackends.all.map { ($0.name, Self.reading(der, $0)) }
            let values = readings.compactMap(\.1.values)
            if !values.isEmpty { taken += 1 }
            #expect(values.allSatisfy { $0 == values[0] })
            #expect(isCommon || values.isEmpty)
            for (name, reading) in readings where isCommon && reading.values == nil {
                refused += 1
                let isKnown = Self.knownReasons[name]?.contains { reading.reason.contains($0) } ?? false
                #expect(isKnown, "\(name): \(reading.reason)")
            }
        }
        #expect(taken > 150)
        // A rare thing, or the common reader has become too lenient.
        #expect(refused * 10 < taken, "\(refused) of \(taken)")
    }

    @Test("The libraries' own verdicts on signatures are the same for certificates as they are and damaged ones")
    func signatures() throws {
        let certificates = try TestCertificates.shared()
        var pairs: [(subject: [UInt8], issuer: [UInt8])] = []
        for kind in [TestCertificate.valid, .rsa, .ed25519, .p384UnderRsa, .sha1] {
            let chain = try certificates.identity(kind).chain + certificates.identity(kind).anchors
            for place in chain.indices.dropLast() { pairs.append((chain[place], chain[place + 1])) }
        }
        // The system's roots have signed themselves.
        for der in Self.originals where (try? CertificateFields(der))?.isSelfIssued == true { pairs.append((der, der)) }
        var random = Damage(seed: 4055)
        var good = 0
        for round in 0..<1500 {
            var (subject, issuer) = pairs[round % pairs.count]
            // As they are, a damaged signature or content, a damaged key.
            switch round / pairs.count {
            case 0: break
            case let turn where turn % 2 == 1: subject = random.damage(subject)
            default: issuer = random.damage(issuer)
            }
            guard let fields = try? CertificateFields(subject), let signer = try? CertificateFields(issuer),
                let algorithm = X509SignatureAlgorithm(der: fields.signatureAlgorithmDer)
            else { continue }
            let question = X509Signature(
                signedOctets: fields.signedOctets, algorithm: algorithm, signature: fields.signature,
                publicKeyInfo: signer.publicKeyInfo)
            let answers = SslBackends.all.map { $0.isValid(question) }
            if answers[0] { good += 1 }
            #expect(answers.allSatisfy { $0 == answers[0] }, "round \(round): \(algorithm) \(answers)")
        }
        #expect(good >= min(pairs.count, 40))
    }

    @Test("Damaged revocation lists are read or refused, never more")
    func revocationLists() throws {
        let authority = try TestCertificates.shared().root
        var template = TestRevocationList([[1], [2, 3], [4, 5, 6]])
        template.reason = 1
        let original = try authority.revocationList(template)
        #expect(try SslRevocationList(der: original).count == 3)
        var random = Damage(seed: 5280)
        var taken = 0
        for _ in 0..<3000 {
            let damaged = random.damage(original)
            guard let list = try? SslRevocationList(der: damaged) else { continue }
            taken += 1
            #expect(list.der == damaged && !list.description.isEmpty)
        }
        #expect(taken > 10)
    }

    @Test("Chains with damaged certificates are judged, the same on every backend")
    func chains() throws {
        let identity = try TestCertificates.shared().identity(.nameConstraint)
        var random = Damage(seed: 6125)
        for round in 0..<300 {
            var chain = identity.chain
            let place = round % chain.count
            chain[place] = random.damage(chain[place])
            var first: [String]?
            for backend in SslBackends.all {
                let store = try backend.makeTrustStore(TlsTrustSources(includesSystem: false, anchors: identity.anchors))
                var verification = PeerVerification(purpose: nil, name: nil, time: .now)
                verification.settings.profile = .webPki
                let errors = verification.judge(chain, store: store).errors.map { "\($0.code)@\($0.depth)" }
                #expect(!errors.isEmpty)
                // One library alone may be unable to read the leaf: see above.
                let isUnreadable = errors == ["malformedCertificate@0"] || first == ["malformedCertificate@0"]
                if let first, !isUnreadable { #expect(first == errors, "\(round)") }
                first = first ?? errors
            }
        }
    }
}

/// Damages octets in ways that parsers stumble over, the same ways for the same seed.
struct Damage {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }

    mutating func next(below limit: Int) -> Int { limit <= 0 ? 0 : Int(next() % UInt64(limit)) }

    /// One to three changes: an octet flipped or set, octets cut out, doubled or put in, a tail cut off.
    mutating func damage(_ original: [UInt8]) -> [UInt8] {
        var octets = original
        for _ in 0..<(1 + next(below: 3)) where !octets.isEmpty {
            let place = next(below: octets.count)
            switch next(below: 8) {
            case 0, 1, 2: octets[place] ^= UInt8(1 << next(below: 8))
            case 3: octets[place] = UInt8(truncatingIfNeeded: next())
            case 4: octets[place] = [0, 0x7F, 0x80, 0xFF, 0x30, 0x31][next(below: 6)]
            case 5: octets.removeSubrange(place..<min(place + 1 + next(below: 8), octets.count))
            case 6: octets.insert(contentsOf: octets[place..<min(place + 1 + next(below: 8), octets.count)], at: place)
            default: octets.removeLast(next(below: min(16, octets.count)))
            }
        }
        return octets
    }
}
