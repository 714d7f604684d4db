import Foundation
import JSON
import ParleyTestSupport
import Testing

/// What the process does with database files that are not as they should be, and with company.
@Suite(.timeLimit(.minutes(5)))
struct DatabaseFileTests {
    private let folder: TemporaryFolder
    private var database: String { folder.file("parley.db") }

    init() throws {
        folder = try TemporaryFolder()
    }

    private func start(_ arguments: String...) throws -> ParleyProcess {
        try ParleyProcess(["serve", "--database", database, "--caller", "userId:ada"] + arguments)
    }

    private func sqlite(_ sql: String) async throws {
        let script = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.executescript(sys.argv[2]); c.close()"
        let (code, output) = try await ChildProcess.run(["/usr/bin/python3", "-c", script, database, sql])
        #expect(code == 0, "\(output)")
    }

    /// Starts, expects a refusal that names the file, and that the file is as it was.
    private func expectRefusal(saying word: String) async throws {
        let before = try Data(contentsOf: URL(fileURLWithPath: database))
        let parley = try start()
        #expect(await parley.exitCode() == 69)
        let text = parley.errorText()
        #expect(text.hasPrefix("parley: ") && text.contains(database) && text.lowercased().contains(word), "\(text)")
        #expect(try Data(contentsOf: URL(fileURLWithPath: database)) == before)
    }

    @Test func anotherProgramsDatabaseIsRefused() async throws {
        try await sqlite("CREATE TABLE recipes (name TEXT); INSERT INTO recipes VALUES ('soup');")
        try await expectRefusal(saying: "another program")
    }

    @Test func aNewerDatabaseIsRefused() async throws {
        let parley = try start()
        parley.endInput()
        #expect(await parley.exitCode() == 0)
        try await sqlite("PRAGMA user_version = 4711;")
        try await expectRefusal(saying: "newer")
    }

    @Test func aFileThatIsNoDatabaseIsRefused() async throws {
        _ = try folder.write(String(repeating: "This is no database. ", count: 100), to: "parley.db")
        try await expectRefusal(saying: "database")
    }

    @Test(arguments: [["--set", "auth.jwt.keyFile=nowhere"], ["--model", "nobody"], ["--set", "quotas.user.turns.limit=-1"]])
    func wrongSettingsMakeNoDatabase(arguments: [String]) async throws {
        let parley = try ParleyProcess(["serve", "--database", database] + arguments)
        #expect(await parley.exitCode() == 78)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    @Test func manyProcessesMayStartAtOnce() async throws {
        let processes = try (0..<6).map { _ in try start("--set", "quotas.user.bots.limit=none") }
        for process in processes {
            #expect(try await process.call("createBot", ["name": .string("Bot \(process.id)")])["result"] != nil)
        }
        let bots = try await processes[0].call("listBots")
        #expect(bots["result"]?["data"]?.arrayValue?.count == 6)
    }

