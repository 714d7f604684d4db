import JSON
import JSONRPC
import Logging
import ParleyCore

/// The requests that the host has sent to its client and that are not answered.
///
/// A client may answer late, twice, wrongly or never: whoever asks decides how long to wait, by cancelling its task.
final class ClientRequests: Sendable {
    private struct State {
        var next = 0
        var waiting: [RequestID: (number: Int, continuation: CheckedContinuation<Result<JSONValue, RPCError>?, Never>)] = [:]
        /// Whether no answer can come any more.
        var hasEnded = false
    }

    private let ambient: any Ambient
    private let logger: Logger
    private let state = Locked(State())

    init(ambient: any Ambient, logger: Logger) {
        self.ambient = ambient
        self.logger = logger
    }

    /// Sends a request and waits for its answer; a client whose request is given up is told so.
    ///
    /// - Returns: nil when the task was cancelled or the client can answer no more.
    func ask(
        _ method: StaticString, on connection: Connection, _ params: (inout JSONWriter) -> Void
    ) async -> Result<JSONValue, RPCError>? {
        let number = state.withLock { state in
            state.next += 1
            return state.next
        }
        let id = RequestID.string("host-\(number)")
        let answer = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isWaiting = state.withLock { state in
                    guard !state.hasEnded, !Task.isCancelled else { return false }
                    state.waiting[id] = (number, continuation)
                    return true
                }
                guard isWaiting else { return continuation.resume(returning: nil) }
                connection.request(method, id: id, params)
                ambient.endActivity()
            }
        } onCancel: {
            guard let continuation = take(id) else { return }
            connection.notify("$/cancelRequest") { writer in
                writer.object { writer in
                    writer.key("id")
                    id.write(to: &writer)
                }
            }
            resume(continuation, with: nil)
        }
        return answer
    }

    /// Takes an answer; one that nobody waits for is only noted.
    func answer(_ id: RequestID, _ result: Result<JSONValue, RPCError>) {
        guard let continuation = take(id) else { return logger.debug("answer to no request", metadata: ["id": .string("\(id)")]) }
        resume(continuation, with: result)
    }

    /// Nobody can answer any more: tells all who wait, one after the other.
    func end() async {
        let waiting = state.withLock { state in
            state.hasEnded = true
            return state.waiting.sorted { $0.value.number < $1.value.number }.map(\.key)
        }
        ambient.beginActivity()
        for id in waiting {
            await ambient.rest()
            if let continuation = take(id) { resume(continuation, with: nil) }
        }
        ambient.endActivity()
    }

    private func take(_ id: RequestID) -> CheckedContinuation<Result<JSONValue, RPCError>?, Never>? {
        state.withLock { $0.waiting.removeValue(forKey: id)?.continuation }
    }

    private func resume(
        _ continuation: CheckedContinuation<Result<JSONValue, RPCError>?, Never>, with result: Result<JSONValue, RPCError>?
    ) {
        ambient.beginActivity()
        continuation.resume(returning: result)
    }
}
