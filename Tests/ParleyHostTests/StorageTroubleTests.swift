import JSON
import ParleySQLite
import ParleyTestSupport
import Testing

/// What a client is told, and when, by a host whose disk is slow, full or broken.
@Suite("Storage trouble", .timeLimit(.minutes(5))) struct StorageTroubleTests {
    private let folder: TemporaryFolder
    private let disk: FaultyDisk
    private var database: String { folder.file("parley.db") }

    init() throws {
        folder = try TemporaryFolder()
        disk = FaultyDisk(folder: folder.path)
    }

    private func inProcess(_ body: @escaping @Sendable (TestClient) throws -> Void) async throws {
        try await TestHost.inProcess(
            [
                "--database", database, "--caller", "userId:ada", "--set", "durability=full", "--set", "quotas.user.inFlight.limit=none",
                "--log-level", "critical",
            ], body: body)
        #expect(SQLiteStore.check(path: database) == [])
    }

    private static func request(_ params: String) -> [UInt8] {
        Array(#"{"jsonrpc":"2.0","id":"send","method":"sendMessage","params":\#(params)}"#.utf8) + [UInt8(ascii: "\n")]
    }

    private static func next(_ client: TestClient, where fits: (JSONValue) -> Bool) throws -> JSONValue {
        while let line = try client.nextLine() {
            let message = try JSONReader.parse(line)
            if fits(message) { return message }
        }
        throw TestClient.Trouble(description: "the host ended")
    }

    @Test("with full durability nothing is accepted before it is on the disk")
    func acceptanceWaitsForTheDisk() async throws {
        let disk = disk
        try await inProcess { client in
            _ = try client.result(of: "createConversation")
            disk.hold(.sync)
            client.send(Self.request(#"{"text":"Hello"}"#))
            disk.waitUntilHeld()
            // All that was written to stdout by now is read with the answer to this.
            #expect(try client.linesUntilRest().isEmpty)
            disk.release()
            #expect(try Self.next(client) { $0["method"] != nil }["method"] == "turnStarted")
            #expect(try Self.next(client) { $0["id"] == "send" }["result"]?["turn"]?["status"] == "completed")
        }
    }

    /// Trouble, and what clients are told.
    struct Case: Sendable, CustomTestStringConvertible {
        let fault: FaultyDisk.Fault
        let code: JSONValue
        let httpStatus: JSONValue
        let retryable: JSONValue
        var testDescription: String { fault.description }
    }

    static let cases = [
        Case(
            fault: FaultyDisk.Fault([.write], isLasting: true, isFull: true), code: "storeFull", httpStatus: 507, retryable: false),
        Case(fault: FaultyDisk.Fault([.write], isLasting: true), code: "storeUnavailable", httpStatus: 503, retryable: true),
        Case(fault: FaultyDisk.Fault([.sync], isLasting: true), code: "storeUnavailable", httpStatus: 503, retryable: true),
    ]

    @Test("an end that cannot be stored is told, and stored when the disk is well again", arguments: cases)
    func anEndThatCannotBeStored(_ trouble: Case) async throws {
        let disk = disk
        try await inProcess { client in
            let conversation = try client.result(of: "createConversation")["conversation"]?["id"] ?? .null
            let id = conversation.stringValue ?? ""
            // Accepted with the last good sync of the disk.
            disk.hold(.sync)
            client.send(Self.request(#"{"conversationId":"\#(id)","text":"Hello"}"#))
            disk.waitUntilHeld()
            disk.fail(trouble.fault)
            disk.release()
            let completed = try Self.next(client) { $0["method"] == "turnCompleted" }["params"]
            #expect(completed?["turn"]?["status"] == "failed" && completed?["turn"]?["error"]?["code"] == trouble.code, "\(completed ?? .null)")
            let reply = try Self.next(client) { $0["id"] == "send" }["result"]
            #expect(reply?["turn"] == completed?["turn"] && reply?["message"]?["status"] == "partial")
            let turnID = reply?["turn"]?["id"] ?? .null

            // While it lasts: what only reads goes on, what would store something says why it cannot.
            #expect(try client.result(of: "getTurn", ["turnId": turnID])["turn"]?["status"] == "inProgress")
            for (method, params) in [("sendMessage", ["text": "Me too"]), ("createBot", ["name": "Ada"])] as [(String, JSONValue)] {
                let error = try client.call(method, params).error
                #expect(error?["code"] == 1501)
                #expect(error?["data"]?["code"] == trouble.code && error?["data"]?["httpStatus"] == trouble.httpStatus, "\(error ?? .null)")
                #expect(error?["data"]?["retryable"] == trouble.retryable)
            }

            disk.repair()
            while try client.result(of: "getTurn", ["turnId": turnID])["turn"]?["status"] == "inProgress" {}
            let stored = try client.result(of: "getTurn", ["turnId": turnID])
            #expect(stored["turn"]?["status"] == "failed" && stored["turn"]?["error"]?["code"] == trouble.code, "\(stored)")
            #expect(stored["message"]?["content"] == reply?["message"]?["content"])
            let again = try client.result(of: "sendMessage", ["conversationId": conversation, "text": "Again"])
            #expect(again["turn"]?["status"] == "completed")
            #expect(try client.result(of: "listConversations")["data"]?.arrayValue?.count == 1)
            #expect(try client.result(of: "listMessages", ["conversationId": conversation])["data"]?.arrayValue?.count == 4)
        }
    }
}
