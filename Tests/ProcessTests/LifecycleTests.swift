import Foundation
import JSON
import ParleyTestSupport
import Testing

/// How the process begins and ends, whatever happens to it.
@Suite(.timeLimit(.minutes(5)))
struct LifecycleTests {
    private let folder: TemporaryFolder
    private var database: String { folder.file("parley.db") }

    init() throws {
        folder = try TemporaryFolder()
    }

    /// A script whose answer says something and then hangs.
    private func hangingScript() throws -> String {
        try folder.write(#"{"repeat":true,"steps":[{"text":"so "},{"text":"far"},{"hang":true}]}"# + "\n", to: "hang.jsonl")
    }

    private func start(_ arguments: String..., environment: [String: String] = [:]) throws -> ParleyProcess {
        try ParleyProcess(["serve", "--database", database, "--caller", "userId:ada"] + arguments, environment: environment)
    }

    @Test func endOfInputFinishesWhatWasAccepted() async throws {
        let parley = try start()
        parley.send("sendMessage", ["text": "Hello"])
        parley.endInput()
        let reply = try await parley.line { $0["id"] != nil }
        #expect(reply["result"]?["turn"]?["status"] == "completed")
        #expect(await parley.exitCode() == 0)
    }

    @Test func aScriptGoesOnWithTheLineThatItWaitsForOrWithTheEndOfTheInput() async throws {
        let script = try folder.write(
            #"{"repeat":true,"steps":[{"text":"a"},{"waitFor":"getStatus"},{"text":"b"}]}"# + "\n", to: "wait.jsonl")
        let parley = try start("--model", "scripted:\(script)")
        parley.send("sendMessage", ["text": "Hello"])
        #expect(try await parley.event("messageDelta")["params"]?["delta"] == "a")
        parley.send("ping")
        #expect(try await parley.line()["result"] == [:])
        parley.send("getStatus")
        #expect(try await parley.event("messageDelta")["params"]?["delta"] == "b")
        parley.send("sendMessage", ["text": "Hello"])
        #expect(try await parley.event("messageDelta")["params"]?["delta"] == "a")
        parley.endInput()
        #expect(try await parley.event("turnCompleted")["params"]?["turn"]?["status"] == "completed")
        #expect(await parley.exitCode() == 0)
    }

    @Test func inputThatEndsInTheMiddleOfALineIsAnswered() async throws {
        let parley = try start()
        parley.write(#"{"jsonrpc":"2.0","id":1,"meth"#)
        parley.endInput()
        #expect(try await parley.line()["error"]?["data"]?["code"] == "parseError")
        #expect(await parley.exitCode() == 0)
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func aSignalInterruptsTurnsAfterTheGracePeriod(signal: Int32) async throws {
        let parley = try start("--model", "scripted:\(try hangingScript())", "--set", "shutdown.graceSeconds=0")
        parley.send("sendMessage", ["text": "Hello"])
        _ = try await parley.event("messageDelta")
        parley.signal(signal)
        let completed = try await parley.event("turnCompleted")
        #expect(completed["params"]?["turn"]?["status"] == "interrupted")
        #expect(completed["params"]?["message"]?["status"] == "partial")
        #expect(try await parley.line()["result"]?["turn"]?["stopReason"] == "interrupted")
        #expect(await parley.exitCode() == 0)
    }

    @Test(arguments: [0, 600])
    func whoIsAttachedHearsOfTheEnd(graceSeconds: Int) async throws {
        let parley = try start("--model", "scripted:\(try hangingScript())", "--set", "shutdown.graceSeconds=\(graceSeconds)")
        parley.send("sendMessage", ["text": "Hello"])
        let turn = try await parley.event("turnStarted")["params"]?["turnId"] ?? .null
        let request = parley.send("attachTurn", ["turnId": turn])
        _ = try await parley.line { $0["params"]?["requestId"]?.intValue == request }
        parley.signal(SIGTERM)
        if graceSeconds > 0 {
            // Nobody ends a turn that may go on but whoever runs the host, or another process.
            let other = try start()
            #expect(try await other.call("cancelTurn", ["turnId": turn])["result"]?["turn"]?["status"] == "cancelled")
        }
        let status: JSONValue = graceSeconds > 0 ? "cancelled" : "interrupted"
        let completed = try await parley.line { $0["method"] == "turnCompleted" && $0["params"]?["requestId"]?.intValue == request }
        #expect(completed["params"]?["turn"]?["status"] == status)
        #expect(try await parley.line { $0["id"]?.intValue == request }["result"]?["turn"]?["status"] == status)
        #expect(await parley.exitCode() == 0)
    }

    @Test func aSignalFindsTurnsThatRunWaitAndAreFollowed() async throws {
        let script = try hangingScript()
        let parley = try start(
            "--model", "scripted:\(script)", "--set", "shutdown.graceSeconds=0", "--set", "quotas.user.inFlight.limit=none")
        var running: [JSONValue] = []
        var conversation = JSONValue.null
        for _ in 0..<3 {
            parley.send("sendMessage", ["text": "Hello"])
            let params = try await parley.event("turnStarted")["params"]
            running.append(params?["turnId"] ?? .null)
            conversation = params?["conversationId"] ?? .null
        }
        var waiting: [JSONValue] = []
        for _ in 0..<2 {
            parley.send("sendMessage", ["conversationId": conversation, "text": "Next", "onBusy": "enqueue"])
            waiting.append(try await parley.event("turnQueued")["params"]?["turnId"] ?? .null)
        }
        for turn in [running[0], waiting[1]] {
            let request = parley.send("attachTurn", ["turnId": turn])
            _ = try await parley.line { $0["params"]?["requestId"]?.intValue == request }
        }
        parley.signal(SIGTERM)
        var (ends, replies): ([JSONValue: Int], [JSONValue: [JSONValue?]]) = ([:], [:])
        for line in await parley.rest().split(separator: "\n") {
            let line = try JSONReader.parse(Array(line.utf8))
            if line["method"] == "turnCompleted" { ends[line["params"]?["turnId"] ?? .null, default: 0] += 1 }
            if line["id"] != nil {
                replies[line["result"]?["turn"]?["id"] ?? .null, default: []].append(line["result"]?["turn"]?["status"])
            }
        }
        #expect(await parley.exitCode() == 0)
        #expect(ends == [running[0]: 2, running[1]: 1, running[2]: 1], "who began a turn, and who is attached")
        #expect(running.allSatisfy { replies[$0]?.allSatisfy { $0 == "interrupted" } == true } && replies[running[0]]?.count == 2)
        #expect(waiting.allSatisfy { replies[$0] == ["queued"] })
        // Who follows a turn that goes on waiting is told that this process does not.
        #expect(replies[.null] == [nil])

        let answer = try folder.write(#"{"repeat":true,"text":"Answer."}"# + "\n", to: "answer.jsonl")
        let next = try start("--model", "scripted:\(answer)")
        for turn in waiting {
            #expect(try await next.call("attachTurn", ["turnId": turn])["result"]?["turn"]?["status"] == "completed")
        }
    }

    @Test func aClientThatDiesWhileNothingIsSaidEndsTheProcess() async throws {
        let parley = try start("--model", "scripted:\(try hangingScript())")
        parley.send("sendMessage", ["text": "Hello"])
        let started = try await parley.event("turnStarted")
        for _ in 0..<2 { _ = try await parley.event("messageDelta") }
        // As the system does for a process that is killed.
        await parley.breakOutput()
        parley.endInput()
        #expect(await parley.exitCode() == 0)
        let next = try start()
        let turn = try await next.call("getTurn", ["turnId": started["params"]?["turnId"] ?? .null])["result"]
        #expect(turn?["turn"]?["status"] == "interrupted" && turn?["message"]?["status"] == "partial")
    }

    @Test func aClientThatIsGoneEndsTheProcess() async throws {
        let parley = try start("--model", "scripted:\(try hangingScript())")
        parley.send("sendMessage", ["text": "Hello"])
        let started = try await parley.event("turnStarted")
        await parley.breakOutput()
        // Something must be written for the break to be seen.
        parley.send("ping")
        #expect(await parley.exitCode() == 0)

        let next = try start()
        let turn = try await next.call("getTurn", ["turnId": started["params"]?["turnId"] ?? .null])
        #expect(turn["result"]?["turn"]?["status"] == "interrupted")
    }

    @Test func aKilledTurnIsInterruptedAtTheNextStartWithItsPartialText() async throws {
        let parley = try start("--model", "scripted:\(try hangingScript())", "--set", "turns.checkpointMilliseconds=100")
        parley.send("sendMessage", ["text": "Hello"])
        let turnID = try await parley.event("turnStarted")["params"]?["turnId"] ?? .null
        _ = try await parley.line { $0["params"]?["delta"] == "far" }
        // The text is in the database once the turn shows it.
        while try await parley.call("getTurn", ["turnId": turnID])["result"]?["message"] == nil {}
        parley.signal(SIGKILL)
        #expect(await parley.exitCode() == -SIGKILL)

        let next = try start()
        let result = try await next.call("getTurn", ["turnId": turnID])["result"]
        #expect(result?["turn"]?["status"] == "interrupted")
        #expect(result?["turn"]?["stopReason"] == "interrupted")
        #expect(result?["message"]?["content"] == [["type": "text", "text": "so far"]])
        #expect(result?["message"]?["status"] == "partial")
        let conversation = result?["turn"]?["conversationId"] ?? .null
        let again = try await next.call("sendMessage", ["conversationId": conversation, "text": "Go on"])
        #expect(again["result"]?["turn"]?["status"] == "completed")
    }

    @Test func onlyTheProtocolReachesStdout() async throws {
        let parley = try start("--log-level", "trace", "--log-format", "json")
        parley.write("{\n\n{}\n")
        parley.send("sendMessage", ["text": "Hello"])
        parley.send("shutdown")
        var lines = 0
        do {
            while true {
                #expect(try await parley.line()["jsonrpc"] == "2.0")
                lines += 1
            }
        } catch is ParleyProcess.Ended {
            #expect(lines > 5)
        }
        #expect(await parley.exitCode() == 0)
        for line in parley.errorText().split(separator: "\n") {
            #expect(try JSONReader.parse(Array(line.utf8))["level"] != nil)
        }
    }

    @Test func shutdownAnswersThenEnds() async throws {
        let parley = try start()
        #expect(try await parley.call("shutdown")["result"] == [:])
        #expect(await parley.exitCode() == 0)
    }

    @Test func deletedTextIsInNoFileAfterACleanEnd() async throws {
        let parley = try start()
        let reply = try await parley.call("sendMessage", ["text": "The password is xyzzy-plugh"])
        let id = reply["result"]?["conversation"]?["id"] ?? .null
        let bot = try await parley.call("createBot", ["name": "Grue", "instructions": "Say frobozz"])
        _ = try await parley.call("deleteConversation", ["conversationId": id])
        _ = try await parley.call("deleteBot", ["botId": bot["result"]?["bot"]?["id"] ?? .null])
        parley.endInput()
        #expect(await parley.exitCode() == 0)
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: folder.file(name)))
            for secret in ["xyzzy-plugh", "frobozz", "Grue"] {
                #expect(bytes.range(of: Data(secret.utf8)) == nil, "\(secret) is still in \(name)")
            }
        }
    }
}
