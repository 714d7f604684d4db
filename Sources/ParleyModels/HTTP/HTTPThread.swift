import Foundation
import ParleyCore

/// The engine's thread as a place for tasks: those that read responses run where the bytes come in.
///
/// `@unchecked Sendable` is right: `inbox` never changes and is Sendable, and `kept` is read and written under `lock` alone.
final class HTTPThread: ModelThread, @unchecked Sendable {
    let inbox: HTTPInbox

    private let lock = NSLock()
    private var kept: (@Sendable (Bool) -> Void)?

    /// Names a thread that may yet have to start.
    ///
    /// - Parameter inbox: what it takes its commands from.
    init(inbox: HTTPInbox) {
        self.inbox = inbox
    }

    /// What surrounds the tasks that are run in one go.
    var surroundings: (@Sendable (Bool) -> Void)? { lock.withLock { kept } }

    func surround(with surroundings: (@Sendable (Bool) -> Void)?) {
        lock.withLock { kept = surroundings }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        // A task that outlives the client goes on where others do.
        if !inbox.post(.run(job)) { globalConcurrentExecutor.enqueue(ExecutorJob(job)) }
    }
}
