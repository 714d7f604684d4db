import ParleyCore

/// How far a host is on its way to its end; it never goes back.
package final class Lifecycle: Sendable {
    /// The stages, in order.
    package enum Stage: Int, Comparable, Sendable {
        /// Requests are taken.
        case running
        /// The input ended: what was accepted is finished.
        case draining
        /// A signal: the same, but soon.
        case terminating
        /// The client is gone: nothing can be told to anybody.
        case broken

        package static func < (left: Stage, right: Stage) -> Bool { left.rawValue < right.rawValue }
    }

    private struct State {
        var stage = Stage.running
        var waiting: [Int: (beyond: Stage, continuation: CheckedContinuation<Void, Never>)] = [:]
        var next = 0
    }

    private let state = Locked(State())

    /// Starts running.
    package init() {}

    /// Where the host is.
    package var stage: Stage { state.withLock { $0.stage } }

    /// Goes on to a stage, unless the host is there already.
    package func raise(to stage: Stage) {
        let reached = state.withLock { state in
            state.stage = max(state.stage, stage)
            let reached = state.waiting.filter { $0.value.beyond < state.stage }
            for id in reached.keys { state.waiting[id] = nil }
            return reached.values.map(\.continuation)
        }
        for continuation in reached { continuation.resume() }
    }

    /// Returns when the host has gone beyond a stage, or when the task is cancelled.
    package func wait(beyond stage: Stage) async {
        let id = state.withLock { state in
            state.next += 1
            return state.next
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.stage > stage || Task.isCancelled { return true }
                    state.waiting[id] = (stage, continuation)
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: id) }?.continuation.resume()
        }
    }

    /// Waits for something, but not for ever.
    ///
    /// - Parameters:
    ///   - work: returns early when its task is cancelled.
    ///   - stage: as soon as the host has gone beyond this, the wait ends.
    ///   - patience: as soon as this returns, the wait ends; it returns early when its task is cancelled.
    /// - Returns: whether the work came to its end.
    func isDone(
        _ work: @escaping @Sendable () async -> Void, orBeyond stage: Stage, orAfter patience: @escaping @Sendable () async -> Void
    ) async -> Bool {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                await work()
                return true
            }
            group.addTask {
                await patience()
                return false
            }
            group.addTask {
                await self.wait(beyond: stage)
                return false
            }
            let first = await group.next() ?? true
            group.cancelAll()
            return first
        }
    }
}
