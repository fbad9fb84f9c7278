internal import SslBackend
public import SslValues

/// The status of a server's certificate, to be stapled to it for clients that ask (RFC 6066 section 8, RFC 8446 section 4.4.2.1). Beyond Qt.
///
/// It is shared by every connection of the credentials it belongs to, and is renewed while they run, without a restart:
///
/// ```swift
/// // A file that something else replaces in time, for example a daily call of a responder's client.
/// configuration.credentials[0].stapler = try SslOcspStapler(file: "server.ocsp")
///
/// // Or a question of one's own.
/// let stapler = SslOcspStapler { try await askResponder() }
/// stapler.onRefreshFailure { log("\($0)") }
/// try await stapler.refresh()
/// ```
///
/// ## When it is renewed
///
/// When half of the time until `nextUpdate` is over: at the latest a day after the last success and an hour after the last failure, or when the
/// response has no such time; at the earliest after a minute, which is also how often a first response is asked for.
///
/// What cannot be read, has expired or is not valid yet does not replace what is there. When renewing fails, the old response is stapled as long as it
/// is valid, and nothing from then on: a client that insists then complains about a missing response. Each failure is told by
/// ``onRefreshFailure(_:)``.
public final class SslOcspStapler: Sendable {
    /// Suspends until a time has come; throws when the waiting task was cancelled.
    package typealias Timer = @Sendable (SslInstant) async throws -> Void

    private struct Staple {
        var octets: [UInt8]
        var start: SslInstant?
        var end: SslInstant?
    }
    private struct State {
        var staple: Staple?
        /// When to renew it.
        var due = TlsClock.now
        var failure: (@Sendable (SslSocketError) -> Void)?
        var renewal: Task<Void, Never>?
    }
    private let state = Lock(State())
    private let path: String?
    private let source: (@Sendable () async throws -> [UInt8])?

    // MARK: Making one

    /// With nothing to staple yet.
    public init() {
        path = nil
        source = nil
    }

    /// With a response in DER.
    /// - Throws: ``SslSocketError/Code/invalidUserData``: see ``update(_:)``.
    public convenience init(response: [UInt8]) throws(SslSocketError) {
        self.init()
        try update(response)
    }

    /// With the response (DER) of a file, as a responder gave it. The file is read again in time, as told above.
    /// - Throws: ``SslSocketError/Code/unreadableFile``, ``SslSocketError/Code/invalidUserData``.
    public convenience init(file path: String) throws(SslSocketError) { try self.init(file: path, timer: Self.sleep) }

    /// With what `fetch` gives, which is asked at once and again in time, as told above; with nothing until it has answered for the first time.
    ///
    /// - Parameter fetch: asks a responder and returns its response in DER, or throws. It is called by a task of the stapler's own, never twice at once
    ///   by it; ``refresh()`` calls it too.
    public convenience init(refresh fetch: @escaping @Sendable () async throws -> [UInt8]) {
        self.init(timer: Self.sleep, refresh: fetch)
    }

    /// The same with another clock.
    package init(file path: String, timer: @escaping Timer) throws(SslSocketError) {
        self.path = path
        source = { try FileReader.read(path) }
        try reload()
        begin(timer)
    }

    /// The same with another clock.
    package init(timer: @escaping Timer, refresh fetch: @escaping @Sendable () async throws -> [UInt8]) {
        path = nil
        source = fetch
        begin(timer)
    }

    /// With octets that may be anything, for tests of clients.
    package convenience init(unchecked octets: [UInt8]) {
        self.init()
        state.withLock { $0.staple = Staple(octets: octets) }
    }

    deinit { state.withLock { $0.renewal }?.cancel() }

    // MARK: Renewing

    /// Staples another response (DER) from now on.
    /// - Throws: ``SslSocketError/Code/invalidUserData`` when it is malformed, or the error message of a responder; the old one stays then.
    ///   The same for one that has expired or is not valid yet, while one that is valid is stapled.
    public func update(_ response: [UInt8]) throws(SslSocketError) {
        let fresh = try Self.read(response)
        if self.response != nil { try Self.checkTime(of: fresh) }
        take(fresh)
    }

    /// Reads the file again that the stapler was made with.
    /// - Throws: as ``init(file:)``, and ``SslSocketError/Code/operation`` when there is no file; the old response stays then.
    public func reload() throws(SslSocketError) {
        guard let path else { throw SslSocketError(.operation, "The stapler was not made with a file") }
        try update(FileReader.read(path))
    }

