import SslBackend
import Testing

@testable import SslSockets

/// What the buffer of a device costs, counted in octets looked at and moved: time says nothing on a busy machine.
@Suite("Device: the buffer")
struct DeviceBufferTests {
    private func append(_ bytes: [UInt8], _ buffer: inout DeviceBuffer) {
        unsafe bytes.withUnsafeBytes { unsafe buffer.append($0) }
    }

    private func through(_ delimiter: [UInt8], _ buffer: inout DeviceBuffer) -> Int? {
        unsafe delimiter.withUnsafeBytes { unsafe buffer.length(through: $0) }
    }

    @Test("A line that comes octet by octet is looked at once")
    func lineOctetByOctet() {
        var buffer = DeviceBuffer()
        let count = 20_000
        for _ in 0..<count {
            append([7], &buffer)
            let length = buffer.lineLength()
            #expect(length == nil)
        }
        append([10], &buffer)
        let length = buffer.lineLength()
        #expect(length == count + 1)
        let again = buffer.lineLength()
        #expect(again == count + 1)
        let cost = buffer.searchedOctets
        #expect(cost <= count + 2)
    }

    @Test("A sequence that comes octet by octet is looked at a few times, wherever it is cut")
    func sequenceOctetByOctet() {
        var buffer = DeviceBuffer()
        let end: [UInt8] = [13, 10, 13, 10]
        let count = 10_000
        for index in 0..<count {
            append([index % 2 == 0 ? 13 : 10, 1], &buffer)
            let length = through(end, &buffer)
            #expect(length == nil)
        }
        append(end, &buffer)
        let length = through(end, &buffer)
        #expect(length == 2 * count + 4)
        let cost = buffer.searchedOctets
        #expect(cost <= 2 * count * 4 + 16)
    }

    @Test("Two kinds of delimiters do not make each other search again")
    func alternating() {
        var buffer = DeviceBuffer()
        for _ in 0..<5000 {
            append([1], &buffer)
            _ = buffer.lineLength()
            _ = through([0], &buffer)
        }
        let cost = buffer.searchedOctets
        #expect(cost <= 2 * 5000)
    }

    @Test("Many short lines in one arrival cost what they are long")
    func manyLines() {
        var buffer = DeviceBuffer()
        append([UInt8]((0..<10_000).flatMap { _ in [1, 2, 10] as [UInt8] }), &buffer)
        var lines = 0
        while let length = buffer.lineLength() {
            #expect(length == 3)
            buffer.consume(length)
            lines += 1
        }
        #expect(lines == 10_000)
        let cost = buffer.searchedOctets
        #expect(cost <= 30_000)
    }

    @Test("What is put back is searched, and what was searched behind it is not")
    func putBack() {
        var buffer = DeviceBuffer()
        append([UInt8](repeating: 1, count: 10_000), &buffer)
        _ = buffer.lineLength()
        let before = buffer.searchedOctets
        for _ in 0..<1000 {
            buffer.putBack(2)
            let length = buffer.lineLength()
            #expect(length == nil)
        }
        let after = buffer.searchedOctets
        #expect(after - before <= 2000)
        buffer.putBack(10)
        let first = buffer.lineLength()
        #expect(first == 1)
        // A newline that was read and is put back is found again.
        buffer.consume(1)
        let none = buffer.lineLength()
        #expect(none == nil)
        buffer.putBack(3)
        buffer.putBack(10)
        buffer.putBack(4)
        let second = buffer.lineLength()
        #expect(second == 2)
    }

    @Test("Putting back moves nothing but now and then, whatever is in the buffer")
    func putBackCost() {
        var buffer = DeviceBuffer()
        append([UInt8](repeating: 1, count: 4096), &buffer)
        for _ in 0..<100_000 { buffer.putBack(9) }
        let moved = buffer.queue.movedBytes
        #expect(moved <= 4 * 104_096)
        let all = buffer.take(.max)
        #expect(all == [UInt8](repeating: 9, count: 100_000) + [UInt8](repeating: 1, count: 4096))
    }

    @Test("A transaction moves no octets, and gives them back in order")
    func transaction() {
        var buffer = DeviceBuffer()
        append(octets(1000), &buffer)
        let moved = buffer.queue.movedBytes
        for _ in 0..<100 {
            buffer.startTransaction()
            let some = buffer.take(500)
            #expect(some == octets(500))
            let unread = buffer.count
            #expect(unread == 500)
            buffer.rollBackTransaction()
            let again = buffer.count
            #expect(again == 1000)
        }
        let after = buffer.queue.movedBytes
        #expect(after == moved)
        buffer.startTransaction()
        buffer.consume(300)
        append(octets(10, from: 1000), &buffer)
        let held = buffer.heldCount
        #expect(held == 1010)
        buffer.commitTransaction()
        let heldAfter = buffer.heldCount
        #expect(heldAfter == 710)
        let rest = buffer.take(.max)
        #expect(rest == octets(710, from: 300))
    }

    @Test("A line found in a transaction is found again after it was taken back")
    func lineInTransaction() {
        var buffer = DeviceBuffer()
        append([1, 10, 2, 10, 3], &buffer)
        buffer.startTransaction()
        for expected in [2, 2] {
            let length = buffer.lineLength()
            #expect(length == expected)
            buffer.consume(length ?? 0)
        }
        let third = buffer.lineLength()
        #expect(third == nil)
        buffer.rollBackTransaction()
        let first = buffer.lineLength()
        #expect(first == 2)
    }

    @Test("Nothing is remembered of octets that were thrown away")
    func removal() {
        var buffer = DeviceBuffer()
        append([1, 2, 3], &buffer)
        _ = buffer.lineLength()
        buffer.startTransaction()
        buffer.removeAll()
        let isInTransaction = buffer.isInTransaction
        #expect(!isInTransaction)
        append([10], &buffer)
        let length = buffer.lineLength()
        #expect(length == 1)
    }

    @Test("A delimiter in every place of every cut of a short stream")
    func everyCut() {
        let stream: [UInt8] = [5, 5, 6, 5, 6, 7, 5, 6]
        for delimiter in [[5, 6], [6, 7], [5, 5], [7], [5, 6, 7, 5, 6], [9]] as [[UInt8]] {
            let place = (0...(stream.count - delimiter.count)).first { Array(stream[$0..<($0 + delimiter.count)]) == delimiter }
            for cut in 0...stream.count {
                var buffer = DeviceBuffer()
                append(Array(stream[..<cut]), &buffer)
                let early = through(delimiter, &buffer)
                let expected = place.map { $0 + delimiter.count }
                #expect(early == (expected ?? .max <= cut ? expected : nil))
                append(Array(stream[cut...]), &buffer)
                let late = through(delimiter, &buffer)
                #expect(late == expected)
            }
        }
    }
}
