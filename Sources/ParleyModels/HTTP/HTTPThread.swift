import ParleyCore

/// The engine's thread as a place for tasks: those that read responses run where the bytes come in.
final class HTTPThread: ModelThread {
    let inbox: HTTPInbox

    /// What surrounds tasks; in a structure, as `Locked` wants it.
    private struct Surroundings: Sendable {
        let call: @Sendable (Bool) -> Void
    }

    private let kept = Locked(Surroundings?.none)

    /// Names a thread that may yet have to start.
    ///
    /// - Parameter inbox: what it takes its commands from.
    init(inbox: HTTPInbox) {
        self.inbox = inbox
    }

    /// What surrounds the tasks that are run in one go.
    var surroundings: (@Sendable (Bool) -> Void)? { kept.withLock { $0?.call } }

    func surround(with surroundings: (@Sendable (Bool) -> Void)?) {
        kept.withLock { $0 = surroundings.map(Surroundings.init) }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        // A task that outlives the client goes on where others do.
        if !inbox.post(.run(job)) { globalConcurrentExecutor.enqueue(ExecutorJob(job)) }
    }
}
