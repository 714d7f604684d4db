import Glibc
import JSON
import ParleyTestSupport
import Testing

/// What waits for a turn does not wait for ever when the process that runs it dies.
@Suite(.timeLimit(.minutes(5)))
struct DeadHostTests {
    /// A request that waits for the turn, and what it is answered.
    enum Waiting: String, CaseIterable, Sendable {
        case `repeat`, cancelTurn, deleteConversation, deleteUser
    }

    @Test(arguments: Waiting.allCases, [false, true])
    func waitingEnds(waiting: Waiting, isDeadBefore: Bool) async throws {
        let folder = try TemporaryFolder()
        let script = try folder.write(#"{"repeat":true,"steps":[{"text":"so far"},{"hang":true}]}"# + "\n", to: "hang.jsonl")
        func start() throws -> ParleyProcess {
            try ParleyProcess([
                "serve", "--database", folder.file("parley.db"), "--caller", "userId:ada", "--model", "scripted:\(script)",
            ])
        }
        let first = try start()
        let second = try start()
        let made = try await first.call("createConversation")
        let conversation = try #require(made["result"]?["conversation"]?["id"])
        let message: JSONValue = ["conversationId": conversation, "text": "Hello?", "clientMessageId": "m1"]
        first.send("sendMessage", message)
        let turn = try #require(try await first.event("messageDelta")["params"]?["turnId"])

        // A host that is stopped answers nobody and is not dead.
        first.signal(isDeadBefore ? SIGKILL : SIGSTOP)
        if isDeadBefore { _ = await first.exitCode() }
        let id =
            switch waiting {
            case .repeat: second.send("sendMessage", message)
            case .cancelTurn: second.send("cancelTurn", ["turnId": turn])
            case .deleteConversation: second.send("deleteConversation", ["conversationId": conversation])
            case .deleteUser: second.send("deleteUser", ["confirm": true])
            }
        if !isDeadBefore {
            // The answer to a later request shows that the one before it waits.
            #expect(try await second.call("ping")["result"] == [:])
            first.signal(SIGKILL)
            _ = await first.exitCode()
        }
        let answer = try await second.line { $0["id"]?.intValue == id }
        switch waiting {
        case .repeat, .cancelTurn:
            #expect(answer["result"]?["turn"]?["id"] == turn && answer["result"]?["turn"]?["status"] == "interrupted", "\(answer)")
        case .deleteConversation, .deleteUser: #expect(answer["result"]?["deleted"] == true, "\(answer)")
        }
        second.endInput()
        #expect(await second.exitCode() == 0)
    }
}
