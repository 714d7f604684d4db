import Glibc
import JSON
import ParleyTestSupport
import Testing

/// A client that dies while the host waits for its answer leaves nothing stuck.
@Suite(.timeLimit(.minutes(5)))
struct ClientToolTests {
    /// How the client goes.
    enum Death: String, CaseIterable, Sendable {
        case endOfInput, brokenOutput, hostKilled
    }

    @Test(arguments: Death.allCases) func aCallThatIsNeverAnsweredEnds(death: Death) async throws {
        let folder = try TemporaryFolder()
        let script = try folder.write(
            #"{"steps":[{"text":"Let me look."},{"toolCall":{"name":"weather","arguments":{}}}]}"# + "\n"
                + #"{"text":"Well.","repeat":true}"#,
            to: "script.jsonl")
        func start() throws -> ParleyProcess {
            try ParleyProcess([
                "serve", "--database", folder.file("parley.db"), "--caller", "userId:ada", "--model", "scripted:\(script)",
            ])
        }
        let first = try start()
        let tool: JSONValue = ["name": "weather", "description": "Tell the weather.", "inputSchema": ["type": "object"]]
        #expect(try await first.call("setClientTools", ["tools": [tool]])["result"] != nil)
        first.send("sendMessage", ["text": "How is it?"])
        let call = try await first.line { $0["method"]?.stringValue == "callTool" }
        switch death {
        case .endOfInput: first.endInput()
        case .brokenOutput:
            await first.breakOutput()
            // The host learns of it with the next thing that it has to say.
            first.send("ping")
        case .hostKilled: first.signal(SIGKILL)
        }
        #expect(await first.exitCode() == (death == .hostKilled ? -SIGKILL : 0))

        let second = try start()
        let turnID = try #require(call["params"]?["turnId"])
        let turn = try await second.call("getTurn", ["turnId": turnID])["result"]?["turn"]
        // Without an input nobody can answer, and the model is told so; in the other cases nobody is left to run the turn.
        #expect(turn?["status"] == (death == .endOfInput ? "completed" : "interrupted"))
        // The conversation goes on, with a result for the call.
        let conversation = try #require(call["params"]?["conversationId"])
        let next = try await second.call("sendMessage", ["conversationId": conversation, "text": "And now?", "stream": false])
        #expect(next["result"]?["turn"]?["status"] == "completed")
        second.endInput()
        #expect(await second.exitCode() == 0)
    }
}
