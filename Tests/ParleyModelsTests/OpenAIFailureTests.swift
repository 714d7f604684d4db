import JSON
import ParleyCore
import ParleyModels
import ParleyTestSupport
import Testing

/// What goes wrong at a provider or on the way to it, over a real socket.
@Suite(.timeLimit(.minutes(5)))
struct OpenAIFailureTests {
    /// A response and what becomes of it.
    struct Case: Sendable, CustomTestStringConvertible {
        let status: String
        let headers: KeyValuePairs<String, String>
        let body: String
        let code: Failure.Code
        /// The details, `providerStatus` left out.
        let details: [Failure.Detail]

        init(
            _ status: String, _ headers: KeyValuePairs<String, String> = [:], _ body: String = "", _ code: Failure.Code,
            _ details: KeyValuePairs<String, JSONValue> = [:]
        ) {
            self.status = status
            self.headers = headers
            self.body = body
            self.code = code
            self.details = details.map { Failure.Detail($0, $1) }
        }

        var testDescription: String { "\(status) \(headers) \(body.prefix(100))" }
    }

    static let cases = [
        Case(
            "401 Unauthorized", ["x-request-id": "req_1"],
            #"{"error":{"message":"Incorrect API key provided.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}"#,
            .modelAuth,
            ["providerCode": "invalid_api_key", "providerMessage": "Incorrect API key provided.", "providerRequestId": "req_1"]),
        Case(
            "401 Unauthorized", [:],
            #"{"type":"error","error":{"type":"authorized_error","message":"invalid api key (2049)","http_code":"401"},"request_id":"r"}"#,
            .modelAuth, ["providerCode": "2049", "providerMessage": "invalid api key (2049)", "providerRequestId": "r"]),
        Case("402 Payment Required", [:], "", .modelBilling),
        Case(
            "403 Forbidden", [:], #"{"error":{"message":"Country not supported"}}"#, .modelAuth,
            ["providerMessage": "Country not supported"]),
        Case(
            "404 Not Found", [:], #"{"error":{"message":"The model `x` does not exist","code":"model_not_found"}}"#, .modelRejected,
            ["providerCode": "model_not_found", "providerMessage": "The model `x` does not exist"]),
        Case(
            "400 Bad Request", [:], #"{"object":"error","message":"bad","type":"BadRequestError","code":400}"#, .modelRejected,
            ["providerCode": "BadRequestError", "providerMessage": "bad"]),
        Case("422 Unprocessable Entity", [:], #"{"detail":[{"loc":["body"],"msg":"field required"}]}"#, .modelRejected),
        Case(
            "400 Bad Request", [:], #"{"error":{"message":"Too long.","type":"invalid_request_error","code":"context_length_exceeded"}}"#,
            .contextWindowExceeded, ["providerCode": "context_length_exceeded", "providerMessage": "Too long."]),
        Case(
            "400 Bad Request", [:],
            #"{"type":"error","error":{"type":"bad_request_error","message":"invalid params, context window exceeds limit (2013)","http_code":"400"}}"#,
            .contextWindowExceeded,
            ["providerCode": "2013", "providerMessage": "invalid params, context window exceeds limit (2013)"]),
        Case(
            "400 Bad Request", [:], #"{"error":{"code":400,"message":"This model's maximum context length is 8192 tokens."}}"#,
            .contextWindowExceeded, ["providerMessage": "This model's maximum context length is 8192 tokens."]),
        Case(
            "500 Internal Server Error", [:], #"{"error":{"message":"the request exceeds the available context size"}}"#,
            .contextWindowExceeded, ["providerMessage": "the request exceeds the available context size"]),
        Case("413 Content Too Large", [:], "", .contextWindowExceeded),
        Case("408 Request Timeout", [:], "", .modelTimeout),
        Case("429 Too Many Requests", ["Retry-After": "7"], "", .modelRateLimited, ["retryAfterMs": 7_000]),
        Case("429 Too Many Requests", ["Retry-After": "0.25"], "", .modelRateLimited, ["retryAfterMs": 250]),
        Case("429 Too Many Requests", ["retry-after-ms": "1500", "Retry-After": "2"], "", .modelRateLimited, ["retryAfterMs": 1_500]),
        Case(
            "429 Too Many Requests", ["Date": "Sun, 06 Nov 1994 08:49:37 GMT", "Retry-After": "Sun, 06 Nov 1994 08:50:07 GMT"], "",
            .modelRateLimited, ["retryAfterMs": 30_000]),
        Case(
            "429 Too Many Requests", ["Date": "Sun, 06 Nov 1994 08:49:37 GMT", "Retry-After": "Sun, 06 Nov 1994 08:49:00 GMT"], "",
            .modelRateLimited, ["retryAfterMs": 0]),
        Case("429 Too Many Requests", ["Retry-After": "Sun, 06 Nov 1994 08:50:07 GMT"], "", .modelRateLimited),
        Case("429 Too Many Requests", ["Retry-After": "soon"], "", .modelRateLimited),
        Case("429 Too Many Requests", ["Retry-After": "-1"], "", .modelRateLimited),
        Case("429 Too Many Requests", ["Retry-After": "1e300"], "", .modelRateLimited),
        Case(
            "429 Too Many Requests", ["x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1s"], "", .modelRateLimited,
            ["retryAfterMs": 1_000]),
        Case(
            "429 Too Many Requests",
            [
                "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "20ms", "x-ratelimit-remaining-tokens": "0",
                "x-ratelimit-reset-tokens": "6m0s",
            ], "", .modelRateLimited, ["retryAfterMs": 360_000]),
        Case(
            "429 Too Many Requests",
            [
                "x-ratelimit-remaining-requests": "5", "x-ratelimit-reset-requests": "1m30.5s", "x-ratelimit-remaining-tokens": "9",
                "x-ratelimit-reset-tokens": "1h",
            ], "", .modelRateLimited, ["retryAfterMs": 90_500]),
        Case(
            "429 Too Many Requests", ["Retry-After": "2", "x-ratelimit-reset-requests": "1s"], "", .modelRateLimited,
            ["retryAfterMs": 2_000]),
        Case("429 Too Many Requests", ["x-ratelimit-reset-requests": "soon"], "", .modelRateLimited),
        Case("429 Too Many Requests", ["x-ratelimit-reset-requests": "5"], "", .modelRateLimited),
        Case("503 Service Unavailable", ["x-ratelimit-reset-requests": "1s"], "", .modelUnavailable),
        Case(
            "429 Too Many Requests", [:],
            #"{"error":{"message":"Add a payment method at example.com/billing","type":"tokens","code":"rate_limit_exceeded"}}"#,
            .modelRateLimited,
            ["providerCode": "rate_limit_exceeded", "providerMessage": "Add a payment method at example.com/billing"]),
        Case(
            "429 Too Many Requests", [:], #"{"error":{"message":"You exceeded your current quota.","type":"insufficient_quota"}}"#,
            .modelBilling, ["providerCode": "insufficient_quota", "providerMessage": "You exceeded your current quota."]),
        Case(
            "429 Too Many Requests", [:],
            #"[{"error":{"code":429,"message":"You exceeded your current quota","status":"RESOURCE_EXHAUSTED"}}]"#,
            .modelBilling, ["providerCode": "RESOURCE_EXHAUSTED", "providerMessage": "You exceeded your current quota"]),
        Case(
            "429 Too Many Requests", [:], #"{"error":{"type":"rate_limit_error","message":"usage limit, resets at 12:00 (2056)"}}"#,
            .modelBilling, ["providerCode": "2056", "providerMessage": "usage limit, resets at 12:00 (2056)"]),
        Case(
            "429 Too Many Requests", [:], #"{"error":{"type":"rate_limit_error","message":"(1008)"}}"#, .modelBilling,
            ["providerCode": "1008", "providerMessage": "(1008)"]),
        Case("500 Internal Server Error", [:], #"{"error":"out of memory"}"#, .modelUnavailable, ["providerMessage": "out of memory"]),
        Case("503 Service Unavailable", ["Retry-After": "120"], "", .modelUnavailable, ["retryAfterMs": 120_000]),
        Case("504 Gateway Timeout", [:], "", .modelTimeout),
        Case(
            "529 Overloaded", [:], #"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#, .modelUnavailable,
            ["providerCode": "overloaded_error", "providerMessage": "Overloaded"]),
        Case("502 Bad Gateway", ["Content-Type": "text/html"], "<html><body>Bad gateway</body></html>", .modelUnavailable),
        Case(
            "500 Internal Server Error", [:], "upstream\r\n\u{7}error\u{2028}", .modelUnavailable,
            ["providerMessage": "upstream   error "]),
        Case("302 Found", ["Location": "https://example.com"], "", .modelUnavailable),
        Case(
            "400 Bad Request", ["Trace-Id": "t"], #"{"error":{"message":"\#(String(repeating: "é", count: 501))"}}"#, .modelRejected,
            ["providerMessage": .string(String(repeating: "é", count: 500) + "…"), "providerRequestId": "t"]),
    ]

    @Test(arguments: cases)
    func refusedWithAStatus(_ item: Case) async throws {
        let server = try LoopbackServer { _, connection in connection.respond(item.status, item.headers, body: item.body) }
        let (provider, client) = try OpenAIFixtureTests.provider(server)
        defer { client.close() }
        let status = try #require(Int64(item.status.prefix(3)))
        let failure = await #expect(throws: Failure.self) { _ = try await provider.stream(Self.request) }
        #expect(failure?.code == item.code)
        #expect(failure?.details == [.init("providerStatus", .integer(status))] + item.details)
        #expect(failure?.message.hasSuffix("(status \(status)).") == true)
        #expect(failure?.message.contains("\"test\"") == true)
        #expect(server.requests.count == 1, "nothing is repeated")
    }

    /// Every number that MiniMax documents, and the HTTP status that comes with it where one does.
    @Test(
        "MiniMax's numbers, in an error and in a success",
        arguments: [
            (1000, Failure.Code.modelUnavailable), (1001, .modelTimeout), (1002, .modelRateLimited), (1004, .modelAuth),
            (1008, .modelBilling),
            (1013, .modelUnavailable), (1024, .modelUnavailable), (1026, .modelRejected), (1027, .modelRejected), (1033, .modelUnavailable),
            (1039, .modelRateLimited), (1041, .modelRateLimited), (1042, .modelRejected), (2013, .modelRejected), (2045, .modelRateLimited),
            (2049, .modelAuth), (2056, .modelBilling), (2061, .modelRejected),
        ])
    func minimaxNumbers(number: Int, code: Failure.Code) async throws {
        let bodies = [
            (
                "400 Bad Request",
                #"{"type":"error","error":{"type":"bad_request_error","message":"no (\#(number))","http_code":"400"},"request_id":"r"}"#
            ),
            (
                "429 Too Many Requests",
                #"{"type":"error","error":{"type":"rate_limit_error","message":"no (\#(number))"},"request_id":"r"}"#
            ),
            ("200 OK", #"{"choices":null,"base_resp":{"status_code":\#(number),"status_msg":"no"},"request_id":"r"}"#),
            ("200 OK", #"data: {"choices":[],"base_resp":{"status_code":\#(number),"status_msg":"no"},"request_id":"r"}\#n\#n"#),
        ]
        for (status, body) in bodies {
            let server = try LoopbackServer { _, connection in connection.respond(status, ["Retry-After": "3"], body: body) }
            let (provider, client) = try OpenAIFixtureTests.provider(server)
            defer { client.close() }
            let failure = await ModelProviderContract(provider, Self.request).call().failure
            #expect(failure?.code == code, "\(status)")
            let details = Dictionary(uniqueKeysWithValues: failure?.details.map { ($0.name, $0.value) } ?? [])
            #expect(details["providerCode"] == .string("\(number)"), "\(status)")
            #expect(details["providerMessage"]?.stringValue?.hasPrefix("no") == true)
            #expect(details["providerRequestId"] == "r")
            #expect(details["retryAfterMs"] == 3_000)
            #expect(failure?.isRetryable == (code == .modelBilling ? false : nil))
        }
    }

    @Test(
        "A server may say whether to come back",
        arguments: [
            ("500 Oops", ["x-should-retry": "false"], "", false), ("400 Bad Request", ["X-Should-Retry": "true"], "", true),
            ("503 Busy", ["x-should-retry": "maybe"], "", nil), ("503 Busy", [:], "", nil), ("409 Conflict", [:], "", true),
            ("409 Conflict", ["x-should-retry": "false"], "", false), ("402 Payment Required", ["x-should-retry": "true"], "", false),
            ("429 Too Many Requests", ["x-should-retry": "true"], #"{"error":{"code":"insufficient_quota"}}"#, false),
            ("200 OK", ["x-should-retry": "false"], #"data: {"error":{"message":"no"}}\#n\#n"#, false),
            ("200 OK", [:], "<html>", false),
        ] as [(String, KeyValuePairs<String, String>, String, Bool?)])
    func whetherToComeBack(status: String, headers: KeyValuePairs<String, String>, body: String, expected: Bool?) async throws {
        let server = try LoopbackServer { _, connection in connection.respond(status, headers, body: body) }
        let (provider, client) = try OpenAIFixtureTests.provider(server)
        defer { client.close() }
        let failure = try #require(await ModelProviderContract(provider, Self.request).call().failure)
        #expect(failure.isRetryable == expected)
    }

    @Test func nobodyListens() async throws {
        let failure = try await LoopbackServer.withClosedPort { port in try await Self.failure(baseURL: "http://127.0.0.1:\(port)/v1") }
        #expect(failure?.code == .modelUnavailable)
        #expect(failure?.message == "The provider \"test\" cannot be reached.")
    }

    @Test(
        "A base URL that cannot be asked",
        arguments: ["", "nonsense", "ftp://127.0.0.1/v1", "http://192.0.2.1/v1", "http://user:secret@192.0.2.1/v1"])
    func badBaseURL(url: String) async throws {
        let failure = try await Self.failure(baseURL: url)
        #expect(failure?.code == .modelUnavailable)
        #expect(failure?.message == "The base URL of the provider \"test\" cannot be used.")
        #expect(!String(reflecting: failure).contains("secret"))
    }

    @Test func noTLS() async throws {
        let server = try LoopbackServer(accepting: { $0.respond() }) { _, _ in }
        let failure = try await Self.failure(baseURL: "https://127.0.0.1:\(server.port)/v1")
        #expect(failure?.code == .modelUnavailable)
        #expect(failure?.message == "No secure connection to the provider \"test\" came about.")
    }

    @Test func closedBeforeTheHeader() async throws {
        let server = try LoopbackServer { _, connection in connection.close() }
        let (provider, client) = try OpenAIFixtureTests.provider(server)
        defer { client.close() }
        await ModelProviderContract(provider, Self.request).fails(.modelUnavailable)
    }

    @Test("A cut stream keeps what had come", arguments: [false, true])
    func cutStream(byReset: Bool) async throws {
        let server = try LoopbackServer { _, connection in
            connection.sendHead()
            connection.sendChunk(#"data: {"choices":[{"delta":{"content":"Half"}}]}\#n\#n"#)
            connection.gates.wait("heard")
            if byReset { connection.reset() } else { connection.close() }
        }
        let (provider, client) = try OpenAIFixtureTests.provider(server)
        defer { client.close() }
        let outcome = await ModelProviderContract(provider, Self.request).call { _ in server.gates.open("heard") }
        #expect(outcome.deltas == ["Half"])
        #expect(outcome.failure?.code == .modelUnavailable)
        #expect(outcome.failure?.message == "The answer of the provider \"test\" stopped before its end.")
    }

    @Test("The first byte has a bound of its own")
    func slowBeginning() async throws {
        let server = try LoopbackServer { _, connection in connection.waitForPeer() }
        let (provider, client) = try OpenAIFixtureTests.provider(
            server, timeouts: .init(firstByte: .milliseconds(200), idle: .seconds(600)))
        defer { client.close() }
        await ModelProviderContract(provider, Self.request).fails(.modelTimeout)
    }

    @Test("A server that falls silent", arguments: [false, true])
    func silence(afterHeader: Bool) async throws {
        let server = try LoopbackServer { _, connection in
            if afterHeader {
                connection.sendHead()
                connection.sendChunk(#"data: {"choices":[{"delta":{"content":"Half"}}]}\#n\#n"#)
            }
            connection.waitForPeer()
        }
        let (provider, client) = try OpenAIFixtureTests.provider(server, timeouts: .init(firstByte: .seconds(1), idle: .seconds(1)))
        defer { client.close() }
        await ModelProviderContract(provider, Self.request).fails(.modelTimeout, after: afterHeader ? ["Half"] : [])
    }

    @Test("Without a key the message says so")
    func noKey() async throws {
        let server = try LoopbackServer { _, connection in connection.respond("401 Unauthorized") }
        let (provider, client) = try OpenAIFixtureTests.provider(server, apiKey: nil)
        defer { client.close() }
        let failure = await #expect(throws: Failure.self) { _ = try await provider.stream(Self.request) }
        #expect(failure?.message == "The provider \"test\" wants an API key, and none is set (status 401).")
    }

    @Test(
        "The key never comes back",
        arguments: [
            ("401 Unauthorized", #"{"error":{"message":"The key KEY is wrong","type":"KEY","code":"KEY"},"request_id":"KEY"}"#),
            ("400 Bad Request", #"{"error":{"message":"\#(String(repeating: "x", count: 490))KEY"}}"#),
            ("400 Bad Request", #"{"error":{"message":"canary-\n123\u00004567890"}}"#),
            ("500 Internal Server Error", "KEY\nKEY"),
            ("200 OK", #"data: {"error":{"message":"KEY"}}\#n\#n"#),
            ("200 OK", #"{"base_resp":{"status_code":1004,"status_msg":"login fail: KEY"}}"#),
            ("200 OK", #"data: {"choices":[{"error":{"message":"KEY","code":"KEY"}}]}\#n\#n"#),
            ("200 OK", "error: {\"message\":\"KEY\"}\n\n"), ("200 OK", "event: error\ndata: \"KEY\"\n\n"),
            ("200 OK", "data: {KEY\n\n"), ("200 OK", "{KEY"), ("200 OK", "<html>KEY"),
        ])
    func canary(status: String, body: String) async throws {
        let key = "canary-1234567890"
        let server = try LoopbackServer { request, connection in
            #expect(request.header("authorization") == "Bearer \(key)")
            connection.respond(status, ["x-request-id": key], body: body.replacing("KEY", with: key))
        }
        let (provider, client) = try OpenAIFixtureTests.provider(server, apiKey: key)
        defer { client.close() }
        let outcome = await ModelProviderContract(provider, Self.request).call()
        let failure = try #require(outcome.failure)
        var dumped = ""
        dump(failure, to: &dumped)
        #expect(!dumped.contains("canary-12"), "\(dumped)")
    }

    @Test("Nor does a secret header field", arguments: ["500 Oops", "200 OK"])
    func headerCanary(status: String) async throws {
        let secret = "canary-header-99"
        let server = try LoopbackServer { request, connection in
            let echo = request.header("x-portal-key") ?? "missing"
            connection.respond(status, body: #"data: {"error":{"message":"bad \#(echo)","code":"\#(echo)"},"request_id":"\#(echo)"}\#n\#n"#)
        }
        let client = try HTTPClient()
        defer { client.close() }
        var configuration = OpenAIProviderConfiguration(name: "test", baseURL: server.url)
        configuration.headers = ["X-Portal-Key": secret]
        let outcome = await ModelProviderContract(OpenAIProvider(configuration: configuration, client: client), Self.request).call()
        var dumped = ""
        dump(try #require(outcome.failure), to: &dumped)
        #expect(dumped.contains("[key]") && !dumped.contains("canary"), "\(dumped)")
    }

    private static let request = ModelRequest.conversation(model: "m", "Hello")

    /// Why a call of a server at this URL fails.
    private static func failure(baseURL: String) async throws -> Failure? {
        let client = try HTTPClient()
        defer { client.close() }
        let provider = OpenAIProvider(
            configuration: OpenAIProviderConfiguration(name: "test", baseURL: baseURL, apiKey: "sk-test"), client: client)
        return await ModelProviderContract(provider, request).call().failure
    }
}
