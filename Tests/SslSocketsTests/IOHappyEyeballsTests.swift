import Glibc
import Testing

@testable import SslSockets

/// A clock that stands still until it is moved.
final class HandClock: Sendable {
    private let time = Lock<Int64>(1_000_000_000)

    var clock: MonotonicClock { MonotonicClock { MonotonicTime(nanoseconds: self.time.withLock { $0 }) } }

    func advance(milliseconds: Int64) { time.withLock { $0 += milliseconds * 1_000_000 } }
}

/// An address that never answers: a listener whose queue is full, so that the system drops what asks to connect.
final class BlackHole {
    let address: SocketAddress
    private let listener: SocketDescriptor
    private var fillers: [SocketDescriptor] = []

    init(_ ip: IpAddress = .loopbackIPv4) throws {
        (listener, address) = try listeningDescriptor(ip, backlog: 0)
        // A backlog of n admits n + 1 connections.
        for _ in 0..<1 {
            let filler = try SocketDescriptor.stream(family: address.family)
            _ = filler.startConnect(to: address)
            #expect(Poller.wait(fd: filler.fd, events: .write, deadline: Deadline(after: .seconds(10))) == .ready(.write))
            fillers.append(filler)
        }
    }
}

@Suite("I/O: Happy Eyeballs")
struct IOHappyEyeballsTests {
    private let hand = HandClock()

    private func attempts(_ addresses: [SocketAddress]) -> ConnectAttempts {
        ConnectAttempts(addresses, host: "test", delay: .milliseconds(250), clock: hand.clock)
    }

    /// Waits for the system, never for the clock, until the attempts have ended.
    private func drive(_ attempts: ConnectAttempts) -> ConnectAttempts.Step {
        while true {
            let step = attempts.progress()
            guard case .waiting = step else { return step }
            guard case .ready = Poller.wait(fd: attempts.waitDescriptor, events: .read, deadline: Deadline(after: .seconds(10)))
            else { return step }
        }
    }

    private func refusing(_ ip: IpAddress = .loopbackIPv4) throws -> SocketAddress {
        let (listener, address) = try listeningDescriptor(ip)
        listener.close()
        return address
    }

    @Test("the families take turns, the resolver's first choice first")
    func order() {
        func address(_ text: String) -> SocketAddress { SocketAddress(IpAddress(text) ?? .anyIPv4, port: 1) }
        let six = ["2001:db8::1", "2001:db8::2", "2001:db8::3"].map(address)
        let four = ["192.0.2.1", "192.0.2.2"].map(address)
        #expect(ConnectAttempts.interleaved(six + four) == [six[0], four[0], six[1], four[1], six[2]])
        #expect(ConnectAttempts.interleaved([four[0], six[0], six[1], six[2]]) == [four[0], six[0], six[1], six[2]])
        #expect(ConnectAttempts.interleaved([]).isEmpty && ConnectAttempts.interleaved(four) == four)
    }

    @Test("connects, and the descriptor it waited with is not ready for the winner any more")
    func connects() throws {
        let (listener, address) = try listeningDescriptor()
        let attempts = attempts([address])
        guard case .connected(let winner, address) = drive(attempts) else {
            Issue.record("not connected")
            return
        }
        #expect(winner.peerAddress == address && attempts.nextDeadline == nil)
        #expect(Poller.wait(fd: attempts.waitDescriptor, events: .read, deadline: .past) == .timedOut)
        if case .accepted = listener.accept() {} else { Issue.record("nothing to accept") }
    }

    @Test("a refusal is followed at once by the next address, without any time passing")
    func refusedThenNext() throws {
        let (listener, good) = try listeningDescriptor()
        guard case .connected(_, good) = drive(attempts([try refusing(), try refusing(.loopbackIPv6), try refusing(), good]))
        else {
            Issue.record("not connected")
            return
        }
        withExtendedLifetime(listener) {}
    }

    @Test(
        "an address that never answers holds the others up for 250 ms and no longer",
        arguments: [IpAddress.loopbackIPv4, .loopbackIPv6])
    func blackHole(ip: IpAddress) throws {
        let hole = try BlackHole(ip)
        let (listener, good) = try listeningDescriptor()
        let attempts = attempts([hole.address, good])
        if case .waiting = attempts.progress() {} else { Issue.record("the black hole has answered") }
        #expect(attempts.nextDeadline == Deadline(after: .milliseconds(250), clock: hand.clock))
        hand.advance(milliseconds: 249)
        if case .waiting = attempts.progress() {} else { Issue.record("too early") }
        if case .wouldBlock = listener.accept() {} else { Issue.record("the second address was tried too early") }
        hand.advance(milliseconds: 1)
        guard case .connected(_, good) = drive(attempts) else {
            Issue.record("not connected")
            return
        }
        #expect(attempts.nextDeadline == nil)
    }

    @Test("one that fails at once while another is under way costs no delay")
    func failsAtOnceBeside() throws {
        let hole = try BlackHole()
        let (listener, good) = try listeningDescriptor()
        // TEST-NET-3 as a scopeless link-local address: connect(2) refuses it with EINVAL right away.
        let impossible = SocketAddress(try #require(IpAddress("fe80::1")), port: 1)
        let attempts = attempts([hole.address, impossible, good])
        _ = attempts.progress()
        hand.advance(milliseconds: 250)
        guard case .connected(_, good) = drive(attempts) else {
            Issue.record("not connected")
            return
        }
        withExtendedLifetime(listener) {}
    }

    @Test("when all fail, the most telling failure is reported")
    func failure() throws {
        let impossible = SocketAddress(try #require(IpAddress("fe80::1")), port: 1)
        let refused = try refusing()
        guard case .failed(let error) = drive(attempts([refused, impossible])) else {
            Issue.record("did not fail")
            return
        }
        #expect(
            error.code == .connectionRefused && error.systemError == ECONNREFUSED && error.message.contains("test (\(refused))"))
        guard case .failed(let none) = drive(attempts([])) else {
            Issue.record("did not fail")
            return
        }
        #expect(none.code == .hostNotFound)
    }

    @Test("giving up closes every attempt")
    func cancelling() throws {
        let attempts = attempts([try BlackHole().address, try BlackHole().address])
        _ = attempts.progress()
        attempts.cancel()
        guard case .failed = attempts.progress() else {
            Issue.record("something is still tried")
            return
        }
    }
}
