import Glibc
import Testing

@testable import SslSockets

/// A gate that blocks threads, not tasks, until it is opened.
final class Gate: Sendable {
    private let (reading, writing): (Int32, Int32)

    init() {
        var ends: [Int32] = [-1, -1]
        _ = unsafe pipe(&ends)
        (reading, writing) = (ends[0], ends[1])
    }

    deinit {
        close(reading)
        if !isOpen.withLock({ $0 }) { close(writing) }
    }

    private let isOpen = Lock(false)

    /// Lets everybody through, now and later: the end of the pipe never goes away.
    func open() {
        let wasOpen = isOpen.withLock { state in
            defer { state = true }
            return state
        }
        if !wasOpen { close(writing) }
    }

    func pass() {
        var byte: UInt8 = 0
        _ = unsafe read(reading, &byte, 1)
    }
}

@Suite("I/O: name lookup")
struct IOLookupTests {
    private func finished(_ lookup: HostLookup) throws -> Result<[SocketAddress], SslSocketError> {
        #expect(Poller.wait(fd: lookup.fd, events: .read, deadline: Deadline(after: .seconds(20))) == .ready(.read))
        return try #require(lookup.result)
    }

    @Test("an address is there at once and asks nobody")
    func literal() throws {
        let never: HostLookup.Resolver = { _, _, _ in .failure(SslSocketError(.operation, "asked")) }
        #expect(
            try HostLookup(host: "::1", port: 7, protocol: .any, resolver: never).result?.get() == [
                SocketAddress(.loopbackIPv6, port: 7)
            ])
        let wrong = HostLookup(host: "127.0.0.1", port: 7, protocol: .ipv6, resolver: never)
        #expect(throws: SslSocketError(.hostNotFound, "")) { try wrong.result?.get() }
        for name in ["", "a\0b", String(repeating: "a", count: 300)] {
            let lookup = HostLookup(host: name, port: 7, protocol: .any, resolver: never)
            #expect(throws: SslSocketError(.hostNotFound, "")) { try lookup.result?.get() }
        }
    }

    @Test("localhost is found by the system")
    func localhost() throws {
        let addresses = try finished(HostLookup(host: "localhost", port: 443, protocol: .any)).get()
        #expect(!addresses.isEmpty && addresses.allSatisfy { $0.ip.isLoopback && $0.port == 443 })
        let v4 = try finished(HostLookup(host: "localhost", port: 443, protocol: .ipv4)).get()
        #expect(v4 == [SocketAddress(.loopbackIPv4, port: 443)])
    }

    @Test("a name that cannot be looks up as not found")
    func notFound() throws {
        // A label of more than 63 octets (RFC 1035 section 2.3.4) is refused before any name server is asked.
        let lookup = HostLookup(host: String(repeating: "a", count: 70) + ".invalid", port: 1, protocol: .any)
        let error = #expect(throws: SslSocketError.self) { try finished(lookup).get() }
        #expect(
            error?.code == .hostNotFound && error?.nativeCode != 0 && error?.message.hasPrefix("Cannot find the host ") == true)
    }

    @Test("a slow resolver delays neither a timeout nor a cancellation, and its answer is dropped")
    func slow() throws {
        let gate = Gate()
        let lookup = HostLookup(host: "slow.test", port: 1, protocol: .any) { _, port, _ in
            gate.pass()
            return .success([SocketAddress(.loopbackIPv4, port: port)])
        }
        #expect(Poller.wait(fd: lookup.fd, events: .read, deadline: .past) == .timedOut)
        #expect(lookup.result == nil)
        lookup.cancel()
        #expect(throws: SslSocketError(.cancelled, "")) { try finished(lookup).get() }
        gate.open()
        #expect(throws: SslSocketError(.cancelled, "")) { try lookup.result?.get() }
    }

    @Test("no more than four threads wait for resolvers, and a cancelled lookup in the queue never begins")
    func bounded() throws {
        let gate = Gate()
        let (running, most) = (Lock(0), Lock(0))
        let resolver: HostLookup.Resolver = { _, port, _ in
            let now = running.withLock {
                $0 += 1
                return $0
            }
            most.withLock { $0 = max($0, now) }
            gate.pass()
            running.withLock { $0 -= 1 }
            return .success([SocketAddress(.loopbackIPv4, port: port)])
        }
        let begun = Lock(false)
        let lookups = (0..<12).map { HostLookup(host: "name\($0).test", port: UInt16($0), protocol: .any, resolver: resolver) }
        let last = HostLookup(host: "last.test", port: 1, protocol: .any) { _, _, _ in
            begun.withLock { $0 = true }
            return .success([])
        }
        last.cancel()
        gate.open()
        for (index, lookup) in lookups.enumerated() {
            #expect(try finished(lookup).get() == [SocketAddress(.loopbackIPv4, port: UInt16(index))])
        }
        #expect(throws: SslSocketError(.cancelled, "")) { try last.result?.get() }
        #expect(most.withLock { $0 } <= 4)
        #expect(!begun.withLock { $0 })
    }
}
