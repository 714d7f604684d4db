import Foundation
import Synchronization

/// The way out: takes whole frames from any thread and writes them in that order, one owner of the descriptor at a time.
///
/// Whoever sends and finds the outbox idle writes, without blocking, also what others send meanwhile; so a lone answer leaves without a
/// change of threads, and frames sent at once leave together. When the peer does not keep up (the descriptor would block), a thread of the
/// outbox takes over until everything is written; it starts when it is first needed. An attempt to write may end in the middle of a frame,
/// but what is left of that frame is always written next.
///
/// Nothing is ever dropped while the peer is there. What bounds the memory is that the reader waits in `waitForRoom` and the senders of
/// deltas heed `waitingBytes`.
final class Outbox: Sendable {
    private let limits: TransportLimits
    private let state: Guarded<OutboxState>
    /// A copy of the state's number, to be read without its lock.
    private let waiting = Atomic<Int>(0)
    private let hasThread = Atomic<Bool>(false)
    private let flushNumber = Atomic<Int>(0)

    /// - Parameter onBroken: called once, on the outbox's thread, when writing has failed for good; with the `errno`.
    init(descriptor: OutputDescriptor, limits: TransportLimits, onBroken: @escaping @Sendable (_ code: Int32) -> Void) {
        self.limits = limits
        state = Guarded(OutboxState(descriptor: descriptor, limits: limits, onBroken: onBroken))
    }

    /// The bytes that were sent and are not written.
    var waitingBytes: Int { waiting.load(ordering: .relaxed) }

    /// Whether more than `congestionBytes` wait.
    var isCongested: Bool { waitingBytes > limits.congestionBytes }

    /// Whether nobody reads what is written, which costs a system call to find out.
    var isAbandoned: Bool { state.withLock { $0.isAbandoned } }

    /// Sends one or many whole frames, each with its line end.
    func send(_ frames: [UInt8]) {
        carryOut(change { $0.append(frames) })
    }

    /// From now on small frames wait for one another, up to what one write takes, until `uncork()`.
    func cork() {
        state.withLock { $0.cork() }
    }

    /// Lets what the cork held back leave.
    func uncork() {
        carryOut(change { $0.uncork() })
    }

    /// Calls the body once less than half of `congestionBytes` wait or the output is broken: at once, on this thread, when the outbox is
    /// not congested; otherwise later, on the outbox's thread.
    func onceWritable(_ body: @escaping @Sendable () -> Void) {
        if !state.withLock({ $0.keep(whenWritable: body) }) { body() }
    }

    /// Returns when everything sent before is written, or the output is broken, or this task is cancelled.
    func flush() async {
        let number = flushNumber.wrappingAdd(1, ordering: .relaxed).newValue
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                // The task is marked before the handler below runs, and the handler needs the same lock: one of the two resumes.
                carryOut(change { $0.addFlush(number, continuation, isCancelled: Task.isCancelled) })
            }
        } onCancel: {
            let ended = state.withLock { state in
                state.cancelFlush(number)
                return state.takeEndedFlushes()
            }
            for continuation in ended { continuation.resume() }
        }
    }

    /// Flushes, then drops what is sent later, closes what was opened, and lets the thread end.
    func close() async {
        await flush()
        state.withLock { $0.close() }
        state.wake()
    }

    // MARK: The reader's pause

    /// Whether more than `maxOutboundBytes` wait.
    var isFull: Bool { waitingBytes > limits.maxOutboundBytes }

    /// Blocks while the outbox is full, unless pauses have been ended.
    func waitForRoom() {
        state.wait { state -> Void? in
            guard state.isFull, !state.arePausesOver else { return () }
            state.isReaderWaiting = true
            return nil
        }
    }

    /// Lets the reader go on although the outbox is full, since it is to stop.
    func endPauses() {
        state.withLock { $0.arePausesOver = true }
        state.wake()
    }

    // MARK: Writing

    private func change(_ body: (inout OutboxState) -> OutboxState.Next) -> OutboxState.Next {
        let (next, readerCanGoOn, ended) = state.withLock { state in
            let next = body(&state)
            waiting.store(state.waitingBytes, ordering: .relaxed)
            return (next, state.takeReaderCanGoOn(), state.takeEndedFlushes())
        }
        for continuation in ended { continuation.resume() }
        if readerCanGoOn { state.wake() }
        return next
    }

    private func carryOut(_ first: consuming OutboxState.Next) {
        var next = first
        while true {
            switch consume next {
            case .nothing:
                return
            case .wakeThread:
                return wakeThread()
            case .write(let piece, let descriptor):
                next = attempt(piece, descriptor)
            }
        }
    }

    private func attempt(_ piece: OutboxState.Piece, _ descriptor: OutputDescriptor) -> OutboxState.Next {
        let outcome = descriptor.write(piece.bytes[piece.offset...])
        return change { $0.finish(piece, outcome) }
    }

    private func wakeThread() {
        if !hasThread.exchange(true, ordering: .relaxed) {
            let thread = Thread { self.run() }
            thread.name = "writer"
            thread.start()
        }
        state.wake()
    }

    /// The thread: the only place that may block in order to write.
    private func run() {
        while true {
            switch state.wait({ $0.nextForThread() }) {
            case .end:
                return
            case .call(let bodies):
                for body in bodies { body() }
            case .write(let piece, let descriptor):
                descriptor.waitUntilWritable()
                // What comes next is in the state, where the loop finds it.
                _ = attempt(piece, descriptor)
            }
        }
    }
}
