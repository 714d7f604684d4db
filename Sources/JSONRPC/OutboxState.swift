/// What an outbox knows, and every decision it takes; the threads around it only do as they are told.
struct OutboxState {
    /// Who may write to the descriptor; never two at a time.
    private enum Owner {
        case nobody
        /// Whoever called the outbox and found it idle.
        case caller
        /// The writer's thread, which may block.
        case thread
    }

    /// Bytes that are being written, of which the first `offset` are out.
    struct Piece {
        var bytes: [UInt8]
        var offset = 0
    }

    /// What whoever has just changed the state must do next.
    enum Next {
        case nothing
        case write(Piece, OutputDescriptor)
        case wakeThread
    }

    /// What the writer's thread must do next.
    enum ThreadJob {
        case call([@Sendable () -> Void])
        case write(Piece, OutputDescriptor)
        case end
    }

    /// Somebody who waits until the first `target` bytes ever sent are written.
    private struct Flush {
        let number: Int
        let target: Int
        let continuation: CheckedContinuation<Void, Never>
    }

    /// A caller that has written this many times hands over to the thread, so that nobody is kept writing what others send.
    private static let callerWrites = 16

    private let limits: TransportLimits
    /// A cork holds back less than this, in bytes: so little that nobody who waits for the end of a congestion or for room waits for the
    /// cork.
    private let corkBytes: Int
    private let onBroken: @Sendable (_ code: Int32) -> Void

    /// Nil once nothing will ever be written again: the output is broken, or closed and idle.
    private var descriptor: OutputDescriptor?
    private var queue = FrameQueue()
    private var unfinished: Piece?
    private var owner = Owner.nobody
    private var writesOfCaller = 0
    /// How many want small frames to wait for one another.
    private var corks = 0
    private var isClosed = false
    private var sentBytes = 0
    private var writtenBytes = 0
    private var flushes: [Flush] = []
    private var endedFlushes: [CheckedContinuation<Void, Never>] = []
    /// What was sent before the latest flush, or the end of a cork, is not held back by another cork.
    private var flushTarget = 0
    private var whenWritable: [@Sendable () -> Void] = []
    /// Whether the reader waits until the outbox is no longer full.
    var isReaderWaiting = false
    /// Whether the reader is to stop and so must not wait.
    var arePausesOver = false
    /// What the thread is to call, so that nobody is called back from within a call of their own.
    private var callbacks: [@Sendable () -> Void] = []

    init(descriptor: OutputDescriptor, limits: TransportLimits, onBroken: @escaping @Sendable (_ code: Int32) -> Void) {
        self.descriptor = descriptor
        self.limits = limits
        corkBytes = min(FrameQueue.pieceBytes, limits.congestionBytes / 2, limits.maxOutboundBytes)
        self.onBroken = onBroken
    }

    /// The bytes that were sent and are not written.
    var waitingBytes: Int { sentBytes - writtenBytes }

    /// Whether so much waits that the reader must.
    var isFull: Bool { waitingBytes > limits.maxOutboundBytes }

    /// Whether nobody reads what is written.
    var isAbandoned: Bool { descriptor?.isAbandoned ?? true }

    /// Whether nothing will ever be written again.
    private var isFinished: Bool { descriptor == nil }

    // MARK: What callers ask

    mutating func append(_ frames: [UInt8]) -> Next {
        guard !isClosed, !isFinished else { return .nothing }
        queue.append(frames)
        sentBytes += frames.count
        return claim()
    }

    mutating func cork() {
        corks += 1
    }

    mutating func uncork() -> Next {
        corks -= 1
        // What was held back leaves now whoever else wants to hold back more: otherwise several who take turns would hold it for ever.
        flushTarget = sentBytes
        return claim()
    }

    /// - Returns: whether the body was kept; otherwise it is to be called at once.
    mutating func keep(whenWritable body: @escaping @Sendable () -> Void) -> Bool {
        guard waitingBytes > limits.congestionBytes else { return false }
        whenWritable.append(body)
        return true
    }

