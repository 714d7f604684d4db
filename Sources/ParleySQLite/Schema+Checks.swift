import GRDB

extension Schema {
    /// Version 9: what columns may hold, said in a way that costs nothing.
    ///
    /// `column IN ('a', 'b', 'c')` has SQLite make and throw away a table of its own for each row that is written (up to two values it compares),
    /// which took as long as a fourth of storing a message. The rows stay as they are, so only what the schema says of them is rewritten
    /// (https://www.sqlite.org/lang_altertable.html#otheralter).
    static let compareInsteadOfLookingUp: Step = { db in
        try db.execute(sql: "PRAGMA writable_schema = ON")
        let lists = [
            ("holds", "kind", ["user", "anonymous", "operator"]), ("messages", "role", ["user", "assistant", "tool"]),
            ("people", "kind", ["user", "anonymous", "operator"]),
            ("turns", "status", ["queued", "inProgress", "completed", "failed", "cancelled", "interrupted"]),
        ]
        for (table, column, values) in lists {
            let list = "CHECK (\(column) IN (\(values.map { "'\($0)'" }.joined(separator: ", "))))"
            let comparisons = "CHECK (\(values.map { "\(column) = '\($0)'" }.joined(separator: " OR ")))"
            try db.execute(
                sql: "UPDATE sqlite_schema SET sql = replace(sql, ?1, ?2) WHERE type = 'table' AND name = ?3 AND instr(sql, ?1) > 0",
                arguments: [list, comparisons, table])
            guard db.changesCount == 1 else { throw SQLiteFailure.unreadable("sqlite_schema: \(table)") }
        }
        let version = try Int.fetchOne(db, sql: "PRAGMA schema_version") ?? 0
        // So that everybody reads it anew.
        try db.execute(sql: "PRAGMA schema_version = \(version + 1); PRAGMA writable_schema = RESET")
    }
}
