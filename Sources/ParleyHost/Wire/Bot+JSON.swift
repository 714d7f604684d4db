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
            writer.member("temperature", temperature)
            if let tools {
                writer.key("tools")
                writer.array { writer in
                    for tool in tools { writer.string(tool) }
                }
            }
            writer.member("config", config)
            writer.member("visibility", visibility.rawValue)
            writer.member("revision", revision)
            writer.member("createdAt", createdAt.rfc3339)
            writer.member("updatedAt", updatedAt.rfc3339)
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
