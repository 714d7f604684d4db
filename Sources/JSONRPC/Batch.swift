import JSON

/// The answers of one batch, which leave as one array, in the order of the members, once the last is there (JSON-RPC 2.0, section 6).
final class Batch: Sendable {
    private struct State {
        var answers: [[UInt8]] = []
        /// The admitted requests; their ids stay in flight until the array is sent.
        var ids: [RequestID] = []
        /// The members that may still be answered.
        var due: Int
        var bytes = 0
    }

    private let ledger: RequestLedger
    private let state: Guarded<State>

    /// - Parameter members: how many there are; `take`, `refuse` or `expectNothing` is to be called once for each.
    init(ledger: RequestLedger, members: Int) {
        self.ledger = ledger
        state = Guarded(State(due: members))
    }

    /// Keeps a place for the answer of a request that was admitted.
    func expectAnswer(of id: RequestID) -> Int {
        state.withLock { state in
            state.ids.append(id)
            state.answers.append([])
            return state.answers.count - 1
        }
    }

    /// Takes the answer for a place.
    func take(_ answer: [UInt8], at place: Int) {
        ledger.hold(bytes: answer.count)
        sendIfLast { state in
            state.answers[place] = answer
            state.bytes += answer.count
        }
    }

    /// Answers a member that was not admitted.
    func refuse(_ id: RequestID, _ error: RPCError) {
        var writer = JSONWriter()
        writer.answer(id, "error") { error.write(to: &$0) }
        let answer = writer.bytes
        ledger.hold(bytes: answer.count)
        sendIfLast { state in
            state.answers.append(answer)
            state.bytes += answer.count
        }
    }

    /// Takes note of a member that is not answered. To be called before it has an effect: what that brings about comes after the array.
    func expectNothing() {
        sendIfLast { _ in }
    }

    private func sendIfLast(_ change: (inout State) -> Void) {
        let last = state.withLock { state -> State? in
            change(&state)
            state.due -= 1
            guard state.due == 0 else { return nil }
            defer { state = State(due: 0) }
            return state
        }
        guard let last, !last.answers.isEmpty else { return }
        var line: [UInt8] = []
        line.reserveCapacity(last.bytes + last.answers.count + 2)
        for answer in last.answers {
            line.append(UInt8(ascii: line.isEmpty ? "[" : ","))
            line += answer
        }
        line += "]\n".utf8
        ledger.settle(last.ids, holding: last.bytes, with: line)
    }
}
