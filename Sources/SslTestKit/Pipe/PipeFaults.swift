/// What goes wrong on the way in one direction of a ``MemoryPipe``. Nothing, unless said.
public struct PipeFaults: Sendable, Hashable {
    /// At most so many octets arrive at a time; nil for all there are.
    public var chunk: Int?
    /// The octet of this number, counted from the first that was ever sent in this direction, arrives with its lowest bit flipped.
    public var flippedOctet: Int?
    /// The stream ends after so many octets, counted in the same way.
    public var cutAfter: Int?
    /// Octets arrive only when neither end can go on without them, and then all at once.
    public var isCoalesced = false
    /// What an end sends when it closes gets lost, and the stream ends.
    public var losesClosure = false

    /// No faults.
    public init() {}

    /// One octet at a time.
    public static var octetByOctet: PipeFaults {
        var faults = PipeFaults()
        faults.chunk = 1
        return faults
    }

    /// Everything at once, as late as possible.
    public static var coalesced: PipeFaults {
        var faults = PipeFaults()
        faults.isCoalesced = true
        return faults
    }
}
