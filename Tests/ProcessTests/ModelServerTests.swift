import Foundation
import JSON
import ParleyTestSupport
import Testing

/// What becomes of a turn when the model's server does what servers do, through the real binary and real sockets.
@Suite(.timeLimit(.minutes(5)))
struct ModelServerTests {
    private static let key = "sk-canary-0123456789"
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    /// Sends one message to a model at a URL.
    ///
    /// - Returns: the reply's result.
    private func send(to url: String, deadlineSeconds: Int = 60) async throws -> JSONValue {
        let settings = try folder.write(
            """
            {"model": "test:m", "turns": {"deadlineSeconds": \(deadlineSeconds)}, "providers": {"test": {
                "kind": "openai", "baseURL": "\(url)/v1", "apiKeyEnv": "TEST_KEY", "models": {"m": {"prices":
                    {"currency": "USD", "inputPerMillion": "0.30", "outputPerMillion": "1.20"}}}}}}
            """, to: "settings.json")
        let parley = try ParleyProcess(
            ["serve", "--database", ":memory:", "--caller", "userId:ada", "--config", settings, "--log-level", "trace"],
            environment: ["TEST_KEY": Self.key])
        let reply = try await parley.call("sendMessage", ["text": "Hello"])
        parley.endInput()
        #expect(await parley.exitCode() == 0)
        #expect(!parley.errorText().contains(Self.key))
        #expect(!String(decoding: JSONWriter.encode(reply), as: UTF8.self).contains(Self.key))
        return reply["result"] ?? .null
    }

    private func expect(_ result: JSONValue, failedWith code: String, text: String? = nil) {
        #expect(result["turn"]?["status"] == "failed")
        #expect(result["turn"]?["stopReason"] == "error")
        #expect(result["turn"]?["error"]?["data"]?["code"] == .string(code))
        #expect(result["message"]?["content"]?.arrayValue?.first?["text"]?.stringValue == text)
        #expect(result["message"]?["status"]?.stringValue == (text == nil ? nil : "partial"))
    }

