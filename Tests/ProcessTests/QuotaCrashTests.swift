import JSON
import ParleyTestSupport
import Testing

/// Hosts are killed at every stage of a turn: after the next start the ledger says what the settlement table does.
@Suite(.timeLimit(.minutes(5)))
struct QuotaCrashTests {
    private let folder: TemporaryFolder
    private var database: String { folder.file("parley.db") }

    init() throws {
        folder = try TemporaryFolder()
    }

    /// Starts a host whose model is a server's.
    private func start(_ server: LoopbackServer, _ arguments: String...) throws -> ParleyProcess {
        let settings = try folder.write(
            #"{"model": "test:m", "providers": {"test": {"kind": "openai", "baseURL": "\#(server.url)/v1", "models": {"m": {}}}}}"#,
            to: "settings.json")
        return try ParleyProcess(["serve", "--database", database, "--config", settings] + arguments)
    }

    /// Expects what a visitor alone has cost, itself and everybody, and that nothing is held.
    private func expect(
        person: Int, system: Int, of visitor: AnonymousPerson, at host: ParleyProcess, _ comment: Comment? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let own = try await host.limits(of: visitor.subject)
        let all = try await host.limits()
        #expect(own["anonymous.turns"] == LimitReading(limit: 50, used: person, held: 0), comment, sourceLocation: sourceLocation)
        #expect(own["anonymous.inFlight"] == LimitReading(limit: 1, used: 0, held: 0), comment, sourceLocation: sourceLocation)
        #expect(all["system.turns"] == LimitReading(limit: 500, used: system, held: 0), comment, sourceLocation: sourceLocation)
        #expect(all["system.anonymousTurns"] == LimitReading(limit: 400, used: system, held: 0), comment, sourceLocation: sourceLocation)
    }

    /// The turns that a conversation's user messages have, by what has become of them.
    private func turns(of conversation: JSONValue, _ visitor: AnonymousPerson, at host: ParleyProcess) async throws -> [JSONValue] {
        let list = try await host.result(
            of: "listMessages", ["caller": visitor.caller, "conversationId": conversation, "limit": 100])
        var turns: [JSONValue] = []
        for message in list["data"]?.arrayValue ?? [] where message["role"] == "user" {
            let result = try await host.result(of: "getTurn", ["caller": visitor.caller, "turnId": message["turnId"] ?? .null])
            turns.append(result["turn"] ?? .null)
        }
        return turns
    }

    /// How far a turn has come when its host is killed.
    enum Stage: String, CaseIterable, Sendable {
        /// The turn is stored; the model may or may not have been called.
        case admitted
        /// The model's server has read the request and says nothing.
        case asked
        /// The server has begun its answer, but not said a word of it.
        case answerBegun
        /// Words have come.
        case streaming
        /// The model has said that it is done, but its stream goes on.
        case done

        /// Whether the model's server must have been asked by then.
        var isAsked: Bool { self != .admitted }

