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

    private func output(
        environment: [String: String] = [:], through starter: [String] = [], write: (ParleyProcess) async throws -> Void
    ) async throws -> String {
        let process = try ParleyProcess(
            ["serve", "--deterministic", "--log-level", "critical", "--model", "scripted:\(folder.path)/answers.jsonl"],
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
