import JSON
import ParleyTestSupport
import Testing

/// Thoughts and text that come faster than the client reads stay apart, in order and whole, however they are joined on the way.
@Suite("Streams of thoughts", .timeLimit(.minutes(5))) struct ReasoningStreamTests {
    /// A run of deltas of one kind.
    private struct Run: Equatable {
        var isReasoning: Bool
        var text: String
    }

    @Test("deltas of two kinds are never joined")
    func kindsStayApart() async throws {
        let folder = try TemporaryFolder()
        let runs = (0..<200).map { number in
            Run(
                isReasoning: number.isMultiple(of: 2),
                text: (0..<40).map { "\(number).\($0) 🙂 " + String(repeating: "x", count: 100) }.joined())
        }
        let steps = runs.flatMap { run in
            let characters = Array(run.text)
            return stride(from: 0, to: characters.count, by: 120).map { start in
                let piece = String(characters[start..<min(start + 120, characters.count)])
                return #"{"\#(run.isReasoning ? "reasoning" : "text")":"\#(piece)"},{"delayMs":0}"#
            }
        }
        let script = try folder.write(#"{"steps":[\#(steps.joined(separator: ","))]}"#, to: "long.jsonl")
        try await TestHost.inProcess(
            ["--deterministic", "--log-level", "critical", "--caller", "userId:ada", "--model", "scripted:\(script)"]
        ) { client in
            client.send(Array(#"{"jsonrpc":"2.0","id":1,"method":"sendMessage","params":{"text":"Think."}}"#.utf8) + [UInt8(ascii: "\n")])
            var heard: [Run] = []
            var sequence = 0
            for line in try client.linesUntilRest() {
                let message = try JSONReader.parse(line)
                guard let params = message["params"], let last = params["seq"]?.intValue else { continue }
                #expect(params["fromSeq"]?.intValue ?? last == sequence + 1)
                sequence = last
                guard let delta = params["delta"]?.stringValue else { continue }
                let isReasoning = message["method"] == "reasoningDelta"
                if heard.last?.isReasoning == isReasoning {
                    heard[heard.count - 1].text += delta
                } else {
                    heard.append(Run(isReasoning: isReasoning, text: delta))
                }
            }
            #expect(heard == runs)
            let page = try client.result(of: "listMessages", ["conversationId": "conversation-1", "includeReasoning": true, "limit": 1])
            let parts = page["data"]?.arrayValue?.first?["content"]?.arrayValue ?? []
            #expect(parts.map { Run(isReasoning: $0["type"] == "reasoning", text: $0["text"]?.stringValue ?? "") } == runs)
        }
    }
}
