import JSON
import ParleyCore
import ParleyModels
import ParleyTestSupport
import Testing

/// What goes wrong at a server of the Messages API, over a real socket.
@Suite(.timeLimit(.minutes(5)))
struct AnthropicFailureTests {
    /// A response and what becomes of it.
    struct Case: Sendable, CustomTestStringConvertible {
        let status: String
        let headers: KeyValuePairs<String, String>
        let body: String
        let code: Failure.Code
        /// The details, `providerStatus` left out.
        let details: [Failure.Detail]

        /// An error as Anthropic writes it.
        init(
            _ status: String, _ type: String, _ message: String, headers: KeyValuePairs<String, String> = [:], _ code: Failure.Code,
            _ details: KeyValuePairs<String, JSONValue> = [:]
        ) {
            self.status = status
            self.headers = headers
            self.code = code
            body = #"{"type":"error","error":{"type":"\#(type)","message":"\#(message)"}}"#
            self.details =
                [.init("providerCode", .string(type)), .init("providerMessage", .string(message))] + details.map { .init($0, $1) }
        }

        var testDescription: String { "\(status) \(headers) \(body)" }
    }

    private static let date = "Sun, 06 Nov 1994 08:49:37 GMT"

    static let cases = [
        Case("400 Bad Request", "invalid_request_error", "max_tokens: Field required", .modelRejected),
        Case(
            "400 Bad Request", "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum", .contextWindowExceeded),
        Case("400 Bad Request", "invalid_request_error", "Your credit balance is too low to access the API.", .modelBilling),
        Case(
            "401 Unauthorized", "authentication_error", "invalid x-api-key", headers: ["request-id": "req_011"], .modelAuth,
            ["providerRequestId": "req_011"]),
        Case("402 Payment Required", "billing_error", "Pay first.", .modelBilling),
        Case("403 Forbidden", "permission_error", "Your API key may not use this.", .modelAuth),
        Case("404 Not Found", "not_found_error", "model: claude-0", .modelRejected),
        Case("413 Content Too Large", "request_too_large", "Request exceeds the maximum size", .contextWindowExceeded),
        Case(
            "429 Too Many Requests", "rate_limit_error", "Slow down.", headers: ["retry-after": "11"], .modelRateLimited,
            ["retryAfterMs": 11_000]),
        Case(
            "429 Too Many Requests", "rate_limit_error", "Slow down.",
            headers: [
                "date": date, "retry-after": "2", "anthropic-ratelimit-requests-remaining": "0",
                "anthropic-ratelimit-requests-reset": "1994-11-06T08:50:07Z",
            ],
            .modelRateLimited, ["retryAfterMs": 2_000]),
        Case(
            "429 Too Many Requests", "rate_limit_error", "Slow down.",
            headers: [
                "date": date, "anthropic-ratelimit-requests-remaining": "0", "anthropic-ratelimit-requests-reset": "1994-11-06T08:49:47Z",
                "anthropic-ratelimit-tokens-remaining": "0", "anthropic-ratelimit-tokens-reset": "1994-11-06T08:50:06.250Z",
                "anthropic-ratelimit-output-tokens-remaining": "900",
                "anthropic-ratelimit-output-tokens-reset": "1994-11-06T09:00:00+00:00",
            ],
            .modelRateLimited, ["retryAfterMs": 30_000]),
        Case(
            "429 Too Many Requests", "rate_limit_error", "Slow down.",
            headers: [
                "date": date, "anthropic-ratelimit-tokens-remaining": "5", "anthropic-ratelimit-tokens-reset": "1994-11-06T08:49:40Z",
                "anthropic-ratelimit-requests-reset": "1994-11-06T08:49:39Z",
            ],
            .modelRateLimited, ["retryAfterMs": 2_000]),
        Case(
            "429 Too Many Requests", "rate_limit_error", "Slow down.",
            headers: [
                "date": date, "anthropic-ratelimit-requests-remaining": "0", "anthropic-ratelimit-requests-reset": "1994-11-06T08:49:00Z",
                "anthropic-ratelimit-tokens-remaining": "0", "anthropic-ratelimit-tokens-reset": "soon",
            ],
            .modelRateLimited, ["retryAfterMs": 0]),
        Case(
            "429 Too Many Requests", "rate_limit_error", "Slow down.",
            headers: ["anthropic-ratelimit-requests-reset": "1994-11-06T08:49:39Z"],
            .modelRateLimited),
        Case(
            "500 Internal Server Error", "api_error", "Internal server error",
            headers: ["date": date, "anthropic-ratelimit-requests-reset": "1994-11-06T08:49:39Z"], .modelUnavailable),
        Case("504 Gateway Timeout", "timeout_error", "The request timed out.", .modelTimeout),
        Case("529 Overloaded", "overloaded_error", "Overloaded", headers: ["retry-after": "5"], .modelUnavailable, ["retryAfterMs": 5_000]),
    ]

