import Foundation
import JSON
import Logging
import ParleyCore
import ParleyTestSupport
import Testing

@testable import ParleyModels

/// What a cassette knows and does not know.
@Suite(.timeLimit(.minutes(5)))
struct CassetteTests {
    private static let head = #"{"cassette":1,"model":"test:m","providers":[{"name":"test","models":[{"model":"m"}]}]}"#
    private static let hello = #"{"messages":[{"role":"user","content":[{"text":"Hello"}]}]}"#
    private static let request = ModelRequest.conversation(model: "m", "Hello")

    private static func line(_ answer: String, _ request: String = hello, _ ending: String = "") -> String {
        #"{"model":"test:m","request":\#(request),"answer":\#(answer)\#(ending)}"#
    }

    private static func provider(
        _ lines: String..., ambient: any Ambient = SystemAmbient(), keepsTime: Bool = false
    ) throws -> any ModelProvider {
        let cassette = try Cassette(Array(([head] + lines).joined(separator: "\n").utf8), name: "c.jsonl")
        return try #require(CassettePlayer(cassette).providers(ambient: ambient, keepsTime: keepsTime).first)
    }

    private static func call(_ provider: any ModelProvider, _ request: ModelRequest = request) async -> ModelProviderContract.Outcome {
        await ModelProviderContract(provider, request).call()
    }

    private static let twoParts =
        #"[{"atMs":10,"events":[{"text":"Hel"}]},{"atMs":30,"events":[{"text":"lo"},{"usage":{"inputTokens":3,"outputTokens":2}},{"end":"maxTokens"}]}]"#

