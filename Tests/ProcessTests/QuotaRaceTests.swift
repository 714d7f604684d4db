import JSON
import ParleyTestSupport
import Testing

/// Real processes on one database file race for what is left of a limit: exactly so much is given, whoever gets it.
@Suite(.timeLimit(.minutes(5)))
struct QuotaRaceTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    /// Starts hosts whose model says yes.
    ///
    /// - Parameter settings: `KEY=VALUE`.
    private func crowd(of count: Int, _ settings: String...) async throws -> Crowd {
        let script = try folder.write(#"{"repeat":true,"text":"Yes."}"# + "\n", to: "yes.jsonl")
        return try await Crowd(
            of: count, ["--database", folder.file("parley.db"), "--model", "scripted:\(script)"] + settings.flatMap { ["--set", $0] })
    }

    /// The turns of answers that are results, and the limits that were the reason of all others.
    private func outcome(of answers: [JSONValue]) -> (turns: [JSONValue], refusals: [String: Int]) {
        var turns: [JSONValue] = []
        var refusals: [String: Int] = [:]
        for answer in answers {
            if let turn = answer["result"]?["turn"] {
                turns.append(turn)
            } else {
                refusals[answer.exceededLimit ?? "\(answer["error"] ?? answer)", default: 0] += 1
            }
        }
        return (turns, refusals)
    }

    @Test func fiftyLeftForOneVisitorAreFifty() async throws {
        let crowd = try await crowd(of: 8, "quotas.anonymous.inFlight.limit=none")
        let visitor = try await crowd.hosts[0].makeAnonymousPerson()
        let answers = try await crowd.ask("sendMessage", each: 200) { number in
            ["caller": visitor.caller, "text": .string("Message \(number)?"), "stream": false]
        }
        #expect(answers.count == 1_600)
        let (turns, refusals) = outcome(of: answers)
        #expect(refusals == ["anonymous.turns": 1_550])
        #expect(turns.allSatisfy { $0["status"] == "completed" && $0["quota"]?["counted"] == true })

        // Each receipt counts one more than the one before.
        let used = turns.compactMap { $0["quota"]?.limits["anonymous.turns"]?.used }
        #expect(used.sorted() == Array(1...50))
        let warned = turns.filter { $0["quota"]?["warning"] != nil }.compactMap { $0["quota"]?.limits["anonymous.turns"]?.used }
        #expect(warned.sorted() == Array(41...50))
        for host in crowd.hosts {
            let limits = try await host.limits(of: visitor.subject)
            #expect(limits["anonymous.turns"] == LimitReading(limit: 50, used: 50, held: 0))
        }
        let system = try await crowd.hosts[1].limits()
        #expect(system["system.turns"] == LimitReading(limit: 500, used: 50, held: 0))
        #expect(system["system.anonymousTurns"] == LimitReading(limit: 400, used: 50, held: 0))

        // What was refused has left nothing behind.
        let list = try await crowd.hosts[2].result(of: "listConversations", ["caller": visitor.caller, "limit": 100])
        #expect(list["data"]?.arrayValue?.count == 50)
        #expect(list["nextCursor"] == nil)
    }

    @Test func fiveHundredForFortyUsersAreFiveHundred() async throws {
        let crowd = try await crowd(of: 8, "quotas.system.turns.limit=500", "quotas.user.inFlight.limit=none")
        let answers = try await crowd.ask("sendMessage", each: 200) { number in
            ["caller": ["userId": .string("user \(number % 40)")], "text": .string("Message \(number)?"), "stream": false]
        }
        let (turns, refusals) = outcome(of: answers)
        #expect(refusals == ["system.turns": 1_100])
        #expect(turns.count == 500)
        #expect(turns.allSatisfy { $0["status"] == "completed" })
        #expect(Set(turns.compactMap { $0["id"]?.stringValue }).count == 500)
        #expect(try await crowd.hosts[0].limits()["system.turns"] == LimitReading(limit: 500, used: 500, held: 0))
        #expect(answers.compactMap { $0["error"]?["data"] }.allSatisfy { $0["retryAfterMs"]?.intValue ?? 0 > 0 && $0["used"] == nil })
    }

    @Test func visitorsDoNotShutOutUsers() async throws {
        let crowd = try await crowd(
            of: 4, "quotas.system.anonymousTurns.limit=30", "quotas.anonymous.inFlight.limit=none", "quotas.user.inFlight.limit=none")
        let visitors = try await crowd.ask("createAnonymousUser", each: 15) { _ in [:] }.compactMap {
            $0["result"]?["anonymousToken"]
        }
        try #require(visitors.count == 60)
        // Of three messages, the first is a visitor's, the second one's whom nobody has seen before, and the third a user's.
        let answers = try await crowd.ask("sendMessage", each: 60) { number in
            var params: JSONValue = ["text": .string("Message \(number)?"), "stream": false]
            switch number % 3 {
            case 0: params = ["text": "A visitor's", "stream": false, "caller": ["anonymousToken": visitors[number / 3 % 60]]]
            case 1: break
            default: params = ["text": "A user's", "stream": false, "caller": ["userId": .string("user \(number % 5)")]]
            }
            return params
        }
        let (turns, refusals) = outcome(of: answers)
        #expect(refusals == ["system.anonymousTurns": 130])
        #expect(turns.count == 30 + 80)
        #expect(turns.allSatisfy { $0["status"] == "completed" })
        #expect(turns.count { $0["quota"]?.limits["anonymous.turns"] != nil } == 30)
        #expect(answers.compactMap { $0["error"]?["data"] }.allSatisfy { $0["upgrade"] == "signIn" && $0["retryable"] == true })
        let system = try await crowd.hosts[0].limits()
        #expect(system["system.anonymousTurns"] == LimitReading(limit: 30, used: 30, held: 0))
        #expect(system["system.turns"] == LimitReading(limit: 500, used: 110, held: 0))
        let user = try await crowd.hosts[1].call("sendMessage", ["caller": ["userId": "late"], "text": "Still?", "stream": false])
        #expect(user["result"]?["turn"]?["status"] == "completed")
    }

    @Test(arguments: [(false, 1, "anonymous.bots"), (true, 3, "user.bots")])
    func botsAreAsManyAsMayBe(isUser: Bool, limit: Int, name: String) async throws {
        let crowd = try await crowd(of: 8)
        let visitor = try await crowd.hosts[0].makeAnonymousPerson()
        let caller: JSONValue = isUser ? ["userId": "ada"] : visitor.caller
        let answers = try await crowd.ask("createBot", each: 20) { ["caller": caller, "name": .string("Bot \($0)")] }
        #expect(answers.count { $0["result"]?["bot"] != nil } == limit)
        #expect(answers.count { $0.exceededLimit == name } == 160 - limit)
        let bots = try await crowd.hosts[1].result(of: "listBots", ["caller": caller])
        #expect(bots["data"]?.arrayValue?.count == limit)
        let reading = try await crowd.hosts[2].limits(of: isUser ? ["userId": "ada"] : visitor.subject)[name]
        #expect(reading == LimitReading(limit: limit, used: limit, held: 0))
    }

    @Test(arguments: [false, true])
    func aHundredRepeatsAreOneTurn(inConversation: Bool) async throws {
        let script = try folder.write(#"{"repeat":true,"steps":[{"text":"One "},{"delayMs":100},{"text":"answer."}]}"#, to: "slow.jsonl")
        let arguments = [
            "--database", folder.file("parley.db"), "--model", "scripted:\(script)", "--caller", "userId:ada",
            "--set", "quotas.user.turns.limit=100",
        ]
        let first = try await Crowd(of: 4, arguments)
        var message: JSONValue = ["text": "Once?", "clientMessageId": "m-1", "stream": false]
        if inConversation {
            let conversation = try await first.hosts[0].result(of: "createConversation")["conversation"]?["id"] ?? .null
            message = ["conversationId": conversation, "text": "Once?", "clientMessageId": "m-1", "stream": false]
        }
        let answers = try await first.ask("sendMessage", each: 25) { [message] _ in message }
        let result = try #require(answers.first?["result"])
        try await expectOneTurn(result, in: answers, first.hosts[0])
        #expect(await first.die())

        let second = try await Crowd(of: 4, arguments)
        let again = try await second.ask("sendMessage", each: 25) { [message] _ in message }
        #expect(again.first?["result"]?["turn"]?["id"] == result["turn"]?["id"])
        try await expectOneTurn(result, in: again, second.hosts[0])
    }

    /// Expects that all answers tell of one turn with one end, and that there is no other.
    private func expectOneTurn(_ result: JSONValue, in answers: [JSONValue], _ host: ParleyProcess) async throws {
        #expect(answers.count == 100)
        #expect(result["turn"]?["status"] == "completed")
        #expect(result["message"]?["content"] == [["type": "text", "text": "One answer."]])
        for answer in answers {
            #expect(answer["result"]?["turn"] == result["turn"])
            #expect(answer["result"]?["message"] == result["message"])
        }
        let conversations = try await host.result(of: "listConversations")["data"]?.arrayValue
        #expect(conversations?.count == 1)
        let id = result["turn"]?["conversationId"] ?? .null
        let messages = try await host.result(of: "listMessages", ["conversationId": id])["data"]?.arrayValue
        #expect(messages?.compactMap { $0["role"]?.stringValue } == ["assistant", "user"])
        #expect(try await host.limits(of: ["userId": "ada"])["user.turns"] == LimitReading(limit: 100, used: 1, held: 0))
    }
}
