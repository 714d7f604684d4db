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
}
