import ArgumentParser
import ParleyTerminal

/// `parley ask`: one answer.
struct Ask: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ask",
        abstract: "Print the answer to one question; what stdin holds is added to it, where that is no terminal.",
        discussion: """
            `git diff | parley ask "Review this"`. The exit codes are those of `parley chat`, and 64 where there is no question.
            """
    )

    @Argument(help: ArgumentHelp("What to ask; several words are one question.", valueName: "question"))
    var question: [String] = []

    @Flag(help: "Print the reply as it came, one line of JSON.")
    var json = false

    @OptionGroup var chat: ChatFlags
    @OptionGroup var options: SettingsOptions

    func run() async throws {
        try await Self.reporting {
            let code = SingleAnswer(try chat.options(options), writesJSON: json).run(question.joined(separator: " "))
            if code != 0 { throw ExitCode(code) }
        }
    }
}
