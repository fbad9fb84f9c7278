internal import Glibc
internal import SslBackend
public import SslValues

/// The keys that servers seal their session tickets with: a ring of the present key, past ones, and ones to come.
///
/// A session ticket is all that a server remembers of a session, sealed with a key of its own; nothing is kept in memory, so whoever has the key
/// can resume the session. Servers with the same ring, in one process or in many, resume each other's sessions. The ring is an object
/// apart from the configuration: a new certificate does not end resumption.
///
/// A ring is made in one of two ways:
/// - ``init(rotationInterval:)`` makes keys of random octets and replaces them by itself. A server without a ring
///   (``SslConfiguration/ticketKeys``) has one of this kind.
/// - ``init(path:)`` reads them from a file, and again whenever that has changed, so that a fleet of servers can share them.
///
/// Whoever has a key can read what was said in TLS 1.2 under its tickets, and pass for the server to those who resume: rotate keys, and
/// keep their files from everybody but the server (RFC 5077 section 5.5).
///
/// **How the keys are used.** They seal nothing directly: keys for AES-256 and HMAC-SHA-256 are derived from each, for each way in which a server judges
/// its clients and each set of names it has certificates for, so a ticket resumes only where its client would be judged, and would have judged, in the
/// same way. A server with pre-shared keys has no tickets at all: they say nothing of who knew a key. Files in the forms of nginx and HAProxy hold the
/// very keys; see ``SslTicketKeyFormat``. GnuTLS has one key a connection: a client that resumes under a past key gets its next ticket under that
/// one too, for as long as the first ticket would have lasted; with OpenSSL it gets it under the present key.
///
/// A ring may be used from any thread.
public final class SslTicketKeys: Sendable {
    /// The keys of one moment.
    final class Ring: Sendable {
        let current: SecretBytes
        let previous: [SecretBytes]
        let next: [SecretBytes]
        init(current: SecretBytes, previous: [SecretBytes] = [], next: [SecretBytes] = []) {
            self.current = current
            self.previous = previous
            self.next = next
        }

        /// The current key first.
        var all: [SecretBytes] { [current] + previous + next }
    }
    private enum Origin {
        case generated(interval: Duration)
        case files([String])
    }
    private struct State {
        var ring: Ring
        /// When to rotate, or to look at the files again.
        var due: Deadline
        /// When the past key, too, is too old.
        var overdue: Deadline
        var stamps: [TicketKeyFile.Stamp] = []
        var failure: SslSocketError?
    }
    private let origin: Origin
    /// In which form the keys are.
    public let format: SslTicketKeyFormat
    private let clock: MonotonicClock
    private let state: Lock<State>

    /// How often files are looked at, at most.
    static let fileInterval = Duration.seconds(1)

    // MARK: Keys of its own

    /// Makes random keys that are replaced from time to time. A key seals tickets for the length of the interval, and opens them for
    /// as long again.
    ///
    /// - Parameter rotationInterval: how long a key is used for new tickets, at least a second. Default: 12 hours. Tickets last 2 hours.
    /// - Throws: ``SslSocketError/Code/socketResource`` when the system gives no random octets, ``SslSocketError/Code/invalidUserData`` for a shorter
    ///   interval.
    public convenience init(rotationInterval: Duration = .seconds(43_200)) throws(SslSocketError) {
        try self.init(rotationInterval: rotationInterval, clock: .system)
    }

    package init(rotationInterval: Duration, clock: MonotonicClock) throws(SslSocketError) {
        guard rotationInterval >= .seconds(1) else {
            throw SslSocketError(.invalidUserData, "Ticket keys cannot be replaced more often than once a second")
        }
        origin = .generated(interval: rotationInterval)
        format = .sslsocket
        self.clock = clock
        let ring = Ring(current: try Self.makeKey())
        state = Lock(Self.state(ring, interval: rotationInterval, now: clock.now))
    }

    // MARK: Keys from a file

    /// Reads the keys of a file in the form ``SslTicketKeyFormat/sslsocket``, and again whenever it has changed.
    ///
    /// - Throws: as ``init(paths:format:)``.
    public convenience init(path: String) throws(SslSocketError) { try self.init(paths: [path], format: .sslsocket) }

    /// Reads the keys of files, and again whenever they have changed: with the next connection that needs them, at most once a second. Files that cannot be
    /// read any more leave the ring as it is, see ``failure``. Replace a file as a whole (write another and rename it).
    ///
    /// - Parameter paths: one file; with ``SslTicketKeyFormat/nginx`` one a key, the first for new tickets.
    /// - Throws: ``SslSocketError/Code/unreadableFile`` for a file that cannot be read, or that others than its owner may read or write;
    ///   ``SslSocketError/Code/invalidUserData`` for one that is not of this form.
    public convenience init(paths: [String], format: SslTicketKeyFormat) throws(SslSocketError) {
        try self.init(paths: paths, format: format, clock: .system)
    }