    @Test func processesRespectEachOthersTurns() async throws {
        let script = try folder.write(#"{"repeat":true,"steps":[{"text":"so far"},{"hang":true}]}"# + "\n", to: "hang.jsonl")
        let first = try start("--model", "scripted:\(script)")
        let second = try start()
        first.send("sendMessage", ["text": "Hello"])
        let started = try await first.event("turnStarted")["params"]
        let (turnID, conversationID) = (started?["turnId"] ?? .null, started?["conversationId"] ?? .null)

        let busy = try await second.call("sendMessage", ["conversationId": conversationID, "text": "Me too"])
        #expect(busy["error"]?["data"]?["code"] == "conversationBusy")
        #expect(busy["error"]?["data"]?["turnId"] == turnID)

        let cancelled = try await second.call("cancelTurn", ["turnId": turnID])
        #expect(cancelled["result"]?["turn"]?["status"] == "cancelled")
        #expect(try await first.event("turnCompleted")["params"]?["turn"]?["status"] == "cancelled")
        let next = try await second.call("sendMessage", ["conversationId": conversationID, "text": "Now me"])
        #expect(next["result"]?["turn"]?["status"] == "completed")
    }

    @Test func aRequestThatWaitsIsCancelled() async throws {
        let script = try folder.write(#"{"steps":[{"text":"so far"},{"hang":true}]}"# + "\n", to: "hang.jsonl")
        let first = try start("--model", "scripted:\(script)", "--set", "turns.checkpointMilliseconds=60000")
        let second = try start()
        first.send("sendMessage", ["text": "Hello"])
        let turnID = try await first.event("turnStarted")["params"]?["turnId"] ?? .null
        // A host that is stopped but alive keeps its turn, so whoever cancels the turn waits.
        try await first.stop(betweenWritesTo: database)
        let id = second.send("cancelTurn", ["turnId": turnID])
        // Cancelled before it has left word, it would never cancel the turn.
        while try await !isCancelRequested(ofTurn: turnID.stringValue ?? "") {}
        second.write(#"{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":\#(id)}}"# + "\n")
        let reply = try await second.line { $0["id"]?.intValue == id }
        #expect(reply["error"]?["code"] == -32800)
        first.signal(SIGCONT)
        #expect(try await first.event("turnCompleted")["params"]?["turn"]?["status"] == "cancelled")
    }

    private func isCancelRequested(ofTurn id: String) async throws -> Bool {
        let script = """
            import sqlite3, sys
            print(sqlite3.connect(sys.argv[1]).execute("SELECT cancel_requested_at NOTNULL FROM turns WHERE id = ?", sys.argv[2:]).fetchone()[0])
            """
        let (code, output) = try await ChildProcess.run(["/usr/bin/python3", "-c", script, database, id])
        try #require(code == 0, "\(output)")
        return output == "1\n"
    }

    @Test func aBackupIsMadeWhileAHostServes() async throws {
        let script = try folder.write(#"{"repeat":true,"steps":[{"text":"so far"},{"hang":true}]}"# + "\n", to: "hang.jsonl")
        let copy = folder.file("copy.db")
        let backup = ["db", "backup", copy, "--database", database]
        let host = try start("--model", "scripted:\(script)", "--set", "turns.checkpointMilliseconds=100")
        host.send("sendMessage", ["text": "Hello"])
        let turnID = try await host.event("turnStarted")["params"]?["turnId"] ?? .null
        while try await host.call("getTurn", ["turnId": turnID])["result"]?["message"] == nil {}

        let made = try await ChildProcess.run([ParleyProcess.binary.path] + backup)
        #expect(made.code == 0 && made.output.contains(copy), "\(made)")
        let again = try await ChildProcess.run([ParleyProcess.binary.path] + backup)
        #expect(again.code == 69 && again.output == "parley: \(copy) is there already.\n", "\(again)")
        let forced = try await ChildProcess.run([ParleyProcess.binary.path] + backup + ["--force"])
        #expect(forced.code == 0, "\(forced)")
        let checked = try await ChildProcess.run([ParleyProcess.binary.path, "db", "check", "--database", copy])
        #expect(checked.code == 0, "\(checked)")

        let other = try ParleyProcess(["serve", "--database", copy, "--caller", "userId:ada"])
        let turn = try await other.call("getTurn", ["turnId": turnID])["result"]
        #expect(turn?["turn"]?["status"] == "interrupted" && turn?["message"]?["content"] == [["type": "text", "text": "so far"]])
        let used = try await ChildProcess.run([ParleyProcess.binary.path] + backup + ["--force"])
        #expect(used.code == 69 && used.output.contains("in use"), "\(used)")
        #expect(try await host.call("cancelTurn", ["turnId": turnID])["result"]?["turn"]?["status"] == "cancelled")
    }

    @Test func aTurnWhoseHostDiedIsRecoveredOnSight() async throws {
        let script = try folder.write(#"{"steps":[{"text":"so far"},{"hang":true}]}"# + "\n", to: "hang.jsonl")
        let first = try start("--model", "scripted:\(script)")
        let second = try start()
        first.send("sendMessage", ["text": "Hello"])
        let started = try await first.event("turnStarted")["params"]
        first.signal(SIGKILL)
        #expect(await first.exitCode() == -SIGKILL)
        let reply = try await second.call(
            "sendMessage", ["conversationId": started?["conversationId"] ?? .null, "text": "Still there?"])
        #expect(reply["result"]?["turn"]?["status"] == "completed")
        let turn = try await second.call("getTurn", ["turnId": started?["turnId"] ?? .null])
        #expect(turn["result"]?["turn"]?["status"] == "interrupted")
    }
}
