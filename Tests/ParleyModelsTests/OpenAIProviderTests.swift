import JSON
import ParleyCore
import ParleyModels
import ParleyTestSupport
import Testing

/// The contract over a socket, and what the server gets to read.
@Suite(.timeLimit(.minutes(5)))
struct OpenAIProviderTests {
    private static let request = ModelRequest.conversation(model: "m", "Hello")

    private static func chunk(_ text: String) -> String {
        #"data: {"choices":[{"delta":{"content":"\#(text)"}}]}\#n\#n"#
    }

    private static let end =
        #"data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\#n\#n"#
        + #"data: {"choices":[],"usage":{"prompt_tokens":2,"completion_tokens":3}}\#n\#ndata: [DONE]\#n\#n"#

    @Test func keepsTheContractWhenItAnswers() async throws {
        let server = try LoopbackServer { _, connection in
            connection.sendHead(["Content-Type": "text/event-stream"])
            for text in ["Hel", "lo"] { connection.sendChunk(Self.chunk(text)) }
            connection.sendChunk(Self.end)
            connection.endChunks()
        }
        let (provider, client) = try OpenAIFixtureTests.provider(server)
        defer { client.close() }
        let contract = ModelProviderContract(provider, Self.request)
        await contract.answers(["Hel", "lo"], usage: Usage(inputTokens: 2, outputTokens: 3), stopReason: .endTurn)
        try await contract.canBeAbandoned(["Hel", "lo"])
    }

    @Test func keepsTheContractWhenItIsCancelled() async throws {
        let server = try LoopbackServer { _, connection in
            connection.sendHead(["Content-Type": "text/event-stream"])
            connection.sendChunk(Self.chunk("Hel"))
            connection.waitForPeer()
        }
        let (provider, client) = try OpenAIFixtureTests.provider(server)
        defer { client.close() }
        await ModelProviderContract(provider, Self.request).endsWhenCancelled(after: ["Hel"])
    }

    @Test("Cancelling also ends the wait for a server that never answers")
    func cancelledBeforeTheHeader() async throws {
        let server = try LoopbackServer { _, connection in
            connection.gates.open("asked")
            connection.waitForPeer()
        }
        let (provider, client) = try OpenAIFixtureTests.provider(server)
        defer { client.close() }
        let outcome = await withTaskGroup(of: ModelProviderContract.Outcome.self) { group in
            group.addTask { await ModelProviderContract(provider, Self.request).call() }
            await server.gates.opened("asked")
            group.cancelAll()
            return await group.next()
        }
        #expect(outcome?.failure?.code == .cancelled)
    }

