import JSONRPC
import ParleyCore

/// The attachments that wait for their connection to take more. They send one batch each, in turn, while it does: so none goes short, and what
/// waits to be written grows by one batch at most, however many they are.
final class AttachmentQueue: Sendable {
    private struct State {
        var waiting: [TurnAttachment] = []
        /// Whether somebody sees to those who wait.
        var isServed = false
    }

    /// Where they send.
    let connection: Connection
    private let state = Locked(State())

    init(connection: Connection) {
        self.connection = connection
    }

    /// Lets an attachment send what it has when the connection takes it; to be called once until it has nothing more.
    func add(_ attachment: TurnAttachment) {
        let isFirst = state.withLock { state in
            state.waiting.append(attachment)
            defer { state.isServed = true }
            return !state.isServed
        }
        if isFirst { connection.onceWritable { [self] in serve() } }
    }

    private func serve() {
        while let attachment = next() {
            if attachment.sendBatchInTurn() { state.withLock { $0.waiting.append(attachment) } }
            if connection.isCongested { return connection.onceWritable { [self] in serve() } }
        }
    }

    /// The one whose turn it is; nobody sees to the queue any more when there is none.
    private func next() -> TurnAttachment? {
        state.withLock { state in
            state.isServed = !state.waiting.isEmpty
            return state.isServed ? state.waiting.removeFirst() : nil
        }
    }
}
