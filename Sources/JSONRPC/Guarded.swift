import Glibc

/// A value that several threads share, behind one POSIX mutex with a condition to wait for.
final class Guarded<Value>: @unchecked Sendable {
    // Sendable although unchecked: all three pointees live as long as this object, `value` is touched only between locking and unlocking
    // `mutex`, in the two functions below, and the other two are made to be shared. Memory of its own spares the value the checks
    // for overlapping access that a stored variable gets on every turn; the mutex rules such an access out.
    private let value: UnsafeMutablePointer<Value>
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>

    init(_ initial: sending Value) {
        value = .allocate(capacity: 1)
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        value.initialize(to: initial)
        // With default attributes, on Linux, neither of the two can fail.
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        value.deinitialize(count: 1)
        condition.deallocate()
        mutex.deallocate()
        value.deallocate()
    }

    /// Runs the body with the value while nobody else can; the body must be short, and must not call out or come back here.
    func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body(&value.pointee)
    }

    /// Blocks this thread until the body returns something, asking it again after each `wake()`; never to be called on a thread of the
    /// cooperative pool.
    func wait<Result>(_ body: (inout Value) -> Result?) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let result = body(&value.pointee) { return result }
            pthread_cond_wait(condition, mutex)
        }
    }

    /// Lets everybody who is in `wait` look again.
    func wake() {
        pthread_cond_broadcast(condition)
    }
}
