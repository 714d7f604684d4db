import JSON
import Synchronization

/// The requests that were received and are not answered, and the way of their answers out.
final class RequestLedger: Sendable {
    let handler: any MessageHandler
    private let outbox: Outbox
    private let ids = Guarded<Set<RequestID>>([])
    private let open = Atomic<Int>(0)
    private let held = Atomic<Int>(0)

    init(outbox: Outbox, handler: any MessageHandler) {
        self.outbox = outbox
        self.handler = handler
    }

    /// How many requests are not answered; a request counts until its answer is in the outbox.
    var count: Int { open.load(ordering: .acquiring) }

    /// The size of the answers that wait for others of their batch, of all batches, in bytes.
    var heldBytes: Int { held.load(ordering: .relaxed) }

    /// Takes note of an answer that waits for others of its batch.
    func hold(bytes: Int) {
        held.wrappingAdd(bytes, ordering: .relaxed)
    }

    /// Takes a request in.
    /// - Returns: false when its id is in flight already.
    func admit(_ id: RequestID) -> Bool {
        guard ids.withLock({ $0.insert(id).inserted }) else { return false }
        open.wrappingAdd(1, ordering: .relaxed)
        return true
    }

    /// Sends the answer of a request that was admitted. Its id may be used again as soon as the peer can see the answer, so it is released
    /// before.
    func settle(_ id: RequestID, with line: [UInt8]) {
        ids.withLock { _ = $0.remove(id) }
        outbox.send(line)
        open.wrappingSubtract(1, ordering: .releasing)
    }

    /// Sends the answer of a batch, for the requests of it that were admitted and whose answers were held.
    func settle(_ batch: [RequestID], holding bytes: Int, with line: [UInt8]) {
        held.wrappingSubtract(bytes, ordering: .relaxed)
        ids.withLock { $0.subtract(batch) }
        outbox.send(line)
        open.wrappingSubtract(batch.count, ordering: .releasing)
    }

    /// Answers what was not admitted.
    func refuse(_ id: RequestID, _ error: RPCError) {
        outbox.send(Self.line(id, error))
    }

    private static func line(_ id: RequestID, _ error: RPCError) -> [UInt8] {
        var writer = JSONWriter()
        writer.answer(id, "error") { error.write(to: &$0) }
        writer.newline()
        return writer.bytes
    }
}
