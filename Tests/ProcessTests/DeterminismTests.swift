import Foundation
import JSON
import ParleyTestSupport
import Testing

/// `parley serve --deterministic < requests.jsonl` gives the same bytes wherever, whenever and however it runs.
@Suite(.timeLimit(.minutes(5)))
struct DeterminismTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private static func request(_ id: Int, _ method: String, _ params: JSONValue = [:]) -> String {
        let request: JSONValue = ["jsonrpc": "2.0", "id": .integer(Int64(id)), "method": .string(method), "params": params]
        return String(decoding: JSONWriter.encode(request), as: UTF8.self) + "\n"
    }

    /// People, tokens, bots, pages, refusals, turns side by side, waits, a client tool, a cancel, a batch, the clock, and a turn that runs when
    /// the input ends.
    private static let requests: String = {
        let weather: JSONValue = ["name": "weather", "description": "Tells the weather.", "inputSchema": ["type": "object"]]
        var text = request(1, "initialize", ["protocolVersion": 1, "capabilities": ["clientTools": true]])
        text += request(2, "setClientTools", ["caller": ["operator": true], "tools": [weather]]) + request(3, "createAnonymousUser")
        for (id, person) in [(10, "ada"), (11, "bob"), (12, "eve"), (13, "dan")] {
            let caller: JSONValue = ["userId": .string(person)]
            text += request(id, "createBot", ["caller": caller, "name": "Ä bot", "config": ["b": 1, "a": [2.50]]])
            text += request(id + 10, "sendMessage", ["caller": caller, "text": "Wait, please."])
            text += request(id + 20, "sendMessage", ["caller": caller, "text": "/title Über", "stream": false])
        }
        text += request(40, "ping") + request(41, "listModels", ["caller": ["userId": "ada"]]) + request(42, "getStatus") + "nonsense\n"
        text += request(43, "sendMessage", ["caller": ["userId": "ada"], "text": "What is the weather?"])
        text += #"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"Sun."}]}}"# + "\n"
        text += #"[{"jsonrpc":"2.0","id":50,"method":"ping"},{"jsonrpc":"2.0","id":51,"method":"nothing"}]"# + "\n"
        text += #"{"jsonrpc":"2.0","method":"$/advanceClock","params":{"ms":4000}}"# + "\n"
        text += request(60, "cancelTurn", ["caller": ["userId": "eve"], "turnId": "turn-5"])
        text += request(61, "getQuota", ["caller": ["operator": true], "subject": ["userId": "ada"]])
        text += request(62, "listConversations", ["caller": ["userId": "bob"], "limit": 1])
        return text + request(63, "sendMessage", ["caller": ["userId": "ada"], "text": "Wait, please."])
    }()

    /// What ends in many places at once, and must be told in the same order every time.
    private static let ends: [(name: String, requests: String)] = {
        let tool: JSONValue = ["name": "weather", "description": "Tells the weather.", "inputSchema": ["type": "object"]]
        let beginning =
            request(0, "initialize", ["protocolVersion": 1, "capabilities": ["clientTools": true], "defaultCaller": ["userId": "ada"]])
            + request(1, "setClientTools", ["tools": [tool]])
        // Null is the same as leaving a field out.
        func send(_ id: Int, _ text: JSONValue, conversation: JSONValue = nil, name: JSONValue = nil) -> String {
            let onBusy: JSONValue = conversation.isNull ? nil : "enqueue"
            return request(
                id, "sendMessage", ["text": text, "conversationId": conversation, "onBusy": onBusy, "clientMessageId": name])
        }
        func each(_ ids: Range<Int>, _ make: (Int) -> String) -> String { ids.map(make).joined() }
        let cancel = request(90, "cancelTurn", ["turnId": "turn-1"])
        return [
            ("a cancel of a turn with many tools", beginning + send(2, "Call.") + cancel),
            ("an end of the input with many tools", beginning + each(2..<7) { send($0, "Call.") }),
            (
                "a clock that goes beyond all bounds",
                beginning + each(2..<8) { send($0, $0 % 2 == 0 ? "Call." : "Hang.") }
                    + #"{"jsonrpc":"2.0","method":"$/advanceClock","params":{"ms":3600000}}"# + "\n"
            ),
            ("a cancel that many wait for", beginning + each(2..<9) { send($0, "Hang.", name: "a") } + cancel),
            (
                "a cancel that many follow",
                beginning + send(2, "Hang.") + each(3..<9) { request($0, "attachTurn", ["turnId": "turn-1"]) } + cancel
            ),
            (
                "a conversation that is deleted with what waits in it",
                beginning + send(2, "Hang.") + each(3..<9) { send($0, "Hang.", conversation: "conversation-1") }
                    + request(90, "deleteConversation", ["conversationId": "conversation-1"])
            ),
            ("somebody who is deleted", beginning + each(2..<8) { send($0, "Hang.") } + request(90, "deleteUser", ["confirm": true])),
            (
                "a batch whose last member is answered before its turn begins",
                beginning + "[\(request(2, "ping")),\(request(3, "sendMessage", ["text": "Hang.", "wait": false]))]".filter { $0 != "\n" }
                    + "\n"
            ),
            ("an end of the input with turns that hang", beginning + each(2..<8) { send($0, "Hang.") }),
        ]
    }()

    @Test(arguments: ends.indices)
    func whatEndsAtOnceEndsInTheSameOrder(index: Int) async throws {
        let (name, requests) = Self.ends[index]
        let call = #"{"toolCall": {"name": "weather", "arguments": {"n": "#
        let calls = (1...4).map { "\(call)\($0)}}}" }.joined(separator: ", ")
        try folder.write(
            """
            {"expect": "Call", "steps": [\(calls)], "repeat": true}
            {"expect": "Hang", "steps": [{"text": "So."}, {"hang": true}], "repeat": true}

            """, to: "answers.jsonl")
        let flags = ["--set", "quotas.user.inFlight.limit=none", "--set", "turns.maxSteps=2"]
        let expected = try await output(flags) { $0.write(requests) }
        for _ in 0..<8 {
            let output = try await output(flags) { $0.write(requests) }
            #expect(output == expected, "\(name)")
        }
    }

    private func output(
        _ flags: [String] = [], environment: [String: String] = [:], through starter: [String] = [],
        write: (ParleyProcess) async throws -> Void
    ) async throws -> String {
        let process = try ParleyProcess(
            ["serve", "--deterministic", "--log-level", "critical", "--model", "scripted:\(folder.path)/answers.jsonl"] + flags,
            environment: environment, through: starter)
        try await write(process)
        process.endInput()
        let output = await process.rest()
        #expect(await process.exitCode() == 0)
        return output
    }

    @Test func theSameRequestsGiveTheSameBytes() async throws {
        try folder.write(
            """
            {"expect": "Wait", "steps": [{"text": "So "}, {"waitFor": "ping"}, {"text": "it "}, {"delayMs": 1500}, {"text": "goes."}], "repeat": true}
            {"steps": [{"reasoning": "Hm."}, {"toolCall": {"name": "weather", "arguments": {}}}]}
            {"text": "Sunny."}

            """, to: "answers.jsonl")
        let all = Self.requests
        let expected = try await output { $0.write(all) }
        #expect(expected.contains("scripted:answers.jsonl") && !expected.contains(folder.path))
        #expect(expected.contains("turnCompleted") && expected.contains("callTool") && expected.contains("parseError"), "\(expected)")

        let elsewhere = [
            "TZ": "Pacific/Chatham", "LANG": "tr_TR.UTF-8", "LC_ALL": "de_DE.UTF-8", "HOME": "/nowhere", "XDG_DATA_HOME": "/nowhere",
            "MINIMAX_API_KEY": "a", "OPENAI_API_KEY": "b", "ANTHROPIC_API_KEY": "c", "OPENAI_BASE_URL": "http://nowhere.invalid",
            "PARLEY_MODEL": "demo:demo", "PARLEY_CALLER": "userId:eve", "PARLEY_LIMITS_MAX_IN_FLIGHT": "1", "PARLEY_CONFIG": "/nowhere",
            "HTTPS_PROXY": "http://127.0.0.1:1", "SWIFT_DETERMINISTIC_HASHING": "1",
        ]
        #expect(try await output(environment: elsewhere, through: ["/usr/bin/env", "-C", "/"]) { $0.write(all) } == expected)
        // On one core, and with one thread for all tasks.
        let core = try #require(Self.firstCore)
        #expect(
            try await output(environment: ["LIBDISPATCH_COOPERATIVE_POOL_STRICT": "1"], through: ["/usr/bin/taskset", "-c", core]) {
                $0.write(all)
            } == expected)
        // In pieces, of which many are no lines.
        #expect(
            try await output { process in
                for byte in all.unicodeScalars { process.write(String(byte)) }
            } == expected)
        // Each line when the one before has been answered, or has at least been read.
        #expect(
            try await output { process in
                for line in all.split(separator: "\n") {
                    process.write(line + "\n")
                    await Task.yield()
                }
            } == expected)
        for _ in 0..<5 { #expect(try await output { $0.write(all) } == expected) }
    }

    /// A core that this process may run on.
    private static var firstCore: String? {
        let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let list = status?.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed_list:") }
        return list?.split(separator: "\t").last.map { String($0.prefix { $0.isNumber }) }
    }
}
