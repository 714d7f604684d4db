import Glibc

/// A value behind a lock, for the small maps that several threads share.
///
/// A function goes into a structure of its own, never bare: to lend a bare function to generic code that may change it is to wrap it, and to take
/// it back is to wrap it once more, so that it would grow with each look until to call it needs more stack than there is.
///
/// A plain mutex rather than `Synchronization.Mutex`, which the thread sanitizer misreads on Linux, and `NSLock`, which takes three times the room
/// and a call to a class for each use: a token passes a dozen locks, and a turn has as many.
package final class Locked<Value>: @unchecked Sendable {
    // Unchecked, because the compiler cannot see that `value` is touched only between `lock` and `unlock`; both members are private and
    // `withLock` is the only way to them.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private var value: Value

    /// Wraps a value.
    package init(_ value: sending Value) {
        mutex = .allocate(capacity: 1)
        // It fails for attributes alone, and there are none.
        pthread_mutex_init(mutex, nil)
        self.value = value
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    /// Runs `body` alone with the value. The body must be short and must not call out.
    package func withLock<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&value)
    }
}