    package init(paths: [String], format: SslTicketKeyFormat, clock: MonotonicClock) throws(SslSocketError) {
        guard !paths.isEmpty, paths.count <= TicketKeyFile.mostKeys, paths.count == 1 || format == .nginx else {
            throw SslSocketError(
                .invalidUserData, "Ticket keys are read from one file, in the form of nginx from 1 to \(TicketKeyFile.mostKeys)")
        }
        origin = .files(paths)
        self.format = format
        self.clock = clock
        let (ring, stamps) = try TicketKeyFile.read(paths, format)
        var state = Self.state(ring, interval: Self.fileInterval, now: clock.now)
        state.stamps = stamps
        self.state = Lock(state)
    }

    // MARK: The keys

    /// Why the files could not be read the last time; nil when they could. The keys read before stay in force.
    public var failure: SslSocketError? { state.withLock { $0.failure } }

    /// Makes a new key now; the present one is kept to open tickets until the next rotation. Reads the files anew whether they have changed or not.
    ///
    /// - Throws: what ``init(rotationInterval:)`` or ``init(paths:format:)`` throw; the keys stay as they are then.
    public func rotate() throws(SslSocketError) {
        try state.withLock { state throws(SslSocketError) in
            switch origin {
            case .generated(let interval):
                let ring = Ring(current: try Self.makeKey(), previous: [state.ring.current])
                state = Self.state(ring, interval: interval, now: clock.now)
            case .files(let paths): try reload(paths, &state)
            }
        }
    }

    /// The keys in force now.
    var ring: Ring {
        state.withLock { state in
            let now = clock.now
            guard state.due.isDue(at: now) else { return state.ring }
            switch origin {
            case .generated(let interval): turn(&state, interval, now)
            case .files(let paths):
                if state.failure != nil || TicketKeyFile.stamps(paths) != state.stamps { try? reload(paths, &state) }
                state.due = Deadline(at: now.adding(Self.fileInterval))
            }
            return state.ring
        }
    }

    private func turn(_ state: inout State, _ interval: Duration, _ now: MonotonicTime) {
        do throws(SslSocketError) {
            let fresh = try Self.makeKey()
            let past = state.overdue.isDue(at: now) ? [] : [state.ring.current]
            state = Self.state(Ring(current: fresh, previous: past), interval: interval, now: now)
        } catch {
            state.failure = error
        }
    }

    private func reload(_ paths: [String], _ state: inout State) throws(SslSocketError) {
        do throws(SslSocketError) {
            let (ring, stamps) = try TicketKeyFile.read(paths, format)
            // The same keys in a file that was only touched are derived from only once.
            if ring.all != state.ring.all { state.ring = ring }
            state.stamps = stamps
            state.failure = nil
        } catch {
            state.failure = error
            throw error
        }
    }

    private static func state(_ ring: Ring, interval: Duration, now: MonotonicTime) -> State {
        State(
            ring: ring, due: Deadline(at: now.adding(interval)), overdue: Deadline(at: now.adding(interval * 2)))
    }

    static func makeKey() throws(SslSocketError) -> SecretBytes {
        var octets = try KeyEncryption.randomOctets(TicketKeyFile.keyLength)
        return SecretBytes(wiping: &octets)
    }
}

extension SslTicketKeys: Hashable, CustomStringConvertible {
    /// The same ring.
    public static func == (a: SslTicketKeys, b: SslTicketKeys) -> Bool { a === b }
    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
    /// How many keys; nothing secret.
    public var description: String { "\(ring.all.count) ticket keys" }
}

/// In which form files hold ticket keys.
public enum SslTicketKeyFormat: String, Sendable, Hashable, CaseIterable {
    /// One file of lines of text for all backends: `current`, `previous` or `next`, a blank, and a key of 32 to 256 random octets in Base64.
    /// There is one `current` key, for new tickets; with up to 15 others tickets are opened only. Empty lines count for
    /// nothing, nor do those that begin with `#`.
    ///
    /// ```
    /// # openssl rand -base64 64 | tr -d '\n'
    /// previous 3q2+7w…
    /// current 8J+Ykg…
    /// next q83vEg…
    /// ```
    ///
    /// To rotate without a gap, every server must know a key before the first one uses it: `next` becomes `current`, `current`
    /// becomes `previous`, and a new `next` is made. ``SslTicketKeys/rotateFile(_:)`` does that.
    case sslsocket
    /// A key a file, 48 or 80 octets, as nginx (`ssl_session_ticket_key`) and Apache (`SSLSessionTicketKeyFile`, 48 octets) have them; the first file's for
    /// new tickets. Tickets go to and fro between these programs and the backend `openssl`, if both have the same certificates; the
    /// backend `gnutls` refuses them (``SslFeature/interchangeableTickets``). Such tickets say nothing about how clients were judged, so the
    /// server must not ask for certificates.
    case nginx
    /// One file of lines, each a key of 48 or 80 octets in Base64, 3 or more, the oldest first, as HAProxy has them (`tls-ticket-keys`): the last but
    /// one for new tickets, the last not yet. Otherwise like ``nginx``, without regard to certificates.
    case haproxy
}
