import Foundation
import JSON
import ParleyTestSupport
import Testing

/// Conversations that are recorded with a model's server and played back without it, by the real binary.
@Suite(.timeLimit(.minutes(5)))
struct CassetteHostTests {
    private static let key = "sk-canary-7f3a9c51e0b24d68"
    private let folder: TemporaryFolder
    private var cassette: String { folder.file("c.jsonl") }

    init() throws {
        folder = try TemporaryFolder()
    }

    private func text() throws -> String { try String(contentsOfFile: cassette, encoding: .utf8) }

    /// A server of chat completions that makes a bot when it is asked to, thinks, and is down at first.
    private func chatServer() throws -> LoopbackServer {
        try LoopbackServer { request, connection in
            let question = String(decoding: request.body, as: UTF8.self)
            guard !question.contains("Fail") else {
                let key = request.header("authorization") ?? ""
                connection.respond("400 Bad", ["Content-Type": "application/json"], body: #"{"error":{"message":"Bad key \#(key)"}}"#)
                return
            }
            connection.sendHead(["Content-Type": "text/event-stream"])
            defer {
                connection.sendChunk("data: [DONE]\n\n")
                connection.endChunks()
            }
            if question.contains("I want a bot"), !question.contains(#""role":"tool""#) {
                let call = #"{"index":0,"id":"call_1","function":{"name":"create_bot","arguments":"{\"name\":\"Ada\"}"}}"#
                connection.sendChunk(
                    #"data: {"choices":[{"delta":{"reasoning_content":"A bot.","tool_calls":[\#(call)]},"finish_reason":"tool_calls"}]}\#n\#n"#
                )
                return
            }
            for piece in ["Hel", "lo, ", "wörld."] {
                connection.sendChunk(#"data: {"choices":[{"delta":{"content":"\#(piece)"}}]}\#n\#n"#)
            }
            connection.sendChunk(#"data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\#n\#n"#)
            connection.sendChunk(#"data: {"choices":[],"usage":{"prompt_tokens":19,"completion_tokens":10}}\#n\#n"#)
        }
    }

    private func settings(_ server: LoopbackServer, kind: String = "openai") throws -> String {
        let url = kind == "openai" ? "\(server.url)/v1" : server.url
        return try folder.write(
            """
            {"model": "test:m", "providers": {"test": {"kind": "\(kind)", "baseURL": "\(url)", "apiKeyEnv": "TEST_KEY",
                "models": {"m": {"prices": {"currency": "USD", "inputPerMillion": "0.30", "outputPerMillion": "1.20"}}}}}}
            """, to: "settings.json")
    }

    /// Has one conversation with a deterministic host.
    ///
    /// - Returns: all that the host said.
    private func talk(_ flags: String..., texts: [String]) async throws -> String {
        let host = try ParleyProcess(["serve", "--deterministic", "--caller", "userId:ada"] + flags)
        for text in texts { _ = try await host.call("sendMessage", ["text": .string(text)]) }
        _ = try await host.call("listModels")
        host.endInput()
        _ = await host.rest()
        #expect(await host.exitCode() == 0)
        return host.output
    }

    @Test("What a deterministic host said to a conversation, it says again without the server")
    func again() async throws {
        let server = try chatServer()
        let texts = ["Hello", "I want a bot", "Hello", "Fail"]
        let recorded = try await talk("--config", settings(server), "--record", cassette, texts: texts)
        #expect(recorded.contains("wörld.") && recorded.contains("Ada") && recorded.contains("modelRejected"))
        #expect(server.requests.count == 5)
        server.stop()
        let settings = try folder.write(#"{"model": "replay:\#(cassette)"}"#, to: "replay.json")
        #expect(try await talk("--model", "replay:\(cassette)", texts: texts) == recorded)
        #expect(try await talk("--config", settings, texts: texts) == recorded)

        let copy = folder.file("copy.jsonl")
        _ = try await talk("--model", "replay:\(cassette)", "--record", copy, "--set", "models.replay.timing=true", texts: texts)
        func withoutTimes(_ path: String) throws -> String {
            try String(contentsOfFile: path, encoding: .utf8).replacing(#/"atMs":[0-9]+/#, with: "")
        }
        #expect(try withoutTimes(copy) == withoutTimes(cassette))

        let other = try await talk("--model", "replay:\(cassette)", texts: ["Hello there"])
        #expect(other.contains(#"The nearest one differs at messages[0].content[0].text: recorded \"Hello\", now \"Hello there\"."#))
        let more = try await talk("--model", "replay:\(cassette)", texts: ["Hello", "Hello", "Hello"])
        #expect(more.contains("has no more answers to this request: all 2 have been played."))
    }

    @Test("The same with Anthropic's protocol, whose signed thinking goes back")
    func anthropic() async throws {
        let server = try LoopbackServer { request, connection in
            let isAnswered = String(decoding: request.body, as: UTF8.self).contains("tool_result")
            let blocks =
                isAnswered
                ? [#"{"type":"text","text":"None."}"#]
                : [
                    #"{"type":"thinking","thinking":"Hm.","signature":"c2ln"}"#,
                    #"{"type":"tool_use","id":"toolu_1","name":"list_bots","input":{}}"#,
                ]
            connection.respond(
                "200 OK", ["Content-Type": "application/json"],
                body:
                    #"{"type":"message","content":[\#(blocks.joined(separator: ","))],"stop_reason":"end_turn","usage":{"input_tokens":9,"output_tokens":4}}"#
            )
        }
        let recorded = try await talk("--config", settings(server, kind: "anthropic"), "--record", cassette, texts: ["Which bots?"])
        #expect(recorded.contains("None."))
        #expect(server.requests.count == 2 && String(decoding: server.requests[1].body, as: UTF8.self).contains("c2ln"))
        server.stop()
        #expect(try await talk("--model", "replay:\(cassette)", texts: ["Which bots?"]) == recorded)
        #expect(try text().contains("c2ln"))
    }

    @Test("A real conversation, with keys and ids of its own, is a test that needs neither; no key is in the cassette")
    func real() async throws {
        let server = try chatServer()
        let host = try ParleyProcess(
            ["serve", "--database", ":memory:", "--caller", "userId:ada", "--config", try settings(server)],
            environment: ["TEST_KEY": Self.key, "PARLEY_RECORD": cassette])
        let made = try await host.call("sendMessage", ["text": "I want a bot"])
        let conversation = made["result"]?["conversation"]?["id"] ?? .null
        _ = try await host.call("sendMessage", ["text": .string("My key is \(Self.key)"), "conversationId": conversation])
        for _ in 0..<3 { _ = try await host.call("sendMessage", ["text": "Fail"]) }
        #expect(await host.die())
        server.stop()
        #expect(server.requests.allSatisfy { $0.header("authorization") == "Bearer \(Self.key)" })
        let text = try text()
        #expect(text.split(separator: "\n").count == 7)
        #expect(!text.contains(Self.key) && !text.contains(Self.key.dropFirst(3)) && !text.contains("Authorization"))
        #expect(text.contains("My key is [key]"))

        // The database is another, and so are all ids.
        let replayed = try await talk("--model", "replay:\(cassette)", texts: ["I want a bot"])
        #expect(replayed.contains("Made the bot") && replayed.contains("wörld.") && !replayed.contains(#""failed""#))
    }

    @Test("Half a line, which a killed host may leave, is passed over with a warning, and taken away by the next that records")
    func halfLine() async throws {
        _ = try await talk("--model", "demo", "--record", cassette, texts: ["Hello", "Again"])
        let whole = try text()
        try String(whole.dropLast(40)).write(toFile: cassette, atomically: false, encoding: .utf8)
        let host = try ParleyProcess(["serve", "--deterministic", "--caller", "userId:ada", "--model", "replay:\(cassette)"])
        #expect(try await host.call("sendMessage", ["text": "Hello"])["result"]?["turn"]?["status"] == "completed")
        #expect(try await host.call("sendMessage", ["text": "Again"])["result"]?["turn"]?["status"] == "failed")
        #expect(await host.end() == 0)
        #expect(host.errorText().contains("the cassette c.jsonl ends in half a line"))
        _ = try await talk("--model", "demo", "--record", cassette, texts: ["Again"])
        let again = try await talk("--model", "replay:\(cassette)", texts: ["Again", "Hello"])
        #expect(!again.contains(#""failed""#))
        #expect(try text().split(separator: "\n").count == 4)
    }

    @Test("With the time that it took, and without")
    func timing() async throws {
        let script = try folder.write(
            #"{"steps":[{"delayMs":1000},{"text":"Slow"},{"delayMs":500},{"text":"ly."}]}"#, to: "script.jsonl")
        func talk(_ flags: String...) async throws -> (now: JSONValue?, output: String) {
            let host = try ParleyProcess(["serve", "--deterministic", "--caller", "userId:ada"] + flags)
            host.send("sendMessage", ["text": "Hello"])
            for _ in 0..<3 { host.write(#"{"jsonrpc":"2.0","method":"$/advanceClock","params":{"ms":500}}"# + "\n") }
            let last = try await host.event("turnCompleted")
            #expect(await host.end() == 0)
            return (last["params"]?["turn"]?["completedAt"], host.output)
        }
        let recorded = try await talk("--model", "scripted:\(script)", "--record", cassette)
        #expect(recorded.now == "2026-01-01T00:00:01.500Z")
        let timed = try await talk("--model", "replay:\(cassette)", "--set", "models.replay.timing=true")
        #expect(timed.output == recorded.output)
        #expect(try await talk("--model", "replay:\(cassette)").now == "2026-01-01T00:00:00.000Z")
    }

    @Test("Fallbacks are played back as they were")
    func fallbacks() async throws {
        let script = try folder.write(
            #"{"steps":[{"error":{"code":"modelUnavailable","message":"Down.","retryAfterMs":100000}}]}"#, to: "script.jsonl")
        let flags = ["--set", "models.fallback=demo"]
        let recorded = try await talk("--model", "scripted:\(script)", flags[0], flags[1], "--record", cassette, texts: ["Hello"])
        #expect(recorded.contains("retryScheduled") && recorded.contains(#""model":"demo:demo""#))
        #expect(try await talk("--model", "replay:\(cassette)", texts: ["Hello"]) == recorded)
    }

    // A sanitizer writes files of its own before the program begins.
    @Test("A disk that is full costs a warning and nobody an answer", .disabled(if: ChildProcess.isSanitized))
    func fullDisk() async throws {
        // 16 blocks of 512 bytes; a write beyond them fails, instead of ending the process.
        let host = try ParleyProcess(
            ["serve", "--database", ":memory:", "--caller", "userId:ada", "--record", cassette],
            through: ["/bin/sh", "-c", #"trap "" XFSZ; ulimit -f 16; exec "$@""#, "sh"])
        for _ in 0..<4 {
            let reply = try await host.call("sendMessage", ["text": .string(String(repeating: "long ", count: 1_000))])
            #expect(reply["result"]?["turn"]?["status"] == "completed")
        }
        _ = try await host.call("sendMessage", ["text": "Hello"])
        #expect(await host.end() == 0)
        let log = host.errorText()
        #expect(log.components(separatedBy: "could not be recorded").count == 2, "\(log)")
        #expect(try text().hasSuffix("\n") && text().split(separator: "\n").allSatisfy { $0.hasSuffix("}") })
        #expect(try await talk("--model", "replay:\(cassette)", texts: ["Hello"]).contains("I am a demonstration"))
    }

    @Test(
        "What cannot be played or recorded to stops the start",
        arguments: [
            (["--model", "replay:FOLDER/none.jsonl"], "The cassette none.jsonl cannot be read."),
            (["--model", "replay:FOLDER/other"], "other is no cassette"),
            (["--model", "replay:FOLDER/new"], "is version 7, and this program reads version 1"),
            (["--record", "FOLDER/other"], "record: other is no cassette"),
            (["--record", "FOLDER/nowhere/c.jsonl"], "record: The cassette c.jsonl cannot be written: No such file"),
            (["--record", "FOLDER"], "cannot be written"),
            (["--record", "/dev/null"], "record: The cassette null is no file."),
            (["--model", "replay:FOLDER/good", "--record", "FOLDER/./good"], "record: the cassette good is played back"),
            (["--set", "models.replay.timing=1"], "models.replay.timing"),
        ])
    func wrongFiles(flags: [String], message: String) async throws {
        _ = try folder.write("Dear diary\n", to: "other")
        _ = try folder.write(#"{"cassette":7}"#, to: "new")
        _ = try folder.write(#"{"cassette":1,"model":"a:b","providers":[{"name":"a","models":[]}]}"#, to: "good")
        let host = try ParleyProcess(
            ["serve", "--database", ":memory:"] + flags.map { $0.replacing("FOLDER", with: folder.path) })
        host.endInput()
        #expect(await host.exitCode() == 78)
        #expect(host.errorText().contains(message))
    }
}
