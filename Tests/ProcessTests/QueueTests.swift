import Glibc
import JSON
import ParleyTestSupport
import Testing

/// Turns that wait, in several processes on one database.
@Suite(.timeLimit(.minutes(5)))
struct QueueTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        _ = try folder.write(#"{"repeat":true,"steps":[{"text":"so far"},{"hang":true}]}"# + "\n", to: "hang.jsonl")
        _ = try folder.write(#"{"repeat":true,"text":"Answer."}"# + "\n", to: "answer.jsonl")
    }

    private func start(_ script: String) throws -> ParleyProcess {
        try ParleyProcess([
            "serve", "--database", folder.file("parley.db"), "--caller", "userId:ada", "--model", "scripted:\(folder.file(script))",
        ])
    }

    /// Begins a turn that does not end by itself.
    ///
    /// - Returns: its conversation and its id.
    private func hang(on process: ParleyProcess) async throws -> (conversation: JSONValue, turn: JSONValue) {
        process.send("sendMessage", ["text": "First"])
        let params = try await process.event("messageDelta")["params"]
        return (try #require(params?["conversationId"]), try #require(params?["turnId"]))
    }

    private func enqueue(
        _ text: String, in conversation: JSONValue, on process: ParleyProcess, _ policy: String = "enqueue", id: String? = nil
    ) async throws -> JSONValue {
        process.send(
            "sendMessage",
            [
                "conversationId": conversation, "text": .string(text), "onBusy": .string(policy),
                "clientMessageId": id.map { .string($0) } ?? .null,
            ])
        return try #require(try await process.event("turnQueued")["params"]?["turnId"])
    }

    /// Waits until a turn has ended.
    private func end(of turn: JSONValue, on process: ParleyProcess) async throws -> JSONValue {
        while true {
            let found = try #require(try await process.call("getTurn", ["turnId": turn])["result"]?["turn"])
            if found["completedAt"] != nil { return found }
        }
    }

    /// The texts of a conversation, oldest first.
    private func texts(of conversation: JSONValue, on process: ParleyProcess) async throws -> [String] {
        let messages = try await process.call("listMessages", ["conversationId": conversation])["result"]?["data"]?.arrayValue ?? []
        return messages.reversed().map { $0["content"]?.arrayValue?.first?["text"]?.stringValue ?? "" }
    }

    private func end(_ process: ParleyProcess) async {
        process.endInput()
        #expect(await process.exitCode() == 0)
        let check = try? ParleyProcess(["db", "check", "--database", folder.file("parley.db")])
        #expect(await check?.exitCode() == 0, "\(check?.errorText() ?? "")")
    }

    @Test func aTurnBehindADeadProcessBegins() async throws {
        let (first, second) = (try start("hang.jsonl"), try start("answer.jsonl"))
        let (conversation, _) = try await hang(on: first)
        _ = try await enqueue("Second", in: conversation, on: second)
        first.signal(SIGKILL)
        _ = await first.exitCode()
        let ended = try await second.event("turnCompleted")
        #expect(ended["params"]?["turn"]?["status"] == "completed")
        #expect(try await texts(of: conversation, on: second).last == "Answer.")
        #expect(try await texts(of: conversation, on: second).first == "First")
        await end(second)
    }

    @Test func turnsOfADeadProcessAreRunByAnother() async throws {
        let (first, second) = (try start("hang.jsonl"), try start("answer.jsonl"))
        let (conversation, running) = try await hang(on: first)
        let turns = [
            try await enqueue("Second", in: conversation, on: first, id: "m2"), try await enqueue("Third", in: conversation, on: first),
        ]
        // Nobody has asked the other process for anything yet.
        #expect(try await second.call("ping")["result"] == [:])
        first.signal(SIGKILL)
        _ = await first.exitCode()
        for turn in turns { #expect(try await end(of: turn, on: second)["status"] == "completed") }
        #expect(try await end(of: running, on: second)["status"] == "interrupted")
        let said = try await texts(of: conversation, on: second).filter { $0 != "so far" }
        #expect(said == ["First", "Second", "Answer.", "Third", "Answer."])
        // Who asks again what became of it gets the same turn.
        let repeated = try await second.call(
            "sendMessage", ["conversationId": conversation, "text": "Second", "clientMessageId": "m2"])
        #expect(repeated["result"]?["turn"]?["id"] == turns[0])
        await end(second)
    }

    @Test func turnsThatWaitSurviveARestart() async throws {
        let first = try start("hang.jsonl")
        let (conversation, _) = try await hang(on: first)
        let turn = try await enqueue("Second", in: conversation, on: first)
        // A process that ends in time leaves them queued.
        first.signal(SIGTERM)
        let reply = try await first.line { $0["result"]?["turn"]?["id"] == turn }
        #expect(reply["result"]?["turn"]?["status"] == "queued")
        _ = await first.exitCode()
        let second = try start("answer.jsonl")
        #expect(try await end(of: turn, on: second)["status"] == "completed")
        await end(second)
    }

    @Test func oneProcessInterruptsAnothers() async throws {
        let (first, second) = (try start("hang.jsonl"), try start("answer.jsonl"))
        let (conversation, running) = try await hang(on: first)
        let turn = try await enqueue("Second", in: conversation, on: second, "interrupt")
        #expect(try await first.event("turnCompleted")["params"]?["turn"]?["status"] == "cancelled")
        #expect(try await second.event("turnCompleted")["params"]?["turn"]?["id"] == turn)
        #expect(try await end(of: running, on: second)["status"] == "cancelled")
        #expect(try await texts(of: conversation, on: second) == ["First", "so far", "Second", "Answer."])
        first.endInput()
        #expect(await first.exitCode() == 0)
        await end(second)
    }

    @Test func turnsOfSeveralProcessesKeepTheirOrder() async throws {
        let (first, second) = (try start("answer.jsonl"), try start("answer.jsonl"))
        let other = try start("hang.jsonl")
        let (conversation, running) = try await hang(on: other)
        var turns: [JSONValue] = []
        for (number, process) in [second, first, second, first].enumerated() {
            turns.append(try await enqueue("\(number)", in: conversation, on: process))
        }
        // A turn that waits in another process is cancelled at once.
        let cancelled = try await first.call("cancelTurn", ["turnId": turns[2]])
        #expect(cancelled["result"]?["turn"]?["status"] == "cancelled")
        #expect(try await second.event("turnCompleted")["params"]?["turn"]?["id"] == turns[2])
        _ = try await first.call("cancelTurn", ["turnId": running])
        for turn in turns { _ = try await end(of: turn, on: first) }
        let said = try await texts(of: conversation, on: first).filter { $0.count == 1 }
        #expect(said == ["0", "1", "3"])
        for process in [other, second] {
            process.endInput()
            #expect(await process.exitCode() == 0)
        }
        await end(first)
    }
}