    @Test("What arrives together is handed over together, and nothing waits for what is to come")
    func batches() async throws {
        let server = try LoopbackServer { _, connection in
            connection.sendHead(["Content-Type": "text/event-stream"])
            connection.sendChunk(Self.chunk("a") + Self.chunk("b") + Self.chunk("c"))
            connection.gates.wait("heard")
            connection.sendChunk(Self.end)
            connection.endChunks()
        }
        let (provider, client) = try OpenAIFixtureTests.provider(server)
        defer { client.close() }
        let outcome = await ModelProviderContract(provider, Self.request).call { if $0.deltas.count == 3 { server.gates.open("heard") } }
        #expect(
            outcome.batches == [
                [.textDelta("a"), .textDelta("b"), .textDelta("c")],
                [.usage(Usage(inputTokens: 2, outputTokens: 3)), .finished(.endTurn)],
            ])
    }

    @Test("An answer that was done is not spoiled by what happens to the connection")
    func breakAfterTheEnd() async throws {
        let server = try LoopbackServer { _, connection in
            connection.sendHead()
            connection.sendChunk(#"data: {"choices":[{"delta":{"content":"Hi"},"finish_reason":"stop"}]}\#n\#n"#)
            connection.close()
        }
        let (provider, client) = try OpenAIFixtureTests.provider(server)
        defer { client.close() }
        await ModelProviderContract(provider, Self.request).answers(["Hi"], usage: nil, stopReason: .endTurn)
    }

    @Test("A call that was answered leaves its connection to the next, though the end of the body comes late")
    func connectionIsUsedAgain() async throws {
        let calls = Locked(0)
        let server = try LoopbackServer { _, connection in
            let call = calls.withLock { count in
                count += 1
                return count
            }
            connection.sendHead()
            connection.sendChunk(Self.chunk("Hi") + Self.end)
            // Whoever has closed the connection shows it within this time.
            connection.wait(atMost: 50)
            connection.endChunks()
            connection.gates.open("ended \(call)")
        }
        let (provider, client) = try OpenAIFixtureTests.provider(server)
        defer { client.close() }
        // A connection is free a moment after the end was sent, and nothing tells when.
        for call in 1...20 where server.connections.count == server.requests.count {
            #expect(await ModelProviderContract(provider, Self.request).call().deltas == ["Hi"])
            await server.gates.opened("ended \(call)")
        }
        #expect(server.connections.count < server.requests.count)
    }

    @Test func wholeRequest() async throws {
        let server = try LoopbackServer { _, connection in connection.respond(body: Self.end) }
        let client = try HTTPClient()
        defer { client.close() }
        var configuration = OpenAIProviderConfiguration(
            name: "test", baseURL: server.url + "/base/v1/", apiKey: "key", maxTokensField: .maxCompletionTokens,
            extraFields: ["reasoning_split": true, "thinking": ["type": "adaptive"]])
        var request = ModelRequest.conversation(
            model: "MiniMax-M3", instructions: "Be \"brief\".", "Hello\n\u{2028}👋", "Hi!", "Again")
        request.temperature = 0.7
        request.maxOutputTokens = 100
        _ = try await OpenAIProvider(configuration: configuration, client: client).stream(request)
        configuration.maxTokensField = .maxTokens
        configuration.extraFields = ["temperature": nil, "max_tokens": 7, "stream_options": nil]
        configuration.apiKey = nil
        configuration.developerRole = true
        configuration.headers = ["X-Title": "Parley"]
        request.messages[1].content = []
        _ = try await OpenAIProvider(configuration: configuration, client: client).stream(request)

        let requests = server.requests
        try #require(requests.count == 2)
        #expect(requests[0].header("x-title") == nil && requests[1].header("x-title") == "Parley")
        #expect(requests[0].method == "POST")
        #expect(requests[0].path == "/base/v1/chat/completions")
        #expect(requests[0].header("authorization") == "Bearer key")
        #expect(requests[0].header("content-type") == "application/json")
        #expect(requests[0].header("accept") == "text/event-stream")
        #expect(requests[1].header("authorization") == nil)
        let start = #"{"model":"MiniMax-M3","messages":["#
        let first = #"{"role":"user","content":"Hello\n\u2028👋"},"#
        let again = #"{"role":"user","content":"Again"}],"stream":true,"stream_options":{"include_usage":true},"#
        #expect(
            String(decoding: requests[0].body, as: UTF8.self) == start + #"{"role":"system","content":"Be \"brief\"."},"# + first
                + #"{"role":"assistant","content":"Hi!"},"# + again
                + #""temperature":0.7,"max_completion_tokens":100,"reasoning_split":true,"thinking":{"type":"adaptive"}}"#)
        // What is null is left out, and what has a value replaces that of the request.
        let second = first + #"{"role":"user","content":"Again"}],"stream":true,"max_tokens":7}"#
        #expect(
            String(decoding: requests[1].body, as: UTF8.self)
                == start + #"{"role":"developer","content":"Be \"brief\"."},"# + second)
    }

    @Test("Switches of a server", arguments: [nil, true, false])
    func toolSwitches(parallel: Bool?) async throws {
        let server = try LoopbackServer { _, connection in connection.respond(body: Self.end) }
        let client = try HTTPClient()
        defer { client.close() }
        var configuration = OpenAIProviderConfiguration(name: "test", baseURL: server.url)
        configuration.parallelToolCalls = parallel
        configuration.streamOptions = false
        var request = Self.request
        _ = try await OpenAIProvider(configuration: configuration, client: client).stream(request)
        request.tools = [try ToolDefinition(name: "time", summary: "Tell the time.", category: "Test", inputSchema: [:])]
        _ = try await OpenAIProvider(configuration: configuration, client: client).stream(request)
        let bodies = try server.requests.map { try JSONReader.parse($0.body) }
        try #require(bodies.count == 2)
        #expect(bodies[0] == ["model": "m", "messages": [["role": "user", "content": "Hello"]], "stream": true])
        #expect(bodies[1]["parallel_tool_calls"]?.boolValue == parallel)
        #expect(bodies[1]["stream_options"] == nil)
        #expect(bodies[1]["tools"]?.arrayValue?.first?["function"]?["parameters"] == ["type": "object", "properties": [:]])
    }

    @Test func smallestRequest() async throws {
        let server = try LoopbackServer { _, connection in connection.respond(body: Self.end) }
        let (provider, client) = try OpenAIFixtureTests.provider(server)
        defer { client.close() }
        _ = try await provider.stream(Self.request)
        let body = server.requests.first.map { String(decoding: $0.body, as: UTF8.self) }
        #expect(
            body
                == #"{"model":"m","messages":[{"role":"user","content":"Hello"}],"stream":true,"stream_options":{"include_usage":true}}"#)
    }
}
