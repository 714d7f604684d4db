import ArgumentParser
import Foundation
import Glibc
import ParleyTerminal

/// `parley chat`: a conversation at the terminal.
struct Chat: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chat",
        abstract: "Chat at the terminal; without one, answer what stdin holds.",
        discussion: """
            Speaks to a `parley serve` of its own, with the same settings. Conversations are kept in the database, as whoever --caller says, \
            by default the user who is logged in. `/help` tells about commands and keys. Where stdin or stdout is no terminal, all \
            that stdin holds is one message, and its answer is all that is printed.

            Exit codes: 0 at the end; 1 when there is no answer, or the host cannot go on; 64 for wrong flags; 69 for a database that \
            cannot be used; 78 for wrong settings; 128 and a signal's number after that, so 130 for Ctrl-C.
            """
    )

    @OptionGroup var chat: ChatFlags
    @OptionGroup var options: SettingsOptions

    func run() async throws {
        try await Self.reporting {
            let options = try chat.options(options)
            let isTyped = isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1
            let code = isTyped ? ParleyTerminal.Chat(options).run() : SingleAnswer(options).run("", readsTerminal: true)
            if code != 0 { throw ExitCode(code) }
        }
    }
}

/// The flags that commands for people at a terminal have in common.
struct ChatFlags: ParsableArguments {
    @Option(help: ArgumentHelp("The bot that answers, by its name or id.", valueName: "name"))
    var bot: String?

    @Flag(name: [.customLong("continue"), .customShort("c")], help: "Go on with the conversation that changed last.")
    var isContinued = false

    @Flag(help: "No colours and other styles; NO_COLOR in the environment says so too.")
    var noColor = false

    /// What a client at the terminal needs to know.
    ///
    /// - Parameter settings: the host's flags, which are looked at here so that what is wrong with them is said at once.
    func options(_ settings: SettingsOptions) throws(SettingsError) -> ChatOptions {
        let inForce = try settings.settings()
        var arguments = ["serve"] + settings.arguments
        if inForce.text("caller") == nil, let name = Self.userName(inForce.environment) { arguments += ["--caller", "userId:\(name)"] }
        return ChatOptions(
            hostPath: "/proc/self/exe", hostArguments: arguments, bot: bot, isContinued: isContinued, wantsColor: !noColor,
            environment: ProcessInfo.processInfo.environment)
    }

    /// Who is logged in.
    private static func userName(_ environment: [String: String]) -> String? {
        let name = ["USER", "LOGNAME"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
        return name ?? getpwuid(getuid()).map { String(cString: $0.pointee.pw_name) }
    }
}
