internal import CSslLinux
internal import Glibc
package import SslValues

/// Looks a name up on a thread of its own, for getaddrinfo cannot be hurried: no task is blocked and no timeout ignored.
///
/// ``fd`` becomes readable when the result is there.
package final class HostLookup: Sendable {
    /// Turns a name into addresses, blocking.
    package typealias Resolver =
        @Sendable (_ host: String, _ port: UInt16, _ family: SslNetworkProtocol) -> Result<
            [SocketAddress], SslSocketError
        >
    private let state = Lock<Result<[SocketAddress], SslSocketError>?>(nil)
    private let host: String
    private let port: UInt16
    private let family: SslNetworkProtocol
    private let resolver: Resolver
    /// Readable once the lookup has ended; -1 when the system has no descriptor left (``result`` is there at once then).
    package let fd: Int32

    /// Begins to look up. An address needs no lookup and is there at once.
    package init(
        host: String, port: UInt16, protocol family: SslNetworkProtocol, resolver: @escaping Resolver = HostLookup.system
    ) {
        fd = ssllinux_eventfd(0)
        let code = errno
        self.host = host
        self.port = port
        self.family = family
        self.resolver = resolver
        if let ip = IpAddress(host) {
            let isWanted = family == .any || (family == .ipv6) == ip.isIPv6
            finish(
                isWanted
                    ? .success([SocketAddress(ip, port: port)])
                    : .failure(SslSocketError(.hostNotFound, "\(host) is not an address of the wanted protocol")))
        } else if fd < 0 {
            finish(.failure(IOErrors.calling("eventfd", code)))
        } else if host.isEmpty || host.utf8.count > Self.longestName || host.utf8.contains(0) {
            finish(.failure(SslSocketError(.hostNotFound, "\"\(host)\" is not a host name")))
        } else {
            LookupThreads.shared.run(self)
        }
    }

    deinit { if fd >= 0 { _ = close(fd) } }

    /// RFC 1035 section 2.3.4 allows 255 octets on the wire, which are 253 characters and the dot of the root.
    private static let longestName = 254

    /// The addresses in the order to try, or what went wrong; nil while the lookup runs.
    package var result: Result<[SocketAddress], SslSocketError>? { state.withLock { $0 } }

    /// Ends the lookup for those who wait for it. One that has not begun never does; one that is running cannot be stopped, but its answer
    /// is dropped.
    package func cancel() {
        finish(.failure(SslSocketError(.cancelled, "The lookup of the host \(host) was given up")))
    }

    /// Asks the resolver, unless the result is there already.
    fileprivate func resolve() {
        if result == nil { finish(resolver(host, port, family)) }
    }

    /// The first result counts.
    fileprivate func finish(_ result: Result<[SocketAddress], SslSocketError>) {
        let isFirst = state.withLock { state -> Bool in
            guard state == nil else { return false }
            state = result
            return true
        }
        if isFirst && fd >= 0 { Wake.raise(fd) }
    }

    /// The system's resolver.
    ///
    /// AI_ADDRCONFIG is left out: it hides ::1 on a host without any other IPv6 address, and an address of a family that has no route costs
    /// ``ConnectAttempts`` nothing.
    package static let system: Resolver = { host, port, family in
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_family = family == .any ? AF_UNSPEC : family == .ipv6 ? AF_INET6 : AF_INET
        var list: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(host, nil, &hints, &list)
        guard code == 0 else { return .failure(failure(code, host)) }
        defer { unsafe freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = unsafe list
        while let entry = unsafe next {
            if let source = unsafe entry.pointee.ai_addr, unsafe entry.pointee.ai_addrlen <= MemoryLayout<sockaddr_storage>.size {
                var storage = sockaddr_storage()
                unsafe memcpy(&storage, source, Int(entry.pointee.ai_addrlen))
                if var found = SocketAddress(storage) {
                    found.port = port
                    if !addresses.contains(found) { addresses.append(found) }
                }
            }
            unsafe next = unsafe entry.pointee.ai_next
        }
        if addresses.isEmpty { return .failure(failure(EAI_NONAME, host)) }
        return .success(addresses)
    }

    private static func failure(_ code: Int32, _ host: String) -> SslSocketError {
        let systemError = code == EAI_SYSTEM ? errno : 0
        let words = unsafe gai_strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
        let what = "Cannot find the host \(host): \(words)"
        let (kind, hint): (SslSocketError.Code, String) =
            switch code {
            case EAI_AGAIN: (.hostNotFound, "; the name server may be unreachable, try again")
            case EAI_MEMORY: (.socketResource, "")
            default: (.hostNotFound, "")
            }
        return SslSocketError(kind, what + hint, nativeCode: Int(code), systemError: systemError)
    }
}

/// At most four threads that wait for the resolver; each ends when nothing is left to look up.
private final class LookupThreads: Sendable {
    static let shared = LookupThreads()
    private static let limit = 4

    private struct State {
        var waiting: [HostLookup] = []
        var threads = 0
    }
    private let state = Lock(State())

    /// Has `lookup` looked up when its turn comes.
    func run(_ lookup: HostLookup) {
        let needsThread = state.withLock { state -> Bool in
            state.waiting.append(lookup)
            guard state.threads < Self.limit else { return false }
            state.threads += 1
            return true
        }
        guard needsThread else { return }
        let code = Threads.start(name: "sslsocket-dns") { self.work() }
        guard code != 0 else { return }
        // The threads that there are go on with the queue; without any, nobody would.
        let stranded = state.withLock { state -> [HostLookup] in
            state.threads -= 1
            guard state.threads == 0 else { return [] }
            defer { state.waiting = [] }
            return state.waiting
        }
        for lookup in stranded { lookup.finish(.failure(IOErrors.calling("pthread_create", code))) }
    }

    private func work() {
        while let lookup = next() { lookup.resolve() }
    }

    private func next() -> HostLookup? {
        state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.threads -= 1
                return nil
            }
            return state.waiting.removeFirst()
        }
    }
}
