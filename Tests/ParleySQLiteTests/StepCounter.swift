import GRDB
import GRDBSQLite

/// Counts the steps of SQLite's virtual machine on a connection.
final class StepCounter {
    private(set) var steps = 0

    /// Begins to count; the counter must live until it is removed.
    func install(on db: Database) {
        let count: @convention(c) (UnsafeMutableRawPointer?) -> Int32 = { counter in
            if let counter { Unmanaged<StepCounter>.fromOpaque(counter).takeUnretainedValue().steps += 1 }
            return 0
        }
        sqlite3_progress_handler(db.sqliteConnection, 1, count, Unmanaged.passUnretained(self).toOpaque())
    }

    /// Stops counting.
    func remove(from db: Database) {
        sqlite3_progress_handler(db.sqliteConnection, 0, nil, nil)
    }
}
