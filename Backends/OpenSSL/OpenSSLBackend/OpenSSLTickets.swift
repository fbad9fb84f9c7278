#if OpenSSL
internal import CSslOpenSSL
internal import SslBackend
internal import SslValues

/// Session tickets: a server keeps nothing but their keys.
enum OpenSSLTickets {
    /// Sets a context up to make and take tickets.
    static func set(_ settings: TlsSettings, on context: OpaquePointer) throws(SslSocketError) {
        let tickets = settings.tickets
        unsafe SSL_CTX_set_timeout(context, tickets.lifetime)
        guard settings.role == .server else {
            unsafe sslopenssl_set_cache_mode(
                context, Int(tickets.isEnabled ? SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL : SSL_SESS_CACHE_OFF))
            if tickets.isEnabled { unsafe SSL_CTX_sess_set_new_cb(context, OpenSSLTransport.onSession) }
            return
        }
        // All that a server needs to remember is in the ticket.
        unsafe sslopenssl_set_cache_mode(context, Int(SSL_SESS_CACHE_OFF))
        guard tickets.count >= 0, unsafe SSL_CTX_set_num_tickets(context, tickets.isEnabled ? tickets.count : 0) == 1 else {
            throw OpenSSLOptions.refusal("tickets.count", "\(tickets.count) is not a number of tickets")
        }
        // What a ticket stands for: a session without a client's certificate must not be resumed where one is required.
        let purpose = tickets.purpose.isEmpty ? Array("sslsocket \(settings.clientCertificate)".utf8) : tickets.purpose
        guard purpose.count <= 32, unsafe SSL_CTX_set_session_id_context(context, purpose, UInt32(purpose.count)) == 1 else {
            throw OpenSSLOptions.refusal("tickets.purpose", "it has \(purpose.count) octets, and there is room for 32")
        }
        guard tickets.isEnabled else { return }
        guard unsafe SSL_CTX_set_tlsext_ticket_key_evp_cb(context, key) == 1 else {
            throw .openssl(.sslInternal, "The ticket keys could not be set")
        }
        // OpenSSL remembers the leaf alone. A chain that is too large makes a ticket that resumes nothing.
        if settings.clientCertificate != .none { unsafe sslopenssl_keep_chain_in_tickets(context) }
    }

    /// Names the key for a new ticket, or finds the one of a ticket that came: 0 for none, 2 when a new ticket should be sent.
    private static let key:
        @convention(c) (
            OpaquePointer?, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<UInt8>?, OpaquePointer?, OpaquePointer?, Int32
        ) -> Int32 = { ssl, name, vector, cipher, mac, isNew in
            guard let transport = unsafe OpenSSLTransport.of(ssl), let keys = transport.context.ticketKeys.keys,
                let name = unsafe name, let vector = unsafe vector
            else { return 0 }
            let key: TlsTicketKey
            if isNew == 1 {
                key = keys.current
                for (i, octet) in key.name.enumerated() { unsafe name[i] = octet }
                guard unsafe RAND_bytes(vector, 16) == 1 else { return -1 }
            } else {
                let wanted = unsafe UnsafeBufferPointer(start: name, count: TlsTicketKey.nameLength)
                func fits(_ key: TlsTicketKey) -> Bool { unsafe wanted.elementsEqual(key.name) }
                guard let found = fits(keys.current) ? keys.current : keys.others.first(where: fits) else { return 0 }
                key = found
            }
            let isSet = unsafe key.encryption.withBytes { encryption in
                unsafe key.authentication.withBytes { authentication in
                    unsafe sslopenssl_set_ticket_key(
                        cipher, mac, encryption.baseAddress, authentication.baseAddress, authentication.count, vector, isNew)
                }
            }
            guard isSet == 1 else { return -1 }
            if isNew == 1 { return 1 }
            // A ticket of TLS 1.3 is for one use, so its client gets a new one (RFC 8446 appendix C.4).
            return unsafe key.name == keys.current.name && SSL_version(ssl) != TLS1_3_VERSION ? 1 : 2
        }

    /// The certificates above the leaf that a resumed session's ticket held.
    static func chain(_ ssl: OpaquePointer) -> [[UInt8]] {
        var start: UnsafeMutableRawPointer?
        var length = 0
        guard let session = unsafe SSL_get_session(ssl),
            unsafe SSL_SESSION_get0_ticket_appdata(session, &start, &length) == 1, let start = unsafe start
        else { return [] }
        // Each with its length in four octets before it, as the shim writes them.
        let octets = unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: length))
        var rest = octets[...]
        var chain: [[UInt8]] = []
        while rest.count >= 4 {
            let count = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(4)
            guard count <= rest.count else { return [] }
            chain.append([UInt8](rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        return chain
    }
}
#endif
