internal import SslBackend
internal import SslValues

/// A ring of keys as one context uses it.
final class TicketKeySource: TlsTicketKeySource {
    private let ring: SslTicketKeys
    private let purpose: [UInt8]
    private let backend: any TlsBackend
    /// What was derived last, and from what.
    private let derived = Lock<(ring: SslTicketKeys.Ring, keys: TlsTicketKeySet?)?>(nil)

    /// - Parameter purpose: what the tickets stand for.
    init(_ ring: SslTicketKeys, purpose: [UInt8], backend: any TlsBackend) {
        self.ring = ring
        self.purpose = purpose
        self.backend = backend
    }

    var isInterchangeable: Bool { ring.format != .sslsocket }

    var keys: TlsTicketKeySet? {
        let present = ring.ring
        return derived.withLock { derived in
            if let derived, derived.ring === present { return derived.keys }
            let keys = derive(present)
            derived = (present, keys)
            return keys
        }
    }

    private func derive(_ present: SslTicketKeys.Ring) -> TlsTicketKeySet? {
        let keys = present.all.compactMap { key($0) }
        // A key less would be a key that others believe to be in force.
        guard keys.count == present.all.count, let current = keys.first else { return nil }
        return TlsTicketKeySet(current: current, others: Array(keys.dropFirst()))
    }

    private func key(_ secret: SecretBytes) -> TlsTicketKey? {
        switch ring.format {
        case .sslsocket: derive(secret).flatMap { TlsTicketKey($0) }
        case .nginx: Self.key(secret, isEncryptionFirst: secret.count == 48)
        case .haproxy: Self.key(secret, isEncryptionFirst: true)
        }
    }

    private static func key(_ secret: SecretBytes, isEncryptionFirst: Bool) -> TlsTicketKey? {
        let half = (secret.count - TlsTicketKey.nameLength) / 2
        guard half > 0 else { return nil }
        let (name, first, second) = unsafe secret.withBytes { octets in
            let middle = TlsTicketKey.nameLength + half
            return unsafe (
                [UInt8](octets[..<TlsTicketKey.nameLength]),
                SecretBytes(UnsafeRawBufferPointer(rebasing: octets[TlsTicketKey.nameLength..<middle])),
                SecretBytes(UnsafeRawBufferPointer(rebasing: octets[middle...]))
            )
        }
        return TlsTicketKey(
            name: name, encryption: isEncryptionFirst ? first : second, authentication: isEncryptionFirst ? second : first)
    }

    /// 80 octets by the one-step key derivation of NIST SP 800-56C section 4.1: SHA-256 over a counter, the secret and the purpose.
    private func derive(_ secret: SecretBytes) -> SecretBytes? {
        var octets: [UInt8] = []
        octets.reserveCapacity(96)
        defer { octets.wipe() }
        for counter: UInt8 in 1...3 {
            var input: [UInt8] = [0, 0, 0, counter]
            input.reserveCapacity(secret.count + 64)
            defer { input.wipe() }
            unsafe secret.withBytes { unsafe input.append(contentsOf: $0) }
            input += Array("sslsocket ticket".utf8)
            input += purpose
            guard var block = backend.digest(input, .sha256) else { return nil }
            octets += block
            block.wipe()
        }
        return SecretBytes(octets.span.extracting(..<80))
    }
}

extension SslConfiguration.Values {
    /// The settings of a server's tickets.
    func addTicketKeys(_ ring: SslTicketKeys, to settings: inout TlsSettings, backend: any TlsBackend) throws(SslSocketError) {
        guard settings.role == .server, settings.tickets.isEnabled else { return }
        if ring.format != .sslsocket, settings.clientCertificate != .none {
            throw SslSocketError(
                .invalidUserData,
                "Ticket keys in the form of \(ring.format.rawValue) serve only a server that asks for no certificates "
                    + "(peerVerifyMode verifyNone): the tickets of other programs do not say how clients were judged")
        }
        settings.tickets.purpose = try purpose(ring.format, settings, backend)
        settings.tickets.keys = TicketKeySource(ring, purpose: settings.tickets.purpose, backend: backend)
    }

    /// What a ticket stands for.
    private func purpose(
        _ format: SslTicketKeyFormat, _ settings: TlsSettings, _ backend: any TlsBackend
    ) throws(SslSocketError) -> [UInt8] {
        let found: [UInt8]?
        switch format {
        case .sslsocket: found = backend.digest(SessionTerms.ofServer(self), .sha256)
        case .haproxy: found = Array("haproxy".utf8)
        case .nginx:
            // nginx puts its certificates into the session id context, the last one first.
            var input = Array("HTTP".utf8)
            for credentials in settings.credentials.reversed() {
                input += credentials.chain.first.flatMap { backend.digest($0, .sha1) } ?? []
            }
            found = backend.digest(input, .sha1)
        }
        guard let found else {
            throw SslSocketError(
                .sslInternal, "The library has no digest for what session tickets stand for", backend: backend.name)
        }
        return found
    }
}
