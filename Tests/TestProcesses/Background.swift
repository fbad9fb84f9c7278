internal import Glibc

/// Threads of their own for what blocks.
public enum Background {
    private final class Work {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }

    /// Runs `body` on a new thread and suspends until it returns.
    public static func run<R: Sendable>(_ body: @escaping @Sendable () -> R) async -> R {
        await withCheckedContinuation { continuation in start { continuation.resume(returning: body()) } }
    }

    /// Runs `body` on a new thread.
    static func start(_ body: @escaping @Sendable () -> Void) {
        let argument = unsafe Unmanaged.passRetained(Work(body)).toOpaque()
        var thread = pthread_t()
        let status = unsafe pthread_create(
            &thread, nil,
            { argument in
                if let argument = unsafe argument { unsafe Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body() }
                return nil
            }, argument)
        guard status == 0 else {
            unsafe Unmanaged<Work>.fromOpaque(argument).release()
            return body()
        }
        pthread_detach(thread)
    }
}
