#if GnuTLS
internal import CSslGnuTLS
internal import SslBackend
internal import SslValues

/// Session tickets: a server keeps nothing but their keys.
///
/// GnuTLS takes one key a session, and must have it before it reads the ClientHello. The key of the client's ticket is found by its name, and then
/// seals the new tickets of the session as well: the library never lets a ticket outlive the first of its line.
enum GnuTLSTickets {
    /// The longest a client keeps a session (RFC 8446 section 4.6.1), in seconds; when a ticket expires is the server's word.
    private static let longestLife: Int32 = 7 * 86_400
    /// More tickets of one ClientHello are not looked at.
    private static let mostOffered = 8

    /// Sets a session up to make and take tickets.
    ///
    /// - Parameter hello: the ClientHello of a server's client, if it is there.
    static func set(
        _ settings: TlsSettings, _ keys: TlsTicketKeySet?, _ hello: TlsClientHello?, on session: gnutls_session_t
    ) -> Int32 {
        guard settings.role == .server else {
            unsafe gnutls_db_set_cache_expiration(session, longestLife)
            return 0
        }
        unsafe gnutls_db_set_cache_expiration(session, Int32(clamping: settings.tickets.lifetime))
        guard let keys else { return 0 }
        var octets = secret(of: keys.key(for: hello, lifetime: settings.tickets.lifetime))
        defer { octets.wipe() }
        return unsafe octets.withUnsafeBytes { octets in
            var datum = unsafe gnutls_datum_t(borrowing: octets)
            return unsafe gnutls_session_ticket_enable_server(session, &datum)
        }
    }

    /// The 64 octets that the library wants.
    fileprivate static func secret(of key: TlsTicketKey) -> [UInt8] {
        var octets: [UInt8] = []
        octets.reserveCapacity(64)
        unsafe key.encryption.withBytes { unsafe octets.append(contentsOf: $0) }
        unsafe key.authentication.withBytes { unsafe octets.append(contentsOf: $0) }
        return octets
    }

    /// The heads of the tickets that a client offers: the names of their keys.
    fileprivate static func names(in hello: TlsClientHello) -> [[UInt8]] {
        let tickets = (hello.sessionTicket.map { [$0] } ?? []) + hello.preSharedKeyIdentities.prefix(mostOffered)
        return tickets.filter { $0.count > TlsTicketKey.nameLength }.map { Array($0.prefix(TlsTicketKey.nameLength)) }
    }
}

extension TlsTicketKeySet {
    /// The key of a ticket that a client offers; the current one where there is none, or of an unknown key.
    fileprivate func key(for hello: TlsClientHello?, lifetime: Int) -> TlsTicketKey {
        guard let hello, !others.isEmpty else { return current }
        let names = GnuTLSTickets.names(in: hello)
        guard !names.isEmpty else { return current }
        // The library makes its keys anew from the given one and the time, each three times as long as a ticket lasts, and knows the last but one.
        let window = SslInstant.now.secondsSince1970 / Int64(lifetime * 3)
        return ([current] + others).first { key in
            (window - 1...window).contains { names.contains(key.libraryName(window: $0)) }
        } ?? current
    }
}

extension TlsTicketKey {
    /// The name the library gives its key of a span of time: the first octets of SHA3-512 over the number of the span and the given key.
    fileprivate func libraryName(window: Int64) -> [UInt8] {
        var input = (0..<8).map { UInt8(truncatingIfNeeded: window >> (56 - 8 * $0)) }
        input.reserveCapacity(72)
        var secret = GnuTLSTickets.secret(of: self)
        input += secret
        secret.wipe()
        defer { input.wipe() }
        var out = [UInt8](repeating: 0, count: 64)
        defer { out.wipe() }
        guard unsafe gnutls_hash_fast(GNUTLS_DIG_SHA3_512, input, input.count, &out) == 0 else { return [] }
        return Array(out.prefix(Self.nameLength))
    }
}
#endif
