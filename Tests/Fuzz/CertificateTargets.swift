import SslBackend
import SslTestKit

@testable import SslSockets

extension FuzzTarget {
    /// A certificate in DER or PEM: whoever takes it reads the same.
    static let certificate = FuzzTarget(name: "certificate") {
        let seeds = certificates()
        return Prepared(seeds: seeds + [try Array(SslCertificate(der: seeds[0]).pem.utf8)]) { input in
            let common = try? CertificateFields(input)
            var first: [String]?
            for backend in SslBackends.all {
                _ = try? SslCertificate.certificates(input, format: .pem, backend: backend.name)
                guard let value = try? SslCertificate(der: input, backend: backend.name) else { continue }
                require(common != nil, "\(backend.name) takes what the common reader refuses")
                let values = [
                    "\(value.version) \(value.serialNumber) \(value.subject) \(value.issuer) \(value.subjectDisplayName)",
                    "\(String(describing: value.effectiveDate)) \(String(describing: value.expiryDate))",
                    "\(value.alternativeNames) \(value.keyAlgorithm) \(value.keyBits) \(value.extensions) \(value.isSelfSigned)",
                    "\(String(describing: value.publicKeyPin)) \(value.isBlacklisted) \(String(describing: value.digest()))",
                ]
                require(first == nil || first == values, "the backends read different values")
                first = values
                require(value.der == input, "the DER form is another")
                _ = value.text()
            }
        }
    }

    /// A chain whose first, second or trusted certificate is anything: the same verdict everywhere, and never a good one for what was damaged below the
    /// trusted certificate.
    static let chain = FuzzTarget(name: "chain") {
        let identity = try TestCertificates.shared().identity(.nameConstraint)
        let good = identity.chain + identity.anchors
        let seeds = good.enumerated().map { [UInt8($0.offset)] + $0.element }
        return Prepared(seeds: seeds) { input in
            guard let selector = input.first else { return }
            let place = Int(selector) % 3
            var certificates = good
            certificates[place] = Array(input.dropFirst())
            var first: [String]?
            for backend in SslBackends.all {
                guard
                    let store = try? backend.makeTrustStore(
                        TlsTrustSources(includesSystem: false, anchors: [certificates[2]]))
                else { continue }
                for profile in SslCertificateProfile.allCases {
                    var verification = PeerVerification(purpose: nil, name: nil, time: .now)
                    verification.settings.profile = profile
                    let errors = verification.judge(Array(certificates.prefix(2)), store: store).errors
                    require(!errors.isEmpty || place == 1 || certificates[place] != good[place], "\(profile): accepted")
                    if profile == .path {
                        let words = errors.map { "\($0.code)@\($0.depth)" }
                        // What one library alone cannot read is part of no path for it.
                        let isUnreadable = (words + (first ?? [])).contains { $0.hasPrefix("malformedCertificate") }
                        require(first == nil || first == words || isUnreadable || place == 1, "\(first ?? []) and \(words)")
                        first = words
                    }
                }
            }
        }
    }

    /// A revocation list in DER or PEM, and the judgement of a chain by it.
    static let revocationList = FuzzTarget(name: "revocation-list") {
        let certificates = try TestCertificates.shared()
        let identity = try certificates.identity(.valid)
        var template = TestRevocationList([[1], [2, 3], try CertificateFields(identity.chain[0]).serialNumber])
        template.reason = 1
        let lists = try [
            certificates.intermediate.revocationList(template), certificates.intermediate.revocationList(),
            certificates.root.revocationList(template),
        ]
        let pem = try SslRevocationList(der: lists[0]).pem
        return Prepared(seeds: lists + [Array(pem.utf8)]) { input in
            _ = try? SslRevocationList.revocationLists(input)
            guard let list = try? SslRevocationList(der: input) else { return }
            require(list.der == input, "the DER form is another")
            _ = "\(list) \(list.issuer) \(list.count) \(list.isDelta) \(list.hashValue)"
            var first: [String]?
            for backend in SslBackends.all {
                guard let store = try? backend.makeTrustStore(TlsTrustSources(includesSystem: false, anchors: identity.anchors))
                else { continue }
                var verification = PeerVerification(purpose: nil, name: nil, time: .now)
                verification.settings.revocationLists = [list]
                let words = verification.judge(identity.chain, store: store).errors.map { "\($0.code)@\($0.depth)" }
                require(first == nil || first == words, "\(first ?? []) and \(words)")
                first = words
                require(!words.isEmpty, "one list is enough for two authorities")
            }
        }
    }

    /// What is stapled to a certificate.
    static let ocspResponse = FuzzTarget(name: "ocsp-response") {
        let authority = try TestCertificates.shared().intermediate
        let identity = try TestCertificates.shared().identity(.valid)
        var other = TestOcspResponse()
        other.status = .revoked(reason: 1)
        other.hash = .sha256
        other.namesResponderByKey = true
        let seeds = try [
            authority.ocspResponse(for: identity.chain[0]), authority.ocspResponse(for: identity.chain[0], other),
        ]
        let leaf = try CertificateFields(identity.chain[0])
        let issuer = try CertificateFields(identity.chain[1])
        return Prepared(seeds: seeds) { input in
            _ = try? SslOcspStapler(response: input)
            var first: String?
            for backend in SslBackends.all {
                let judgement = OcspJudgement(time: .now, backend: backend, leaf: leaf, issuers: [issuer])
                let found = judgement.judge(input)
                let words =
                    "\(found.problems) \(found.responses.map { "\($0.certificateStatus) \(String(describing: $0.revocationReason))" })"
                require(
                    first == nil || first == words || words.contains("ocspResponseCannotBeTrusted"), "\(first ?? "") and \(words)"
                )
                require(!found.problems.isEmpty || seeds.contains(input) || hasValidSignature(input, seeds), "accepted")
                first = words
            }
        }
    }

    /// What the signature covers is that of a seed: changes elsewhere, such as in the certificates sent along, need not matter.
    private static func hasValidSignature(_ input: [UInt8], _ seeds: [[UInt8]]) -> Bool {
        func signed(_ octets: [UInt8]) -> [UInt8]? { OcspMessage(octets)?.basic.map { Array($0.signedOctets) } }
        guard let own = signed(input) else { return false }
        return seeds.contains { signed($0) == own }
    }
}
