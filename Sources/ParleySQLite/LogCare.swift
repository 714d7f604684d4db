import GRDB
import GRDBSQLite
import Logging
import ParleyCore

/// Keeps the log of writes small: moves its pages into the database when it has become long, whoever has written it.
///
/// SQLite's own way is to try after each commit as soon as the log is long, and it stays long as long as somebody reads from it: under load every
/// commit then waited for the disk.
final class LogCare: Sendable {
    /// How long the log becomes before it is moved, in pages: 16 MiB. That is four times as long as by default, so that a page that changes again
    /// and again is moved, and the disk waited for, a fourth as often.
    private static let pages = 4_000
    /// How much longer it becomes before the next attempt, when it could not begin anew because somebody still read from it.
    private static let pagesMore = 1_000
    /// From which length on those who read are waited for, as long as for any lock, so that it ever begins anew.
    private static let pagesAtMost = 16_000

    private struct State {
        var length = 0
        var due = LogCare.pages
    }

    private let state = Locked(State())
    private let logger: Logger

    init(logger: Logger) {
        self.logger = logger
    }

    /// Has a connection tell how long the log is after each of its commits.
    func watch(_ db: Database) {
        // Kept for as long as the process lives: the connection may be the last to go.
        let context = Unmanaged.passRetained(self).toOpaque()
        sqlite3_wal_hook(
            db.sqliteConnection,
            { context, _, _, length in
                if let context { Unmanaged<LogCare>.fromOpaque(context).takeUnretainedValue().note(Int(length)) }
                return SQLITE_OK
            }, context)
    }

    private func note(_ length: Int) {
        state.withLock { state in
            // It has begun anew.
            if length < state.length { state.due = Self.pages }
            state.length = length
        }
    }

    /// Looks whether it is time; to be called between two transactions.
    func look(_ db: Database) {
        let (length, isDue) = state.withLock { ($0.length, $0.length >= $0.due) }
        guard isDue else { return }
        let mode = length < Self.pagesAtMost ? SQLITE_CHECKPOINT_PASSIVE : SQLITE_CHECKPOINT_RESTART
        let code = sqlite3_wal_checkpoint_v2(db.sqliteConnection, nil, mode, nil, nil)
        if code != SQLITE_OK, code & 0xFF != SQLITE_BUSY {
            logger.warning("the log of writes could not be moved into the database", metadata: ["code": "\(code)"])
        }
        // The log begins anew with the next write if nobody reads from it then, and only that tells that it did.
        state.withLock { $0.due = length + Self.pagesMore }
    }
}
