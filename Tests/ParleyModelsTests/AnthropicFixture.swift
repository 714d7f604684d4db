import Foundation
import JSON
import ParleyCore
import Testing

/// A recorded body of a response in the words of the Messages API, and all that is to come of it.
struct AnthropicFixture: Sendable, CustomTestStringConvertible {
    /// The file's name in `Fixtures`, without the `anthropic-` before it.
    let name: String
    /// The events in order.
    let events: [ModelEvent]
    /// Why there is no end; nil when there is one.
    let failure: Failure.Code?
    /// What the failure's message says.
    let message: String

    var testDescription: String { name }

    private init(_ name: String, _ events: [ModelEvent], _ failure: Failure.Code? = nil, says message: String = "") {
        self.name = name
        self.events = events
        self.failure = failure
        self.message = message
    }

    /// The file's bytes.
    var bytes: [UInt8] {
        get throws { Array(try Data(contentsOf: Self.folder.appending(path: "anthropic-\(name)"))) }
    }

    /// Where the files are.
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")

    private static func usage(_ input: Int, _ output: Int, cached: Int? = nil) -> ModelEvent {
        .usage(Usage(inputTokens: input, cachedInputTokens: cached, outputTokens: output))
    }

    private static func weather(_ id: String, _ arguments: JSONValue) -> ModelEvent {
        .toolCall(ToolCall(id: id, name: "weather", arguments: arguments))
    }

    /// What goes well.
    static let answers = [
        AnthropicFixture(
            "text.sse",
            [
                usage(1_125, 1, cached: 1_000), .textDelta("Hel"), .textDelta("lo, "), .textDelta("wörld 👋🏽\n\"quoted\""),
                usage(1_125, 15, cached: 1_000), .finished(.endTurn),
            ]),
        AnthropicFixture(
            "thinking-tools.sse",
            [
                usage(472, 2), .reasoningDelta("Two cities, "), .reasoningDelta("two calls."), .textDelta("Let me look."), usage(472, 89),
                weather("toolu_1", ["city": "Röme"]), .toolCall(ToolCall(id: "toolu_2", name: "time", arguments: [:])),
                .replay([
                    ["type": "thinking", "thinking": "Two cities, two calls.", "signature": "EqQBCgIYAhIM"],
                    ["type": "redacted_thinking", "data": "EmwKAhgBEgy3va3pzix/LafPsn4a"], ["type": "text", "text": "Let me look."],
                    ["type": "tool_use"], ["type": "tool_use"],
                ]),
                .finished(.endTurn),
            ]),
        AnthropicFixture(
            "minimax.sse",
            [
                .reasoningDelta("A greeting."), .textDelta("Good "), .textDelta("morning."), usage(160, 32, cached: 40),
                .replay([
                    ["type": "thinking", "thinking": "A greeting.", "signature": "5f0c"], ["type": "text", "text": "Good morning."],
                ]),
                .finished(.endTurn),
            ]),
        AnthropicFixture(
            "late-start.sse",
            [usage(9, 0), .textDelta("Hel"), .textDelta("lo."), usage(9, 4), weather("toolu_1", ["city": "Rome"]), .finished(.endTurn)]),
        AnthropicFixture(
            "repeated-text.sse",
            [
                usage(9, 0), .reasoningDelta("Hm"), .reasoningDelta(", so."), .textDelta("Hello"), .textDelta(", you"), .textDelta(" and"),
                .textDelta(" all"), .textDelta("!"), .textDelta("!"), .textDelta("ab"), .textDelta("a"), usage(9, 7), .finished(.endTurn),
            ]),
        AnthropicFixture(
            "odd-shapes.sse",
            [.textDelta("Fine."), weather("toolu_1", ["city": "Oslo"]), weather("toolu_3", "{\"city\""), .finished(.endTurn)]),
        AnthropicFixture("max-tokens.sse", [usage(9, 0), usage(9, 64), weather("toolu_1", ["city": "Rome"]), .finished(.maxTokens)]),
        AnthropicFixture(
            "max-tokens-thinking.sse", [usage(9, 0), .reasoningDelta("So long"), usage(9, 64), .finished(.maxTokens)]),
        AnthropicFixture("refusal.sse", [usage(9, 0), .textDelta("I can"), usage(9, 3), .finished(.refusal)]),
        AnthropicFixture("no-stop.sse", [usage(9, 0), .textDelta("Hello."), .finished(.endTurn)]),
        AnthropicFixture("unterminated.sse", [usage(9, 0), .textDelta("Hello."), usage(9, 3), .finished(.endTurn)]),
        AnthropicFixture("done.sse", [usage(9, 0), .textDelta("Hello."), .finished(.endTurn)]),
        AnthropicFixture(
            "message.json",
            [
                .reasoningDelta("Hm."), .textDelta("Let me look."), usage(12, 30), weather("toolu_1", ["city": "Rome"]),
                .replay([
                    ["type": "thinking", "thinking": "Hm.", "signature": "s1"], ["type": "text", "text": "Let me look."],
                    ["type": "tool_use"],
                ]),
                .finished(.endTurn),
            ]),
    ]

    /// What does not, though the status is 200.
    static let failures = [
        AnthropicFixture("cut.sse", [usage(9, 1), .textDelta("Let me look.")], .modelUnavailable, says: "stopped before its end"),
        AnthropicFixture("overloaded.sse", [], .modelUnavailable, says: "is not available"),
        AnthropicFixture("overloaded-mid-stream.sse", [usage(9, 1), .textDelta("Half")], .modelUnavailable, says: "is not available"),
        AnthropicFixture("rate-limited.sse", [usage(9, 1)], .modelRateLimited, says: "limits the rate"),
        AnthropicFixture("error-text.sse", [], .contextWindowExceeded, says: "too long"),
        AnthropicFixture("broken-event.sse", [usage(9, 1), .textDelta("Once ")], .modelUnavailable, says: "something that is no answer"),
        AnthropicFixture("only-pings.sse", [], .modelUnavailable, says: "an empty answer"),
        AnthropicFixture("base-resp-1008.json", [], .modelBilling, says: "no credit or quota left"),
        AnthropicFixture("error.json", [], .modelAuth, says: "refuses access"),
        AnthropicFixture("error-unknown.json", [], .modelUnavailable, says: "is not available"),
    ]
}
