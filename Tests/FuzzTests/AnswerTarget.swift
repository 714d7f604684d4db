import ParleyCore

@testable import ParleyModels

/// The first byte chooses the protocol and what the server may do, the second says how the rest, the body, is cut.
enum AnswerTarget {
    private struct Outcome: Equatable {
        var events: [ModelEvent] = []
        /// Nil for an answer that came to its end.
        var failure: Failure.Code?
    }

    static func check(_ input: [UInt8]) throws(BrokenPromise) {
        guard input.count >= 2 else { return }
        let failures = FailureTranslation(provider: "p", apiKey: "secret")
        let handling = ReasoningHandling(thinkTags: input[0] & 4 == 0)
        let tools = input[0] & 2 == 0 ? TextTarget.tools : []
        if input[0] & 1 == 0 {
            try check(ChatAnswer(failures: failures, handling: handling, tools: tools), input)
        } else {
            try check(MessagesAnswer(failures: failures), input)
        }
    }

    private static func check(_ answer: some ServerAnswer, _ input: [UInt8]) throws(BrokenPromise) {
        let breaks = input[0] & 8 != 0
        let body = input[2...]
        let outcome = try read([body], answer, breaks: breaks)
        let cut = try read(Cuts(input[1]).pieces(of: body), answer, breaks: breaks)
        try expect(cut == outcome, "an answer means the same however it is cut")
        let ends = outcome.events.indices.filter { if case .finished = outcome.events[$0] { true } else { false } }
        try expect(ends == (outcome.failure == nil ? [outcome.events.count - 1] : []), "an answer ends once, last, or fails")
        try expect(outcome.events.filter { if case .replay = $0 { true } else { false } }.count <= 1, "there is one replay at most")
        for event in outcome.events {
            switch event {
            case .textDelta(let text), .reasoningDelta(let text): try expect(!text.isEmpty, "no delta is empty")
            case .toolCall(let call): try expect(!call.name.isEmpty, "a call has a name")
            default: break
            }
        }
    }

    /// Reads as `ServerStream` does.
    private static func read<Answer: ServerAnswer>(
        _ pieces: [ArraySlice<UInt8>], _ answer: Answer, breaks: Bool
    ) throws(BrokenPromise) -> Outcome {
        var reader = AnswerReader(answer)
        var outcome = Outcome()
        for piece in pieces where reader.ending == nil { outcome.events += reader.read(Array(piece)) }
        if reader.ending == nil { outcome.events += breaks ? reader.readBreak(HTTPFailure(.closed, "closed")) : reader.readEnd() }
        switch reader.ending {
        case .finished: break
        case .failed(let failure): outcome.failure = failure.code
        case nil: throw BrokenPromise(description: "after the end of the body an answer has an end")
        }
        return outcome
    }
}
