import JSON
import ParleyCore
import ParleyModels
import ParleyTestSupport
import Testing

/// What an answer leaves to send back, and the next request that holds it.
@Suite(.timeLimit(.minutes(5)))
struct OpenAIReplayTests {
    /// An answer, and the assistant's message in the request after it.
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let deltas: [JSONValue]
        let handling: ReasoningHandling
        /// The message as the next request has it, `role` left out.
        let sent: JSONValue
    }

    private static let call: JSONValue = [
        "tool_calls": [["index": 0, "id": "a", "type": "function", "function": ["name": "time", "arguments": "{}"]]]
    ]
    private static let sentCalls: JSONValue = [["id": "a", "type": "function", "function": ["name": "time", "arguments": "{}"]]]
    private static let always = ReasoningHandling(sendBack: .always)
    private static let detail: JSONValue = ["type": "reasoning.text", "id": "r", "index": 0, "text": "Hm."]

    static let cases = [
        Case(
            testDescription: "DeepSeek, with a call", deltas: [["reasoning_content": "Hm"], ["reasoning_content": "."], call],
            handling: ReasoningHandling(), sent: ["content": "", "reasoning_content": "Hm.", "tool_calls": sentCalls]),
        Case(
            testDescription: "DeepSeek, without a call", deltas: [["reasoning_content": "Hm."], ["content": "Yes."]],
            handling: ReasoningHandling(), sent: ["content": "Yes."]),
        Case(
            testDescription: "vLLM", deltas: [["reasoning": "Hm."], call], handling: ReasoningHandling(),
            sent: ["content": "", "reasoning": "Hm.", "tool_calls": sentCalls]),
        Case(
            testDescription: "under another name", deltas: [["reasoning": "Hm."], call],
            handling: ReasoningHandling(field: .reasoningContent),
            sent: ["content": "", "reasoning_content": "Hm.", "tool_calls": sentCalls]),
        Case(
            testDescription: "tags under a name", deltas: [["content": "<think>Hm.</think>Yes."]],
            handling: ReasoningHandling(sendBack: .always, field: .reasoning), sent: ["content": "Yes.", "reasoning": "Hm."]),
        Case(
            testDescription: "as details", deltas: [["reasoning": "Hm."], ["content": "Yes."]],
            handling: ReasoningHandling(sendBack: .always, field: .reasoningDetails),
            sent: ["content": "Yes.", "reasoning_details": [["type": "reasoning.text", "text": "Hm."]]]),
        Case(
            testDescription: "MiniMax, split", deltas: [["reasoning_content": "Hm.", "reasoning_details": [detail]], ["content": "Yes."]],
            handling: always, sent: ["content": "Yes.", "reasoning_content": "Hm.", "reasoning_details": [detail]]),
        Case(
            testDescription: "MiniMax, in the text", deltas: [["content": "<think>\nHm.\n</thi"], ["content": "nk>\n\nYes."], call],
            handling: always, sent: ["content": "<think>\nHm.\n</think>\n\nYes.", "tool_calls": sentCalls]),
        Case(
            testDescription: "never", deltas: [["reasoning_content": "Hm."], call], handling: ReasoningHandling(sendBack: .never),
            sent: ["content": "", "tool_calls": sentCalls]),
        Case(
            testDescription: "Mistral",
            deltas: [
                ["content": [["type": "thinking", "thinking": [["type": "text", "text": "Hm."]]], ["type": "text", "text": "So."]]], call,
            ],
            handling: ReasoningHandling(),
            sent: [
                "content": [
                    ["type": "thinking", "thinking": [["type": "text", "text": "Hm."]]], ["type": "text", "text": "So."],
                ],
                "tool_calls": sentCalls,
            ]),
        Case(
            testDescription: "Gemini's signature, which is no reasoning",
            deltas: [
                [
                    "tool_calls": [
                        [
                            "id": "a", "function": ["name": "time", "arguments": "{}"],
                            "extra_content": ["google": ["thought_signature": "c2ln"]],
                        ]
                    ]
                ]
            ], handling: ReasoningHandling(sendBack: .never),
            sent: [
                "content": "",
                "tool_calls": [
                    [
                        "id": "a", "type": "function", "function": ["name": "time", "arguments": "{}"],
                        "extra_content": ["google": ["thought_signature": "c2ln"]],
                    ]
                ],
            ]),
    ]

    @Test(arguments: cases)
    func isSentBackToTheModelThatSaidIt(item: Case) async throws {
        let server = try LoopbackServer { _, connection in
            connection.sendHead(["Content-Type": "text/event-stream"])
            for delta in item.deltas { connection.sendChunk(Self.event(["choices": [["delta": delta]]])) }
            connection.sendChunk(Self.event(["choices": [["delta": [:], "finish_reason": "stop"]]]))
            connection.endChunks()
        }
        let client = try HTTPClient()
        defer { client.close() }
        let configuration = OpenAIProviderConfiguration(name: "test", baseURL: server.url, reasoning: item.handling)
        let provider = OpenAIProvider(configuration: configuration, client: client)
        var request = ModelRequest.conversation(model: "m", "Hello", "", "Again")
        let outcome = await ModelProviderContract(provider, request).call()
        #expect(outcome.failure == nil)
        request.messages[1].content =
            (outcome.reasoning.isEmpty ? [] : [.reasoning(outcome.reasoning)])
            + [.text(outcome.deltas.joined())] + outcome.toolCalls.map { .toolCall($0) }
        request.messages[1].replay = outcome.replay.map { Message.Replay(model: "test:m", value: $0) }
        _ = await ModelProviderContract(provider, request).call()
        // Another model gets the message without what is not its own.
        request.messages[1].replay?.model = "test:other"
        _ = await ModelProviderContract(provider, request).call()

        let sent = try server.requests.map { try JSONReader.parse($0.body)["messages"]?.arrayValue ?? [] }
        try #require(sent.count == 3 && sent[1].count == 3 && sent[2].count == 3)
        #expect(sent[1][1] == Self.with(role: "assistant", item.sent))
        let plain = JSONValue.string(outcome.deltas.joined())
        let calls: JSONValue? = outcome.toolCalls.isEmpty ? Optional.none : Self.sentCalls
        #expect(sent[2][1]["content"] == plain && sent[2][1]["tool_calls"] == calls)
        #expect(sent[2][1]["reasoning_content"] == nil && sent[2][1]["reasoning"] == nil && sent[2][1]["reasoning_details"] == nil)
    }

    @Test("What was kept under other settings goes back by those in force")
    func settingsChange() async throws {
        let server = try LoopbackServer { _, connection in connection.respond(body: #"{"choices":[{"message":{"content":"Hi"}}]}"#) }
        let client = try HTTPClient()
        defer { client.close() }
        var request = ModelRequest.conversation(model: "m", "Hello", "Yes.", "Again")
        request.messages[1].replay = Message.Replay(model: "test:m", value: ["thoughts": "<think>Hm.</think>", "reasoning": "Hm."])
        for sendBack in ReasoningHandling.SendBack.allCases {
            let configuration = OpenAIProviderConfiguration(
                name: "test", baseURL: server.url, reasoning: ReasoningHandling(sendBack: sendBack))
            _ = await ModelProviderContract(OpenAIProvider(configuration: configuration, client: client), request).call()
        }
        let sent = try server.requests.map { try JSONReader.parse($0.body)["messages"]?.arrayValue?[1] }
        let plain: JSONValue = ["role": "assistant", "content": "Yes."]
        #expect(sent == [plain, plain, ["role": "assistant", "content": "<think>Hm.</think>Yes.", "reasoning": "Hm."]])
    }

    private static func event(_ chunk: JSONValue) -> String {
        "data: \(String(decoding: JSONWriter.encode(chunk), as: UTF8.self))\n\n"
    }

    private static func with(role: JSONValue, _ message: JSONValue) -> JSONValue {
        guard case .object(var members) = message else { return message }
        members["role"] = role
        return .object(members)
    }
}