    mutating func addFlush(_ number: Int, _ continuation: CheckedContinuation<Void, Never>, isCancelled: Bool) -> Next {
        guard waitingBytes > 0, !isCancelled else {
            continuation.resume()
            return .nothing
        }
        flushes.append(Flush(number: number, target: sentBytes, continuation: continuation))
        flushTarget = sentBytes
        return claim()
    }

    mutating func cancelFlush(_ number: Int) {
        endFlushes { $0.number == number }
    }

    mutating func close() {
        isClosed = true
        if owner == .nobody { descriptor = nil }
    }

    /// Whether the reader, which waits for room, can go on; true once a wait.
    mutating func takeReaderCanGoOn() -> Bool {
        guard isReaderWaiting, !isFull else { return false }
        isReaderWaiting = false
        return true
    }

    /// Makes the caller the owner when there is something to write and nobody writes.
    private mutating func claim() -> Next {
        guard owner == .nobody, isDue, let descriptor else { return .nothing }
        guard !descriptor.mayBlock, let piece = takePiece() else {
            owner = .thread
            return .wakeThread
        }
        owner = .caller
        writesOfCaller = 0
        return .write(piece, descriptor)
    }

    /// Whether something waits that need not wait for more.
    private var isDue: Bool {
        !queue.isEmpty && (corks == 0 || queue.count >= corkBytes || writtenBytes < flushTarget)
    }

    // MARK: What the owner reports

    /// Takes note of one attempt of the owner to write.
    mutating func finish(_ piece: consuming Piece, _ outcome: OutputDescriptor.Outcome) -> Next {
        switch outcome {
        case .wrote(let count):
            writtenBytes += count
            piece.offset += count
            if piece.offset < piece.bytes.count {
                unfinished = piece
            } else {
                queue.recycle(piece.bytes)
            }
            tellWhoWaits()
            return goOn()
        case .wouldBlock:
            unfinished = piece
            owner = .thread
            return .wakeThread
        case .failed(let code):
            owner = .nobody
            descriptor = nil
            queue.removeAll()
            writtenBytes = sentBytes
            tellWhoWaits()
            let onBroken = onBroken
            callbacks.append { onBroken(code) }
            return .wakeThread
        }
    }

    private mutating func goOn() -> Next {
        guard unfinished != nil || isDue else {
            owner = .nobody
            if isClosed { descriptor = nil }
            return callbacks.isEmpty ? .nothing : .wakeThread
        }
        writesOfCaller += 1
        if owner == .caller, writesOfCaller < Self.callerWrites, callbacks.isEmpty, let descriptor, let piece = takePiece() {
            return .write(piece, descriptor)
        }
        owner = .thread
        return .wakeThread
    }

    private mutating func takePiece() -> Piece? {
        if let piece = unfinished {
            unfinished = nil
            return piece
        }
        return queue.popFirst().map { Piece(bytes: $0) }
    }

    private mutating func tellWhoWaits() {
        let written = writtenBytes
        endFlushes { $0.target <= written }
        if !whenWritable.isEmpty, waitingBytes <= limits.congestionBytes / 2 || isFinished {
            callbacks += whenWritable
            whenWritable = []
        }
    }

    private mutating func endFlushes(where isOver: (Flush) -> Bool) {
        guard !flushes.isEmpty else { return }
        for flush in flushes where isOver(flush) { endedFlushes.append(flush.continuation) }
        flushes.removeAll(where: isOver)
    }

    /// Those whose wait is over, to be resumed once the state's lock is let go and what it tells others is up to date; each once.
    mutating func takeEndedFlushes() -> [CheckedContinuation<Void, Never>] {
        defer { endedFlushes = [] }
        return endedFlushes
    }

    // MARK: What the thread asks

    /// - Returns: nil when the thread must wait.
    mutating func nextForThread() -> ThreadJob? {
        if !callbacks.isEmpty {
            defer { callbacks = [] }
            return .call(callbacks)
        }
        if owner == .thread, let descriptor, let piece = takePiece() {
            return .write(piece, descriptor)
        }
        return isClosed && isFinished ? .end : nil
    }
}
