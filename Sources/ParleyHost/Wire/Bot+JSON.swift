package import JSON
package import ParleyCore

extension Bot: JSONWritable {
    /// Writes the value as the protocol's Bot.
    package func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("id", id)
            writer.member("name", name)
            writer.member("description", description)
            writer.member("instructions", instructions)
            writer.member("model", model)
            writer.member("fallbackModels", fallbackModels)
            writer.member("temperature", temperature)
            writer.member("tools", tools)
            writer.member("config", config)
            writer.member("visibility", visibility.rawValue)
            writer.member("revision", revision)
            writer.member("createdAt", createdAt.rfc3339)
            writer.member("updatedAt", updatedAt.rfc3339)
        }
    }
}

extension JSONWriter {
    /// Writes a member that is an array of strings, if there is one.
    fileprivate mutating func member(_ name: StaticString, _ texts: [String]?) {
        guard let texts else { return }
        key(name)
        array { writer in
            for text in texts { writer.string(text) }
        }
    }
}

/// A bot in a list: without its long fields.
struct BotSummary: JSONWritable, Sendable {
    private var bot: Bot

    init(_ bot: Bot) {
        self.bot = bot
        self.bot.instructions = nil
        self.bot.config = nil
    }

    func write(to writer: inout JSONWriter) { bot.write(to: &writer) }
}
