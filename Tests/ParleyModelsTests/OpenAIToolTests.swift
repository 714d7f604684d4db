import JSON
import ParleyCore
import ParleyModels
import ParleyTestSupport
import Testing

/// Tool calls as servers of OpenAI's protocol send them, and as they are sent back.
@Suite(.timeLimit(.minutes(5)))
struct OpenAIToolTests {
    /// An answer with tool calls: the deltas' members, and what they mean.
    struct Answer: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let deltas: [String]
        let calls: [ToolCall]
        var finishReason = "tool_calls"
    }

    static let answers = [
        Answer(
            testDescription: "in pieces, counted",
            deltas: [
                #"{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"weather","arguments":""}}]}"#,
                #"{"tool_calls":[{"index":0,"function":{"arguments":"{\"city\":"}}]}"#,
                #"{"tool_calls":[{"index":1,"id":"b","function":{"name":"time","arguments":"{}"}},{"index":0,"function":{"arguments":"\"Rome\"}"}}]}"#,
            ],
            calls: [ToolCall(id: "a", name: "weather", arguments: ["city": "Rome"]), ToolCall(id: "b", name: "time", arguments: [:])]),
        Answer(
            testDescription: "id and name with every piece (llama.cpp)",
            deltas: [
                #"{"tool_calls":[{"index":0,"id":"a","function":{"name":"weather","arguments":"{\"city\""}}]}"#,
                #"{"tool_calls":[{"index":0,"id":"a","function":{"name":"weather","arguments":":\"Rome\"}"}}]}"#,
            ], calls: [ToolCall(id: "a", name: "weather", arguments: ["city": "Rome"])], finishReason: "stop"),
        Answer(
            testDescription: "not counted, told apart by their ids",
            deltas: [
                #"{"tool_calls":[{"id":"a","function":{"name":"weather","arguments":"{}"}}]}"#,
                #"{"tool_calls":[{"id":"b","function":{"name":"weather","arguments":"{\"n\":"}}]}"#,
                #"{"tool_calls":[{"function":{"arguments":"1}"}}]}"#,
            ],
            calls: [ToolCall(id: "a", name: "weather", arguments: [:]), ToolCall(id: "b", name: "weather", arguments: ["n": 1])]),
        Answer(
            testDescription: "without arguments, with an object, without an id",
            deltas: [
                #"{"tool_calls":[{"index":0,"id":"a","function":{"name":"time"}},{"index":1,"function":{"name":"weather","arguments":{"city":"Oslo"}}}]}"#
            ],
            calls: [
                ToolCall(id: "a", name: "time", arguments: [:]),
                ToolCall(id: "call_message1_2", name: "weather", arguments: ["city": "Oslo"]),
            ]),
        Answer(
            testDescription: "arguments that are no JSON, and a call without a name",
            deltas: [
                #"{"tool_calls":[{"index":0,"id":"a","function":{"name":"time","arguments":"{\"x\":"}},{"index":1,"id":"b","function":{"arguments":"{}"}}]}"#
            ], calls: [ToolCall(id: "a", name: "time", arguments: "{\"x\":")]),
        Answer(
            testDescription: "cut at the bound of the answer's length",
            deltas: [
                #"{"tool_calls":[{"index":0,"id":"a","function":{"name":"time","arguments":"{}"}},{"index":1,"id":"b","function":{"name":"time","arguments":"{\"x\":"}}]}"#
            ], calls: [ToolCall(id: "a", name: "time", arguments: [:])], finishReason: "length"),
        Answer(
            testDescription: "cut before the arguments", deltas: [#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"time"}}]}"#],
            calls: [], finishReason: "length"),
        Answer(
            testDescription: "after a refusal",
            deltas: [#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"time","arguments":"{}"}}]}"#], calls: [],
            finishReason: "content_filter"),
        Answer(
            testDescription: "the same id twice, counted",
            deltas: [
                #"{"tool_calls":[{"index":0,"id":"a","function":{"name":"time","arguments":"{}"}},{"index":1,"id":"a","function":{"name":"time","arguments":"{}"}}]}"#
            ],
            calls: [
                ToolCall(id: "a", name: "time", arguments: [:]), ToolCall(id: "call_message1_2", name: "time", arguments: [:]),
            ]),
        Answer(
            testDescription: "always the same index, without ids",
            deltas: [
                #"{"tool_calls":[{"index":0,"function":{"name":"time","arguments":"{}"}}]}"#,
                #"{"tool_calls":[{"index":0,"function":{"name":"time","arguments":"{\"x\":"}}]}"#,
                #"{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]}"#,
            ],
            calls: [
                ToolCall(id: "call_message1_1", name: "time", arguments: [:]),
                ToolCall(id: "call_message1_2", name: "time", arguments: ["x": 1]),
            ], finishReason: "stop"),
        Answer(
            testDescription: "nothing that is one", deltas: [#"{"tool_calls":null}"#, #"{"tool_calls":[7,{"function":null}]}"#], calls: []),
    ]

    @Test(arguments: answers) func callsAreRead(answer: Answer) async throws {
        let server = try LoopbackServer { _, connection in
            connection.sendHead(["Content-Type": "text/event-stream"])
            for delta in answer.deltas { connection.sendChunk("data: {\"choices\":[{\"delta\":\(delta)}]}\n\n") }
            connection.sendChunk("data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"\(answer.finishReason)\"}]}\n\ndata: [DONE]\n\n")
            connection.endChunks()
        }
        let (provider, client) = try OpenAIFixtureTests.provider(server)
        defer { client.close() }
        let outcome = await ModelProviderContract(provider, .conversation(model: "m", "Hello")).call()
        #expect(outcome.toolCalls == answer.calls && outcome.failure == nil)
        let reasons: [String: Turn.StopReason] = ["length": .maxTokens, "content_filter": .refusal]
        #expect(outcome.stopReason == reasons[answer.finishReason, default: .endTurn])
    }

    @Test func toolsAndResultsAreSent() async throws {
        let server = try LoopbackServer { _, connection in
            connection.respond(body: #"{"choices":[{"message":{"content":"Fine."},"finish_reason":"stop"}]}"#)
        }
        let (provider, client) = try OpenAIFixtureTests.provider(server)
        defer { client.close() }
        var request = ModelRequest.conversation(model: "m", "How is it?")
        let schema: JSONValue = ["type": "object", "properties": ["city": ["type": "string"]]]
        request.tools = [try ToolDefinition(name: "weather", summary: "Tell the weather.", category: "Test", inputSchema: schema)]
        var asked = try #require(request.messages.last)
        asked.role = .assistant
        asked.content = [
            .text("Let me look."), .toolCall(ToolCall(id: "a", name: "weather", arguments: ["city": "Rome"])),
            .toolCall(ToolCall(id: "b", name: "weather", arguments: "nonsense")),
        ]
        var answered = asked
        answered.role = .tool
        answered.content = [
            .toolResult(ToolResult(toolCallID: "a", status: .completed, text: "Sun", data: ["hidden": true])),
            .toolResult(ToolResult(toolCallID: "b", status: .failed, text: "expected an object")),
        ]
        request.messages += [asked, answered]
        _ = await ModelProviderContract(provider, request).call()
        let body = try JSONReader.parse(try #require(server.requests.first).body)
        let expected: JSONValue = [
            ["role": "user", "content": "How is it?"],
            [
                "role": "assistant", "content": "Let me look.",
                "tool_calls": [
                    ["id": "a", "type": "function", "function": ["name": "weather", "arguments": "{\"city\":\"Rome\"}"]],
                    ["id": "b", "type": "function", "function": ["name": "weather", "arguments": "{}"]],
                ],
            ],
            ["role": "tool", "tool_call_id": "a", "content": "Sun"],
            ["role": "tool", "tool_call_id": "b", "content": "expected an object"],
        ]
        #expect(body["messages"]?.arrayValue?.filter { $0["role"] != "system" } == expected.arrayValue)
        let tool: JSONValue = [
            "type": "function", "function": ["name": "weather", "description": "Tell the weather.", "parameters": schema],
        ]
        #expect(body["tools"] == [tool])
    }
}