    @Test(arguments: [
        ("401 Unauthorized", "application/json", #"{"error":{"message":"Bad key sk-canary-0123456789"}}"#, "modelAuth"),
        ("429 Too Many Requests", "application/json", #"{"error":{"message":"Slow down"}}"#, "modelRateLimited"),
        ("500 Internal Server Error", "text/plain", "oops", "modelUnavailable"),
        ("200 OK", "text/html", "<html><body>Welcome to the hotel's network</body></html>", "modelUnavailable"),
    ])
    func aRefusalEndsTheTurnAsFailed(status: String, type: String, body: String, code: String) async throws {
        let server = try LoopbackServer { _, connection in
            connection.respond(status, ["Content-Type": type], body: body)
        }
        expect(try await send(to: server.url), failedWith: code)
    }

    @Test func aServerThatIsNotThereEndsTheTurnAsFailed() async throws {
        let server = try LoopbackServer { _, _ in }
        let url = server.url
        server.stop()
        expect(try await send(to: url), failedWith: "modelUnavailable")
    }

    @Test func aStreamThatStopsInTheMiddleKeepsItsText() async throws {
        let server = try LoopbackServer { _, connection in
            connection.sendHead()
            connection.sendChunk(#"data: {"choices":[{"delta":{"content":"Half an"}}]}\#n\#n"#)
            connection.close()
        }
        expect(try await send(to: server.url), failedWith: "modelUnavailable", text: "Half an")
    }

    @Test func silenceEndsWithTheDeadline() async throws {
        let server = try LoopbackServer { _, connection in connection.waitForPeer() }
        expect(try await send(to: server.url, deadlineSeconds: 1), failedWith: "modelTimeout")
    }

    @Test func anAnswerHasItsUsageAndItsCost() async throws {
        let server = try LoopbackServer { _, connection in
            connection.sendHead()
            connection.sendChunk(#"data: {"choices":[{"delta":{"content":"Hi"},"finish_reason":"stop"}]}\#n\#n"#)
            connection.sendChunk(#"data: {"choices":[],"usage":{"prompt_tokens":1000,"completion_tokens":250}}\#n\#n"#)
            connection.sendChunk("data: [DONE]\n\n")
            connection.endChunks()
        }
        let result = try await send(to: server.url)
        #expect(result["turn"]?["status"] == "completed")
        #expect(result["message"]?["model"] == "test:m")
        #expect(
            result["message"]?["usage"] == ["inputTokens": 1000, "outputTokens": 250, "cost": ["amount": "0.0006", "currency": "USD"]])
        let request = try #require(server.requests.first)
        #expect(request.path == "/v1/chat/completions")
        #expect(request.header("authorization") == "Bearer \(Self.key)")
    }

    @Test("Another server needs nothing but settings")
    func switchesOfASettingsFile() async throws {
        let server = try LoopbackServer { _, connection in
            connection.respond(body: #"data: {"choices":[{"delta":{"content":"Hi"},"finish_reason":"stop"}]}\#n\#n"#)
        }
        let settings = try folder.write(
            """
            {"model": "portal:m", "providers": {"portal": {
                "kind": "openai", "baseURL": "\(server.url)/v1", "apiKeyEnv": "PORTAL_KEY", "headersEnv": {"X-Portal-Key": "PORTAL_TEAM"},
                "maxTokensField": "max_completion_tokens", "streamOptions": false, "parallelToolCalls": false, "developerRole": true,
                "reasoning": {"sendBack": "always", "field": "reasoning", "thinkTags": true},
                "extraFields": {"top_k": 40}, "models": {"m": {"contextWindow": 4096}}}}}
            """, to: "settings.json")
        let parley = try ParleyProcess(
            ["serve", "--database", ":memory:", "--caller", "userId:ada", "--config", settings],
            environment: ["PORTAL_KEY": Self.key, "PORTAL_TEAM": "team-canary-1"])
        let reply = try await parley.call("sendMessage", ["text": "Hello", "maxOutputTokens": 50])
        #expect(reply["result"]?["turn"]?["status"] == "completed")
        parley.endInput()
        #expect(await parley.exitCode() == 0)
        let request = try #require(server.requests.first)
        #expect(request.header("authorization") == "Bearer \(Self.key)")
        #expect(request.header("x-portal-key") == "team-canary-1")
        let body = try JSONReader.parse(request.body)
        #expect(body["messages"]?.arrayValue?.first?["role"] == "developer")
        #expect(body["max_completion_tokens"] == 50 && body["stream_options"] == nil)
        #expect(body["parallel_tool_calls"] == false && body["top_k"] == 40)
    }

    @Test("The first byte has a bound of its own")
    func slowBeginning() async throws {
        let server = try LoopbackServer { _, connection in connection.waitForPeer() }
        let settings = try folder.write(
            """
            {"model": "test:m", "models": {"firstByteTimeoutSeconds": 1}, "providers": {"test": {"kind": "openai", "baseURL": "\(server.url)"}}}
            """, to: "settings.json")
        let parley = try ParleyProcess(["serve", "--database", ":memory:", "--caller", "userId:ada", "--config", settings])
        let reply = try await parley.call("sendMessage", ["text": "Hello"])
        #expect(reply["result"]?["turn"]?["error"]?["data"]?["code"] == "modelTimeout")
        parley.endInput()
        #expect(await parley.exitCode() == 0)
    }

    @Test(
        "A proxy of the settings or of the environment is asked, and http goes where it may",
        arguments: [
            (#""proxy": "URL", "insecureHosts": ["model.invalid"]"#, [:], "completed"),
            (#""insecureHosts": ["model.invalid"]"#, ["http_proxy": "URL"], "completed"),
            (#""proxy": "URL", "insecureHosts": ["model.invalid"]"#, ["NO_PROXY": "model.invalid"], "failed"),
            (#""proxy": "none", "insecureHosts": ["model.invalid"]"#, ["http_proxy": "URL"], "failed"),
        ] as [(String, [String: String], String)])
    func proxies(http: String, environment: [String: String], status: String) async throws {
        let server = try LoopbackServer { _, connection in
            connection.respond(body: #"data: {"choices":[{"delta":{"content":"Hi"},"finish_reason":"stop"}]}\#n\#n"#)
        }
        let settings = try folder.write(
            """
            {"model": "test:m", "models": {"http": {\(http.replacing("URL", with: server.url))}},
             "providers": {"test": {"kind": "openai", "baseURL": "http://model.invalid/v1"}}}
            """, to: "settings.json")
        let parley = try ParleyProcess(
            ["serve", "--database", ":memory:", "--caller", "userId:ada", "--config", settings],
            environment: environment.mapValues { $0.replacing("URL", with: server.url) })
        let reply = try await parley.call("sendMessage", ["text": "Hello"])
        #expect(reply["result"]?["turn"]?["status"]?.stringValue == status)
        parley.endInput()
        #expect(await parley.exitCode() == 0)
        #expect(server.requests.map(\.path) == (status == "completed" ? ["http://model.invalid/v1/chat/completions"] : []))
    }

    @Test("Where http may not go, the host does not start")
    func insecureHostStopsTheStart() async throws {
        let settings = try folder.write(
            #"{"providers": {"test": {"kind": "openai", "baseURL": "http://me:canary-secret@model.invalid/v1"}}}"#, to: "settings.json")
        let parley = try ParleyProcess(["serve", "--database", ":memory:", "--config", settings])
        #expect(await parley.exitCode() == 78)
        #expect(parley.errorText().contains("model.invalid") && !parley.errorText().contains("canary"))
    }

    @Test("Anthropic's protocol by the settings, and MiniMax's rendering of it by the environment", arguments: ["settings", "environment"])
    func messagesAPI(by way: String) async throws {
        let server = try LoopbackServer { _, connection in
            connection.respond(
                body:
                    #"event: message_start\#ndata: {"type":"message_start","message":{"usage":{"input_tokens":1,"output_tokens":1}}}\#n\#n"#
                    + #"data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\#n\#n"#
                    + #"data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}\#n\#n"#
                    + #"data: {"type":"content_block_stop","index":0}\#n\#n"#
                    + #"data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}\#n\#n"#
                    + #"data: {"type":"message_stop"}\#n\#n"#)
        }
        let settings = try folder.write(
            """
            {"model": "claude:m", "providers": {"claude": {"kind": "anthropic", "baseURL": "\(server.url)/anthropic", "apiKeyEnv": "TEST_KEY",
                "bearerToken": true, "thinking": "adaptive", "models": {"m": {"maxOutputTokens": 1000}}}}}
            """, to: "settings.json")
        let parley = try ParleyProcess(
            ["serve", "--database", ":memory:", "--caller", "userId:ada"] + (way == "settings" ? ["--config", settings] : []),
            environment: way == "settings"
                ? ["TEST_KEY": Self.key] : ["MINIMAX_API_KEY": Self.key, "MINIMAX_BASE_URL": "\(server.url)/anthropic"])
        let reply = try await parley.call("sendMessage", ["text": "Hello"])
        #expect(reply["result"]?["turn"]?["status"] == "completed")
        #expect(reply["result"]?["message"]?["model"]?.stringValue == (way == "settings" ? "claude:m" : "minimax:MiniMax-M3"))
        parley.endInput()
        #expect(await parley.exitCode() == 0)
        let request = try #require(server.requests.first)
        #expect(request.path == "/anthropic/v1/messages")
        #expect(request.header("x-api-key") == Self.key && request.header("authorization") == "Bearer \(Self.key)")
        let body = try JSONReader.parse(request.body)
        #expect(body["thinking"] == ["type": "adaptive"])
        #expect(way == "environment" || body["max_tokens"] == 1000)
    }

    @Test("MiniMax reads all of its own message again after a tool call, reasoning included")
    func minimaxReadsItsReasoningAgain() async throws {
        @Sendable func event(_ choice: String) -> String {
            "data: {\"choices\":[\(choice)],\"base_resp\":{\"status_code\":0,\"status_msg\":\"\"}}\n\n"
        }
        let server = try LoopbackServer { request, connection in
            guard !String(decoding: request.body, as: UTF8.self).contains(#""role":"tool""#) else {
                connection.respond(body: event(#"{"delta":{"content":"None."},"finish_reason":"stop"}"#))
                return
            }
            let details = #"[{"type":"reasoning.text","id":"r1","format":"MiniMax-response-v1","index":0,"text":"TEXT"}]"#
            let deltas = ["Let me ", "look."].map { text in
                let details = details.replacing("TEXT", with: text)
                return #"{"delta":{"content":"","reasoning_content":"\#(text)","reasoning_details":\#(details)}}"#
            }
            let call =
                #"{"delta":{"tool_calls":[{"index":0,"id":"call_function_1","type":"function","function":{"name":"list_bots","arguments":"{}"}}]},"finish_reason":"tool_calls"}"#
            connection.respond(body: (deltas + [call]).map(event).joined())
        }
        let parley = try ParleyProcess(
            ["serve", "--database", ":memory:", "--caller", "userId:ada"],
            environment: ["MINIMAX_API_KEY": Self.key, "MINIMAX_BASE_URL": "\(server.url)/v1"])
        let reply = try await parley.call("sendMessage", ["text": "Which bots are there?"])
        #expect(reply["result"]?["message"]?["content"]?.arrayValue?.last?["text"] == "None.")
        #expect(!String(decoding: JSONWriter.encode(reply), as: UTF8.self).contains("reasoning_details"), "what goes back is nobody else's")
        parley.endInput()
        #expect(await parley.exitCode() == 0)
        let bodies = try server.requests.map { try JSONReader.parse($0.body) }
        try #require(bodies.count == 2)
        #expect(bodies.allSatisfy { $0["reasoning_split"] == true && $0["messages"]?.arrayValue?.first?["role"] == "system" })
        let sent = bodies[1]["messages"]?.arrayValue?.first { $0["role"] == "assistant" }
        let call: JSONValue = ["id": "call_function_1", "type": "function", "function": ["name": "list_bots", "arguments": "{}"]]
        #expect(
            sent == [
                "role": "assistant", "content": "", "reasoning_content": "Let me look.",
                "reasoning_details": [
                    ["type": "reasoning.text", "id": "r1", "format": "MiniMax-response-v1", "index": 0, "text": "Let me look."]
                ], "tool_calls": [call],
            ])
    }
}
