import JSON
import ParleyTestSupport
import Testing

/// Whatever a client sends, it is answered as the protocol says, and the connection lives on.
@Suite("Bad input", .timeLimit(.minutes(5))) struct BadInputTests {
    private static let flags = ["--deterministic", "--log-level", "critical", "--caller", "userId:ada"]

    /// Runs a host; when `body` is done it must still answer.
    private static func withHost(
        _ furtherFlags: [String] = [], _ body: @escaping @Sendable (TestClient) throws -> Void
    ) async throws {
        try await TestHost.inProcess(flags + furtherFlags) { client in
            try body(client)
            try #expect(client.call("ping").result == [:])
        }
    }

    /// Sends one line and returns the one line that answers it.
    private static func exchange(_ line: [UInt8], _ client: TestClient) throws -> JSONValue {
        client.send(line + [UInt8(ascii: "\n")])
        let lines = try client.linesUntilRest()
        try #require(lines.count == 1, "\(lines.count) lines answer one")
        return try JSONReader.parse(lines[0])
    }

    private static func exchange(_ line: String, _ client: TestClient) throws -> JSONValue {
        try exchange(Array(line.utf8), client)
    }

    // MARK: Lines

    @Test("a line of 20 MB is refused once, and its end is found")
    func hugeLine() async throws {
        try await Self.withHost { client in
            for filler in [UInt8(ascii: "x"), UInt8(ascii: " "), 0, 0xFF] {
                let answer = try Self.exchange([UInt8](repeating: filler, count: 20 << 20), client)
                #expect(answer["id"] == .null)
                #expect(answer["error"]?["code"] == -32600)
                #expect(answer["error"]?["data"]?["code"] == "inputTooLarge")
            }
        }
    }

    @Test("a line as long as is allowed is read")
    func longestLine() async throws {
        try await Self.withHost { client in
            let request = Array(#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#.utf8)
            let longest = 8 << 20
            let padding = [UInt8](repeating: UInt8(ascii: " "), count: longest - request.count)
            try #expect(Self.exchange(request + padding, client)["result"] == [:])
            try #expect(Self.exchange(request + padding + [UInt8(ascii: "\r")], client)["result"] == [:])
            try #expect(Self.exchange(request + padding + [UInt8(ascii: " ")], client)["error"]?["data"]?["code"] == "inputTooLarge")
        }
    }

    @Test("a million blank lines are nothing")
    func blankLines() async throws {
        try await Self.withHost { client in
            client.send([UInt8](repeating: UInt8(ascii: "\n"), count: 1_000_000))
            client.send(Array(repeatElement(Array(" \t\r\n".utf8), count: 250_000).joined()))
            try #expect(client.linesUntilRest().isEmpty)
        }
    }

    @Test(
        "nesting of 100,000 is refused",
        arguments: ["[", "{\"a\":", "[[{\"a\":[", #"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":["#])
    func deepNesting(opening: String) async throws {
        try await Self.withHost { client in
            let answer = try Self.exchange(String(repeating: opening, count: 100_000), client)
            #expect(answer["id"] == .null)
            #expect(answer["error"]?["data"]?["code"] == "parseError")
        }
    }

    @Test("a key, a string, a number and a method's name of a million characters")
    func longTokens() async throws {
        try await Self.withHost { client in
            let long = String(repeating: "9", count: 1_000_000)
            let unknown = try Self.exchange(#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"\#(long)":1}}"#, client)
            #expect(unknown["error"]?["data"]?["code"] == "invalidParams")
            #expect((unknown["error"]?["data"]?["path"]?.stringValue?.utf8.count ?? .max) < 100)
            let method = try Self.exchange(#"{"jsonrpc":"2.0","id":1,"method":"\#(long)"}"#, client)
            #expect(method["error"]?["data"]?["code"] == "methodNotFound")
            #expect((method["error"]?["message"]?.stringValue?.utf8.count ?? .max) < 200)
            try #expect(Self.exchange(#"{"jsonrpc":"2.0","id":\#(long),"method":"ping"}"#, client)["id"] == .number(long))
            try #expect(Self.exchange(#"{"jsonrpc":"2.0","id":"\#(long)","method":"ping"}"#, client)["id"] == .string(long))
            let metadata = try Self.exchange(
                #"{"jsonrpc":"2.0","id":1,"method":"createConversation","params":{"metadata":{"n":\#(long)}}}"#, client)
            #expect(metadata["error"]?["data"]?["path"] == "metadata")
        }
    }

    // MARK: Messages

    @Test("a batch of 1,000 is answered in order")
    func largeBatch() async throws {
        try await Self.withHost { client in
            let kinds = [
                (#""method":"ping""#, "result"), (#""method":"listBots""#, "result"), (#""method":"nothing""#, "methodNotFound"),
                (#""method":"getBot""#, "invalidParams"), (#""method":7"#, "invalidRequest"),
            ]
            let members = (0..<1_000).map { #"{"jsonrpc":"2.0","id":\#($0),\#(kinds[$0 % kinds.count].0)}"# }
            let answers = try #require(try Self.exchange("[\(members.joined(separator: ","))]", client).arrayValue)
            #expect(answers.map { $0["id"]?.intValue } == Array(0..<1_000))
            for (index, answer) in answers.enumerated() {
                let outcome = answer["error"]?["data"]?["code"]?.stringValue ?? (answer["result"] == nil ? "nothing" : "result")
                #expect(outcome == kinds[index % kinds.count].1)
            }
        }
    }

    @Test(
        "an id comes back as it was, or is refused",
        arguments: [
            ("1", true), ("0", true), ("-1", true), ("-0", true), ("18446744073709551616", true), (#""""#, true), (#""1""#, true),
            (#""\u0000""#, true), ("null", true), ("1.0", false), ("1e2", false), ("true", false), ("[]", false), ("{}", false),
            ("[1]", false),
        ])
    func ids(literal: String, isAccepted: Bool) async throws {
        try await Self.withHost { client in
            let answer = try Self.exchange(#"{"jsonrpc":"2.0","id":\#(literal),"method":"ping"}"#, client)
            let id = try JSONReader.parse(Array(literal.utf8))
            #expect(answer["id"] == (isAccepted ? id : .null))
            #expect(answer["error"]?["data"]?["code"] == (isAccepted ? JSONValue?.none : "invalidRequest"))
        }
    }

    @Test(
        "a notification that cannot be read does nothing",
        arguments: [
            #""method":"$/cancelRequest""#, #""method":"$/cancelRequest","params":{}"#, #""method":"$/cancelRequest","params":{"id":[1]}"#,
            #""method":"$/cancelRequest","params":{"id":1,"x":2}"#, #""method":"$/cancelRequest","params":[1]"#,
            #""method":"$/advanceClock","params":{"ms":-1}"#, #""method":"$/advanceClock","params":{"ms":"1000"}"#,
            #""method":"$/advanceClock","params":{"ms":1e3}"#, #""method":"$/advanceClock","params":{"ms":99999999999999999999}"#,
            #""method":"$/advanceClock""#, #""method":"createBot","params":{"name":"Not made"}"#,
        ])
    func notifications(members: String) async throws {
        try await Self.withHost { client in
            client.send(Array(#"{"jsonrpc":"2.0",\#(members)}"#.utf8) + [UInt8(ascii: "\n")])
            try #expect(client.linesUntilRest().isEmpty)
            try #expect(client.result(of: "getStatus")["uptimeSeconds"] == 0)
            try #expect(client.result(of: "listBots")["data"] == [])
        }
    }

    // MARK: Params

    @Test("what is missing, unknown or of the wrong type is named", arguments: try MethodSchema.all())
    func params(schema: MethodSchema) async throws {
        try await Self.withHost { client in
            #expect(!schema.mistakes.isEmpty)
            for mistake in schema.mistakes {
                let error = try client.call(schema.name, mistake.params).error
                #expect(error?["code"] == -32602, "\(schema.name) \(mistake)")
                #expect(error?["data"]?["code"] == "invalidParams", "\(schema.name) \(mistake)")
                #expect(error?["data"]?["path"]?.stringValue == mistake.path, "\(schema.name) \(mistake)")
                #expect(error?["data"]?["reason"]?.stringValue?.isEmpty == false, "\(schema.name) \(mistake)")
            }
        }
    }

    @Test(
        "a mistake deep within is named too",
        arguments: [
            ("sendMessage", #"{"content":[{"type":"text","text":"a"},{"type":"text","text":7}]}"#, "content[1].text"),
            ("sendMessage", #"{"content":[{"type":"image"}]}"#, "content[0].type"),
            ("sendMessage", #"{"content":[{"text":"a"}]}"#, "content[0].type"),
            ("sendMessage", #"{"content":[{"type":"text","text":"a","odd key":1}]}"#, #"content[0]["odd key"]"#),
            ("sendMessage", #"{"content":[7]}"#, "content[0]"),
            ("listBots", #"{"caller":{"userId":7}}"#, "caller.userId"),
            ("listBots", #"{"caller":{"operator":"yes"}}"#, "caller.operator"),
            ("resetQuota", #"{"subject":{"userId":7}}"#, "subject.userId"),
            ("initialize", #"{"protocolVersion":1,"clientInfo":{"name":7}}"#, "clientInfo.name"),
            ("initialize", #"{"protocolVersion":1,"defaultCaller":{"anonymousToken":[]}}"#, "defaultCaller.anonymousToken"),
        ])
    func deepMistakes(method: String, params: String, path: String) async throws {
        try await Self.withHost { client in
            let answer = try client.call(method, try JSONReader.parse(Array(params.utf8)))
            #expect(answer.errorCode == "invalidParams")
            #expect(answer.error?["data"]?["path"]?.stringValue == path)
        }
    }

    @Test("a limit beyond 200 is 200")
    func limitIsClamped() async throws {
        try await Self.withHost(["--set", "quotas.user.bots.limit=none"]) { client in
            for number in 0..<201 { _ = try client.result(of: "createBot", ["name": .string("Bot \(number)")]) }
            let first = try client.result(of: "listBots", ["limit": 1_000_000])
            #expect(first["data"]?.arrayValue?.count == 200)
            let second = try client.result(of: "listBots", ["limit": 1_000_000, "cursor": first["nextCursor"] ?? nil])
            #expect(second["data"]?.arrayValue?.count == 1)
            #expect(second["nextCursor"] == nil)
            try #expect(client.result(of: "listBots")["data"]?.arrayValue?.count == 50)
        }
    }
}
