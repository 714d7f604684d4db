import JSON
import Testing

@testable import ParleyModels

struct ReasoningAssemblyTests {
    @Test(
        "A text comes in new pieces, or whole each time",
        arguments: [
            (["Let ", "me ", "see."], "Let me see."), (["Let", "Let me", "Let me see."], "Let me see."),
            (["Let", "Let me", "Let me", "Let me see."], "Let me see."), (["ha", "ha", "ha"], "hahaha"), ([" ", "  ", "a"], "   a"),
            (["1", "10", "2"], "1102"), (["Let", "Let me", " again"], "Let me again"), (["a", "b", "ab", "abab"], "abababab"), ([], ""),
        ])
    func runningText(pieces: [String], expected: String) {
        var text = RunningText()
        #expect(pieces.map { text.append($0) }.joined() == expected)
        #expect(text.text == expected)
    }

    @Test("The same thought from two sources is shown once, whoever is ahead")
    func twoSources() {
        var reasoning = ReasoningAssembly()
        #expect(reasoning.take("Let ", from: .reasoningContent) == "Let ")
        #expect(reasoning.take("Let me ", from: .tags) == "me ")
        #expect(reasoning.take("me see", from: .reasoningContent) == "see")
        #expect(reasoning.take("\nsee. Né", from: .tags) == ". Né")
        #expect(reasoning.take(". Nè", from: .reasoningContent) == "è", "what differs is shown, by whole characters")
        #expect(reasoning.text == "Let me see. Néè")
        #expect(reasoning.text(from: .reasoningContent) == "Let me see. Nè")
    }

    @Test("Details are put together by their index, whatever way their text comes")
    func details() {
        var reasoning = ReasoningAssembly()
        let first: JSONValue = ["type": "reasoning.text", "id": "r", "index": 0, "text": "One "]
        let more: JSONValue = ["type": "reasoning.text", "id": nil, "index": 0, "text": "two.", "signature": nil]
        let signed: JSONValue = ["type": "reasoning.text", "index": 0, "signature": "s1"]
        let sealed: JSONValue = ["type": "reasoning.encrypted", "index": 1, "data": "xyz", "format": "f"]
        #expect(reasoning.take(details: [first]) == "One ")
        #expect(reasoning.take(details: [more, 7, "nonsense"]) == "two.")
        #expect(reasoning.take(details: [signed, sealed]) == "")
        #expect(
            reasoning.details.map(\.value) == [
                ["type": "reasoning.text", "id": "r", "index": 0, "text": "One two.", "signature": "s1"], sealed,
            ])
        #expect(reasoning.take("One two. Three.", from: .reasoning) == " Three.")
    }
}
