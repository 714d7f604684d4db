import JSON
import ParleyTestSupport
import Testing

/// What is exported is imported, and exported again the same.
@Suite("Conversation files", .timeLimit(.minutes(5))) struct ConversationFileTests {
    private static let flags = ["--deterministic", "--log-level", "critical", "--caller", "userId:ada"]

    /// The whole file, and how many pages it had.
    private static func export(_ id: JSONValue, as format: JSONValue = "jsonl", _ client: TestClient) throws -> (text: String, pages: Int) {
        var (text, pages) = ("", 0)
        var cursor = JSONValue.null
        repeat {
            let page = try client.result(of: "exportConversation", ["conversationId": id, "format": format, "cursor": cursor])
            text += try #require(page["data"]?.stringValue)
            cursor = page["nextCursor"] ?? nil
            pages += 1
        } while cursor != nil
        return (text, pages)
    }

    private static func importFile(_ text: String, _ client: TestClient) throws -> JSONValue {
        let result = try client.result(of: "importConversation", ["data": .string(text)])
        #expect(result["messages"]?.intValue == text.utf8.count { $0 == 0x0A } - 1)
        return try #require(result["conversation"]?["id"])
    }

    /// The file with its ids in the order in which they come, for nothing else of an import is its own.
    private static func normalised(_ text: String) throws -> [String] {
        var names: [String: JSONValue] = [:]
        func name(_ id: JSONValue?) -> JSONValue? {
            guard let id = id?.stringValue else { return id }
            if names[id] == nil { names[id] = .string("id \(names.count)") }
            return names[id]
        }
        return try text.split(separator: "\n").map { line in
            guard case .object(var members) = try JSONReader.parse(Array(line.utf8)) else { return String(line) }
            for key in ["id", "parentId"] where members[key] != nil { members[key] = name(members[key]) }
            if case .object(var turn)? = members["turn"] {
                turn["id"] = name(turn["id"])
                members["turn"] = .object(turn)
            }
            // The head is named before the messages are.
            if members["headMessageId"] != nil { members["headMessageId"] = "HEAD" }
            return String(decoding: JSONWriter.encode(JSONValue.object(members)), as: UTF8.self)
        }
    }

    /// Which line holds the head.
    private static func head(of text: String) throws -> Int? {
        let lines = try text.split(separator: "\n").map { try JSONReader.parse(Array($0.utf8)) }
        return lines[0]["headMessageId"].flatMap { head in lines.firstIndex { $0["id"] == head } }
    }

    @Test("any conversation comes back as it was", arguments: 0..<UInt64(40))
    func roundTrip(seed: UInt64) async throws {
        let file = RandomConversation(seed: seed, count: Int(seed) * 2).file
        try await TestHost.inProcess(Self.flags) { client in
            let first = try Self.importFile(file, client)
            let once = try Self.export(first, client).text
            #expect(try Self.normalised(once) == Self.normalised(file))
            #expect(try Self.head(of: once) == Self.head(of: file))
            let twice = try Self.export(Self.importFile(once, client), client).text
            #expect(try Self.normalised(twice) == Self.normalised(once))
            // It can be read, forked, and goes on.
            let markdown = try Self.export(first, as: "markdown", client).text
            #expect(markdown.hasPrefix("# "))
            let messages = try client.result(of: "listMessages", ["conversationId": first, "limit": 200])["data"]?.arrayValue ?? []
            let fork = try client.result(of: "forkConversation", ["conversationId": first])["conversation"]?["id"] ?? nil
            let copies = try client.result(of: "listMessages", ["conversationId": fork, "limit": 200])["data"]?.arrayValue ?? []
            #expect(copies.map { $0["content"] } == messages.map { $0["content"] })
            let turn = try client.result(of: "sendMessage", ["conversationId": first, "text": "And now?", "stream": false])
            #expect(turn["turn"]?["status"] == "completed")
        }
    }

    @Test("a conversation of this host's own is imported")
    func ownConversation() async throws {
        let folder = try TemporaryFolder()
        let script = try folder.write(
            """
            {"steps": [{"reasoning": "Hm."}, {"text": "Let me look."}, {"toolCall": {"name": "list_bots", "arguments": {}}}]}
            {"text": "There are none."}
            {"steps": [{"text": "Half of "}, {"error": {"code": "modelRejected", "message": "No."}}]}
            {"text": "Again."}
            {"steps": [{"text": "Well…"}, {"hang": true}], "repeat": true}
            """, to: "script.jsonl")
        try await TestHost.inProcess(Self.flags + ["--model", "scripted:\(script)"]) { client in
            let conversation = try client.result(of: "createConversation", ["title": "T"])["conversation"]?["id"] ?? nil
            func send(_ text: JSONValue, _ more: [(String, JSONValue)] = []) throws {
                var params: JSONValue = ["conversationId": conversation, "text": text, "stream": false]
                for (key, value) in more {
                    if case .object(var members) = params {
                        members[key] = value
                        params = .object(members)
                    }
                }
                _ = try client.result(of: "sendMessage", params)
            }
            for text in ["Which bots?", "And?", "/quota", "/bot nobody", "Hello?"] { try send(.string(text)) }
            let question = try client.result(of: "listMessages", ["conversationId": conversation])["data"]?.arrayValue?.last?["id"] ?? nil
            try send("Last?", [("wait", false)])
            let file = try Self.export(conversation, client).text
            let copy = try Self.importFile(file, client)
            #expect(try Self.normalised(Self.export(copy, client).text) == Self.normalised(file))
            #expect(question != nil)
        }
    }

    @Test("a conversation that goes on while its pages are read is imported")
    func pagesOfRunningTurn() async throws {
        let folder = try TemporaryFolder()
        let script = try folder.write(#"{"steps": [{"text": "Well…"}, {"hang": true}], "repeat": true}"#, to: "script.jsonl")
        try await TestHost.inProcess(Self.flags + ["--model", "scripted:\(script)"]) { client in
            let text = JSONValue.string(String(repeating: "x", count: 1_048_000))
            let sent = try client.result(of: "sendMessage", ["text": text, "stream": false, "wait": false])
            let conversation = sent["turn"]?["conversationId"] ?? nil
            client.send(Array(#"{"jsonrpc":"2.0","method":"$/advanceClock","params":{"ms":2000}}"#.utf8) + [UInt8(ascii: "\n")])
            let params: JSONValue = ["conversationId": conversation, "format": "jsonl"]
            let first = try client.result(of: "exportConversation", params)
            let cursor = try #require(first["nextCursor"])
            _ = try client.result(of: "cancelTurn", ["turnId": sent["turn"]?["id"] ?? nil])
            let second = try client.result(
                of: "exportConversation", ["conversationId": conversation, "format": "jsonl", "cursor": cursor])
            let file = (first["data"]?.stringValue ?? "") + (second["data"]?.stringValue ?? "")
            let copy = try Self.importFile(file, client)
            // But for when it was made, which the first line tells.
            #expect(try Self.normalised(Self.export(copy, client).text).dropFirst() == Self.normalised(file).dropFirst())
        }
    }

    @Test("a long conversation has pages, which are the file together", arguments: ["jsonl", "markdown"] as [JSONValue])
    func pages(format: JSONValue) async throws {
        let folder = try TemporaryFolder()
        let script = try folder.write(#"{"text": "Yes.", "repeat": true}"#, to: "script.jsonl")
        try await TestHost.inProcess(Self.flags + ["--model", "scripted:\(script)"]) { client in
            var conversation = JSONValue.null
            let word = String(repeating: "\"long\"-", count: 70_000)
            for number in 0..<4 {
                let text = JSONValue.string("\(number) \(word)")
                let sent = try client.result(of: "sendMessage", ["conversationId": conversation, "text": text, "stream": false])
                conversation = sent["turn"]?["conversationId"] ?? nil
            }
            let (text, pages) = try Self.export(conversation, as: format, client)
            #expect(pages > 2)
            var rest = text[...]
            for number in 0..<4 {
                let place = try #require(rest.range(of: format == "jsonl" ? "\"\(number) \\\"long" : "> \(number) \"long"))
                rest = rest[place.upperBound...]
            }
            if format == "jsonl" {
                #expect(try Self.normalised(Self.export(Self.importFile(text, client), client).text) == Self.normalised(text))
            }
        }
    }
}
