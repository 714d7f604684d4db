import GRDB
import ParleyCore

/// How what was deleted leaves the files as well.
///
/// SQLite leaves deleted bytes behind in pages that it frees or repacks, `secure_delete` or not, and in the log. A deletion therefore sets a
/// mark in its own transaction, and only when the whole file has been rewritten and the log emptied is the mark taken away.
extension StoreTransaction {
    private static let mark = "erasurePending"

    /// Notes that something was deleted.
    func markErasurePending(since now: Timestamp) throws {
        try db.run("INSERT INTO marks (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING", Self.mark, now)
    }

    /// Whether something deleted is still in the files.
    func isErasurePending() throws -> Bool {
        try db.first("SELECT 1 FROM marks WHERE name = ?", Self.mark) { _ in true } ?? false
    }

    /// Rewrites the file and empties the log, outside of any transaction, while no other host has the database open.
    ///
    /// - Returns: false when another connection is in the way.
    func rewrite() throws -> Bool {
        do {
            try db.execute(sql: "VACUUM")
        } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
            return false
        }
        // The first column tells whether a reader kept the log from being emptied; without a log it is 0.
        guard try db.first("PRAGMA wal_checkpoint(TRUNCATE)", read: { $0[0] as Int }) == 0 else { return false }
        try db.run("DELETE FROM marks WHERE name = ?", Self.mark)
        return true
    }
}
