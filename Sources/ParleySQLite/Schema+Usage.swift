import GRDB
import ParleyCore

extension Schema {
    /// Models that stand in for a bot's own; what a turn's model was not sent; what conversations cost; how deep messages stand.
    static let addUsage: Step = { db in
        try db.execute(sql: usageColumns)
        for (conversation, usage) in try usageOfMessages(in: db) {
            try db.run("UPDATE conversations SET usage = ? WHERE key = ?", StoredJSON.text(of: usage), conversation)
        }
    }

    private static let usageColumns = """
        ALTER TABLE bots ADD COLUMN fallback_models TEXT;
        ALTER TABLE turns ADD COLUMN context TEXT;

        -- The sum of what the messages cost, as JSON, kept up to date by whoever stores a message, so that a list need not add anything up.
        ALTER TABLE conversations ADD COLUMN usage TEXT;

        -- How many messages a path has that ends here, commands not counted: how much is left out of a history is then known without walking through it.
        ALTER TABLE messages ADD COLUMN depth INTEGER NOT NULL DEFAULT 1;
        WITH RECURSIVE path (key, conversation, depth) AS (
            SELECT key, conversation, 1 - local FROM messages WHERE parent IS NULL
            UNION ALL
            SELECT m.key, m.conversation, p.depth + 1 - m.local FROM path p JOIN messages m ON m.conversation = p.conversation AND m.parent = p.key
        )
        UPDATE messages SET depth = path.depth FROM path WHERE path.key = messages.key;
        """

    /// What the messages of each conversation cost together; a conversation of which nothing is known to have cost anything is not among them.
    ///
    /// - Parameter condition: which messages, as SQL.
    static func usageOfMessages(in db: Database, where condition: String = "TRUE") throws -> [Int64: Usage] {
        var sums: [Int64: Usage] = [:]
        try db.forEach("SELECT conversation, usage FROM messages WHERE usage IS NOT NULL AND \(condition)") { row in
            let usage = try StoredJSON.usage(row[1], column: "messages.usage")
            sums[row[0]] = sums[row[0]].map { $0 + usage } ?? usage
            return true
        }
        return sums
    }
}
