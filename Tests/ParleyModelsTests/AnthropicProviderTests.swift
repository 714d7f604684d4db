import JSON
import ParleyCore
import ParleyModels
import ParleyTestSupport
import Testing

/// The contract of the port over a real socket, and what the server is asked.
@Suite(.timeLimit(.minutes(5)))
struct AnthropicProviderTests {
    private static let request = ModelRequest.conversation(model: "m", "Hello")
    private static let end = #"{"type":"message","content":[{"type":"text","text":"Fine."}],"stop_reason":"end_turn"}"#

    private static func event(_ text: String) -> String {
        #"data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\#(text)"}}\#n\#n"#
    }

    private static let ending = """
        data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"input_tokens":3,"output_tokens":2}}

        data: {"type":"message_stop"}


        """

    @Test func answers() async throws {
        let server = try LoopbackServer { _, connection in
            connection.sendHead(["Content-Type": "text/event-stream"])
            connection.sendChunk(Self.event("Hel"))
            connection.sendChunk(Self.event("lo."))
            connection.sendChunk(Self.ending)
            connection.endChunks()
        }
        let (provider, client) = try AnthropicFixtureTests.provider(server)
        defer { client.close() }
        let contract = ModelProviderContract(provider, Self.request)
        await contract.answers(["Hel", "lo."], usage: Usage(inputTokens: 3, outputTokens: 2), stopReason: .endTurn)
        try await contract.canBeAbandoned(["Hel", "lo."])
    }

    @Test func endsWhenCancelled() async throws {
        let server = try LoopbackServer { _, connection in
            connection.sendHead()
            connection.sendChunk(Self.event("Half"))
            connection.waitForPeer()
        }
        let (provider, client) = try AnthropicFixtureTests.provider(server)
        defer { client.close() }
        await ModelProviderContract(provider, Self.request).endsWhenCancelled(after: ["Half"])
    }

    @Test("A connection that breaks after the reason to stop spoils nothing, and before it everything", arguments: [false, true])
    func breaks(afterTheEnd: Bool) async throws {
        let server = try LoopbackServer { _, connection in
            connection.sendHead()
            connection.sendChunk(Self.event("Half"))
            if afterTheEnd { connection.sendChunk("data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}\n\n") }
            connection.gates.wait("heard")
            connection.reset()
        }
        let (provider, client) = try AnthropicFixtureTests.provider(server)
        defer { client.close() }
        let outcome = await ModelProviderContract(provider, Self.request).call { _ in server.gates.open("heard") }
        #expect(outcome.deltas == ["Half"])
        #expect(outcome.failure?.message == (afterTheEnd ? nil : "The answer of the provider \"test\" stopped before its end."))
    }

    @Test func silence() async throws {
        let server = try LoopbackServer { _, connection in connection.waitForPeer() }
        let (provider, client) = try AnthropicFixtureTests.provider(server, timeouts: .init(firstByte: .seconds(1)))
        defer { client.close() }
        await ModelProviderContract(provider, Self.request).fails(.modelTimeout)
    }

    // MARK: What the server is asked

    @Test("The smallest request", arguments: ["", "/"])
    func smallestRequest(slash: String) async throws {
        let request = try await Self.sent(Self.request) { $0.baseURL += "/anthropic" + slash }
        #expect(request.method == "POST" && request.path == "/anthropic/v1/messages")
        #expect(request.header("x-api-key") == "key" && request.header("authorization") == nil)
        #expect(request.header("anthropic-version") == "2023-06-01")
        #expect(request.header("content-type") == "application/json" && request.header("accept") == "text/event-stream")
        #expect(
            String(decoding: request.body, as: UTF8.self)
                == #"{"model":"m","max_tokens":32000,"messages":[{"role":"user","content":[{"type":"text","text":"Hello","#
                + #""cache_control":{"type":"ephemeral"}}]}],"stream":true}"#)
    }

    @Test func keyInBothHeadersOrInNone() async throws {
        let both = try await Self.sent(Self.request) { $0.authentication = .apiKeyAndBearer }
        #expect(both.header("x-api-key") == "key" && both.header("authorization") == "Bearer key")
        let none = try await Self.sent(Self.request) { $0.apiKey = nil }
        #expect(none.header("x-api-key") == nil && none.header("authorization") == nil)
    }

