import JSON
import Logging
import OrderedCollections
import ParleyCore
import ParleyModels
import ParleySQLite
import ParleyTestSupport
import Testing

/// The tools for bots keep the contract of a source of tools.
@Suite struct BotToolsTests {
    @Test func keepsTheContract() async throws {
        let ambient = DeterministicAmbient()
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let store = try SQLiteStore.open(
            SQLiteStoreConfiguration(
                location: .memory, quotas: .standard, logger: logger, now: { ambient.now() },
                monotonic: { ambient.monotonicMilliseconds() }, boot: 1))
        let models = try ModelCatalog(providers: [DemoProvider()], defaultModel: "demo")
        let turns = Turns(
            store: store, models: models, ambient: ambient, limits: Limits(), settings: TurnSettings(), logger: logger)
        let conversations = Conversations(store: store, turns: turns, ambient: ambient, limits: Limits())
        let tools = try BotTools(
            bots: Bots(store: store, models: models, ambient: ambient, limits: Limits()), conversations: conversations)
        try await store.makeConversation("c", for: .ann)
        let registry = try ToolRegistry([tools])
        let contract = ToolSourceContract(tools, in: ToolContext(caller: .ann, conversationID: "c", turnID: "t", tools: registry))

        contract.offers(["create_bot", "list_bots", "set_bot", "get_bot_info", "update_bot"])
        func call(_ name: String, _ arguments: [(String, String)] = []) -> ToolCall {
            ToolCall(id: "1", name: name, arguments: .object(.init(uniqueKeysWithValues: arguments.map { ($0, .string($1)) })))
        }
        await contract.answers(call("create_bot", [("name", "Ada"), ("instructions", "Explain.")]))
        #expect(try await store.conversation("c", for: .ann).botID == "bot-1")
        await contract.fails(call("create_bot", [("name", "ada")]), .nameTaken)
        await contract.answers(call("update_bot", [("bot", "ADA"), ("name", "Ada L.")]))
        #expect(await contract.answers(call("get_bot_info"))?.text.contains("Ada L.") == true)
        #expect(await contract.answers(call("list_bots"))?.data?["bots"]?.arrayValue?.count == 1)
        await contract.answers(call("set_bot"))
        #expect(try await store.conversation("c", for: .ann).botID == nil)
        await contract.answers(call("set_bot", [("bot", "bot-1")]))
        await contract.fails(call("set_bot", [("bot", "nobody")]), .notFound)
        // Whom the turn acts for has no say over what others have.
        let stranger = ToolSourceContract(tools, in: ToolContext(caller: .bob, conversationID: "c", turnID: "t", tools: registry))
        await stranger.fails(call("set_bot", [("bot", "Ada L.")]), .notFound)
        await stranger.fails(call("set_bot"), .notFound)
        await stranger.fails(call("update_bot", [("bot", "bot-1"), ("name", "Mine")]), .notFound)
        try await store.close()
    }
}
