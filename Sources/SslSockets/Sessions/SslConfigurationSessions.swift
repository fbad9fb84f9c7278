// Resumption: the sessions of clients and the tickets of servers.
extension SslConfiguration {
    // MARK: Clients

    /// A session to resume (`sessionTicket`), as ``SslSocket/sessionTicket`` gave it. It is offered only to the peer it came from, under the
    /// same verification settings and while the verified certificates are valid; otherwise a full handshake is made. It goes before whatever is in
    /// ``sessionCache``.
    public var sessionTicket: SslSessionTicket? {
        get { values.sessionTicket }
        set { resume(newValue) }
    }

    /// How many seconds the server of ``sessionTicket`` means to keep it (`sessionTicketLifeTimeHint`); nil without a ticket, where Qt says -1.
    public var sessionTicketLifetimeHint: Int? { values.sessionTicket?.lifetimeHint }

    /// Where a client keeps its sessions and finds those to resume; nil, the default, for nowhere. Share one between all configurations whose connections
    /// may be told to come from the same client, for example ``SslSessionCache/shared``. Beyond Qt.
    ///
    /// Nothing is kept or offered with ``SslOptions/disableSessionPersistence``, ``SslOptions/disableSessionTickets``, with pre-shared keys, or while the
    /// status of certificates is asked for (``ocspStaplingEnabled``).
    public var sessionCache: SslSessionCache? {
        get { values.sessionCache }
        set { change { $0.sessionCache = newValue } }
    }

    // MARK: Servers

    /// The keys of a server's session tickets; nil, the default, for keys of its own, which are replaced twice a day and shared by all copies of this
    /// configuration, changed or not. Beyond Qt.
    ///
    /// Give servers the same ring to have them resume each other's sessions, also one that takes the place of another. A ticket is
    /// resumed only by a server that would judge the client in the same way, and the certificate in it is judged anew.
    public var ticketKeys: SslTicketKeys? {
        get { values.ticketKeys }
        set { change { $0.ticketKeys = newValue } }
    }

    /// How many tickets a TLS 1.3 server sends after a full handshake, 0 to 16. Default: 1. After a resumed one it sends one, or with 0 none. Clients that
    /// open several connections at once need as many. TLS 1.2 has one always. ``SslOptions/disableSessionTickets`` does without any. Beyond Qt.
    public var sessionTicketCount: Int {
        get { values.sessionTicketCount }
        set { change { $0.sessionTicketCount = newValue } }
    }
}