    @Test(arguments: cases)
    func refusedWithAStatus(_ item: Case) async throws {
        let server = try LoopbackServer { _, connection in connection.respond(item.status, item.headers, body: item.body) }
        let (provider, client) = try AnthropicFixtureTests.provider(server)
        defer { client.close() }
        let status = try #require(Int64(item.status.prefix(3)))
        let failure = await #expect(throws: Failure.self) {
            _ = try await provider.stream(.conversation(model: "m", "Hello"))
        }
        #expect(failure?.code == item.code)
        #expect(failure?.details == [.init("providerStatus", .integer(status))] + item.details)
        #expect(failure?.message.hasSuffix("(status \(status)).") == true)
        #expect(server.requests.count == 1, "nothing is repeated")
    }

    @Test("MiniMax's numbers count here too")
    func miniMax() async throws {
        let body = #"{"type":"error","error":{"type":"api_error","message":"usage limit exceeded (2056)"},"request_id":"r"}"#
        let server = try LoopbackServer { _, connection in connection.respond("500 Internal Server Error", body: body) }
        let (provider, client) = try AnthropicFixtureTests.provider(server)
        defer { client.close() }
        let failure = await #expect(throws: Failure.self) { _ = try await provider.stream(.conversation(model: "m", "Hello")) }
        #expect(failure?.code == .modelBilling)
    }

    @Test("A redirect is not followed, and its target learns nothing", arguments: [301, 302, 303, 307, 308])
    func redirects(status: Int) async throws {
        let target = try LoopbackServer { _, connection in connection.respond() }
        let server = try LoopbackServer { _, connection in
            connection.respond("\(status) Elsewhere", ["Location": "\(target.url)/v1/messages"])
        }
        let (provider, client) = try AnthropicFixtureTests.provider(server)
        defer { client.close() }
        let failure = await #expect(throws: Failure.self) { _ = try await provider.stream(.conversation(model: "m", "Hello")) }
        #expect(failure?.code == .modelUnavailable)
        #expect(failure?.message == "The provider \"test\" redirects elsewhere: its base URL may be wrong (status \(status)).")
        #expect(server.requests.count == 1 && target.connections.isEmpty)
    }

    @Test(
        "The key never comes back",
        arguments: [
            ("401 Unauthorized", #"{"type":"error","error":{"type":"KEY","message":"The key KEY is wrong"},"request_id":"KEY"}"#),
            ("200 OK", "event: error\ndata: {\"type\":\"error\",\"error\":{\"message\":\"KEY\"}}\n\n"),
            ("200 OK", "data: {KEY\n\n"), ("200 OK", "{KEY"), ("307 Temporary Redirect", "KEY"),
        ])
    func canary(status: String, body: String) async throws {
        let key = "canary-1234567890"
        let server = try LoopbackServer { request, connection in
            #expect(request.header("x-api-key") == key)
            connection.respond(status, ["request-id": key], body: body.replacing("KEY", with: key))
        }
        let (provider, client) = try AnthropicFixtureTests.provider(server, apiKey: key)
        defer { client.close() }
        let failure = try #require(await ModelProviderContract(provider, .conversation(model: "m", "Hello")).call().failure)
        var dumped = ""
        dump(failure, to: &dumped)
        #expect(!dumped.contains("canary-12"), "\(dumped)")
    }
}
