import JSON
import ParleyHost
import ParleyTestSupport
import Testing

/// Nobody reaches what belongs to somebody else, by any method: every row of the method table is tried on the ids of another person, and must
/// answer exactly as it does for ids that do not exist.
@Suite("Two tenants", .timeLimit(.minutes(5))) struct TwoTenantTests {
    /// Ids of one of each thing that a person can own.
    private struct Belongings {
        var conversation: JSONValue
        var bot: JSONValue
        var turn: JSONValue
        var message: JSONValue

        /// Ids that nobody has.
        static let missing = Belongings(
            conversation: "conversation-missing", bot: "bot-missing", turn: "turn-missing", message: "message-missing")

        var all: [JSONValue] { [conversation, bot, turn, message] }
    }

    /// Params that name somebody's belongings; `own` are those of the person who asks.
    private typealias Attempt = @Sendable (_ somebody: Belongings, _ own: Belongings) -> JSONValue

    /// How each method is tried. A method without ids has no attempts here, but is called as well, for what it shows.
    private static let attempts: [String: [Attempt]] = [
        "initialize": [], "ping": [], "rpc.discover": [], "getStatus": [], "createAnonymousUser": [], "listModels": [],
        // Concerns the caller, or whoever the operator names; see `nobodyElsesQuota`.
        "getQuota": [], "resetQuota": [],
        // Takes a token, which nobody else has; see `tokensAreSecrets`.
        "claimAnonymousUser": [],
        // Takes the caller with all that belongs to it, and is tried last.
        "deleteUser": [],
        // Ends the host, and is tried last of all.
        "shutdown": [],
        "createConversation": [{ somebody, _ in ["botId": somebody.bot] }],
        "listConversations": [{ somebody, _ in ["botId": somebody.bot] }],
        "searchConversations": [
            { somebody, _ in ["query": "SECRET", "botId": somebody.bot] },
            { somebody, _ in ["query": "SECRET", "botId": somebody.bot, "archived": false] },
        ],
        "getConversation": [{ somebody, _ in ["conversationId": somebody.conversation] }],
        "updateConversation": [
            { somebody, _ in ["conversationId": somebody.conversation] },
            { somebody, _ in ["conversationId": somebody.conversation, "title": "Mine now", "metadata": ["mine": true]] },
            { somebody, _ in ["conversationId": somebody.conversation, "pinned": true, "archived": true] },
            { somebody, own in ["conversationId": own.conversation, "headMessageId": somebody.message] },
            { somebody, _ in ["conversationId": somebody.conversation, "headMessageId": somebody.message] },
        ],
        "deleteConversation": [{ somebody, _ in ["conversationId": somebody.conversation] }],
        "setConversationBot": [
            { somebody, _ in ["conversationId": somebody.conversation, "botId": nil] },
            { somebody, own in ["conversationId": somebody.conversation, "botId": own.bot] },
            { somebody, own in ["conversationId": own.conversation, "botId": somebody.bot] },
            { somebody, _ in ["conversationId": somebody.conversation, "botId": somebody.bot] },
        ],
        "forkConversation": [
            { somebody, _ in ["conversationId": somebody.conversation] },
            { somebody, _ in ["conversationId": somebody.conversation, "messageId": somebody.message, "title": "Mine now"] },
            { somebody, own in ["conversationId": own.conversation, "messageId": somebody.message] },
            { somebody, own in ["conversationId": somebody.conversation, "messageId": own.message] },
        ],
        "exportConversation": [
            { somebody, _ in ["conversationId": somebody.conversation, "format": "jsonl"] },
            { somebody, _ in ["conversationId": somebody.conversation, "format": "markdown"] },
            { somebody, _ in ["conversationId": somebody.conversation, "format": "jsonl", "cursor": "x"] },
        ],
        "importConversation": [{ somebody, _ in ["data": Self.emptyFile, "botId": somebody.bot] }],
        "rateMessage": [
            { somebody, _ in ["messageId": somebody.message, "rating": "up"] },
            { somebody, _ in ["messageId": somebody.message, "rating": nil] },
        ],
        "sendMessage": [
            { somebody, _ in ["conversationId": somebody.conversation, "text": "Hello?"] },
            { somebody, _ in ["conversationId": somebody.conversation, "text": "Hello?", "wait": false, "stream": false] },
            { somebody, _ in ["botId": somebody.bot, "text": "Hello?"] },
        ],
        "regenerateMessage": [
            { somebody, own in ["conversationId": own.conversation, "messageId": somebody.message] },
            { somebody, _ in ["conversationId": somebody.conversation, "messageId": somebody.message] },
            { somebody, own in ["conversationId": somebody.conversation, "messageId": own.message] },
        ],
        "editMessage": [
            { somebody, own in ["conversationId": own.conversation, "messageId": somebody.message, "text": "Hello?"] },
            { somebody, _ in ["conversationId": somebody.conversation, "messageId": somebody.message, "text": "Hello?"] },
            { somebody, own in ["conversationId": somebody.conversation, "messageId": own.message, "text": "Hello?"] },
        ],
        "listMessages": [
            { somebody, own in ["conversationId": own.conversation, "siblingsOf": somebody.message] },
            { somebody, _ in ["conversationId": somebody.conversation, "siblingsOf": somebody.message] },
            { somebody, _ in ["conversationId": somebody.conversation] },
            { somebody, _ in ["conversationId": somebody.conversation, "limit": 1, "cursor": "x"] },
        ],
        "cancelTurn": [{ somebody, _ in ["turnId": somebody.turn] }],
        "getTurn": [{ somebody, _ in ["turnId": somebody.turn] }],
        "attachTurn": [
            { somebody, _ in ["turnId": somebody.turn] },
            { somebody, _ in ["turnId": somebody.turn, "afterSeq": 1_000_000] },
        ],
        "createBot": [],
        // The client's own, whoever is asked for.
        "setClientTools": [],
        "listTools": [{ somebody, _ in ["conversationId": somebody.conversation] }],
        "listCommands": [{ somebody, _ in ["conversationId": somebody.conversation] }],
        "listBots": [],
        "getBot": [{ somebody, _ in ["botId": somebody.bot] }],
        "updateBot": [
            { somebody, _ in ["botId": somebody.bot, "name": "Mine now"] },
            { somebody, _ in ["botId": somebody.bot, "revision": 99, "instructions": nil] },
        ],
        "deleteBot": [{ somebody, _ in ["botId": somebody.bot] }],
    ]

    /// A conversation in which nothing was said.
    private static let emptyFile: JSONValue = """
        {"type":"conversation","format":"parley-conversation","version":1,"title":"","metadata":{},"createdAt":"2026-01-01T00:00:00.000Z"}
        """

    /// Params with which methods that take no ids are called.
    private static let plainParams: [String: JSONValue] = [
        "initialize": ["protocolVersion": 1], "setClientTools": ["tools": []], "createBot": ["name": "A bot of another name"],
        "resetQuota": ["subject": ["system": true]], "searchConversations": ["query": "SECRET"],
        "claimAnonymousUser": ["anonymousToken": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "confirm": true],
        "deleteUser": ["confirm": true],
    ]

    /// A word in everything that a person owns, which nobody else may ever see.
    private static func secret(_ owner: Int) -> String { "SECRET\(owner)" }

    @Test("every method of the table is tried")
    func everyMethodIsTried() {
        #expect(Set(Self.attempts.keys) == Set(MethodTable.rows.map(\.name)))
    }

    @Test("what is foreign answers as what is missing")
    func foreignAnswersAsMissing() async throws {
        let folder = try TemporaryFolder()
        let script = try folder.write(#"{"steps": [{"text": "Well…"}, {"hang": true}], "repeat": true}"#, to: "hang.jsonl")
        let flags = [
            "--deterministic", "--log-level", "critical", "--model", "scripted:\(script)", "--set", "quotas.anonymous.bots.limit=none",
        ]
        try await TestHost.inProcess(flags) { client in
            let people = try Self.makePeople(client)
            let belongings = try people.indices.map { try Self.furnish($0, people, client) }
            let before = try people.indices.map { try Self.inventory(of: $0, people, belongings, client) }
            for owner in people.indices {
                for stranger in people.indices where stranger != owner {
                    try Self.walk(from: people[stranger], owning: belongings[stranger], to: belongings[owner], of: owner, client)
                }
            }
            for owner in people.indices {
                try #expect(
                    Self.inventory(of: owner, people, belongings, client) == before[owner], "something of person \(owner) has changed")
            }
            try Self.leave(people, belongings, client)
            _ = try client.result(of: "shutdown", ["caller": people[0]])
        }
    }

    /// Everybody leaves for good, one after the other: nobody else loses anything, and nothing is left of who has gone.
    private static func leave(_ people: [JSONValue], _ belongings: [Belongings], _ client: TestClient) throws {
        for leaver in people.indices.dropLast() {
            let others = people.indices.filter { $0 > leaver }
            let before = try others.map { try inventory(of: $0, people, belongings, client) }
            _ = try client.result(of: "deleteUser", ["caller": people[leaver], "confirm": true])
            try #expect(others.map { try inventory(of: $0, people, belongings, client) } == before)
            for other in others {
                try walk(from: people[other], owning: belongings[other], to: belongings[leaver], of: leaver, client)
            }
        }
    }

    /// Two users, two anonymous people and the operator, who cannot leave and so comes last, as callers.
    private static func makePeople(_ client: TestClient) throws -> [JSONValue] {
        let tokens = try (0..<2).map { _ in try client.result(of: "createAnonymousUser")["anonymousToken"] ?? nil }
        return [["userId": "ada"], ["userId": "bob"]] + tokens.map { ["anonymousToken": $0] } + [["operator": true]]
    }

    /// Gives a person one of each thing, with a turn that is still running.
    private static func furnish(_ owner: Int, _ people: [JSONValue], _ client: TestClient) throws -> Belongings {
        let caller = people[owner]
        let word = JSONValue.string(secret(owner))
        let bot = try client.result(
            of: "createBot", ["caller": caller, "name": word, "description": word, "instructions": word, "config": ["word": word]])
        let botID = try #require(bot["bot"]?["id"])
        let conversation = try client.result(
            of: "createConversation", ["caller": caller, "title": word, "metadata": ["word": word], "botId": botID])
        let conversationID = try #require(conversation["conversation"]?["id"])
        let turn = try client.result(
            of: "sendMessage", ["caller": caller, "conversationId": conversationID, "text": word, "wait": false])
        return Belongings(
            conversation: conversationID, bot: botID, turn: try #require(turn["turn"]?["id"]),
            message: try #require(turn["turn"]?["userMessageId"]))
    }

    /// All that a person sees of the things that `furnish` has made.
    private static func inventory(
        of owner: Int, _ people: [JSONValue], _ belongings: [Belongings], _ client: TestClient
    ) throws -> [JSONValue] {
        let (caller, own) = (people[owner], belongings[owner])
        return [
            try client.result(of: "getConversation", ["caller": caller, "conversationId": own.conversation]),
            try client.result(of: "listMessages", ["caller": caller, "conversationId": own.conversation]),
            try client.result(of: "getBot", ["caller": caller, "botId": own.bot]),
            try client.result(of: "getTurn", ["caller": caller, "turnId": own.turn]),
        ]
    }

    private static func walk(
        from stranger: JSONValue, owning own: Belongings, to foreign: Belongings, of owner: Int, _ client: TestClient
    ) throws {
        for row in MethodTable.rows where !["shutdown", "deleteUser"].contains(row.name) {
            for attempt in attempts[row.name] ?? [] {
                let answer = try call(row.name, attempt(foreign, own), as: stranger, client)
                let reference = try call(row.name, attempt(.missing, own), as: stranger, client)
                #expect(
                    normalised(answer, hiding: foreign) == normalised(reference, hiding: .missing),
                    "\(row.name) tells what is foreign from what is missing")
                // A list that is narrowed to a bot that there is not is empty; all else is refused.
                if !["listConversations", "searchConversations"].contains(row.name) {
                    #expect(answer.errorCode == "notFound", "\(row.name): \(answer.text)")
                }
                #expect(!answer.text.contains(secret(owner)), "\(row.name) shows something foreign: \(answer.text)")
            }
            let answer = try call(row.name, plainParams[row.name] ?? [:], as: stranger, client)
            #expect(!answer.text.contains(secret(owner)), "\(row.name) shows something foreign: \(answer.text)")
            if row.name == "createBot", let bot = answer.result?["bot"]?["id"] {
                _ = try call("deleteBot", ["botId": bot], as: stranger, client)
            }
        }
    }

    @Test("who is not the operator reads and resets nobody's limits")
    func nobodyElsesQuota() async throws {
        try await TestHost.inProcess(["--deterministic", "--log-level", "critical"]) { client in
            let people = try Self.makePeople(client)
            let subjects: [JSONValue] = [
                ["userId": "ada"], ["userId": "bob"], ["userId": "nobody"], ["anonymousUserId": "anonymousUser-1"],
                ["anonymousUserId": "nobody"], ["clientAddress": "192.0.2.1"], ["system": true],
            ]
            for person in people.dropLast() {
                for subject in subjects {
                    for method in ["getQuota", "resetQuota"] {
                        let answer = try Self.call(method, ["subject": subject], as: person, client)
                        #expect(answer.errorCode == "authRequired", "\(method) \(answer.text)")
                    }
                }
            }
        }
    }

    @Test("what somebody owns is claimed by its token and by nothing else")
    func tokensAreSecrets() async throws {
        try await TestHost.inProcess(["--deterministic", "--log-level", "critical"]) { client in
            let people = try Self.makePeople(client)
            let token = try #require(people[2]["anonymousToken"]?.stringValue)
            let id = "anonymousUser-1"
            for guess in [id, String(token.dropLast()), token + "=", token.lowercased(), token.uppercased(), String(token.reversed())] {
                let answer = try Self.call(
                    "claimAnonymousUser", ["anonymousToken": .string(guess), "confirm": true], as: people[0], client)
                #expect(answer.errorCode == "authRequired", "\(answer.text)")
            }
        }
    }

    private static func call(
        _ method: String, _ params: JSONValue, as caller: JSONValue, _ client: TestClient
    ) throws -> TestClient.Answer {
        var members = params.objectValue ?? [:]
        members["caller"] = caller
        return try client.call(method, .object(members))
    }

    /// The answer without its own id and the ids that were asked for.
    private static func normalised(_ answer: TestClient.Answer, hiding belongings: Belongings) -> String {
        var members = answer.message.objectValue ?? [:]
        members["id"] = nil
        var text = String(decoding: JSONWriter.encode(JSONValue.object(members)), as: UTF8.self)
        for id in belongings.all.compactMap(\.stringValue) { text = text.replacing("\"\(id)\"", with: "\"ID\"") }
        return text
    }
}
