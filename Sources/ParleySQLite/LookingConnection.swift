import GRDB
import GRDBSQLite

/// A connection that reads and leaves no trace, which a connection of GRDB's would: also one that only reads makes a log and its index where
/// there are none.
final class LookingConnection {
    private var connection: OpaquePointer?

    /// Opens a database.
    ///
    /// - Parameter isLogInUse: whether anybody has its log open. Then the log's index is used as they use it, by locks in memory that all
    ///   share; else nobody is there whom it could be kept from, and it is only read. Without a log the file is all there is, and it is read
    ///   as one that nobody can change: who begins to write at that very moment cannot be harmed, but what was read may then be nonsense.
    /// - Throws: `DatabaseError`.
    init(_ file: DatabaseFile, isLogInUse: Bool) throws {
        let mode = isLogInUse ? "" : file.logBytes > 0 ? "?readonly_shm=1" : "?immutable=1"
        let flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX
        let code = sqlite3_open_v2("file:\(DatabaseFile.escaped(file.path))\(mode)", &connection, flags, nil)
        guard code == SQLITE_OK else {
            sqlite3_close(connection)
            throw DatabaseError(resultCode: ResultCode(rawValue: code))
        }
        sqlite3_busy_timeout(connection, 1_000)
    }

    deinit {
        sqlite3_close(connection)
    }

    /// The rows that a query gives, each value as text and empty for null.
    ///
    /// - Throws: `DatabaseError`.
    func rows(_ sql: String) throws -> [[String]] {
        var statement: OpaquePointer?
        defer { sqlite3_finalize(statement) }
        var code = sqlite3_prepare_v2(connection, sql, -1, &statement, nil)
        var rows: [[String]] = []
        while code == SQLITE_OK || code == SQLITE_ROW {
            code = sqlite3_step(statement)
            guard code == SQLITE_ROW else { break }
            rows.append(
                (0..<sqlite3_column_count(statement)).map { column in
                    sqlite3_column_text(statement, column).map { String(cString: $0) } ?? ""
                })
        }
        guard code == SQLITE_DONE else {
            let message = sqlite3_errmsg(connection).map { String(cString: $0) }
            throw DatabaseError(resultCode: ResultCode(rawValue: code), message: message)
        }
        return rows
    }
}
