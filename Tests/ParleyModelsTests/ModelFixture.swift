import Foundation
import JSON
import ParleyCore
import ParleyTestSupport
import Testing

/// A recorded body of a response, and what a person should see of it.
struct ModelFixture: Sendable, CustomTestStringConvertible {
    /// How the call ends.
    enum Ending: Sendable {
        case finished(Turn.StopReason)
        case failed(Failure.Code)
    }

    /// The file's name in `Fixtures`.
    let name: String
    /// The pieces of the text.
    let deltas: [String]
    /// What the model thinks, joined.
    let reasoning: String
    /// What it wants done.
    let calls: [ToolCall]
    /// What is to be sent back.
    let replay: JSONValue?
    /// The last usage.
    let usage: Usage?
    /// The end, or why there is none.
    let ending: Ending
    /// What the failure's message says.
    let message: String

    var testDescription: String { name }

    private init(
        _ name: String, _ deltas: [String], thinks reasoning: String = "", calls: [ToolCall] = [], replay: JSONValue? = nil,
        usage: Usage? = nil, _ ending: Ending = .finished(.endTurn), says message: String = ""
    ) {
        self.name = name
        self.deltas = deltas
        self.reasoning = reasoning
        self.calls = calls
        self.replay = replay
        self.usage = usage
        self.ending = ending
        self.message = message
    }

    /// The file's bytes.
    var bytes: [UInt8] {
        get throws {
            let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")
            return Array(try Data(contentsOf: folder.appending(path: name)))
        }
    }

    /// What goes well.
    static let answers = [
        ModelFixture(
            "openai.sse", ["Hel", "lo, ", "wörld 👋🏽\n\"quoted\""],
            usage: Usage(inputTokens: 19, cachedInputTokens: 8, outputTokens: 10, reasoningTokens: 4)),
        ModelFixture(
            "minimax.sse", ["Good ", "morning", "."], usage: Usage(inputTokens: 120, outputTokens: 32, reasoningTokens: 29)),
        ModelFixture("minimax-full-frame.sse", ["Good ", "morning."], usage: Usage(inputTokens: 120, outputTokens: 32)),
        ModelFixture("two-finishes.sse", ["Good morning."]),
        ModelFixture("full-frame-only.sse", ["All at once."], usage: Usage(inputTokens: 5, outputTokens: 3)),
        ModelFixture("azure.sse", ["Hello."], usage: Usage(inputTokens: 3, outputTokens: 2)),
        ModelFixture("reasoning.sse", ["Four."], thinks: "Let me see.Hm."),
        ModelFixture("reasoning-twice.sse", ["Four."], thinks: "Let me see.\n"),
        ModelFixture(
            "reasoning-cumulative.sse", ["Four."], thinks: "Let me see.", calls: [ToolCall(id: "a", name: "time", arguments: [:])],
            replay: [
                "reasoning_details": [
                    ["type": "reasoning.text", "id": "r1", "format": "MiniMax-response-v1", "index": 0, "text": "Let me see."]
                ]
            ]),
        ModelFixture("think-split.sse", ["Four", " < five."], thinks: "Let me see. </b> no.\n"),
        ModelFixture("think-unclosed.sse", [], thinks: "Still going", .finished(.maxTokens)),
        ModelFixture("comments.sse", ["Still ", "here."]),
        ModelFixture("line-ends.sse", ["one ", "two ", "three"]),
        ModelFixture("no-done.sse", ["Hello."]),
        ModelFixture("done-unterminated.sse", ["Hello."]),
        ModelFixture("finish-unterminated.sse", ["Hello."]),
        ModelFixture("odd-shapes.sse", ["Hello."], usage: Usage(inputTokens: 3, outputTokens: 2)),
        ModelFixture("crlf.sse", ["one ", "two"]),
        ModelFixture("parts.sse", ["In parts", "."], thinks: "hm"),
        ModelFixture("running-usage.sse", ["a", "b", "c"], usage: Usage(inputTokens: 9, outputTokens: 3), .finished(.maxTokens)),
        ModelFixture("refusal.sse", ["I can't ", "help with that."], .finished(.refusal)),
        ModelFixture("tool-calls.sse", ["Looking."], calls: [ToolCall(id: "call_function_1", name: "search", arguments: ["q": 1])]),
        ModelFixture(
            "minimax-tools.sse", ["Looking."], thinks: "The user asks.",
            calls: [ToolCall(id: "call_function_x_1", name: "weather", arguments: ["city": "Rome"])],
            replay: [
                "reasoning_content": "The user asks.",
                "reasoning_details": [
                    [
                        "type": "reasoning.text", "id": "reasoning-text-1", "format": "MiniMax-response-v1", "index": 0,
                        "text": "The user asks.",
                    ]
                ],
            ], usage: Usage(inputTokens: 120, outputTokens: 32)),
        ModelFixture("calls-same-index.sse", [], calls: [weather("a", "Rome"), weather("b", "Oslo")]),
        ModelFixture("calls-bare.sse", [], calls: [weather("call_message1_1", "Rome"), weather("call_message1_2", "Oslo")]),
        ModelFixture("calls-placeholder.sse", [], calls: [weather("a", "Rome")]),
        ModelFixture("calls-invalid.sse", [], calls: [ToolCall(id: "a", name: "weather", arguments: "{\"city\": Rome}")]),
        ModelFixture("calls-stop.sse", [], calls: [weather("a", "Rome")]),
        ModelFixture("calls-length.sse", [], calls: [weather("a", "Rome")], .finished(.maxTokens)),
        ModelFixture(
            "gemini.sse", [], calls: [weather("function-call-1", "Rome")],
            replay: ["tool_calls": ["function-call-1": ["extra_content": ["google": ["thought_signature": "c2ln"]]]]]),
        ModelFixture(
            "completion.json", ["Not streamed."],
            usage: Usage(inputTokens: 19, cachedInputTokens: 8, outputTokens: 10, reasoningTokens: 4), .finished(.maxTokens)),
        ModelFixture("completion-status-0.json", ["Fine."]),
    ]

