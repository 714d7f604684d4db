import GRDB
import GRDBSQLite
import Logging
import ParleyCore

/// Keeps the log of writes small: moves its pages into the database whenever so many more have been written.
///
/// SQLite's own way is to try after each commit as soon as the log is long, and it stays long as long as somebody reads from it: under load every
/// commit then waited for the disk.
final class LogCare: Sendable {
    /// How many pages are written before they are moved: 16 MiB. That is four times as many as by default, so that a page that changes again and
    /// again is moved, and the disk waited for, a fourth as often.
    private static let pages = 4_000
    /// How many more, when somebody still read what was to be moved.
    private static let pagesMore = 1_000

    /// How many pages the connection will have written when it is time.
    private let due = Locked(LogCare.pages)
    private let logger: Logger

    init(logger: Logger) {
        self.logger = logger
    }

    /// Looks whether it is time; to be called between two transactions.
    func look(_ db: Database) {
        var (written, highest): (Int32, Int32) = (0, 0)
        guard sqlite3_db_status(db.sqliteConnection, SQLITE_DBSTATUS_CACHE_WRITE, &written, &highest, 0) == SQLITE_OK,
            Int(written) >= due.withLock({ $0 })
        else { return }
        var (all, moved): (Int32, Int32) = (0, 0)
        let code = sqlite3_wal_checkpoint_v2(db.sqliteConnection, nil, SQLITE_CHECKPOINT_PASSIVE, &all, &moved)
        if code != SQLITE_OK, code & 0xFF != SQLITE_BUSY {
            logger.warning("the log of writes could not be moved into the database", metadata: ["code": "\(code)"])
        }
        let isDone = code == SQLITE_OK && all == moved
        due.withLock { $0 = Int(written) + (isDone ? Self.pages : Self.pagesMore) }
    }
}
