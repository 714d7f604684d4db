import GRDB
import ParleyCore

/// How what was deleted leaves the files as well.
///
/// SQLite leaves deleted bytes behind in pages that it frees or repacks, `secure_delete` or not, and in the log. A deletion therefore sets
/// a mark in its own transaction, and only when the whole file has been rewritten and the log emptied is the mark taken away.
enum Erasure {
    /// The name of the mark.
    static let mark = "erasurePending"

    /// Notes that something was deleted.
    static func setPending(in db: Database, since now: Timestamp) throws {
        try db.run("INSERT INTO marks (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING", mark, now)
    }

    /// Whether something deleted is still in the files.
    static func isPending(in db: Database) throws -> Bool {
        try db.first("SELECT 1 FROM marks WHERE name = ?", mark) { _ in true } ?? false
    }

    /// Rewrites the file and empties the log. It must stand outside of any transaction, while no other host has the database open.
    ///
    /// - Parameter makesIndexAnew: whether the index of searches is made anew, whatever its state.
    /// - Returns: false when another connection is in the way; what is pending stays so.
    static func perform(in db: Database, makesIndexAnew: Bool = false) throws -> Bool {
        do {
            // Words that are no longer found may still be written in the index, where rewriting the file does not see that they are of no use.
            try SearchIndex(db: db).erase(anew: makesIndexAnew)
            try db.execute(sql: "VACUUM")
        } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
            return false
        }
        // The first column tells whether a reader kept the log from being emptied; where there is no log it is 0.
        guard try db.first("PRAGMA wal_checkpoint(TRUNCATE)", read: { $0[0] as Int }) == 0 else { return false }
        try db.run("DELETE FROM marks WHERE name = ?", mark)
        return true
    }
}