    @Test("The bound of the answer's length and the temperature")
    func bounds() async throws {
        var request = Self.request
        request.temperature = 1.5
        #expect(try await Self.body(request)["temperature"] == 1.0)
        let thinking = try await Self.body(request) {
            $0.thinking = .adaptive
            $0.extraFields = ["service_tier": "auto"]
        }
        #expect(thinking["temperature"] == nil)
        #expect(thinking["thinking"] == ["type": "adaptive"] && thinking["service_tier"] == "auto")
        for (model, asked, known, expected) in [
            ("m", nil, nil, 32_000), ("m", 100_000, nil, 100_000), ("m", nil, 64_000, 64_000), ("m", 100_000, 64_000, 64_000),
            ("m", 7, 64_000, 7), ("claude-3-5-haiku-20241022", nil, nil, 8_192), ("claude-3-haiku-20240307", 9_000, nil, 4_096),
        ] as [(String, Int?, Int?, Int64)] {
            request.model = model
            request.maxOutputTokens = asked
            #expect(try await Self.body(request) { $0.maxOutputTokens["m"] = known }["max_tokens"] == .integer(expected), "\(model)")
        }
    }

    @Test("A whole conversation with tools", arguments: [true, false])
    func wholeConversation(cachesPrompts: Bool) async throws {
        var request = Self.request
        request.instructions = "Be \"brief\"."
        let schema: JSONValue = ["type": "object", "properties": ["city": ["type": "string"]]]
        request.tools = [
            try ToolDefinition(name: "time", summary: "Tell the time.", category: "Test", inputSchema: ["type": "object"]),
            try ToolDefinition(name: "weather", summary: "Tell the weather.", category: "Test", inputSchema: schema),
        ]
        request.messages = Self.messages([
            (.user, [.text("How")]), (.assistant, [.text(" \n")]), (.user, [.text("is it?"), .text("")]),
            (
                .assistant,
                [
                    .reasoning("They ask."), .text("Let me look."),
                    .toolCall(ToolCall(id: "a", name: "weather", arguments: ["city": "Rome"])),
                    .toolCall(ToolCall(id: "b", name: "weather", arguments: "nonsense")),
                ]
            ),
            (
                .tool,
                [
                    .toolResult(ToolResult(toolCallID: "a", status: .completed, text: "Sun", data: ["hidden": true])),
                    .toolResult(ToolResult(toolCallID: "b", status: .failed, text: "expected an object")),
                ]
            ),
            (.assistant, [.toolCall(ToolCall(id: "c", name: "time", arguments: [:]))]),
            (.tool, [.toolResult(ToolResult(toolCallID: "c", status: .completed, text: ""))]), (.user, [.text("Well?")]),
        ])
        let body = try await Self.body(request) { $0.cachesPrompts = cachesPrompts }
        var expected = try JSONReader.parse(Array(Self.wholeBody.utf8))
        if !cachesPrompts { expected = expected.withoutMember("cache_control") }
        #expect(body == expected)
        #expect(body.count(ofMember: "cache_control") == (cachesPrompts ? 3 : 0))
    }

    private static let wholeBody = """
        {"model": "m", "max_tokens": 32000,
         "system": [{"type": "text", "text": "Be \\"brief\\".", "cache_control": {"type": "ephemeral"}}],
         "messages": [
          {"role": "user", "content": [{"type": "text", "text": "How"}, {"type": "text", "text": "is it?"}]},
          {"role": "assistant", "content": [
           {"type": "text", "text": "Let me look."},
           {"type": "tool_use", "id": "a", "name": "weather", "input": {"city": "Rome"}},
           {"type": "tool_use", "id": "b", "name": "weather", "input": {}}]},
          {"role": "user", "content": [
           {"type": "tool_result", "tool_use_id": "a", "content": "Sun"},
           {"type": "tool_result", "tool_use_id": "b", "content": "expected an object", "is_error": true}]},
          {"role": "assistant", "content": [{"type": "tool_use", "id": "c", "name": "time", "input": {}}]},
          {"role": "user", "content": [
           {"type": "tool_result", "tool_use_id": "c"},
           {"type": "text", "text": "Well?", "cache_control": {"type": "ephemeral"}}]}],
         "tools": [
          {"name": "time", "description": "Tell the time.", "input_schema": {"type": "object"}},
          {"name": "weather", "description": "Tell the weather.",
           "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}, "cache_control": {"type": "ephemeral"}}],
         "stream": true}
        """

