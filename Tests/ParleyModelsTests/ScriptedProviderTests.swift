import Foundation
import JSON
import ParleyCore
import ParleyModels
import ParleyTestSupport
import Testing

@Suite(.timeLimit(.minutes(5)))
struct ScriptedProviderTests {
    private static func provider(_ lines: String, ambient: any Ambient = SystemAmbient()) throws -> ScriptedProvider {
        ScriptedProvider(try Script(Array(lines.utf8), name: "test.jsonl"), model: "test.jsonl", ambient: ambient)
    }

    private static func call(_ provider: ScriptedProvider, _ text: String = "Hello") async -> ModelProviderContract.Outcome {
        await ModelProviderContract(provider, .conversation(model: "test.jsonl", text)).call()
    }

    @Test func keepsTheContract() async throws {
        let request = ModelRequest.conversation(model: "test.jsonl", "Hello")
        let answer =
            #"{"steps":[{"text":"Hel"},{"usage":{"inputTokens":3,"outputTokens":2}},{"text":"lo"},{"end":"maxTokens"}],"repeat":true}"#
        let contract = ModelProviderContract(try Self.provider(answer), request)
        await contract.answers(["Hel", "lo"], usage: Usage(inputTokens: 3, outputTokens: 2), stopReason: .maxTokens)
        try await contract.canBeAbandoned(["Hel", "lo"])

        let hang = try Self.provider(#"{"steps":[{"text":"Hel"},{"hang":true}],"repeat":true}"#)
        await ModelProviderContract(hang, request).endsWhenCancelled(after: ["Hel"])

        let error = #"{"code":"modelRateLimited","message":"Slow down.","retryAfterMs":20}"#
        let failing = try Self.provider(#"{"steps":[{"error":\#(error)}]}"# + "\n" + #"{"steps":[{"text":"a"},{"error":\#(error)}]}"#)
        await ModelProviderContract(failing, request).fails(.modelRateLimited)
        let outcome = await Self.call(failing)
        #expect(outcome.deltas == ["a"])
        #expect(outcome.failure == Failure(.modelRateLimited, "Slow down.", details: [.init("retryAfterMs", 20)]))
    }

    @Test func playsEveryStep() async throws {
        let usage = #"{"inputTokens":3,"cachedInputTokens":1,"outputTokens":2,"reasoningTokens":0}"#
        let provider = try Self.provider(
            #"{"steps":[{"text":"a"},{"reasoning":"b"},{"delayMs":0},{"text":"c"},{"replay":{"d":null}},{"usage":\#(usage)},{"end":"refusal"}]}"#
        )
        let all = Usage(inputTokens: 3, cachedInputTokens: 1, outputTokens: 2, reasoningTokens: 0)
        #expect(
            await Self.call(provider).batches == [
                [.textDelta("a"), .reasoningDelta("b")],
                [.textDelta("c"), .replay(["d": nil]), .usage(all), .finished(.refusal)],
            ])
    }

    @Test func answersInOrderEachOnce() async throws {
        let provider = try Self.provider(#"{"text":"one"}"# + "\n# two follows\n" + #"{"text":"two"}"# + "\n" + #"{"steps":[]}"#)
        #expect(await Self.call(provider).deltas == ["one"])
        #expect(await Self.call(provider).deltas == ["two"])
        #expect(await Self.call(provider).events == [.finished(.endTurn)])
        let outcome = await Self.call(provider)
        #expect(outcome.failure == Failure(.modelRejected, "The script has no answer for this call.", details: [.init("call", 4)]))
    }

    @Test func answersWhatIsExpected() async throws {
        let provider = try Self.provider(
            #"{"expect":"weather","text":"fine"}"# + "\n" + #"{"expect":"Name","text":"Parley","repeat":true}"# + "\n" + #"{"text":"else"}"#
        )
        #expect(await Self.call(provider, "Your Name?").deltas == ["Parley"])
        #expect(await Self.call(provider, "the name, the weather").deltas == ["fine"])
        #expect(await Self.call(provider, "the weather").deltas == ["else"])
        #expect(await Self.call(provider, "My Name").deltas == ["Parley"])
        #expect(await Self.call(provider, "the weather").failure?.code == .modelRejected)
        let history = ModelRequest.conversation(model: "test.jsonl", "weather Name", "weather Name", "no")
        await ModelProviderContract(provider, history).fails(.modelRejected)
    }

    @Test("The delays follow the clock that was injected")
    func delays() async throws {
        let ambient = DeterministicAmbient()
        let provider = try Self.provider(
            #"{"steps":[{"delayMs":1000},{"text":"a"},{"delayMs":50},{"text":"b"},{"delayMs":3600000}]}"#, ambient: ambient)
        let heard = Locked<[String]>([])
        ambient.beginActivity()
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                let request = ModelRequest.conversation(model: "test.jsonl", "Hello")
                let outcome = await ModelProviderContract(provider, request).call { outcome in
                    heard.withLock { $0.append("\(ambient.monotonicMilliseconds()) \(outcome.events.count)") }
                }
                #expect(outcome.deltas == ["a", "b"])
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
        #expect(heard.withLock { $0 } == ["999", "1000 1", "1050 2", "3601050 3"])
    }

    @Test("A script goes on with the line that it waits for, with the end of the input, or ends with its task")
    func waits() async throws {
        let answer = #"{"steps":[{"text":"a"},{"waitFor":"ping"},{"text":"b"}],"repeat":true}"#
        let script = try Script(Array(answer.utf8), name: "test.jsonl")
        let lines = ClientLines(ambient: SystemAmbient())
        let provider = ScriptedProvider(script, model: "test.jsonl", ambient: SystemAmbient(), lines: lines)
        #expect(provider.awaitedMethods == ["ping"])
        let request = ModelRequest.conversation(model: "test.jsonl", "Hello")
        await ModelProviderContract(provider, request).endsWhenCancelled(after: ["a"])

        async let outcome = Self.call(provider)
        while !lines.isAwaited { await Task.yield() }
        lines.came(for: lines.waiters(for: "getStatus"))
        #expect(lines.isAwaited)
        lines.came(for: lines.waiters(for: "ping"))
        #expect(await outcome.deltas == ["a", "b"])

        async let last = Self.call(provider)
        while !lines.isAwaited { await Task.yield() }
        await lines.end()
        #expect(await last.deltas == ["a", "b"])
        #expect(await Self.call(provider).deltas == ["a", "b"])
        // Where no client speaks, nothing is waited for.
        #expect(await Self.call(try Self.provider(answer)).deltas == ["a", "b"])
    }

    @Test("Each answer is used once, however many ask at the same time")
    func usedOnce() async throws {
        let provider = try Self.provider((0..<1_000).map { #"{"text":"\#($0)"}"# }.joined(separator: "\n"))
        let texts = await withTaskGroup(of: String.self) { group in
            for _ in 0..<1_000 { group.addTask { await Self.call(provider).deltas.joined() } }
            return await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(texts.count == 1_000)
    }

    @Test func fromAFile() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "parley-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "hello.jsonl")
        try Data(#"{"text":"Hello there.","repeat":true}"#.utf8).write(to: file)
        let provider = try ScriptedProvider(path: file.path, ambient: SystemAmbient())
        #expect(provider.name == "scripted")
        #expect(provider.models == [ModelDescription(model: "hello.jsonl")])
        await ModelProviderContract(provider, .conversation(model: "other.jsonl", "Hi")).fails(.modelRejected)
        await ModelProviderContract(provider, .conversation(model: "hello.jsonl", "Hi")).answers(
            ["Hello there."], usage: nil, stopReason: .endTurn)
    }

    @Test func missingFile() {
        let failure = #expect(throws: Failure.self) { _ = try ScriptedProvider(path: "/nowhere/at-all.jsonl", ambient: SystemAmbient()) }
        #expect(failure?.code == .invalidParams)
        #expect(failure?.message == "The script at-all.jsonl cannot be read.")
    }
}
