import Foundation
import JSON
import ParleyTestSupport
import Testing

/// `parley quota show` and `parley quota reset`, while a host is using the database.
@Suite(.timeLimit(.minutes(5)))
struct QuotaCommandTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    /// Starts a host whose model says yes, and hangs when asked to.
    private func start() throws -> ParleyProcess {
        let script = try folder.write(
            """
            {"repeat":true,"expect":"Hang","steps":[{"text":"Well"},{"hang":true}]}
            {"repeat":true,"text":"Yes."}

            """, to: "yes.jsonl")
        return try ParleyProcess(["serve", "--database", folder.file("parley.db"), "--model", "scripted:\(script)"])
    }

    /// Runs `parley quota` on the database.
    ///
    /// - Returns: the lines that it prints, each with single spaces.
    private func quota(_ arguments: String...) async throws -> (code: Int32, lines: [String], errors: String) {
        let process = try ParleyProcess(["quota"] + arguments + ["--database", folder.file("parley.db")])
        process.endInput()
        let lines = await process.rest().split(separator: "\n").map { line in
            line.split(separator: " ").joined(separator: " ")
        }
        return (await process.exitCode(), lines, process.errorText())
    }

    private func message(_ text: String, from caller: JSONValue) -> JSONValue {
        ["caller": caller, "text": .string(text), "stream": false, "clientAddress": "192.0.2.7"]
    }

    @Test func everybodysLimitsAreShownAndReset() async throws {
        let host = try start()
        let visitor = try await host.makeAnonymousPerson()
        _ = try await host.result(of: "createAnonymousUser", ["clientAddress": "192.0.2.7"])
        for caller in [visitor.caller, visitor.caller, ["userId": "ada"]] {
            _ = try await host.result(of: "sendMessage", message("Hello?", from: caller))
        }
        _ = try await host.result(of: "createBot", ["caller": visitor.caller, "name": "Poet"])
        host.send("sendMessage", message("Hang on", from: visitor.caller))
        _ = try await host.event("turnStarted")

        for arguments in [["show"], ["show", "--system"]] {
            let system = try await quota(arguments[0], arguments.count > 1 ? arguments[1] : "--system")
            #expect(system.code == 0 && system.errors.isEmpty, "\(system)")
            #expect(system.lines.count == 2)
            #expect(
                system.lines.first?.hasPrefix("system.anonymousTurns limit 400 used 2 held 1 remaining 397 within 18000 s free again at 20")
                    == true)
            #expect(
                system.lines.last?.hasPrefix("system.turns limit 500 used 3 held 1 remaining 496 within 18000 s free again at 20") == true)
        }
        let own = ["anonymous.turns limit 50 used 2 held 1 remaining 47", "anonymous.bots limit 1 used 1 held 0 remaining 0"]
        let running = "anonymous.inFlight limit 1 used 0 held 1 remaining 0"
        #expect(try await quota("show", "--anonymous-user", visitor.id).lines == own + [running])
        #expect(
            try await quota("show", "--user", "ada").lines == [
                "user.bots limit 3 used 0 held 0 remaining 3", "user.inFlight limit 2 used 0 held 0 remaining 2",
            ])
        let address = try await quota("show", "--client-address", "192.0.2.7")
        #expect(address.lines.count == 1)
        #expect(address.lines.first?.hasPrefix("address.anonymousUsers limit 30 used 1 held 0 remaining 29 within 3600 s free") == true)
        #expect(try await host.call("createBot", ["caller": visitor.caller, "name": "Cook"]).exceededLimit == "anonymous.bots")

        // Of another scope there is nothing to forget.
        #expect(try await quota("reset", "--anonymous-user", visitor.id, "--scope", "system").lines == own + [running])
        let reset = try await quota("reset", "--anonymous-user", visitor.id)
        #expect(reset.code == 0)
        #expect(
            reset.lines == [
                "anonymous.turns limit 50 used 0 held 1 remaining 49", "anonymous.bots limit 1 used 0 held 0 remaining 1", running,
            ])
        #expect(try await host.limits(of: visitor.subject)["anonymous.turns"] == LimitReading(limit: 50, used: 0, held: 1))
        #expect(try await host.call("createBot", ["caller": visitor.caller, "name": "Cook"])["result"] != nil)
        #expect(try await host.limits()["system.turns"] == LimitReading(limit: 500, used: 3, held: 1))
        #expect(
            try await quota("reset", "--client-address", "192.0.2.7", "--scope", "address").lines == [
                "address.anonymousUsers limit 30 used 0 held 0 remaining 30 within 3600 s"
            ])
        let system = try await quota("reset", "--system")
        #expect(system.lines.last?.hasPrefix("system.turns limit 500 used 0 held 1 remaining 499") == true, "\(system)")
        #expect(try await host.limits()["system.anonymousTurns"] == LimitReading(limit: 400, used: 0, held: 1))

        // The host that runs the turn ends it as ever.
        #expect(await host.die())
        #expect(try await quota("show", "--system").lines.last?.hasPrefix("system.turns limit 500 used 1 held 0") == true)
        #expect(
            try await quota("show", "--anonymous-user", visitor.id).lines.first == "anonymous.turns limit 50 used 0 held 0 remaining 50")
    }

    @Test func theSettingsOfTheCommandCount() async throws {
        let host = try start()
        for _ in 0..<3 { _ = try await host.result(of: "sendMessage", message("Hello?", from: ["userId": "ada"])) }
        let shown = try await quota(
            "show", "--user", "ada", "--set", "quotas.user.turns.limit=2", "--set", "quotas.user.turns.windowSeconds=7200")
        #expect(
            shown.lines.last?.hasPrefix("user.turns limit 2 used 3 held 0 remaining 0 within 7200 s free again at 20") == true, "\(shown)")
        let none = try await quota(
            "show", "--user", "ada", "--set", "quotas.user.bots.limit=none", "--set", "quotas.user.inFlight.limit=none")
        #expect(none.code == 0 && none.lines == ["There are no limits."])
        // Nothing is limited now, and yet what was counted is forgotten.
        let reset = try await quota("reset", "--user", "ada")
        #expect(reset.code == 0, "\(reset)")
        let after = try await quota("show", "--user", "ada", "--set", "quotas.user.turns.limit=2")
        #expect(after.lines.last == "user.turns limit 2 used 0 held 0 remaining 2 within 86400 s")
        #expect(try await host.limits()["system.turns"] == LimitReading(limit: 500, used: 3, held: 0))
    }

    @Test func aUserWhomNobodyHasSeenHasUsedNothing() async throws {
        let host = try start()
        _ = try await host.call("ping")
        let shown = try await quota("show", "--user", "nobody")
        #expect(shown.code == 0 && shown.lines.first == "user.bots limit 3 used 0 held 0 remaining 3", "\(shown)")
        for command in ["show", "reset"] {
            let unknown = try await quota(command, "--anonymous-user", "nobody")
            #expect(unknown.code == 78 && unknown.lines.isEmpty, "\(unknown)")
            #expect(unknown.errors.hasPrefix("parley: ") && unknown.errors.split(separator: "\n").count == 1, "\(unknown)")
        }
    }

    @Test(arguments: ["show", "reset"])
    func aDatabaseThatIsNotThereIsNotMade(command: String) async throws {
        let missing = try await quota(command, "--system")
        #expect(missing.code == 69 && missing.lines.isEmpty && missing.errors.contains("parley.db"), "\(missing)")
        #expect(!FileManager.default.fileExists(atPath: folder.file("parley.db")))
    }

    @Test(
        arguments: [
            (["reset"], 64), (["reset", "--scope", "user"], 64), (["show", "--user", "ada", "--system"], 64),
            (["reset", "--user", "ada", "--anonymous-user", "x"], 64), (["show", "--scope", "user"], 64),
            (["reset", "--user", "ada", "--scope", "everybody"], 64), (["show", "--client-address", ""], 64), (["forget"], 64),
            (["show", "--user"], 64), (["show", "--set", "quotas.user.turns.limit=-1"], 78), (["show", "--database", ":memory:"], 78),
        ] as [([String], Int32)])
    func wrongOptionsAreRefused(arguments: [String], code: Int32) async throws {
        let hasDatabase = arguments.contains("--database")
        let database = hasDatabase ? [] : ["--database", folder.file("parley.db")]
        let process = try ParleyProcess(["quota"] + arguments + database)
        process.endInput()
        #expect(await process.rest().isEmpty)
        #expect(await process.exitCode() == code)
        #expect(!process.errorText().isEmpty)
        #expect(!FileManager.default.fileExists(atPath: folder.file("parley.db")))
    }
}
