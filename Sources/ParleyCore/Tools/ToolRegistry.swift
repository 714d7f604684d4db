/// All tools that somebody may use, whoever offers them, by name.
package struct ToolRegistry: Sendable {
    /// A tool with who offers it.
    package struct Entry: Sendable {
        /// What is known of the tool.
        package let definition: ToolDefinition
        /// Who offers it.
        package let source: any ToolSource
    }

    /// In the order of their sources.
    package let entries: [Entry]
    /// What is known of them, in the same order.
    let definitions: [ToolDefinition]
    private let byName: [String: Int]

    /// Puts tools together.
    ///
    /// - Parameter policies: those that the operator has set, by the tools' names; they go before the tools' own.
    /// - Throws: `invalidParams` when two sources offer a tool of one name; it names both.
    package init(_ sources: [any ToolSource], policies: [String: ToolDefinition.Policy] = [:]) throws(Failure) {
        var entries: [Entry] = []
        var byName: [String: Int] = [:]
        for source in sources {
            for var definition in source.tools() {
                definition.policy = policies[definition.name] ?? definition.policy
                if let other = byName[definition.name] {
                    throw .invalidParams(
                        path: "tools",
                        reason: "the name \"\(definition.name)\" is used by \(entries[other].source.name) and by \(source.name)")
                }
                byName[definition.name] = entries.count
                entries.append(Entry(definition: definition, source: source))
            }
        }
        self.init(entries)
    }

    private init(_ entries: [Entry]) {
        self.entries = entries
        definitions = entries.map(\.definition)
        byName = Dictionary(uniqueKeysWithValues: entries.indices.map { (entries[$0].definition.name, $0) })
    }

    /// A tool by its name.
    package subscript(name: String) -> Entry? { byName[name].map { entries[$0] } }

    /// Those that are offered to models.
    package var forModels: ToolRegistry { ToolRegistry(entries.filter { $0.definition.audience == .everybody }) }

    /// Those that a bot may use, and no policy denies.
    ///
    /// - Parameter allowed: the bot's list; nil for all.
    package func usable(by allowed: [String]?) -> ToolRegistry {
        ToolRegistry(
            forModels.entries.filter { $0.definition.policy != .deny && allowed?.contains($0.definition.name) ?? true })
    }

    /// Those that people may call by commands, whatever bot a conversation has: all that no policy denies and that a command can name. Whoever
    /// writes a command has approved of it, and so none of them asks.
    package var commands: ToolRegistry {
        ToolRegistry(
            entries.compactMap { entry in
                guard entry.definition.policy != .deny, SlashCommand.isName(entry.definition.name) else { return nil }
                var definition = entry.definition
                definition.policy = .allow
                return Entry(definition: definition, source: entry.source)
            })
    }
}