    /// What does not, though the status is 200.
    static let failures = [
        ModelFixture("error-mid-stream.sse", ["Half an ", "answer"], .failed(.modelUnavailable), says: "is not available"),
        ModelFixture("error-openrouter.sse", ["Half"], .failed(.modelUnavailable), says: "is not available (status 502)"),
        ModelFixture("error-in-choice.sse", [], .failed(.modelBilling), says: "no credit or quota left (status 402)"),
        ModelFixture("error-finish.sse", ["Half"], .failed(.modelUnavailable), says: "stopped before its end"),
        ModelFixture("error-field.sse", ["Half"], .failed(.modelUnavailable), says: "is not available (status 500)"),
        ModelFixture("error-event.sse", [], .failed(.modelUnavailable), says: "is not available"),
        ModelFixture("lm-studio.sse", [], .failed(.modelUnavailable), says: "is not available"),
        ModelFixture("error-text.sse", [], .failed(.contextWindowExceeded), says: "too long"),
        ModelFixture("base-resp-1002.sse", [], .failed(.modelRateLimited), says: "limits the rate"),
        ModelFixture("base-resp-1002.json", [], .failed(.modelRateLimited), says: "limits the rate"),
        ModelFixture("base-resp-1008.json", [], .failed(.modelBilling), says: "no credit or quota left"),
        ModelFixture("error.json", [], .failed(.modelAuth), says: "refuses access"),
        ModelFixture("error-unknown.json", [], .failed(.modelUnavailable), says: "is not available"),
        ModelFixture("page.html", [], .failed(.modelUnavailable), says: "a web page"),
        ModelFixture("empty.sse", [], .failed(.modelUnavailable), says: "an empty answer"),
        ModelFixture("only-comments.sse", [], .failed(.modelUnavailable), says: "an empty answer"),
        ModelFixture("only-done.sse", [], .failed(.modelUnavailable), says: "an empty answer"),
        ModelFixture("text.txt", [], .failed(.modelUnavailable), says: "an empty answer"),
        ModelFixture("cut.sse", ["Once upon a "], .failed(.modelUnavailable), says: "stopped before its end"),
        ModelFixture("cut-in-arguments.sse", ["Looking."], .failed(.modelUnavailable), says: "stopped before its end"),
        ModelFixture("cut-in-event.sse", ["Once upon a "], .failed(.modelUnavailable), says: "stopped before its end"),
        ModelFixture("broken-event.sse", ["Once "], .failed(.modelUnavailable), says: "something that is no answer"),
    ]

    private static func weather(_ id: String, _ city: JSONValue) -> ToolCall {
        ToolCall(id: id, name: "weather", arguments: ["city": city])
    }

    /// What goes well and what does not.
    static let all = answers + failures

    /// The fixture of that name.
    static func named(_ name: String) throws -> ModelFixture {
        try #require(all.first { $0.name == name }, "there is no fixture \(name)")
    }

    /// Checks what came of reading it.
    func check(_ outcome: ModelProviderContract.Outcome, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(outcome.deltas == deltas, sourceLocation: sourceLocation)
        #expect(outcome.reasoning == reasoning, sourceLocation: sourceLocation)
        #expect(outcome.toolCalls == calls, sourceLocation: sourceLocation)
        #expect(outcome.replay == replay, sourceLocation: sourceLocation)
        #expect(outcome.usage == usage, sourceLocation: sourceLocation)
        switch ending {
        case .finished(let reason):
            #expect(outcome.failure == nil, sourceLocation: sourceLocation)
            #expect(outcome.stopReason == reason, sourceLocation: sourceLocation)
        case .failed(let code):
            #expect(outcome.stopReason == nil, sourceLocation: sourceLocation)
            #expect(outcome.failure?.code == code, sourceLocation: sourceLocation)
            #expect(outcome.failure?.message.contains(message) == true, "\(outcome.failure?.message ?? "")", sourceLocation: sourceLocation)
        }
    }
}
