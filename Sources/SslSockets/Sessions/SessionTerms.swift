internal import SslBackend
internal import SslValues

/// Under what a peer was judged. A session is resumed only under the same terms, for nothing is judged again.
struct SessionTerms: Sendable, Hashable {
    /// The backend and the version of its library, whose form the session has.
    var backend: String
    var libraryVersion: String
    /// The name that was proven.
    var name: PeerName?
    /// The server had to prove who it is.
    var isVerified: Bool
    /// A digest of every setting that has a part in the verdict or in what this end showed of itself.
    var settings: [UInt8]

    /// The octets whose digest is ``settings`` of a client: every setting but those that are in ``neutral``, and the trusted certificates themselves.
    static func ofClient(_ values: SslConfiguration.Values, _ trust: any TlsTrustStore) -> [UInt8] {
        var writer = TermsWriter("client")
        let verifies = values.peerVerifyMode.effective(for: .client)
        writer.put("peerVerifyMode", "\(verifies)")
        writer.put("protocolRange", values.protocolRange.versions.map { "\($0)" } ?? "")
        writer.put("options", values.options.rawValue)
        writer.put("ciphers", values.ciphers.map { Int($0.code) })
        writer.put("groups", values.groups.map { Int($0.code) })
        writer.put("signatureSchemes", values.signatureSchemes.map { Int($0.code) })
        for (name, value) in values.backendConfiguration.sorted(by: { $0.key < $1.key }) {
            writer.put("backendConfiguration", name)
            writer.put("backendConfiguration", value)
        }
        writer.put("ocspStaplingEnabled", values.ocspStaplingEnabled ? 1 : 0)
        writer.put("handshakeMustInterruptOnError", values.handshakeMustInterruptOnError ? 1 : 0)
        for credentials in values.credentials {
            writer.put("credentials", credentials.chain.count)
            for certificate in credentials.chain { writer.put("credentials", certificate.der) }
        }
        writer.put(verification: values)
        writer.put("usesSystemCaCertificates", values.usesSystemCaCertificates ? 1 : 0)
        for certificate in values.caCertificates { writer.put("caCertificates", certificate.der) }
        for path in values.caCertificateDirectories { writer.put("caCertificateDirectories", path) }
        // The system's store may have changed when a ticket comes back from a file.
        if verifies != .verifyNone { for der in trust.certificates { writer.put("trusted", der) } }
        return writer.octets
    }

    /// The settings by which a server judges its clients; those of one that does not are its names alone. A session that is resumed is judged again
    /// by what its ticket holds, so the trusted certificates count by where they come from alone.
    static func ofServer(_ values: SslConfiguration.Values) -> [UInt8] {
        var writer = TermsWriter("server")
        // A client must not be led from one server to another by a ticket that both can open: the names it would have verified are the same.
        for name in Set(values.credentials.compactMap(\.chain.first).flatMap { $0.parsed.alternativeNames ?? [] }.map { "\($0)" })
            .sorted()
        {
            writer.put("name", name)
        }
        let verifies = values.peerVerifyMode.effective(for: .server)
        writer.put("peerVerifyMode", "\(verifies)")
        guard verifies != .verifyNone else { return writer.octets }
        writer.put("missingCertificateIsFatal", values.missingCertificateIsFatal ? 1 : 0)
        writer.put("handshakeMustInterruptOnError", values.handshakeMustInterruptOnError ? 1 : 0)
        writer.put(verification: values)
        writer.put("usesSystemCaCertificates", values.usesSystemCaCertificates ? 1 : 0)
        for certificate in values.caCertificates { writer.put("caCertificates", certificate.der) }
        for path in values.caCertificateDirectories { writer.put("caCertificateDirectories", path) }
        return writer.octets
    }

    /// Settings that have no part in what a client thinks of its server: a test holds this list and the function above against the settings there are.
    static let neutral: Set<String> = [
        "backend", "missingCertificateIsFatal", "allowedNextProtocols", "diffieHellmanParameters", "requestedAuthorities",
        "sessionTicket",
        "sessionCache", "ticketKeys", "sessionTicketCount", "preSharedKeys", "preSharedKeyIdentityHint", "keyLogPath",
        "nextProtocolPolicy", "allowsPostHandshakeAuthentication", "maximumRecordSize", "recordPadding",
    ]
}

/// Puts settings into octets, so that different ones are never the same.
private struct TermsWriter {
    private(set) var octets: [UInt8] = []

    init(_ title: String) { put(title, 1) }

    mutating func put(_ name: String, _ value: [UInt8]) {
        for part in [Array(name.utf8), value] {
            octets += (0..<4).map { UInt8(truncatingIfNeeded: part.count >> (8 * (3 - $0))) }
            octets += part
        }
    }

    mutating func put(_ name: String, _ value: String) { put(name, Array(value.utf8)) }
    mutating func put(_ name: String, _ value: Int) { put(name, "\(value)") }
    mutating func put(_ name: String, _ values: [Int]) { put(name, values.map { "\($0)" }.joined(separator: " ")) }

    /// How chains are judged.
    mutating func put(verification values: SslConfiguration.Values) {
        let settings = values.verification
        put("peerVerifyDepth", values.peerVerifyDepth)
        put("profile", "\(settings.profile)")
        put("revocationPolicy", "\(settings.revocationPolicy)")
        for list in settings.revocationLists { put("revocationLists", list.parsed.der) }
        for pin in settings.pins.sorted(by: { $0.lexicographicallyPrecedes($1) }) { put("pins", pin) }
        for pin in settings.malformedPins { put("malformedPins", pin) }
        put("usesCommonName", settings.usesCommonName ? 1 : 0)
    }
}
