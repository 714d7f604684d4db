import Foundation
import ParleyCore
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
    /// The last usage.
    let usage: Usage?
    /// The end, or why there is none.
    let ending: Ending
    /// What the failure's message says.
    let message: String

    var testDescription: String { name }

    private init(
        _ name: String, _ deltas: [String], usage: Usage? = nil, _ ending: Ending = .finished(.endTurn),
        says message: String = ""
    ) {
        self.name = name
        self.deltas = deltas
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
        ModelFixture("reasoning.sse", ["Four."]),
        ModelFixture("comments.sse", ["Still ", "here."]),
        ModelFixture("line-ends.sse", ["one ", "two ", "three"]),
        ModelFixture("no-done.sse", ["Hello."]),
        ModelFixture("done-unterminated.sse", ["Hello."]),
        ModelFixture("finish-unterminated.sse", ["Hello."]),
        ModelFixture("odd-shapes.sse", ["Hello."], usage: Usage(inputTokens: 3, outputTokens: 2)),
        ModelFixture("parts.sse", ["In parts", "."]),
        ModelFixture("running-usage.sse", ["a", "b", "c"], usage: Usage(inputTokens: 9, outputTokens: 3), .finished(.maxTokens)),
        ModelFixture("refusal.sse", ["I can't ", "help with that."], .finished(.refusal)),
        ModelFixture("tool-calls.sse", ["Looking."]),
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
        ModelFixture("error-text.sse", [], .failed(.contextWindowExceeded), says: "too long"),
        ModelFixture("base-resp-1002.sse", [], .failed(.modelRateLimited), says: "limits the rate"),
        ModelFixture("base-resp-1008.json", [], .failed(.modelBilling), says: "no credit or quota left"),
        ModelFixture("error.json", [], .failed(.modelAuth), says: "refuses access"),
        ModelFixture("error-unknown.json", [], .failed(.modelUnavailable), says: "is not available"),
        ModelFixture("page.html", [], .failed(.modelUnavailable), says: "a web page"),
        ModelFixture("empty.sse", [], .failed(.modelUnavailable), says: "an empty answer"),
        ModelFixture("only-comments.sse", [], .failed(.modelUnavailable), says: "an empty answer"),
        ModelFixture("only-done.sse", [], .failed(.modelUnavailable), says: "an empty answer"),
        ModelFixture("text.txt", [], .failed(.modelUnavailable), says: "an empty answer"),
        ModelFixture("cut.sse", ["Once upon a "], .failed(.modelUnavailable), says: "stopped before its end"),
        ModelFixture("cut-in-event.sse", ["Once upon a "], .failed(.modelUnavailable), says: "stopped before its end"),
        ModelFixture("broken-event.sse", ["Once "], .failed(.modelUnavailable), says: "something that is no answer"),
    ]
}
