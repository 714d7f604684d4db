import Foundation
import JSON
import ParleyTestSupport
import Testing

/// What `parley doctor` says of settings and databases that are as they should be, and that are not; and that it touches neither.
@Suite(.timeLimit(.minutes(5)))
struct DoctorTests {
    private let folder: TemporaryFolder
    private var database: String { folder.file("parley.db") }

    init() throws {
        folder = try TemporaryFolder()
    }

    private func sqlite(_ sql: String) async throws {
        let script = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.executescript(sys.argv[2]); c.close()"
        let (code, output) = try await ChildProcess.run(["/usr/bin/python3", "-c", script, database, sql])
        #expect(code == 0, "\(output)")
    }

    private func makeDatabase() async throws {
        let host = try ParleyProcess(["serve", "--database", database])
        host.endInput()
        #expect(await host.exitCode() == 0)
    }

    /// Examines the database, and expects that every file is as it was.
    private func examine(_ arguments: String..., environment: [String: String] = [:]) async throws -> Diagnosis {
        let before = try files()
        let diagnosis = try await Diagnosis(["--database", database] + arguments, environment: environment)
        #expect(try files() == before)
        return diagnosis
    }

    /// The files, but for SQLite's index of the log, which every reader shares.
    private func files() throws -> [String: Data] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { !$0.hasSuffix("-shm") }
        return try Dictionary(uniqueKeysWithValues: names.map { ($0, try Data(contentsOf: URL(fileURLWithPath: folder.file($0)))) })
    }

    @Test func withNothingThereIsNothingWrong() async throws {
        let diagnosis = try await examine()
        #expect(diagnosis.code == 0)
        #expect(
            diagnosis.message("database", "ok", "There is no database") == "There is no database at \(database) yet; parley serve makes it."
        )
        #expect(diagnosis.advice("models", "warning", "demonstration").contains("MINIMAX_API_KEY"))
        #expect(diagnosis.message("limits", "ok", "In force").contains("system.turns 500 within 18000 s"))
        #expect(diagnosis.problems.isEmpty)
    }

    @Test func aFolderThatCannotBeMadeIsAProblem() async throws {
        // Not even root, who may run the tests and write everywhere, makes a folder in a file.
        let diagnosis = try await Diagnosis(["--database", folder.write("", to: "file") + "/parley.db"])
        #expect(diagnosis.code == 1)
        #expect(diagnosis.problems.count == 1 && diagnosis.advice("database", "problem", "none can be made").contains("--database"))
    }

    @Test func aDatabaseInMemoryIsAWarning() async throws {
        let diagnosis = try await Diagnosis(["--database", ":memory:"])
        #expect(diagnosis.code == 0)
        #expect(diagnosis.message("database", "warning", "in memory").contains("gone when the host ends"))
    }

    @Test func aGoodDatabaseIsLeftAlone() async throws {
        try await makeDatabase()
        let diagnosis = try await examine()
        #expect(diagnosis.code == 0, "\(diagnosis.output)")
        #expect(diagnosis.message("database", "ok", database).contains("tables of version"))
        #expect(diagnosis.message("database", "ok", "No host has it open") == "No host has it open.")
        #expect(diagnosis.message("database", "ok", "Not damaged").contains("parley db check"))
        #expect(diagnosis.message("database", "ok", "free on its disk") != "")
    }

    @Test(
        arguments: [
            ("CREATE TABLE recipes (name TEXT)", "problem", "another program", "Name another file"),
            ("PRAGMA application_id = 1346458188; PRAGMA user_version = 4711", "problem", "newer version", "Use that version of Parley"),
        ])
    func whatIsNotForThisProgramIsTold(sql: String, mark: String, message: String, advice: String) async throws {
        try await sqlite(sql)
        let diagnosis = try await examine()
        #expect(diagnosis.code == 1)
        #expect(diagnosis.advice("database", mark, message).contains(advice), "\(diagnosis.output)")
    }

    @Test func whatIsNoDatabaseIsTold() async throws {
        _ = try folder.write(String(repeating: "This is no database. ", count: 100), to: "parley.db")
        let diagnosis = try await examine()
        #expect(diagnosis.code == 1 && diagnosis.advice("database", "problem", "is not a database").contains("Name another file"))
    }

    @Test func olderTablesAreTold() async throws {
        try await makeDatabase()
        try await sqlite("PRAGMA user_version = 3")
        let diagnosis = try await examine()
        #expect(diagnosis.code == 0)
        #expect(diagnosis.advice("database", "warning", "tables of version 3").contains("parley db migrate"))
    }

    @Test func anErasureThatDoesNotHappenIsTold() async throws {
        try await makeDatabase()
        try await sqlite("INSERT INTO marks VALUES ('erasurePending', unixepoch() * 1000)")
        #expect(try await examine().message("database", "ok", "wait to be erased").contains("since 20"))
        try await sqlite("UPDATE marks SET value = 86400000 WHERE name = 'erasurePending'")
        let diagnosis = try await examine()
        #expect(diagnosis.code == 0)
        #expect(diagnosis.advice("database", "warning", "since 1970-01-02T00:00:00.000Z").contains("parley db compact"))
    }

    @Test func aFileThatMustNotBeWrittenIsTold() async throws {
        try await makeDatabase()
        #expect(chmod(database, 0o444) == 0)
        let diagnosis = try await examine()
        #expect(diagnosis.code == 1)
        #expect(diagnosis.advice("database", "problem", "read-only") == "chmod u+w \(database), or start Parley as its owner.")
        #expect(diagnosis.advice("database", "warning", "Others than its owner") == "chmod go= \(database)")
    }

    @Test func damageIsTold() async throws {
        try await makeDatabase()
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: database))
        for page in 3..<20 {
            try file.seek(toOffset: UInt64(page) * 4096)
            try file.write(contentsOf: Data(repeating: 0x5A, count: 4096))
        }
        try file.close()
        let diagnosis = try await examine()
        #expect(diagnosis.code == 1)
        #expect(diagnosis.advice("database", "problem", "damaged").contains("parley db backup"), "\(diagnosis.output)")
    }

    @Test(arguments: ["BEGIN IMMEDIATE", "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE"])
    func whoLocksTheDatabaseIsNamed(sql: String) async throws {
        try await makeDatabase()
        let script = """
            import sqlite3, sys
            c = sqlite3.connect(sys.argv[1], isolation_level=None)
            for sql in sys.argv[2].split(";"): c.execute(sql)
            print("locked", flush=True)
            sys.stdin.read()
            """
        let holder = try ChildProcess(["/usr/bin/python3", "-c", script, database, sql], environment: [:])
        _ = LineReader.read(holder.output)
        let diagnosis = try await Diagnosis(["--database", database, "--set", "store.busyTimeoutMilliseconds=50"])
        #expect(diagnosis.code == 1)
        let blocked = diagnosis.message("database", "problem", "keeps everybody else from writing")
        #expect(blocked.hasPrefix("Process \(holder.id) (python3"), "\(diagnosis.output)")
        holder.close(holder.input)
        #expect(await holder.wait() == 0)
        #expect(try await Diagnosis(["--database", database]).code == 0)
    }

    @Test func hostsAreSeenAliveAndDead() async throws {
        let script = try folder.write(#"{"repeat":true,"steps":[{"text":"so far"},{"hang":true}]}"# + "\n", to: "hang.jsonl")
        let host = try ParleyProcess(
            ["serve", "--database", database, "--caller", "userId:ada", "--model", "scripted:\(script)"]
                + ["--set", "turns.checkpointMilliseconds=60000"])
        host.send("sendMessage", ["text": "Hello"])
        let turnID = try await host.event("turnStarted")["params"]?["turnId"] ?? .null
        _ = try await host.event("messageDelta")
        // It would write meanwhile, if only to prepare searches. And one that dies while it writes leaves a log that cannot be looked at without
        // changing its index.
        try await host.stop(betweenWritesTo: database)
        let alive = try await examine()
        #expect(alive.code == 0, "\(alive.output)")
        let served = alive.message("database", "ok", "Open in process")
        #expect(served.hasPrefix("Open in process \(host.id) (since 20") && served.contains("; 1 turn running or waiting"), "\(served)")

        host.signal(SIGKILL)
        #expect(await host.exitCode() == -SIGKILL)
        let dead = try await examine()
        #expect(dead.code == 0, "\(dead.output)")
        #expect(
            dead.message("database", "ok", "No host")
                == "No host has it open; 1 turn running or waiting; 1 host died, and the next one clears up."
        )
        // The log that it left has not been lost either.
        let next = try ParleyProcess(["serve", "--database", database, "--caller", "userId:ada"])
        #expect(try await next.call("getTurn", ["turnId": turnID])["result"]?["turn"]?["status"] == "interrupted")
    }

    @Test(
        arguments: [
            (["--set", "limits.maxInFlihgt=1"], "settings", "limits.maxInFlihgt"),
            (["--set", "quotas.user.turns.limit=-1"], "settings", "quotas.user.turns.limit"),
            (["--config", "/nonexistent.json"], "settings", "/nonexistent.json"),
            (["--set", "auth.jwt.keyFile=/nonexistent"], "people", "auth.jwt.keyFile"),
            (["--caller", "ada"], "people", "expected userId:ID"), (["--model", "nobody:m"], "models", "nobody"),
        ])
    func wrongSettingsAreProblems(arguments: [String], subject: String, message: String) async throws {
        let diagnosis = try await Diagnosis(["--database", database] + arguments)
        #expect(diagnosis.code == 1)
        #expect(diagnosis.problems.count == 1 && !diagnosis.advice(subject, "problem", message).isEmpty, "\(diagnosis.output)")
    }

    @Test func settingsThatSurpriseAreWarnings() async throws {
        let settings = try folder.write(
            #"{"quotas": {"user": {"turns": {"limit": 0}}}, "auth": {"trustParent": false}}"#, to: "settings.json")
        let diagnosis = try await examine(
            "--config", settings, "--set", "quotas.system.turns.limit=none",
            environment: ["PARLEY_QUOTA": "1", "PARLEY_QUOTAS_ANONYMOUS_TURNS_LIMIT": "none"])
        #expect(diagnosis.code == 0)
        #expect(
            diagnosis.message("settings", "ok", "Settings")
                == "Settings: 2 from flags, 1 from PARLEY_ variables, 2 from \(settings); all others have their defaults.")
        #expect(diagnosis.message("settings", "warning", "PARLEY_QUOTA ").contains("no effect"))
        #expect(diagnosis.message("limits", "warning", "quotas.user.turns.limit is 0").contains("file \(settings)"))
        #expect(diagnosis.message("limits", "warning", "quotas.system.turns.limit is none").contains("(flag)"))
        #expect(diagnosis.message("limits", "warning", "anonymous.turns").contains("PARLEY_QUOTAS_ANONYMOUS_TURNS_LIMIT"))
        #expect(diagnosis.advice("people", "warning", "Only people who are not signed in") == "Set auth.jwt.keyFile.")
    }

    @Test func theFormSuitsTheReader() async throws {
        let plain = try await ChildProcess.run([ParleyProcess.binary.path, "doctor", "--database", database])
        #expect(plain.code == 0 && plain.output.contains("\nok       database  There is no database"), "\(plain)")
        #expect(plain.output.hasSuffix("\nWorks, with 1 warning.\n") && !plain.output.contains("✓"))
        // On a terminal: signs and colours, unless somebody wants none (https://no-color.org).
        let terminal = """
            import os, pty, sys
            os.environ.update(TERM="xterm", **dict(pair.split("=") for pair in sys.argv[2].split()))
            sys.exit(os.waitstatus_to_exitcode(pty.spawn([sys.argv[1], "doctor", "--database", sys.argv[3]])))
            """
        func output(_ environment: String) async throws -> String {
            let binary = try ParleyProcess.binary.path
            let (code, output) = try await ChildProcess.run(["/usr/bin/python3", "-c", terminal, binary, environment, database])
            #expect(code == 0, "\(output)")
            return output
        }
        let signs = try await output("")
        #expect(signs.contains("\u{1B}[32m✓\u{1B}[0m database") && signs.contains("\u{1B}[33m!\u{1B}[0m models"), "\(signs)")
        #expect(try await output("NO_COLOR=1").contains("ok       database"))
    }
}
