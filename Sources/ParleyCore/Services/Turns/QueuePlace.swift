/// Where the request of a turn that waits is told what has become of it.
final class QueuePlace: Sendable {
    private struct State {
        var step: QueueStep?
        var waiting: CheckedContinuation<QueueStep?, Never>?

        mutating func takeWaiting() -> CheckedContinuation<QueueStep?, Never>? {
            defer { waiting = nil }
            return waiting
        }
    }

    private let ambient: any Ambient
    private let state = Locked(State())

    init(ambient: any Ambient) {
        self.ambient = ambient
    }

    /// Tells what has become of the turn.
    func tell(_ step: QueueStep) {
        let waiting = state.withLock { state in
            state.step = step
            return state.takeWaiting()
        }
        resume(waiting, with: step)
    }

    /// Waits until it is told.
    ///
    /// - Parameter isPatient: whether to wait on when the task is cancelled.
    /// - Returns: nil when the task is cancelled before.
    func step(isPatient: Bool) async -> QueueStep? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    guard state.step == nil, isPatient || !Task.isCancelled else { return true }
                    state.waiting = continuation
                    return false
                }
                if isOver { continuation.resume(returning: state.withLock { $0.step }) } else { ambient.endActivity() }
            }
        } onCancel: {
            if !isPatient { resume(state.withLock { $0.takeWaiting() }, with: nil) }
        }
    }

    private func resume(_ waiting: CheckedContinuation<QueueStep?, Never>?, with step: QueueStep?) {
        guard let waiting else { return }
        ambient.beginActivity()
        waiting.resume(returning: step)
    }
}
