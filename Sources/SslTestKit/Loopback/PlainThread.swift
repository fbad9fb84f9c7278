internal import Glibc

/// A thread of its own for code that blocks, so that no task ever does.
package enum PlainThread {
    private final class Box {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }

    /// Runs `body` in a new thread and suspends until it returns.
    package static func run<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
        await withCheckedContinuation { continuation in
            start { continuation.resume(returning: body()) }
        }
    }

    private static func start(_ body: @escaping @Sendable () -> Void) {
        let box = unsafe Unmanaged.passRetained(Box(body)).toOpaque()
        var thread = pthread_t()
        let code = unsafe pthread_create(
            &thread, nil,
            { argument in
                if let argument = unsafe argument { unsafe Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body() }
                return nil
            }, box)
        guard code == 0 else {
            // Without a thread there is nobody to wait for: the body runs here, late but not lost.
            unsafe Unmanaged<Box>.fromOpaque(box).release()
            return body()
        }
        pthread_detach(thread)
    }
}
