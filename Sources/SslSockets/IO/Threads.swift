internal import CSslLinux
internal import Glibc

/// Plain detached threads, for what must not occupy a thread of the task pool.
enum Threads {
    private final class Job {
        private let name: String
        private let body: @Sendable () -> Void

        init(_ name: String, _ body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }

        func run() {
            _ = unsafe ssllinux_thread_name(pthread_self(), name)
            body()
        }
    }

    /// Starts a thread; `name`, of at most 15 characters, is for debuggers. Returns 0, or the errno when the system has no thread left.
    ///
    /// The thread leaves signals to the program's own threads, so that no handler runs on it unexpectedly.
    static func start(name: String, _ body: @escaping @Sendable () -> Void) -> Int32 {
        let job = unsafe Unmanaged.passRetained(Job(name, body))
        var thread = pthread_t()
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        defer { unsafe pthread_attr_destroy(&attributes) }
        unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        // A thread inherits the mask of the one that starts it.
        var masked = sigset_t()
        var previous = sigset_t()
        unsafe ssllinux_helper_thread_signals(&masked)
        unsafe pthread_sigmask(SIG_BLOCK, &masked, &previous)
        defer { unsafe pthread_sigmask(SIG_SETMASK, &previous, nil) }
        let code = unsafe pthread_create(
            &thread, &attributes,
            { pointer in
                if let pointer = unsafe pointer { unsafe Unmanaged<Job>.fromOpaque(pointer).takeRetainedValue().run() }
                return nil
            }, job.toOpaque())
        if code != 0 { unsafe job.release() }
        return code
    }
}

/// An eventfd: a counter that wakes whoever waits for its descriptor.
enum Wake {
    /// Makes the descriptor readable. It cannot block: only 2^64 - 2 calls without a ``clear(_:)`` would fill the counter.
    static func raise(_ fd: Int32) {
        var one: UInt64 = 1
        _ = unsafe write(fd, &one, MemoryLayout<UInt64>.size)
    }

    /// Makes it unreadable again.
    static func clear(_ fd: Int32) {
        var count: UInt64 = 0
        _ = unsafe read(fd, &count, MemoryLayout<UInt64>.size)
    }
}
