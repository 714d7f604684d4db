/// What is to be done about a message that is a command, or the argument that one waits for.
enum CommandStep: Sendable {
    /// To say something, and nothing else.
    case answer(String, pending: PendingCommand?)
    /// To call a tool, with arguments that its schema allows.
    case call(name: String, arguments: CommandArguments)

    /// Decides.
    ///
    /// - Parameters:
    ///   - command: the message as a command; nil when it is the argument that `pending` waits for.
    ///   - text: the message.
    ///   - pending: the command of the conversation that waits for an argument.
    ///   - commands: those that may be called.
    static func next(
        after command: SlashCommand?, text: String, pending: PendingCommand?, in commands: ToolRegistry
    ) -> CommandStep {
        guard let command else { return argument(text, of: pending, in: commands) }
        let help = CommandHelp(commands)
        guard let name = command.name else {
            return .answer(pending.map { "`/\($0.name)` is cancelled." } ?? help.menu, pending: nil)
        }
        guard let definition = commands[name]?.definition else { return .answer(help.unknown(name), pending: pending) }
        var arguments = CommandArguments(of: definition)
        do throws(CommandArguments.Problem) {
            try arguments.read(command.rest)
        } catch {
            return .answer("`/\(name)` was not run. \(error.sentence)\n\n\(usage(of: definition))", pending: nil)
        }
        return step(with: arguments, of: definition, pending: nil)
    }

    private static func argument(_ text: String, of pending: PendingCommand?, in commands: ToolRegistry) -> CommandStep {
        guard let pending, let definition = commands[pending.name]?.definition else {
            return .answer("The command that waited for this is not offered any more. Nothing was done.", pending: nil)
        }
        var arguments = CommandArguments(of: definition, pending.arguments)
        arguments.take(text, as: pending.field)
        return step(with: arguments, of: definition, pending: pending)
    }

    /// - Parameter pending: what waited for the last of the arguments, and goes on waiting if that cannot be.
    private static func step(
        with arguments: CommandArguments, of definition: ToolDefinition, pending: PendingCommand?
    ) -> CommandStep {
        // What is wrong with what is there comes before what is missing.
        let violations = definition.violations(of: arguments.value)
        let wrong = arguments.missing == nil ? violations : violations.filter { arguments.members[Self.field(of: $0)] != nil }
        if !wrong.isEmpty {
            let reasons = wrong.map { "- \($0)" }.joined(separator: "\n")
            let mayTryAgain = pending.map { $0.field == Self.field(of: wrong[0]) } ?? false
            let next = mayTryAgain ? "Send another value, or `/` to cancel." : usage(of: definition)
            return .answer("`/\(definition.name)` was not run:\n\(reasons)\n\n\(next)", pending: mayTryAgain ? pending : nil)
        }
        guard let missing = arguments.missing else { return .call(name: definition.name, arguments: arguments) }
        let summary = missing.summary.isEmpty ? "" : " (\(missing.summary.trimmed))"
        return .answer(
            "`/\(definition.name)` needs `\(missing.name)`\(summary). Send it as your next message, or `/` to cancel.\n\n\(usage(of: definition))",
            pending: PendingCommand(name: definition.name, arguments: arguments.value, field: missing.name))
    }

    /// The field that a violation begins with: what stands before the first mark of its path.
    private static func field(of violation: String) -> String { String(violation.prefix { !":[.".contains($0) }) }

    private static func usage(of definition: ToolDefinition) -> String { "Usage: `\(CommandHelp.usage(of: definition))`" }
}
