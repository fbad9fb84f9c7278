internal import SslBackend
internal import Testing

/// The queue of octets every connection stands on.
@Suite("ByteQueue")
struct ByteQueueTests {
    private func octets(_ count: Int, from first: Int = 0) -> [UInt8] {
        (first..<(first + count)).map { UInt8(truncatingIfNeeded: $0) }
    }

    @Test("Empty, it has no storage and gives nothing")
    func empty() {
        var queue = ByteQueue()
        check(queue.isEmpty)
        check(queue.count, is: 0)
        check(queue.capacity, is: 0)
        check(queue.take(), is: [])
        queue.consume(10)
        check(queue.count, is: 0)
        check(unsafe queue.readable.isEmpty)
    }

    @Test("What is appended comes out in order, in any portions", arguments: [1, 7, 511, 512, 513, 5000])
    func order(_ portion: Int) {
        var queue = ByteQueue()
        var out: [UInt8] = []
        for round in 0..<20 {
            queue.append(octets(portion, from: round * portion))
            out += queue.take(portion / 2)
        }
        out += queue.take()
        #expect(out == octets(portion * 20))
        check(queue.isEmpty)
    }

    @Test("What is prepended comes first, with and without room before it")
    func prepend() {
        var queue = ByteQueue()
        queue.append([4, 5, 6])
        unsafe [UInt8]([1, 2, 3]).withUnsafeBytes { unsafe queue.prepend($0) }
        check(queue.take(4), is: [1, 2, 3, 4])
        // Now there is room before the first octet.
        unsafe [UInt8]([9]).withUnsafeBytes { unsafe queue.prepend($0) }
        check(queue.take(), is: [9, 5, 6])
    }

    @Test("Prepending more than everything else keeps all")
    func prependMuch() {
        var queue = ByteQueue()
        queue.append(octets(400))
        unsafe octets(3000, from: 7).withUnsafeBytes { unsafe queue.prepend($0) }
        check(queue.take(), is: octets(3000, from: 7) + octets(400))
    }

    @Test("Memory that was written to counts once it is committed, and no more than there was room for")
    func commit() {
        var queue = ByteQueue()
        let room = unsafe queue.writable(minimum: 10)
        #expect(room.count >= 10)
        unsafe room.copyBytes(from: [1, 2, 3])
        check(queue.isEmpty)
        queue.commit(3)
        check(queue.take(), is: [1, 2, 3])
        queue.commit(-5)
        check(queue.isEmpty)
        queue.commit(1 << 30)
        check(queue.count <= queue.capacity)
    }

    @Test("A steady flow does not grow the memory")
    func steady() {
        var queue = ByteQueue()
        queue.append(octets(400))
        for round in 0..<10_000 {
            queue.append(octets(16, from: round))
            check(queue.take(16).count, is: 16)
        }
        check(queue.capacity <= 2048)
        check(queue.count, is: 400)
    }

    @Test("Storage is given back only when nothing is in it")
    func release() {
        var queue = ByteQueue()
        queue.append(octets(100))
        queue.releaseStorage()
        check(queue.count, is: 100)
        queue.removeAll()
        check(queue.isEmpty)
        check(queue.capacity > 0)
        queue.releaseStorage()
        check(queue.capacity, is: 0)
        queue.append([1])
        check(queue.take(), is: [1])
    }

    @Test("Taking into memory takes as much as fits")
    func takeInto() {
        var queue = ByteQueue()
        queue.append(octets(10))
        var memory = [UInt8](repeating: 0, count: 4)
        let count = unsafe memory.withUnsafeMutableBytes { unsafe queue.take(into: $0) }
        #expect(count == 4)
        #expect(memory == [0, 1, 2, 3])
        check(queue.count, is: 6)
    }

    @Test("Whatever is done at either end, moving costs no more than a few times what went in", arguments: [1, 3, 100])
    func cost(_ portion: Int) {
        var queue = ByteQueue()
        queue.append(octets(50_000))
        var given = 50_000
        for round in 0..<20_000 {
            switch round % 4 {
            case 0, 3: unsafe octets(portion).withUnsafeBytes { unsafe queue.prepend($0) }
            case 1: queue.append(octets(portion))
            default: queue.consume(3 * portion)
            }
            if round % 4 != 2 { given += portion }
        }
        check(queue.count, is: 50_000)
        check(queue.movedBytes <= 6 * given)
    }

    @Test("A queue that is nearly full and flows does not move everything for each octet")
    func nearlyFull() {
        var queue = ByteQueue()
        queue.append(octets(1000))
        for _ in 0..<100_000 {
            queue.append([1])
            queue.consume(1)
        }
        check(queue.movedBytes <= 4 * 100_000)
        check(queue.capacity <= 4096)
    }
}