    @Test func keepsTheContract() async throws {
        let cassette = [Self.head] + Array(repeating: Self.line(Self.twoParts), count: 12)
        let player = CassettePlayer(try Cassette(Array(cassette.joined(separator: "\n").utf8), name: "c.jsonl"))
        let provider = player.providers(ambient: SystemAmbient(), keepsTime: true)[0]
        let contract = ModelProviderContract(provider, Self.request)
        await contract.answers(["Hel", "lo"], usage: Usage(inputTokens: 3, outputTokens: 2), stopReason: .maxTokens)
        try await contract.canBeAbandoned(["Hel", "lo"])

        let cut = Self.line(#"[{"atMs":1,"events":[{"text":"Hel"}]}]"#, Self.hello, #","cut":{"atMs":5}"#)
        await ModelProviderContract(try Self.provider(cut, cut), Self.request).endsWhenCancelled(after: ["Hel"])

        let failure =
            #","failure":{"atMs":2,"code":"modelRateLimited","message":"Slow down.","details":{"retryAfterMs":20},"retryable":false}"#
        let failing = try Self.provider(
            Self.line("[]", Self.hello, failure), Self.line(#"[{"atMs":1,"events":[{"text":"a"}]}]"#, Self.hello, failure))
        await ModelProviderContract(failing, Self.request).fails(.modelRateLimited)
        let outcome = await Self.call(failing)
        #expect(outcome.deltas == ["a"])
        #expect(
            outcome.failure
                == Failure(.modelRateLimited, "Slow down.", details: [.init("retryAfterMs", 20)], isRetryable: false))
    }

    @Test("Each answer is used once, in order, and then there is none")
    func usedOnce() async throws {
        let lines = (1...2).map { Self.line(#"[{"atMs":0,"events":[{"text":"\#($0)"},{"end":"endTurn"}]}]"#) }
        let provider = try Self.provider(lines[0], lines[1])
        #expect(await Self.call(provider).deltas == ["1"])
        #expect(await Self.call(provider).deltas == ["2"])
        let failure = await Self.call(provider).failure
        #expect(failure?.code == .modelRejected && failure?.isRetryable == false)
        #expect(failure?.message == "The cassette c.jsonl has no more answers to this request: all 2 have been played.")
        let one = try Self.provider(lines[0])
        _ = await Self.call(one)
        #expect(await Self.call(one).failure?.message.hasSuffix("its one answer has been played.") == true)
    }

    @Test("A request that is not known fails and says where the nearest one differs")
    func unknown() async throws {
        let long = String(repeating: "word ", count: 40)
        let history =
            #"{"instructions":"Help.","messages":[{"role":"user","content":[{"text":"Hi"}]},{"role":"assistant","content":[{"text":"Yes?"}]},"#
            + #"{"role":"user","content":[{"text":"\#(long)and so on"}]}],"temperature":0.5}"#
        let end = #"[{"atMs":0,"events":[{"end":"endTurn"}]}]"#
        let provider = try Self.provider(Self.line(end), Self.line(end, history))

        var request = ModelRequest.conversation(model: "m", instructions: "Help.", "Hi", "Yes?", "\(long)or so")
        request.temperature = 0.5
        let failure = await Self.call(provider, request).failure
        #expect(failure?.code == .modelRejected && failure?.isRetryable == false)
        let recorded = #""…word word word word and so on""#
        let current = #""…word word word word or so""#
        #expect(
            failure?.message
                == "The cassette c.jsonl has no such exchange. The nearest one differs at messages[2].content[0].text: recorded \(recorded), now \(current)."
        )
        #expect(
            failure?.details == [
                .init("cassette", "c.jsonl"), .init("differsAt", "messages[2].content[0].text"), .init("recorded", .string(recorded)),
                .init("current", .string(current)),
            ])

        func difference(_ change: (inout ModelRequest) throws -> Void) async throws -> String? {
            var request = Self.request
            try change(&request)
            let message = await Self.call(try Self.provider(Self.line(end)), request).failure?.message
            return message?.components(separatedBy: "differs at ").last
        }
        #expect(try await difference { $0.model = "n" } == #"model: recorded "test:m", now "test:n"."#)
        #expect(try await difference { $0.instructions = "Help." } == #"instructions: recorded nothing, now "Help."."#)
        #expect(try await difference { $0.maxOutputTokens = 5 } == "maxOutputTokens: recorded nothing, now 5.")
        #expect(
            try await difference { $0.messages[0].content = [.text("Hello!")] }
                == #"messages[0].content[0].text: recorded "Hello", now "Hello!"."#)
        #expect(
            try await difference { $0.messages.append($0.messages[0]) }
                == #"messages[1]: recorded nothing, now {"role":"user","content":[{"text":"Hello"}]}."#)
        #expect(
            try await difference { $0.messages[0].content.append(.reasoning("Hm")) } == nil, "no model reads again what it thought")
        let tool = try ToolDefinition(name: "time", summary: "Tell the time.", category: "x", inputSchema: [:])
        let shown = try await difference { $0.tools = [tool] }
        #expect(shown == #"tools: recorded nothing, now [{"name":"time","description":"Tell the time.","inputSchema"…."#)
        let none = try Self.provider()
        #expect(await Self.call(none).failure?.message == "The cassette c.jsonl has no such exchange; it has none at all.")
    }

    @Test("Ids are not compared, and the model's calls get those of this host")
    func ids() async throws {
        let (old, new) = ("0197f3a2-5c1e-7d3b-9a41-2f6d8e0c4b17", "bot-1")
        func request(_ id: String, call: String) -> ModelRequest {
            var request = ModelRequest.conversation(model: "m", "Make a bot", "", "")
            request.messages[1].content = [.toolCall(ToolCall(id: call, name: "create_bot", arguments: ["name": "Ada"]))]
            request.messages[2].role = .tool
            request.messages[2].content = [.toolResult(ToolResult(toolCallID: call, status: .completed, text: "Made it (id \(id))."))]
            return request
        }
        let events: [ModelEvent] = [
            .textDelta("It is \(old)."), .toolCall(ToolCall(id: "c2", name: "set_bot", arguments: ["bot": .string(old)])),
            .finished(.endTurn),
        ]
        let exchange = Cassette.Exchange(
            model: "test:m", request: CassetteRequest.json(of: request(old, call: "call_abc_1")),
            answer: [.init(atMilliseconds: 0, events: events)], ending: .finished)
        var writer = JSONWriter()
        CassetteLine.write(exchange, to: &writer)
        let line = String(decoding: writer.take(), as: UTF8.self)
        #expect(await Self.call(try Self.provider(line), request(old, call: "call_abc_1")).events == events)
        let outcome = await Self.call(try Self.provider(line), request(new, call: "toolCall-1"))
        #expect(outcome.deltas == ["It is \(old)."], "what a model has said stays as it was")
        #expect(outcome.toolCalls == [ToolCall(id: "c2", name: "set_bot", arguments: ["bot": "bot-1"])])

        var other = request(new, call: "toolCall-1")
        other.messages[2].content = [.toolResult(ToolResult(toolCallID: "another", status: .completed, text: "Made it (id \(new))."))]
        #expect(
            await Self.call(try Self.provider(line), other).failure?.message.hasSuffix(
                "messages[2].content[0].toolResult.id: recorded 1, now 2.") == true)
    }

    @Test(arguments: [
        ("bot-1, turn-22!", "<>, <>!"), ("robot-1 bot-x bot- bot-1a xbot-1", "robot-1 bot-x bot- bot-1a xbot-1"),
        ("(0197f3a2-5c1e-7d3b-9a41-2f6d8e0c4b17)", "(<>)"), ("0197F3A2-5C1E-7D3B-9A41-2F6D8E0C4B17", "<>"),
        ("0197f3a2-5c1e-7d3b-9a41-2f6d8e0c4b177", "0197f3a2-5c1e-7d3b-9a41-2f6d8e0c4b177"), ("–ö-bot-1", "–ö-<>"), ("-", "-"), ("", ""),
    ])
    func idsInTexts(text: String, replaced: String) {
        #expect(HostID.replaced(in: text) { _ in "<>" } == replaced)
    }

