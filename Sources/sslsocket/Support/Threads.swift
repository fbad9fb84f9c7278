internal import Glibc

/// Threads for calls that block.
enum Threads {
    private final class Work {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }

    /// Runs a blocking `body` on a thread of its own and suspends until it returns.
    static func run<R: Sendable>(_ body: @escaping @Sendable () -> R) async -> R {
        await withCheckedContinuation { continuation in
            let work = Work { continuation.resume(returning: body()) }
            var thread = pthread_t()
            let argument = unsafe Unmanaged.passRetained(work).toOpaque()
            let status = unsafe pthread_create(
                &thread, nil,
                { argument in
                    if let argument = unsafe argument { unsafe Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body() }
                    return nil
                }, argument)
            if status == 0 {
                pthread_detach(thread)
            } else {
                // Without a thread, blocking this one is the only way left.
                unsafe Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body()
            }
        }
    }
}
