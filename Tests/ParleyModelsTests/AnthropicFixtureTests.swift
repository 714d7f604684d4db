import Foundation
import JSON
import ParleyCore
import ParleyTestSupport
import Testing

@testable import ParleyModels

/// What servers of the Messages API send, byte for byte.
@Suite(.timeLimit(.minutes(5)))
struct AnthropicFixtureTests {
    @Test(arguments: AnthropicFixture.answers + AnthropicFixture.failures)
    func fixtureOverASocket(_ fixture: AnthropicFixture) async throws {
        let body = try fixture.bytes
        let server = try LoopbackServer { _, connection in
            connection.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: \(body.count)\r\n\r\n")
            connection.send(body[...])
        }
        let (provider, client) = try Self.provider(server)
        defer { client.close() }
        Self.check(await ModelProviderContract(provider, .conversation(model: "m", "Hello")).call(), fixture)
    }

    @Test(arguments: AnthropicFixture.answers + AnthropicFixture.failures)
    func fixtureCutAtEveryByte(_ fixture: AnthropicFixture) throws {
        let bytes = try fixture.bytes
        Self.check(Self.read([bytes]), fixture)
        for cut in 0...bytes.count { Self.check(Self.read([Array(bytes[..<cut]), Array(bytes[cut...])]), fixture) }
        Self.check(Self.read(bytes.map { [$0] }), fixture)
    }

    @Test("A stream that ends anywhere is an answer only once the model has said why it stopped")
    func endsAnywhere() throws {
        let bytes = try #require(AnthropicFixture.answers.first).bytes
        let stop = try #require(String(decoding: bytes, as: UTF8.self).range(of: "end_turn"))
        let decided = String(decoding: bytes, as: UTF8.self)[..<stop.upperBound].utf8.count
        for end in bytes.indices {
            let outcome = Self.read([Array(bytes[..<end])])
            if end < decided { #expect(outcome.failure?.code == .modelUnavailable && outcome.stopReason == nil, "\(end)") }
            if outcome.failure == nil { #expect(outcome.stopReason == .endTurn, "\(end)") }
        }
    }

    @Test("Every fixture has a test")
    func allFixtures() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: AnthropicFixture.folder.path).filter { $0.hasPrefix("anthropic-") }
        #expect(Set(files) == Set((AnthropicFixture.answers + AnthropicFixture.failures).map { "anthropic-\($0.name)" }))
    }

    @Test(
        "The model's reason to stop",
        arguments: [
            ("end_turn", Turn.StopReason.endTurn), ("stop_sequence", .endTurn), ("tool_use", .endTurn), ("pause_turn", .endTurn),
            ("new_reason", .endTurn), ("max_tokens", .maxTokens), ("model_context_window_exceeded", .maxTokens), ("refusal", .refusal),
        ])
    func stopReasons(reason: String, expected: Turn.StopReason) {
        let stream = """
            data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"x"}}

            data: {"type":"message_delta","delta":{"stop_reason":"\(reason)"}}

            data: {"type":"message_stop"}


            """
        #expect(Self.read([Array(stream.utf8)]).events == [.textDelta("x"), .finished(expected)])
    }

    @Test("At the bound of its length an answer may end in a call without a word of its arguments, which is no call")
    func cutBeforeTheArguments() {
        let stream = """
            data: {"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"a","name":"weather","input":{}}}

            data: {"type":"message_delta","delta":{"stop_reason":"max_tokens"}}


            """
        #expect(Self.read([Array(stream.utf8)]).events == [.finished(.maxTokens)])
    }

    @Test("Text between two calls keeps its place when it is sent back")
    func textBetweenCalls() {
        let stream = """
            data: {"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"a","name":"time","input":{}}}

            data: {"type":"content_block_start","index":1,"content_block":{"type":"text","text":"And"}}

            data: {"type":"message_delta","delta":{"stop_reason":"tool_use"}}


            """
        let call = ToolCall(id: "a", name: "time", arguments: [:])
        #expect(
            Self.read([Array(stream.utf8)]).events == [
                .textDelta("And"), .toolCall(call), .replay([["type": "tool_use"], ["type": "text", "text": "And"]]), .finished(.endTurn),
            ])
    }

    @Test("A server that counts no blocks begins each anew")
    func uncountedBlocks() {
        let stream = [
            #"{"type":"content_block_start","content_block":{"type":"text","text":""}}"#,
            #"{"type":"content_block_delta","delta":{"type":"text_delta","text":"Two."}}"#,
            #"{"type":"content_block_start","content_block":{"type":"tool_use","id":"a","name":"time","input":{}}}"#,
            #"{"type":"content_block_stop"}"#,
            #"{"type":"content_block_start","content_block":{"type":"tool_use","id":"b","name":"time","input":{}}}"#,
            #"{"type":"content_block_start","content_block":{"type":"tool_use","id":"c","name":"time","input":{}}}"#,
            #"{"type":"content_block_delta","delta":{"type":"input_json_delta","partial_json":"{\"n\":1}"}}"#,
            #"{"type":"message_delta","delta":{"stop_reason":"tool_use"}}"#,
        ]
        let calls = ([("a", [:]), ("b", [:]), ("c", ["n": 1])] as [(String, JSONValue)]).map {
            ToolCall(id: $0, name: "time", arguments: $1)
        }
        #expect(
            Self.read(stream.map { Array("data: \($0)\n\n".utf8) }).events
                == [.textDelta("Two.")] + calls.map { .toolCall($0) } + [.finished(.endTurn)])
    }

    private static func check(_ outcome: ModelProviderContract.Outcome, _ fixture: AnthropicFixture) {
        #expect(outcome.events == fixture.events)
        #expect(outcome.failure?.code == fixture.failure)
        if let message = outcome.failure?.message { #expect(message.contains(fixture.message), "\(message)") }
    }

    /// Reads a body in parts, without a socket.
    private static func read(_ parts: [[UInt8]]) -> ModelProviderContract.Outcome {
        var reader = AnswerReader(MessagesAnswer(failures: FailureTranslation(provider: "test", apiKey: "sk-test")))
        var outcome = ModelProviderContract.Outcome()
        for part in parts { outcome.batches.append(reader.read(part)) }
        outcome.batches.append(reader.readEnd())
        switch reader.ending {
        case .finished: break
        case .failed(let failure): outcome.failure = failure
        case nil: Issue.record("the reader has not come to an end")
        }
        return outcome
    }

    /// A provider with a client of its own on a server.
    static func provider(
        _ server: LoopbackServer, apiKey: String? = "sk-test", timeouts: ServerTimeouts = .init()
    ) throws -> (AnthropicProvider, HTTPClient) {
        let client = try HTTPClient()
        let configuration = AnthropicProviderConfiguration(
            name: "test", baseURL: server.url, apiKey: apiKey, models: [ModelDescription(model: "m")], timeouts: timeouts)
        return (AnthropicProvider(configuration: configuration, client: client), client)
    }
}
