internal import SslBackend
internal import SslValues

/// Sessions that clients can resume, kept by themselves and shared by many sockets.
///
/// A client whose configuration has a cache (``SslConfiguration/sessionCache``) puts every ticket it receives into it, and offers one that fits
/// when it connects again. Qt has nothing like it: there the ticket of one socket must be handed to the next.
///
/// ```swift
/// var configuration = SslConfiguration.default
/// configuration.sessionCache = .shared
/// ```
///
/// - **What fits.** A ticket is found under the name that was proven, the port, the backend, and every setting that has a part in the verdict on
///   the server or in what the client shows of itself. Nor is it offered once it, or a certificate of the verified path, has expired.
/// - **One use.** A ticket of TLS 1.3 is taken out for good (RFC 8446 appendix C.4), for whoever sees it twice can link the two connections;
///   servers send new ones. A ticket of TLS 1.2 is put back when the connection has come about.
/// - **No doubt survives.** When a handshake fails, or the server does not resume, all that is kept for this server under these settings
///   is thrown away.
/// - **Bounds.** The cache holds ``capacity`` tickets; beyond it those that were not asked for the longest go.
///
/// Tickets are secrets: the cache is in memory only, and wiped when it goes. A server recognizes a client that resumes. Leave it out, which is the
/// default, where that matters more than speed, or use one for each activity that must not be linked (RFC 8446 appendix C.4).
///
/// A cache may be used from any thread.
public final class SslSessionCache: Sendable {
    /// Where a ticket belongs.
    struct Key: Sendable, Hashable {
        let terms: SessionTerms
        let port: UInt16
    }
    private struct Place {
        /// The newest last.
        var tickets: [SslSessionTicket] = []
        var lastUse: UInt64 = 0
    }
    private struct State {
        var places: [Key: Place] = [:]
        var count = 0
        var uses: UInt64 = 0
    }
    private let state = Lock(State())

    /// The most tickets there can be.
    public let capacity: Int
    /// The most tickets there can be for one server.
    public let capacityPerServer: Int

    /// One for the whole process.
    public static let shared = SslSessionCache()

    /// Makes an empty cache.
    ///
    /// - Parameter capacity: the most tickets, each some 2 KiB; at least 1. Default: 1000.
    /// - Parameter capacityPerServer: the most tickets for one server, which is how many connections to it can be resumed at once; at least 1. Default: 4.
    public init(capacity: Int = 1000, capacityPerServer: Int = 4) {
        self.capacity = max(capacity, 1)
        self.capacityPerServer = min(max(capacityPerServer, 1), max(capacity, 1))
    }

    /// How many tickets there are.
    public var count: Int { state.withLock { $0.count } }

    /// Throws all tickets away.
    public func removeAll() { state.withLock { $0 = State() } }

    // MARK: For connections

    /// Takes a ticket out, the newest that can be used now. Those that have expired go as well.
    func take(_ key: Key, at time: SslInstant) -> SslSessionTicket? {
        state.withLock { state in
            guard var place = state.places.removeValue(forKey: key) else { return nil }
            state.count -= place.tickets.count
            place.tickets.removeAll { !$0.isUsable(under: key.terms, at: time) }
            let taken = place.tickets.popLast()
            Self.keep(place, key, &state)
            return taken
        }
    }

    /// Puts a ticket in that was received, or that can be used once more.
    func put(_ ticket: SslSessionTicket, _ key: Key, at time: SslInstant) {
        guard ticket.isUsable(under: key.terms, at: time) else { return }
        state.withLock { state in
            var place = state.places.removeValue(forKey: key) ?? Place()
            state.count -= place.tickets.count
            // A ticket that can be used again and again needs no second one beside it.
            place.tickets.removeAll { !$0.isForOneUse }
            place.tickets.append(ticket)
            place.tickets.removeFirst(max(place.tickets.count - capacityPerServer, 0))
            Self.keep(place, key, &state)
            while state.count > capacity, let oldest = state.places.min(by: { $0.value.lastUse < $1.value.lastUse }) {
                // The oldest ticket of the place that was not used for the longest.
                var place = oldest.value
                place.tickets.removeFirst()
                state.count -= 1
                state.places[oldest.key] = place.tickets.isEmpty ? nil : place
            }
        }
    }

    /// Throws away all that is kept under a key.
    func purge(_ key: Key) {
        state.withLock { state in
            if let place = state.places.removeValue(forKey: key) { state.count -= place.tickets.count }
        }
    }

    private static func keep(_ place: Place, _ key: Key, _ state: inout State) {
        guard !place.tickets.isEmpty else { return }
        var place = place
        state.uses += 1
        place.lastUse = state.uses
        state.count += place.tickets.count
        state.places[key] = place
    }
}

extension SslSessionCache: Hashable, CustomStringConvertible {
    /// The same cache.
    public static func == (a: SslSessionCache, b: SslSessionCache) -> Bool { a === b }
    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
    /// How many tickets; nothing secret.
    public var description: String { "session cache (\(count) of \(capacity) tickets)" }
}
