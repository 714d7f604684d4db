import Foundation
import JSON
import ParleyTerminal
import ParleyTestSupport
import Testing

/// `parley chat` at a terminal.
@Suite(.timeLimit(.minutes(2)))
struct ChatTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try folder.write(
            """
            {"expect": "hang", "steps": [{"text": "So far so good "}, {"hang": true}], "repeat": true}
            {"expect": "slowly", "steps": [{"text": "Once upon "}, {"waitFor": "$/cancelRequest"}], "repeat": true}
            {"expect": "one\\ntwo", "text": "Two lines."}
            {"expect": "hostile", "text": "\\u001b]0;title\\u0007\\u001b[2J\\u009b10;10Hover\\u0000 here"}
            {"expect": "markdown", "text": "# Title\\n\\n- **bold** `code`"}
            {"expect": "a bot", "steps": [{"reasoning": "Hm."}, {"toolCall": {"name": "create_bot", "arguments": {"name": "Ada\\u001b[2J"}}}]}
            {"expect": "a bot", "text": "Made it."}
            {"expect": "fail", "steps": [{"error": {"code": "modelAuth", "message": "The key was refused."}}]}
            {"text": "Hello there.", "repeat": true}

            """, to: "script.jsonl")
    }

    private func chat(_ arguments: String..., environment: [String: String] = [:], columns: Int = 80) throws -> PseudoTerminal {
        try PseudoTerminal(
            ["chat", "--model", "scripted:\(folder.file("script.jsonl"))"] + arguments,
            environment: ["HOME": folder.path, "USER": "ada"].merging(environment) { _, given in given }, columns: columns)
    }

    private func leave(_ terminal: PseudoTerminal, _ expected: Int32 = 0) async {
        terminal.type("\u{04}")
        #expect(await terminal.exitCode() == expected)
        #expect(terminal.isAsBefore)
    }

    @Test func anAnswerComesAsItIsSaidAndCanBeCancelled() async throws {
        let terminal = try chat()
        try await terminal.wait(for: "/help tells more")
        #expect(!terminal.isAsBefore)
        terminal.type("slowly please\r")
        try await terminal.wait(for: "Once upon")
        terminal.type("\u{03}")
        try await terminal.wait(for: "Cancelled.")
        terminal.type("hello\r")
        try await terminal.wait(for: "Hello there.")
        // The last Ctrl-C was long ago.
        terminal.type("\u{03}")
        try await terminal.wait(for: "Ctrl-C again leaves")
        terminal.type("\u{03}")
        #expect(await terminal.exitCode() == 130)
        #expect(terminal.isAsBefore)
    }

    @Test func twoInterruptsLeave() async throws {
        let terminal = try chat()
        terminal.type("hang\r")
        try await terminal.wait(for: "So far so good")
        terminal.type("\u{03}\u{03}")
        #expect(await terminal.exitCode() == 130)
        #expect(terminal.isAsBefore)
    }

    @Test(arguments: [SIGTERM, SIGHUP, SIGINT])
    func aSignalLeavesTheTerminalAsItWas(_ number: Int32) async throws {
        let terminal = try chat()
        try await terminal.wait(for: "> ")
        kill(terminal.id, number)
        #expect(await terminal.exitCode() == 128 + number)
        #expect(terminal.isAsBefore)
    }

    @Test func linesAreEdited() async throws {
        let terminal = try chat()
        try await terminal.wait(for: "> ")
        terminal.type("one\u{1B}\rtwx\u{7F}o\r")
        try await terminal.wait(for: "Two lines.")
        terminal.type("/creat\t")
        try await terminal.wait(for: "/create_bot ")
        terminal.type("\u{15}/\t")
        try await terminal.wait(for: "/conversations")
        terminal.type("\u{15}/list_bots p\t")
        try await terminal.wait(for: "published ")
        terminal.type("\u{15}/exit\r")
        #expect(await terminal.exitCode() == 0)
    }

    @Test func aConversationGoesOn() async throws {
        let first = try chat()
        first.type("hello\r")
        try await first.wait(for: "Hello there.")
        await leave(first)
        let second = try chat("--continue")
        try await second.wait(for: "hello, 20")
        try await second.wait(for: "> hello")
        try await second.wait(for: "Hello there.")
        second.type("/new Holidays\r")
        try await second.wait(for: "You are in it now")
        second.type("hello\r")
        try await second.wait(for: "Hello there.")
        second.type("/conversations\r")
        try await second.wait(for: "Holidays")
        try await second.wait(for: "/open NUMBER")
        second.type("/open 2\r")
        try await second.wait(for: "> hello")
        second.type("/regenerate\r")
        try await second.wait(for: "> hello")
        try await second.wait(for: "Hello there.")
        await leave(second)
    }

    @Test func whatAModelSaysIsOnlyText() async throws {
        let terminal = try chat()
        terminal.type("hostile\r")
        try await terminal.wait(for: "here")
        #expect(terminal.output.contains("␛]0;title␇␛[2J\u{FFFD}10;10Hover␀ here"))
        await leave(terminal)
        #expect(!terminal.output.contains("\u{1B}]") && !terminal.output.contains("\u{1B}[2J"))
    }

    @Test func toolsAreAskedFor() async throws {
        let terminal = try chat("--set", "tools.policies.create_bot=ask")
        // What was typed before the question, and keys that are no letters, do not answer it.
        terminal.type("I want a bot\ry")
        try await terminal.wait(for: "Thought for 1 s.")
        try await terminal.wait(for: "create_bot wants to be called with")
        try await terminal.wait(for: "name: Ada␛[2J")
        try await terminal.wait(for: "never here: ")
        terminal.type("q\u{1B}[A\u{1B}[200~y\u{1B}[201~n")
        try await terminal.wait(for: "✗ create_bot")
        try await terminal.wait(for: "Made it.")
        try await terminal.wait(for: "> y")
        terminal.type("\u{15}")
        await leave(terminal)
    }

    @Test func errorsAreOneLine() async throws {
        let terminal = try chat("--set", "quotas.user.turns.limit=1", "--set", "quotas.user.turns.windowSeconds=7200")
        terminal.type("fail\r")
        try await terminal.wait(for: "The key was refused. Check the key of the model's provider")
        terminal.type("/open 7\r")
        try await terminal.wait(for: "There is no conversation 7")
        terminal.type("/model nowhere:x\rhello\r")
        try await terminal.wait(for: "no provider has the name \"nowhere\"")
        terminal.type("/model default\rhello\r")
        try await terminal.wait(for: "Hello there.")
        terminal.type("hello\r")
        try await terminal.wait(for: "Try again in 2 h.")
        await leave(terminal)
    }

    @Test func withoutColourThereAreNoStyles() async throws {
        for (flags, environment) in [(["--no-color"], [:]), ([], ["NO_COLOR": "1"])] as [([String], [String: String])] {
            let terminal = try chat(flags.first ?? "--log-level=info", environment: environment)
            terminal.type("markdown\r")
            try await terminal.wait(for: "# Title")
            try await terminal.wait(for: "• **bold** `code`")
            await leave(terminal)
            #expect(!terminal.output.contains(#/\u{1B}\[[0-9;]*m/#))
        }
    }

    @Test func aDumbTerminalGetsOnlyText() async throws {
        let terminal = try chat(environment: ["TERM": "dumb"])
        try await terminal.wait(for: "> ")
        terminal.type("one\\\n")
        try await terminal.wait(for: "  ")
        terminal.type("two\n")
        try await terminal.wait(for: "Two lines.")
        terminal.type("slowly\n")
        try await terminal.wait(for: "Once upon")
        terminal.type("\u{03}")
        try await terminal.wait(for: "Cancelled.")
        await leave(terminal)
        #expect(!terminal.output.contains("\u{1B}"))
    }

    /// The host that a client has started.
    private func host(of client: Int32) throws -> Int32 {
        let children = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(client)/task").flatMap { task in
            try String(contentsOfFile: "/proc/\(client)/task/\(task)/children", encoding: .utf8).split(separator: " ")
        }
        return try #require(children.first.flatMap { Int32($0) })
    }

    @Test func aHostThatDiesIsStartedAgainOnce() async throws {
        let terminal = try chat()
        terminal.type("hello\r")
        try await terminal.wait(for: "Hello there.")
        terminal.type("hang\r")
        try await terminal.wait(for: "So far so good")
        kill(try host(of: terminal.id), SIGKILL)
        try await terminal.wait(for: "the host was ended by signal 9.")
        try await terminal.wait(for: "It is started again.")
        try await terminal.wait(for: "/regenerate lets the message be answered again.")
        try await terminal.wait(for: "> ")
        kill(try host(of: terminal.id), SIGKILL)
        try await terminal.wait(for: "the host was ended by signal 9.")
        #expect(await terminal.exitCode() == 1)
        #expect(terminal.isAsBefore)
    }

    @Test func aHostThatDiesWhileNothingIsAskedIsStartedAgainToo() async throws {
        let terminal = try chat()
        try await terminal.wait(for: "> ")
        kill(try host(of: terminal.id), SIGKILL)
        try await terminal.wait(for: "It is started again.")
        terminal.type("hello\r")
        try await terminal.wait(for: "Hello there.")
        await leave(terminal)
    }

    @Test func aHostThatCannotStartSaysWhy() async throws {
        let terminal = try chat("--database", "/proc/nowhere/x.db")
        try await terminal.wait(for: "parley: The folder /proc/nowhere cannot be made.")
        #expect(await terminal.exitCode() == 69)
        #expect(terminal.isAsBefore)
    }

    @Test func itsCommandsAreNotTheHosts() async throws {
        let host = try ParleyProcess(["serve", "--deterministic", "--caller", "userId:ada"])
        let names = (try await host.call("listCommands")["result"]?["data"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue }
        #expect(names.contains("help"))
        #expect(Set(names).isDisjoint(with: Chat.commandNames))
    }
}
