import Glibc
import JSON
import ParleyTestSupport
import Testing

/// A command that waits for its argument goes on waiting when its process is gone.
@Suite(.timeLimit(.minutes(5)))
struct CommandWaitTests {
    @Test(arguments: [true, false])
    func survivesARestart(isKilled: Bool) async throws {
        let folder = try TemporaryFolder()
        func start() throws -> ParleyProcess {
            try ParleyProcess(["serve", "--database", folder.file("parley.db"), "--caller", "userId:ada"])
        }
        let first = try start()
        let asked = try await first.call("sendMessage", ["text": "/create_bot --description 'Explains mathematics'"])
        let conversation = try #require(asked["result"]?["conversation"]?["id"])
        #expect(asked["result"]?["turn"]?["local"] == true)
        if isKilled { first.signal(SIGKILL) } else { first.endInput() }
        _ = await first.exitCode()

        let second = try start()
        let made = try await second.call("sendMessage", ["conversationId": conversation, "text": "Ada Lovelace"])
        #expect(made["result"]?["turn"]?["local"] == true)
        let bot = try #require(try await second.call("listBots")["result"]?["data"]?.arrayValue?.first)
        #expect(bot["name"] == "Ada Lovelace" && bot["description"] == "Explains mathematics")
        second.endInput()
        #expect(await second.exitCode() == 0)
    }
}
