import JSON
import JSONRPC
import ParleyCore

/// Sends a turn's events to a request that attached to it, as fast as the connection takes them.
///
/// Nothing is kept here but a place in the turn: what the client has not read yet stays where the turn keeps it anyway, and adjacent deltas
/// leave as one frame when it has. So any number of attachments, however slowly they are read, cost no memory and hold nobody up; see
/// `AttachmentQueue` for whose turn it is when the connection takes more.
final class TurnAttachment: TurnFollower {
    /// How many bytes of text are joined, and about how many bytes of frames leave at once.
    private static let batchBytes = 16 * 1024

    private struct State {
        var cursor: TurnCursor?
        /// Whether deltas are joined, because the client has something to catch up with.
        var isBehind = true
        /// Whether it waits in the queue, which alone sends for it then.
        var isQueued = false
        /// Whether the end was sent, or nobody wants it any more, or what comes next is more than is wanted.
        var isOver = false
        /// Whether what comes next is more than is wanted.
        var isFull = false
        /// How long it is, if it is more than is wanted even by itself.
        var neededBytes: Int?
        /// How many bytes were sent.
        var sentBytes = 0
        var whenFull: (@Sendable () -> Void)?
        var whenReady: CheckedContinuation<Void, Never>?
        var whenOver: CheckedContinuation<Void, Never>?

        /// Whether so many bytes may be sent, which then count; if not, it is over.
        mutating func admits(_ bytes: Int, of maximumBytes: Int) -> Bool {
            guard bytes <= maximumBytes - sentBytes else {
                isOver = true
                isFull = true
                if sentBytes == 0 { neededBytes = bytes }
                return false
            }
            sentBytes += bytes
            return true
        }
    }

    private let queue: AttachmentQueue
    private var connection: Connection { queue.connection }
    private let requestID: RequestID
    private let maximumBytes: Int
    private let willFollow: @Sendable () -> Void
    // Frames are sent while the lock is held, because the outbox's thread sends as well and must not overtake the turn.
    private let state = Locked(State())

    /// - Parameters:
    ///   - maximumBytes: how many bytes of frames are sent at most.
    ///   - willFollow: called when the turn turns out to be one of this process.
    init(queue: AttachmentQueue, requestID: RequestID, maximumBytes: Int = .max, willFollow: @escaping @Sendable () -> Void) {
        self.queue = queue
        self.requestID = requestID
        self.maximumBytes = maximumBytes
        self.willFollow = willFollow
    }

    /// Sends nothing more.
    func stop() {
        state.withLock { state in
            state.isOver = true
            state.cursor = nil
        }
    }

    // MARK: A turn that is stored

    func observe(_ events: [TurnEvent]) {
        state.withLock { state in
            guard !state.isOver else { return }
            var writer = JSONWriter()
            for event in events { writer.notification(event, requestID: requestID) }
            if state.admits(writer.bytes.count, of: maximumBytes) { connection.send(writer.bytes) }
        }
    }

    nonisolated(nonsending) func ready() async {
        guard connection.isCongested else { return }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waits = state.withLock { state in
                    guard !Task.isCancelled else { return false }
                    state.whenReady = continuation
                    return true
                }
                if waits { connection.onceWritable { [self] in takeWhenReady()?.resume() } } else { continuation.resume() }
            }
        } onCancel: {
            takeWhenReady()?.resume()
        }
    }

    private func takeWhenReady() -> CheckedContinuation<Void, Never>? {
        state.withLock { state in
            defer { state.whenReady = nil }
            return state.whenReady
        }
    }

    // MARK: A turn of this process

    func follow(_ cursor: TurnCursor, whenFull: @escaping @Sendable () -> Void) {
        willFollow()
        state.withLock { state in
            state.cursor = cursor
            state.whenFull = whenFull
        }
        send()
    }

    var isFull: Bool { state.withLock { $0.isFull } }

    /// How long what comes next is, in bytes, when it takes no more because that is more than is wanted even by itself.
    var neededBytes: Int? { state.withLock { $0.neededBytes } }

    func moved() {
        send()
    }

    func hasEnded() async -> Bool {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    guard !state.isOver, !Task.isCancelled else { return true }
                    state.whenOver = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            takeWhenOver()?.resume()
        }
        return state.withLock { $0.isOver }
    }

    private func takeWhenOver() -> CheckedContinuation<Void, Never>? {
        state.withLock { state in
            defer { state.whenOver = nil }
            return state.whenOver
        }
    }

    /// Sends what there is, unless the connection has enough; then the queue does.
    private func send() {
        let (mustWait, isOver) = state.withLock { state in
            guard !state.isQueued, state.cursor != nil else { return (false, false) }
            while !connection.isCongested {
                if !sendBatch(&state) { return (false, state.isOver) }
            }
            guard state.cursor?.hasMore == true else { return (false, false) }
            state.isBehind = true
            state.isQueued = true
            return (true, false)
        }
        if mustWait { queue.add(self) }
        if isOver { tellOver() }
    }

    /// Sends one batch of what waited; for the queue alone.
    ///
    /// - Returns: whether there is more.
    func sendBatchInTurn() -> Bool {
        let (hasMore, isOver) = state.withLock { state in
            state.isQueued = state.cursor != nil && sendBatch(&state)
            return (state.isQueued, state.isOver)
        }
        if isOver { tellOver() }
        return hasMore
    }

    /// Says to whoever waits for it that it is over.
    private func tellOver() {
        let (whenOver, whenFull) = state.withLock { state in
            defer { (state.whenOver, state.whenFull) = (nil, nil) }
            return (state.whenOver, state.isFull ? state.whenFull : nil)
        }
        whenOver?.resume()
        whenFull?()
    }

    /// Sends one batch.
    ///
    /// - Returns: false when there is nothing more to send.
    private func sendBatch(_ state: inout State) -> Bool {
        var batch: [UInt8] = []
        defer { connection.send(batch) }
        var writer = JSONWriter()
        while batch.count < Self.batchBytes {
            guard let event = state.cursor?.next(joining: state.isBehind ? Self.batchBytes : 0) else {
                state.isBehind = false
                return false
            }
            writer.notification(event, requestID: requestID)
            let frame = writer.take()
            if state.admits(frame.count, of: maximumBytes) {
                batch += frame
                guard case .completed = event.body else { continue }
                state.isOver = true
            }
            state.cursor = nil
            return false
        }
        return true
    }
}
