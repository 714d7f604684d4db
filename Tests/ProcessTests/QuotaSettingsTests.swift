import Foundation
import JSON
import ParleyTestSupport
import Testing

/// Limits as settings: what they may be, and that a change holds for everybody from the next start on.
@Suite(.timeLimit(.minutes(5)))
struct QuotaSettingsTests {
    private static let ada: JSONValue = ["userId": "ada"]
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    /// Starts a host whose model says yes.
    ///
    /// - Parameter settings: `KEY=VALUE`.
    private func start(_ settings: String...) throws -> ParleyProcess {
        let script = try folder.write(#"{"repeat":true,"text":"Yes."}"# + "\n", to: "yes.jsonl")
        return try ParleyProcess(
            ["serve", "--database", folder.file("parley.db"), "--model", "scripted:\(script)"] + settings.flatMap { ["--set", $0] })
    }

    /// Sends messages one after the other.
    ///
    /// - Returns: for each what became of it: the turn's status, or the limit that was exceeded.
    private func send(_ count: Int, as caller: JSONValue, to host: ParleyProcess) async throws -> [String] {
        var outcomes: [String] = []
        for number in 0..<count {
            let answer = try await host.call("sendMessage", ["caller": caller, "text": .string("Message \(number)?"), "stream": false])
            outcomes.append(answer["result"]?["turn"]?["status"]?.stringValue ?? answer.exceededLimit ?? "\(answer)")
        }
        return outcomes
    }

    /// Expects that nothing starts, and that one line says which setting is wrong.
    private func expectRefusal(naming name: String, _ arguments: [String], environment: [String: String] = [:]) async throws {
        let process = try ParleyProcess(["serve", "--database", ":memory:"] + arguments, environment: environment)
        #expect(await process.rest().isEmpty)
        #expect(await process.exitCode() == 78)
        let line = process.errorText()
        #expect(line.hasPrefix("parley: ") && line.contains("\(name): ") && line.split(separator: "\n").count == 1, "\(line)")
    }

    /// What no limit can be, as JSON and, where a flag can say it, as text.
    private static let wrongLimits: [(json: String, text: String?)] = [
        ("-1", "-1"), ("1000000001", "1000000001"), ("1e30", "1e30"), ("1e2", "1e2"), ("1.5", "1.5"), ("50.0", "50.0"),
        ("99999999999999999999", "99999999999999999999"), (#""""#, ""), (#""many""#, "many"), (#"" 5""#, " 5"), (#""0x10""#, "0x10"),
        (#""None""#, "None"), (#""null""#, "null"), ("true", nil), ("[5]", nil), (#"{"limit":5}"#, nil),
    ]

    @Test(arguments: wrongLimits)
    func aWrongLimitStopsTheStartAndIsNamed(json: String, text: String?) async throws {
        let file = try folder.write(#"{"quotas":{"system":{"turns":{"limit":\#(json)}}}}"#, to: "settings.json")
        try await expectRefusal(naming: "\(file): quotas.system.turns.limit", ["--config", file])
        guard let text else { return }
        try await expectRefusal(naming: "quotas.system.turns.limit", ["--set", "quotas.system.turns.limit=\(text)"])
        // An empty variable is none.
        guard !text.isEmpty else { return }
        try await expectRefusal(naming: "PARLEY_QUOTAS_SYSTEM_TURNS_LIMIT", [], environment: ["PARLEY_QUOTAS_SYSTEM_TURNS_LIMIT": text])
    }

    @Test(arguments: [
        ("quotas.anonymous.inFlight.limit", "-1"), ("quotas.address.anonymousUsers.limit", "1.5"), ("quotas.user.bots.limit", "-3"),
        ("quotas.anonymous.turns.warnAfter", "-1"), ("quotas.system.turns.windowSeconds", "0"),
        ("quotas.system.turns.windowSeconds", "-5"), ("quotas.user.turns.windowSeconds", "2678401"),
        ("quotas.user.turns.windowSeconds", "none"), ("quotas.address.turns.windowSeconds", "1e3"),
        ("quotas.system.anonymousTurns.windowSeconds", "0.5"),
    ])
    func everyKindOfLimitIsChecked(name: String, text: String) async throws {
        try await expectRefusal(naming: name, ["--set", "\(name)=\(text)"])
    }

    @Test(arguments: ["quotas.system.turns", "quotas.anonymous.bots.windowSeconds", "quotas.user.inflight.limit", "quotas.limit"])
    func aLimitThatIsNoneStopsTheStart(name: String) async throws {
        let process = try ParleyProcess(["serve", "--database", ":memory:", "--set", "\(name)=5"])
        #expect(await process.exitCode() == 78)
        #expect(process.errorText().contains(name))
    }

    @Test func noneAndNullLiftLimits() async throws {
        let file = try folder.write(
            #"{"quotas":{"anonymous":{"turns":{"limit":null}},"user":{"bots":{"limit":"none"},"inFlight":{"limit":0}}}}"#,
            to: "settings.json")
        let host = try ParleyProcess(
            ["serve", "--database", ":memory:", "--config", file, "--set", "quotas.system.turns.limit=none"],
            environment: ["PARLEY_QUOTAS_ANONYMOUS_BOTS_LIMIT": "none", "PARLEY_QUOTAS_SYSTEM_ANONYMOUS_TURNS_LIMIT": ""])
        let visitor = try await host.makeAnonymousPerson()
        #expect(Set(try await host.limits(of: visitor.subject).keys) == ["anonymous.inFlight"])
        #expect(Set(try await host.limits(of: Self.ada).keys) == ["user.inFlight"])
        #expect(try await host.limits() == ["system.anonymousTurns": LimitReading(limit: 400, used: 0, held: 0)])
        for number in 0..<5 {
            for caller in [visitor.caller, Self.ada] {
                #expect(try await host.call("createBot", ["caller": caller, "name": .string("Bot \(number)")])["result"] != nil)
            }
        }
        // Nothing at all is none of it.
        #expect(try await send(1, as: Self.ada, to: host) == ["user.inFlight"])
    }

    @Test func anotherLimitHoldsAtOnceForThosePeopleThatAre() async throws {
        let first = try start()
        let visitor = try await first.makeAnonymousPerson()
        #expect(try await send(5, as: visitor.caller, to: first) == Array(repeating: "completed", count: 5))
        #expect(await first.end() == 0)

        let lower = try start("quotas.anonymous.turns.limit=3")
        #expect(try await lower.limits(of: visitor.subject)["anonymous.turns"] == LimitReading(limit: 3, used: 5, held: 0))
        let refused = try await lower.call("sendMessage", ["caller": visitor.caller, "text": "One more?"])
        #expect(refused.exceededLimit == "anonymous.turns")
        #expect(refused["error"]?["data"]?["used"] == 5)
        #expect(refused["error"]?["data"]?["remaining"] == 0)
        #expect(await lower.end() == 0)

        let higher = try start("quotas.anonymous.turns.limit=7", "quotas.anonymous.turns.warnAfter=6")
        #expect(try await send(3, as: visitor.caller, to: higher) == ["completed", "completed", "anonymous.turns"])
        #expect(await higher.end() == 0)

        let lifted = try start("quotas.anonymous.turns.limit=none", "quotas.system.anonymousTurns.limit=8")
        #expect(try await send(2, as: visitor.caller, to: lifted) == ["completed", "system.anonymousTurns"])
        #expect(await lifted.end() == 0)

        let again = try start("quotas.anonymous.turns.limit=9")
        #expect(try await send(2, as: visitor.caller, to: again) == ["completed", "anonymous.turns"])
    }

    @Test func aLimitThatIsSetLaterCountsWhatWasBefore() async throws {
        let first = try start()
        #expect(try await first.limits(of: Self.ada)["user.turns"] == nil)
        #expect(try await send(4, as: Self.ada, to: first) == Array(repeating: "completed", count: 4))
        #expect(try await send(2, as: ["userId": "bob"], to: first) == ["completed", "completed"])
        for number in 0..<3 { _ = try await first.result(of: "createBot", ["caller": Self.ada, "name": .string("Bot \(number)")]) }
        #expect(await first.end() == 0)

        let second = try start("quotas.user.turns.limit=5", "quotas.user.bots.limit=2", "quotas.system.turns.limit=8")
        #expect(try await second.limits(of: Self.ada)["user.turns"] == LimitReading(limit: 5, used: 4, held: 0))
        #expect(try await second.limits(of: Self.ada)["user.bots"] == LimitReading(limit: 2, used: 3, held: 0))
        #expect(try await second.call("createBot", ["caller": Self.ada, "name": "One more"]).exceededLimit == "user.bots")
        #expect(try await send(2, as: Self.ada, to: second) == ["completed", "user.turns"])
        #expect(try await send(2, as: ["userId": "bob"], to: second) == ["completed", "system.turns"])
        #expect(await second.end() == 0)

        // A shorter window finds only what is in it, and a longer one all of it again.
        let third = try start("quotas.user.turns.limit=5", "quotas.user.turns.windowSeconds=2678400")
        #expect(try await send(1, as: Self.ada, to: third) == ["user.turns"])
    }
}
