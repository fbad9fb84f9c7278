internal import SslBackend
internal import SslValues

/// The shared half of a configuration: its settings and what was prepared from them.
final class ConfigurationStorage: Sendable {
    let values: SslConfiguration.Values
    private struct Key: Hashable {
        let backend: String
        let role: SslRole
        let transport: TlsTransport
        let pausesAtClientHello: Bool
        let asksForPreSharedKeys: Bool
    }
    /// What was prepared, shared by configurations that differ only in what a context does not depend on.
    private final class Contexts: Sendable {
        let known = Lock<[Key: any TlsContext]>([:])
        /// The digest of what a session is bound to, by backend.
        let sessionSettings = Lock<[String: [UInt8]]>([:])
    }
    private let contexts: Contexts
    /// The ticket keys of servers without a ring, made when first needed. A changed copy has them too: what a ticket stands for is bound into the keys,
    /// and a new certificate must not end resumption.
    private let ownTicketKeys: Lock<SslTicketKeys?>

    init(_ values: SslConfiguration.Values, changing other: ConfigurationStorage? = nil) {
        self.values = values
        contexts = Contexts()
        ownTicketKeys = other?.ownTicketKeys ?? Lock(nil)
    }

    /// The same settings with another ticket. Resuming must not prepare everything anew: that would cost more than it saves.
    init(_ other: ConfigurationStorage, sessionTicket: SslSessionTicket?) {
        var values = other.values
        values.sessionTicket = sessionTicket
        self.values = values
        contexts = other.contexts
        ownTicketKeys = other.ownTicketKeys
    }

    private func ticketKeys() throws(SslSocketError) -> SslTicketKeys {
        if let ring = values.ticketKeys { return ring }
        return try ownTicketKeys.withLock { own throws(SslSocketError) -> SslTicketKeys in
            if let own { return own }
            let fresh = try SslTicketKeys()
            own = fresh
            return fresh
        }
    }

    /// Under what a client's sessions may be resumed; nil when that cannot be said.
    func sessionTerms(_ name: PeerName?, _ context: any TlsContext) -> SessionTerms? {
        let backend = context.backend
        let settings = contexts.sessionSettings.withLock { known in
            if let settings = known[backend.name] { return settings }
            let settings = backend.digest(SessionTerms.ofClient(values, context.settings.trust), .sha256) ?? []
            known[backend.name] = settings
            return settings
        }
        guard !settings.isEmpty else { return nil }
        return SessionTerms(
            backend: backend.name, libraryVersion: backend.libraryVersion, name: name,
            isVerified: values.peerVerifyMode.effective(for: .client) != .verifyNone, settings: settings)
    }

    func context(
        role: SslRole, transport: TlsTransport, pausesAtClientHello: Bool, asksForPreSharedKeys: Bool
    ) throws(SslSocketError) -> any TlsContext {
        let backend = try SslBackends.resolve(values.backend)
        let key = Key(
            backend: backend.name, role: role, transport: transport, pausesAtClientHello: pausesAtClientHello,
            asksForPreSharedKeys: asksForPreSharedKeys)
        return try contexts.known.withLock { contexts throws(SslSocketError) -> any TlsContext in
            if let known = contexts[key] { return known }
            var settings = try values.settings(role: role, transport: transport, backend: backend)
            settings.pausesAtClientHello = pausesAtClientHello
            settings.staplesStatus = try values.staplesStatus(role, backend: backend)
            try values.addPreSharedKeys(to: &settings, backend: backend, asks: asksForPreSharedKeys)
            // A ticket says nothing of who knew a key, and would outlive a key that is withdrawn.
            if role == .server, settings.preSharedKey != nil { settings.tickets.isEnabled = false }
            try values.addTicketKeys(ticketKeys(), to: &settings, backend: backend)
            if role == .server && settings.credentials.isEmpty && settings.preSharedKey == nil {
                throw SslSocketError(
                    .invalidUserData, "A TLS server needs a certificate and its private key; the configuration has none")
            }
            let fresh = try backend.makeContext(settings)
            contexts[key] = fresh
            return fresh
        }
    }
}

