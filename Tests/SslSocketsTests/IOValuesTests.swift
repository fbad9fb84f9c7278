import Glibc
import Testing

@testable import SslSockets

@Suite("I/O: addresses, time, errors, memory")
struct IOValuesTests {
    @Test("a lock lets one thread in at a time")
    func lock() async {
        let counter = Lock(0)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 { group.addTask { for _ in 0..<10_000 { counter.withLock { $0 += 1 } } } }
        }
        #expect(counter.withLock { $0 } == 80_000)
        #expect(throws: SslSocketError(.operation, "")) {
            try counter.withLock { _ throws(SslSocketError) in throw SslSocketError(.operation, "refused") }
        }
        #expect(counter.withLock { $0 } == 80_000)
    }

    @Test(
        "addresses are read and written",
        arguments: [
            ("1.2.3.4", "1.2.3.4"), ("::1", "::1"), ("::", "::"), ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
            ("::ffff:1.2.3.4", "::ffff:1.2.3.4"), ("fe80::1%lo", "fe80::1%lo"), ("fe80::1%1", "fe80::1%lo"),
        ])
    func address(text: String, canonical: String) throws {
        let address = try #require(IpAddress(text))
        #expect(address.description == canonical)
        #expect(IpAddress(canonical) == address)
        #expect(IpAddress(octets: address.octets, scope: address.scope) == address)
    }

    @Test(
        "what is no address is none",
        arguments: [
            "", "localhost", "1.2.3", "1.2.3.4.5", "01.2.3.4", "256.1.1.1", " 1.2.3.4", "1.2.3.4%lo", "::1%", "::1%no-such-if",
            "::1%0",
            "::1%+1", "[::1]", "1.2.3.4\0", "0x7f.1", ":::",
        ])
    func noAddress(text: String) { #expect(IpAddress(text) == nil) }

    @Test("kinds of addresses and their octets")
    func kinds() {
        #expect(IpAddress("127.3.2.1")?.isLoopback == true)
        #expect(IpAddress("::ffff:127.0.0.1")?.isLoopback == true)
        #expect(IpAddress("128.0.0.1")?.isLoopback == false)
        #expect(IpAddress.loopbackIPv6.isLoopback && !IpAddress.anyIPv6.isLoopback)
        #expect(IpAddress("febf::1")?.isLinkLocal == true && IpAddress("fec0::1")?.isLinkLocal == false)
        #expect(IpAddress("169.254.9.9")?.isLinkLocal == true)
        #expect(IpAddress("1.2.3.4")?.octets == [1, 2, 3, 4])
        #expect(IpAddress.loopbackIPv6.octets == [UInt8](repeating: 0, count: 15) + [1])
        #expect(IpAddress(octets: [1, 2, 3]) == nil)
        // The same bytes in another family are another address.
        #expect(IpAddress.anyIPv4 != IpAddress.anyIPv6)
    }

    @Test("socket addresses survive the kernel's form")
    func socketAddress() throws {
        for text in ["9.8.7.6", "2001:db8::5", "fe80::1%lo"] {
            let address = SocketAddress(try #require(IpAddress(text)), port: 0xBEEF)
            #expect(SocketAddress(address.storage.0) == address)
        }
        #expect(SocketAddress(.loopbackIPv4, port: 80).description == "127.0.0.1:80")
        #expect(SocketAddress(.loopbackIPv6, port: 80).description == "[::1]:80")
        #expect(SocketAddress(sockaddr_storage()) == nil)
    }

    @Test("deadlines round up, saturate, and need no clock when past")
    func deadlines() throws {
        let clock = MonotonicClock { MonotonicTime(nanoseconds: 5_000_000) }
        #expect(Deadline(after: nil, clock: clock) == nil)
        #expect(Deadline(after: .zero, clock: clock) == .past)
        #expect(Deadline(after: .seconds(-1), clock: clock) == .past)
        let soon = try #require(Deadline(after: .nanoseconds(1), clock: clock))
        #expect(!soon.isDue(at: clock.now) && soon.remainingMilliseconds(at: clock.now) == 1)
        #expect(Deadline(after: .milliseconds(7), clock: clock)?.remainingMilliseconds(at: clock.now) == 7)
        #expect(Deadline.past.remainingMilliseconds(at: clock.now) == 0)
        let never = try #require(Deadline(after: .seconds(Int64.max), clock: clock))
        #expect(never.remainingMilliseconds(at: clock.now) == .max && !never.isDue(at: clock.now))
        #expect(soon.isBefore(nil) && soon.isBefore(never) && !never.isBefore(soon))
    }

    @Test("the queue of deadlines holds one entry a registration, and gives them out in order")
    func deadlineQueue() {
        func at(_ time: Int64) -> Deadline { Deadline(at: MonotonicTime(nanoseconds: time)) }
        var queue = DeadlineQueue()
        var random = SystemRandomNumberGenerator()
        var expected: [UInt64: Int64] = [:]
        for _ in 0..<5000 {
            let id = UInt64.random(in: 0..<200, using: &random)
            if Int.random(in: 0..<4, using: &random) == 0 {
                queue.remove(id)
                expected[id] = nil
            } else {
                let time = Int64.random(in: 0..<100_000, using: &random)
                _ = queue.insert(at(time), id)
                expected[id] = min(expected[id] ?? .max, time)
            }
            #expect(queue.count == expected.count && queue.next == expected.values.min().map(at))
        }
        var last = Int64.min
        for id in queue.takeDue(MonotonicTime(nanoseconds: 100_000)) {
            let time = expected.removeValue(forKey: id) ?? .min
            #expect(time >= last)
            last = time
        }
        #expect(expected.isEmpty && queue.count == 0)
        let wasFirst = [queue.insert(at(9), 1), queue.insert(at(12), 2), queue.insert(at(8), 2), queue.insert(at(10), 2)]
        #expect(wasFirst == [true, false, true, false])
        #expect(queue.takeDue(MonotonicTime(nanoseconds: 8)) == [2])
    }

    @Test(
        "errnos keep their meaning",
        arguments: [
            (ECONNREFUSED, SslSocketError.Code.connectionRefused), (ETIMEDOUT, .socketTimeout), (ECONNRESET, .network),
            (EPIPE, .network),
            (EHOSTUNREACH, .network), (EACCES, .socketAccess), (EMFILE, .socketResource), (ENOBUFS, .socketResource),
            (EADDRINUSE, .addressInUse), (EADDRNOTAVAIL, .addressNotAvailable), (EAFNOSUPPORT, .unsupportedOperation),
            (EMSGSIZE, .datagramTooLarge), (ENOTCONN, .operation), (9999, .network),
        ])
    func errnos(number: Int32, code: SslSocketError.Code) {
        let error = IOErrors.calling("test", number)
        #expect(error.code == code && error.systemError == number && error.message.hasPrefix("The system call test failed: "))
    }

    @Test("messages say what failed, on what, and what to do")
    func messages() {
        let address = SocketAddress(.loopbackIPv4, port: 8443)
        #expect(
            IOErrors.connecting(ECONNREFUSED, to: address, host: "example.org").message
                == "Cannot connect to example.org (127.0.0.1:8443): Connection refused; is a server listening there?")
        #expect(
            IOErrors.connecting(ETIMEDOUT, to: address, host: "127.0.0.1").message
                == "Cannot connect to 127.0.0.1:8443: Connection timed out")
        #expect(IOErrors.accepting(EMFILE).message.contains("ulimit -n"))
        #expect(IOErrors.receiving(ECONNRESET, from: "").message == "Receiving failed: Connection reset by peer")
    }

    @Test("blocks have the size asked for, are different ones, and are kept in bounded number")
    func bufferPool() {
        for size in BufferPool.Size.allCases {
            var starts: Set<UInt> = []
            let blocks = unsafe (0..<BufferPool.limit + 4).map { _ in unsafe BufferPool.take(size) }
            for index in unsafe blocks.indices {
                let block = unsafe blocks[index]
                unsafe block.initializeMemory(as: UInt8.self, repeating: 0xAA)
                #expect(block.count == size.rawValue)
                starts.insert(UInt(bitPattern: block.baseAddress))
            }
            #expect(starts.count == BufferPool.limit + 4)
            unsafe blocks.forEach { unsafe BufferPool.give($0, holdsPlaintext: true) }
            #expect(BufferPool.kept(size) <= BufferPool.limit)
        }
        BufferPool.trim()
    }
}
