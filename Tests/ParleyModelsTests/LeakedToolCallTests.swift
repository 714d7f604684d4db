import JSON
import ParleyCore
import ParleyTestSupport
import Testing

@testable import ParleyModels

/// Tool calls that come as text.
@Suite(.timeLimit(.minutes(5)))
struct LeakedToolCallTests {
    /// An answer's text and what becomes of it.
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let text: String
        var shown = ""
        var calls: [ToolCall] = []
        var finishReason = "stop"
        /// Whether the call fails.
        var isBroken = false
    }

    private static let token = "]<]minimax[>["

    static let cases = [
        Case(
            testDescription: "MiniMax-M2",
            text: """
                Looking.
                <minimax:tool_call>
                <invoke name="weather">
                <parameter name="city">
                Rome
                </parameter>
                <parameter name="days">3</parameter>
                <parameter name="hours">[1, 2]</parameter>
                <parameter name="note">7</parameter>
                </invoke>
                <invoke name="time">
                </invoke>
                </minimax:tool_call>
                """, shown: "Looking.\n",
            calls: [
                ToolCall(id: "call_1", name: "weather", arguments: ["city": "Rome", "days": 3, "hours": [1, 2], "note": "7"]),
                ToolCall(id: "call_2", name: "time", arguments: [:]),
            ]),
        Case(
            testDescription: "MiniMax-M3",
            text:
                "Tuner.\(token)<tool_call>\n\(token)<invoke name=\"weather\">\(token)<city>C:\\Rome\(token)</city>\(token)<days>3\(token)</days>\(token)</invoke>\n\(token)</tool_call>\n",
            shown: "Tuner.", calls: [ToolCall(id: "call_1", name: "weather", arguments: ["city": "C:\\Rome", "days": 3])]),
        Case(
            testDescription: "what is no JSON stays text",
            text: "<minimax:tool_call><invoke name=\"weather\"><parameter name=\"days\">three</parameter></invoke></minimax:tool_call>",
            calls: [ToolCall(id: "call_1", name: "weather", arguments: ["days": "three"])]),
        Case(testDescription: "a cut call", text: "So <minimax:tool_call><invoke name=\"weather\"><para", shown: "So ", isBroken: true),
        Case(
            testDescription: "a cut call at the bound of length", text: "So <minimax:tool_call><invoke name=\"weather\"><para",
            shown: "So ",
            finishReason: "length"),
        Case(
            testDescription: "a tool that nobody offered",
            text: "<minimax:tool_call><invoke name=\"rm\"></invoke></minimax:tool_call>", isBroken: true),
        Case(testDescription: "rubbish", text: "\(token)\(token)<days>10\(token)</days>", isBroken: true),
        Case(
            testDescription: "an answer about the tag", text: "The tag <minimax:tool_call> begins a call.",
            shown: "The tag <minimax:tool_call> begins a call."),
        Case(testDescription: "what only begins like a tag", text: "a <minimax] ]<]mini [>[ <", shown: "a <minimax] ]<]mini [>[ <"),
    ]

    private static func tools() throws -> [ToolDefinition] {
        let schema: JSONValue = [
            "type": "object",
            "properties": [
                "city": ["type": "string"], "days": ["type": "integer"], "hours": ["type": "array"], "note": ["type": "string"],
            ],
        ]
        return [
            try ToolDefinition(name: "weather", summary: "Tell the weather.", category: "Test", inputSchema: schema),
            try ToolDefinition(name: "time", summary: "Tell the time.", category: "Test", inputSchema: [:]),
        ]
    }

    @Test("A call in the text is made, or ends the answer, and is never shown; cut at every character", arguments: cases)
    func everyCut(item: Case) throws {
        let tools = try Self.tools()
        let scalars = Array(item.text.unicodeScalars)
        for cut in 0...scalars.count {
            let outcome = Self.read(item, [scalars[..<cut], scalars[cut...]], tools)
            #expect(outcome.deltas.joined() == item.shown, "cut at \(cut)")
            #expect(outcome.toolCalls == item.calls)
            #expect(outcome.failure?.code == (item.isBroken ? .modelUnavailable : nil))
            #expect(outcome.failure?.isRetryable == nil, "the code says so")
        }
    }

    @Test("Without tools there are no calls", arguments: cases)
    func withoutTools(item: Case) {
        let outcome = Self.read(item, [Array(item.text.unicodeScalars)[...]], [])
        #expect(outcome.deltas.joined() == item.text && outcome.toolCalls.isEmpty && outcome.failure == nil)
    }

    private static func read(
        _ item: Case, _ parts: [ArraySlice<Unicode.Scalar>], _ tools: [ToolDefinition]
    ) -> ModelProviderContract.Outcome {
        var reader = AnswerReader(ChatAnswer(failures: FailureTranslation(provider: "test", apiKey: nil), tools: tools))
        var outcome = ModelProviderContract.Outcome()
        func take(_ delta: JSONValue, _ reason: JSONValue) {
            let chunk: JSONValue = ["choices": [["delta": delta, "finish_reason": reason]]]
            outcome.batches.append(reader.read(Array("data: ".utf8) + JSONWriter.encode(chunk) + Array("\n\n".utf8)))
        }
        for part in parts { take(["content": .string(String(String.UnicodeScalarView(part)))], nil) }
        take([:], .string(item.finishReason))
        outcome.batches.append(reader.readEnd())
        if case .failed(let failure)? = reader.ending { outcome.failure = failure }
        return outcome
    }
}
