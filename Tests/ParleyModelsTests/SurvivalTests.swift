import Foundation
import JSON
import ParleyCore
import ParleyTestSupport
import Testing

@testable import ParleyModels

/// The streams that a robust client survives, by number, each over a real socket.
///
/// What a fixture means stands in `ModelFixture`; the table says which one shows what.
@Suite("Streams that a robust client survives", .timeLimit(.minutes(5)))
struct SurvivalTests {
    /// One of the streams.
    struct Stream: Sendable, CustomTestStringConvertible {
        let number: Int
        let what: String
        /// The file's name in `Fixtures`.
        let fixture: String
        /// The bytes after which the server waits until what came before was heard: the read ends in the middle of something.
        var pausesAfter: [UInt8] = []
        /// What the failure says of itself.
        var details: [Failure.Detail] = []

        var testDescription: String { "\(number) \(what): \(fixture)" }
    }

    static let streams = [
        Stream(
            number: 1, what: "an emoji split between its bytes", fixture: "openai.sse", pausesAfter: Array("wörld ".utf8) + [0xF0, 0x9F]),
        Stream(
            number: 2, what: "CR at the end of a read, LF at the start of the next", fixture: "crlf.sse", pausesAfter: Array("\r\n\r".utf8)),
        Stream(number: 3, what: "a byte order mark, and data without the space", fixture: "line-ends.sse"),
        Stream(number: 4, what: "two data lines that are one JSON text", fixture: "line-ends.sse"),
        Stream(number: 5, what: "comments, then tokens (with their times: `commentsAreSignsOfLife`)", fixture: "comments.sse"),
        Stream(number: 6, what: "event: ping, and bare data", fixture: "comments.sse"),
        Stream(number: 7, what: "finish_reason, then the end, without [DONE]", fixture: "no-done.sse"),
        Stream(number: 8, what: "the end in the middle of arguments", fixture: "cut-in-arguments.sse"),
        Stream(number: 9, what: "[DONE] without its blank line", fixture: "done-unterminated.sse"),
        Stream(
            number: 10, what: "JSON with 1008 instead of a stream", fixture: "base-resp-1008.json",
            details: [.init("providerCode", "1008"), .init("providerMessage", "insufficient balance")]),
        Stream(
            number: 11, what: "JSON with 1002 instead of a stream", fixture: "base-resp-1002.json",
            details: [.init("providerCode", "1002"), .init("providerMessage", "rate limit exceeded(RPM)")]),
        Stream(number: 12, what: "status_code 0 with a status_msg", fixture: "completion-status-0.json"),
        Stream(
            number: 13, what: "an error after text", fixture: "error-mid-stream.sse",
            details: [
                .init("providerCode", "server_error"), .init("providerMessage", "The server had an error while processing your request."),
            ]),
        Stream(
            number: 14, what: "a field error:, then [DONE]", fixture: "error-field.sse",
            details: [
                .init("providerStatus", 500), .init("providerCode", "server_error"), .init("providerMessage", "slot unavailable"),
            ]),
        Stream(number: 15, what: "choices null, missing or empty, with usage", fixture: "odd-shapes.sse"),
        Stream(number: 16, what: "delta null, an empty role", fixture: "odd-shapes.sse"),
        Stream(number: 16, what: "the same from Azure", fixture: "azure.sse"),
        Stream(number: 17, what: "a last frame that says everything again", fixture: "minimax-full-frame.sse"),
        Stream(number: 17, what: "the same with tool calls", fixture: "minimax-tools.sse"),
        Stream(number: 18, what: "two ends, the last with a stray <think>", fixture: "two-finishes.sse"),
        Stream(number: 19, what: "<think> in two chunks, </mm:think> as its end", fixture: "think-split.sse"),
        Stream(number: 20, what: "the same reasoning in the text and in a field", fixture: "reasoning-twice.sse"),
        Stream(number: 20, what: "cumulative reasoning", fixture: "reasoning-cumulative.sse"),
        Stream(number: 21, what: "two calls, both with index 0", fixture: "calls-same-index.sse"),
        Stream(number: 22, what: "calls without index or id, arguments as objects", fixture: "calls-bare.sse"),
        Stream(number: 23, what: "arguments {} and then more", fixture: "calls-placeholder.sse"),
        Stream(number: 23, what: "arguments that never are JSON (sent back as {}: `OpenAIToolTests`)", fixture: "calls-invalid.sse"),
        Stream(number: 24, what: "stop with tool calls", fixture: "calls-stop.sse"),
        Stream(number: 24, what: "length with half a call", fixture: "calls-length.sse"),
        // 25 is Anthropic's: `AnthropicFixture`.
    ]

    @Test(arguments: streams)
    func isSurvived(_ stream: Stream) async throws {
        let fixture = try ModelFixture.named(stream.fixture)
        let body = try fixture.bytes
        var cut = body.count
        if !stream.pausesAfter.isEmpty {
            cut = try #require(body.indices.first { body[$0...].starts(with: stream.pausesAfter) }) + stream.pausesAfter.count
        }
        let type = stream.fixture.hasSuffix(".json") ? "application/json" : "text/event-stream"
        let server = try LoopbackServer { [cut] _, connection in
            connection.send("HTTP/1.1 200 OK\r\nContent-Type: \(type)\r\nContent-Length: \(body.count)\r\n\r\n")
            connection.send(body[..<cut])
            guard cut < body.count else { return }
            connection.gates.wait("heard")
            connection.send(body[cut...])
        }
        let (provider, client) = try OpenAIFixtureTests.provider(server)
        defer { client.close() }
        let outcome = await ModelProviderContract(provider, .conversation(model: "m", "Hello")).call { _ in server.gates.open("heard") }
        fixture.check(outcome)
        let details = outcome.failure?.details ?? []
        #expect(Array(details.prefix(stream.details.count)) == stream.details)
        #expect(stream.number != 10 || outcome.failure?.isRetryable == false)
        #expect(server.requests.count == 1, "nothing is repeated")
    }

    @Test("Every number has a stream")
    func table() {
        #expect(Set(Self.streams.map(\.number)) == Set(1...24))
    }

    @Test("Comments count as signs of life, however long they are all that comes")
    func commentsAreSignsOfLife() async throws {
        let answer = try ModelFixture.named("no-done.sse")
        let body = String(decoding: try answer.bytes, as: UTF8.self)
        let server = try LoopbackServer { _, connection in
            connection.sendHead(["Content-Type": "text/event-stream"])
            // In all much longer than the server may be silent.
            for _ in 0..<12 {
                connection.sendChunk(": OPENROUTER PROCESSING\n\n")
                connection.wait(atMost: 200)
            }
            connection.sendChunk(body)
            connection.endChunks()
        }
        let (provider, client) = try OpenAIFixtureTests.provider(server, timeouts: ServerTimeouts(idle: .milliseconds(1_500)))
        defer { client.close() }
        answer.check(await ModelProviderContract(provider, .conversation(model: "m", "Hello")).call())
    }
}