extension SslConfiguration.Values {
    /// The settings these values come to for one backend and role.
    func settings(role: SslRole, transport: TlsTransport, backend: any TlsBackend) throws(SslSocketError) -> TlsSettings {
        let range = transport == .datagram && protocolRange == .secureProtocols ? SslProtocol.dtlsV1_2OrLater : protocolRange
        guard let asked = range.versions, asked.lowerBound.isDatagram == (transport == .datagram) else {
            throw SslSocketError(
                .invalidUserData,
                "The protocol \(protocolRange) cannot be used for \(transport == .stream ? "TLS over a stream" : "DTLS")")
        }
        let versions = range.isExact ? asked : Self.available(asked, on: backend)
        guard peerVerifyDepth >= 0 else {
            throw SslSocketError(.invalidUserData, "The verification depth is \(peerVerifyDepth); it cannot be negative")
        }
        try verification.validate()
        let verifies = peerVerifyMode.effective(for: role)
        let sources = trustSources
        let trust: any TlsTrustStore =
            role == .client && verifies != .verifyNone
            ? try TrustStores.store(sources, backend: backend) : LazyTrustStore(sources, backend: backend)
        var settings = TlsSettings(
            role: role, transport: transport, versions: versions, cipherSuites: ciphers.isEmpty ? SslCipher.defaults : ciphers,
            groups: groups.isEmpty ? SslGroup.defaults : groups, trust: trust)
        settings.signatureSchemes = signatureSchemes
        settings.serverCipherPreference = !options.contains(.disableServerCipherPreference)
        settings.tickets.isEnabled = !options.contains(.disableSessionTickets)
        guard (0...16).contains(sessionTicketCount) else {
            throw SslSocketError(.invalidUserData, "\(sessionTicketCount) session tickets cannot be sent; 0 to 16 can")
        }
        settings.tickets.count = sessionTicketCount
        settings.backendOptions = backendConfiguration
        try addRecordSizes(to: &settings)
        settings.logsKeys = keyLogPath != nil
        settings.allowsPostHandshakeAuthentication = allowsPostHandshakeAuthentication && transport == .stream
        if role == .server { settings.diffieHellmanParameters = diffieHellmanParameters?.der }
        settings.certificateAuthorities = requestedAuthorities.map { $0.parsed.subjectDer }
        for credential in credentials {
            guard let key = credential.key else {
                throw SslSocketError(.invalidUserData, "There is a certificate without its private key in the configuration")
            }
            guard !credential.chain.isEmpty else {
                throw SslSocketError(.invalidUserData, "There is a private key without its certificate in the configuration")
            }
            settings.credentials.append(TlsCredentials(chain: credential.chain.map(\.der), key: try key.handle(for: backend)))
        }
        for name in allowedNextProtocols {
            guard (1...255).contains(name.utf8.count) else {
                throw SslSocketError(.invalidUserData, "\"\(name)\" cannot be an ALPN protocol: a name has 1 to 255 octets")
            }
            settings.applicationProtocols.append(Array(name.utf8))
        }
        if role == .server {
            settings.clientCertificate =
                switch verifies {
                case .verifyNone: .none
                case .queryPeer, .autoVerifyPeer: missingCertificateIsFatal ? .require : .request
                case .verifyPeer: missingCertificateIsFatal ? .require : .demand
                }
        }
        return settings
    }

    /// The part of an open range that a backend has; the range itself when that is nothing, so that the backend says so.
    private static func available(_ range: ClosedRange<SslVersion>, on backend: any TlsBackend) -> ClosedRange<SslVersion> {
        let versions = backend.capabilities.versions.filter { range.contains($0) }
        guard let low = versions.min(), let high = versions.max() else { return range }
        return low...high
    }
}

/// A trust store that is loaded when a peer first shows a certificate: a server that merely asks for one, and a client that does not verify,
/// should not pay for the system's store.
final class LazyTrustStore: TlsTrustStore {
    let backend: any TlsBackend
    private let sources: TlsTrustSources
    private let loaded = Lock<(any TlsTrustStore)?>(nil)

    init(_ sources: TlsTrustSources, backend: any TlsBackend) {
        self.sources = sources
        self.backend = backend
    }

    private var store: (any TlsTrustStore)? {
        loaded.withLock { loaded in
            if loaded == nil { loaded = try? TrustStores.store(sources, backend: backend) }
            return loaded
        }
    }

    var count: Int { store?.count ?? 0 }
    var certificates: [[UInt8]] { store?.certificates ?? [] }

    /// A store that cannot be loaded trusts nobody.
    func anchors(named canonicalName: [UInt8], encoded der: [UInt8]) -> [LazyCertificate] {
        store?.anchors(named: canonicalName, encoded: der) ?? []
    }
}
