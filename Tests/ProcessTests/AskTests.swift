import Foundation
import JSON
import ParleyTestSupport
import Testing

/// `parley ask`, and `parley chat` in a pipe.
@Suite(.timeLimit(.minutes(2)))
struct AskTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try folder.write(
            """
            {"expect": "diff\\n\\n+ line\\n", "text": "Looks good."}
            {"expect": "markdown", "text": "# Title\\n\\n**bold** \\u001b[31mred"}
            {"expect": "hang", "steps": [{"text": "So far so good"}, {"hang": true}]}
            {"expect": "fail", "steps": [{"text": "Half an "}, {"error": {"code": "modelUnavailable", "message": "It is down."}}]}
            {"expect": "second", "text": "Again."}
            {"text": "Hello there.", "repeat": true}

            """, to: "script.jsonl")
    }

    private func run(_ arguments: String..., input: String = "") async throws -> (code: Int32, output: String, errors: String) {
        let process = try ParleyProcess(
            arguments.prefix(1) + ["--model", "scripted:\(folder.file("script.jsonl"))"] + arguments.dropFirst(),
            environment: ["HOME": folder.path, "USER": "ada"])
        process.write(input)
        process.endInput()
        let output = await process.rest()
        return (await process.exitCode(), output, process.errorText())
    }

    @Test func oneAnswer() async throws {
        let asked = try await run("ask", "Hello", "you")
        #expect(asked == (0, "Hello there.\n", ""))
        let piped = try await run("chat", input: "Hello\n")
        #expect(piped == (0, "Hello there.\n", ""))
        let both = try await run("ask", "Review this diff", input: "+ line\n")
        #expect(both == (0, "Looks good.\n", ""))
        let raw = try await run("ask", "markdown")
        #expect(raw == (0, "# Title\n\n**bold** \u{1B}[31mred\n", ""))
        let command = try await run("ask", "/title")
        #expect(command.code == 0 && command.output.hasPrefix("`/title` needs `title`"), "\(command)")
    }

    @Test func theReplyAsJSON() async throws {
        let (code, output, _) = try await run("ask", "--json", "Hello")
        #expect(code == 0)
        let reply = try JSONReader.parse(Array(output.utf8))
        #expect(reply["turn"]?["status"] == "completed" && reply["message"]?["content"]?.arrayValue?.first?["text"] == "Hello there.")
    }

    @Test func aConversationGoesOn() async throws {
        _ = try await run("ask", "Hello")
        #expect(try await run("ask", "-c", "second").output == "Again.\n")
        let host = try ParleyProcess(["serve", "--caller", "userId:ada"], environment: ["HOME": folder.path])
        let conversations = try await host.call("listConversations")["result"]?["data"]?.arrayValue ?? []
        #expect(conversations.count == 1 && conversations[0]["messageCount"] == 4)
        #expect(await host.end() == 0)
    }

    @Test func whatGoesWrong() async throws {
        let failed = try await run("ask", "fail")
        #expect(failed == (1, "Half an \n", "parley: It is down.\n"))
        let none = try await run("ask")
        #expect(none == (64, "", "parley: there is no question.\n"))
        let bot = try await run("ask", "--bot", "Ada", "Hello")
        #expect(bot == (1, "", "parley: There is no bot Ada; /create_bot makes one.\n"))
        let long = try await run("chat", input: String(repeating: "x", count: 1_048_577))
        #expect(long == (1, "", "parley: The message has 1048577 bytes; 1048576 are allowed.\n"))
        let settings = try await run("ask", "--set", "nothing=1", "Hello")
        #expect(settings.code == 78 && settings.errors.split(separator: "\n").count == 1, "\(settings)")
        let folder = try await run("ask", "--database", "/proc/nowhere/x.db", "Hello")
        #expect(folder == (69, "", "parley: The folder /proc/nowhere cannot be made.\n"))
    }

    @Test func anInterruptCancels() async throws {
        let terminal = try PseudoTerminal(
            ["ask", "--model", "scripted:\(folder.file("script.jsonl"))", "--database", ":memory:", "hang"],
            environment: ["HOME": folder.path, "USER": "ada"])
        try await terminal.wait(for: "So far")
        terminal.type("\u{03}")
        #expect(await terminal.exitCode() == 130)
    }
}
