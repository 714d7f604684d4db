import Foundation

/// The place where the engine's thread puts what has come of one transfer and a task takes it.
///
/// The engine puts down all that one round of reading brought, with one lock and at most one continuation. The buffer is bounded:
/// beyond `highWater` the engine pauses the transfer, and whoever drains the buffer asks it to go on.
///
/// `@unchecked Sendable` is right: `inbox` never changes and is Sendable, and all the rest is read and written under `lock` alone.
/// Continuations are resumed after the lock is given back.
final class HTTPDelivery: @unchecked Sendable {
    /// How a transfer ended.
    enum Ending: Sendable {
        /// The body came to its end.
        case complete
        /// It did not.
        case failed(HTTPFailure)
    }

    /// The number of buffered bytes from which a transfer is paused.
    static let highWater = 256 << 10
    /// The number of buffered bytes below which it goes on.
    static let lowWater = highWater / 2

    private enum Waiter {
        case head(CheckedContinuation<Result<[UInt8], HTTPFailure>, Never>)
        case body(CheckedContinuation<Result<[UInt8]?, HTTPFailure>, Never>)
    }

    /// A waiter with what it waits for; to be resumed without the lock.
    private enum Wake {
        case head(CheckedContinuation<Result<[UInt8], HTTPFailure>, Never>, Result<[UInt8], HTTPFailure>)
        case body(CheckedContinuation<Result<[UInt8]?, HTTPFailure>, Never>, Result<[UInt8]?, HTTPFailure>)

        func resume() {
            switch self {
            case .head(let continuation, let result): continuation.resume(returning: result)
            case .body(let continuation, let result): continuation.resume(returning: result)
            }
        }
    }

    private let inbox: HTTPInbox
    private let lock = NSLock()
    private var head: [UInt8]?
    private var buffer: [UInt8] = []
    private var ending: Ending?
    private var waiter: Waiter?
    private var isPaused = false

    init(inbox: HTTPInbox) {
        self.inbox = inbox
    }

    // MARK: The engine's side

    /// Whether there is nobody left to deliver to.
    var isOver: Bool {
        lock.withLock { ending != nil }
    }

    /// Puts down what came since the last time, and wakes the task that waits for it.
    ///
    /// - Parameters:
    ///   - head: The bytes of the response's header, once, when they are complete.
    ///   - bytes: What came of the body.
    ///   - ending: How the transfer ended, or nil while it goes on.
    ///   - paused: Whether the transfer stands still until the buffer is drained.
    /// - Returns: How many bytes nobody has taken yet. At `lowWater` or above, whoever drains them posts `.resume`.
    func deliver(head: [UInt8]?, bytes: [UInt8], ending: Ending?, paused: Bool) -> Int {
        lock.lock()
        guard self.ending == nil else {
            lock.unlock()
            return 0
        }
        if let head { self.head = head }
        if buffer.isEmpty { buffer = bytes } else { buffer.append(contentsOf: bytes) }
        self.ending = ending
        let wake = takeWaiter()
        let count = buffer.count
        isPaused = paused && count >= Self.lowWater
        lock.unlock()
        wake?.resume()
        return count
    }

    // MARK: The reader's side

    /// Begins the transfer and waits for the response's header.
    ///
    /// - Parameter request: What to ask.
    /// - Returns: The header's bytes.
    nonisolated(nonsending) func start(_ request: HTTPRequest) async -> Result<[UInt8], HTTPFailure> {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                wait(.head(continuation))
                if !inbox.post(.start(request, self)) {
                    _ = deliver(head: nil, bytes: [], ending: .failed(HTTPFailure(.cancelled, "the HTTP client is closed")), paused: false)
                }
            }
        } onCancel: {
            cancel()
        }
    }

    /// Waits for a part of the body.
    ///
    /// - Returns: All that has come since the last time, or nil at the end of the body.
    nonisolated(nonsending) func next() async -> Result<[UInt8]?, HTTPFailure> {
        if !Task.isCancelled, let ready = takeReady() { return ready }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                wait(.body(continuation))
            }
        } onCancel: {
            cancel()
        }
    }

    /// Ends the transfer if it is not at its end, and forgets what was not taken.
    func cancel() {
        end { .cancel($0) }
    }

    /// Forgets what was not taken and all that will come, but lets the transfer come to its end.
    func letEnd() {
        end { .letEnd($0) }
    }

    private func end(_ command: (HTTPDelivery) -> HTTPCommand) {
        lock.lock()
        let isRunning = ending == nil
        if isRunning || !buffer.isEmpty {
            ending = .failed(HTTPFailure(.cancelled, "the request was cancelled"))
            buffer = []
        }
        let wake = takeWaiter()
        lock.unlock()
        wake?.resume()
        if isRunning { inbox.post(command(self)) }
    }

    private func takeReady() -> Result<[UInt8]?, HTTPFailure>? {
        lock.lock()
        let ready = takeBody()
        let goesOn = takePause()
        lock.unlock()
        if goesOn { inbox.post(.resume(self)) }
        return ready
    }

    /// Puts a continuation down until there is something for it, or resumes it at once.
    private func wait(_ newcomer: Waiter) {
        lock.lock()
        guard waiter == nil else {
            lock.unlock()
            let failure = HTTPFailure(.other, "two tasks read one response")
            switch newcomer {
            case .head(let continuation): continuation.resume(returning: .failure(failure))
            case .body(let continuation): continuation.resume(returning: .failure(failure))
            }
            return
        }
        waiter = newcomer
        let wake = takeWaiter()
        let goesOn = takePause()
        lock.unlock()
        wake?.resume()
        if goesOn { inbox.post(.resume(self)) }
    }

    // MARK: Under the lock

    /// Takes the waiter and what it waits for, if that is there.
    private func takeWaiter() -> Wake? {
        switch waiter {
        case .head(let continuation):
            guard let result = takeHead() else { return nil }
            waiter = nil
            return .head(continuation, result)
        case .body(let continuation):
            guard let result = takeBody() else { return nil }
            waiter = nil
            return .body(continuation, result)
        case nil:
            return nil
        }
    }

    private func takeHead() -> Result<[UInt8], HTTPFailure>? {
        if let head {
            self.head = nil
            return .success(head)
        }
        switch ending {
        case .failed(let failure): return .failure(failure)
        case .complete: return .failure(HTTPFailure(.closed, "the response ended before its header"))
        case nil: return nil
        }
    }

    private func takeBody() -> Result<[UInt8]?, HTTPFailure>? {
        if !buffer.isEmpty {
            defer { buffer = [] }
            return .success(buffer)
        }
        switch ending {
        case .failed(let failure): return .failure(failure)
        case .complete: return .success(nil)
        case nil: return nil
        }
    }

    /// Whether the engine has to be told that the buffer of a paused transfer was drained.
    private func takePause() -> Bool {
        guard isPaused, buffer.count < Self.lowWater, ending == nil else { return false }
        isPaused = false
        return true
    }
}