    /// Renews the response now, from the file or the closure the stapler was made with.
    ///
    /// - Throws: what the source failed with, ``SslSocketError/Code/operation`` for an error of another type and for a stapler without a source, and
    ///   ``SslSocketError/Code/invalidUserData`` for a response that is malformed, has expired or is not valid yet. The old one stays then, and
    ///   ``onRefreshFailure(_:)`` is told as well.
    public func refresh() async throws(SslSocketError) {
        guard let source else { throw SslSocketError(.operation, "The stapler has no source to renew its response from") }
        do {
            let fresh = try Self.read(await source())
            try Self.checkTime(of: fresh)
            if let start = fresh.start, let held = state.withLock({ $0.staple?.start }), start < held {
                throw SslSocketError(.invalidUserData, "The new OCSP response is older than the one that is stapled")
            }
            take(fresh)
        } catch {
            let reason = error as? SslSocketError ?? SslSocketError(.operation, "\(error)")
            throw fail(reason)
        }
    }

    /// Is told each time the response could not be renewed, by any thread; nil for nobody. The error says why, and until when the old one is
    /// stapled.
    public func onRefreshFailure(_ hook: (@Sendable (SslSocketError) -> Void)?) { state.withLock { $0.failure = hook } }

    /// Staples nothing any more, until it is renewed.
    public func clear() { state.withLock { $0.staple = nil } }

    /// What is stapled now; nil for nothing, or when it has expired.
    public var response: [UInt8]? {
        guard let now = state.withLock({ $0.staple }) else { return nil }
        // Without a time of its own no client takes it for longer.
        let end = now.end ?? now.start?.adding(days: OcspJudgement.longestAge)
        if let end, TlsClock.now > end { return nil }
        return now.octets
    }

    private func take(_ staple: Staple) {
        state.withLock { state in
            state.staple = staple
            state.due = Self.half(of: staple.end, longest: staple.end == nil ? Self.hour : 24 * Self.hour)
        }
    }

    /// Notes a failure, and says it in words that tell what it means.
    private func fail(_ reason: SslSocketError) -> SslSocketError {
        let (hook, staple) = state.withLock { state in
            state.due = Self.half(of: state.staple.map(\.end) ?? TlsClock.now, longest: Self.hour)
            return (state.failure, state.staple)
        }
        var error = reason
        let rest =
            response == nil ? "nothing is stapled" : "the old one is stapled" + (staple?.end.map { " until \($0)" } ?? "")
        error.message = "The OCSP response was not renewed, \(rest): \(reason.message)"
        hook?(error)
        return error
    }

    private static let hour: Int64 = 3600

    /// When half of the time until `end` is over, within limits in seconds.
    private static func half(of end: SslInstant?, longest: Int64) -> SslInstant {
        let now = TlsClock.now
        let rest = end.map { ($0.secondsSince1970 - now.secondsSince1970) / 2 } ?? longest
        return now.adding(seconds: min(max(rest, 60), longest))
    }

    // MARK: The stapler's own task

    /// It holds the stapler only while it renews, so that a stapler nobody needs any more ends it.
    private func begin(_ timer: @escaping Timer) {
        let task = Task { [weak self] in
            while let due = self?.state.withLock({ $0.due }) {
                do { try await timer(due) } catch { return }
                // The hook has been told of a failure.
                try? await self?.refresh()
            }
        }
        state.withLock { $0.renewal = task }
    }

    private static let sleep: Timer = { due in
        try await Task.sleep(for: .seconds(max(due.secondsSince1970 - TlsClock.now.secondsSince1970, 0)))
    }

    // MARK: Reading

    private static func read(_ octets: [UInt8]) throws(SslSocketError) -> Staple {
        guard let message = OcspMessage(octets) else {
            throw SslSocketError(.invalidUserData, "The octets are not an OCSP response in DER")
        }
        guard let basic = message.basic, !basic.responses.isEmpty else {
            throw SslSocketError(
                .invalidUserData, "The OCSP response says nothing about a certificate: its status is \(message.status)")
        }
        return Staple(
            octets: octets, start: basic.responses.map(\.thisUpdate).max(), end: basic.responses.compactMap(\.nextUpdate).min())
    }

    private static func checkTime(of staple: Staple) throws(SslSocketError) {
        let now = TlsClock.now
        if let end = staple.end, now > end {
            throw SslSocketError(.invalidUserData, "The new OCSP response has expired at \(end)")
        }
        if let start = staple.start, start > now.adding(seconds: OcspJudgement.slack) {
            throw SslSocketError(.invalidUserData, "The new OCSP response is valid only from \(start) on")
        }
    }
}

extension SslOcspStapler: Hashable {
    public static func == (a: SslOcspStapler, b: SslOcspStapler) -> Bool { a === b }
    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
