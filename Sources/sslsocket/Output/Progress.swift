internal import SslBackend
internal import SslSockets

/// One line on standard error that is written over and over.
final class Progress: Sendable {
    private let total: Int
    private let count = Lock(0)

    init(total: Int) { self.total = total }

    /// One more is done. Called on any thread.
    func advance(_ what: String) {
        count.withLock { count in
            count += 1
            // Written under the lock, so that the numbers never run backwards. Short enough for narrow terminals.
            Console.errorPart("\r\u{1B}[K\(count)/\(total) \(what.prefix(60))")
        }
    }

    /// Takes the line away.
    func clear() { Console.errorPart("\r\u{1B}[K") }
}
