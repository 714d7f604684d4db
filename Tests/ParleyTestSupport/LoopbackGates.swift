import Foundation

/// Named gates, each closed until somebody opens it, at which threads and tasks wait for one another.
///
/// `@unchecked Sendable` is right: what changes is read and written under `condition` alone.
package final class LoopbackGates: @unchecked Sendable {
    private let condition = NSCondition()
    private var open: Set<String> = []
    private var isDone = false
    private var tasks: [String: [CheckedContinuation<Void, Never>]] = [:]

    init() {}

    /// Opens a gate for good.
    ///
    /// - Parameter name: Which one.
    package func open(_ name: String) {
        let waiting = condition.withLock {
            open.insert(name)
            condition.broadcast()
            return tasks.removeValue(forKey: name) ?? []
        }
        for task in waiting { task.resume() }
    }

    /// Blocks the thread until a gate is open or the server is stopped; for handlers.
    ///
    /// - Parameter name: Which one.
    package func wait(_ name: String) {
        condition.withLock {
            while !open.contains(name), !isDone { condition.wait() }
        }
    }

    /// Waits until a gate is open or the server is stopped; for tests.
    ///
    /// A test that is cancelled, as it is by its time limit, opens the gate for which it waits, so that it fails and does not hang.
    ///
    /// - Parameter name: Which one.
    package func opened(_ name: String) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOpen = condition.withLock {
                    if open.contains(name) || isDone { return true }
                    tasks[name, default: []].append(continuation)
                    return false
                }
                if isOpen { continuation.resume() }
            }
        } onCancel: {
            open(name)
        }
    }

    /// Lets everybody pass from now on.
    func openAll() {
        let waiting = condition.withLock {
            isDone = true
            condition.broadcast()
            defer { tasks = [:] }
            return tasks.values.flatMap { $0 }
        }
        for task in waiting { task.resume() }
    }
}