        /// Says as much as has been said at that stage.
        func answer(on connection: LoopbackConnection) {
            let chunks = [
                (Stage.answerBegun, #"{"choices":[{"delta":{"role":"assistant"}}]}"#),
                (.streaming, #"{"choices":[{"delta":{"content":"Once upon"}}]}"#),
                (.done, #"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#),
            ]
            for (stage, chunk) in chunks where self >= stage {
                if stage == .answerBegun { connection.sendHead(["Content-Type": "text/event-stream"]) }
                connection.sendChunk("data: \(chunk)\n\n")
            }
        }

        static func >= (left: Stage, right: Stage) -> Bool {
            (allCases.firstIndex(of: left) ?? 0) >= (allCases.firstIndex(of: right) ?? 0)
        }
    }

    @Test(arguments: Stage.allCases)
    func aTurnWhoseHostDiesCostsItsPersonNothing(stage: Stage) async throws {
        let server = try LoopbackServer { _, connection in
            stage.answer(on: connection)
            connection.gates.open("asked")
            connection.waitForPeer()
        }
        let host = try start(server)
        let visitor = try await host.makeAnonymousPerson()
        host.send("sendMessage", ["caller": visitor.caller, "text": "A story?"])
        let started = try await host.event("turnStarted")["params"]
        if stage.isAsked { await server.gates.opened("asked") }
        if stage >= .streaming { _ = try await host.line { $0["params"]?["delta"] == "Once upon" } }
        #expect(await host.die())

        let next = try start(server)
        try await expect(person: 0, system: 1, of: visitor, at: next)
        let turn = try await next.result(of: "getTurn", ["caller": visitor.caller, "turnId": started?["turnId"] ?? .null])["turn"]
        #expect(turn?["status"] == "interrupted")
        #expect(turn?["quota"]?["counted"] == false)
        #expect(turn?["quota"]?["reason"] == "interrupted")
        #expect(server.requests.count == 1 || stage == .admitted)
    }

    @Test func aTurnThatCouldNotBeStoredCostsItsPersonNothing() async throws {
        let server = try LoopbackServer { _, connection in
            Stage.streaming.answer(on: connection)
            connection.gates.wait("end")
            connection.sendChunk(#"data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\#n\#ndata: [DONE]\#n\#n"#)
            connection.endChunks()
        }
        let host = try start(server, "--set", "store.busyTimeoutMilliseconds=100", "--set", "turns.checkpointMilliseconds=60000")
        let visitor = try await host.makeAnonymousPerson()
        host.send("sendMessage", ["caller": visitor.caller, "text": "A story?"])
        _ = try await host.line { $0["params"]?["delta"] == "Once upon" }

        // Somebody writes to the database for as long as it takes, so that the answer is whole but cannot be stored.
        let writer = try DatabaseWriter(database)
        server.gates.open("end")
        let completed = try await host.event("turnCompleted")["params"]
        #expect(completed?["turn"]?["status"] == "failed")
        #expect(completed?["turn"]?["error"]?["data"]?["code"] == "storeUnavailable")
        #expect(completed?["turn"]?["quota"] == nil)
        #expect(await host.die())
        #expect(await writer.end() == 0)

        let next = try start(server)
        try await expect(person: 0, system: 1, of: visitor, at: next)
    }

    @Test func aTurnThatWasAnsweredIsChargedOnce() async throws {
        let server = try LoopbackServer { _, connection in
            Stage.done.answer(on: connection)
            connection.sendChunk("data: [DONE]\n\n")
            connection.endChunks()
        }
        let host = try start(server)
        let visitor = try await host.makeAnonymousPerson()
        let id = host.send("sendMessage", ["caller": visitor.caller, "text": "A story?"])
        let reply = try await host.line { $0["id"]?.intValue == id }
        #expect(reply["result"]?["turn"]?["status"] == "completed")
        #expect(await host.die())

        // However often it is started.
        for _ in 0..<2 {
            let next = try start(server)
            try await expect(person: 1, system: 1, of: visitor, at: next)
            #expect(await next.die())
        }
    }

    @Test func aMessageThatIsKilledOnItsWayIsATurnOrNothing() async throws {
        let server = try LoopbackServer { _, connection in connection.waitForPeer() }
        var host = try start(server)
        let visitor = try await host.makeAnonymousPerson()
        let conversation =
            try await host.result(of: "createConversation", ["caller": visitor.caller])["conversation"]?["id"] ?? .null
        var before = 0
        for round in 0..<10 {
            // Killed after ever more answers to others, so at another moment each time; in the last round it was admitted for sure.
            let id = host.send(
                "sendMessage",
                ["caller": visitor.caller, "conversationId": conversation, "text": .string("Message \(round)?"), "wait": false])
            if round == 9 {
                _ = try await host.line { $0["id"]?.intValue == id }
            } else {
                for _ in 0..<round * 2 { _ = try await host.call("ping") }
            }
            #expect(await host.die())

            host = try start(server)
            let turns = try await turns(of: conversation, visitor, at: host)
            #expect(before...before + 1 ~= turns.count, "round \(round)")
            #expect(turns.allSatisfy { $0["status"] == "interrupted" && $0["quota"]?["counted"] == false })
            try await expect(person: 0, system: turns.count, of: visitor, at: host, "round \(round)")
            before = turns.count
        }
        #expect(before > 0)
        // Nothing stands in the way of the next one.
        let next = try await host.call(
            "sendMessage", ["caller": visitor.caller, "conversationId": conversation, "text": "And now?", "wait": false])
        #expect(next["result"]?["turn"]?["status"] == "inProgress")
    }

    @Test func anotherHostAdmitsThePersonAtOnceWhenOneDies() async throws {
        let server = try LoopbackServer { request, connection in
            guard !String(decoding: request.body, as: UTF8.self).contains("First?") else {
                Stage.streaming.answer(on: connection)
                return connection.waitForPeer()
            }
            Stage.done.answer(on: connection)
            connection.sendChunk("data: [DONE]\n\n")
            connection.endChunks()
        }
        let (first, second) = (try start(server), try start(server))
        let visitor = try await second.makeAnonymousPerson()
        first.send("sendMessage", ["caller": visitor.caller, "text": "First?"])
        _ = try await first.event("messageDelta")
        let message: JSONValue = ["caller": visitor.caller, "text": "Second?", "stream": false]
        let refused = try await second.call("sendMessage", message)
        #expect(refused.exceededLimit == "anonymous.inFlight")
        #expect(refused["error"]?["data"]?["retryable"] == true)
        #expect(try await second.limits(of: visitor.subject)["anonymous.turns"] == LimitReading(limit: 50, used: 0, held: 1))

        #expect(await first.die())
        let admitted = try await second.call("sendMessage", message)
        #expect(admitted["result"]?["turn"]?["status"] == "completed")
        #expect(admitted["result"]?["turn"]?["quota"]?.limits["anonymous.turns"] == LimitReading(limit: 50, used: 1, held: 0))
        try await expect(person: 1, system: 2, of: visitor, at: second)
    }

    @Test func whatDeadHostsHoldOfAFullWindowIsGivenToOthers() async throws {
        let server = try LoopbackServer { _, connection in connection.waitForPeer() }
        let settings = ["--set", "quotas.user.turns.limit=1"]
        let first = try start(server, settings[0], settings[1])
        let second = try start(server, settings[0], settings[1])
        let message: JSONValue = ["caller": ["userId": "ada"], "text": "Hello?", "wait": false]
        #expect(try await first.call("sendMessage", message)["result"]?["turn"]?["status"] == "inProgress")
        #expect(try await second.call("sendMessage", message).exceededLimit == "user.turns")
        #expect(await first.die())
        #expect(try await second.call("sendMessage", message)["result"]?["turn"]?["status"] == "inProgress")
        #expect(try await second.limits(of: ["userId": "ada"])["user.turns"] == LimitReading(limit: 1, used: 0, held: 1))
        #expect(try await second.limits()["system.turns"] == LimitReading(limit: 500, used: 1, held: 1))
    }
}

/// Hosts are killed while they are busy with many turns: not one is counted twice, or lost.
@Suite(.timeLimit(.minutes(5)))
struct QuotaMassCrashTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    @Test func theLedgerIsTheSumOfTheTurns() async throws {
        let arguments = ["--database", folder.file("parley.db"), "--set", "quotas.anonymous.inFlight.limit=none", "--model"]
        let slow = try folder.write(#"{"repeat":true,"steps":[{"text":"Well, "},{"delayMs":30},{"text":"yes."}]}"#, to: "slow.jsonl")
        let stuck = try folder.write(#"{"repeat":true,"steps":[{"text":"Well, "},{"hang":true}]}"#, to: "stuck.jsonl")
        let (busy, hanging) = (
            try await Crowd(of: 2, arguments + ["scripted:\(slow)"]), try await Crowd(of: 2, arguments + ["scripted:\(stuck)"])
        )
        let visitor = try await busy.hosts[0].makeAnonymousPerson()
        let message: JSONValue = ["caller": visitor.caller, "text": "Hello?", "stream": false]
        for host in hanging.hosts {
            host.send("sendMessage", message)
            _ = try await host.event("turnStarted")
        }
        for _ in 0..<5 { busy.hosts[0].send("sendMessage", message) }
        for _ in 0..<5 { _ = try await busy.hosts[0].event("turnCompleted") }
        for host in hanging.hosts + busy.hosts {
            for _ in 0..<50 { host.send("sendMessage", message) }
        }
        // The others may have taken all that was left.
        _ = try await busy.hosts[0].line { $0["method"] == "turnStarted" || $0["error"] != nil }
        #expect(await busy.die())
        #expect(await hanging.die())

        let second = try await Crowd(of: 4, arguments + ["scripted:\(slow)"])
        let killed = try await turns(of: visitor, at: second.hosts[0])
        let completed = killed.count { $0["status"] == "completed" }
        #expect(killed.allSatisfy { $0["status"] == "completed" || $0["status"] == "interrupted" })
        #expect(5...48 ~= completed && completed + 2 <= killed.count, "\(completed) of \(killed.count)")
        let left = try await second.hosts[0].limits(of: visitor.subject)["anonymous.turns"]
        #expect(left == LimitReading(limit: 50, used: completed, held: 0))
        #expect(try await second.hosts[1].limits()["system.turns"] == LimitReading(limit: 500, used: killed.count, held: 0))

        let answers = try await second.ask("sendMessage", each: 50) { _ in message }
        let used = answers.compactMap { $0["result"]?["turn"]?["quota"]?.limits["anonymous.turns"]?.used }
        #expect(used.sorted() == Array(completed + 1...50))
        #expect(answers.count { $0.exceededLimit == "anonymous.turns" } == 200 - used.count)
        let all = try await turns(of: visitor, at: second.hosts[3])
        #expect(all.count { $0["status"] == "completed" } == 50)
        #expect(all.count == killed.count + used.count)
        #expect(try await second.hosts[2].limits()["system.turns"] == LimitReading(limit: 500, used: all.count, held: 0))
    }

    /// All turns of a person, each of which made a conversation.
    private func turns(of visitor: AnonymousPerson, at host: ParleyProcess) async throws -> [JSONValue] {
        var turns: [JSONValue] = []
        var params: JSONValue = ["caller": visitor.caller, "limit": 100]
        while true {
            let page = try await host.result(of: "listConversations", params)
            for conversation in page["data"]?.arrayValue ?? [] {
                let messages = try await host.result(
                    of: "listMessages", ["caller": visitor.caller, "conversationId": conversation["id"] ?? .null])
                let id = messages["data"]?.arrayValue?.first?["turnId"] ?? .null
                turns.append(try await host.result(of: "getTurn", ["caller": visitor.caller, "turnId": id])["turn"] ?? .null)
            }
            guard let cursor = page["nextCursor"] else { return turns }
            params = ["caller": visitor.caller, "limit": 100, "cursor": cursor]
        }
    }
}

/// Somebody else who is writing to a database and lets nobody else write.
private struct DatabaseWriter {
    private let child: ChildProcess

    /// Begins to write; nobody else can when this returns.
    init(_ database: String) throws {
        let script = """
            import sqlite3, sys
            c = sqlite3.connect(sys.argv[1], isolation_level=None)
            c.execute("BEGIN IMMEDIATE")
            print("writing", flush=True)
            sys.stdin.read()
            c.execute("ROLLBACK")
            """
        child = try ChildProcess(["/usr/bin/python3", "-c", script, database], environment: ["PATH": "/usr/bin:/bin"])
        _ = LineReader.read(child.output)
    }

    /// Lets others write.
    ///
    /// - Returns: 0 when all went well.
    func end() async -> Int32 {
        child.close(child.input)
        return await child.wait()
    }
}
