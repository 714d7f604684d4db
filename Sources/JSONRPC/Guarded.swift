import Foundation

/// A value that several threads share, behind one lock with a condition to wait for.
final class Guarded<Value>: @unchecked Sendable {
    // Sendable although unchecked: `value` is touched only between lock() and unlock() of `condition`, in the three functions below.
    private var value: Value
    private let condition = NSCondition()

    init(_ value: sending Value) {
        self.value = value
    }

    /// Runs the body with the value while nobody else can; the body must be short and must not call out.
    func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
        condition.lock()
        defer { condition.unlock() }
        return body(&value)
    }

    /// Blocks this thread until the body returns something, asking it again after each `wake()`; never on a thread of the cooperative pool.
    func wait<Result>(_ body: (inout Value) -> Result?) -> Result {
        condition.lock()
        defer { condition.unlock() }
        while true {
            if let result = body(&value) { return result }
            condition.wait()
        }
    }

    /// Lets everybody who is in `wait` look again.
    func wake() {
        condition.broadcast()
    }
}
