import Foundation
import ParleyCore
import ParleyTestSupport
import Testing

@testable import ParleyModels

/// What real servers send, byte for byte.
@Suite(.timeLimit(.minutes(5)))
struct OpenAIFixtureTests {
    @Test(arguments: ModelFixture.all)
    func fixtureOverASocket(_ fixture: ModelFixture) async throws {
        let body = try fixture.bytes
        let server = try LoopbackServer { _, connection in
            connection.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: \(body.count)\r\n\r\n")
            connection.send(body[...])
        }
        let (provider, client) = try Self.provider(server)
        defer { client.close() }
        let outcome = await ModelProviderContract(provider, .conversation(model: "m", "Hello")).call()
        fixture.check(outcome)
    }

    @Test(arguments: ModelFixture.all)
    func fixtureCutAtEveryByte(_ fixture: ModelFixture) throws {
        let bytes = try fixture.bytes
        let whole = Self.read([bytes])
        fixture.check(whole)
        for cut in 0...bytes.count {
            let outcome = Self.read([Array(bytes[..<cut]), Array(bytes[cut...])])
            #expect(outcome.events == whole.events && outcome.failure == whole.failure, "cut at \(cut)")
        }
        let single = Self.read(bytes.map { [$0] })
        #expect(single.events == whole.events && single.failure == whole.failure)
    }

    @Test(arguments: ModelFixture.all)
    func fixtureCutAtRandom(_ fixture: ModelFixture) throws {
        let bytes = try fixture.bytes
        let whole = Self.read([bytes])
        var random = SeededGenerator(seed: 25)
        for _ in 0..<50 {
            var parts: [[UInt8]] = []
            var rest = bytes[...]
            while !rest.isEmpty {
                parts.append(Array(rest.prefix(.random(in: 1...max(1, bytes.count / 8), using: &random))))
                rest = rest.dropFirst(parts.last?.count ?? 0)
            }
            let outcome = Self.read(parts)
            #expect(outcome.events == whole.events && outcome.failure == whole.failure, "cut into \(parts.map(\.count))")
        }
    }

    @Test("Every fixture has a test")
    func allFixtures() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(Set(files.filter { !$0.hasPrefix("anthropic-") }) == Set(ModelFixture.all.map(\.name)))
    }

    @Test(
        "The model's reason to stop",
        arguments: [
            ("stop", Turn.StopReason.endTurn), ("tool_calls", .endTurn), ("function_call", .endTurn), ("eos", .endTurn),
            ("length", .maxTokens), ("max_tokens", .maxTokens), ("content_filter", .refusal),
        ])
    func stopReasons(reason: String, expected: Turn.StopReason) {
        let chunk = #"data: {"choices":[{"delta":{"content":"x"},"finish_reason":"\#(reason)"}]}\#n\#n"#
        #expect(Self.read([Array(chunk.utf8)]).events == [.textDelta("x"), .finished(expected)])
    }

    @Test("A stream that says [DONE] without a reason has ended as usual")
    func doneWithoutReason() {
        let stream = #"data: {"choices":[{"delta":{"content":"x"},"finish_reason":null}]}\#n\#ndata: [DONE]\#n\#n"#
        #expect(Self.read([Array(stream.utf8)]).events == [.textDelta("x"), .finished(.endTurn)])
    }

    @Test("An answer without text is one")
    func noText() {
        let stream = #"data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\#n\#n"#
        #expect(Self.read([Array(stream.utf8)]).events == [.finished(.endTurn)])
    }

    @Test("What had arrived before an oversized event is kept", arguments: ["data: ", "event: ", ""])
    func oversizedEvent(field: String) {
        let chunk = Array("data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n\(field)".utf8)
        let outcome = Self.read([chunk + [UInt8](repeating: 0x61, count: 17 << 20)])
        #expect(outcome.events == [.textDelta("x")])
        #expect(outcome.failure?.code == .modelUnavailable)
        #expect(outcome.failure?.message == "The provider \"test\" sent more at once than is accepted.")
    }

    @Test("A document is bounded")
    func oversizedDocument() {
        let outcome = Self.read([[UInt8(ascii: "{")]] + Array(repeating: [UInt8](repeating: 0x20, count: 4 << 20), count: 5))
        #expect(outcome.events == [])
        #expect(outcome.failure?.message == "The provider \"test\" sent more at once than is accepted.")
    }

    /// Reads a body in parts, without a socket.
    private static func read(_ parts: [[UInt8]]) -> ModelProviderContract.Outcome {
        var reader = AnswerReader(ChatAnswer(failures: FailureTranslation(provider: "test", apiKey: "sk-test"), idPrefix: "call_message1_"))
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
    ) throws -> (OpenAIProvider, HTTPClient) {
        let client = try HTTPClient()
        let configuration = OpenAIProviderConfiguration(
            name: "test", baseURL: server.url + "/v1", apiKey: apiKey, models: [ModelDescription(model: "m")], timeouts: timeouts)
        return (OpenAIProvider(configuration: configuration, client: client), client)
    }
}
