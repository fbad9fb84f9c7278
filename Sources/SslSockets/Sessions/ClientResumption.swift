internal import SslBackend
internal import SslValues

/// A client's part in resumption: what it offers to its server, and what it keeps.
struct ClientResumption {
    /// The session that is offered.
    private(set) var offered: SslSessionTicket?
    private var isFromCache = false
    private let place: (cache: SslSessionCache, key: SslSessionCache.Key)?
    /// Tickets of TLS 1.2 come before the handshake is complete, and count from then on; nil once it is.
    private var early: [SslSessionTicket]? = []

    /// Chooses a session: that of the configuration if it can be used, else one of its cache.
    init(_ configuration: SslConfiguration, _ name: PeerName?, port: UInt16, _ context: any TlsContext) {
        let (ticket, cache) = (configuration.sessionTicket, configuration.sessionCache)
        guard ticket != nil || cache != nil, let terms = configuration.sessionTerms(name, context) else {
            place = nil
            return
        }
        let now = TlsClock.now
        if let ticket, ticket.isUsable(under: terms, at: now) { offered = ticket }
        // A name is what sessions are found by.
        guard let cache, name != nil, context.settings.tickets.isEnabled else {
            place = nil
            return
        }
        let key = SslSessionCache.Key(terms: terms, port: port)
        place = (cache, key)
        guard offered == nil else { return }
        offered = cache.take(key, at: now)
        isFromCache = offered != nil
    }

    /// The library could not make anything of the session. True when it can be done without: it came from the cache, which must never stand in
    /// the way.
    mutating func givesUpSession() -> Bool {
        guard isFromCache else { return false }
        failed()
        offered = nil
        return true
    }

    /// The connection failed: nothing that is kept for the server is above suspicion.
    func failed() { if let (cache, key) = place { cache.purge(key) } }

    /// The handshake is complete.
    mutating func settled(on session: any TlsSession) {
        guard let (cache, key) = place else { return }
        let now = TlsClock.now
        if let offered {
            if !session.facts.isResumed {
                // The server does not know it any more, and hardly the others.
                cache.purge(key)
            } else if isFromCache, !offered.isForOneUse {
                cache.put(offered, key, at: now)
            }
        }
        for ticket in early ?? [] { cache.put(ticket, key, at: now) }
        early = nil
    }

    /// A ticket came.
    mutating func received(_ ticket: SslSessionTicket) {
        guard let (cache, key) = place else { return }
        if early == nil { cache.put(ticket, key, at: TlsClock.now) } else { early?.append(ticket) }
    }
}
