import Foundation
import JSON
import ParleyTestSupport
import Testing

/// A host whose disk is full or broken while turns run: it goes on, says so, and once the disk is mended all is as clients were told.
@Suite("A host on a failing disk", .timeLimit(.minutes(5))) struct StoreTroubleTests {
    private let folder: TemporaryFolder
    private let disk: FaultyDisk

    init() throws {
        folder = try TemporaryFolder()
        disk = try FaultyDisk(folder: folder.path)
    }

    /// The first answer calls a tool of the client, which so decides when the turn goes on; the second never ends by itself.
    private static let script = """
        {"expect": "tool", "steps": [{"text": "Let me look."}, {"toolCall": {"name": "weather", "arguments": {}}}]}
        {"expect": "hang", "steps": [{"text": "so far"}, {"hang": true}]}
        {"text": "Well.", "repeat": true}

        """

    private func inHost<Result: Sendable>(
        _ arguments: String..., body: @escaping @Sendable (Conversing) throws -> Result
    ) async throws -> Result {
        let script = try folder.write(Self.script, to: "script.jsonl")
        let arguments =
            [
                "--database", folder.file("parley.db"), "--caller", "userId:ada", "--model", "scripted:\(script)", "--log-level",
                "critical",
                "--set", "turns.checkpointMilliseconds=100",
            ] + arguments
        return try await TestHost.inProcess(arguments) { client in
            let conversing = Conversing(client: client)
            let tool: JSONValue = ["name": "weather", "description": "Tell the weather.", "inputSchema": ["type": "object"]]
            _ = try client.result(of: "setClientTools", ["tools": [tool]])
            return try body(conversing)
        }
    }

    /// A client that has a turn running beside its other requests.
    private struct Conversing {
        struct Ended: Error {}

        let client: TestClient

        func send(_ message: JSONValue) {
            client.send(JSONWriter.encode(message) + [UInt8(ascii: "\n")])
        }

        /// Reads until a line fits.
        func line(where fits: (JSONValue) -> Bool) throws -> JSONValue {
            while let line = try client.nextLine() {
                let message = try JSONReader.parse(line)
                if fits(message) { return message }
            }
            throw Ended()
        }

        /// Begins a turn and reads until it has come so far.
        ///
        /// - Returns: the last message.
        func begin(_ text: JSONValue, until method: JSONValue) throws -> JSONValue {
            send(["jsonrpc": "2.0", "id": "turn", "method": "sendMessage", "params": ["text": text]])
            return try line { $0["method"] == method }
        }

        /// Reads the end of the turn, which its reply must tell as its event has.
        func end() throws -> JSONValue {
            let completed = try line { $0["method"] == "turnCompleted" && $0["params"]?["requestId"] == "turn" }
            let reply = try line { $0["id"] == "turn" }
            #expect(reply["result"]?["turn"] == completed["params"]?["turn"])
            return completed["params"]?["turn"] ?? .null
        }

        /// What is stored of a turn once its end is.
        func stored(_ id: JSONValue) throws -> JSONValue {
            while true {
                let turn = try client.result(of: "getTurn", ["turnId": id])["turn"] ?? .null
                if turn["status"] != "inProgress" { return turn }
            }
        }
    }

    @Test(
        "a turn that cannot be stored fails, and is stored as failed later",
        arguments: [(FaultyDisk.Trouble.full, "storeFull", 507), (.overQuota, "storeFull", 507), (.broken, "storeUnavailable", 503)])
    func turnsFail(trouble: FaultyDisk.Trouble, code: String, status: Int) async throws {
        let code = JSONValue.string(code)
        try await inHost { [disk] host in
            let client = host.client
            let call = try host.begin("tool", until: "callTool")
            let (turnID, conversationID) = (call["params"]?["turnId"] ?? .null, call["params"]?["conversationId"] ?? .null)
            let before = try client.result(of: "listMessages", ["conversationId": conversationID])
            disk.fail(trouble)
            for _ in 0..<2 {
                for (method, params): (String, JSONValue) in [("sendMessage", ["text": "Another"]), ("createBot", ["name": "Bot"])] {
                    let refused = try client.call(method, params)
                    #expect(refused.error?["code"] == 1501 && refused.error?["data"]?["code"] == code, "\(refused.text)")
                    #expect(refused.error?["data"]?["httpStatus"] == .integer(Int64(status)))
                }
                let read = try client.call("listMessages", ["conversationId": conversationID])
                if code == "storeFull" { #expect(read.result == before) } else { #expect(read.errorCode == "storeUnavailable") }
            }
            host.send(["jsonrpc": "2.0", "id": call["id"] ?? .null, "result": ["content": [["type": "text", "text": "Rain."]]]])
            let told = try host.end()
            #expect(told["status"] == "failed" && told["stopReason"] == "error" && told["error"]?["data"]?["code"] == code, "\(told)")
            disk.heal()

            let stored = try host.stored(turnID)
            for member in ["status", "stopReason", "error", "messageId"] { #expect(stored[member] == told[member]) }
            #expect(stored["quota"]?["counted"] == false)
            let message = try client.result(of: "getTurn", ["turnId": turnID])["message"]
            #expect(message?["content"]?.arrayValue?.first == ["type": "text", "text": "Let me look."])
            let again = try client.result(of: "sendMessage", ["conversationId": conversationID, "text": "Again", "stream": false])
            #expect(again["turn"]?["status"] == "completed")
            let conversations = try client.result(of: "listConversations")["data"]?.arrayValue
            #expect(conversations?.count == 1, "what was refused is not there")
        }
    }

    @Test("a turn can be cancelled though nothing can be stored", arguments: [FaultyDisk.Trouble.full, .broken], [false, true])
    func turnsAreCancelled(trouble: FaultyDisk.Trouble, byNotification: Bool) async throws {
        try await inHost { [disk] host in
            let delta = try host.begin("hang", until: "messageDelta")
            let turnID = delta["params"]?["turnId"] ?? .null
            disk.fail(trouble)
            if byNotification {
                host.send(["jsonrpc": "2.0", "method": "$/cancelRequest", "params": ["id": "turn"]])
            } else {
                host.send(["jsonrpc": "2.0", "id": "cancel", "method": "cancelTurn", "params": ["turnId": turnID]])
            }
            // Nobody can be shown to have a right to a turn while nothing can be read.
            if trouble == .broken, !byNotification {
                #expect(try host.line { $0["id"] == "cancel" }["error"]?["data"]?["code"] == "storeUnavailable")
                disk.heal()
                host.send(["jsonrpc": "2.0", "id": "cancel", "method": "cancelTurn", "params": ["turnId": turnID]])
            }
            let told = try host.end()
            if !byNotification { #expect(try host.line { $0["id"] == "cancel" }["result"]?["turn"] == told) }
            disk.heal()
            let stored = try host.stored(turnID)
            #expect(stored["status"] == told["status"] && stored["error"] == told["error"])
            let message = try host.client.result(of: "getTurn", ["turnId": turnID])["message"]
            #expect(message?["content"] == [["type": "text", "text": "so far"]])
        }
    }

    @Test("what could not be stored before the end is stored at the end, or the turn is found interrupted", arguments: [false, true])
    func theHostEnds(isMended: Bool) async throws {
        let (turnID, told) = try await inHost { [disk] host in
            let delta = try host.begin("hang", until: "messageDelta")
            disk.fail(.full)
            host.send(["jsonrpc": "2.0", "method": "$/cancelRequest", "params": ["id": "turn"]])
            let told = try host.end()
            if isMended { disk.heal() }
            return (delta["params"]?["turnId"] ?? .null, told)
        }
        disk.heal()
        try await inHost { host in
            let turn = try host.client.result(of: "getTurn", ["turnId": turnID])["turn"]
            #expect(told["error"]?["data"]?["code"] == "storeFull")
            #expect(turn?["status"] == (isMended ? "failed" : "interrupted") && turn?["error"] == (isMended ? told["error"] : nil))
        }
    }

    @Test("with durability full no message is accepted that is not safe", arguments: ["full", "normal"])
    func durability(_ durability: String) async throws {
        try await inHost("--set", "durability=\(durability)") { [disk] host in
            disk.forget()
            let call = try host.begin("tool", until: "callTool")
            let (writes, syncs) = (disk.calls.contains(.init(.write, of: .log)), disk.calls.contains(.init(.sync, of: .log)))
            #expect(writes && syncs == (durability == "full"))
            disk.fail(.unsafe)
            let answer = try host.client.call("sendMessage", ["text": "Another", "wait": false])
            #expect(answer.errorCode == (durability == "full" ? "storeUnavailable" : nil))
            disk.heal()
            host.send(["jsonrpc": "2.0", "id": call["id"] ?? .null, "result": ["content": [["type": "text", "text": "Rain."]]]])
            #expect(try host.end()["status"] == "completed")
        }
    }
}
