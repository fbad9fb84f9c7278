internal import CSslLinux
internal import SslBackend

/// What a device has received and its reader has not taken, with what `QIODevice` can do on it: look ahead, find lines, put back, take back.
/// It is the same one in the plain and in the encrypted phase.
///
/// A search looks at no octet twice for the same delimiter, and a transaction moves no octets: it keeps what was read in front of the
/// rest until it ends.
struct DeviceBuffer: ~Copyable {
    /// All octets: those a transaction has read first, then the unread ones. Received octets are appended here.
    var queue = ByteQueue()
    /// How many octets a transaction has read; they come back when it is rolled back.
    private var readInTransaction = 0
    /// Octets that are read stay until the transaction ends.
    private(set) var isInTransaction = false

    /// Where the first octet of the queue stands in the stream, counted from anywhere.
    private var origin = 0
    private var lineSearch = Search()
    private var otherSearch = Search()
    private var otherDelimiter: [UInt8] = []
    /// How many octets searches have looked at: the whole cost of them.
    private(set) var searchedOctets = 0

    /// A stretch of the stream, in positions of ``origin``, where no delimiter begins.
    private struct Search {
        var start = 0
        var end = 0
    }

    // MARK: What is there

    /// How many octets can be read.
    var count: Int { queue.count - readInTransaction }
    /// Nothing can be read.
    var isEmpty: Bool { queue.count == readInTransaction }
    /// How many octets are in memory, with those a transaction keeps.
    var heldCount: Int { queue.count }
    /// What can be read. Valid until the next change.
    var unread: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(rebasing: queue.readable.dropFirst(readInTransaction))
    }

    // MARK: Taking

    /// Drops the first `n` octets, at most all.
    mutating func consume(_ n: Int) {
        let n = min(max(n, 0), count)
        if isInTransaction {
            readInTransaction += n
        } else {
            origin &+= n
            queue.consume(n)
        }
    }

    /// Moves up to `target.count` octets into `target` and returns how many.
    mutating func take(into target: UnsafeMutableRawBufferPointer) -> Int {
        guard isInTransaction else {
            let n = unsafe queue.take(into: target)
            origin &+= n
            return n
        }
        let n = unsafe copy(into: target)
        readInTransaction += n
        return n
    }

    /// Copies up to `target.count` octets into `target`, which stay, and returns how many.
    borrowing func copy(into target: UnsafeMutableRawBufferPointer) -> Int {
        let n = min(count, target.count)
        unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: unread.prefix(n)))
        return n
    }

    /// Up to `limit` octets, which stay.
    borrowing func copy(_ limit: Int) -> [UInt8] {
        unsafe [UInt8](UnsafeRawBufferPointer(rebasing: unread.prefix(max(limit, 0))))
    }

    /// Takes up to `limit` octets.
    mutating func take(_ limit: Int) -> [UInt8] {
        let bytes = copy(limit)
        consume(bytes.count)
        return bytes
    }

    /// Appends octets that were received.
    mutating func append(_ bytes: UnsafeRawBufferPointer) { unsafe queue.append(bytes) }

    /// Puts an octet before all others. Not in a transaction, whose octets stand there.
    mutating func putBack(_ octet: UInt8) {
        // What stood at that place before was another octet.
        lineSearch.start = max(lineSearch.start, origin)
        otherSearch.start = max(otherSearch.start, origin)
        origin &-= 1
        unsafe withUnsafeBytes(of: octet) { unsafe queue.prepend($0) }
    }

    /// Forgets everything, a transaction too.
    mutating func removeAll() {
        // Searches know nothing of what comes after.
        origin &+= queue.count
        queue.removeAll()
        readInTransaction = 0
        isInTransaction = false
    }

    /// Wipes the memory and gives it back, if it is empty.
    mutating func releaseStorage() { queue.releaseStorage() }

    // MARK: Transactions

    /// From now on what is read stays.
    mutating func startTransaction() { isInTransaction = true }

    /// Drops what was read since the start.
    mutating func commitTransaction() {
        let n = readInTransaction
        readInTransaction = 0
        isInTransaction = false
        consume(n)
    }

    /// Everything that was read since the start can be read again.
    mutating func rollBackTransaction() {
        readInTransaction = 0
        isInTransaction = false
    }

    // MARK: Searching

    /// How many octets a line has with its newline; nil while no whole line is there.
    mutating func lineLength() -> Int? {
        unsafe withUnsafeBytes(of: UInt8(ascii: "\n")) { newline in
            unsafe Self.find(newline, in: unread, at: origin &+ readInTransaction, &lineSearch, &searchedOctets)
        }.map { $0 + 1 }
    }

    /// How many octets stand before the end of the first `delimiter`, it included; nil while it is not there, and for an empty one.
    mutating func length(through delimiter: UnsafeRawBufferPointer) -> Int? {
        guard delimiter.count > 0 else { return nil }
        let isKnown = unsafe otherDelimiter.withUnsafeBytes { unsafe $0.elementsEqual(delimiter) }
        if !isKnown {
            otherDelimiter = unsafe [UInt8](delimiter)
            otherSearch = Search()
        }
        return unsafe Self.find(delimiter, in: unread, at: origin &+ readInTransaction, &otherSearch, &searchedOctets)
            .map { $0 + delimiter.count }
    }

    /// Where the first delimiter begins.
    ///
    /// - Parameters:
    ///   - bytes: what to look at.
    ///   - position: where `bytes` stand in the stream.
    ///   - search: what an earlier search has found out.
    ///   - cost: grows by the octets looked at.
    private static func find(
        _ delimiter: UnsafeRawBufferPointer, in bytes: UnsafeRawBufferPointer, at position: Int, _ search: inout Search,
        _ cost: inout Int
    ) -> Int? {
        func look(_ range: Range<Int>) -> Int? {
            guard !range.isEmpty, let start = bytes.baseAddress, let needle = delimiter.baseAddress else { return nil }
            let found = unsafe ssllinux_find(start + range.lowerBound, range.count, needle, delimiter.count)
            let place = unsafe found.map { unsafe UnsafeRawPointer($0) - start }
            cost += place.map { $0 + delimiter.count - range.lowerBound } ?? range.count
            return place
        }
        // A delimiter may have begun shortly before the end and go on in what comes next.
        let last = max(bytes.count - delimiter.count + 1, 0)
        var from = 0
        if search.start < search.end, search.end > position, search.start <= position + last {
            // What was put back, or taken back, stands before the stretch that is known.
            let gap = max(search.start - position, 0)
            if gap > 0, let place = look(0..<min(gap + delimiter.count - 1, bytes.count)) {
                search = Search(start: position, end: position + place)
                return place
            }
            from = min(search.end - position, last)
        }
        let place = look(from..<bytes.count)
        search = Search(start: position, end: position + (place ?? last))
        return place
    }
}
