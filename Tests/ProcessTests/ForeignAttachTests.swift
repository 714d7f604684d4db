import Glibc
import JSON
import ParleyTestSupport
import Testing

/// Turns are attached to in other processes than the one that runs them, and in those that come after it.
@Suite("Attaching from other processes", .timeLimit(.minutes(5)))
struct ForeignAttachTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func start(_ script: String) throws -> ParleyProcess {
        try ParleyProcess([
            "serve", "--database", folder.file("parley.db"), "--caller", "userId:ada", "--model", "scripted:\(script)", "--set",
            "turns.checkpointMilliseconds=100", "--set", "shutdown.graceSeconds=1",
        ])
    }

    /// Reads the next event of a request.
    private func event(of request: Int, at host: ParleyProcess) async throws -> JSONValue {
        try await host.line { $0["params"]?["requestId"]?.intValue == request }
    }

    @Test("a turn of a process that is killed ends with what was stored last")
    func killed() async throws {
        let script = try folder.write(
            #"{"steps":[{"reasoning":"Hm."},{"text":"so "},{"delayMs":300},{"text":"far"},{"hang":true}]}"# + "\n", to: "hang.jsonl")
        let first = try start(script)
        let second = try start(script)
        first.send("sendMessage", ["text": "Hello?"])
        let started = try await first.event("turnStarted")
        let turn = started["params"]?["turnId"] ?? .null

        let request = second.send("attachTurn", ["turnId": turn])
        var snapshot = try await event(of: request, at: second)
        #expect(snapshot["method"] == "turnSnapshot" && snapshot["params"]?["turn"]?["status"] == "inProgress")
        #expect(snapshot["params"]?["messages"]?.arrayValue?.first == started["params"]?["userMessage"])
        var sequence = snapshot["params"]?["seq"]?.intValue ?? -1
        while HeldTurn.contents(of: snapshot["params"]?["messages"]?.arrayValue ?? []).messages.values.first?.last?.text != "so far" {
            snapshot = try await event(of: request, at: second)
            #expect(snapshot["method"] == "turnSnapshot")
            let next = snapshot["params"]?["seq"]?.intValue ?? 0
            #expect(next > sequence)
            sequence = next
        }
        let told = snapshot["params"]?["messages"]?.arrayValue ?? []
        #expect(told.count == 2 && told.last?["status"] == "partial")
        #expect(told.last?["content"] == [["type": "reasoning", "text": "Hm."], ["type": "text", "text": "so far"]])

        #expect(await first.die())
        let completed = try await event(of: request, at: second)
        #expect(completed["method"] == "turnCompleted" && completed["params"]?["seq"]?.intValue == sequence + 1)
        #expect(completed["params"]?["turn"]?["status"] == "interrupted")
        #expect(completed["params"]?["message"]?["id"] == told.last?["id"])
        #expect(completed["params"]?["message"]?["content"] == [["type": "text", "text": "so far"]])
        let reply = try await second.line()
        #expect(reply["id"]?.intValue == request)
        #expect(reply["result"]?["turn"] == completed["params"]?["turn"] && reply["result"]?["message"] == completed["params"]?["message"])
        // Who had more than was stored is told what there is.
        let late = second.send("attachTurn", ["turnId": turn, "afterSeq": 99])
        #expect(try await event(of: late, at: second)["params"]?["messages"]?.arrayValue == told)
        #expect(try await event(of: late, at: second)["method"] == "turnCompleted")
        #expect(await second.end() == 0)
    }

    @Test("a foreign attachment can be cancelled, ends with its process, and at the latest with its turn")
    func cancelled() async throws {
        let script = try folder.write(#"{"steps":[{"text":"so far"},{"hang":true}]}"# + "\n", to: "hang.jsonl")
        let first = try start(script)
        let second = try start(script)
        first.send("sendMessage", ["text": "Hello?"])
        let turn = try await first.event("turnStarted")["params"]?["turnId"] ?? .null
        let request = second.send("attachTurn", ["turnId": turn])
        _ = try await event(of: request, at: second)
        second.write(#"{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":\#(request)}}"# + "\n")
        #expect(try await second.line { $0["id"]?.intValue == request }.errorCode == "cancelled")
        // A process that is told to end does not wait for what another one runs.
        let leaving = try start(script)
        let left = leaving.send("attachTurn", ["turnId": turn])
        _ = try await event(of: left, at: leaving)
        leaving.signal(SIGTERM)
        #expect(try await leaving.line { $0["id"]?.intValue == left }.errorCode == "cancelled")
        #expect(await leaving.exitCode() == 0)
        // Somebody else's wish ends the turn, and so both attachments to it.
        let again = second.send("attachTurn", ["turnId": turn])
        _ = try await event(of: again, at: second)
        let own = first.send("attachTurn", ["turnId": turn])
        let third = try start(script)
        let result = try await third.result(of: "cancelTurn", ["turnId": turn])
        #expect(result["turn"]?["status"] == "cancelled")
        for (host, request) in [(first, own), (second, again)] {
            #expect(try await host.line { $0["id"]?.intValue == request }["result"] == result)
        }
        for host in [first, second, third] { #expect(await host.end() == 0) }
    }

    /// One client follows a turn now here and now there, is cut off, and processes are killed under it.
    @Test("whoever is cut off, moved and killed by chance holds what is stored", arguments: 0..<8 as Range<UInt64>)
    func chance(seed: UInt64) async throws {
        do {
            try await follow(seed: seed)
        } catch {
            Issue.record("seed \(seed): \(error)")
        }
    }

    private func follow(seed: UInt64) async throws {
        var chance = SeededGenerator(seed: seed)
        let script = try folder.write(
            HeldTurn.script(steps: 3, pieces: 10...40, longest: 6, delays: 5...40, using: &chance), to: "turn.jsonl")
        // The first runs the turn.
        var hosts = [try start(script), try start(script)]
        let sent = try await hosts[0].result(of: "sendMessage", ["text": "Go.", "wait": false, "stream": false])
        let turn = sent["turn"]?["id"] ?? .null
        let conversation = sent["turn"]?["conversationId"] ?? .null
        var held = HeldTurn()
        var hasDied = false
        while held.ended == nil {
            let index = Int.random(in: 0..<hosts.count, using: &chance)
            let host = hosts[index]
            // Some take only so much at a time.
            let most = Int64.random(in: 1...4_000, using: &chance)
            let request = host.send(
                "attachTurn",
                ["turnId": turn, "afterSeq": .integer(Int64(held.sequence)), "maxBytes": most < 2_000 ? .integer(most) : .null])
            var patience = Int.random(in: 1...(index == 0 ? 12 : 2), using: &chance)
            while patience > 0, held.ended == nil {
                let line = try await host.line { $0["id"]?.intValue == request || $0["params"]?["requestId"]?.intValue == request }
                guard line["method"] != nil else {
                    guard line["result"]?["more"] == true else { throw Trouble(answer: line) }
                    break
                }
                try held.take(line)
                patience -= 1
            }
            switch Int.random(in: 0..<10, using: &chance) {
            case 0 where !hasDied, 1 where index > 0:
                hasDied = hasDied || index == 0
                let isKilled = await host.die()
                #expect(isKilled, "seed \(seed)")
                hosts[index] = try start(script)
            case 2...6: host.write(#"{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":\#(request)}}"# + "\n")
            // Left open: what comes of it is read by nobody.
            default: break
            }
        }
        let page = try await hosts[1].result(
            of: "listMessages", ["conversationId": conversation, "includeReasoning": true, "limit": 200])
        let stored = HeldTurn.contents(of: page["data"]?.arrayValue ?? [])
        #expect(held.messages == stored.messages, "seed \(seed)")
        #expect(held.toolResults == stored.toolResults, "seed \(seed)")
        #expect(hasDied && held.ended?["status"] == "interrupted" || held.ended?["status"] == "completed", "seed \(seed)")
        // Whoever comes later holds the same.
        var late = HeldTurn()
        let request = hosts[0].send("attachTurn", ["turnId": turn])
        while late.ended == nil { try late.take(await event(of: request, at: hosts[0])) }
        #expect(late.messages == stored.messages && late.toolResults == stored.toolResults, "seed \(seed)")
        for host in hosts { #expect(await host.end() == 0, "seed \(seed)") }
    }
}
