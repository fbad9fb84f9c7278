internal import CSslLinux
internal import Glibc
package import SslValues

/// Looks a name up on a thread of its own, for getaddrinfo cannot be hurried: no task is blocked and no timeout ignored.
///
/// ``fd`` becomes readable when the result is there.
package final class HostLookup: Sendable {
    /// Turns a name into addresses, blocking.
    package typealias Resolver = @Sendable (_ host: String, _ port: UInt16, _ family: SslNetworkProtocol) -> Result<
        [SocketAddress], SslSocketError
    >
    private struct State {
        var result: Result<[SocketAddress], SslSocketError>?
        var isAbandoned = false
    }
    private let state = Lock(State())
    /// Readable once the lookup has ended; -1 when the system has no descriptor left (the result tells then).
    package let fd: Int32

    /// Begins to look up. An address needs no lookup and is there at once.
    package init(host: String, port: UInt16, protocol family: SslNetworkProtocol, resolver: @escaping Resolver = HostLookup.system) {
        fd = ssllinux_eventfd(0)
        if let ip = IpAddress(host) {
            let isWanted = family == .any || (family == .ipv6) == ip.isIPv6
            finish(
                isWanted
                    ? .success([SocketAddress(ip, port: port)])
                    : .failure(SslSocketError(.hostNotFound, "\(host) is not an address of the wanted protocol")))
        } else if fd < 0 {
            finish(.failure(IOErrors.calling("eventfd", errno)))
        } else if host.isEmpty || host.utf8.count > 253 || host.utf8.contains(0) {
            finish(.failure(SslSocketError(.hostNotFound, "\"\(host)\" is not a host name")))
        } else {
            LookupThreads.shared.run { self.finish(resolver(host, port, family)) }
        }
    }

    deinit { if fd >= 0 { _ = close(fd) } }

    /// The addresses in the order to try, or what went wrong; nil while the lookup runs.
    package var result: Result<[SocketAddress], SslSocketError>? { state.withLock { $0.result } }

    /// Nobody waits for the result any more.
    package func cancel() { state.withLock { $0.isAbandoned = true } }

    private func finish(_ result: Result<[SocketAddress], SslSocketError>) {
        state.withLock { $0.result = result }
        if fd >= 0 { Wake.raise(fd) }
    }

    /// The system's resolver.
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
        let words = unsafe gai_strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
        let hint = code == EAI_AGAIN ? "; the name server may be unreachable, try again" : ""
        return SslSocketError(.hostNotFound, "Cannot find the host \(host): \(words)\(hint)", systemError: code == EAI_SYSTEM ? errno : 0)
    }
}

/// At most four threads that wait for the resolver.
private final class LookupThreads: Sendable {
    static let shared = LookupThreads()
    private struct State {
        var waiting: [@Sendable () -> Void] = []
        var threads = 0
    }
    private let state = Lock(State())

    func run(_ job: @escaping @Sendable () -> Void) {
        let needsThread = state.withLock { state -> Bool in
            state.waiting.append(job)
            guard state.threads < 4 else { return false }
            state.threads += 1
            return true
        }
        guard needsThread, !Threads.start({ self.work() }) else { return }
        // Without a thread the lookup blocks its caller: the last resort of a process out of threads.
        work()
    }

    private func work() {
        while let job = state.withLock({ state -> (@Sendable () -> Void)? in
            guard !state.waiting.isEmpty else {
                state.threads -= 1
                return nil
            }
            return state.waiting.removeFirst()
        }) {
            job()
        }
    }
}

/// Plain detached threads.
enum Threads {
    private final class Job {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Starts a thread. False when the system has none.
    static func start(_ body: @escaping @Sendable () -> Void) -> Bool {
        let job = unsafe Unmanaged.passRetained(Job(body))
        var thread = pthread_t()
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        defer { unsafe pthread_attr_destroy(&attributes) }
        let code = unsafe pthread_create(
            &thread, &attributes,
            { pointer in
                if let pointer = unsafe pointer { unsafe Unmanaged<Job>.fromOpaque(pointer).takeRetainedValue().body() }
                return nil
            }, job.toOpaque())
        if code != 0 { unsafe job.release() }
        return code == 0
    }
}