    @Test("What a model has thought goes back to it as it was, and to no other")
    func replay() async throws {
        let body = try #require(AnthropicFixture.answers.first { $0.name == "thinking-tools.sse" }).bytes
        let server = try LoopbackServer { _, connection in connection.respond(body: String(decoding: body, as: UTF8.self)) }
        let (provider, client) = try AnthropicFixtureTests.provider(server)
        defer { client.close() }
        let outcome = await ModelProviderContract(provider, Self.request).call()
        let value = try #require(outcome.events.compactMap { if case .replay(let value) = $0 { value } else { nil } }.first)
        var calls: [ToolCall] = outcome.events.compactMap { if case .toolCall(let call) = $0 { call } else { nil } }
        // The core names a call anew when two have one id.
        calls[1].id = "call-2"
        var request = Self.request
        request.messages = Self.messages([
            (.user, [.text("Hello")]),
            (.assistant, [.reasoning("Two cities, two calls."), .text("Let me look."), .toolCall(calls[0]), .toolCall(calls[1])]),
            (.tool, calls.map { .toolResult(ToolResult(toolCallID: $0.id, status: .completed, text: "Sun")) }),
        ])
        let rebuilt: [JSONValue] = [
            ["type": "text", "text": "Let me look."],
            ["type": "tool_use", "id": "toolu_1", "name": "weather", "input": ["city": "Röme"]],
            ["type": "tool_use", "id": "call-2", "name": "time", "input": [:]],
        ]
        let thoughts: [JSONValue] = [
            ["type": "thinking", "thinking": "Two cities, two calls.", "signature": "EqQBCgIYAhIM"],
            ["type": "redacted_thinking", "data": "EmwKAhgBEgy3va3pzix/LafPsn4a"],
        ]
        for (model, value, expected) in [
            ("test:m", value, thoughts + rebuilt), ("test:other", value, rebuilt), ("other:m", value, rebuilt),
            // What does not go with the message is not sent: it has lost a call, or somebody else wrote it.
            ("test:m", [["type": "tool_use"]], rebuilt), ("test:m", [["type": "text", "text": "x"]], rebuilt),
            ("test:m", [["type": "other"]], rebuilt), ("test:m", "text", rebuilt),
        ] as [(String, JSONValue, [JSONValue])] {
            request.messages[1].replay = Message.Replay(model: model, value: value)
            #expect(try await Self.body(request)["messages"]?.arrayValue?[1]["content"] == .array(expected), "\(model) \(value)")
        }
    }

    private static func messages(_ contents: [(Message.Role, [Message.Part])]) -> [Message] {
        contents.enumerated().map { index, content in
            Message(
                id: "message-\(index)", conversationID: "conversation-1", turnID: "turn-1",
                parentID: index == 0 ? nil : "message-\(index - 1)",
                role: content.0, content: content.1, status: .complete, createdAt: Timestamp(milliseconds: 0))
        }
    }

    private static func body(
        _ request: ModelRequest, _ change: (inout AnthropicProviderConfiguration) -> Void = { _ in }
    ) async throws -> JSONValue {
        try JSONReader.parse(try await sent(request, change).body)
    }

    /// What a provider sends.
    private static func sent(
        _ request: ModelRequest, _ change: (inout AnthropicProviderConfiguration) -> Void = { _ in }
    ) async throws -> LoopbackRequest {
        let server = try LoopbackServer { _, connection in connection.respond(body: Self.end) }
        let client = try HTTPClient()
        defer { client.close() }
        var configuration = AnthropicProviderConfiguration(name: "test", baseURL: server.url, apiKey: "key")
        change(&configuration)
        let provider = AnthropicProvider(configuration: configuration, client: client)
        #expect(await ModelProviderContract(provider, request).call().deltas == ["Fine."])
        return try #require(server.requests.first)
    }
}

extension JSONValue {
    /// The same without a member, at any depth.
    fileprivate func withoutMember(_ name: String) -> JSONValue {
        switch self {
        case .array(let elements): .array(elements.map { $0.withoutMember(name) })
        case .object(let members): .object(members.filter { $0.key != name }.mapValues { $0.withoutMember(name) })
        default: self
        }
    }

    /// How often a member appears, at any depth.
    fileprivate func count(ofMember name: String) -> Int {
        switch self {
        case .array(let elements): elements.reduce(0) { $0 + $1.count(ofMember: name) }
        case .object(let members): members.reduce(0) { $0 + ($1.key == name ? 1 : 0) + $1.value.count(ofMember: name) }
        default: 0
        }
    }
}
