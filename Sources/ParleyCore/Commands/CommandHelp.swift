import JSONSchema

/// What people are told about commands, all of it from the registry: Markdown that is readable in a terminal too.
package struct CommandHelp: Sendable {
    private let commands: ToolRegistry

    /// Explains commands.
    ///
    /// - Parameter commands: those that may be called (`ToolRegistry.commands`).
    package init(_ commands: ToolRegistry) {
        self.commands = commands
    }

    /// All commands by category, a line each.
    package var menu: String {
        var categories: [(name: String, lines: [String])] = []
        for definition in commands.entries.map(\.definition) {
            let summary = definition.summary.split(whereSeparator: \.isNewline).first ?? ""
            let line = "- `\(Self.usage(of: definition, isShort: true))`: \(summary)"
            if let index = categories.firstIndex(where: { $0.name == definition.category }) {
                categories[index].lines.append(line)
            } else {
                categories.append((definition.category, [line]))
            }
        }
        let lists = categories.map { "**\($0.name)**\n\($0.lines.joined(separator: "\n"))" }
        let hint = commands[ConversationTools.help] == nil ? [] : ["`/help NAME` tells more about one of them."]
        return (lists + hint).joined(separator: "\n\n")
    }

    /// What commands are and how they are written, and all of them.
    package var overview: String {
        """
        A message that begins with a slash is a command. It is answered at once, without a model, and costs nothing.

        - `/` lists the commands, and cancels one that waits for an argument.
        - Arguments are words, such as `/title Holidays`; quotes keep words together: `/create_bot "Ada Lovelace"`.
        - Further fields have names: `--description "Explains mathematics"`.
        - A command that lacks an argument asks for it, and takes your next message.

        \(menu)
        """
    }

    /// All about one command.
    ///
    /// - Parameter name: with or without the slash.
    package func page(for name: String) -> String {
        let name = name.hasPrefix("/") ? String(name.dropFirst()) : name
        guard let definition = commands[name]?.definition else { return unknown(name) }
        var parts = ["**/\(definition.name)**: \(definition.title)", definition.summary]
        if !definition.help.isEmpty { parts.append(definition.help) }
        parts.append("Usage: `\(Self.usage(of: definition))`")
        let fields = CommandParameter.all(of: definition).map { parameter in
            let choices = parameter.choices.isEmpty ? "" : " (\(parameter.choices.joined(separator: ", ")))"
            let summary = parameter.summary.isEmpty ? "" : ": \(parameter.summary)"
            return "- `\(parameter.name)`\(parameter.isRequired ? ", required" : "")\(choices)\(summary)"
        }
        if !fields.isEmpty { parts.append(fields.joined(separator: "\n")) }
        if let example = definition.example { parts.append("Example: `\(example)`") }
        return parts.joined(separator: "\n\n")
    }

    /// That there is no such command, and what may have been meant.
    func unknown(_ name: String) -> String {
        let nearest = NearestNames.of(name, among: commands.entries.map(\.definition.name)).map { "`/\($0)`" }
        let meant = nearest.isEmpty ? "" : " Did you mean \(nearest.joined(separator: " or "))?"
        return "There is no command `/\(name.prefix(64))`.\(meant) `/` lists all of them."
    }

    /// How a command is written.
    ///
    /// - Parameter isShort: whether fields that go by their names are left out.
    package static func usage(of definition: ToolDefinition, isShort: Bool = false) -> String {
        let parameters = CommandParameter.all(of: definition)
        let required = parameters.filter(\.isRequired)
        // Where nothing is required, the first field takes words without a name.
        let loose = required.isEmpty ? parameters.prefix(1).map { "[\($0.placeholder)]" } : required.map(\.placeholder)
        let named = parameters.dropFirst(loose.count).map { parameter in
            parameter.form == .flag
                ? "[--\(parameter.name)]" : "[--\(parameter.name) \(parameter.choices.isEmpty ? parameter.kind : parameter.placeholder)]"
        }
        let options = isShort ? (named.isEmpty ? [] : ["[…]"]) : named
        return (["/\(definition.name)"] + loose + options).joined(separator: " ")
    }
}

extension CommandParameter {
    /// What kind of value an option has.
    fileprivate var kind: String {
        switch form {
        case .text: "TEXT"
        case .list(let element): element == .text ? "TEXT…" : "VALUE…"
        case .number: "NUMBER"
        case .flag: "true|false"
        case .json: "JSON"
        }
    }
}
