/// One direction of a ``MemoryPipe``: octets on their way, and what happens to them.
public struct PipeDirection: Sendable {
    /// What goes wrong on the way. It may be changed between two runs of the pipe.
    public var faults = PipeFaults()
    /// Everything that was ever sent in this direction, before any fault.
    public private(set) var transcript: [UInt8] = []
    private var waiting: [UInt8] = []
    private var delivered = 0
    private var hasEnded = false
    private var endWasDelivered = false

    /// An open direction without faults.
    public init() {}

    /// Puts octets on their way.
    mutating func send(_ octets: [UInt8]) {
        guard !hasEnded else { return }
        transcript += octets
        waiting += octets
    }

    /// No more octets will follow those that are on their way.
    mutating func end() { hasEnded = true }

    /// What arrives now; nil when nothing does.
    ///
    /// - Parameter isQuiet: neither end can go on without input.
    mutating func deliver(isQuiet: Bool) -> (octets: [UInt8], isEnd: Bool)? {
        if faults.isCoalesced && !isQuiet { return nil }
        if let cut = faults.cutAfter, delivered + waiting.count >= cut {
            waiting = Array(waiting.prefix(max(cut - delivered, 0)))
            hasEnded = true
        }
        let count = min(waiting.count, max(faults.chunk ?? waiting.count, 1))
        var octets = Array(waiting.prefix(count))
        waiting.removeFirst(count)
        if let flipped = faults.flippedOctet, (delivered..<(delivered + count)).contains(flipped) {
            octets[flipped - delivered] ^= 1
        }
        delivered += count
        let isEnd = hasEnded && waiting.isEmpty && !endWasDelivered
        if octets.isEmpty && !isEnd { return nil }
        if isEnd { endWasDelivered = true }
        return (octets, isEnd)
    }
}
