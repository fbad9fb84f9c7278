internal import Glibc

/// A value behind a mutex.
///
/// It is a pthread mutex and not `Synchronization.Mutex`, because that one hands over by a priority-inheriting futex which
/// ThreadSanitizer does not see, so that it reports races where there are none.
@safe
package final class Lock<State>: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private var state: State

    /// Makes an unlocked lock around `state`.
    package init(_ state: State) {
        unsafe mutex = .allocate(capacity: 1)
        self.state = state
        // Without attributes glibc's pthread_mutex_init cannot fail.
        unsafe pthread_mutex_init(mutex, nil)
    }

    deinit {
        unsafe pthread_mutex_destroy(mutex)
        unsafe mutex.deallocate()
    }

    /// Runs `body` with the value while no other thread has it.
    ///
    /// `body` must not take the same lock again, wait for anything, or let a reference into the value escape.
    @inline(__always)
    package func withLock<R, E: Error>(_ body: (inout State) throws(E) -> R) throws(E) -> R {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return try body(&state)
    }
}
