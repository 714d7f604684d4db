import Foundation
import JSON

@testable import JSONRPC

/// A handler that writes down what it is called for, and answers requests as the test says.
final class RecordingHandler: MessageHandler {
    enum Event: Sendable, Equatable {
        case ready
        case request(String)
        case notification(String)
        case response(RequestID, Result<JSONValue, RPCError>)
        case inputEnded
        case outputBroken
        case log(TransportEvent)
    }

    private let record = Guarded<[Event]>([])
    private let answer: @Sendable (IncomingRequest, Reply) -> Void

    /// - Parameter answer: handles requests; without it each gets `{}`.
    init(_ answer: @escaping @Sendable (IncomingRequest, Reply) -> Void = { _, reply in reply.succeed { $0.object { _ in } } }) {
        self.answer = answer
    }

    /// Everything so far but `ready`.
    var events: [Event] { all.filter { $0 != .ready } }

    /// Everything so far.
    var all: [Event] { record.withLock { $0 } }

    /// Returns once what was recorded fulfils the condition.
    func wait(until isFulfilled: @escaping @Sendable ([Event]) -> Bool) async {
        await offPool { self.record.wait { isFulfilled($0) ? () : nil } }
    }

    func wait(for event: Event) async {
        await wait { $0.contains(event) }
    }

    private func add(_ event: Event) {
        record.withLock { $0.append(event) }
        record.wake()
    }

    func handle(_ request: IncomingRequest, reply: Reply) {
        add(.request(request.method))
        answer(request, reply)
    }

    func handle(notification: IncomingRequest) { add(.notification(notification.method)) }
    func handle(response id: RequestID, result: Result<JSONValue, RPCError>) { add(.response(id, result)) }
    func waitUntilReadyForNextLine() { add(.ready) }
    func inputEnded() { add(.inputEnded) }
    func outputBroken() { add(.outputBroken) }
    func log(_ event: TransportEvent) { add(.log(event)) }
}

/// Runs what blocks on a thread of its own, so that the threads which run the tests are never all blocked.
func offPool<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
    await withCheckedContinuation { continuation in
        Thread.detachNewThread { continuation.resume(returning: body()) }
    }
}
