package import JSON
import Synchronization

/// Where the one answer of a request goes: out at once, or into its batch.
///
/// A second answer is ignored, and stops a debug build. Whoever lets go of a reply without answering has a bug: the log hears of it, and
/// the client gets an internal error so that it need not wait for ever.
package final class Reply: Sendable {
    /// The request's id.
    package let id: RequestID

    private let ledger: RequestLedger
    private let batch: (batch: Batch, place: Int)?
    private let isAnswered = Atomic<Bool>(false)

    init(id: RequestID, ledger: RequestLedger, batch: (batch: Batch, place: Int)?) {
        self.id = id
        self.ledger = ledger
        self.batch = batch
    }

    deinit {
        guard !isAnswered.load(ordering: .acquiring) else { return }
        ledger.handler.log(.unanswered(id))
        fail(.internalError("The request was not answered."))
    }

    /// Answers with a result.
    /// - Parameter result: writes the one value of `result`.
    package func succeed(_ result: (inout JSONWriter) -> Void) {
        answer("result", result)
    }

    /// Answers with an error.
    package func fail(_ error: RPCError) {
        answer("error") { error.write(to: &$0) }
    }

    private func answer(_ name: StaticString, _ value: (inout JSONWriter) -> Void) {
        guard !isAnswered.exchange(true, ordering: .acquiringAndReleasing) else {
            ledger.handler.log(.answeredTwice(id))
            assertionFailure("a request was answered twice")
            return
        }
        var writer = JSONWriter()
        writer.answer(id, name, value)
        if let (batch, place) = batch {
            batch.take(writer.bytes, at: place)
        } else {
            writer.newline()
            ledger.settle(id, with: writer.bytes)
        }
    }
}
