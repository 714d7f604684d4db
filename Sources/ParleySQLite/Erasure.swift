import GRDB
import ParleyCore

/// How what was deleted leaves the files as well.
///
/// SQLite leaves deleted bytes behind in pages that it frees or repacks, `secure_delete` or not, and in the log. A deletion therefore sets
/// a mark in its own transaction, and only when the whole file has been rewritten and the log emptied is the mark taken away.
///
/// What goes because it is kept no longer may go every hour, and is not worth rewriting the file each time: it has a mark of its own, which becomes
/// the other once a day.
enum Erasure {
    private static let day: Int64 = 86_400_000

    /// The names of the marks, which tell since when: of what is to be erased, and of what may wait.
    static let marks = (due: "erasurePending", deferred: "erasureDeferred")
    /// The name of the mark that tells when what may wait was last to be erased.
    private static let turn = "erasureTurn"

    /// Notes that something was deleted.
    static func setPending(in db: some StatementSource, since now: Timestamp) throws {
        try db.run("INSERT INTO marks (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING", marks.due, now)
    }

    /// Notes that something was deleted whose erasure may wait, until the next day if it was the turn of such within the last.
    static func setDeferred(in db: some StatementSource, since now: Timestamp) throws {
        try db.run("INSERT INTO marks (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING", marks.deferred, now)
        try takeTurn(in: db, at: now)
    }

    /// Lets what waits be erased, unless it was the turn of such within the last day.
    static func takeTurn(in db: some StatementSource, at now: Timestamp) throws {
        func value(_ name: String) throws -> Int64? { try db.first("SELECT value FROM marks WHERE name = ?", name) { $0[0] } }
        guard let since = try value(marks.deferred) else { return }
        // A turn that is yet to come was told by a clock that went wrong.
        if let last = try value(turn), (0..<day).contains(now.milliseconds &- last) { return }
        try setPending(in: db, since: Timestamp(milliseconds: since))
        try db.run("DELETE FROM marks WHERE name = ?", marks.deferred)
        try db.run("INSERT INTO marks (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", turn, now)
    }

    /// Whether something deleted is still in the files.
    static func isPending(in db: some StatementSource) throws -> Bool {
        try db.first("SELECT 1 FROM marks WHERE name IN (?, ?)", marks.due, marks.deferred) { _ in true } ?? false
    }

    /// Whether something deleted is to be erased now.
    static func isDue(in db: some StatementSource) throws -> Bool {
        try db.first("SELECT 1 FROM marks WHERE name = ?", marks.due) { _ in true } ?? false
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
        try db.run("DELETE FROM marks WHERE name IN (?, ?)", marks.due, marks.deferred)
        return true
    }
}
