import JSON
import ParleyTestSupport
import Testing

/// What a turn says is stored about once a second and at every tool boundary, and never once a token.
@Suite("Checkpoints") struct CheckpointTests {
    @Test("400 tokens in 4 seconds are stored a few times")
    func rate() async throws {
        let folder = try TemporaryFolder()
        let tokens = Array(repeating: #"{"text":"x"},{"delayMs":10}"#, count: 200).joined(separator: ",")
        let script = try folder.write(
            #"{"steps":[\#(tokens),{"toolCall":{"name":"list_bots","arguments":{}}}]}"# + "\n" + #"{"steps":[\#(tokens)]}"#,
            to: "long.jsonl")
        try await TestHost.inProcess(
            ["--deterministic", "--log-level", "critical", "--caller", "userId:ada", "--model", "scripted:\(script)"]
        ) { client in
            _ = try client.result(of: "sendMessage", ["text": "Go.", "wait": false, "stream": false])
            /// When more was stored, in milliseconds, and how much there was of which message.
            var stored: [(time: Int, message: JSONValue?, count: Int)] = []
            for step in 1...500 {
                client.send(Array(#"{"jsonrpc":"2.0","method":"$/advanceClock","params":{"ms":10}}"#.utf8) + [UInt8(ascii: "\n")])
                let result = try client.result(of: "getTurn", ["turnId": "turn-1"])
                if result["turn"]?["status"] == "completed" { break }
                let message = result["message"]
                let count = message?["content"]?.arrayValue?.first?["text"]?.stringValue?.count ?? 0
                if count > 0, count != stored.last?.count || message?["id"] != stored.last?.message {
                    stored.append((step * 10, message?["id"], count))
                }
            }
            let first = stored.filter { $0.message == stored.first?.message }
            let second = stored.filter { $0.message != stored.first?.message }
            // The tool boundary stores the whole first message at once.
            #expect(first.last?.count == 200 && first.last?.time == 2_000, "\(stored)")
            for part in [first.dropLast(), second[...]] {
                #expect((1...2).contains(part.count), "\(stored)")
                for (before, after) in zip(part, part.dropFirst()) { #expect(after.time - before.time >= 1_000, "\(stored)") }
            }
        }
    }
}
