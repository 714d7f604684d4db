import GRDB
import ParleyCore

/// What conversations cost.
extension DatabaseCheck {
    /// Looks for conversations that do not cost what their messages cost together. What was copied cost
    /// nothing there. What cannot be read is told elsewhere.
    static func usage(in db: Database) throws -> [String] {
        var sums: [Int64: Usage]
        do {
            sums = try Schema.usageOfMessages(in: db, where: "turn_id NOT IN (SELECT id FROM turns WHERE copied)")
        } catch is Failure {
            return []
        }
        var wrong: [String] = []
        try db.forEach("SELECT key, usage, id FROM conversations") { row in
            let stored: [UInt8]? = row[1]
            do {
                let usage = try stored.map { try StoredJSON.usage($0, column: "conversations.usage") }
                if usage != sums[row[0]] { wrong.append(row[2]) }
            } catch is Failure {
                return true
            }
            return true
        }
        return limited(wrong.map { "Conversation \($0) adds up its usage wrongly." })
    }
}
