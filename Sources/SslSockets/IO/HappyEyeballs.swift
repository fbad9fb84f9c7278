internal import CSslLinux
internal import Glibc
package import SslValues

/// Connects to the first of several addresses that answers (RFC 8305, "Happy Eyeballs"): they are tried in order, the families taking turns, a
/// new one each 250 ms or as soon as one fails; the first that connects wins and the others are closed.
///
/// A bound socket has one descriptor, so its attempts come one after the other.
///
/// All attempts stand in one epoll instance, which is itself a descriptor to wait on: ``waitDescriptor``. A driver waits for it until
/// ``nextDeadline`` and calls ``progress()``.
package final class ConnectAttempts {
    /// What a turn came to.
    package enum Step {
        case waiting
        case connected(SocketDescriptor, SocketAddress)
        case failed(SslSocketError)
    }

    private let host: String
    private var remaining: ArraySlice<SocketAddress>
    private var running: [(descriptor: SocketDescriptor, address: SocketAddress)] = []
    private var failure: SslSocketError?
    private let options: [SslSocketOption: Int]
    /// Where to connect from.
    private let bound: BoundSocket?
    private let delay: Duration
    private let clock: MonotonicClock
    /// Readable when an attempt has ended one way or the other.
    package let waitDescriptor: Int32
    /// When the next address is due; nil when there is none.
    package private(set) var nextDeadline: Deadline?

    /// The addresses in the order of the resolver (RFC 6724).
    package convenience init(_ addresses: [SocketAddress], host: String) {
        self.init(addresses, host: host, options: [:], bound: nil)
    }

    /// The addresses in the order of the resolver.
    ///
    /// - Parameters:
    ///   - options: set on each descriptor before it connects.
    ///   - bound: what to connect; its owner closes it.
    convenience init(_ addresses: [SocketAddress], host: String, options: [SslSocketOption: Int], bound: BoundSocket?) {
        self.init(addresses, host: host, options: options, bound: bound, delay: .milliseconds(250), clock: .system)
    }

    init(
        _ addresses: [SocketAddress], host: String, options: [SslSocketOption: Int] = [:], bound: BoundSocket? = nil,
        delay: Duration, clock: MonotonicClock
    ) {
        self.host = host
        self.options = options
        self.bound = bound
        self.delay = delay
        self.clock = clock
        remaining = Self.interleaved(bound.map { addresses.compactMap($0.reachable) } ?? addresses)[...]
        if let bound, remaining.isEmpty, !addresses.isEmpty {
            let place = bound.descriptor.localAddress.map { " to \($0)" } ?? ""
            failure = SslSocketError(
                .addressNotAvailable, "The socket is bound\(place), and \(host) has no address that can be reached from there")
        }
        waitDescriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        if waitDescriptor < 0 {
            failure = IOErrors.calling("epoll_create1", errno)
            remaining = []
        }
    }

    deinit { if waitDescriptor >= 0 { _ = close(waitDescriptor) } }

    /// The families take turns, beginning with that of the first address (RFC 8305 section 4).
    static func interleaved(_ addresses: [SocketAddress]) -> [SocketAddress] {
        guard let first = addresses.first else { return [] }
        var preferred = addresses.filter { $0.ip.isIPv6 == first.ip.isIPv6 }[...]
        var other = addresses.filter { $0.ip.isIPv6 != first.ip.isIPv6 }[...]
        var mixed: [SocketAddress] = []
        while !preferred.isEmpty || !other.isEmpty {
            if let address = preferred.popFirst() { mixed.append(address) }
            if let address = other.popFirst() { mixed.append(address) }
        }
        return mixed
    }

    /// Looks at what has ended and begins what is due.
    package func progress() -> Step {
        if let winner = harvest() { return winner }
        while let address = remaining.first, running.isEmpty || (bound == nil && nextDeadline?.isDue(at: clock.now) ?? true) {
            remaining.removeFirst()
            let before = running.count
            if let winner = begin(address) { return winner }
            // One that failed at once is followed at once.
            nextDeadline = running.count > before && bound == nil ? Deadline(at: clock.now.adding(delay)) : nil
        }
        if remaining.isEmpty { nextDeadline = nil }
        guard running.isEmpty, remaining.isEmpty else { return .waiting }
        return .failed(failure ?? SslSocketError(.hostNotFound, "The host \(host) has no address"))
    }

    /// Gives everything up.
    package func cancel() {
        for attempt in running { attempt.descriptor.close() }
        running = []
        remaining = []
    }

    private func begin(_ address: SocketAddress) -> Step? {
        do throws(SslSocketError) {
            if failure != nil { try bound?.renew() }
            let descriptor = if let bound { bound.descriptor } else { try SocketDescriptor.stream(family: address.family) }
            for (option, value) in options { try descriptor.set(option, to: value) }
            switch descriptor.startConnect(to: address) {
            case 0: return win(descriptor, address)
            case EINPROGRESS:
                var event = unsafe epoll_event()
                unsafe event.events = UInt32(EPOLLOUT.rawValue)
                unsafe event.data.u64 = UInt64(UInt32(bitPattern: descriptor.fd))
                guard unsafe epoll_ctl(waitDescriptor, EPOLL_CTL_ADD, descriptor.fd, &event) == 0 else {
                    throw IOErrors.calling("epoll_ctl", errno)
                }
                running.append((descriptor, address))
            case let code: note(IOErrors.connecting(code, to: address.unmapped, host: host))
            }
        } catch {
            note(error)
        }
        return nil
    }

    /// Takes the attempts that have ended; the next address need not wait for one that failed.
    private func harvest() -> Step? {
        var events = unsafe [epoll_event](repeating: epoll_event(), count: max(running.count, 1))
        let count = unsafe events.withUnsafeMutableBufferPointer {
            unsafe epoll_wait(waitDescriptor, $0.baseAddress, Int32($0.count), 0)
        }
        guard count > 0 else { return nil }
        for index in 0..<Int(count) {
            let number = unsafe Int32(bitPattern: UInt32(truncatingIfNeeded: events[index].data.u64))
            guard let place = running.firstIndex(where: { $0.descriptor.fd == number }) else { continue }
            let attempt = running.remove(at: place)
            let code = attempt.descriptor.connectError
            if code == 0 { return win(attempt.descriptor, attempt.address) }
            note(IOErrors.connecting(code, to: attempt.address.unmapped, host: host))
            _ = epoll_ctl(waitDescriptor, EPOLL_CTL_DEL, number, nil)
            if bound == nil { attempt.descriptor.close() }
            nextDeadline = nil
        }
        return nil
    }

    private func win(_ descriptor: SocketDescriptor, _ address: SocketAddress) -> Step {
        cancel()
        _ = epoll_ctl(waitDescriptor, EPOLL_CTL_DEL, descriptor.fd, nil)
        return .connected(descriptor, address)
    }

    /// Keeps the most telling failure: that of a host that was reached says more than "no route".
    private func note(_ error: SslSocketError) {
        guard let kept = failure else {
            failure = error
            return
        }
        let weak = [ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL, EAFNOSUPPORT]
        if weak.contains(kept.systemError), !weak.contains(error.systemError) { failure = error }
    }
}
