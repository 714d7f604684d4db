import Foundation
import Synchronization

/// The way in: one thread that reads, cuts lines and has each handled before the next.
final class InputLoop: Sendable {
    private enum Phase {
        /// In read(2), or not started: whoever stops the reading ends it there and then.
        case reading
        /// Handling the lines of one read: the thread itself ends the reading when it is told to stop.
        case handling
        case ended
    }

    private let descriptor: Int32
    private let outbox: Outbox
    private let dispatcher: Dispatcher
    private let phase = Guarded(Phase.reading)
    private let isStopped = Atomic<Bool>(false)

    init(descriptor: Int32, outbox: Outbox, dispatcher: Dispatcher) {
        self.descriptor = descriptor
        self.outbox = outbox
        self.dispatcher = dispatcher
    }

    /// Starts the thread.
    func start() {
        let thread = Thread { self.run() }
        thread.name = "reader"
        thread.start()
    }

    /// Lets no further line be handled, and waits for nothing.
    func stop() {
        isStopped.store(true, ordering: .sequentiallyConsistent)
        outbox.endPauses()
        if move(from: .reading, to: .ended) { dispatcher.handler.inputEnded() }
    }

    private func run() {
        var framer = LineFramer(maxLineBytes: dispatcher.limits.maxLineBytes)
        while let lines = framer.lines(read: read) {
            guard move(from: .reading, to: .handling) else { return }
            handle(lines)
            guard move(from: .handling, to: .reading) else { return }
            // Whoever stopped the reading while lines were handled has left the rest to this thread.
            if isStopped.load(ordering: .sequentiallyConsistent) { return end(from: .reading) }
        }
        guard move(from: .reading, to: .handling) else { return }
        handle(framer.rest())
        end(from: .handling)
    }

    private func end(from last: Phase) {
        if move(from: last, to: .ended) { dispatcher.handler.inputEnded() }
    }

    private func move(from old: Phase, to new: Phase) -> Bool {
        phase.withLock { phase in
            guard phase == old else { return false }
            phase = new
            return true
        }
    }

    /// Handles the lines of one read, with the outbox corked, so that the answers to pipelined requests leave together.
    private func handle(_ lines: FramedLines) {
        var lines = lines
        outbox.cork()
        defer { outbox.uncork() }
        while let line = lines.next() {
            dispatcher.handler.waitUntilReadyForNextLine()
            pauseWhileFull()
            guard !isStopped.load(ordering: .relaxed) else { return }
            switch line {
            case .complete(let range): dispatcher.handle(lines.bytes, in: range)
            case .tooLong: dispatcher.refuseTooLong()
            }
        }
    }

    private func pauseWhileFull() {
        guard outbox.isFull else { return }
        dispatcher.handler.log(.readingPaused)
        outbox.waitForRoom()
        dispatcher.handler.log(.readingResumed)
    }

    /// One read(2), which waits for the peer.
    /// - Returns: how many bytes came; 0 when the input has ended, also because it failed.
    private func read(into bytes: UnsafeMutableRawBufferPointer) -> Int {
        while true {
            let count = Glibc.read(descriptor, bytes.baseAddress, bytes.count)
            if count >= 0 { return count }
            switch errno {
            case EINTR:
                continue
            case EAGAIN:
                // Somebody who shares the file description has made it non-blocking.
                var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                _ = Glibc.poll(&poll, 1, -1)
            case let code:
                dispatcher.handler.log(.inputFailed(code: code))
                return 0
            }
        }
    }
}
