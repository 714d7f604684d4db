import Foundation

/// A value behind a lock, for the small maps that several threads share.
///
/// A function goes into a structure of its own, never bare: to lend a bare function to generic code that may change it is to wrap it, and to take
/// it back is to wrap it once more, so that it would grow with each look until to call it needs more stack than there is.
///
/// `NSLock` rather than `Synchronization.Mutex`, which the thread sanitizer misreads on Linux.
package final class Locked<Value>: @unchecked Sendable {
    // Unchecked, because the compiler cannot see that `value` is touched only between `lock` and `unlock`; both members are private and
    // `withLock` is the only way to them.
    private let lock = NSLock()
    private var value: Value

    /// Wraps a value.
    package init(_ value: sending Value) {
        self.value = value
    }

    /// Runs `body` alone with the value. The body must be short and must not call out.
    package func withLock<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        lock.lock()
        defer { lock.unlock() }
        return try body(&value)
    }
}
