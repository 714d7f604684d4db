import Foundation
import JSON
import ParleyTestSupport
import Testing

/// The real program where it may not write, with the real system's errors.
///
/// A bound on the size of files stands for a full disk: it needs no file system of its own, which only a superuser can make, and can be set
/// and lifted while the program runs. A superuser who starts the program without the right to pass over permissions is as anybody else.
@Suite("The program where it may not write", .timeLimit(.minutes(5))) struct StoreTroubleTests {
    private let folder: TemporaryFolder
    private var database: String { folder.file("data/parley.db") }
    private var dataFolder: String { folder.file("data") }

    init() throws {
        folder = try TemporaryFolder()
    }

    private func start(_ arguments: String..., through starter: [String] = []) throws -> ParleyProcess {
        let script = try folder.write(
            #"{"expect":"hang","steps":[{"text":"so far"},{"hang":true}]}"# + "\n" + #"{"text":"Well.","repeat":true}"# + "\n",
            to: "s.jsonl")
        return try ParleyProcess(
            ["serve", "--database", database, "--caller", "userId:ada", "--model", "scripted:\(script)"] + arguments, through: starter)
    }

    /// Bounds the size of the files that a process may write to, `unlimited` for not at all.
    private func limitFiles(of process: ParleyProcess, to bytes: String) async throws {
        let (code, output) = try await ChildProcess.run(["/usr/bin/prlimit", "--pid", "\(process.id)", "--fsize=\(bytes):"])
        try #require(code == 0, "\(output)")
    }

    private func expectSound() async throws {
        let checked = try await ChildProcess.run([ParleyProcess.binary.path, "db", "check", "--database", database])
        #expect(checked.code == 0, "\(checked)")
    }

    @Test("no space while a turn runs") func noSpaceInFlight() async throws {
        let parley = try start()
        let running = parley.send("sendMessage", ["text": "hang"])
        let started = try await parley.event("messageDelta")["params"]
        let (turnID, conversationID) = (started?["turnId"] ?? .null, started?["conversationId"] ?? .null)
        try await limitFiles(of: parley, to: "0")
        for _ in 0..<2 {
            let refused = try await parley.call("sendMessage", ["text": "Another"])["error"]
            #expect(refused?["code"] == 1501 && refused?["data"]?["code"] == "storeFull" && refused?["data"]?["httpStatus"] == 507)
        }
        #expect(try await parley.call("listMessages", ["conversationId": conversationID])["result"]?["data"]?.arrayValue?.count == 1)
        parley.send("cancelTurn", ["turnId": turnID])
        let told = try await parley.line { $0["id"]?.intValue == running }["result"]?["turn"]
        #expect(told?["status"] == "failed" && told?["error"]?["data"]?["code"] == "storeFull")

        try await limitFiles(of: parley, to: "unlimited")
        var stored: JSONValue?
        repeat { stored = try await parley.call("getTurn", ["turnId": turnID])["result"]?["turn"] } while stored?["status"] == "inProgress"
        #expect(stored?["status"] == "failed" && stored?["error"] == told?["error"])
        let again = try await parley.call("sendMessage", ["conversationId": conversationID, "text": "Again"])
        #expect(again["result"]?["turn"]?["status"] == "completed")
        #expect(try await parley.call("listConversations")["result"]?["data"]?.arrayValue?.count == 1)
        parley.endInput()
        #expect(await parley.exitCode() == 0)
        try await expectSound()
    }

    // A sanitizer writes files of its own before the program begins.
    @Test("no space at the start", .disabled(if: ChildProcess.isSanitized), arguments: [false, true])
    func noSpaceAtStart(exists: Bool) async throws {
        if exists {
            let parley = try start()
            _ = try await parley.call("sendMessage", ["text": "Hello"])
            parley.signal(SIGKILL)
            _ = await parley.exitCode()
        }
        let refused = try start(through: ["/usr/bin/prlimit", "--fsize=0:"])
        #expect(await refused.exitCode() == 69)
        let text = refused.errorText()
        #expect(text.hasPrefix("parley: ") && text.contains(database) && text.hasSuffix(".\n"), "\(text)")

        let parley = try start()
        #expect(try await parley.call("listConversations")["result"]?["data"]?.arrayValue?.count == (exists ? 1 : 0))
        #expect(try await parley.call("sendMessage", ["text": "Hello"])["result"]?["turn"]?["status"] == "completed")
        parley.endInput()
        #expect(await parley.exitCode() == 0)
        try await expectSound()
    }

    @Test("a folder that may not be written to", arguments: [false, true]) func readOnlyFolder(exists: Bool) async throws {
        if exists {
            let parley = try start()
            _ = try await parley.call("sendMessage", ["text": "Hello"])
            parley.endInput()
            #expect(await parley.exitCode() == 0)
        } else {
            try FileManager.default.createDirectory(atPath: dataFolder, withIntermediateDirectories: false)
        }
        let before = try FileManager.default.contentsOfDirectory(atPath: dataFolder).sorted()
        try FileManager.default.setAttributes([.posixPermissions: 0o555], ofItemAtPath: dataFolder)
        let refused = try start(
            through: getuid() == 0 ? ["/usr/bin/setpriv", "--bounding-set=-dac_override,-dac_read_search"] : [])
        #expect(await refused.exitCode() == 69)
        let text = refused.errorText()
        #expect(text.contains(dataFolder) && text.contains("read-only"), "\(text)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: dataFolder).sorted() == before)

        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: dataFolder)
        let parley = try start()
        #expect(try await parley.call("sendMessage", ["text": "Hello"])["result"]?["turn"]?["status"] == "completed")
        parley.endInput()
        #expect(await parley.exitCode() == 0)
        try await expectSound()
    }

    @Test("the folder is moved away while a turn runs, and back") func folderMoves() async throws {
        let parley = try start()
        let running = parley.send("sendMessage", ["text": "hang"])
        let turnID = try await parley.event("messageDelta")["params"]?["turnId"] ?? .null
        try FileManager.default.moveItem(atPath: dataFolder, toPath: folder.file("away"))
        #expect(try await parley.call("sendMessage", ["text": "Another"])["error"]?["data"]?["code"] == "storeUnavailable")
        try FileManager.default.moveItem(atPath: folder.file("away"), toPath: dataFolder)
        #expect(try await parley.call("sendMessage", ["text": "Another"])["result"]?["turn"]?["status"] == "completed")
        parley.send("cancelTurn", ["turnId": turnID])
        #expect(try await parley.line { $0["id"]?.intValue == running }["result"]?["turn"]?["status"] == "cancelled")
        parley.endInput()
        #expect(await parley.exitCode() == 0)
        try await expectSound()
    }

    @Test("the folder is removed while a turn runs") func folderIsRemoved() async throws {
        let parley = try start()
        let running = parley.send("sendMessage", ["text": "hang"])
        let turnID = try await parley.event("messageDelta")["params"]?["turnId"] ?? .null
        try FileManager.default.removeItem(atPath: dataFolder)
        // What cannot be kept is not accepted.
        #expect(try await parley.call("sendMessage", ["text": "Another"])["error"]?["data"]?["code"] == "storeUnavailable")
        parley.write(#"{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":\#(running)}}"# + "\n")
        let told = try await parley.line { $0["id"]?.intValue == running }["result"]?["turn"]
        #expect(told?["status"] == "failed" && told?["error"]?["data"]?["code"] == "storeUnavailable")
        parley.endInput()
        #expect(await parley.exitCode() == 0)

        let next = try start()
        #expect(try await next.call("getTurn", ["turnId": turnID])["error"]?["data"]?["code"] == "notFound")
        #expect(try await next.call("sendMessage", ["text": "Hello"])["result"]?["turn"]?["status"] == "completed")
        next.endInput()
        #expect(await next.exitCode() == 0)
    }
}
