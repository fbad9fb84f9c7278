import Glibc
import Testing

@testable import SslSockets

/// A listener on loopback and clients of it, without a task that waits anywhere.
func listeningDescriptor(_ ip: IpAddress = .loopbackIPv4, backlog: Int = 8) throws -> (SocketDescriptor, SocketAddress) {
    let listener = try SocketDescriptor.listener(at: SocketAddress(ip, port: 0), backlog: backlog)
    return (listener, try #require(listener.localAddress))
}

/// Two connected sockets.
func connectedDescriptors() throws -> (SocketDescriptor, SocketDescriptor) {
    var numbers: [Int32] = [-1, -1]
    #expect(unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &numbers) == 0)
    return (try SocketDescriptor.adopt(fd: numbers[0]), try SocketDescriptor.adopt(fd: numbers[1]))
}

extension SocketDescriptor {
    func sendText(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        if case .bytes(bytes.count) = unsafe bytes.withUnsafeBytes({ unsafe send($0) }) { return true }
        return false
    }

    /// What is there; nil when that is nothing.
    func receiveText() -> String? {
        var bytes = [UInt8](repeating: 0, count: 4096)
        guard case .bytes(let count) = unsafe bytes.withUnsafeMutableBytes({ unsafe receive(into: $0) }) else { return nil }
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }
}

@Suite("I/O: descriptors and poll")
struct IODescriptorTests {
    @Test("connects, accepts and moves octets", arguments: [IpAddress.loopbackIPv4, .loopbackIPv6])
    func roundTrip(ip: IpAddress) throws {
        let (listener, address) = try listeningDescriptor(ip)
        if case .wouldBlock = listener.accept() {} else { Issue.record("nobody has connected yet") }
        let client = try SocketDescriptor.stream(family: address.family)
        let started = client.startConnect(to: address)
        #expect(started == 0 || started == EINPROGRESS)
        #expect(Poller.wait(fd: client.fd, events: .write, deadline: Deadline(after: .seconds(10))) == .ready(.write))
        #expect(client.connectError == 0 && client.peerAddress == address)
        guard case .accepted(let server) = listener.accept() else {
            Issue.record("nothing to accept")
            return
        }
        #expect(server.peerAddress == client.localAddress)
        #expect(fcntl(server.fd, F_GETFL) & O_NONBLOCK != 0 && fcntl(server.fd, F_GETFD) & FD_CLOEXEC != 0)
        #expect(server.receiveText() == nil)
        #expect(client.sendText("hello"))
        #expect(Poller.wait(fd: server.fd, events: .read, deadline: Deadline(after: .seconds(10))) == .ready(.read))
        #expect(server.receiveText() == "hello")
        client.setNoDelay(true)
        #expect(client.option(Int32(IPPROTO_TCP), TCP_NODELAY) == 1)
    }

    @Test("an end, a reset and a broken pipe are told apart")
    func ends() throws {
        let (a, b) = try connectedDescriptors()
        var room = [UInt8](repeating: 0, count: 16)
        let none = unsafe room.withUnsafeMutableBytes {
            unsafe a.receive(into: UnsafeMutableRawBufferPointer(rebasing: $0.prefix(0)))
        }
        if case .bytes(0) = none {} else { Issue.record("no room is not the end of the stream") }
        b.close()
        b.close()
        if case .endOfStream = unsafe room.withUnsafeMutableBytes({ unsafe a.receive(into: $0) }) {
        } else {
            Issue.record("no end")
        }
        // Without MSG_NOSIGNAL this would end the process.
        if case .failed(EPIPE) = unsafe room.withUnsafeBytes({ unsafe a.send($0) }) {} else { Issue.record("no EPIPE") }

        let (listener, address) = try listeningDescriptor()
        let client = try SocketDescriptor.stream(family: address.family)
        _ = client.startConnect(to: address)
        guard case .accepted(let server) = listener.accept() else {
            Issue.record("nothing to accept")
            return
        }
        client.resetOnClose()
        client.close()
        #expect(Poller.wait(fd: server.fd, events: .read, deadline: Deadline(after: .seconds(10))) == .ready([.read, .hangup]))
        if case .failed(ECONNRESET) = unsafe room.withUnsafeMutableBytes({ unsafe server.receive(into: $0) }) {
        } else {
            Issue.record("no reset")
        }
    }

    @Test("a refused connection says so")
    func refused() throws {
        let (listener, address) = try listeningDescriptor()
        listener.close()
        let client = try SocketDescriptor.stream(family: address.family)
        let started = client.startConnect(to: address)
        if started == EINPROGRESS {
            _ = Poller.wait(fd: client.fd, events: .write, deadline: Deadline(after: .seconds(10)))
            #expect(client.connectError == ECONNREFUSED)
        } else {
            #expect(started == ECONNREFUSED)
        }
    }

    @Test("a closed listener keeps its number until nobody uses it, and frees its port at once")
    func closedListener() throws {
        let (listener, address) = try listeningDescriptor()
        listener.close()
        #expect(fcntl(listener.fd, F_GETFD) >= 0)
        if case .failed(EINVAL) = listener.accept() {} else { Issue.record("it still listens") }
        if case .ready = Poller.wait(fd: listener.fd, events: .read, deadline: .past) {
        } else {
            Issue.record("whoever polls it is not woken")
        }
        let next = try SocketDescriptor.listener(at: address, backlog: 1)
        #expect(next.localAddress == address)
        #expect(throws: SslSocketError(.addressInUse, "")) { _ = try SocketDescriptor.listener(at: address, backlog: 1) }
    }

    @Test("an adopted descriptor must be a stream socket; a refused one stays open")
    func adopting() throws {
        var pipes: [Int32] = [-1, -1]
        #expect(unsafe pipe(&pipes) == 0)
        #expect(throws: SslSocketError(.unsupportedOperation, "")) { _ = try SocketDescriptor.adopt(fd: pipes[0]) }
        #expect(fcntl(pipes[0], F_GETFD) >= 0)
        for number in pipes { close(number) }
        let datagram = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        #expect(throws: SslSocketError(.unsupportedOperation, "")) { _ = try SocketDescriptor.adopt(fd: datagram) }
        close(datagram)
        #expect(throws: SslSocketError(.operation, "")) { _ = try SocketDescriptor.adopt(fd: -1) }
        let (a, _) = try connectedDescriptors()
        #expect(fcntl(a.fd, F_GETFL) & O_NONBLOCK != 0 && a.peerAddress == nil)
    }

    @Test("poll ends at the deadline of the clock it is given")
    func pollDeadline() throws {
        let (a, b) = try connectedDescriptors()
        #expect(Poller.wait(fd: a.fd, events: .read, deadline: .past) == .timedOut)
        let ticks = Lock<Int64>(0)
        // Each look at the clock is a millisecond later, so that the remaining time shrinks to nothing without anybody sleeping it off.
        let clock = MonotonicClock {
            ticks.withLock {
                $0 += 1_000_000
                return MonotonicTime(nanoseconds: $0)
            }
        }
        #expect(
            Poller.wait(fd: a.fd, events: .read, deadline: Deadline(after: .milliseconds(3), clock: clock), clock: clock)
                == .timedOut)
        #expect(ticks.withLock { $0 } >= 4_000_000)
        #expect(Poller.wait(fd: a.fd, events: .both, deadline: nil) == .ready(.write))
        #expect(Poller.wait(fd: -1, events: .read, deadline: nil) == .closed)
        b.close()
        #expect(Poller.wait(fd: a.fd, events: .read, deadline: nil) == .ready([.read, .hangup]))
    }
}