    @Test("The time between what comes follows the clock that was injected")
    func timing() async throws {
        let ambient = DeterministicAmbient()
        let provider = try Self.provider(
            Self.line(
                #"[{"atMs":1000,"events":[{"text":"a"}]},{"atMs":1050,"events":[{"text":"b"}]}]"#, Self.hello,
                #","failure":{"atMs":3600000,"code":"modelUnavailable","message":"Gone."}"#),
            ambient: ambient, keepsTime: true)
        let heard = Locked<[String]>([])
        ambient.beginActivity()
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                let outcome = await ModelProviderContract(provider, Self.request).call { outcome in
                    heard.withLock { $0.append("\(ambient.monotonicMilliseconds()) \(outcome.deltas.joined())") }
                }
                heard.withLock { $0.append("\(ambient.monotonicMilliseconds()) \(outcome.failure?.message ?? "")") }
                ambient.endActivity()
            }
            // Not on a thread of the pool, which must not be blocked.
            await withCheckedContinuation { continuation in
                Thread {
                    ambient.advance(milliseconds: 999)
                    heard.withLock { $0.append("999") }
                    ambient.advance(milliseconds: 5_000_000)
                    continuation.resume()
                }.start()
            }
        }
        #expect(heard.withLock { $0 } == ["999", "1000 a", "1050 ab", "3600000 Gone."])
    }

    // MARK: Files

    @Test(arguments: [
        ("", "c.jsonl is no cassette: it is empty."),
        ("\n# nothing\n", "c.jsonl is no cassette: it is empty."),
        ("Hello", "c.jsonl is no cassette (line 1: expected a value, found \"H\")."),
        (#"{"text":"Hi"}"#, "c.jsonl is no cassette (line 1: cassette: is required)."),
        (#"{"cassette":2,"new":1}"#, "c.jsonl is no cassette (line 1: cassette: is version 2, and this program reads version 1)."),
        (#"{"cassette":1}"#, "c.jsonl is no cassette (line 1: model: is required)."),
        (head + "\n{}\n", "The cassette c.jsonl is wrong in line 2: cassette: is required."),
        (head + "\n" + #"{"model":"test:m","answer":[]}"#, "The cassette c.jsonl is wrong in line 2: request: is required."),
        (
            head + "\n" + #"{"model":"test:m","request":{},"answer":[{"atMs":0,"events":[{"text":""}]}]}"#,
            "The cassette c.jsonl is wrong in line 2: answer[0].events[0].text: must not be empty."
        ),
        (head + "\n{\"model\":\n" + head, "The cassette c.jsonl is wrong in line 2: model: expected a value, found the end of the text."),
    ])
    func isNoCassette(text: String, message: String) {
        let failure = #expect(throws: Failure.self) { try Cassette(Array(text.utf8), name: "c.jsonl") }
        #expect(failure?.code == .invalidParams)
        #expect(failure?.message == message)
    }

    @Test(
        "An exchange has one ending",
        arguments: [
            ("[]", ""), (#"[{"atMs":0,"events":[{"text":"a"}]}]"#, ""),
            (#"[{"atMs":0,"events":[{"end":"endTurn"}]}]"#, #","cut":{"atMs":0}"#),
            (#"[{"atMs":0,"events":[{"end":"endTurn"},{"text":"a"}]}]"#, ""),
        ])
    func oneEnding(answer: String, ending: String) {
        let text = Self.head + "\n" + Self.line(answer, Self.hello, ending)
        let failure = #expect(throws: Failure.self) { try Cassette(Array(text.utf8), name: "c.jsonl") }
        #expect(failure?.message.contains("one ending") == true)
    }

    @Test("Cut at any byte, a cassette has all the lines that are whole")
    func cutAnywhere() throws {
        let text = Array((Self.head + "\n" + Self.line(Self.twoParts) + "\n" + Self.line(Self.twoParts) + "\n").utf8)
        let firstLine = Self.head.utf8.count
        for end in firstLine...text.count {
            let cassette = try Cassette(Array(text[..<end]), name: "c.jsonl")
            let newlines = text[..<end].count { $0 == UInt8(ascii: "\n") }
            // A last line may lack nothing but its end.
            #expect([newlines, newlines + 1].contains(cassette.exchanges.count + 1), "\(end)")
            #expect(cassette.wholeByteCount <= end && cassette.exchanges.count + 1 >= newlines, "\(end)")
        }
    }

    @Test func providersOfAllSessions() throws {
        let second =
            #"{"cassette":1,"recordedAt":"2026-01-01T00:00:00.000Z","model":"other:x","fallback":["test:m"],"providers":[{"name":"test","models":[{"model":"m","contextWindow":9},{"model":"n","demonstration":true}]},{"name":"other","models":[{"model":"x","prices":{"currency":"USD","inputMillionths":300000,"cachedInputMillionths":1,"outputMillionths":2}}]}]}"#
        let cassette = try Cassette(Array((Self.head + "\n" + second).utf8), name: "c.jsonl")
        #expect(
            cassette.providers == [
                .init(
                    name: "test",
                    models: [ModelDescription(model: "m", contextWindow: 9), ModelDescription(model: "n", demonstration: true)]),
                .init(
                    name: "other",
                    models: [
                        ModelDescription(model: "x", prices: Prices(currency: "USD", input: 300_000, cachedInput: 1, output: 2))
                    ]),
            ])
        var writer = JSONWriter()
        CassetteLine.write(cassette.sessions[1], to: &writer)
        #expect(String(decoding: writer.take(), as: UTF8.self) == second)
    }
}
